package lashstore_test

import (
	"encoding/json"
	"fmt"

	"github.com/lashstore/lashstore"
)

// Input comes in with the next turn, or into the one that is running: at its next checkpoint, or only when it is about to
// end.
func ExampleActiveTurn() {
	fmt.Printf("%+v\n", lashstore.ActiveTurn("turn-7", lashstore.BeforeCompletion))
	fmt.Printf("%+v\n", lashstore.ActiveTurn("turn-7", ""))
	fmt.Println(lashstore.NextTurn() == lashstore.Ingress{}.WithDefaults())
	// Output:
	// {TurnID:turn-7 Boundary:before_completion}
	// {TurnID:turn-7 Boundary:after_work}
	// true
}

func ExampleIngress_WithDefaults() {
	fmt.Println(lashstore.Ingress{TurnID: "turn-7"}.WithDefaults().Boundary)
	// Output: after_work
}

func ExampleTurnCheckpoint_Validate() {
	fmt.Println(lashstore.TurnCheckpoint{TurnID: "turn-7", Boundary: lashstore.AfterWork}.Validate())
	fmt.Println(lashstore.TurnCheckpoint{TurnID: "turn-7"}.Validate())
	// Output:
	// <nil>
	// invalid checkpoint.boundary: "" is neither after_work nor before_completion
}

// Input is the same when it says the same and comes in at the same place, however it is spelled. Under the same source
// key it is then a retry; with another hash it is a conflict.
func ExampleInputDraft_Hash() {
	hash := func(ingress lashstore.Ingress, text string) lashstore.Hash {
		h, err := lashstore.InputDraft{SourceKey: "chat-12", Ingress: ingress, Input: json.RawMessage(text)}.Hash()
		if err != nil {
			fmt.Println(err)
		}
		return h
	}
	first := hash(lashstore.NextTurn(), `{"text":"to Oslo","n":1}`)
	fmt.Println(first == hash(lashstore.NextTurn(), `{"n": 1, "text": "to Oslo"}`))
	fmt.Println(first == hash(lashstore.NextTurn(), `{"text":"to Rome","n":1}`))
	fmt.Println(first == hash(lashstore.ActiveTurn("turn-7", ""), `{"text":"to Oslo","n":1}`))
	// Output:
	// true
	// false
	// false
}
