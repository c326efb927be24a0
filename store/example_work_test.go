package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// exampleFence takes the execution lease of s.
func exampleFence(s *store.Store) *lashstore.Fence {
	lease, err := s.TakeLease(context.Background(), store.LocalOwner("worker-1", "boot-7"), time.Minute)
	if err != nil {
		log.Fatal(err)
	}
	return lease.Fence()
}

func enqueue(s *store.Store, draft lashstore.WorkDraft) lashstore.WorkBatch {
	done, err := s.EnqueueWork(context.Background(), draft)
	if err != nil {
		log.Fatal(err)
	}
	return done.Batch
}

// wakeUp is turn work that shares a turn with its like.
func wakeUp(process string) lashstore.WorkDraft {
	return lashstore.WorkDraft{
		SourceKey: process, Class: lashstore.ClassTurn, Slot: lashstore.SlotJoin, MergeKey: "wakes",
		Items: []lashstore.WorkItem{{Kind: "wake", Payload: json.RawMessage(`{}`)}},
	}
}

func command(name string) lashstore.WorkDraft {
	return lashstore.WorkDraft{
		SourceKey: name, Class: lashstore.ClassCommand,
		Items: []lashstore.WorkItem{{Kind: name, Payload: json.RawMessage(`{}`)}},
	}
}

// Delivered twice, it is there once. The same key with other content is a conflict.
func ExampleStore_EnqueueWork() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	draft := wakeUp("p7")
	for range 2 {
		done, err := s.EnqueueWork(ctx, draft)
		fmt.Println(done.Batch.SourceKey, done.Batch.State, "existing:", done.Existing, err)
	}
	draft.Items = []lashstore.WorkItem{{Kind: "wake", Payload: json.RawMessage(`{"again":true}`)}}
	_, err := s.EnqueueWork(ctx, draft)
	fmt.Println(errors.Is(err, lashstore.ErrEntryConflict))
	list, err := s.ListWork(ctx, nil)
	fmt.Println(len(list), err)
	// Output:
	// p7 waiting existing: false <nil>
	// p7 waiting existing: true <nil>
	// true
	// 1 <nil>
}

// A claim takes from the head what may go into one turn. It overtakes nothing: what is behind the command waits for it.
func ExampleStore_ClaimWork() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	for _, draft := range []lashstore.WorkDraft{wakeUp("p1"), wakeUp("p2"), command("compact"), wakeUp("p3")} {
		enqueue(s, draft)
	}
	fence := exampleFence(s)
	work, err := s.ClaimWork(ctx, fence, lashstore.BoundaryIdle, 64)
	fmt.Println(work.Batches[0].SourceKey, work.Batches[1].SourceKey, len(work.Batches), err)
	more, err := s.ClaimWork(ctx, fence, lashstore.BoundaryIdle, 64)
	fmt.Println(more == nil, err)
	head, err := s.ClaimCommand(ctx, fence)
	fmt.Println(head.Batches[0].SourceKey, err)

	fmt.Println(s.AbandonWork(ctx, work)) // in their old place
	again, err := s.ClaimWork(ctx, fence, lashstore.BoundaryIdle, 1)
	fmt.Println(again.Batches[0].SourceKey, "attempt", again.Attempt, err)
	// Output:
	// p1 p2 2 <nil>
	// true <nil>
	// compact <nil>
	// <nil>
	// p1 attempt 2 <nil>
}

// Exactly these or none, wherever in the line they are.
func ExampleStore_ClaimWorkByID() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	enqueue(s, command("compact"))
	a, b := enqueue(s, wakeUp("p1")), enqueue(s, wakeUp("p2"))
	fence := exampleFence(s)
	claim, err := s.ClaimWorkByID(ctx, fence, lashstore.BoundaryIdle, []string{b.ID, a.ID})
	fmt.Println(claim.Batches[0].SourceKey, claim.Batches[1].SourceKey, err)
	claim, err = s.ClaimWorkByID(ctx, fence, lashstore.BoundaryIdle, []string{a.ID})
	fmt.Println(claim == nil, err)
	// Output:
	// p2 p1 <nil>
	// true <nil>
}

// What nobody works on yet can be taken out; the answer says for each how it stood.
func ExampleStore_CancelWork() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	first := enqueue(s, command("compact"))
	enqueue(s, wakeUp("p1"))
	if _, err := s.ClaimCommand(ctx, exampleFence(s)); err != nil {
		log.Fatal(err)
	}
	results, err := s.CancelWork(ctx, lashstore.ByID(first.ID), lashstore.BySourceKey("p1"), lashstore.BySourceKey("p9"))
	for _, r := range results {
		fmt.Println(r.Outcome)
	}
	fmt.Println(err)
	// Output:
	// already_claimed
	// cancelled
	// not_found
	// <nil>
}
