package lashstore

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everyTraits are all that a batch in the line can look like, with two merge keys and none.
func everyTraits() []WorkTraits {
	list := []WorkTraits{
		{ClassCommand, DeliverAfterTurn, SlotExclusive, ""},
		{ClassTurn, DeliverEarliest, SlotExclusive, ""},
		{ClassTurn, DeliverAfterTurn, SlotExclusive, ""},
	}
	for _, delivery := range []WorkDelivery{DeliverEarliest, DeliverAfterTurn} {
		for _, key := range []string{"", "a", "b"} {
			list = append(list, WorkTraits{ClassTurn, delivery, SlotJoin, key})
		}
	}
	return list
}

// mayTake states the rule of claiming for a whole prefix at once, without walking the line.
func mayTake(want WorkClass, boundary WorkBoundary, limit int, prefix []WorkTraits) bool {
	all := func(holds func(t WorkTraits) bool) bool {
		return !slices.ContainsFunc(prefix, func(t WorkTraits) bool { return !holds(t) })
	}
	if len(prefix) > max(limit, 0) || !all(func(t WorkTraits) bool { return t.Class == want }) {
		return false
	}
	if boundary == BoundaryCheckpoint && !all(func(t WorkTraits) bool { return t.Delivery == DeliverEarliest }) {
		return false
	}
	return len(prefix) < 2 || all(func(t WorkTraits) bool {
		return t.Slot == SlotJoin && t.MergeKey != "" && t.MergeKey == prefix[0].MergeKey && t.Delivery == prefix[0].Delivery
	})
}

// longest is the longest prefix of line that one claim may take.
func longest(want WorkClass, boundary WorkBoundary, limit int, line []WorkTraits) int {
	for n := len(line); n > 0; n-- {
		if mayTake(want, boundary, limit, line[:n]) {
			return n
		}
	}
	return 0
}

// counted yields line and counts what was read of it.
func counted(line []WorkTraits, read *int) iter.Seq[WorkTraits] {
	return func(yield func(WorkTraits) bool) {
		for _, t := range line {
			*read++
			if !yield(t) {
				return
			}
		}
	}
}

// checkSelection compares SelectWork with the rule, and what it read of the line with what it may.
func checkSelection(t testing.TB, want WorkClass, boundary WorkBoundary, limit int, line []WorkTraits) {
	read := 0
	taken := SelectWork(want, boundary, limit, counted(line, &read))
	if taken != longest(want, boundary, limit, line) || read > taken+1 {
		t.Fatalf("%s at %s, limit %d: took %d (read %d), want %d of %v", want, boundary, limit, taken, read,
			longest(want, boundary, limit, line), line)
	}
}

// 8.G.120 to 126, 10.W24, 10.W26: every line of up to four batches, by every class, boundary and limit.
func TestSelectWorkTakesTheLongestPrefixThatTheRuleAllows(t *testing.T) {
	t.Parallel()
	every := everyTraits()
	var walk func(line []WorkTraits)
	walk = func(line []WorkTraits) {
		for _, want := range []WorkClass{ClassTurn, ClassCommand} {
			for _, boundary := range []WorkBoundary{BoundaryIdle, BoundaryCheckpoint} {
				for _, limit := range []int{-1, 0, 1, 2, 3, 4, int(^uint(0) >> 1)} {
					checkSelection(t, want, boundary, limit, line)
				}
			}
		}
		if len(line) == 4 {
			return
		}
		for _, t := range every {
			walk(append(slices.Clip(line), t))
		}
	}
	walk(nil)
}

