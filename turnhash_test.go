package lashstore

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func hashedCommit() *Commit {
	return &Commit{
		SessionID: "s", Expect: At(4), Turn: &TurnStamp{TurnID: "t"}, Lease: &Fence{SessionID: "s", Token: "secret", Generation: 2},
		Config: json.RawMessage(`{"a":1}`), CurrentFrameID: "f2",
		Frames: []Frame{
			{ID: "f1", Reason: "initial", Assignment: json.RawMessage(`{"x":1}`), CreatedAt: time.UnixMilli(5)},
			{ID: "f2", PreviousID: "f1", Reason: "compaction", ExecutionState: []byte("state")},
		},
		Graph: AppendNodes(
			Node{ID: "n1", ParentID: "stored", Kind: NodeMessage, Role: RoleUser, FrameID: "f2", Payload: json.RawMessage(`{"role":"user","id":"x"}`)},
			Node{ID: "n2", ParentID: "n1", Kind: NodePlugin, Payload: json.RawMessage(`{"v":1.0}`), CausedBy: json.RawMessage(`{"type":"turn"}`)}),
		Checkpoint: &Checkpoint{TurnState: json.RawMessage(`{"turn_index":3}`), Parts: map[string]Part{
			"tool_state": PartContent([]byte("tools")), "plugin_snapshot": {Content: []byte("plugins"), Fingerprint: 7}}},
		Usage:           []UsageDelta{{Source: "turn", Model: "m", Usage: TokenUsage{Input: 1, Output: 2}}},
		CompletedWork:   []Completion{{ClaimID: "c1", Token: "x", IDs: []string{"w1", "w2"}}, {ClaimID: "c2", Token: "x", IDs: []string{"w3"}}},
		CompletedInputs: []Completion{{ClaimID: "c3", Token: "x", IDs: []string{"i1"}}},
		DeferInputsOf:   "t",
		Outbox: []WorkDraft{
			{SourceKey: "k", Class: ClassTurn, Items: []WorkItem{{Kind: "wake", Payload: json.RawMessage(`{"a":1}`)}}},
			{Class: ClassCommand, Items: []WorkItem{{Kind: "compact", Payload: json.RawMessage(`{}`)}}},
		},
	}
}

// A commit without lease settles nothing, and hashes like one under a lease.
func TestTurnHashIgnoresTheLease(t *testing.T) {
	t.Parallel()
	leased, free := hashedCommit(), hashedCommit()
	leased.CompletedWork, leased.CompletedInputs = nil, nil
	free.CompletedWork, free.CompletedInputs, free.Lease, free.WithoutLease = nil, nil, nil, true
	assert.Equal(t, mustHash(t, leased), mustHash(t, free))
}

func mustHash(t testing.TB, c *Commit) Hash {
	t.Helper()
	require.NoError(t, c.Validate())
	h, err := c.Hash()
	require.NoError(t, err)
	return h
}

