package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// exampleStore opens a session in memory, as examples want it.
func exampleStore() *store.Store {
	s, err := store.Memory(context.Background(), lashstore.SessionMeta{SessionID: "demo"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	return s
}

func said(id, parent string, role lashstore.Role, text string) lashstore.Node {
	payload, err := lashstore.Message{Role: role, Parts: []lashstore.MessagePart{{Kind: lashstore.PartText, Text: text}}}.Payload()
	if err != nil {
		log.Fatal(err)
	}
	return lashstore.Node{ID: id, ParentID: parent, Kind: lashstore.NodeMessage, Role: role, Payload: payload}
}

func ExampleOpen() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lashstore-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	s, err := store.Open(ctx, filepath.Join(dir, "demo.db"), lashstore.SessionMeta{SessionID: "demo", Model: "gpt-4o"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	meta, err := s.Meta(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(meta.SessionID, meta.Model, s.Durability())
	fmt.Println(s.Close())
	// Output:
	// demo gpt-4o full
	// <nil>
}

// A turn under the execution lease: take it, commit, give it back with the commit. A retry of the turn, after a crash
// for instance, gets the first answer.
func ExampleStore_Commit() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()

	lease, err := s.TakeLease(ctx, store.LocalOwner("worker-1", "boot-7"), 30*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	turn := lashstore.Commit{
		SessionID: "demo", Expect: lashstore.Create(), Lease: lease.Fence(), ReleaseLease: true,
		Turn: &lashstore.TurnStamp{TurnID: "turn-1"},
		Graph: lashstore.AppendNodes(
			said("m1", "", lashstore.RoleUser, "What is the capital of France?"),
			said("m2", "m1", lashstore.RoleAssistant, "Paris.")),
		Checkpoint: &lashstore.Checkpoint{
			TurnState: json.RawMessage(`{"turn_index":1}`),
			Parts:     map[string]lashstore.Part{lashstore.PartNameToolState: lashstore.PartContent([]byte("tools"))},
		},
		Usage: []lashstore.UsageDelta{{Source: "turn", Model: "gpt-4o", Usage: lashstore.TokenUsage{Input: 20, Output: 2}}},
	}
	first, err := s.Commit(ctx, turn)
	if err != nil {
		log.Fatal(err)
	}
	again, err := s.Commit(ctx, turn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(first.Revision, first.Replayed)
	fmt.Println(again.Revision, again.Replayed)

	turn.Graph.Nodes[1] = said("m2", "m1", lashstore.RoleAssistant, "Lyon.")
	_, err = s.Commit(ctx, turn)
	fmt.Println(errors.Is(err, lashstore.ErrTurnConflict))
	// Output:
	// 1 false
	// 1 true
	// true
}

// Where does the agent go on? At the last messages and the checkpoint, whatever the length of the history.
func ExampleStore_Load() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	_, err := s.Commit(ctx, lashstore.Commit{
		SessionID: "demo", Expect: lashstore.Create(), WithoutLease: true,
		Graph: lashstore.AppendNodes(
			said("m1", "", lashstore.RoleUser, "one"), said("m2", "m1", lashstore.RoleAssistant, "two"),
			said("m3", "m2", lashstore.RoleUser, "three")),
		Checkpoint: &lashstore.Checkpoint{TurnState: json.RawMessage(`{"turn_index":1}`)},
	})
	if err != nil {
		log.Fatal(err)
	}
	resumed, err := s.Load(ctx, &lashstore.LoadOptions{Last: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range resumed.Graph.Nodes {
		m, err := lashstore.ParseMessage(n.Payload)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(m.Role, m.Text())
	}
	fmt.Println("more above:", resumed.Graph.More, "resume from:", string(resumed.Checkpoint.TurnState))
	// Output:
	// assistant two
	// user three
	// more above: true resume from: {"turn_index":1}
}
