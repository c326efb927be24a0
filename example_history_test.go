package lashstore_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/lashstore/lashstore"
)

func ExampleRevision() {
	r := lashstore.Revision(7)
	fmt.Println("went back to " + r.String())
	// Output:
	// went back to 7
}

// The head, the last ones, and the pinned stay loadable.
func ExampleKeepsRevision() {
	for _, r := range []lashstore.Revision{6, 7, 8, 9, 10} {
		fmt.Println(r, lashstore.KeepsRevision(r, 10, 3, false), lashstore.KeepsRevision(r, 10, 3, r == 6))
	}
	// Output:
	// 6 false true
	// 7 false false
	// 8 true true
	// 9 true true
	// 10 true true
}

// A backend judges a list before it reads.
func ExampleRevisionListOptions() {
	var all *lashstore.RevisionListOptions
	fmt.Println(all.Validate())
	fmt.Println((&lashstore.RevisionListOptions{Limit: -1}).Validate())
	// Output:
	// <nil>
	// invalid limit: negative
}

// Where to go decides what a move is, not when it is tried.
func ExampleHeadMove() {
	back := lashstore.HeadMove{SessionID: "demo", Expect: lashstore.At(9), Revision: 4, WithoutLease: true}
	fmt.Println(back.Validate())
	retry := back
	retry.Expect = lashstore.At(10)
	first, err := back.Hash()
	second, _ := retry.Hash()
	fmt.Println(first == second, err)
	fmt.Println(back.Commit().Expect.Revision())
	back.Branch = "idea"
	fmt.Println(back.Validate())
	// Output:
	// <nil>
	// true <nil>
	// 9
	// invalid move: needs exactly one of revision, leaf and branch
}

// What a backend has read becomes the difference.
func ExampleRevisionDiff() {
	var d lashstore.RevisionDiff
	before := &lashstore.StoredCheckpoint{TurnState: json.RawMessage(`{"n":1}`)}
	after := &lashstore.StoredCheckpoint{
		TurnState: json.RawMessage(`{ "n": 1 }`),
		Parts:     map[string]lashstore.StoredPart{"tool_state": {Ref: lashstore.HashOf([]byte("new"))}},
	}
	d.Compare([]lashstore.Node{event("a", ""), event("b", "a")}, []lashstore.Node{event("a", ""), event("c", "a")}, before, after)
	fmt.Println(d.Base, d.Removed[0].ID, d.Added[0].ID, d.Parts, d.TurnState)
	// Output:
	// a b c [tool_state] false
}

func ExampleCompareBranches() {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	branches := []lashstore.Branch{
		{Leaf: "older", UpdatedAt: noon}, {Leaf: "newer", UpdatedAt: noon.Add(time.Hour)}, {Name: "b", Leaf: "x"}, {Name: "a", Leaf: "y"},
	}
	slices.SortFunc(branches, lashstore.CompareBranches)
	for _, b := range branches {
		fmt.Println(b.Leaf)
	}
	// Output:
	// y
	// x
	// newer
	// older
}

func ExampleValidateBranch() {
	fmt.Println(lashstore.ValidateBranch("an idea", ""))
	fmt.Println(lashstore.ValidateBranch("", "leaf") != nil)
	// Output:
	// <nil>
	// true
}

func ExampleValidateKeepRevisions() {
	fmt.Println(lashstore.ValidateKeepRevisions(lashstore.DefaultKeepRevisions))
	fmt.Println(lashstore.ValidateKeepRevisions(-1))
	// Output:
	// <nil>
	// invalid keep_revisions: negative
}
