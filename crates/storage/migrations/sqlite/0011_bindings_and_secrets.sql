-- What a tenant keeps or sets for itself, as one document; the latest not after a revision holds.
CREATE TABLE bindings (
    tenant   INTEGER NOT NULL,
    from_rev INTEGER NOT NULL,
    rules    TEXT    NOT NULL,
    PRIMARY KEY (tenant, from_rev)
) WITHOUT ROWID;

-- The values of secret fields, sealed; bodies have marks in their place. The latest not after a
-- revision holds; without a value the secret was removed. Earlier ones are deleted by pruning.
CREATE TABLE item_secret (
    id       INTEGER PRIMARY KEY,
    tenant   INTEGER NOT NULL,
    section  INTEGER NOT NULL,
    key      TEXT    NOT NULL,
    pointer  TEXT    NOT NULL,
    from_rev INTEGER NOT NULL,
    sealed   BLOB,
    UNIQUE (tenant, section, key, pointer, from_rev)
);
CREATE INDEX item_secret_by_revision ON item_secret (tenant, from_rev);

-- Bodies of before hold secrets themselves: the next start takes them out, as it makes digests anew
-- for another catalogue.
UPDATE tenant SET catalogue = zeroblob(32);
