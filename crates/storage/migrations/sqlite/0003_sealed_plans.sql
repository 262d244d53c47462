-- Imports by the dry run whose plan they carry out.
CREATE INDEX operation_by_sealed_plan ON operation (tenant, request ->> '$.Import.plan')
    WHERE request ->> '$.Import.plan' IS NOT NULL;