// 8.A.12, 10.W27: what an honest retry does anew does not count.
func TestTurnHashIgnoresWhatARetryDoesAnew(t *testing.T) {
	t.Parallel()
	want := mustHash(t, hashedCommit())
	for name, change := range map[string]func(*Commit){
		"revision": func(c *Commit) { c.Expect = At(9) },
		"lease":    func(c *Commit) { c.Lease = &Fence{SessionID: "s", Token: "other", Generation: 9} },
		"release":  func(c *Commit) { c.ReleaseLease = true },
		"turn id":  func(c *Commit) { c.Turn.TurnID = "u" },
		"node ids": func(c *Commit) {
			c.Graph.Nodes[0].ID, c.Graph.Nodes[1].ID, c.Graph.Nodes[1].ParentID = "x1", "x2", "x1"
		},
		"leaf by its id": func(c *Commit) {
			c.Graph.Nodes[1].ID = "x2" // it stays the leaf, as the last one
		},
		"frame ids": func(c *Commit) {
			c.Frames[0].ID, c.Frames[1].ID, c.Frames[1].PreviousID, c.CurrentFrameID, c.Graph.Nodes[0].FrameID = "g1", "g2", "g1", "g2", "g2"
		},
		"times": func(c *Commit) {
			c.Frames[0].CreatedAt, c.Graph.Nodes[0].CreatedAt = time.UnixMilli(77), time.UnixMilli(78)
		},
		"spelling of JSON": func(c *Commit) {
			c.Graph.Nodes[0].Payload = json.RawMessage("{ \"id\":\"\\u0078\",\n\"role\" : \"user\" }")
		},
		"claims": func(c *Commit) { c.CompletedWork[0].ClaimID, c.CompletedInputs[0].Token = "c9", "y" },
		"how it was claimed": func(c *Commit) {
			c.CompletedWork = []Completion{{ClaimID: "c9", Token: "y", IDs: []string{"w1"}}, {ClaimID: "c8", Token: "y", IDs: []string{"w2", "w3"}}}
		},
		"what work is put in for, and when": func(c *Commit) { c.Outbox[0].SessionID, c.Outbox[0].NotBefore = "s", time.UnixMilli(9) },
		"defaults of work":                  func(c *Commit) { c.Outbox[0], c.Outbox[1] = c.Outbox[0].WithDefaults(), c.Outbox[1].WithDefaults() },
		"spelling of work":                  func(c *Commit) { c.Outbox[0].Items[0].Payload = json.RawMessage(` {"a":1.0} `) },
		"spelling of numbers":               func(c *Commit) { c.Graph.Nodes[1].Payload = json.RawMessage(`{"v":1}`) },
		"part by reference":                 func(c *Commit) { c.Checkpoint.Parts["tool_state"] = PartRef(HashOf([]byte("tools"))) },
		"frame state by reference": func(c *Commit) {
			c.Frames[1].ExecutionState, c.Frames[1].ExecutionStateRef = nil, HashOf([]byte("state"))
		},
	} {
		c := hashedCommit()
		change(c)
		assert.Equal(t, want, mustHash(t, c), name)
	}
}

