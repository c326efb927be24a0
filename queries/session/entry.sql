-- Owner: package store (entry.go, work.go, input.go, claim.go, ready.go).

-- name: EntryCreate :exec
INSERT INTO entries (seq, family, state, turn_id, boundary, class, delivery, slot, merge_key, entry_id, source_key,
  content_hash, attempts, not_before_ms, enqueued_at_ms, content)
VALUES (@seq, @family, @state, @turn_id, @boundary, @class, @delivery, @slot, @merge_key, @entry_id, @source_key,
  @content_hash, 0, @not_before_ms, @enqueued_at_ms, @content);

-- name: EntryGet :one
SELECT * FROM entries WHERE family = @family AND entry_id = @entry_id;

-- name: EntryGetByKey :one
SELECT * FROM entries WHERE family = @family AND source_key = @source_key;

-- @settled is 1 to list what has left the line too. By the line itself and no index: contents are not to be sorted.
-- name: EntryList :many
SELECT * FROM entries
WHERE +family = @family AND seq > @after_seq AND (settled_at_ms IS NULL OR CAST(@settled AS INTEGER) = 1)
ORDER BY seq LIMIT @max_rows;

-- The next entry that may be claimed: work, or input for the next turn (no @turn_id) or a running one. One seek in the
-- index: a claim reads what it takes and one more.
-- name: EntryNextReady :one
SELECT e.seq, e.boundary, e.class, e.delivery, e.slot, e.merge_key FROM entries AS e
WHERE e.state = 'ready' AND e.family = @family AND e.turn_id IS sqlc.narg('turn_id') AND e.seq > @after_seq
ORDER BY e.seq LIMIT 1;

-- Those that are hidden and need not be any more, oldest time first; a claim that finds many comes back for the rest.
-- name: EntryPromote :execrows
UPDATE entries SET state = 'ready' WHERE entries.seq IN (
  SELECT e.seq FROM entries AS e WHERE e.state = 'later' AND e.not_before_ms <= @now_ms
  ORDER BY e.not_before_ms LIMIT @max_rows);

-- Claims what was selected in the same transaction. Fewer rows than @seqs means that it was not.
-- name: EntryClaim :many
UPDATE entries SET state = 'claimed', attempts = attempts + 1, claim_id = @claim_id, claim_token = @claim_token,
  claim_generation = @claim_generation
WHERE entries.state = 'ready' AND entries.seq IN (SELECT CAST(j.value AS INTEGER) FROM json_each(CAST(@seqs AS TEXT)) AS j)
RETURNING *;

-- Settles one entry that a claim holds under the lease as it is now: no row means that it does not.
-- name: EntryComplete :execrows
UPDATE entries SET state = 'completed', settled_at_ms = @settled_at_ms, claim_id = NULL, claim_token = NULL,
  claim_generation = NULL, content = CASE WHEN family = 'input' THEN content END
WHERE entry_id = @entry_id AND family = @family AND state = 'claimed' AND claim_id = @claim_id
  AND claim_token = @claim_token AND claim_generation = @claim_generation;

-- A claim that is still live is not asked for: the caller has looked, in the same transaction.
-- name: EntryCancel :execrows
UPDATE entries SET state = 'cancelled', settled_at_ms = @settled_at_ms, claim_id = NULL, claim_token = NULL,
  claim_generation = NULL, content = CASE WHEN family = 'input' THEN content END
WHERE seq = @seq AND settled_at_ms IS NULL;

-- Settled work that no key is remembered for leaves nothing.
-- name: EntryDropSettled :execrows
DELETE FROM entries WHERE seq = @seq AND family = 'work' AND settled_at_ms IS NOT NULL AND source_key IS NULL;

-- name: EntryDropCompleted :execrows
DELETE FROM entries WHERE entry_id = @entry_id AND family = 'work' AND settled_at_ms IS NOT NULL AND source_key IS NULL;

-- name: EntryAbandon :execrows
UPDATE entries SET state = 'ready', claim_id = NULL, claim_token = NULL, claim_generation = NULL
WHERE state = 'claimed' AND family = @family AND claim_id = @claim_id AND claim_token = @claim_token;

-- A new generation of the lease begins: whatever is claimed was claimed by one that has ended.
-- name: EntryFreeClaims :execrows
UPDATE entries SET state = 'ready', claim_id = NULL, claim_token = NULL, claim_generation = NULL WHERE state = 'claimed';

-- Waiting input of one running turn goes to the next turn. What is claimed does not wait.
-- name: EntryDefer :execrows
UPDATE entries SET turn_id = NULL, boundary = NULL
WHERE state = 'ready' AND family = 'input' AND turn_id = @turn_id;

-- The same for every turn but one; NULL keeps none.
-- name: EntryDeferOthers :execrows
UPDATE entries SET turn_id = NULL, boundary = NULL
WHERE state = 'ready' AND family = 'input' AND turn_id IS NOT NULL AND turn_id IS NOT sqlc.narg('keep_turn_id');

-- What is claimed, in the order of the line, for readers that must judge whether the claims still hold.
-- name: EntryFirstClaimed :one
SELECT e.seq, e.class, e.delivery, e.slot, e.merge_key FROM entries AS e
WHERE e.state = 'claimed' AND e.family = @family ORDER BY e.seq LIMIT 1;

-- name: EntryClaimedInputs :many
SELECT e.turn_id, e.boundary FROM entries AS e WHERE e.state = 'claimed' AND e.family = 'input' ORDER BY e.seq;

-- The head of what was hidden and need not be any more: it counts as ready before anybody has made it so.
-- name: EntryFirstDue :one
SELECT e.seq, e.class, e.delivery, e.slot, e.merge_key FROM entries AS e
WHERE e.state = 'later' AND e.not_before_ms <= @now_ms ORDER BY e.seq LIMIT 1;

-- The first moment at which something hidden may be claimed.
-- name: EntryNextDue :one
SELECT e.not_before_ms FROM entries AS e WHERE e.state = 'later' ORDER BY e.not_before_ms LIMIT 1;

-- name: EntryVacuum :execrows
DELETE FROM entries WHERE entries.seq IN (
  SELECT e.seq FROM entries AS e WHERE e.family = @family AND e.settled_at_ms < @before_ms
  ORDER BY e.settled_at_ms LIMIT @max_rows);
