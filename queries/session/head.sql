-- Owner: package store (commit.go).

-- name: HeadCreate :exec
INSERT INTO heads (singleton, revision, title, turns, messages, user_messages, tokens, updated_at_ms)
VALUES (1, 0, '', 0, 0, 0, 0, 0);

-- The compare-and-swap of every commit: no row means that the head is not at @expected.
-- name: HeadAdvance :execrows
UPDATE heads SET revision = revision + 1, leaf_seq = @leaf_seq, checkpoint_hash = @checkpoint_hash,
  current_frame_id = @current_frame_id, title = @title, turns = @turns, messages = @messages,
  user_messages = @user_messages, tokens = @tokens, updated_at_ms = @updated_at_ms
WHERE singleton = 1 AND revision = @expected;

-- name: HeadSetMessages :execrows
UPDATE heads SET messages = @messages, user_messages = @user_messages WHERE singleton = 1;
