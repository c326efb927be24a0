-- Owner: package store (frame.go).

-- name: FrameList :many
SELECT * FROM frames ORDER BY seq;

-- name: FrameGet :one
SELECT * FROM frames WHERE frame_id = @frame_id;

-- name: FrameCreate :exec
INSERT INTO frames (frame_id, previous_id, reason, caused_by, created_at_ms, assignment, options, execution_state_hash)
VALUES (@frame_id, @previous_id, @reason, @caused_by, @created_at_ms, @assignment, @options, @execution_state_hash);

-- name: FrameUpdate :execrows
UPDATE frames SET assignment = @assignment, options = @options, execution_state_hash = @execution_state_hash
WHERE frame_id = @frame_id;
