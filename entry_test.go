package lashstore

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var everyState = []EntryState{EntryWaiting, EntryClaimed, EntryCompleted, EntryCancelled}

// 5.13: only what waits is taken out, and every other state answers for itself.
func TestCancellationGoesByTheState(t *testing.T) {
	t.Parallel()
	want := []CancelOutcome{Cancelled, AlreadyClaimed, AlreadyCompleted, AlreadyCancelled}
	for i, s := range everyState {
		assert.Equal(t, want[i], DecideCancel(s), s)
		assert.Equal(t, i >= 2, s.Settled(), s)
	}
}

// 5.2, 5.8: a claim holds exactly as long as the generation of the lease it was made under.
func TestClaimLivesAsLongAsItsGeneration(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_000_000)
	live := Lease{Token: "t", Generation: 3, ExpiresAt: now.Add(time.Millisecond)}
	released, expired := live, live
	released.Token = ""
	expired.ExpiresAt = now
	for name, c := range map[string]struct {
		generation int64
		stored     Lease
		want       bool
	}{
		"of the live lease":      {3, live, true},
		"of an earlier one":      {2, live, false},
		"of a later one":         {4, live, false},
		"of none":                {0, live, false},
		"of a released lease":    {3, released, false},
		"at the very expiry":     {3, expired, false},
		"where nobody had one":   {0, Lease{}, false},
		"of none under no lease": {0, Lease{Token: "t", ExpiresAt: now.Add(time.Hour)}, false},
		"of a negative one":      {-1, Lease{Token: "t", Generation: -1, ExpiresAt: now.Add(time.Hour)}, false},
	} {
		assert.Equal(t, c.want, ClaimLive(c.generation, c.stored, now), name)
	}
}

// 10.W26: a huge limit is a large one, whatever is added to it.
func TestClaimLimitIsBounded(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]int{0: 0, 1: 1, MaxClaim - 1: MaxClaim - 1, MaxClaim: MaxClaim, MaxClaim + 1: MaxClaim, math.MaxInt: MaxClaim} {
		got, err := ClaimLimit("limit", limit)
		require.NoError(t, err)
		assert.Equal(t, want, got, limit)
	}
	for _, limit := range []int{-1, math.MinInt} {
		_, err := ClaimLimit("max_work", limit)
		assertField(t, fmt.Sprint(limit), err, "max_work", false)
	}
}

func TestTargetsAreJudged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target EntryTarget
		field  string
		large  bool
	}{
		"neither":          {EntryTarget{}, "targets[1]", false},
		"both":             {EntryTarget{ID: "a", SourceKey: "b"}, "targets[1]", false},
		"id of a newline":  {ByID("a\n"), "targets[1].id", false},
		"overlong id":      {ByID(strings.Repeat("x", MaxIDLength+1)), "targets[1].id", true},
		"key of no UTF-8":  {BySourceKey("\xff"), "targets[1].source_key", false},
		"key of a control": {BySourceKey("\x7f"), "targets[1].source_key", false},
	} {
		assertField(t, name, ValidateTargets([]EntryTarget{ByID("a"), c.target}), c.field, c.large)
	}
	assert.NoError(t, ValidateTargets(nil))
	many := make([]EntryTarget, MaxCancel+1)
	for i := range many {
		many[i] = ByID("twice is fine")
	}
	assert.NoError(t, ValidateTargets(many[:MaxCancel]))
	assertField(t, "too many", ValidateTargets(many), "targets", true)
}

func TestListOptionsAreJudged(t *testing.T) {
	t.Parallel()
	var none *ListOptions
	assert.NoError(t, none.Validate())
	for _, scope := range []ListScope{ListOpen, ListPending, ListAll} {
		assert.NoError(t, (&ListOptions{Scope: scope, After: math.MaxInt64, Limit: math.MaxInt}).Validate(), scope)
	}
	assertField(t, "scope", (&ListOptions{Scope: "open"}).Validate(), "scope", false)
	assertField(t, "after", (&ListOptions{After: -1}).Validate(), "after", false)
	assertField(t, "limit", (&ListOptions{Limit: -1}).Validate(), "limit", false)
}

func TestScopesShowWhatTheySay(t *testing.T) {
	t.Parallel()
	var none *ListOptions
	for options, want := range map[*ListOptions][]bool{
		none: {true, true, false, false}, {}: {true, true, false, false},
		{Scope: ListPending}: {true, false, false, false}, {Scope: ListAll}: {true, true, true, true},
	} {
		for i, s := range everyState {
			assert.Equal(t, want[i], options.Shows(s), "%v of %s", options, s)
		}
	}
}

