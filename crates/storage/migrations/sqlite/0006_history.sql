-- From where an operation was asked for.
ALTER TABLE operation ADD COLUMN address TEXT;
ALTER TABLE operation ADD COLUMN agent   TEXT;

-- Who made a revision: an operation, or a request of a user. Neither is known of earlier ones.
ALTER TABLE revision ADD COLUMN operation TEXT;
ALTER TABLE revision ADD COLUMN login     TEXT;

-- On whose behalf the next revision is written.
ALTER TABLE tenant ADD COLUMN stage_login TEXT;
