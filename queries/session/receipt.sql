-- Owner: package store (commit.go, vacuum.go).

-- name: ReceiptGet :one
SELECT * FROM receipts WHERE turn_id = @turn_id;

-- name: ReceiptCreate :exec
INSERT INTO receipts (revision, turn_id, turn_hash, checkpoint_hash, committed_at_ms)
VALUES (@revision, @turn_id, @turn_hash, @checkpoint_hash, @committed_at_ms);

-- Oldest first: revisions are in the order of time, so that the scan stops at the first batch that stays.
-- name: ReceiptVacuum :execrows
DELETE FROM receipts WHERE receipts.revision IN (
  SELECT r.revision FROM receipts AS r ORDER BY r.revision LIMIT @max_rows)
AND receipts.committed_at_ms < @before_ms;
