package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// The lane is the lease, kept: renewed in the background, and given back by Close. What is done under it runs in its
// context, which ends when the lease is lost.
func ExampleAcquireLane() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	lane, err := store.AcquireLane(ctx, s, store.LocalOwner("worker-1", "boot-7"), nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = store.AcquireLane(ctx, s, store.LocalOwner("worker-2", "boot-7"), nil) // or wait: LaneOptions.Wait
	fmt.Println(errors.Is(err, lashstore.ErrLeaseBusy))

	work, err := s.ClaimWork(lane.Context(), lane.Fence(), lashstore.BoundaryIdle, 64)
	fmt.Println(work == nil, err)
	fmt.Println(lane.Lease().Owner, lane.Lease().Generation, lane.Lost(), lane.Context().Err())
	fmt.Println(lane.Close())
	fmt.Println(lane.Lost(), lane.Context().Err())
	// Output:
	// true
	// true <nil>
	// worker-1/boot-7 1 <nil> <nil>
	// <nil>
	// <nil> context canceled
}

// A worker: it waits without polling, takes the lane, and does what is there. The turn, what it has used up, and what it
// leaves behind are one commit.
func ExampleStore_WaitReady() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	var elsewhere sync.WaitGroup
	elsewhere.Go(func() { enqueue(s, wakeUp("p7")) })

	ready, err := s.WaitReady(ctx, nil)
	fmt.Println("ready:", ready.Any(), "work:", ready.Work, err)
	lane, err := store.AcquireLane(ctx, s, store.LocalOwner("worker-1", "boot-7"), &store.LaneOptions{Wait: true})
	if err != nil {
		log.Fatal(err)
	}
	work, err := s.ClaimWork(lane.Context(), lane.Fence(), lashstore.BoundaryIdle, 64)
	if err != nil || work == nil {
		log.Fatal("somebody was faster, or: ", err)
	}
	session, err := s.Load(lane.Context(), nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Commit(lane.Context(), lashstore.Commit{
		SessionID: "demo", Expect: session.Expect(), Lease: lane.Fence(), Turn: &lashstore.TurnStamp{TurnID: "turn-1"},
		Graph:         lashstore.AppendNodes(said("m1", session.Graph.Leaf, lashstore.RoleAssistant, "p7 is done.")),
		CompletedWork: []lashstore.Completion{work.Completion()},
		Outbox:        []lashstore.WorkDraft{command("compact")},
		DeferInputsOf: "turn-1", // what was said to this turn and came too late goes to the next
	}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(lane.Close())

	elsewhere.Wait()
	line, err := s.ListWork(ctx, &lashstore.ListOptions{Scope: lashstore.ListAll})
	for _, b := range line {
		fmt.Println(b.SourceKey, b.State)
	}
	fmt.Println(err)
	// Output:
	// ready: true work: true <nil>
	// <nil>
	// p7 completed
	// compact waiting
	// <nil>
}

// A running turn looks up at its checkpoint, for what was said to it and for work that may come in. There is mostly
// nothing, and that costs one read.
func ExampleStore_ClaimCheckpoint() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	fence := exampleFence(s)
	request := lashstore.CheckpointRequest{
		At: lashstore.TurnCheckpoint{TurnID: "turn-7", Boundary: lashstore.AfterWork}, MaxInputs: 64, MaxWork: 64,
	}
	claims, err := s.ClaimCheckpoint(ctx, fence, request)
	fmt.Println(claims.Inputs == nil, claims.Work == nil, err)
	submit(s, "m1", lashstore.ActiveTurn("turn-7", ""))
	enqueue(s, wakeUp("p7"))
	claims, err = s.ClaimCheckpoint(ctx, fence, request)
	fmt.Println(claims.Inputs.Inputs[0].ID, claims.Work.Batches[0].SourceKey, err)
	// Output:
	// true true <nil>
	// m1 p7 <nil>
}

// Somebody else has the lane. Nobody polls for it.
func ExampleStore_WaitLease() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	fence := exampleFence(s)
	var elsewhere sync.WaitGroup
	elsewhere.Go(func() {
		if err := s.ReleaseLease(ctx, fence); err != nil {
			log.Fatal(err)
		}
	})
	fmt.Println(s.WaitLease(ctx))
	elsewhere.Wait()
	_, live, err := s.CurrentLease(ctx)
	fmt.Println(live, err)
	// Output:
	// <nil>
	// false <nil>
}
