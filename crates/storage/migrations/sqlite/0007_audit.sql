-- What administration did, and who was kept out. It outlives what it is about: the tenant's id is
-- kept beside its number, by which a later tenant of the same id is told apart.
CREATE TABLE audit (
    no        INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant    INTEGER,
    tenant_id TEXT,
    at_ms     INTEGER NOT NULL,
    last_ms   INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    login     TEXT,
    address   TEXT,
    agent     TEXT,
    action    TEXT    NOT NULL,
    path      TEXT    NOT NULL,
    detail    TEXT,
    status    INTEGER NOT NULL,
    code      TEXT,
    -- What failures are counted under.
    kind      BLOB    UNIQUE
);
CREATE INDEX audit_by_tenant ON audit (tenant, no) WHERE tenant IS NOT NULL;
CREATE INDEX audit_by_time ON audit (last_ms);
