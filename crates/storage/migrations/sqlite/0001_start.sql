-- Tenants are numbered. A number is never given again, so that what an old tenant leaves behind
-- while it is being deleted cannot appear in a new one of the same id.
CREATE TABLE tenant (
    no              INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE,
    origin          BLOB    NOT NULL,
    name            TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    revision        INTEGER NOT NULL,
    maintenance     INTEGER NOT NULL,
    created_ms      INTEGER NOT NULL,
    catalogue       BLOB    NOT NULL,
    -- The largest number a package was ever given.
    package_last    INTEGER NOT NULL,
    -- Who writes the next revision: an operation's id or a request's UUID, or nobody.
    stage_operation TEXT,
    stage_request   BLOB,
    stage_fence     INTEGER NOT NULL,
    stage_until_ms  INTEGER NOT NULL,
    -- What is staged is of an earlier hold and has to go before anything is staged.
    stage_stale     INTEGER NOT NULL
);

-- Deleted tenants some of whose rows are left.
CREATE TABLE tenant_deleted (
    no INTEGER PRIMARY KEY
);

-- When each revision was made, by this database's clock.
CREATE TABLE revision (
    tenant   INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (tenant, revision)
) WITHOUT ROWID;

-- Versions of items, valid in the revisions from from_rev to before to_rev; an open one has the
-- largest integer there. Small rows only, so that plans and listings read few pages.
CREATE TABLE item (
    tenant   INTEGER NOT NULL,
    section  INTEGER NOT NULL,
    key      TEXT    NOT NULL,
    from_rev INTEGER NOT NULL,
    to_rev   INTEGER NOT NULL,
    digest   BLOB    NOT NULL,
    -- 1: holds fields that never travel; 2: shipped with the application.
    flags    INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    body     INTEGER NOT NULL,
    PRIMARY KEY (tenant, section, key, from_rev)
) WITHOUT ROWID;

-- Bodies, appended in the order in which they were written (docs/decisions/0002). Small columns
-- come first: reading them does not touch the pages of a large body.
CREATE TABLE body (
    id         INTEGER PRIMARY KEY,
    tenant     INTEGER NOT NULL,
    -- What the item refers to: [[section, key], ...].
    links      TEXT    NOT NULL,
    attachment BLOB,
    refs       TEXT    NOT NULL,
    body       TEXT    NOT NULL
);

-- The way back from an item to the versions that refer to it.
CREATE TABLE link (
    tenant     INTEGER NOT NULL,
    to_section INTEGER NOT NULL,
    to_key     TEXT    NOT NULL,
    section    INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    from_rev   INTEGER NOT NULL,
    PRIMARY KEY (tenant, to_section, to_key, section, key, from_rev)
) WITHOUT ROWID;

-- The versions of items that name a file's bytes.
CREATE TABLE attachment (
    tenant   INTEGER NOT NULL,
    sha256   BLOB    NOT NULL,
    section  INTEGER NOT NULL,
    key      TEXT    NOT NULL,
    from_rev INTEGER NOT NULL,
    PRIMARY KEY (tenant, sha256, section, key, from_rev)
) WITHOUT ROWID;

-- What each origin last delivered, versioned as items are.
CREATE TABLE baseline (
    tenant          INTEGER NOT NULL,
    section         INTEGER NOT NULL,
    key             TEXT    NOT NULL,
    origin          BLOB    NOT NULL,
    from_rev        INTEGER NOT NULL,
    to_rev          INTEGER NOT NULL,
    source          BLOB,
    source_revision INTEGER NOT NULL,
    -- An empty one is the same as source.
    result          BLOB,
    PRIMARY KEY (tenant, section, key, origin, from_rev)
) WITHOUT ROWID;

-- Which items a revision touches: what is staged while it is the next one, and later where
-- versions ended, until they are pruned.
CREATE TABLE change (
    tenant   INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    section  INTEGER NOT NULL,
    key      TEXT    NOT NULL,
    -- 1: the item; 2: a baseline of it.
    what     INTEGER NOT NULL,
    PRIMARY KEY (tenant, revision, section, key)
) WITHOUT ROWID;

