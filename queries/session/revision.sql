-- Owner: package store (commit.go, history.go, vacuum.go, gc.go).

-- name: RevisionCreate :exec
INSERT INTO revisions (revision, movement, source_revision, leaf_seq, checkpoint_hash, current_frame_id, turn_id,
  turn_hash, outbox, input, output, cache_read, cache_write, reasoning_output, committed_at_ms)
VALUES (@revision, @movement, @source_revision, @leaf_seq, @checkpoint_hash, @current_frame_id, @turn_id, @turn_hash,
  @outbox, @input, @output, @cache_read, @cache_write, @reasoning_output, @committed_at_ms);

-- The receipt of a turn.
-- name: RevisionByTurn :one
SELECT * FROM revisions WHERE turn_id = @turn_id AND turn_hash IS NOT NULL;

-- name: RevisionGet :one
SELECT sqlc.embed(r), n.node_id AS leaf_id FROM revisions AS r LEFT JOIN nodes AS n ON n.seq = r.leaf_seq
WHERE r.revision = @revision;

-- Newest first. @oldest_kept is the first of those that stay loadable without a pin; 0 lists all.
-- name: RevisionList :many
SELECT sqlc.embed(r), n.node_id AS leaf_id FROM revisions AS r LEFT JOIN nodes AS n ON n.seq = r.leaf_seq
WHERE r.revision < @before_revision AND (r.revision >= CAST(@oldest_kept AS INTEGER) OR r.pinned_at_ms IS NOT NULL)
ORDER BY r.revision DESC LIMIT @max_rows;

-- The latest loadable revision that stood at a leaf.
-- name: RevisionAtLeaf :one
SELECT r.revision, r.checkpoint_hash, r.current_frame_id FROM revisions AS r
WHERE r.leaf_seq = @leaf_seq AND (r.revision >= CAST(@oldest_kept AS INTEGER) OR r.pinned_at_ms IS NOT NULL)
ORDER BY r.revision DESC LIMIT 1;

-- name: RevisionPin :execrows
UPDATE revisions SET pinned_at_ms = COALESCE(pinned_at_ms, @pinned_at_ms)
WHERE revision = @revision AND (revision >= CAST(@oldest_kept AS INTEGER) OR pinned_at_ms IS NOT NULL);

-- name: RevisionUnpin :execrows
UPDATE revisions SET pinned_at_ms = NULL WHERE revision = @revision;

-- The checkpoints of what is kept: the last ones by the primary key, the pinned ones by their index.
-- name: RevisionCheckpoints :many
SELECT r.revision, r.checkpoint_hash FROM revisions AS r
WHERE r.revision >= @oldest_kept AND r.checkpoint_hash IS NOT NULL
UNION
SELECT p.revision, p.checkpoint_hash FROM revisions AS p
WHERE p.pinned_at_ms IS NOT NULL AND p.checkpoint_hash IS NOT NULL;

-- Where a batch ends that begins behind @after_revision; no row when it would be the last. The vacuum walks over all of
-- them: times need not be in the order of revisions, because clocks go back.
-- name: RevisionBatchEnd :one
SELECT r.revision FROM revisions AS r WHERE r.revision > @after_revision
ORDER BY r.revision LIMIT 1 OFFSET @rows_before;

-- Forgets receipts; the lines of the log stay.
-- name: RevisionForgetReceipts :execrows
UPDATE revisions SET turn_hash = NULL, outbox = NULL
WHERE revision > @after_revision AND revision <= @last_revision AND committed_at_ms < @before_ms AND turn_hash IS NOT NULL;

-- Lines of the log that are neither loadable nor a receipt.
-- name: RevisionVacuum :execrows
DELETE FROM revisions WHERE revision > @after_revision AND revision <= @last_revision AND committed_at_ms < @before_ms
AND turn_hash IS NULL AND pinned_at_ms IS NULL AND revision < CAST(@oldest_kept AS INTEGER);
