package testsuite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

// What is malformed is refused before anything is written, and what is stored stays whole.
func refusalCases() []Case {
	return []Case{
		{"Refusal/IDs", "ValidateID", refusalIDs},
		{"Refusal/AnyTextIsAnID", "ValidateID", refusalAnyTextIsAnID},
		{"Refusal/JSON", "ValidateJSON, 10.W41", refusalJSON},
		{"Refusal/Times", "ValidateTime", refusalTimes},
		{"Refusal/NodeKindsAndRoles", "Node, 8.G.128", refusalNodeKindsAndRoles},
		{"Refusal/TooLarge", "MaxValueSize", refusalTooLarge},
		{"Refusal/Usage", "UsageDelta", refusalUsage},
		{"Refusal/PartIsContentOrReference", "Part", refusalPartIsContentOrReference},
		{"Refusal/PartNames", "Checkpoint.Parts", refusalPartNames},
		{"Refusal/LeaseAndWithoutLease", "Commit.Lease", refusalLeaseAndWithoutLease},
		{"Refusal/FirstCommitContinuesNothing", "TurnStamp.Continues", refusalFirstCommitContinuesNothing},
		{"Refusal/ContradictoryGraph", "GraphDelta", refusalContradictoryGraph},
	}
}

// malformed wants that c is refused, and changes nothing, without a lease being looked at.
func (f *fixture) malformed(what string, c lashstore.Commit, target error) {
	f.t.Helper()
	c.WithoutLease = true
	f.refused(what, c, target)
}

var badIDs = map[string]string{
	"overlong":          strings.Repeat("x", lashstore.MaxIDLength+1),
	"control character": "line\nbreak",
	"NUL":               "a\x00b",
	"DEL":               "a\x7fb",
	"invalid UTF-8":     "a\xffb",
}

// idFields are the ids of a commit, each with what puts one there.
var idFields = map[string]func(c *lashstore.Commit, id string){
	"session id":       func(c *lashstore.Commit, id string) { c.SessionID = id },
	"turn id":          func(c *lashstore.Commit, id string) { c.Turn = &lashstore.TurnStamp{TurnID: id} },
	"node id":          func(c *lashstore.Commit, id string) { c.Graph = lashstore.AppendNodes(user(id, "a1")) },
	"parent id":        func(c *lashstore.Commit, id string) { c.Graph = lashstore.AppendNodes(user("n", id)) },
	"leaf":             func(c *lashstore.Commit, id string) { c.Graph = lashstore.MoveLeaf(id) },
	"current frame id": func(c *lashstore.Commit, id string) { c.CurrentFrameID = id },
	"frame id":         func(c *lashstore.Commit, id string) { c.Frames = []lashstore.Frame{{ID: id, Reason: "initial"}} },
	"frame reason":     func(c *lashstore.Commit, id string) { c.Frames = []lashstore.Frame{{ID: "f", Reason: id}} },
	"usage source":     func(c *lashstore.Commit, id string) { c.Usage = []lashstore.UsageDelta{{Source: id, Model: "m"}} },
	"usage model":      func(c *lashstore.Commit, id string) { c.Usage = []lashstore.UsageDelta{{Source: "turn", Model: id}} },
	"node's frame id": func(c *lashstore.Commit, id string) {
		n := user("n", "a1")
		n.FrameID = id
		c.Graph = lashstore.AppendNodes(n)
	},
	"previous frame id": func(c *lashstore.Commit, id string) {
		c.Frames = []lashstore.Frame{{ID: "f", Reason: "compaction", PreviousID: id}}
	},
}

// requiredIDs must not be empty.
var requiredIDs = []string{"turn id", "node id", "frame id", "frame reason", "usage source", "usage model"}

func refusalIDs(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for field, put := range idFields {
		for what, id := range badIDs {
			var c lashstore.Commit
			put(&c, id)
			f.malformed(field+": "+what, c, lashstore.ErrInvalid)
		}
	}
	for _, field := range requiredIDs {
		var c lashstore.Commit
		idFields[field](&c, "")
		f.malformed(field+": empty", c, lashstore.ErrInvalid)
	}
	_, err := f.Commit(f.ctx, lashstore.Commit{Expect: lashstore.At(1), WithoutLease: true})
	is(t, "session id: empty", err, lashstore.ErrInvalid)
	f.commit(turn(2, "a1"))
}

// Paths, quotes and other people's syntax are text like any other.
func refusalAnyTextIsAnID(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	parent, want := "", []string{}
	for i, id := range oddIDs {
		n := user(id, parent)
		n.FrameID = id
		f.commit(lashstore.Commit{
			Turn: &lashstore.TurnStamp{TurnID: id}, Graph: lashstore.AppendNodes(n), CurrentFrameID: id,
			Frames: []lashstore.Frame{{ID: id, PreviousID: parent, Reason: id}},
			Usage:  []lashstore.UsageDelta{{Source: id, Model: id, Usage: lashstore.TokenUsage{Input: 1}}},
		})
		parent, want = id, append(want, id)
		f.path(id, want...)
		s := f.load(nil)
		equal(t, "frame", [2]string{s.CurrentFrameID, s.Frames[i].Reason}, [2]string{id, id})
		equal(t, "usage", s.Usage[i], lashstore.UsageTotal{Source: id, Model: id, Usage: lashstore.TokenUsage{Input: 1}})
		stored, err := f.Node(f.ctx, id)
		f.ok("node", err)
		equal(t, "node's frame", stored.FrameID, id)
	}
}