// Named, what the rule comes to where it is easily got wrong.
func TestSelectWorkByExample(t *testing.T) {
	t.Parallel()
	command := WorkTraits{ClassCommand, DeliverAfterTurn, SlotExclusive, ""}
	alone := WorkTraits{ClassTurn, DeliverEarliest, SlotExclusive, ""}
	late := WorkTraits{ClassTurn, DeliverAfterTurn, SlotExclusive, ""}
	joinA := WorkTraits{ClassTurn, DeliverEarliest, SlotJoin, "a"}
	lateA := WorkTraits{ClassTurn, DeliverAfterTurn, SlotJoin, "a"}
	joinB := WorkTraits{ClassTurn, DeliverEarliest, SlotJoin, "b"}
	never := WorkTraits{ClassTurn, DeliverEarliest, SlotJoin, ""}
	for name, c := range map[string]struct {
		want     WorkClass
		boundary WorkBoundary
		limit    int
		line     []WorkTraits
		taken    int
	}{
		"an empty line":                      {ClassTurn, BoundaryIdle, 9, nil, 0},
		"no limit is none":                   {ClassTurn, BoundaryIdle, 0, []WorkTraits{alone}, 0},
		"an exclusive one is alone":          {ClassTurn, BoundaryIdle, 9, []WorkTraits{alone, alone}, 1},
		"an exclusive one joins nobody":      {ClassTurn, BoundaryIdle, 9, []WorkTraits{joinA, alone, joinA}, 1},
		"neighbours join":                    {ClassTurn, BoundaryIdle, 9, []WorkTraits{joinA, joinA, joinA}, 3},
		"up to the limit":                    {ClassTurn, BoundaryIdle, 2, []WorkTraits{joinA, joinA, joinA}, 2},
		"another key ends it":                {ClassTurn, BoundaryIdle, 9, []WorkTraits{joinA, joinB, joinA}, 1},
		"another delivery ends it":           {ClassTurn, BoundaryIdle, 9, []WorkTraits{joinA, lateA, joinA}, 1},
		"no key joins nobody":                {ClassTurn, BoundaryIdle, 9, []WorkTraits{never, never}, 1},
		"a command stops turn work":          {ClassTurn, BoundaryIdle, 9, []WorkTraits{command, alone}, 0},
		"turn work stops a command":          {ClassCommand, BoundaryIdle, 1, []WorkTraits{alone, command}, 0},
		"a command comes alone":              {ClassCommand, BoundaryIdle, 9, []WorkTraits{command, command}, 1},
		"a command ends joining":             {ClassTurn, BoundaryIdle, 9, []WorkTraits{joinA, command, joinA}, 1},
		"a checkpoint takes the earliest":    {ClassTurn, BoundaryCheckpoint, 9, []WorkTraits{joinA, joinA}, 2},
		"what must wait stops a checkpoint":  {ClassTurn, BoundaryCheckpoint, 9, []WorkTraits{late, alone}, 0},
		"what must wait comes when idle":     {ClassTurn, BoundaryIdle, 9, []WorkTraits{lateA, lateA, joinA}, 2},
		"a command is none for a checkpoint": {ClassCommand, BoundaryCheckpoint, 1, []WorkTraits{command}, 0},
	} {
		assert.Equal(t, c.taken, SelectWork(c.want, c.boundary, c.limit, slices.Values(c.line)), name)
	}
}

// Whatever stands in the line, the rule takes what its statement allows, and reads at most one batch more.
func FuzzSelectWork(f *testing.F) {
	f.Add([]byte{3, 3, 4}, 2, false, false)
	f.Add([]byte{0, 1, 2}, 1, true, true)
	f.Add([]byte{}, 0, false, true)
	f.Fuzz(func(t *testing.T, line []byte, limit int, command, checkpoint bool) {
		if len(line) > 200 {
			return
		}
		every := everyTraits()
		traits := make([]WorkTraits, len(line))
		for i, b := range line {
			traits[i] = every[int(b)%len(every)]
		}
		want, boundary := ClassTurn, BoundaryIdle
		if command {
			want = ClassCommand
		}
		if checkpoint {
			boundary = BoundaryCheckpoint
		}
		checkSelection(t, want, boundary, limit, traits)
	})
}

func workDraft() WorkDraft {
	return WorkDraft{Class: ClassTurn, Items: []WorkItem{{Kind: "process_wake", Payload: json.RawMessage(`{"n":1}`)}}}
}

