package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// Going back and saying it otherwise makes a branch; nothing is lost.
func ExampleMoveLeaf() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	commit := func(expect lashstore.Expectation, delta lashstore.GraphDelta) {
		if _, err := s.Commit(ctx, lashstore.Commit{SessionID: "demo", Expect: expect, WithoutLease: true, Graph: delta}); err != nil {
			log.Fatal(err)
		}
	}
	commit(lashstore.Create(), lashstore.AppendNodes(said("q", "", lashstore.RoleUser, "hi"), said("a", "q", lashstore.RoleAssistant, "hello")))
	commit(lashstore.At(1), lashstore.MoveLeaf("q"))
	commit(lashstore.At(2), lashstore.AppendNodes(said("b", "q", lashstore.RoleAssistant, "good day")))
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

// A part that did not change is carried by reference, and stored once.
func ExampleStoredCheckpoint_Carry() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	_, err := s.Commit(ctx, lashstore.Commit{
		SessionID: "demo", Expect: lashstore.Create(), WithoutLease: true,
		Checkpoint: &lashstore.Checkpoint{TurnState: json.RawMessage(`1`), Parts: map[string]lashstore.Part{"tool_state": lashstore.PartContent([]byte("large"))}},
	})
	if err != nil {
		log.Fatal(err)
	}
	before, err := s.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutParts: true})
	if err != nil {
		log.Fatal(err)
	}
	next := before.Checkpoint.Carry()
	next.TurnState = json.RawMessage(`2`)
	if _, err := s.Commit(ctx, lashstore.Commit{SessionID: "demo", Expect: before.Expect(), WithoutLease: true, Checkpoint: next}); err != nil {
		log.Fatal(err)
	}
	after, err := s.Load(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(after.Checkpoint.TurnState), string(after.Checkpoint.Parts["tool_state"].Content))
	// Output: 2 large
}

func ExampleStore_OpenBlob() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	ref, err := s.PutBlob(ctx, lashstore.GenericBlob, []byte("content of any size"))
	if err != nil {
		log.Fatal(err)
	}
	stream, info, err := s.OpenBlob(ctx, ref)
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	content, err := io.ReadAll(stream)
	fmt.Println(string(content), info.Size, err)
	// Output: content of any size 19 <nil>
}

func ExampleStore_PutArtifact() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	key := lashstore.ArtifactKey{Namespace: lashstore.NamespaceTriggerManifest, Key: "owner-1"}
	for _, manifest := range []string{`{"a":1}`, `{"a":1,"b":2}`} {
		_, previous, err := s.PutArtifact(ctx, key, lashstore.GenericBlob, []byte(manifest))
		if err != nil {
			log.Fatal(err)
		}
		var before json.RawMessage
		if previous != nil {
			before = previous.Content
		}
		diff, err := lashstore.DiffManifests(before, json.RawMessage(manifest))
		fmt.Println(previous != nil, diff.Added, err)
	}
	// Output:
	// false [] <nil>
	// true [b] <nil>
}

func ExampleStore_GC() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	for i, expect := range []lashstore.Expectation{lashstore.Create(), lashstore.At(1)} {
		if _, err := s.Commit(ctx, lashstore.Commit{
			SessionID: "demo", Expect: expect, WithoutLease: true,
			Checkpoint: &lashstore.Checkpoint{Parts: map[string]lashstore.Part{"state": lashstore.PartContent([]byte{byte(i)})}},
		}); err != nil {
			log.Fatal(err)
		}
	}
	report, err := s.GC(ctx, nil)
	fmt.Println("kept", report.Retained, "deleted", report.Deleted, err)
	found, err := s.Verify(ctx)
	fmt.Println("findings", len(found.Findings), err)
	// Output:
	// kept 2 deleted 2 <nil>
	// findings 0 <nil>
}

func ExampleFactory() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lashstore-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	factory, err := store.NewFactory(dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	s, err := factory.CreateSession(ctx, lashstore.SessionMeta{SessionID: "demo"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Commit(ctx, lashstore.Commit{
		SessionID: "demo", Expect: lashstore.Create(), WithoutLease: true,
		Graph: lashstore.AppendNodes(said("m1", "", lashstore.RoleUser, "Book me a flight")),
	}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Close())
	for info, err := range factory.Sessions(ctx) {
		fmt.Println(info.Meta.SessionID, info.Summary.Title, info.Summary.Messages, err)
	}
	fmt.Println(factory.DeleteSession(ctx, "demo"))
	_, err = factory.OpenSession(ctx, "demo")
	fmt.Println(errors.Is(err, lashstore.ErrSessionNotFound))
	// Output:
	// <nil>
	// demo Book me a flight 1 <nil>
	// <nil>
	// true
}

// Two workers and one lane.
func ExampleStore_TakeLease() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	a, b := lashstore.Owner{ID: "a", Incarnation: "1"}, lashstore.Owner{ID: "b", Incarnation: "1"}
	lease, err := s.TakeLease(ctx, a, time.Minute)
	fmt.Println(lease.Generation, err)
	_, err = s.TakeLease(ctx, b, time.Minute)
	var busy *lashstore.LeaseBusyError
	fmt.Println(errors.As(err, &busy), busy.Holder.Owner)
	fmt.Println(s.ReleaseLease(ctx, lease.Fence()))
	lease, err = s.TakeLease(ctx, b, time.Minute)
	fmt.Println(lease.Generation, err)
	// Output:
	// 1 <nil>
	// true a/1
	// <nil>
	// 2 <nil>
}
