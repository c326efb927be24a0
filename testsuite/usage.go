package testsuite

import (
	"fmt"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func usageCases() []Case {
	return []Case{
		{"Usage/TotalsBySourceAndModel", "8.A.5, 1.6", usageTotalsBySourceAndModel},
		{"Usage/ReasoningAloneIsKept", "10.W54", usageReasoningAloneIsKept},
		{"Usage/DeltasByTurn", "UsageReader.UsageByTurn", usageDeltasByTurn},
		{"Usage/ReportsAndDifferences", "8.G.148", usageReportsAndDifferences},
		{"Usage/LargestDeltasAddUp", "MaxUsageDelta", usageLargestDeltasAddUp},
	}
}

func delta(source, model string, usage lashstore.TokenUsage) lashstore.UsageDelta {
	return lashstore.UsageDelta{Source: source, Model: model, Usage: usage}
}

// spend commits usage alone.
func (f *fixture) spend(turnID string, deltas ...lashstore.UsageDelta) {
	f.t.Helper()
	c := lashstore.Commit{Usage: deltas}
	if turnID != "" {
		c.Turn = &lashstore.TurnStamp{TurnID: turnID}
	}
	f.commit(c)
}

func (f *fixture) totals() []lashstore.UsageTotal {
	f.t.Helper()
	totals, err := f.Usage(f.ctx)
	f.ok("usage", err)
	equal(f.t, "totals of a load", f.load(nil).Usage, totals)
	return totals
}

// In the order in which each pair first appeared; pairs that share one half stay apart.
func usageTotalsBySourceAndModel(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.spend("", delta("turn", "z", lashstore.TokenUsage{Input: 1, Output: 2, CacheRead: 3, CacheWrite: 4, ReasoningOutput: 5}))
	f.spend("", delta("turn", "a", lashstore.TokenUsage{Input: 10}), delta("compaction", "z", lashstore.TokenUsage{Output: 20}),
		delta("turn", "z", lashstore.TokenUsage{Input: 100, Output: 200, CacheRead: 300, CacheWrite: 400, ReasoningOutput: 500}))
	f.spend("", delta("turn", "a", lashstore.TokenUsage{CacheRead: 1}))
	equal(t, "totals", f.totals(), []lashstore.UsageTotal{
		{Source: "turn", Model: "z", Usage: lashstore.TokenUsage{Input: 101, Output: 202, CacheRead: 303, CacheWrite: 404, ReasoningOutput: 505}},
		{Source: "turn", Model: "a", Usage: lashstore.TokenUsage{Input: 10, CacheRead: 1}},
		{Source: "compaction", Model: "z", Usage: lashstore.TokenUsage{Output: 20}},
	})
	equal(t, "tokens, without reasoning: that is inside the output", f.load(nil).Summary.Tokens, 1010+11+20)
}

func usageReasoningAloneIsKept(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	spent := lashstore.TokenUsage{ReasoningOutput: 9}
	f.spend("t", delta("turn", "m", spent))
	equal(t, "totals", f.totals(), []lashstore.UsageTotal{{Source: "turn", Model: "m", Usage: spent}})
	deltas, err := f.UsageByTurn(f.ctx, 0, 0)
	f.ok("usage by turn", err)
	equal(t, "deltas", len(deltas), 1)
}

func usageDeltasByTurn(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	var want []lashstore.TurnUsage
	for i := range 4 {
		f.clock.Advance(time.Minute)
		turnID := fmt.Sprint("turn ", i)
		if i == 2 {
			turnID = ""
		}
		spent := []lashstore.UsageDelta{delta("b", "m", lashstore.TokenUsage{Input: int64(i)}), delta("a", "m", lashstore.TokenUsage{Output: 1})}
		f.spend(turnID, spent...)
		for _, d := range spent {
			want = append(want, lashstore.TurnUsage{UsageDelta: d, Revision: lashstore.Revision(i + 1), TurnID: turnID, At: f.clock.Now()})
		}
	}
	for _, c := range []struct {
		after       lashstore.Revision
		limit       int
		first, last int
	}{{0, 0, 0, 8}, {0, -1, 0, 8}, {1, 0, 2, 8}, {1, 3, 2, 5}, {3, 100, 6, 8}, {4, 0, 8, 8}, {99, 1, 8, 8}} {
		got, err := f.UsageByTurn(f.ctx, c.after, c.limit)
		f.ok("usage by turn", err)
		what := fmt.Sprintf("deltas after %d, at most %d", c.after, c.limit)
		equal(t, what, len(got), c.last-c.first)
		for i, w := range want[c.first:c.last] {
			sameTime(t, what, got[i].At, w.At)
			got[i].At = w.At
			equal(t, what, got[i], w)
		}
	}
}

func usageReportsAndDifferences(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.spend("", delta("turn", "m", lashstore.TokenUsage{Input: 10}), delta("subagent", "m", lashstore.TokenUsage{Output: 1}))
	before := f.totals()
	f.spend("", delta("turn", "n", lashstore.TokenUsage{Input: 5}), delta("turn", "m", lashstore.TokenUsage{CacheRead: 2}))
	after := f.totals()
	report := lashstore.ReportUsage(after)
	equal(t, "by source", report.BySource, map[string]lashstore.TokenUsage{"turn": {Input: 15, CacheRead: 2}, "subagent": {Output: 1}})
	equal(t, "by model", report.ByModel, map[string]lashstore.TokenUsage{"m": {Input: 10, Output: 1, CacheRead: 2}, "n": {Input: 5}})
	equal(t, "total", report.Total, lashstore.TokenUsage{Input: 15, Output: 1, CacheRead: 2})
	diff, err := lashstore.DiffUsage(before, after)
	f.ok("difference", err)
	equal(t, "difference", diff, []lashstore.UsageTotal{
		{Source: "turn", Model: "m", Usage: lashstore.TokenUsage{CacheRead: 2}},
		{Source: "turn", Model: "n", Usage: lashstore.TokenUsage{Input: 5}},
	})
	_, err = lashstore.DiffUsage(after, before)
	is(t, "difference backwards", err, lashstore.ErrUsageDecreased)
}

func usageLargestDeltasAddUp(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	const most = lashstore.MaxUsageDelta
	for range 3 {
		f.spend("", delta("turn", "m", lashstore.TokenUsage{Input: most, Output: most, CacheRead: most, CacheWrite: most, ReasoningOutput: most}))
	}
	equal(t, "input", f.totals()[0].Usage.Input, 3*most)
	equal(t, "tokens", f.load(nil).Summary.Tokens, 12*most)
}
