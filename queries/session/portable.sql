-- Owner: package store (portable.go, portableimport.go): pages of everything, in an order in which it can be put in
-- again, and the putting in of what commits never write.

-- name: PortableBlobs :many
SELECT b.blob_id, b.hash, b.kind, b.codec, b.size, b.revision, b.created_at_ms
FROM blobs AS b WHERE b.blob_id > @after_id ORDER BY b.blob_id LIMIT @max_rows;

-- Tombstoned ones too.
-- name: PortableNodes :many
SELECT sqlc.embed(n), p.node_id AS parent_id
FROM nodes AS n LEFT JOIN nodes AS p ON p.seq = n.parent_seq
WHERE n.seq > @after_seq ORDER BY n.seq LIMIT @max_rows;

-- name: PortableFrames :many
SELECT f.* FROM frames AS f WHERE f.seq > @after_seq ORDER BY f.seq LIMIT @max_rows;

-- name: PortableArtifacts :many
SELECT a.* FROM artifacts AS a
WHERE (a.namespace, a.artifact_key) > (@namespace, @artifact_key)
ORDER BY a.namespace, a.artifact_key LIMIT @max_rows;

-- name: PortableRevisions :many
SELECT sqlc.embed(r), n.node_id AS leaf_id FROM revisions AS r LEFT JOIN nodes AS n ON n.seq = r.leaf_seq
WHERE r.revision > @after_revision ORDER BY r.revision LIMIT @max_rows;

-- name: PortableBranches :many
SELECT b.name, b.named_at_ms, n.node_id FROM branches AS b JOIN nodes AS n ON n.seq = b.leaf_seq
WHERE b.name > @after_name ORDER BY b.name LIMIT @max_rows;

-- name: PortableUsage :many
SELECT u.* FROM usage_deltas AS u
WHERE (u.revision, u.ordinal) > (@revision, @ordinal)
ORDER BY u.revision, u.ordinal LIMIT @max_rows;

-- name: PortableNodeSeq :one
SELECT n.seq FROM nodes AS n WHERE n.node_id = @node_id;

-- name: PortablePutNode :execlastid
INSERT INTO nodes (parent_seq, tombstoned_at_ms, node_id, kind, role, frame_id, revision, tombstoned_revision,
  created_at_ms, caused_by, payload)
VALUES (@parent_seq, @tombstoned_at_ms, @node_id, @kind, @role, @frame_id, @revision, @tombstoned_revision,
  @created_at_ms, @caused_by, @payload);

-- name: PortablePutArtifact :exec
INSERT INTO artifacts (namespace, artifact_key, blob_hash, updated_at_ms)
VALUES (@namespace, @artifact_key, @blob_hash, @updated_at_ms);

-- name: PortablePutRevision :exec
INSERT INTO revisions (revision, movement, source_revision, leaf_seq, checkpoint_hash, current_frame_id, turn_id,
  turn_hash, outbox, input, output, cache_read, cache_write, reasoning_output, committed_at_ms, pinned_at_ms)
VALUES (@revision, @movement, @source_revision, @leaf_seq, @checkpoint_hash, @current_frame_id, @turn_id, @turn_hash,
  @outbox, @input, @output, @cache_read, @cache_write, @reasoning_output, @committed_at_ms, @pinned_at_ms);

-- name: PortablePutBranch :exec
INSERT INTO branches (name, leaf_seq, named_at_ms) VALUES (@name, @leaf_seq, @named_at_ms);

-- name: PortablePutTotal :exec
INSERT INTO usage_totals (source, model, ordinal, input, output, cache_read, cache_write, reasoning_output)
VALUES (@source, @model, (SELECT COALESCE(max(t.ordinal), 0) + 1 FROM usage_totals AS t), @input, @output, @cache_read,
  @cache_write, @reasoning_output);

-- name: PortablePutEntry :exec
INSERT INTO entries (seq, family, state, turn_id, boundary, class, delivery, slot, merge_key, entry_id, source_key,
  content_hash, attempts, not_before_ms, enqueued_at_ms, settled_at_ms, content)
VALUES (@seq, @family, @state, @turn_id, @boundary, @class, @delivery, @slot, @merge_key, @entry_id, @source_key,
  @content_hash, @attempts, @not_before_ms, @enqueued_at_ms, @settled_at_ms, @content);

-- name: PortablePutHead :execrows
UPDATE heads SET revision = @revision, leaf_seq = @leaf_seq, checkpoint_hash = @checkpoint_hash,
  current_frame_id = @current_frame_id, title = @title, turns = @turns, messages = @messages,
  user_messages = @user_messages, tokens = @tokens, updated_at_ms = @updated_at_ms
WHERE singleton = 1 AND revision = 0;

-- name: PortablePutLease :execrows
UPDATE leases SET generation = @generation, last_seq = @last_seq WHERE singleton = 1 AND generation = 0;
