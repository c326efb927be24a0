-- Owner: package store (delete.go): what is left of a deleted session before its file serves a new one. In this order
-- nothing refers to what is gone.

-- name: WipeEntries :exec
DELETE FROM entries;

-- name: WipeLeases :exec
DELETE FROM leases;

-- name: WipeHeads :exec
DELETE FROM heads;

-- name: WipeRevisions :exec
DELETE FROM revisions;

-- name: WipeBranches :exec
DELETE FROM branches;

-- name: WipeUsageDeltas :exec
DELETE FROM usage_deltas;

-- name: WipeUsageTotals :exec
DELETE FROM usage_totals;

-- name: WipeArtifacts :exec
DELETE FROM artifacts;

-- name: WipeFrames :exec
DELETE FROM frames;

-- name: WipeNodes :exec
DELETE FROM nodes;

-- name: WipeBlobs :exec
DELETE FROM blobs;

-- name: WipeSessions :exec
DELETE FROM sessions;
