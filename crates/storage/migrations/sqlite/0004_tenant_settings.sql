-- What the tenant asks of imports, as JSON, and the moment before which none is begun, by the clock
-- of whoever claims operations.
ALTER TABLE tenant ADD COLUMN settings        TEXT    NOT NULL DEFAULT '{}';
ALTER TABLE tenant ADD COLUMN imports_from_ms INTEGER NOT NULL DEFAULT 0;
