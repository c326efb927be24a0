package lashstore_test

import (
	"fmt"
	"time"

	"github.com/lashstore/lashstore"
)

// A target is one entry, by the id that the store gave it or by the key that its source did.
func ExampleByID() {
	fmt.Println(lashstore.ByID("w1").String(), lashstore.BySourceKey("wake-7").String())
	// Output: w1 key=wake-7
}

// What is wrong with a request is said before anything happens, and where in it.
func ExampleValidateTargets() {
	fmt.Println(lashstore.ValidateTargets([]lashstore.EntryTarget{lashstore.ByID("w1"), lashstore.BySourceKey("wake-7")}))
	fmt.Println(lashstore.ValidateTargets([]lashstore.EntryTarget{lashstore.ByID("w1"), {}}))
	// Output:
	// <nil>
	// invalid targets[1]: needs either an id or a source key
}

// An entry that is settled is shown only by a list of all.
func ExampleEntryState_Settled() {
	for _, s := range []lashstore.EntryState{
		lashstore.EntryWaiting, lashstore.EntryClaimed, lashstore.EntryCompleted, lashstore.EntryCancelled,
	} {
		fmt.Println(s, s.Settled(), (*lashstore.ListOptions)(nil).Shows(s))
	}
	// Output:
	// waiting false true
	// claimed false true
	// completed true false
	// cancelled true false
}

// A list can be read in pieces: the last place of one is where the next goes on.
func ExampleListOptions_Validate() {
	fmt.Println((&lashstore.ListOptions{Scope: lashstore.ListAll, After: 17, Limit: 100}).Validate())
	fmt.Println((&lashstore.ListOptions{Limit: -1}).Validate())
	// Output:
	// <nil>
	// invalid limit: negative
}

// A claim has no clock of its own: it holds as long as the lease it was made under, renewals included.
func ExampleClaimLive() {
	stored := exampleLease() // generation 3, until 2000
	fmt.Println(lashstore.ClaimLive(3, stored, time.UnixMilli(1999)), lashstore.ClaimLive(3, stored, time.UnixMilli(2000)))
	stored.Generation, stored.ExpiresAt = 4, time.UnixMilli(9000) // somebody else has it now
	fmt.Println(lashstore.ClaimLive(3, stored, time.UnixMilli(1999)))
	// Output:
	// true false
	// false
}

// Whoever asks for everything gets as much as one claim may hold.
func ExampleClaimLimit() {
	fmt.Println(lashstore.ClaimLimit("limit", 10))
	fmt.Println(lashstore.ClaimLimit("limit", 1_000_000))
	fmt.Println(lashstore.ClaimLimit("limit", -1))
	// Output:
	// 10 <nil>
	// 1024 <nil>
	// 0 invalid limit: negative
}

func ExampleValidateClaimIDs() {
	fmt.Println(lashstore.ValidateClaimIDs([]string{"w1", "w2"}))
	fmt.Println(lashstore.ValidateClaimIDs([]string{"w1", "w1"}))
	// Output:
	// <nil>
	// invalid ids[1]: given twice
}
