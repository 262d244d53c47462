-- Whether a user may approve plans in the tenant, beside the role.
ALTER TABLE role ADD COLUMN approver INTEGER NOT NULL DEFAULT 0;

-- What was decided about the plans of dry runs: once for each, for good.
CREATE TABLE review (
    tenant   INTEGER NOT NULL,
    dry_run  TEXT    NOT NULL,
    decision TEXT    NOT NULL,
    by_login TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    plan     BLOB    NOT NULL,
    PRIMARY KEY (tenant, dry_run)
) WITHOUT ROWID;
