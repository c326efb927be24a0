-- Owner: package internal/lease, through package store.

-- name: LeaseCreate :exec
INSERT INTO leases (singleton, generation, last_seq) VALUES (1, 0, 0);

-- name: LeaseGet :one
SELECT * FROM leases WHERE singleton = 1;

-- Compare-and-set on the generation and token that were read.
-- name: LeaseTake :execrows
UPDATE leases SET generation = generation + 1, token = @token, owner_id = @owner_id,
  owner_incarnation = @owner_incarnation, owner_host_id = @owner_host_id, owner_boot_id = @owner_boot_id,
  owner_pid = @owner_pid, owner_start_time = @owner_start_time, claimed_at_ms = @claimed_at_ms,
  expires_at_ms = @expires_at_ms
WHERE singleton = 1 AND generation = @seen_generation AND token IS sqlc.narg('seen_token');

-- A renewal, or a re-entry of the same incarnation: never to an earlier moment. What is known of the process is as told
-- last.
-- name: LeaseExtend :execrows
UPDATE leases SET expires_at_ms = max(expires_at_ms, CAST(@expires_at_ms AS INTEGER)), owner_host_id = @owner_host_id,
  owner_boot_id = @owner_boot_id, owner_pid = @owner_pid, owner_start_time = @owner_start_time
WHERE singleton = 1 AND generation = @generation AND token = @token AND owner_id = @owner_id
  AND owner_incarnation = @owner_incarnation AND expires_at_ms > @now_ms;

-- name: LeaseRelease :execrows
UPDATE leases SET token = NULL, owner_id = NULL, owner_incarnation = NULL, owner_host_id = NULL, owner_boot_id = NULL,
  owner_pid = NULL, owner_start_time = NULL, claimed_at_ms = NULL, expires_at_ms = NULL
WHERE singleton = 1 AND generation = @generation AND token = @token AND owner_id = @owner_id
  AND owner_incarnation = @owner_incarnation;

-- A place in the line. No row means that the lease's row is missing.
-- name: LeaseNextSeq :one
UPDATE leases SET last_seq = last_seq + 1 WHERE singleton = 1 RETURNING last_seq;
