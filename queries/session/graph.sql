-- Owner: package store (graph.go, load.go, tombstone.go, vacuum.go).

-- No row inserted means that the id is known: NodeGet tells what it is.
-- name: NodeCreate :execlastid
INSERT INTO nodes (parent_seq, node_id, kind, role, frame_id, revision, created_at_ms, caused_by, payload)
VALUES (@parent_seq, @node_id, @kind, @role, @frame_id, @revision, @created_at_ms, @caused_by, @payload)
ON CONFLICT (node_id) DO NOTHING;

-- name: NodeGet :one
SELECT sqlc.embed(n), p.node_id AS parent_id
FROM nodes AS n LEFT JOIN nodes AS p ON p.seq = n.parent_seq
WHERE n.node_id = @node_id;

-- name: NodeGetLive :one
SELECT sqlc.embed(n), p.node_id AS parent_id
FROM nodes AS n LEFT JOIN nodes AS p ON p.seq = n.parent_seq
WHERE n.node_id = @node_id AND n.tombstoned_at_ms IS NULL;

-- name: NodeSeqLive :one
SELECT n.seq FROM nodes AS n WHERE n.node_id = @node_id AND n.tombstoned_at_ms IS NULL;

-- name: NodeIDBySeq :one
SELECT n.node_id FROM nodes AS n WHERE n.seq = @seq;

-- name: NodeLiveIDBySeq :one
SELECT n.node_id FROM nodes AS n WHERE n.seq = @seq AND n.tombstoned_at_ms IS NULL;

-- The latest tombstone, 0 when there is none. No new one is set earlier, whatever the clock says: the vacuum relies on
-- a child's being no later than its parent's.
-- name: NodeLatestTombstone :one
SELECT CAST(COALESCE(MAX(n.tombstoned_at_ms), 0) AS INTEGER) AS at_ms FROM nodes AS n WHERE n.tombstoned_at_ms IS NOT NULL;

-- name: NodeRevive :execrows
UPDATE nodes SET tombstoned_at_ms = NULL, tombstoned_revision = NULL WHERE seq = @seq AND tombstoned_at_ms IS NOT NULL;

-- Brings back what of the path to @leaf_seq is tombstoned.
-- name: NodeRevivePath :execrows
WITH RECURSIVE chain (seq, parent_seq) AS (
  SELECT l.seq AS seq, l.parent_seq AS parent_seq FROM nodes AS l WHERE l.seq = @leaf_seq AND l.tombstoned_at_ms IS NOT NULL
  UNION ALL
  SELECT p.seq, p.parent_seq FROM chain AS c
  JOIN nodes AS p ON p.seq = c.parent_seq AND p.seq < c.seq AND p.tombstoned_at_ms IS NOT NULL
)
UPDATE nodes SET tombstoned_at_ms = NULL, tombstoned_revision = NULL
WHERE nodes.seq IN (SELECT c2.seq FROM chain AS c2);

-- Every live node, in order of insertion.
-- name: NodeListLive :many
SELECT n.* FROM nodes AS n WHERE n.tombstoned_at_ms IS NULL ORDER BY n.seq;

-- name: NodeRoots :many
SELECT n.* FROM nodes AS n WHERE n.parent_seq IS NULL AND n.tombstoned_at_ms IS NULL ORDER BY n.seq;

-- name: NodeChildren :many
SELECT n.* FROM nodes AS n WHERE n.parent_seq = @parent_seq AND n.tombstoned_at_ms IS NULL ORDER BY n.seq;

-- The way up from @leaf_seq, nearest first. A parent is always older: the walk ends even in a damaged file. Not sorted:
-- a sort would hold all payloads in SQLite's memory, which is small. The recursion goes up one node at a time, and the
-- caller holds every row against the one before it.
-- name: NodePath :many
WITH RECURSIVE chain (seq, parent_seq, depth) AS (
  SELECT l.seq AS seq, l.parent_seq AS parent_seq, 1 AS depth FROM nodes AS l WHERE l.seq = @leaf_seq
  UNION ALL
  SELECT p.seq, p.parent_seq, c.depth + 1 FROM chain AS c
  JOIN nodes AS p ON p.seq = c.parent_seq AND p.seq < c.seq
  WHERE c.depth < CAST(@max_rows AS INTEGER)
)
SELECT n.* FROM chain AS c CROSS JOIN nodes AS n ON n.seq = c.seq;

