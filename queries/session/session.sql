-- Owner: package store (session.go, meta.go).

-- name: SessionCreate :exec
INSERT INTO sessions (singleton, kind, database_id, session_id, created_at_ms, keep_revisions, kept_from, name, model, cwd,
  relation_kind, parent_session_id, relation_cause, extra, config)
VALUES (1, 'session', @database_id, @session_id, @created_at_ms, @keep_revisions, 1, @name, @model, @cwd, @relation_kind,
  @parent_session_id, @relation_cause, @extra, '{}');

-- name: SessionGet :one
SELECT * FROM sessions WHERE singleton = 1;

-- The row that every transaction begins with: whose file this is, where the head stands, who holds the lease. One
-- statement, because every commit pays for it. Revisions before kept_from are not counted among those to keep.
-- name: SessionState :one
SELECT s.session_id, s.database_id, s.deleted_at_ms,
  CAST(MIN(s.keep_revisions, h.revision - s.kept_from + 1) AS INTEGER) AS keep_revisions, h.revision, h.leaf_seq, n.node_id AS leaf_id, h.checkpoint_hash,
  h.current_frame_id, h.title, h.turns, h.messages, h.user_messages, h.tokens, h.updated_at_ms,
  l.generation, l.token, l.owner_id, l.owner_incarnation, l.owner_host_id, l.owner_boot_id, l.owner_pid,
  l.owner_start_time, l.claimed_at_ms, l.expires_at_ms
FROM sessions AS s
JOIN heads AS h ON h.singleton = s.singleton
JOIN leases AS l ON l.singleton = s.singleton
LEFT JOIN nodes AS n ON n.seq = h.leaf_seq
WHERE s.singleton = 1;

-- name: SessionUpdateMeta :execrows
UPDATE sessions SET name = @name, model = @model, cwd = @cwd, relation_kind = @relation_kind,
  parent_session_id = @parent_session_id, relation_cause = @relation_cause, extra = @extra,
  created_at_ms = @created_at_ms
WHERE session_id = @session_id AND deleted_at_ms IS NULL;

-- name: SessionSetConfig :execrows
UPDATE sessions SET config = @config WHERE singleton = 1;

-- What is gone stays gone: nothing before @oldest_kept, the first that could be loaded until now, comes back.
-- name: SessionSetKeepRevisions :execrows
UPDATE sessions SET keep_revisions = @keep_revisions, kept_from = MAX(kept_from, CAST(@oldest_kept AS INTEGER)) WHERE singleton = 1;

-- name: SessionGetConfig :one
SELECT config FROM sessions WHERE singleton = 1;

-- name: SessionMarkDeleted :execrows
UPDATE sessions SET deleted_at_ms = @deleted_at_ms WHERE session_id = @session_id AND deleted_at_ms IS NULL;
