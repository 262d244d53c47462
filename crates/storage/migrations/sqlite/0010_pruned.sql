-- Versions that ended with this revision or earlier may be gone. Until now the notes of revisions were
-- deleted with them: the oldest one left tells.
ALTER TABLE tenant ADD COLUMN pruned_rev INTEGER NOT NULL DEFAULT 0;
UPDATE tenant SET pruned_rev =
    coalesce((SELECT min(r.revision) FROM revision r WHERE r.tenant = tenant.no), 0);