// 10.W15: what is settled is named one by one, and none twice.
func TestCompletionsAreJudged(t *testing.T) {
	t.Parallel()
	ids := make([]string, MaxClaim+1)
	for i := range ids {
		ids[i] = fmt.Sprint("b", i)
	}
	for name, c := range map[string]struct {
		done  Completion
		field string
		large bool
	}{
		"no claim":     {Completion{"", "t", ids[:1]}, "claim_id", false},
		"no token":     {Completion{"c", "", ids[:1]}, "token", false},
		"odd token":    {Completion{"c", "a\n", ids[:1]}, "token", false},
		"no ids":       {Completion{"c", "t", nil}, "ids", false},
		"an empty id":  {Completion{"c", "t", []string{"a", ""}}, "ids[1]", false},
		"one id twice": {Completion{"c", "t", []string{"a", "b", "a"}}, "ids[2]", false},
		"too many":     {Completion{"c", "t", ids}, "ids", true},
	} {
		work, input := laneCommit(), laneCommit()
		work.CompletedWork = append(work.CompletedWork, c.done)
		input.CompletedInputs = append(input.CompletedInputs, c.done)
		assertField(t, name, work.Validate(), "completed_work[1]."+c.field, c.large)
		assertField(t, name, input.Validate(), "completed_inputs[1]."+c.field, c.large)
	}
	most := laneCommit()
	most.CompletedWork[0].IDs = ids[:MaxClaim]
	assert.NoError(t, most.Validate())
}

// laneCommit is a commit with all that concerns the line.
func laneCommit() *Commit {
	return &Commit{
		SessionID: "s", Expect: At(4), Turn: &TurnStamp{TurnID: "t"}, Lease: &Fence{SessionID: "s", Token: "k", Generation: 2},
		CompletedWork:   []Completion{{"c1", "k1", []string{"b1", "b2"}}},
		CompletedInputs: []Completion{{"c2", "k2", []string{"i1"}}},
		DeferInputsOf:   "t",
		Outbox:          []WorkDraft{workDraft(), {SourceKey: "k", Class: ClassCommand, Items: workDraft().Items}},
	}
}

func TestLaneOfACommitIsJudged(t *testing.T) {
	t.Parallel()
	require.NoError(t, laneCommit().Validate())
	for name, c := range map[string]struct {
		change func(c *Commit)
		field  string
		large  bool
	}{
		"work without lease":   {func(c *Commit) { c.Lease, c.WithoutLease, c.CompletedInputs = nil, true, nil }, "completed_work", false},
		"inputs without lease": {func(c *Commit) { c.Lease, c.WithoutLease, c.CompletedWork = nil, true, nil }, "completed_inputs", false},
		"too many claims":      {func(c *Commit) { c.CompletedWork = make([]Completion, MaxCommitClaims+1) }, "completed_work", true},
		"too much outbox":      {func(c *Commit) { c.Outbox = make([]WorkDraft, MaxCommitOutbox+1) }, "outbox", true},
		"a bad draft":          {func(c *Commit) { c.Outbox[1].Items = nil }, "outbox[1].items", false},
		"an odd turn":          {func(c *Commit) { c.DeferInputsOf = "a\n" }, "defer_inputs_of", false},
	} {
		commit := laneCommit()
		c.change(commit)
		assertField(t, name, commit.Validate(), c.field, c.large)
	}
	single := laneCommit()
	single.Lease, single.WithoutLease, single.CompletedWork, single.CompletedInputs = nil, true, nil, nil
	assert.NoError(t, single.Validate(), "a single writer has an outbox")
}

func TestClaimsByIDAreJudged(t *testing.T) {
	t.Parallel()
	assert.NoError(t, ValidateClaimIDs(nil))
	assert.NoError(t, ValidateClaimIDs([]string{"b", "a"}))
	assertField(t, "twice", ValidateClaimIDs([]string{"a", "a"}), "ids[1]", false)
	assertField(t, "empty", ValidateClaimIDs([]string{""}), "ids[0]", false)
	assertField(t, "too many", ValidateClaimIDs(make([]string, MaxClaim+1)), "ids", true)
}

func TestErrorsOfTheLineNameWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		`source key "k" is taken by "b1" with other content`: &EntryConflictError{SessionID: "s", SourceKey: "k", ExistingID: "b1"},
		`id "i1" is taken by other content`:                  &EntryConflictError{SessionID: "s", ExistingID: "i1"},
		`no batch or input key=k`:                            &EntryNotFoundError{BySourceKey("k")},
		`no batch or input i1`:                               &EntryNotFoundError{ByID("i1")},
		`claim "c" does not hold "b1" (any more)`:            &ClaimSupersededError{SessionID: "s", ClaimID: "c", EntryID: "b1"},
	} {
		assert.EqualError(t, err, want)
	}
	assert.ErrorIs(t, &EntryConflictError{}, ErrEntryConflict)
	assert.ErrorIs(t, &EntryNotFoundError{}, ErrEntryNotFound)
	assert.ErrorIs(t, &ClaimSupersededError{}, ErrClaimSuperseded)
}

func ExampleEntryTarget() {
	fmt.Println(ByID("b1"), BySourceKey("command:reset:1"))
	fmt.Println(EntryTarget{}.Validate("targets[0]"))
	// Output:
	// b1 key=command:reset:1
	// invalid targets[0]: needs either an id or a source key
}

func ExampleDecideCancel() {
	fmt.Println(DecideCancel(EntryWaiting), DecideCancel(EntryClaimed))
	// Output: cancelled already_claimed
}

func ExampleListOptions() {
	pending := &ListOptions{Scope: ListPending}
	fmt.Println(pending.Shows(EntryWaiting), pending.Shows(EntryClaimed))
	// Output: true false
}
