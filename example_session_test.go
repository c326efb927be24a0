package lashstore_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/lashstore/lashstore"
)

func ExampleSessionMeta() {
	meta := lashstore.SessionMeta{SessionID: "demo"}
	fmt.Println(meta.Validate())
	full := meta.WithDefaults(time.UnixMilli(1000))
	fmt.Println(full.Name, full.Relation.Kind, full.CreatedAt.UnixMilli())
	// Output:
	// <nil>
	// demo root 1000
}

func ExampleLoadOptions() {
	fmt.Println((&lashstore.LoadOptions{Last: 200}).Validate())
	fmt.Println((&lashstore.LoadOptions{Scope: lashstore.ScopeFull, Last: 200}).Validate())
	// Output:
	// <nil>
	// invalid scope: leaf and last go with the path
}

func ExampleSession() {
	fmt.Println((&lashstore.Session{}).Expect() == lashstore.Create())
	fmt.Println((&lashstore.Session{Revision: 7}).Expect() == lashstore.At(7))
	// Output:
	// true
	// true
}

func ExampleVacuumOptions() {
	fmt.Println((&lashstore.VacuumOptions{ReceiptsBefore: time.UnixMilli(1000)}).Validate())
	fmt.Println((&lashstore.VacuumOptions{Batch: -1}).Validate())
	// Output:
	// <nil>
	// invalid batch: negative
}

func ExampleGCOptions() {
	fmt.Println((&lashstore.GCOptions{DryRun: true}).Validate())
	// Output: <nil>
}

func ExampleMessage() {
	payload, err := lashstore.Message{
		Role:  lashstore.RoleUser,
		Parts: []lashstore.MessagePart{{Kind: lashstore.PartText, Text: "Book a flight\nto Oslo"}, {Kind: lashstore.PartAttachment}},
	}.Payload()
	fmt.Println(string(payload), err)
	m, err := lashstore.ParseMessage(payload)
	fmt.Printf("%q %q %v\n", m.Title(), m.Text(), err)
	// Output:
	// {"role":"user","parts":[{"kind":"text","text":"Book a flight\nto Oslo"},{"kind":"attachment"}]} <nil>
	// "Book a flight" "Book a flight\nto Oslo\n\n[Attachment]" <nil>
}

// A payload in the form that most providers use reads as it is.
func ExampleParseMessage() {
	m, err := lashstore.ParseMessage(json.RawMessage(`{"role":"assistant","content":"On it.",
		"tool_calls":[{"id":"c1","function":{"name":"search","arguments":"{\"to\":\"OSL\"}"}}]}`))
	fmt.Println(m.Text(), m.Parts[1].ToolName, m.Parts[1].Text, err)
	// Output: On it. search {"to":"OSL"} <nil>
}