// 10.W18: nothing comes into the line that could stop it later.
func TestWorkDraftsAreJudged(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxIDLength+1)
	for name, c := range map[string]struct {
		change func(d *WorkDraft)
		field  string
		large  bool
	}{
		"session of a newline":          {func(d *WorkDraft) { d.SessionID = "a\n" }, "session_id", false},
		"key of no UTF-8":               {func(d *WorkDraft) { d.SourceKey = "\xff" }, "source_key", false},
		"overlong key":                  {func(d *WorkDraft) { d.SourceKey = long }, "source_key", true},
		"merge key of NUL":              {func(d *WorkDraft) { d.Slot, d.MergeKey = SlotJoin, "\x00" }, "merge_key", false},
		"exclusive with a merge key":    {func(d *WorkDraft) { d.MergeKey = "a" }, "merge_key", false},
		"no class":                      {func(d *WorkDraft) { d.Class = "" }, "class", false},
		"unknown class":                 {func(d *WorkDraft) { d.Class = "work" }, "class", false},
		"unknown delivery":              {func(d *WorkDraft) { d.Delivery = "now" }, "delivery", false},
		"unknown slot":                  {func(d *WorkDraft) { d.Slot = "shared" }, "slot", false},
		"a command into a turn":         {func(d *WorkDraft) { d.Class, d.Delivery = ClassCommand, DeliverEarliest }, "delivery", false},
		"a command that joins":          {func(d *WorkDraft) { d.Class, d.Slot = ClassCommand, SlotJoin }, "slot", false},
		"before 1970":                   {func(d *WorkDraft) { d.NotBefore = time.UnixMilli(-1) }, "not_before", false},
		"after 9999":                    {func(d *WorkDraft) { d.NotBefore = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }, "not_before", false},
		"no items":                      {func(d *WorkDraft) { d.Items = nil }, "items", false},
		"too many items":                {func(d *WorkDraft) { d.Items = slices.Repeat(d.Items, MaxWorkItems+1) }, "items", true},
		"a kind of capitals":            {func(d *WorkDraft) { d.Items[0].Kind = "Wake" }, "items[0].kind", false},
		"no kind":                       {func(d *WorkDraft) { d.Items[0].Kind = "" }, "items[0].kind", false},
		"no payload":                    {func(d *WorkDraft) { d.Items[0].Payload = nil }, "items[0].payload", false},
		"payload no JSON":               {func(d *WorkDraft) { d.Items = append(d.Items, WorkItem{"wake", json.RawMessage(`{`)}) }, "items[1].payload", false},
		"two JSON values":               {func(d *WorkDraft) { d.Items[0].Payload = json.RawMessage(`1 2`) }, "items[0].payload", false},
		"items too large all in all":    {func(d *WorkDraft) { d.Items = slices.Repeat(jsonItems(MaxValueSize/2+1), 2) }, "items", true},
		"one payload that is too large": {func(d *WorkDraft) { d.Items = jsonItems(MaxValueSize + 1) }, "items[0].payload", true},
	} {
		for _, within := range []string{"", "outbox[3]"} {
			d := workDraft()
			c.change(&d)
			want := strings.TrimPrefix(within+"."+c.field, ".")
			assertField(t, name, d.Validate(within), want, c.large)
		}
	}
}

// jsonItems is one item of a JSON text of that size.
func jsonItems(size int) []WorkItem {
	return []WorkItem{{Kind: "wake", Payload: json.RawMessage(`"` + strings.Repeat("x", size-2) + `"`)}}
}

// assertField wants an error of the right kind for field.
func assertField(t *testing.T, name string, err error, field string, large bool) {
	t.Helper()
	var invalid *InvalidError
	var tooLarge *TooLargeError
	switch {
	case large && assert.ErrorAs(t, err, &tooLarge, name):
		assert.Equal(t, field, tooLarge.Field, name)
	case !large && assert.ErrorAs(t, err, &invalid, name):
		assert.Equal(t, field, invalid.Field, name)
	}
}

func TestWorkDraftsAtTheLimitsPass(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(d *WorkDraft){
		"nothing but class and an item": func(*WorkDraft) {},
		"a key of odd text":             func(d *WorkDraft) { d.SourceKey = "../'; DROP TABLE entries; --" },
		"as many items as may be":       func(d *WorkDraft) { d.Items = slices.Repeat(d.Items, MaxWorkItems) },
		"as large as may be":            func(d *WorkDraft) { d.Items = jsonItems(MaxValueSize) },
		"joins by a key":                func(d *WorkDraft) { d.Slot, d.MergeKey = SlotJoin, "k" },
		"joins by none":                 func(d *WorkDraft) { d.Slot = SlotJoin },
		"a command":                     func(d *WorkDraft) { d.Class = ClassCommand },
		"a command, all said": func(d *WorkDraft) {
			d.Class, d.Delivery, d.Slot = ClassCommand, DeliverAfterTurn, SlotExclusive
		},
		"long hidden": func(d *WorkDraft) { d.NotBefore = time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC) },
	} {
		d := workDraft()
		change(&d)
		assert.NoError(t, d.Validate(""), name)
	}
}