CREATE TABLE operation (
    tenant         INTEGER NOT NULL,
    id             TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    request        TEXT    NOT NULL,
    created_by     TEXT    NOT NULL,
    created_ms     INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,
    server         TEXT,
    started_ms     INTEGER,
    progress       TEXT,
    report         TEXT,
    failure        TEXT,
    plan           BLOB,
    fence          INTEGER NOT NULL,
    lease_until_ms INTEGER NOT NULL,
    not_before_ms  INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX operation_by_time ON operation (tenant, created_ms DESC, id DESC);
CREATE INDEX operation_by_plan ON operation (tenant, plan) WHERE plan IS NOT NULL;
CREATE INDEX operation_open ON operation (created_ms, id) WHERE status IN ('PENDING', 'RUNNING');

CREATE TABLE idempotency (
    tenant     INTEGER NOT NULL,
    login      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    request    BLOB    NOT NULL,
    operation  TEXT    NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, login, key)
) WITHOUT ROWID;

CREATE TABLE package (
    tenant     INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    selection  TEXT    NOT NULL,
    updated_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE file (
    tenant       INTEGER NOT NULL,
    id           BLOB    NOT NULL,
    name         TEXT    NOT NULL,
    content_type TEXT    NOT NULL,
    bytes        INTEGER NOT NULL,
    sha256       BLOB    NOT NULL,
    created_by   TEXT    NOT NULL,
    created_ms   INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL,
    -- The bytes are gone.
    forgotten    INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE INDEX file_by_sha256 ON file (tenant, sha256) WHERE forgotten = 0;
CREATE INDEX file_by_expiry ON file (expires_ms) WHERE forgotten = 0;

CREATE TABLE bundle (
    tenant         INTEGER NOT NULL,
    sha256         BLOB    NOT NULL,
    id             TEXT    NOT NULL,
    content_digest BLOB    NOT NULL,
    verified_ms    INTEGER NOT NULL,
    PRIMARY KEY (tenant, sha256)
) WITHOUT ROWID;

-- Accounts are the server's own; a role in a tenant is the tenant's.
CREATE TABLE account (
    login         TEXT    PRIMARY KEY,
    password_hash TEXT    NOT NULL,
    system_admin  INTEGER NOT NULL,
    created_ms    INTEGER NOT NULL,
    password_ms   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE role (
    tenant INTEGER NOT NULL,
    login  TEXT    NOT NULL,
    role   TEXT    NOT NULL,
    PRIMARY KEY (tenant, login)
) WITHOUT ROWID;
CREATE INDEX role_by_login ON role (login);

CREATE TABLE token (
    id         BLOB    PRIMARY KEY,
    login      TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    sha256     BLOB    NOT NULL UNIQUE,
    tenant     INTEGER,
    role       TEXT,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER
) WITHOUT ROWID;
CREATE INDEX token_by_login ON token (login, created_ms);

CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- Views to delete through: a DELETE joins no tables, and IN over several columns does not use all
-- of a key. Inserting rows into one of these deletes them, each found by its whole key.
CREATE VIEW link_gone AS SELECT * FROM link;
CREATE TRIGGER link_goes INSTEAD OF INSERT ON link_gone BEGIN
    DELETE FROM link
    WHERE tenant = NEW.tenant AND to_section = NEW.to_section AND to_key = NEW.to_key
        AND section = NEW.section AND key = NEW.key AND from_rev = NEW.from_rev;
END;

CREATE VIEW version_gone AS
    SELECT tenant, section, key, from_rev, 0 AS body, NULL AS attachment FROM item;
CREATE TRIGGER version_goes INSTEAD OF INSERT ON version_gone BEGIN
    DELETE FROM body WHERE id = NEW.body;
    DELETE FROM attachment
    WHERE tenant = NEW.tenant AND sha256 = NEW.attachment AND section = NEW.section
        AND key = NEW.key AND from_rev = NEW.from_rev;
    DELETE FROM item
    WHERE tenant = NEW.tenant AND section = NEW.section AND key = NEW.key
        AND from_rev = NEW.from_rev;
END;

CREATE VIEW baseline_gone AS SELECT tenant, section, key, origin, from_rev FROM baseline;
CREATE TRIGGER baseline_goes INSTEAD OF INSERT ON baseline_gone BEGIN
    DELETE FROM baseline
    WHERE tenant = NEW.tenant AND section = NEW.section AND key = NEW.key
        AND origin = NEW.origin AND from_rev = NEW.from_rev;
END;
