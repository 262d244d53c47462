-- The version that was delivered, where it is none of the tenant's: the base of the next merge.
ALTER TABLE baseline ADD COLUMN body INTEGER;

DROP TRIGGER baseline_goes;
DROP VIEW baseline_gone;
CREATE VIEW baseline_gone AS SELECT tenant, section, key, origin, from_rev, body FROM baseline;
CREATE TRIGGER baseline_goes INSTEAD OF INSERT ON baseline_gone BEGIN
    DELETE FROM body WHERE id = NEW.body;
    DELETE FROM baseline
    WHERE tenant = NEW.tenant AND section = NEW.section AND key = NEW.key
        AND origin = NEW.origin AND from_rev = NEW.from_rev;
END;
