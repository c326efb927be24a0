package lashstore

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// 1.9: a checkpoint lets in what is meant for its turn and wants in no later than there.
func TestCheckpointsAdmitByTurnAndBoundary(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at      TurnCheckpoint
		ingress Ingress
		want    bool
	}{
		{TurnCheckpoint{"t", AfterWork}, ActiveTurn("t", AfterWork), true},
		{TurnCheckpoint{"t", AfterWork}, ActiveTurn("t", BeforeCompletion), false},
		{TurnCheckpoint{"t", BeforeCompletion}, ActiveTurn("t", AfterWork), true},
		{TurnCheckpoint{"t", BeforeCompletion}, ActiveTurn("t", BeforeCompletion), true},
		{TurnCheckpoint{"t", AfterWork}, ActiveTurn("t", ""), true},
		{TurnCheckpoint{"t", AfterWork}, ActiveTurn("u", AfterWork), false},
		{TurnCheckpoint{"t", BeforeCompletion}, ActiveTurn("u", AfterWork), false},
		{TurnCheckpoint{"t", AfterWork}, NextTurn(), false},
		{TurnCheckpoint{"t", BeforeCompletion}, NextTurn(), false},
	} {
		assert.Equal(t, c.want, c.at.Admits(c.ingress), "%v at %v", c.ingress, c.at)
	}
}

func TestIngressDefaults(t *testing.T) {
	t.Parallel()
	assert.Equal(t, Ingress{}, NextTurn())
	assert.Equal(t, Ingress{}, NextTurn().WithDefaults())
	assert.Equal(t, Ingress{"t", AfterWork}, ActiveTurn("t", ""))
	assert.Equal(t, Ingress{"t", AfterWork}, Ingress{TurnID: "t"}.WithDefaults())
	assert.Equal(t, Ingress{"t", BeforeCompletion}, ActiveTurn("t", BeforeCompletion))
}

func inputDraft() InputDraft { return InputDraft{Input: json.RawMessage(`{"text":"hi"}`)} }

func TestInputDraftsAreJudged(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxIDLength+1)
	for name, c := range map[string]struct {
		change func(d *InputDraft)
		field  string
		large  bool
	}{
		"session of a newline":    {func(d *InputDraft) { d.SessionID = "a\n" }, "session_id", false},
		"overlong session":        {func(d *InputDraft) { d.SessionID = long }, "session_id", true},
		"id of NUL":               {func(d *InputDraft) { d.ID = "\x00" }, "id", false},
		"overlong id":             {func(d *InputDraft) { d.ID = long }, "id", true},
		"key of no UTF-8":         {func(d *InputDraft) { d.SourceKey = "\xff" }, "source_key", false},
		"overlong key":            {func(d *InputDraft) { d.SourceKey = long }, "source_key", true},
		"turn of a newline":       {func(d *InputDraft) { d.Ingress.TurnID = "a\n" }, "ingress.turn_id", false},
		"unknown boundary":        {func(d *InputDraft) { d.Ingress = Ingress{"t", "soon"} }, "ingress.boundary", false},
		"a boundary without turn": {func(d *InputDraft) { d.Ingress.Boundary = AfterWork }, "ingress.boundary", false},
		"no input":                {func(d *InputDraft) { d.Input = nil }, "input", false},
		"empty input":             {func(d *InputDraft) { d.Input = json.RawMessage{} }, "input", false},
		"input no JSON":           {func(d *InputDraft) { d.Input = json.RawMessage(`hi`) }, "input", false},
		"input that is too large": {func(d *InputDraft) { d.Input = jsonItems(MaxValueSize + 1)[0].Payload }, "input", true},
	} {
		d := inputDraft()
		c.change(&d)
		assertField(t, name, d.Validate(), c.field, c.large)
	}
	for name, change := range map[string]func(d *InputDraft){
		"nothing but input":   func(*InputDraft) {},
		"a JSON null":         func(d *InputDraft) { d.Input = json.RawMessage(`null`) },
		"a turn, no boundary": func(d *InputDraft) { d.Ingress.TurnID = "t" },
		"id and key":          func(d *InputDraft) { d.ID, d.SourceKey = "../x", "k" },
	} {
		d := inputDraft()
		change(&d)
		assert.NoError(t, d.Validate(), name)
	}
}

func TestTurnCheckpointsAreJudged(t *testing.T) {
	t.Parallel()
	assert.NoError(t, TurnCheckpoint{"t", AfterWork}.Validate())
	assert.NoError(t, TurnCheckpoint{"t", BeforeCompletion}.Validate())
	for name, c := range map[string]struct {
		at    TurnCheckpoint
		field string
	}{
		"no turn":          {TurnCheckpoint{"", AfterWork}, "checkpoint.turn_id"},
		"no boundary":      {TurnCheckpoint{"t", ""}, "checkpoint.boundary"},
		"unknown boundary": {TurnCheckpoint{"t", "later"}, "checkpoint.boundary"},
	} {
		assertField(t, name, c.at.Validate(), c.field, false)
		assertField(t, name, CheckpointRequest{At: c.at}.Validate(), c.field, false)
		at := c.at
		assertField(t, name, (&WaitOptions{At: &at}).Validate(), c.field, false)
	}
}

func ExampleTurnCheckpoint_Admits() {
	at := TurnCheckpoint{TurnID: "turn-7", Boundary: AfterWork}
	fmt.Println(at.Admits(ActiveTurn("turn-7", AfterWork)), at.Admits(ActiveTurn("turn-7", BeforeCompletion)), at.Admits(NextTurn()))
	// Output: true false false
}

func ExampleInputDraft() {
	draft := InputDraft{SourceKey: "chat:42", Ingress: ActiveTurn("turn-7", ""), Input: json.RawMessage(`{"text":"stop"}`)}
	fmt.Println(draft.Validate(), draft.Ingress.Boundary)
	// Output: <nil> after_work
}

func ExampleInputClaim_Completion() {
	claim := &InputClaim{Claim: Claim{ID: "c1", Token: "t1"}, Inputs: []TurnInput{{ID: "i1"}}}
	fmt.Println(claim.Completion().IDs)
	// Output: [i1]
}
