-- Owner: package store (commit.go, vacuum.go).

-- name: ReceiptGet :one
SELECT * FROM receipts WHERE turn_id = @turn_id;

-- name: ReceiptCreate :exec
INSERT INTO receipts (revision, turn_id, turn_hash, checkpoint_hash, outbox, committed_at_ms)
VALUES (@revision, @turn_id, @turn_hash, @checkpoint_hash, @outbox, @committed_at_ms);

-- Where a batch ends that begins behind @after_revision; no row when it would be the last. The vacuum walks over all of
-- them: times need not be in the order of revisions, because clocks go back.
-- name: ReceiptBatchEnd :one
SELECT r.revision FROM receipts AS r WHERE r.revision > @after_revision
ORDER BY r.revision LIMIT 1 OFFSET @rows_before;

-- name: ReceiptVacuum :execrows
DELETE FROM receipts WHERE receipts.revision > @after_revision AND receipts.revision <= @last_revision
AND receipts.committed_at_ms < @before_ms;