// 10.W27: everything the runtime means counts, users' own keys included, whatever their names.
func TestTurnHashTellsDifferentContentApart(t *testing.T) {
	t.Parallel()
	seen := map[Hash]string{mustHash(t, hashedCommit()): "unchanged"}
	for name, change := range map[string]func(*Commit){
		"config":                func(c *Commit) { c.Config = json.RawMessage(`{"a":2}`) },
		"no config":             func(c *Commit) { c.Config = nil },
		"frame reason":          func(c *Commit) { c.Frames[0].Reason = "other" },
		"frame assignment":      func(c *Commit) { c.Frames[0].Assignment = json.RawMessage(`{"x":2}`) },
		"frame options":         func(c *Commit) { c.Frames[0].Options = json.RawMessage(`{"x":1}`) },
		"frame cause":           func(c *Commit) { c.Frames[0].CausedBy = json.RawMessage(`{"x":1}`) },
		"frame state":           func(c *Commit) { c.Frames[1].ExecutionState = []byte("other") },
		"frame without state":   func(c *Commit) { c.Frames[1].ExecutionState = nil },
		"previous frame":        func(c *Commit) { c.Frames[1].PreviousID = "" },
		"current frame":         func(c *Commit) { c.CurrentFrameID = "f1" },
		"no current frame":      func(c *Commit) { c.CurrentFrameID = "" },
		"fewer frames":          func(c *Commit) { c.Frames = c.Frames[:1] },
		"payload":               func(c *Commit) { c.Graph.Nodes[0].Payload = json.RawMessage(`{"role":"user","id":"y"}`) },
		"user's timestamp key":  func(c *Commit) { c.Graph.Nodes[0].Payload = json.RawMessage(`{"role":"user","id":"x","timestamp":1}`) },
		"user's node_id key":    func(c *Commit) { c.Graph.Nodes[0].Payload = json.RawMessage(`{"role":"user","id":"x","node_id":1}`) },
		"number beyond doubles": func(c *Commit) { c.Graph.Nodes[1].Payload = json.RawMessage(`{"v":9007199254740993}`) },
		"number beside it":      func(c *Commit) { c.Graph.Nodes[1].Payload = json.RawMessage(`{"v":9007199254740992}`) },
		"kind":                  func(c *Commit) { c.Graph.Nodes[1].Kind = NodeProtocol },
		"role":                  func(c *Commit) { c.Graph.Nodes[0].Role = RoleAssistant },
		"node's frame":          func(c *Commit) { c.Graph.Nodes[0].FrameID = "f1" },
		"node's stored frame":   func(c *Commit) { c.Graph.Nodes[0].FrameID = "stored" },
		"cause":                 func(c *Commit) { c.Graph.Nodes[1].CausedBy = nil },
		"stored parent":         func(c *Commit) { c.Graph.Nodes[0].ParentID = "elsewhere" },
		"parent within":         func(c *Commit) { c.Graph.Nodes[1].ParentID = "stored" },
		"order":                 func(c *Commit) { c.Graph.Nodes[1].ParentID = ""; n := c.Graph.Nodes; n[0], n[1] = n[1], n[0] },
		"fewer nodes":           func(c *Commit) { c.Graph.Nodes = c.Graph.Nodes[:1] },
		"replace":               func(c *Commit) { c.Graph.Change = GraphReplace },
		"leaf":                  func(c *Commit) { c.Graph.Leaf = "n1" },
		"stored leaf":           func(c *Commit) { c.Graph.Leaf = "stored" },
		"no leaf":               func(c *Commit) { c.Graph.ClearLeaf = true },
		"turn state":            func(c *Commit) { c.Checkpoint.TurnState = json.RawMessage(`{"turn_index":4}`) },
		"part content":          func(c *Commit) { c.Checkpoint.Parts["tool_state"] = PartContent([]byte("other")) },
		"part name": func(c *Commit) {
			c.Checkpoint.Parts["tools"] = c.Checkpoint.Parts["tool_state"]
			delete(c.Checkpoint.Parts, "tool_state")
		},
		"part fingerprint": func(c *Commit) { c.Checkpoint.Parts["plugin_snapshot"] = PartContent([]byte("plugins")) },
		"part missing":     func(c *Commit) { delete(c.Checkpoint.Parts, "tool_state") },
		"no checkpoint":    func(c *Commit) { c.Checkpoint = nil },
		"usage":            func(c *Commit) { c.Usage[0].Usage.CacheRead = 1 },
		"reasoning":        func(c *Commit) { c.Usage[0].Usage.ReasoningOutput = 1 },
		"usage source":     func(c *Commit) { c.Usage[0].Source = "other" },
		"continued turn":   func(c *Commit) { c.Turn.Continues = true },
		"no usage":         func(c *Commit) { c.Usage = nil },
		"less work done":   func(c *Commit) { c.CompletedWork = c.CompletedWork[:1] },
		"other work done":  func(c *Commit) { c.CompletedWork[1].IDs[0] = "w4" },
		"order of work":    func(c *Commit) { c.CompletedWork[0].IDs = []string{"w2", "w1"} },
		"no input done":    func(c *Commit) { c.CompletedInputs = nil },
		"work as input": func(c *Commit) {
			c.CompletedWork, c.CompletedInputs = c.CompletedWork[:1], append(c.CompletedInputs, c.CompletedWork[1])
		},
		"another deferral": func(c *Commit) { c.DeferInputsOf = "u" },
		"no deferral":      func(c *Commit) { c.DeferInputsOf = "" },
		"outbox key":       func(c *Commit) { c.Outbox[0].SourceKey = "l" },
		"outbox keyless":   func(c *Commit) { c.Outbox[0].SourceKey = "" },
		"outbox class":     func(c *Commit) { c.Outbox[1].Class = ClassTurn },
		"outbox content":   func(c *Commit) { c.Outbox[0].Items[0].Payload = json.RawMessage(`{"a":2}`) },
		"outbox order":     func(c *Commit) { c.Outbox[0], c.Outbox[1] = c.Outbox[1], c.Outbox[0] },
		"less outbox":      func(c *Commit) { c.Outbox = c.Outbox[:1] },
		"no outbox":        func(c *Commit) { c.Outbox = nil },
	} {
		c := hashedCommit()
		change(c)
		h := mustHash(t, c)
		assert.Empty(t, seen[h], "%q and %q hash alike", name, seen[h])
		seen[h] = name
	}
}

