package lashstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// A part is given as content or carried by reference; either way it has the hash of its content.
func ExamplePart() {
	given := lashstore.PartContent([]byte("tools"))
	carried := lashstore.PartRef(given.Hash())
	fmt.Println(given.Hash() == carried.Hash())
	fmt.Println(given.DescriptorFor(lashstore.PartNameToolState).Kind, given.DescriptorFor("scratch").Kind)
	// Output:
	// true
	// tool_state checkpoint_part
}

func ExampleCheckpoint() {
	c := &lashstore.Checkpoint{
		TurnState: json.RawMessage(`{"turn_index":7}`),
		Parts: map[string]lashstore.Part{
			lashstore.PartNameToolState:      lashstore.PartContent([]byte("tools")),
			lashstore.PartNameExecutionState: lashstore.PartContent([]byte("stack")),
		},
	}
	fmt.Println(c.PartNames())
	// Output: [execution_state tool_state]
}

// A part that did not change is carried by reference, and stored once.
func ExampleStoredCheckpoint_Carry() {
	ctx := context.Background()
	s, err := store.Memory(ctx, lashstore.SessionMeta{SessionID: "demo"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Commit(ctx, lashstore.Commit{
		SessionID: "demo", Expect: lashstore.Create(), WithoutLease: true,
		Checkpoint: &lashstore.Checkpoint{TurnState: json.RawMessage(`1`), Parts: map[string]lashstore.Part{"tool_state": lashstore.PartContent([]byte("large"))}},
	}); err != nil {
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

// The record that a checkpoint is, for who reads a database without this library.
func ExampleManifest() {
	record, err := lashstore.Manifest{TurnState: json.RawMessage(`{"turn_index":7}`)}.Encode()
	fmt.Println(string(record), err)
	again, err := lashstore.DecodeManifest(record)
	fmt.Println(string(again.TurnState), err)
	fmt.Println(lashstore.CheckRecordVersion("checkpoint", []byte(`{"schema_version":9}`), lashstore.CheckpointVersion))
	// Output:
	// {"schema_version":1,"turn_state":{"turn_index":7},"parts":[]} <nil>
	// {"turn_index":7} <nil>
	// checkpoint record: unsupported schema_version 9 (supported: 1)
}
