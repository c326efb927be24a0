package lashstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// TokenUsage counts tokens. Reasoning tokens are part of the output tokens.
type TokenUsage struct {
	Input           int64 `json:"input_tokens"`
	Output          int64 `json:"output_tokens"`
	CacheRead       int64 `json:"cache_read_input_tokens"`
	CacheWrite      int64 `json:"cache_write_input_tokens"`
	ReasoningOutput int64 `json:"reasoning_output_tokens"`
}

// Total is input, output and both cache counters. Reasoning is inside the output already.
func (u TokenUsage) Total() int64 { return u.Input + u.Output + u.CacheRead + u.CacheWrite }

// Add returns the sum.
func (u TokenUsage) Add(v TokenUsage) TokenUsage {
	return TokenUsage{u.Input + v.Input, u.Output + v.Output, u.CacheRead + v.CacheRead,
		u.CacheWrite + v.CacheWrite, u.ReasoningOutput + v.ReasoningOutput}
}

// Sub returns the difference.
func (u TokenUsage) Sub(v TokenUsage) TokenUsage {
	return TokenUsage{u.Input - v.Input, u.Output - v.Output, u.CacheRead - v.CacheRead,
		u.CacheWrite - v.CacheWrite, u.ReasoningOutput - v.ReasoningOutput}
}

func (u TokenUsage) counters() [5]int64 {
	return [5]int64{u.Input, u.Output, u.CacheRead, u.CacheWrite, u.ReasoningOutput}
}

// MaxUsageDelta is the most tokens one counter of one delta may have.
const MaxUsageDelta = 1 << 40

// UsageDelta is what one source spent with one model; in a commit, and as it is kept per turn.
type UsageDelta struct {
	Source string // label such as "turn", "subagent", "compaction". Required.
	Model  string // model id. Required.
	Usage  TokenUsage
}

func (d UsageDelta) validate(field string) error {
	if err := ValidateID(field+".source", d.Source); err != nil {
		return err
	}
	if err := ValidateID(field+".model", d.Model); err != nil {
		return err
	}
	for _, n := range d.Usage.counters() {
		if n < 0 {
			return &InvalidError{Field: field, Reason: "negative token count"}
		}
		if n > MaxUsageDelta {
			return &TooLargeError{Field: field, Size: n, Max: MaxUsageDelta}
		}
	}
	return nil
}

// UsageTotal is the sum of all deltas of one source and model.
type UsageTotal struct {
	Source string
	Model  string
	Usage  TokenUsage
}

// TurnUsage is one stored delta.
type TurnUsage struct {
	UsageDelta
	Revision Revision
	TurnID   string // "" when the commit had no turn stamp
	At       time.Time
}

// UsageReader reads what was spent. Totals are kept by the commits; reading them costs no more in a long session.
type UsageReader interface {
	// Usage returns the totals in the order in which each source and model first appeared.
	Usage(ctx context.Context) ([]UsageTotal, error)
	// UsageByTurn returns the deltas of the revisions after the one given, oldest first, at most limit of them
	// (limit <= 0: all). Old deltas may have been vacuumed; the totals still hold them.
	UsageByTurn(ctx context.Context, after Revision, limit int) ([]TurnUsage, error)
}

// UsageReport adds totals up.
type UsageReport struct {
	BySource map[string]TokenUsage
	ByModel  map[string]TokenUsage
	ByPair   []UsageTotal // sorted by source, then model
	Total    TokenUsage
}

// ReportUsage makes a report of totals. Pairs that occur more than once are merged.
func ReportUsage(totals []UsageTotal) UsageReport {
	report := UsageReport{BySource: map[string]TokenUsage{}, ByModel: map[string]TokenUsage{}}
	pairs := map[usagePair]TokenUsage{}
	for _, t := range totals {
		report.BySource[t.Source] = report.BySource[t.Source].Add(t.Usage)
		report.ByModel[t.Model] = report.ByModel[t.Model].Add(t.Usage)
		pair := usagePair{t.Source, t.Model}
		pairs[pair] = pairs[pair].Add(t.Usage)
		report.Total = report.Total.Add(t.Usage)
	}
	report.ByPair = sortedPairs(pairs)
	return report
}

// DiffUsage returns what was spent between two readings, by source and model, sorted; pairs without difference are
// left out. A counter that is lower afterwards is ErrUsageDecreased, naming the pair.
func DiffUsage(before, after []UsageTotal) ([]UsageTotal, error) {
	pairs := map[usagePair]TokenUsage{}
	for _, t := range after {
		pair := usagePair{t.Source, t.Model}
		pairs[pair] = pairs[pair].Add(t.Usage)
	}
	for _, t := range before {
		pair := usagePair{t.Source, t.Model}
		pairs[pair] = pairs[pair].Sub(t.Usage)
	}
	diff := sortedPairs(pairs)
	for _, t := range diff {
		for _, n := range t.Usage.counters() {
			if n < 0 {
				return nil, fmt.Errorf("%w: source %q, model %q", ErrUsageDecreased, t.Source, t.Model)
			}
		}
	}
	return slices.DeleteFunc(diff, func(t UsageTotal) bool { return t.Usage == TokenUsage{} }), nil
}

type usagePair struct{ source, model string }

func sortedPairs(pairs map[usagePair]TokenUsage) []UsageTotal {
	list := make([]UsageTotal, 0, len(pairs))
	for pair, usage := range pairs {
		list = append(list, UsageTotal{Source: pair.source, Model: pair.model, Usage: usage})
	}
	slices.SortFunc(list, func(a, b UsageTotal) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Model, b.Model))
	})
	return list
}