var oddIDs = []string{
	"../../etc/passwd", "a/b", `a\b`, ".", "..", "a b", " ", "%s%00", "'; DROP TABLE nodes; --", `"quoted"`, "?1", "@id",
	"ünïcödé", "日本語", "🙂", "e\u0301", "\u00e9", "a\u202eb", "CON", "A", "a", "0", "00", "null", "-1", "1e3",
	strings.Repeat("x", lashstore.MaxIDLength),
}

var badJSON = map[string]json.RawMessage{
	"empty":          {},
	"unfinished":     json.RawMessage(`{"a":`),
	"two values":     json.RawMessage(`1 2`),
	"repeated name":  json.RawMessage(`{"a":1,"a":2}`),
	"lone surrogate": json.RawMessage(`"\ud800"`),
	"invalid UTF-8":  json.RawMessage("\"\xff\""),
	"bare word":      json.RawMessage(`undefined`),
	"too deep":       json.RawMessage(strings.Repeat("[", lashstore.MaxJSONDepth+1) + strings.Repeat("]", lashstore.MaxJSONDepth+1)),
}

var jsonFields = map[string]func(c *lashstore.Commit, v json.RawMessage){
	"config":     func(c *lashstore.Commit, v json.RawMessage) { c.Config = v },
	"turn state": func(c *lashstore.Commit, v json.RawMessage) { c.Checkpoint = &lashstore.Checkpoint{TurnState: v} },
	"payload": func(c *lashstore.Commit, v json.RawMessage) {
		c.Graph = lashstore.AppendNodes(lashstore.Node{ID: "n", Kind: lashstore.NodePlugin, Payload: v})
	},
	"node's cause": func(c *lashstore.Commit, v json.RawMessage) {
		n := user("n", "a1")
		n.CausedBy = v
		c.Graph = lashstore.AppendNodes(n)
	},
	"frame's cause": func(c *lashstore.Commit, v json.RawMessage) {
		c.Frames = []lashstore.Frame{{ID: "f", Reason: "r", CausedBy: v}}
	},
	"frame's assignment": func(c *lashstore.Commit, v json.RawMessage) {
		c.Frames = []lashstore.Frame{{ID: "f", Reason: "r", Assignment: v}}
	},
	"frame's options": func(c *lashstore.Commit, v json.RawMessage) {
		c.Frames = []lashstore.Frame{{ID: "f", Reason: "r", Options: v}}
	},
}

func refusalJSON(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for field, put := range jsonFields {
		for what, value := range badJSON {
			var c lashstore.Commit
			put(&c, value)
			f.malformed(field+": "+what, c, lashstore.ErrInvalid)
		}
	}
	missing := user("n", "a1")
	missing.Payload = nil
	f.malformed("no payload", lashstore.Commit{Graph: lashstore.AppendNodes(missing)}, lashstore.ErrInvalid)
	f.commit(turn(2, "a1"))
}

func refusalTimes(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for what, at := range map[string]time.Time{
		"before 1970": time.Unix(0, 0).Add(-time.Millisecond), "after 9999": time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		n := user("n", "a1")
		n.CreatedAt = at
		f.malformed("node "+what, lashstore.Commit{Graph: lashstore.AppendNodes(n)}, lashstore.ErrInvalid)
		frame := lashstore.Frame{ID: "f", Reason: "initial", CreatedAt: at}
		f.malformed("frame "+what, lashstore.Commit{Frames: []lashstore.Frame{frame}}, lashstore.ErrInvalid)
	}
	f.commit(turn(2, "a1"))
}

func refusalNodeKindsAndRoles(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for what, n := range map[string]lashstore.Node{
		"no kind":               {Role: lashstore.RoleUser},
		"unknown kind":          {Kind: "conversation"},
		"message without role":  {Kind: lashstore.NodeMessage},
		"role in upper case":    {Kind: lashstore.NodeMessage, Role: "User"},
		"protocol with a role":  {Kind: lashstore.NodeProtocol, Role: lashstore.RoleUser},
		"plugin with a role":    {Kind: lashstore.NodePlugin, Role: lashstore.RoleEvent},
		"role that is too long": {Kind: lashstore.NodeMessage, Role: lashstore.Role(strings.Repeat("r", 65))},
	} {
		n.ID, n.Payload = "n", json.RawMessage(`{}`)
		f.malformed(what, lashstore.Commit{Graph: lashstore.AppendNodes(n)}, lashstore.ErrInvalid)
	}
	f.add(lashstore.Node{ID: "n", ParentID: "a1", Kind: lashstore.NodeMessage, Role: "critic_2", Payload: json.RawMessage(`[]`)})
	f.path("a role of the host's own", "u1", "a1", "n")
}