// Where one field ends and the next begins counts: no text moved between neighbours hashes alike.
func TestTurnHashKeepsFieldsApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-z]{1,4}`)
		make := func(label string) *Commit {
			return &Commit{SessionID: "s", Expect: Create(), WithoutLease: true, Usage: []UsageDelta{{
				Source: word.Draw(t, label+" source"), Model: word.Draw(t, label+" model"),
			}}, CurrentFrameID: word.Draw(t, label+" frame")}
		}
		a, b := make("a"), make("b")
		same := fmt.Sprint(a.Usage, a.CurrentFrameID) == fmt.Sprint(b.Usage, b.CurrentFrameID)
		assert.Equal(t, same, hashOf(t, a) == hashOf(t, b))
	})
}

func hashOf(t *rapid.T, c *Commit) Hash {
	h, err := c.Hash()
	require.NoError(t, err)
	return h
}

// What of the line counts in a turn: what is settled, deferred and put in; not the claims, which every life of a turn
// makes anew.
func TestTurnHashOfTheLane(t *testing.T) {
	t.Parallel()
	want := mustHash(t, laneCommit())
	for name, change := range map[string]func(*Commit){
		"claims and tokens": func(c *Commit) { c.CompletedWork[0].ClaimID, c.CompletedWork[0].Token = "c9", "k9" },
		"claimed in pieces": func(c *Commit) {
			c.CompletedWork = []Completion{{"c8", "k8", []string{"b1"}}, {"c9", "k9", []string{"b2"}}}
		},
		"time of the outbox":     func(c *Commit) { c.Outbox[0].NotBefore = time.UnixMilli(9) },
		"session of the outbox":  func(c *Commit) { c.Outbox[0].SessionID = "s" },
		"defaults of the outbox": func(c *Commit) { c.Outbox[0] = c.Outbox[0].WithDefaults() },
		"spelling of the outbox": func(c *Commit) { c.Outbox[0].Items[0].Payload = json.RawMessage("{ \"n\" : 1.0 }") },
	} {
		c := laneCommit()
		change(c)
		assert.Equal(t, want, mustHash(t, c), name)
	}
	seen := map[Hash]string{want: "unchanged"}
	for name, change := range map[string]func(*Commit){
		"no work settled":   func(c *Commit) { c.CompletedWork = nil },
		"less work settled": func(c *Commit) { c.CompletedWork[0].IDs = []string{"b1"} },
		"other order":       func(c *Commit) { c.CompletedWork[0].IDs = []string{"b2", "b1"} },
		"no input settled":  func(c *Commit) { c.CompletedInputs = nil },
		"work for input":    func(c *Commit) { c.CompletedWork, c.CompletedInputs = c.CompletedInputs, c.CompletedWork },
		"all of it as work": func(c *Commit) {
			c.CompletedWork, c.CompletedInputs = append(c.CompletedWork, c.CompletedInputs...), nil
		},
		"nothing deferred":     func(c *Commit) { c.DeferInputsOf = "" },
		"other turn deferred":  func(c *Commit) { c.DeferInputsOf = "u" },
		"no outbox":            func(c *Commit) { c.Outbox = nil },
		"less outbox":          func(c *Commit) { c.Outbox = c.Outbox[:1] },
		"order of the outbox":  func(c *Commit) { c.Outbox[0], c.Outbox[1] = c.Outbox[1], c.Outbox[0] },
		"key of the outbox":    func(c *Commit) { c.Outbox[0].SourceKey = "k2" },
		"class of the outbox":  func(c *Commit) { c.Outbox[0].Class = ClassCommand },
		"policy of the outbox": func(c *Commit) { c.Outbox[0].Slot = SlotJoin },
		"outbox payload":       func(c *Commit) { c.Outbox[1].Items = []WorkItem{{"wake", json.RawMessage(`2`)}} },
	} {
		c := laneCommit()
		change(c)
		h := mustHash(t, c)
		assert.Empty(t, seen[h], "%q and %q hash alike", name, seen[h])
		seen[h] = name
	}
}
