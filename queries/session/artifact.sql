-- Owner: package store (artifact.go).

-- name: ArtifactPut :exec
INSERT INTO artifacts (namespace, artifact_key, blob_hash, updated_at_ms)
VALUES (@namespace, @artifact_key, @blob_hash, @updated_at_ms)
ON CONFLICT (namespace, artifact_key) DO UPDATE SET blob_hash = excluded.blob_hash, updated_at_ms = excluded.updated_at_ms;

-- The blob's columns are NULL when it is missing.
-- name: ArtifactGet :one
SELECT a.blob_hash, b.kind, b.size FROM artifacts AS a LEFT JOIN blobs AS b ON b.hash = a.blob_hash
WHERE a.namespace = @namespace AND a.artifact_key = @artifact_key;

-- name: ArtifactList :many
SELECT a.artifact_key, a.blob_hash, b.kind, b.size FROM artifacts AS a LEFT JOIN blobs AS b ON b.hash = a.blob_hash
WHERE a.namespace = @namespace ORDER BY a.artifact_key;

-- name: ArtifactDelete :execrows
DELETE FROM artifacts WHERE namespace = @namespace AND artifact_key = @artifact_key;
