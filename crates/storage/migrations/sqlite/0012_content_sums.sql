-- The sum of a revision's content; unknown of revisions before it was kept.
ALTER TABLE revision ADD COLUMN sum BLOB;
-- The same of what is staged, for the flip.
ALTER TABLE tenant ADD COLUMN stage_sum BLOB;
