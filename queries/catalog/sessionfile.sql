-- Owner: package store (catalog.go, refresh.go).

-- name: SessionFileMarks :many
SELECT file_name, inode, size, mtime_ns, wal_inode, wal_size, wal_mtime_ns, settled FROM session_files;

-- Whoever looked last wins. If that was not who looked latest, the marks are old ones, and the file is looked into again.
-- name: SessionFilePut :exec
INSERT INTO session_files (file_name, inode, size, mtime_ns, wal_inode, wal_size, wal_mtime_ns, settled, error, session_id,
  name, title, search, model, cwd, relation_kind, parent_session_id, created_at_ms, updated_at_ms, revision, turns,
  messages, user_messages, tokens, bytes)
VALUES (@file_name, @inode, @size, @mtime_ns, @wal_inode, @wal_size, @wal_mtime_ns, @settled, @error, @session_id,
  @name, @title, @search, @model, @cwd, @relation_kind, @parent_session_id, @created_at_ms, @updated_at_ms, @revision,
  @turns, @messages, @user_messages, @tokens, @bytes)
ON CONFLICT (file_name) DO UPDATE SET inode = excluded.inode, size = excluded.size, mtime_ns = excluded.mtime_ns,
  wal_inode = excluded.wal_inode, wal_size = excluded.wal_size, wal_mtime_ns = excluded.wal_mtime_ns,
  settled = excluded.settled, error = excluded.error, session_id = excluded.session_id, name = excluded.name,
  title = excluded.title, search = excluded.search, model = excluded.model, cwd = excluded.cwd,
  relation_kind = excluded.relation_kind, parent_session_id = excluded.parent_session_id,
  created_at_ms = excluded.created_at_ms, updated_at_ms = excluded.updated_at_ms, revision = excluded.revision,
  turns = excluded.turns, messages = excluded.messages, user_messages = excluded.user_messages,
  tokens = excluded.tokens, bytes = excluded.bytes;

-- A row that somebody else has put meanwhile, for a file made anew, stays.
-- name: SessionFileDrop :execrows
DELETE FROM session_files WHERE file_name = @file_name AND inode = @inode AND mtime_ns = @mtime_ns;

-- The pages of a list, most recently updated first, from behind a place in it. The order is that of an index, and so is
-- the place: before_ms bounds the range, and only among those of that very moment does the id decide.
-- name: SessionFilePage :many
SELECT file_name, session_id, name, title, model, cwd, relation_kind, parent_session_id, created_at_ms, updated_at_ms,
  revision, turns, messages, user_messages, tokens, bytes
FROM session_files
WHERE error = ''
  AND updated_at_ms <= @before_ms AND (updated_at_ms < @before_ms OR session_id > @after_id)
  AND updated_at_ms >= @since_ms
  AND instr(search, CAST(@search AS TEXT)) > 0
ORDER BY updated_at_ms DESC, session_id LIMIT @row_limit;

-- name: SessionFilePageByModel :many
SELECT file_name, session_id, name, title, model, cwd, relation_kind, parent_session_id, created_at_ms, updated_at_ms,
  revision, turns, messages, user_messages, tokens, bytes
FROM session_files
WHERE error = '' AND model = @model
  AND updated_at_ms <= @before_ms AND (updated_at_ms < @before_ms OR session_id > @after_id)
  AND updated_at_ms >= @since_ms
  AND instr(search, CAST(@search AS TEXT)) > 0
ORDER BY updated_at_ms DESC, session_id LIMIT @row_limit;

-- name: SessionFilePageByParent :many
SELECT file_name, session_id, name, title, model, cwd, relation_kind, parent_session_id, created_at_ms, updated_at_ms,
  revision, turns, messages, user_messages, tokens, bytes
FROM session_files
WHERE error = '' AND parent_session_id = @parent_session_id
  AND updated_at_ms <= @before_ms AND (updated_at_ms < @before_ms OR session_id > @after_id)
  AND updated_at_ms >= @since_ms
  AND (CAST(@model AS TEXT) = '' OR model = CAST(@model AS TEXT))
  AND instr(search, CAST(@search AS TEXT)) > 0
ORDER BY updated_at_ms DESC, session_id LIMIT @row_limit;