-- What is counted in the summary, counted anew.
-- name: NodeCountMessages :one
SELECT count(*) AS messages, CAST(COALESCE(SUM(n.role = 'user'), 0) AS INTEGER) AS user_messages
FROM nodes AS n WHERE n.kind = 'message' AND n.tombstoned_at_ms IS NULL;

-- Tombstones the nodes of @node_ids with all that follows them. The caller has made sure that none is on the live path.
-- name: NodeTombstoneTrees :execrows
WITH RECURSIVE doomed (seq) AS (
  SELECT n.seq AS seq FROM json_each(CAST(@node_ids AS TEXT)) AS j JOIN nodes AS n ON n.node_id = CAST(j.value AS TEXT)
  UNION
  SELECT child.seq FROM doomed AS d JOIN nodes AS child ON child.parent_seq = d.seq
)
UPDATE nodes SET tombstoned_at_ms = @now_ms, tombstoned_revision = @revision
WHERE nodes.tombstoned_at_ms IS NULL AND nodes.seq IN (SELECT d2.seq FROM doomed AS d2);

-- Which of @node_ids are on the path that ends at @leaf_seq, or at a leaf with a name.
-- name: NodeOnPath :many
WITH RECURSIVE chain (seq, parent_seq) AS (
  SELECT l.seq AS seq, l.parent_seq AS parent_seq FROM nodes AS l
  WHERE l.seq = sqlc.narg('leaf_seq') OR l.seq IN (SELECT b.leaf_seq FROM branches AS b)
  UNION
  SELECT p.seq, p.parent_seq FROM chain AS c JOIN nodes AS p ON p.seq = c.parent_seq AND p.seq < c.seq
)
SELECT n.node_id FROM chain AS c JOIN nodes AS n ON n.seq = c.seq
WHERE n.node_id IN (SELECT CAST(j.value AS TEXT) FROM json_each(CAST(@node_ids AS TEXT)) AS j);

-- Everything that neither the path to @leaf_seq passes through, NULL being no path, nor one to a leaf with a name.
-- name: NodeTombstoneOffPath :execrows
WITH RECURSIVE chain (seq, parent_seq) AS (
  SELECT l.seq AS seq, l.parent_seq AS parent_seq FROM nodes AS l
  WHERE l.seq = sqlc.narg('leaf_seq') OR l.seq IN (SELECT b.leaf_seq FROM branches AS b)
  UNION
  SELECT p.seq, p.parent_seq FROM chain AS c JOIN nodes AS p ON p.seq = c.parent_seq AND p.seq < c.seq
)
UPDATE nodes SET tombstoned_at_ms = @now_ms, tombstoned_revision = @revision
WHERE nodes.tombstoned_at_ms IS NULL AND nodes.seq NOT IN (SELECT c2.seq FROM chain AS c2);

-- The rest of a graph that was replaced: every live node that is not among @kept_seqs, nor on the path to a leaf with a
-- name.
-- name: NodeTombstoneOthers :execrows
WITH RECURSIVE named (seq, parent_seq) AS (
  SELECT l.seq AS seq, l.parent_seq AS parent_seq FROM nodes AS l WHERE l.seq IN (SELECT b.leaf_seq FROM branches AS b)
  UNION
  SELECT p.seq, p.parent_seq FROM named AS c JOIN nodes AS p ON p.seq = c.parent_seq AND p.seq < c.seq
)
UPDATE nodes SET tombstoned_at_ms = @now_ms, tombstoned_revision = @revision WHERE nodes.tombstoned_at_ms IS NULL AND nodes.seq NOT IN (
  SELECT CAST(j.value AS INTEGER) FROM json_each(CAST(@kept_seqs AS TEXT)) AS j)
AND nodes.seq NOT IN (SELECT named.seq FROM named);

-- Children before parents, so that no row ever names a parent that is gone: a child was tombstoned with its parent or
-- before, and is younger. What a kept revision still had stays: those from @oldest_kept on, and the pinned.
-- name: NodeVacuum :execrows
DELETE FROM nodes WHERE nodes.seq IN (
  SELECT n.seq FROM nodes AS n WHERE n.tombstoned_at_ms < @before_ms
  AND (n.tombstoned_revision <= n.revision OR n.tombstoned_revision <= CAST(@oldest_kept AS INTEGER))
  AND NOT EXISTS (SELECT 1 FROM revisions AS r
    WHERE r.pinned_at_ms IS NOT NULL AND r.revision >= n.revision AND r.revision < n.tombstoned_revision)
  ORDER BY n.tombstoned_at_ms, n.seq DESC LIMIT @max_rows);
