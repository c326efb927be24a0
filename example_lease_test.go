package lashstore_test

import (
	"fmt"
	"time"

	"github.com/lashstore/lashstore"
)

func ExampleOwner() {
	run1 := lashstore.Owner{ID: "worker", Incarnation: "run-1"}
	run2 := lashstore.Owner{ID: "worker", Incarnation: "run-2"}
	fmt.Println(run1.String(), run1.Validate(), run1.SameIncarnation(run2))
	// Output: worker/run-1 <nil> false
}

// Death is proven on one machine alone, by a look at the process.
func ExampleDefinitelyDead() {
	process := func(pid int) *lashstore.LocalProcess {
		return &lashstore.LocalProcess{HostID: "host", BootID: "boot", PID: pid, StartTime: 1}
	}
	holder := lashstore.Owner{ID: "a", Incarnation: "1", Process: process(7)}
	me := lashstore.Owner{ID: "b", Incarnation: "1", Process: process(8)}
	gone := func(lashstore.LocalProcess) (running bool, err error) { return false, nil }
	fmt.Println(lashstore.DefinitelyDead(holder, me, gone))
	me.Process.BootID = "another boot"
	fmt.Println(lashstore.DefinitelyDead(holder, me, gone))
	// Output:
	// true
	// false
}

func exampleLease() lashstore.Lease {
	return lashstore.Lease{
		SessionID: "demo", Owner: lashstore.Owner{ID: "a", Incarnation: "1"}, Token: "secret", Generation: 3,
		ClaimedAt: time.UnixMilli(1000), ExpiresAt: time.UnixMilli(2000),
	}
}

func ExampleLease() {
	lease := exampleLease()
	fmt.Println(lease.LiveAt(time.UnixMilli(1999)), lease.LiveAt(time.UnixMilli(2000)))
	fmt.Printf("%q %d\n", lease.WithoutToken().Token, lease.Fence().Generation)
	// Output:
	// true false
	// "" 3
}

// What a backend asks of a fence before it writes, and before it releases.
func ExampleFence() {
	stored := exampleLease()
	fence := stored.Fence()
	fmt.Println(fence.Verify("demo", stored, time.UnixMilli(1500)))
	fmt.Println(fence.Verify("demo", stored, time.UnixMilli(2500)), "/ still names it:", fence.Names(stored))
	stored.Generation++
	fmt.Println(fence.Names(stored))
	// Output:
	// <nil>
	// execution lease of session "demo" is not held: expired / still names it: true
	// false
}

// Every backend decides alike: who asks while another one holds the lease is refused, until it expires.
func ExampleDecideTake() {
	other := lashstore.Owner{ID: "b", Incarnation: "1"}
	fmt.Println(lashstore.DecideTake(exampleLease(), other, time.UnixMilli(1500)) == lashstore.LeaseRefuse)
	fmt.Println(lashstore.DecideTake(exampleLease(), exampleLease().Owner, time.UnixMilli(1500)) == lashstore.LeaseReenter)
	fmt.Println(lashstore.DecideTake(exampleLease(), other, time.UnixMilli(2500)) == lashstore.LeaseAcquire)
	// Output:
	// true
	// true
	// true
}

// A live lease is taken over only from the holder that was observed, and only with proof of its death.
func ExampleDecideReclaim() {
	other := lashstore.Owner{ID: "b", Incarnation: "1"}
	decision := lashstore.DecideReclaim(exampleLease(), other, exampleLease().Fence(), time.UnixMilli(1500), nil)
	fmt.Println(decision == lashstore.LeaseRefuse)
	// Output: true
}

func ExampleValidateTTL() {
	fmt.Println(lashstore.ValidateTTL(30 * time.Second))
	fmt.Println(lashstore.ValidateTTL(time.Microsecond))
	// Output:
	// <nil>
	// invalid ttl: shorter than a millisecond
}
