package lashstore_test

import (
	"fmt"
	"time"

	"github.com/lashstore/lashstore"
)

// A running turn asks at its checkpoint for both families at once, and may ask for one alone.
func ExampleCheckpointRequest_Validate() {
	at := lashstore.TurnCheckpoint{TurnID: "turn-7", Boundary: lashstore.AfterWork}
	fmt.Println(lashstore.CheckpointRequest{At: at, MaxInputs: 64}.Validate())
	fmt.Println(lashstore.CheckpointRequest{At: at, MaxWork: -1}.Validate())
	// Output:
	// <nil>
	// invalid max_work: negative
}

// Nil waits for what an idle lane could claim.
func ExampleWaitOptions_Validate() {
	fmt.Println((*lashstore.WaitOptions)(nil).Validate())
	fmt.Println((&lashstore.WaitOptions{At: &lashstore.TurnCheckpoint{Boundary: lashstore.AfterWork}}).Validate())
	// Output:
	// <nil>
	// invalid checkpoint.turn_id: empty
}

func ExampleReadiness_Any() {
	fmt.Println(lashstore.Readiness{}.Any(), lashstore.Readiness{Input: true}.Any())
	// Output: false true
}

// A lease of half a minute is renewed every ten seconds: two renewals may fail.
func ExampleLeaseTimingsFor() {
	timings := lashstore.LeaseTimingsFor(30 * time.Second)
	fmt.Println(timings.Renew, timings == lashstore.DefaultLeaseTimings, timings.Validate())
	// Output: 10s true <nil>
}
