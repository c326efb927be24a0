-- Owner: package store (blob.go, gc.go).

-- Written by a commit, which names it in the same transaction. The first description of a content stays.
-- name: BlobCreate :execrows
INSERT INTO blobs (hash, kind, codec, size, revision, created_at_ms, content)
VALUES (@hash, @kind, @codec, @size, @revision, @created_at_ms, @content)
ON CONFLICT (hash) DO NOTHING;

-- Spares a blob that is put again, before anything names it.
-- name: BlobTouch :execrows
UPDATE blobs SET revision = @revision WHERE hash = @hash;

-- name: BlobInfo :one
SELECT b.blob_id, b.kind, b.codec, b.size, CAST(length(b.content) AS INTEGER) AS stored_size
FROM blobs AS b WHERE b.hash = @hash;

-- name: BlobGet :one
SELECT b.kind, b.codec, b.size, b.content FROM blobs AS b WHERE b.hash = @hash;

-- A window of blobs for the garbage collection and the verification, with whether a row names each. What checkpoints
-- name is in their manifests.
-- name: BlobWindow :many
SELECT b.blob_id, b.hash, b.revision, CAST(length(b.content) AS INTEGER) AS stored_size,
  CAST(EXISTS (SELECT 1 FROM heads AS h WHERE h.checkpoint_hash = b.hash)
    OR EXISTS (SELECT 1 FROM frames AS f WHERE f.execution_state_hash = b.hash)
    OR EXISTS (SELECT 1 FROM artifacts AS a WHERE a.blob_hash = b.hash) AS INTEGER) AS named
FROM blobs AS b WHERE b.blob_id > @after_id ORDER BY b.blob_id LIMIT @max_rows;

-- name: BlobDelete :execrows
DELETE FROM blobs WHERE blobs.blob_id IN (
  SELECT CAST(j.value AS INTEGER) FROM json_each(CAST(@blob_ids AS TEXT)) AS j);

-- Rows that name a blob that is not there. Foreign keys make this empty; a damaged file may not.
-- name: BlobMissing :many
SELECT CAST('frame ' || f.frame_id AS TEXT) AS named_by, CAST(f.execution_state_hash AS BLOB) AS hash
FROM frames AS f
WHERE f.execution_state_hash IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM blobs AS b WHERE b.hash = f.execution_state_hash)
UNION ALL
SELECT CAST('artifact ' || a.namespace || '/' || a.artifact_key AS TEXT) AS named_by, a.blob_hash AS hash
FROM artifacts AS a
WHERE NOT EXISTS (SELECT 1 FROM blobs AS b2 WHERE b2.hash = a.blob_hash);

-- name: BlobCountRoots :one
SELECT CAST((SELECT count(*) FROM frames AS f WHERE f.execution_state_hash IS NOT NULL)
  + (SELECT count(*) FROM artifacts) AS INTEGER) AS roots;
