package lashstore_test

import (
	"encoding/json"
	"fmt"

	"github.com/lashstore/lashstore"
)

// A draft needs a class and items. How it is delivered, and whether it shares a turn, follows unless it is said.
func ExampleWorkDraft_WithDefaults() {
	wake := lashstore.WorkDraft{Class: lashstore.ClassTurn}.WithDefaults()
	fmt.Println(wake.Delivery, wake.Slot)
	command := lashstore.WorkDraft{Class: lashstore.ClassCommand}.WithDefaults()
	fmt.Println(command.Delivery, command.Slot)
	// Output:
	// earliest_safe_boundary exclusive
	// after_current_turn_commit exclusive
}

func ExampleWorkBoundary_Validate() {
	fmt.Println(lashstore.BoundaryIdle.Validate())
	fmt.Println(lashstore.WorkBoundary("now").Validate())
	// Output:
	// <nil>
	// invalid boundary: "now" is neither idle nor active_turn_checkpoint
}

// For a backend: items as one value, with every payload byte for byte.
func ExampleEncodeWorkItems() {
	stored := lashstore.EncodeWorkItems([]lashstore.WorkItem{{Kind: "wake", Payload: json.RawMessage(`{"of": "p7"}`)}})
	fmt.Println(stored)
	items, err := lashstore.DecodeWorkItems(stored)
	fmt.Println(items[0].Kind, string(items[0].Payload), err)
	// Output:
	// [{"kind":"wake","payload":{"of": "p7"}}]
	// wake {"of": "p7"} <nil>
}