func TestWorkDefaultsGoByTheClass(t *testing.T) {
	t.Parallel()
	assert.Equal(t, WorkTraits{ClassTurn, DeliverEarliest, SlotExclusive, ""}, WorkDraft{Class: ClassTurn}.Traits())
	assert.Equal(t, WorkTraits{ClassCommand, DeliverAfterTurn, SlotExclusive, ""}, WorkDraft{Class: ClassCommand}.Traits())
	given := WorkDraft{Class: ClassTurn, Delivery: DeliverAfterTurn, Slot: SlotJoin, MergeKey: "k"}
	assert.Equal(t, WorkTraits{ClassTurn, DeliverAfterTurn, SlotJoin, "k"}, given.Traits())
	assert.Equal(t, given, given.WithDefaults())
}

func TestBoundariesAreTwo(t *testing.T) {
	t.Parallel()
	assert.NoError(t, BoundaryIdle.Validate())
	assert.NoError(t, BoundaryCheckpoint.Validate())
	for _, b := range []WorkBoundary{"", "Idle", "checkpoint"} {
		assertField(t, string(b), b.Validate(), "boundary", false)
	}
}

// What an encoder would respell comes back byte for byte, and what nobody wrote is refused.
func TestWorkItemsKeepTheirBytes(t *testing.T) {
	t.Parallel()
	items := []WorkItem{
		{"a", json.RawMessage(" {\"b\" : 1.0,\n\t\"a\":\"\\u0078<\"}\n")}, {"b_2", json.RawMessage(`null`)}, {"c", json.RawMessage(`9007199254740993`)},
	}
	for n := 1; n <= len(items); n++ {
		decoded, err := DecodeWorkItems(EncodeWorkItems(items[:n]))
		require.NoError(t, err)
		assert.Equal(t, items[:n], decoded)
	}
	for _, bad := range []string{
		``, `[`, `{}`, `[{}]`, `[{"kind":"a"}]`, `[{"kind":"a","payload":}]`, `[{"payload":1,"kind":"a"}]`,
		`[{"kind":"a","payload":1,"more":2}]`, `[{"kind":"a","payload":1}`,
	} {
		_, err := DecodeWorkItems(bad)
		assert.Error(t, err, "%q", bad)
	}
}

func ExampleSelectWork() {
	wake := WorkTraits{Class: ClassTurn, Delivery: DeliverEarliest, Slot: SlotJoin, MergeKey: "wakes"}
	task := WorkTraits{Class: ClassTurn, Delivery: DeliverEarliest, Slot: SlotExclusive}
	line := slices.Values([]WorkTraits{wake, wake, task, wake})
	fmt.Println(SelectWork(ClassTurn, BoundaryIdle, MaxClaim, line), SelectWork(ClassCommand, BoundaryIdle, 1, line))
	// Output: 2 0
}

func ExampleWorkDraft() {
	draft := WorkDraft{
		SourceKey: "process:p1:event:7:wake", Class: ClassTurn,
		Items: []WorkItem{{Kind: "process_wake", Payload: json.RawMessage(`{"process":"p1"}`)}},
	}
	fmt.Println(draft.Validate(""), draft.Traits().Delivery, draft.Traits().Slot)
	draft.Items = nil
	fmt.Println(draft.Validate("outbox[0]"))
	// Output:
	// <nil> earliest_safe_boundary exclusive
	// invalid outbox[0].items: empty
}

func ExampleWorkClaim_Completion() {
	claim := &WorkClaim{Claim: Claim{ID: "c1", Token: "t1"}, Batches: []WorkBatch{{ID: "b1"}, {ID: "b2"}}}
	commit := Commit{CompletedWork: []Completion{claim.Completion()}}
	fmt.Println(commit.CompletedWork[0].IDs)
	// Output: [b1 b2]
}

func ExampleWorkBatch_ItemID() {
	fmt.Println(WorkBatch{ID: "b1"}.ItemID(0))
	// Output: b1:item:0
}
