-- Imports and undos by the dry run whose plan they carry out.
CREATE INDEX operation_by_sealed_plan
    ON operation (tenant, coalesce(request ->> '$.Import.plan', request ->> '$.Undo.plan'))
    WHERE coalesce(request ->> '$.Import.plan', request ->> '$.Undo.plan') IS NOT NULL;
