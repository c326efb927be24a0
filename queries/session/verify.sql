-- Owner: package store (verify.go). Each lists rows that must not exist.

-- Live nodes whose parent is tombstoned.
-- name: VerifyOrphanedNodes :many
SELECT n.node_id, p.node_id AS parent_id FROM nodes AS n JOIN nodes AS p ON p.seq = n.parent_seq
WHERE n.tombstoned_at_ms IS NULL AND p.tombstoned_at_ms IS NOT NULL;

-- Rows that contradict the head.
-- name: VerifyAheadOfHead :many
SELECT CAST('node ' || n.node_id AS TEXT) AS what, n.revision FROM nodes AS n, heads AS h
WHERE n.revision > h.revision
UNION ALL
SELECT CAST('revision ' || r.revision AS TEXT) AS what, r.revision FROM revisions AS r, heads AS h2
WHERE r.revision > h2.revision
UNION ALL
SELECT CAST('usage ' || u.source AS TEXT) AS what, u.revision FROM usage_deltas AS u, heads AS h3
WHERE u.revision > h3.revision OR u.revision < 1
UNION ALL
SELECT CAST('blob ' || lower(hex(b.hash)) AS TEXT) AS what, b.revision FROM blobs AS b, heads AS h4
WHERE b.revision > h4.revision;

-- A leaf that is not live.
-- name: VerifyDeadLeaf :many
SELECT n.node_id FROM heads AS h JOIN nodes AS n ON n.seq = h.leaf_seq WHERE n.tombstoned_at_ms IS NOT NULL;

-- Live nodes, a page at a time: a history may be longer than memory.
-- name: VerifyNodes :many
SELECT n.* FROM nodes AS n WHERE n.tombstoned_at_ms IS NULL AND n.seq > @after_seq ORDER BY n.seq LIMIT @max_rows;

-- The single rows that must exist.
-- name: VerifyRowCounts :one
SELECT (SELECT count(*) FROM sessions) AS sessions, (SELECT count(*) FROM heads) AS heads,
  (SELECT count(*) FROM leases) AS leases;

-- Entries, a page at a time.
-- name: VerifyEntries :many
SELECT e.* FROM entries AS e WHERE e.seq > @after_seq ORDER BY e.seq LIMIT @max_rows;

-- What contradicts the lease's row: places in the line that were never given out, claims of generations that never were.
-- name: VerifyEntriesAheadOfLease :many
SELECT e.entry_id, CAST(CASE WHEN e.seq > l.last_seq THEN 'its place in the line was never given out'
  ELSE 'it is claimed under a generation of the lease that never was' END AS TEXT) AS what
FROM entries AS e, leases AS l
WHERE e.seq > l.last_seq OR e.claim_generation > l.generation;

-- Kept revisions whose leaf is gone.
-- name: VerifyLostLeaves :many
SELECT r.revision FROM revisions AS r WHERE r.leaf_seq IS NOT NULL
AND (r.revision >= CAST(@oldest_kept AS INTEGER) OR r.pinned_at_ms IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM nodes AS n WHERE n.seq = r.leaf_seq);

-- The head against its line of the log: no row when they agree, or there is none yet.
-- name: VerifyHeadRevision :many
SELECT h.revision FROM heads AS h LEFT JOIN revisions AS r ON r.revision = h.revision
WHERE h.revision > 0 AND (r.revision IS NULL OR r.leaf_seq IS NOT h.leaf_seq
  OR r.checkpoint_hash IS NOT h.checkpoint_hash OR r.current_frame_id IS NOT h.current_frame_id);
