package lashstore_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/lashstore/lashstore"
)

// What can be judged of a commit without a store, and what identifies it: an honest retry, which makes ids anew, has the
// same hash.
func ExampleCommit() {
	turn := func(id, text string) lashstore.Commit {
		return lashstore.Commit{
			SessionID: "demo", Expect: lashstore.Create(), WithoutLease: true, Turn: &lashstore.TurnStamp{TurnID: "turn-1"},
			Graph: lashstore.AppendNodes(lashstore.Node{
				ID: id, Kind: lashstore.NodeMessage, Role: lashstore.RoleUser, Payload: json.RawMessage(`{"content":"` + text + `"}`)}),
			Checkpoint: &lashstore.Checkpoint{Parts: map[string]lashstore.Part{"tool_state": lashstore.PartContent([]byte("tools"))}},
		}
	}
	first, retry, other := turn("id-1", "hi"), turn("id-2", "hi"), turn("id-1", "bye")
	a, _ := first.Hash()
	b, _ := retry.Hash()
	c, _ := other.Hash()
	fmt.Println(first.Validate(), a == b, a == c)
	fmt.Println(first.PartRefs()["tool_state"].Short())

	held := lashstore.Lease{SessionID: "demo", Owner: lashstore.Owner{ID: "a", Incarnation: "1"}, Token: "t", Generation: 1, ExpiresAt: time.UnixMilli(2000)}
	fmt.Println(first.Authorize("demo", held, time.UnixMilli(1000)))
	fmt.Println(first.Authorize("demo", held, time.UnixMilli(2000)))
	// Output:
	// <nil> true false
	// c7d4463340de
	// execution lease is held by a/1 until 1970-01-01T00:00:02Z
	// <nil>
}

func ExampleExpectation() {
	fmt.Println(lashstore.Create().Revision(), lashstore.Create().Check(0))
	fmt.Println(lashstore.At(4).Revision(), lashstore.At(4).Check(5))
	// Output:
	// 0 <nil>
	// 4 head is at revision 5, commit expected 4
}

func ExampleFrame() {
	stored := lashstore.Frame{ID: "f2", PreviousID: "f1", Reason: "compaction", Assignment: json.RawMessage(`{"goal":"book"}`)}
	changed := stored
	changed.Assignment = json.RawMessage(`{"goal":"pay"}`)
	fmt.Printf("%q\n", stored.Conflict(changed))
	changed.PreviousID = ""
	fmt.Printf("%q\n", stored.Conflict(changed))
	// Output:
	// ""
	// "previous_id"
}

func ExampleTokenUsage() {
	turn := lashstore.TokenUsage{Input: 100, Output: 20, ReasoningOutput: 15}
	both := turn.Add(lashstore.TokenUsage{CacheRead: 400})
	fmt.Println(turn.Total(), both.Total(), both.Sub(turn).CacheRead)
	// Output: 120 520 400
}

func ExampleReportUsage() {
	report := lashstore.ReportUsage([]lashstore.UsageTotal{
		{Source: "turn", Model: "gpt-4o", Usage: lashstore.TokenUsage{Input: 10, Output: 5}},
		{Source: "subagent", Model: "gpt-4o", Usage: lashstore.TokenUsage{Input: 1}},
	})
	fmt.Println(report.BySource["turn"].Total(), report.ByModel["gpt-4o"].Total(), report.ByPair[0].Source)
	// Output: 15 16 subagent
}

func ExampleDiffUsage() {
	before := []lashstore.UsageTotal{{Source: "turn", Model: "gpt-4o", Usage: lashstore.TokenUsage{Input: 10}}}
	after := []lashstore.UsageTotal{{Source: "turn", Model: "gpt-4o", Usage: lashstore.TokenUsage{Input: 25}}}
	spent, err := lashstore.DiffUsage(before, after)
	fmt.Println(spent[0].Usage.Input, err)
	_, err = lashstore.DiffUsage(after, before)
	fmt.Println(err)
	// Output:
	// 15 <nil>
	// usage counter decreased: source "turn", model "gpt-4o"
}