// hugeText is a JSON text over the limit.
var hugeText = sync.OnceValue(func() []byte {
	text := bytes.Repeat([]byte{'x'}, 33<<20)
	text[0], text[len(text)-1] = '"', '"'
	return text
})

func refusalTooLarge(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	huge := hugeText()
	text := json.RawMessage(huge)
	for what, c := range map[string]lashstore.Commit{
		"part":            {Checkpoint: &lashstore.Checkpoint{Parts: map[string]lashstore.Part{"part": lashstore.PartContent(huge)}}},
		"turn state":      {Checkpoint: &lashstore.Checkpoint{TurnState: text}},
		"config":          {Config: text},
		"execution state": {Frames: []lashstore.Frame{{ID: "f", Reason: "initial", ExecutionState: huge}}},
		"payload":         {Graph: lashstore.AppendNodes(lashstore.Node{ID: "n", Kind: lashstore.NodePlugin, Payload: text})},
		"many frames":     {Frames: make([]lashstore.Frame, lashstore.MaxCommitFrames+1)},
		"much usage":      {Usage: make([]lashstore.UsageDelta, lashstore.MaxCommitUsage+1)},
	} {
		f.malformed(what, c, lashstore.ErrTooLarge)
	}
	before := f.snapshot()
	_, err := f.PutBlob(f.ctx, lashstore.GenericBlob, huge)
	is(t, "blob", err, lashstore.ErrTooLarge)
	_, _, err = f.PutArtifact(f.ctx, moduleKey, lashstore.GenericBlob, huge)
	is(t, "artifact", err, lashstore.ErrTooLarge)
	f.unchanged("after values that are too large", before)
	f.commit(turn(2, "a1"))
}

func refusalUsage(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for what, usage := range map[string]lashstore.TokenUsage{
		"negative input": {Input: -1}, "negative output": {Output: -1}, "negative reads": {CacheRead: -1},
		"negative writes": {CacheWrite: -1}, "negative reasoning": {ReasoningOutput: -1},
		"too much": {Input: lashstore.MaxUsageDelta + 1},
	} {
		c := turn(2, "a1")
		c.Usage = append(c.Usage, lashstore.UsageDelta{Source: "turn", Model: "m", Usage: usage})
		f.malformed(what, c, lashstore.ErrInvalid)
	}
	f.commit(turn(2, "a1"))
}

func refusalPartIsContentOrReference(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	stored := []byte("tools of turn 1")
	for what, part := range map[string]lashstore.Part{
		"neither": {}, "both": {Content: stored, Ref: lashstore.HashOf(stored)},
		"fingerprint beyond 2^53": {Content: stored, Fingerprint: 1<<53 + 1},
		"a kind that is no name":  {Content: stored, Descriptor: lashstore.ArtifactDescriptor{Kind: "Tool State"}},
	} {
		c := turn(2, "a1")
		c.Checkpoint.Parts["part"] = part
		f.malformed(what, c, lashstore.ErrInvalid)
	}
	f.commit(turn(2, "a1"))
}

func refusalPartNames(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for _, name := range []string{"", "Upper", "a-b", "a.b", "a b", "ä", "a\n", strings.Repeat("x", 65)} {
		c := turn(2, "a1")
		c.Checkpoint.Parts[name] = lashstore.PartContent([]byte("x"))
		f.malformed(fmt.Sprintf("part name %q", name), c, lashstore.ErrInvalid)
	}
	many := turn(2, "a1")
	for i := range lashstore.MaxCheckpointParts + 1 {
		many.Checkpoint.Parts[fmt.Sprint("p", i)] = lashstore.PartContent([]byte("x"))
	}
	f.malformed("too many parts", many, lashstore.ErrTooLarge)
	f.commit(turn(2, "a1"))
}

func refusalLeaseAndWithoutLease(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	lease := f.take(opaqueOwner, time.Minute)
	both := turn(2, "a1")
	both.Lease, both.WithoutLease = lease.Fence(), true
	f.refused("lease and without lease", both, lashstore.ErrInvalid)
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	release := turn(2, "a1")
	release.WithoutLease, release.ReleaseLease = true, true
	f.refused("release without lease", release, lashstore.ErrInvalid)
	f.commit(turn(2, "a1"))
}

func refusalFirstCommitContinuesNothing(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	c := turn(1, "")
	c.Expect, c.Turn.Continues = lashstore.Create(), true
	f.malformed("a first commit that continues", c, lashstore.ErrInvalid)
	f.commit(turn(1, ""))
}

func refusalContradictoryGraph(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	for what, delta := range map[string]lashstore.GraphDelta{
		"unknown change":            {Change: "merge"},
		"unchanged with nodes":      {Nodes: []lashstore.Node{user("n", "a1")}},
		"leaf given and cleared":    {Leaf: "u1", ClearLeaf: true},
		"repeated id in the delta":  lashstore.AppendNodes(user("n", "a1"), user("m", "n"), user("n", "a1")),
		"repeated id, other parent": lashstore.AppendNodes(user("n", "a1"), user("n", "u1")),
	} {
		f.malformed(what, lashstore.Commit{Graph: delta}, lashstore.ErrInvalid)
	}
	f.commit(turn(2, "a1"))
}
