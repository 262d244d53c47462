-- The servers whose bundles a tenant trusts.
CREATE TABLE trusted_server (
    tenant     INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    public_key BLOB    NOT NULL,
    added_by   TEXT    NOT NULL,
    added_ms   INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) WITHOUT ROWID;

-- Whether an origin is a tenant of this server.
CREATE INDEX tenant_by_origin ON tenant (origin);
