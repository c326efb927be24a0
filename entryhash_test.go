package lashstore

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func hashedWork() WorkDraft {
	return WorkDraft{
		SessionID: "s", SourceKey: "k", Class: ClassTurn, Delivery: DeliverAfterTurn, Slot: SlotJoin, MergeKey: "m",
		Items: []WorkItem{{"wake", json.RawMessage(`{"a":1,"b":"x"}`)}, {"task", json.RawMessage(`2`)}},
	}
}

func hashedInput() InputDraft {
	return InputDraft{SessionID: "s", ID: "i", SourceKey: "k", Ingress: ActiveTurn("t", AfterWork), Input: json.RawMessage(`{"text":"hi","n":1}`)}
}

func workHash(t testing.TB, change func(d *WorkDraft)) Hash {
	t.Helper()
	d := hashedWork()
	change(&d)
	require.NoError(t, d.Validate(""))
	h, err := d.Hash()
	require.NoError(t, err)
	return h
}

func inputHash(t testing.TB, change func(d *InputDraft)) Hash {
	t.Helper()
	d := hashedInput()
	change(&d)
	require.NoError(t, d.Validate())
	h, err := d.Hash()
	require.NoError(t, err)
	return h
}

// 10.W19: what an honest retry says anew does not count.
func TestWorkHashIgnoresWhatARetrySaysAnew(t *testing.T) {
	t.Parallel()
	want := workHash(t, func(*WorkDraft) {})
	for name, change := range map[string]func(d *WorkDraft){
		"session":  func(d *WorkDraft) { d.SessionID = "" },
		"key":      func(d *WorkDraft) { d.SourceKey = "other" },
		"time":     func(d *WorkDraft) { d.NotBefore = time.UnixMilli(5) },
		"spelling": func(d *WorkDraft) { d.Items[0].Payload = json.RawMessage("{ \"b\":\"\\u0078\",\n\"a\":1.0 }") },
	} {
		assert.Equal(t, want, workHash(t, change), name)
	}
	implied := WorkDraft{Class: ClassCommand, Items: hashedWork().Items}
	said := implied.WithDefaults()
	a, err := implied.Hash()
	require.NoError(t, err)
	b, err := said.Hash()
	require.NoError(t, err)
	assert.Equal(t, a, b, "defaults, left out or said")
}

// 10.W19: all else does.
func TestWorkHashTellsDifferentContentApart(t *testing.T) {
	t.Parallel()
	seen := map[Hash]string{}
	for name, change := range map[string]func(d *WorkDraft){
		"unchanged":      func(*WorkDraft) {},
		"class":          func(d *WorkDraft) { d.Class, d.Slot, d.MergeKey = ClassCommand, SlotExclusive, "" },
		"delivery":       func(d *WorkDraft) { d.Delivery = DeliverEarliest },
		"slot":           func(d *WorkDraft) { d.Slot, d.MergeKey = SlotExclusive, "" },
		"merge key":      func(d *WorkDraft) { d.MergeKey = "n" },
		"no merge key":   func(d *WorkDraft) { d.MergeKey = "" },
		"kind":           func(d *WorkDraft) { d.Items[0].Kind = "wake2" },
		"payload":        func(d *WorkDraft) { d.Items[1].Payload = json.RawMessage(`3`) },
		"a large number": func(d *WorkDraft) { d.Items[1].Payload = json.RawMessage(`9007199254740993`) },
		"its neighbour":  func(d *WorkDraft) { d.Items[1].Payload = json.RawMessage(`9007199254740992`) },
		"a user's key":   func(d *WorkDraft) { d.Items[0].Payload = json.RawMessage(`{"a":1,"b":"x","timestamp":1}`) },
		"order":          func(d *WorkDraft) { d.Items[0], d.Items[1] = d.Items[1], d.Items[0] },
		"an item less":   func(d *WorkDraft) { d.Items = d.Items[:1] },
		"an item twice":  func(d *WorkDraft) { d.Items = append(d.Items, d.Items[1]) },
	} {
		h := workHash(t, change)
		assert.Empty(t, seen[h], "%q and %q hash alike", name, seen[h])
		seen[h] = name
	}
}

