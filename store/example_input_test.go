package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func submit(s *store.Store, id string, ingress lashstore.Ingress) {
	if _, err := s.EnqueueInput(context.Background(), lashstore.InputDraft{ID: id, Ingress: ingress, Input: json.RawMessage(`"hi"`)}); err != nil {
		log.Fatal(err)
	}
}

// What a user says while a turn runs waits for the next one. A client that is not sure says it again under the same key.
func ExampleStore_EnqueueInput() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	said := lashstore.InputDraft{SourceKey: "chat-12", Ingress: lashstore.NextTurn(), Input: json.RawMessage(`{"text":"to Oslo"}`)}
	for range 2 {
		done, err := s.EnqueueInput(ctx, said)
		fmt.Println(done.Input.State, "existing:", done.Existing, err)
	}
	said.Input = json.RawMessage(`{"text":"to Rome"}`)
	_, err := s.EnqueueInput(ctx, said)
	fmt.Println(errors.Is(err, lashstore.ErrEntryConflict))

	claim, err := s.ClaimNextInputs(ctx, exampleFence(s), 64)
	fmt.Println(len(claim.Inputs), string(claim.Inputs[0].Input), err)
	// Output:
	// waiting existing: false <nil>
	// waiting existing: true <nil>
	// true
	// 1 {"text":"to Oslo"} <nil>
}

// A running turn takes what was said to it, when it may come in. Given back, it waits again.
func ExampleStore_ClaimTurnInputs() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	submit(s, "at the end", lashstore.ActiveTurn("turn-7", lashstore.BeforeCompletion))
	submit(s, "soon", lashstore.ActiveTurn("turn-7", lashstore.AfterWork))
	submit(s, "later", lashstore.NextTurn())
	fence := exampleFence(s)
	for _, boundary := range []lashstore.TurnBoundary{lashstore.AfterWork, lashstore.BeforeCompletion} {
		claim, err := s.ClaimTurnInputs(ctx, fence, lashstore.TurnCheckpoint{TurnID: "turn-7", Boundary: boundary}, 64)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(boundary, claim.Completion().IDs)
		if err := s.AbandonInputs(ctx, claim); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// after_work [soon]
	// before_completion [at the end soon]
}

// When a turn has died, nobody else would take what was said to it. An owner that starts over moves it to the next turn;
// it keeps its place. Acquiring a Lane does that.
func ExampleStore_DeferInputs() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	submit(s, "to the dead turn", lashstore.ActiveTurn("turn-7", lashstore.AfterWork))
	submit(s, "to the next", lashstore.NextTurn())
	fence := exampleFence(s)
	moved, err := s.DeferInputs(ctx, fence, "") // or the turn that is resumed, whose input stays
	fmt.Println(moved, err)
	claim, err := s.ClaimNextInputs(ctx, fence, 64)
	fmt.Printf("%q %v\n", claim.Completion().IDs, err)
	// Output:
	// 1 <nil>
	// ["to the dead turn" "to the next"] <nil>
}

// A user takes one message back.
func ExampleStore_CancelInputs() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	submit(s, "m1", lashstore.NextTurn())
	submit(s, "m2", lashstore.NextTurn())
	results, err := s.CancelInputs(ctx, lashstore.ByID("m1"))
	fmt.Println(results[0].Outcome, err)
	results, err = s.CancelInputs(ctx, lashstore.ByID("m1"))
	fmt.Println(results[0].Outcome, err)
	open, err := s.ListInputs(ctx, nil)
	fmt.Println(len(open), open[0].ID, err)
	// Output:
	// cancelled <nil>
	// already_cancelled <nil>
	// 1 m2 <nil>
}

// A user takes back all from one message on.
func ExampleStore_CancelInputsFrom() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	for _, id := range []string{"m1", "m2", "m3"} {
		submit(s, id, lashstore.NextTurn())
	}
	results, err := s.CancelInputsFrom(ctx, lashstore.ByID("m2"))
	for _, r := range results {
		fmt.Println(r.Input.ID, r.Outcome)
	}
	fmt.Println(err)
	_, err = s.CancelInputsFrom(ctx, lashstore.ByID("m9"))
	fmt.Println(errors.Is(err, lashstore.ErrEntryNotFound))
	// Output:
	// m2 cancelled
	// m3 cancelled
	// <nil>
	// true
}
