package lashstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func event(id, parent string) lashstore.Node {
	return lashstore.Node{ID: id, ParentID: parent, Kind: lashstore.NodeProtocol, Payload: json.RawMessage(`{}`)}
}

// Where the active path ends after a delta, and what is refused whatever is stored.
func ExampleGraphDelta() {
	fmt.Println(lashstore.AppendNodes(event("b", "a"), event("c", "b")).TargetLeaf("a"))
	fmt.Println(lashstore.ReplaceGraph("a", event("a", ""), event("b", "a")).TargetLeaf("old"))
	fmt.Println(lashstore.MoveLeaf("b").TargetLeaf("c"))
	fmt.Println(lashstore.AppendNodes(event("a", "b"), event("b", "a")).Validate())
	// Output:
	// c
	// a
	// b
	// node "a": graph has a cycle (parent "b")
}

// Going back and saying it otherwise makes a branch; nothing is lost.
func ExampleMoveLeaf() {
	ctx := context.Background()
	s, err := store.Memory(ctx, lashstore.SessionMeta{SessionID: "demo"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	commit := func(expect lashstore.Expectation, delta lashstore.GraphDelta) {
		if _, err := s.Commit(ctx, lashstore.Commit{SessionID: "demo", Expect: expect, WithoutLease: true, Graph: delta}); err != nil {
			log.Fatal(err)
		}
	}
	commit(lashstore.Create(), lashstore.AppendNodes(event("q", ""), event("a", "q")))
	commit(lashstore.At(1), lashstore.MoveLeaf("q"))
	commit(lashstore.At(2), lashstore.AppendNodes(event("b", "q")))
	for n, err := range s.Path(ctx, "") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("active:", n.ID)
	}
	answers, err := s.Children(ctx, "q")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("answers:", len(answers))
	// Output:
	// active: b
	// active: q
	// answers: 2
}

// A node is what it says, not how its JSON is spelled.
func ExampleNode() {
	stored, given := event("a", ""), event("a", "")
	given.Payload = json.RawMessage(`{ }`)
	fmt.Printf("%q\n", stored.Conflict(given))
	given.Kind = lashstore.NodePlugin
	fmt.Printf("%q\n", stored.Conflict(given))
	// Output:
	// ""
	// "kind"
}
