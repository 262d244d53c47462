-- Who asked for an operation to be stopped.
ALTER TABLE operation ADD COLUMN cancel_by TEXT;

-- Every change of an operation that somebody who follows them sees gives it the tenant's next number.
ALTER TABLE tenant ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
ALTER TABLE operation ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
CREATE INDEX operation_by_move ON operation (tenant, moved);

CREATE TRIGGER operation_made AFTER INSERT ON operation BEGIN
    UPDATE tenant SET moved = moved + 1 WHERE no = NEW.tenant;
    UPDATE operation SET moved = (SELECT moved FROM tenant WHERE no = NEW.tenant)
    WHERE rowid = NEW.rowid;
END;

CREATE TRIGGER operation_moved AFTER UPDATE OF status, server, progress, cancel_by ON operation
WHEN NEW.status IS NOT OLD.status OR NEW.server IS NOT OLD.server
    OR NEW.progress IS NOT OLD.progress OR NEW.cancel_by IS NOT OLD.cancel_by
BEGIN
    UPDATE tenant SET moved = moved + 1 WHERE no = NEW.tenant;
    UPDATE operation SET moved = (SELECT moved FROM tenant WHERE no = NEW.tenant)
    WHERE rowid = NEW.rowid;
END;
