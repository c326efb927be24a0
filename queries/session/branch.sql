-- Owner: package store (branch.go).

-- name: BranchName :exec
INSERT INTO branches (name, leaf_seq, named_at_ms) VALUES (@name, @leaf_seq, @named_at_ms)
ON CONFLICT (name) DO UPDATE SET leaf_seq = excluded.leaf_seq, named_at_ms = excluded.named_at_ms;

-- name: BranchDrop :execrows
DELETE FROM branches WHERE name = @name;

-- name: BranchGet :one
SELECT b.leaf_seq, n.node_id FROM branches AS b JOIN nodes AS n ON n.seq = b.leaf_seq WHERE b.name = @name;

-- Live nodes that nothing live follows, and those that have a name.
-- name: BranchList :many
SELECT n.seq, n.node_id, n.revision, n.created_at_ms, b.name
FROM nodes AS n LEFT JOIN branches AS b ON b.leaf_seq = n.seq
WHERE n.tombstoned_at_ms IS NULL AND (b.name IS NOT NULL OR NOT EXISTS (
  SELECT 1 FROM nodes AS child WHERE child.parent_seq = n.seq AND child.tombstoned_at_ms IS NULL))
ORDER BY n.seq;

-- name: BranchCountMessages :one
WITH RECURSIVE chain (seq, parent_seq) AS (
  SELECT l.seq AS seq, l.parent_seq AS parent_seq FROM nodes AS l WHERE l.seq = @leaf_seq
  UNION ALL
  SELECT p.seq, p.parent_seq FROM chain AS c JOIN nodes AS p ON p.seq = c.parent_seq AND p.seq < c.seq
)
SELECT count(*) FROM chain AS c JOIN nodes AS n ON n.seq = c.seq WHERE n.kind = 'message';
