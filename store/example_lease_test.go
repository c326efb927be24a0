package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

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

// A holder renews while it works. When that fails, it stops.
func ExampleStore_RenewLease() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	lease, err := s.TakeLease(ctx, store.LocalOwner("worker-1", "boot-7"), time.Minute)
	if err != nil {
		log.Fatal(err)
	}
	renewed, err := s.RenewLease(ctx, lease.Fence(), time.Hour)
	fmt.Println(renewed.Generation == lease.Generation, renewed.ExpiresAt.After(lease.ExpiresAt), err)
	current, live, err := s.CurrentLease(ctx)
	fmt.Printf("%s %t %q %v\n", current.Owner, live, current.Token, err)
	if err := s.ReleaseLease(ctx, lease.Fence()); err != nil {
		log.Fatal(err)
	}
	_, err = s.RenewLease(ctx, lease.Fence(), time.Hour)
	fmt.Println(errors.Is(err, lashstore.ErrLeaseLost))
	// Output:
	// true true <nil>
	// worker-1/boot-7 true "" <nil>
	// true
}

// Nobody waits for a dead holder: whoever can prove its death takes the lease over before it expires.
func ExampleStore_ReclaimLease() {
	ctx := context.Background()
	gone := func(lashstore.LocalProcess) (running bool, err error) { return false, nil } // by default /proc is asked
	s, err := store.Memory(ctx, lashstore.SessionMeta{SessionID: "demo"}, &store.Options{ProcessProbe: gone})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	owner := func(id string, pid int) lashstore.Owner {
		return lashstore.Owner{ID: id, Incarnation: "1", Process: &lashstore.LocalProcess{HostID: "h", BootID: "b", PID: pid, StartTime: 1}}
	}
	if _, err := s.TakeLease(ctx, owner("died", 7), time.Hour); err != nil {
		log.Fatal(err)
	}
	_, err = s.TakeLease(ctx, owner("next", 8), time.Hour)
	var busy *lashstore.LeaseBusyError
	if !errors.As(err, &busy) {
		log.Fatal(err)
	}
	lease, err := s.ReclaimLease(ctx, owner("next", 8), busy.Holder, time.Hour)
	fmt.Println(lease.Owner, lease.Generation, err)
	// Output: next/1 2 <nil>
}

// What is known of a holder's process tells whether its lease can be taken over before it expires.
func ExampleProvablyDead() {
	alive := store.LocalOwner("worker-1", "boot-1")
	unknown := lashstore.Owner{ID: "worker-2", Incarnation: "boot-7"} // nothing can be proven of it
	fmt.Println(store.ProvablyDead(alive), store.ProvablyDead(unknown))
	// Output: false false
}
