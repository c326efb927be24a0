-- Owner: package store (usage.go, vacuum.go).

-- name: UsageRecord :exec
INSERT INTO usage_deltas (revision, ordinal, turn_id, source, model, input, output, cache_read, cache_write,
  reasoning_output, recorded_at_ms)
VALUES (@revision, @ordinal, @turn_id, @source, @model, @input, @output, @cache_read, @cache_write,
  @reasoning_output, @recorded_at_ms);

-- name: UsageAdd :exec
INSERT INTO usage_totals (source, model, ordinal, input, output, cache_read, cache_write, reasoning_output)
VALUES (@source, @model, (SELECT COALESCE(max(t.ordinal), 0) + 1 FROM usage_totals AS t), @input, @output, @cache_read,
  @cache_write, @reasoning_output)
ON CONFLICT (source, model) DO UPDATE SET
  input = usage_totals.input + excluded.input, output = usage_totals.output + excluded.output,
  cache_read = usage_totals.cache_read + excluded.cache_read,
  cache_write = usage_totals.cache_write + excluded.cache_write,
  reasoning_output = usage_totals.reasoning_output + excluded.reasoning_output;

-- name: UsageTotals :many
SELECT * FROM usage_totals ORDER BY ordinal;

-- name: UsageDeltas :many
SELECT * FROM usage_deltas WHERE revision > @after_revision ORDER BY revision, ordinal LIMIT @max_rows;

-- As with receipts. The deltas of one revision stay together: there are not many.
-- name: UsageBatchEnd :one
SELECT u.revision FROM usage_deltas AS u WHERE u.revision > @after_revision
ORDER BY u.revision LIMIT 1 OFFSET @rows_before;

-- name: UsageVacuum :execrows
DELETE FROM usage_deltas WHERE usage_deltas.revision > @after_revision AND usage_deltas.revision <= @last_revision
AND usage_deltas.recorded_at_ms < @before_ms;

-- Totals that are lower than the deltas that are still there.
-- name: UsageShort :many
SELECT u.source, u.model FROM usage_deltas AS u
LEFT JOIN usage_totals AS t ON t.source = u.source AND t.model = u.model
GROUP BY u.source, u.model
HAVING t.source IS NULL OR SUM(u.input) > t.input OR SUM(u.output) > t.output OR SUM(u.cache_read) > t.cache_read
  OR SUM(u.cache_write) > t.cache_write OR SUM(u.reasoning_output) > t.reasoning_output;