// 10.W8: it is what was submitted, under whatever name.
func TestInputHashIsOfWhatWasSubmitted(t *testing.T) {
	t.Parallel()
	want := inputHash(t, func(*InputDraft) {})
	for name, change := range map[string]func(d *InputDraft){
		"session":  func(d *InputDraft) { d.SessionID = "" },
		"id":       func(d *InputDraft) { d.ID = "" },
		"key":      func(d *InputDraft) { d.SourceKey = "" },
		"boundary": func(d *InputDraft) { d.Ingress.Boundary = "" },
		"spelling": func(d *InputDraft) { d.Input = json.RawMessage(" {\"n\":1e0,\"text\":\"\\u0068i\"}") },
	} {
		assert.Equal(t, want, inputHash(t, change), name)
	}
	seen := map[Hash]string{want: "unchanged"}
	for name, change := range map[string]func(d *InputDraft){
		"next turn":    func(d *InputDraft) { d.Ingress = NextTurn() },
		"other turn":   func(d *InputDraft) { d.Ingress.TurnID = "u" },
		"at the end":   func(d *InputDraft) { d.Ingress.Boundary = BeforeCompletion },
		"other input":  func(d *InputDraft) { d.Input = json.RawMessage(`{"text":"ho","n":1}`) },
		"a user's key": func(d *InputDraft) { d.Input = json.RawMessage(`{"text":"hi","n":1,"id":"i"}`) },
		"null":         func(d *InputDraft) { d.Input = json.RawMessage(`null`) },
	} {
		h := inputHash(t, change)
		assert.Empty(t, seen[h], "%q and %q hash alike", name, seen[h])
		seen[h] = name
	}
}

// Hashes are stored and compared over versions: they stay.
func TestEntryHashesStay(t *testing.T) {
	t.Parallel()
	command := WorkDraft{Class: ClassCommand, Items: []WorkItem{{"reset_session", json.RawMessage(`{"reason":"full"}`)}}}
	for want, hash := range map[string]func() (Hash, error){
		"b519f9b6df25dc615e186bf26c1e6a1f7b7d6a5dde691735998fcb91774dfbe1": hashedWork().Hash, "045a38336cf176f850f82d8d6d115da7d3fcaf391893de9b5025ae33b554718b": command.Hash, "d8c1d1ec4e532d2b33e6a095cbac508ee532dc499571be528d3b4c7dcbe64395": hashedInput().Hash,
		"a8f5b125618be9205339e16e1e99182be209e96fef16307ffdbc0c2a5f6a0c92": InputDraft{Input: json.RawMessage(`"hi"`)}.Hash,
		"523843c28cf32c2bc9dff9f8089a8e67dbb9ea77abb02c9dbbe5d561da804c88": laneCommit().Hash,
	} {
		h, err := hash()
		require.NoError(t, err)
		assert.Equal(t, want, h.String())
	}
}

// A piece of work and an input of the same text have nothing in common.
func TestEntryHashesHaveDomains(t *testing.T) {
	t.Parallel()
	assert.NotEqual(t, workHashDomain, inputHashDomain)
	assert.NotEqual(t, workHash(t, func(*WorkDraft) {}), inputHash(t, func(*InputDraft) {}))
}

func TestHashesRefuseWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	_, err := WorkDraft{Items: []WorkItem{{"wake", json.RawMessage(`{`)}}}.Hash()
	require.Error(t, err)
	_, err = InputDraft{Input: json.RawMessage(`{`)}.Hash()
	require.Error(t, err)
}

func ExampleWorkDraft_Hash() {
	draft := WorkDraft{Class: ClassTurn, Items: []WorkItem{{"wake", json.RawMessage(`{"n":1}`)}}}
	first, _ := draft.Hash()
	draft.SourceKey, draft.Items[0].Payload = "a retry's key", json.RawMessage(`{ "n": 1.0 }`)
	again, _ := draft.Hash()
	fmt.Println(first == again)
	// Output: true
}
