-- Owner: package store (stats.go).

-- name: StatsGet :one
SELECT
  (SELECT count(*) FROM nodes AS n WHERE n.tombstoned_at_ms IS NULL) AS nodes,
  (SELECT count(*) FROM nodes AS n2 WHERE n2.tombstoned_at_ms IS NOT NULL) AS tombstones,
  CAST((SELECT COALESCE(SUM(octet_length(n3.payload)), 0) FROM nodes AS n3) AS INTEGER) AS node_bytes,
  (SELECT count(*) FROM blobs) AS blobs,
  CAST((SELECT COALESCE(SUM(b.size), 0) FROM blobs AS b) AS INTEGER) AS blob_bytes,
  CAST((SELECT COALESCE(SUM(length(b2.content)), 0) FROM blobs AS b2) AS INTEGER) AS blob_stored_bytes,
  (SELECT count(*) FROM revisions AS rv WHERE rv.turn_hash IS NOT NULL) AS receipts,
  (SELECT count(*) FROM revisions) AS revisions,
  (SELECT count(*) FROM usage_deltas) AS usage_deltas,
  (SELECT count(*) FROM frames) AS frames,
  (SELECT count(*) FROM artifacts) AS artifacts,
  (SELECT count(*) FROM entries AS e WHERE e.family = 'work' AND e.settled_at_ms IS NULL) AS work,
  (SELECT count(*) FROM entries AS e2 WHERE e2.family = 'input' AND e2.settled_at_ms IS NULL) AS inputs,
  (SELECT count(*) FROM entries AS e3 WHERE e3.family = 'work' AND e3.settled_at_ms IS NOT NULL) AS settled_work,
  (SELECT count(*) FROM entries AS e4 WHERE e4.family = 'input' AND e4.settled_at_ms IS NOT NULL) AS settled_inputs,
  CAST((SELECT COALESCE(SUM(octet_length(e5.content)), 0) FROM entries AS e5) AS INTEGER) AS entry_bytes;
