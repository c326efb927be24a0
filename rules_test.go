package lashstore

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func node(id, parent string) Node {
	return Node{ID: id, ParentID: parent, Kind: NodeMessage, Role: RoleUser, Payload: json.RawMessage(`{}`)}
}

// 10.W22, 10.W23: what can be judged of a delta without the stored graph.
func TestGraphDeltaIsJudged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		delta GraphDelta
		want  error
	}{
		"nothing":                   {GraphDelta{}, nil},
		"a chain":                   {AppendNodes(node("a", ""), node("b", "a"), node("c", "b")), nil},
		"a forest":                  {AppendNodes(node("a", ""), node("b", ""), node("c", "a"), node("d", "stored")), nil},
		"itself for a parent":       {AppendNodes(node("a", "a")), ErrGraphCycle},
		"a cycle":                   {AppendNodes(node("a", "c"), node("b", "a"), node("c", "b")), ErrGraphCycle},
		"a cycle below a root":      {ReplaceGraph("", node("r", ""), node("a", "b"), node("b", "a")), ErrGraphCycle},
		"the parent later":          {AppendNodes(node("b", "a"), node("a", "")), ErrUnknownParent},
		"above a later cycle":       {AppendNodes(node("x", "a"), node("a", "b"), node("b", "a")), ErrUnknownParent},
		"an id twice":               {AppendNodes(node("a", ""), node("a", "")), ErrInvalid},
		"an empty id":               {AppendNodes(node("", "")), ErrInvalid},
		"an overlong id":            {AppendNodes(node(strings.Repeat("x", MaxIDLength+1), "")), ErrTooLarge},
		"an id that is no UTF-8":    {AppendNodes(node("\xff", "")), ErrInvalid},
		"an id with a newline":      {AppendNodes(node("a\nb", "")), ErrInvalid},
		"an id with path and dots":  {AppendNodes(node("../../etc/passwd", "")), nil},
		"no payload":                {AppendNodes(Node{ID: "a", Kind: NodePlugin}), ErrInvalid},
		"payload no JSON":           {AppendNodes(Node{ID: "a", Kind: NodePlugin, Payload: json.RawMessage(`{`)}), ErrInvalid},
		"a message without role":    {AppendNodes(Node{ID: "a", Kind: NodeMessage, Payload: json.RawMessage(`{}`)}), ErrInvalid},
		"a plugin with role":        {AppendNodes(Node{ID: "a", Kind: NodePlugin, Role: RoleUser, Payload: json.RawMessage(`{}`)}), ErrInvalid},
		"a role of capitals":        {AppendNodes(Node{ID: "a", Kind: NodeMessage, Role: "User", Payload: json.RawMessage(`{}`)}), ErrInvalid},
		"an unknown kind":           {AppendNodes(Node{ID: "a", Kind: "x", Payload: json.RawMessage(`{}`)}), ErrInvalid},
		"before 1970":               {AppendNodes(Node{ID: "a", Kind: NodePlugin, CreatedAt: time.UnixMilli(-1), Payload: json.RawMessage(`{}`)}), ErrInvalid},
		"after 9999":                {AppendNodes(Node{ID: "a", Kind: NodePlugin, CreatedAt: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), Payload: json.RawMessage(`{}`)}), ErrInvalid},
		"nodes that change nothing": {GraphDelta{Nodes: []Node{node("a", "")}}, ErrInvalid},
		"an unknown change":         {GraphDelta{Change: "drop"}, ErrInvalid},
		"leaf and no leaf":          {GraphDelta{Leaf: "a", ClearLeaf: true}, ErrInvalid},
	} {
		err := c.delta.Validate()
		if c.want == nil {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, c.want, name)
		}
	}
}

// What makes one record is limited as one: each value alone would pass.
func TestRecordsAreLimitedAsAWhole(t *testing.T) {
	t.Parallel()
	text := func(size int) json.RawMessage { return json.RawMessage(`"` + strings.Repeat("x", size-2) + `"`) }
	half, more := text(MaxValueSize/2), text(MaxValueSize/2+1)
	n := node("a", "")
	n.Payload, n.CausedBy = half, half
	require.NoError(t, AppendNodes(n).Validate())
	n.CausedBy = more
	frame := Frame{ID: "f", Reason: "initial", CausedBy: half, Options: half}
	require.NoError(t, validateFrames([]Frame{frame}))
	frame.Assignment = json.RawMessage(`1`)
	meta := SessionMeta{SessionID: "s", Extra: text(MaxMetaSize - 1), Relation: Relation{Kind: RelationChild, ParentSessionID: "p", CausedBy: json.RawMessage(`1`)}}
	require.NoError(t, meta.Validate())
	meta.Relation.CausedBy = json.RawMessage(`10`)
	for field, err := range map[string]error{
		"graph.nodes[0]": AppendNodes(n).Validate(), "frames[0]": validateFrames([]Frame{frame}), "meta": meta.Validate(),
	} {
		var large *TooLargeError
		require.ErrorAs(t, err, &large, field)
		assert.Equal(t, field, large.Field)
	}
}

// Whatever nodes are appended, validation ends, and what it lets pass has every parent before its children.
func TestValidDeltasHaveParentsFirst(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[a-f]`)
		var nodes []Node
		for range rapid.IntRange(0, 8).Draw(t, "count") {
			parent := rapid.StringMatching(`[a-f]?`).Draw(t, "parent")
			nodes = append(nodes, node(id.Draw(t, "id"), parent))
		}
		if AppendNodes(nodes...).Validate() != nil {
			return
		}
		in, before := map[string]bool{}, map[string]bool{}
		for _, n := range nodes {
			in[n.ID] = true
		}
		for _, n := range nodes {
			assert.True(t, !in[n.ParentID] || before[n.ParentID], "%v", nodes)
			before[n.ID] = true
		}
	})
}

func TestTargetLeaf(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "old", GraphDelta{}.TargetLeaf("old"))
	assert.Equal(t, "b", AppendNodes(node("a", ""), node("b", "a")).TargetLeaf("old"))
	assert.Equal(t, "a", ReplaceGraph("a", node("a", ""), node("b", "a")).TargetLeaf("old"))
	assert.Equal(t, "", ReplaceGraph("").TargetLeaf("old"))
	assert.Equal(t, "x", MoveLeaf("x").TargetLeaf("old"))
	assert.Equal(t, "", GraphDelta{ClearLeaf: true}.TargetLeaf("old"))
}

// 8.G.115-116: the same incarnation is the same owner; death is proven on the same boot of the same host alone.
func TestOwnersAndTheProofOfDeath(t *testing.T) {
	t.Parallel()
	process := LocalProcess{HostID: "h", BootID: "b", PID: 7, StartTime: 1}
	holder := Owner{ID: "a", Incarnation: "1", Process: &process}
	me := Owner{ID: "b", Incarnation: "1", Process: &LocalProcess{HostID: "h", BootID: "b", PID: 8, StartTime: 1}}
	assert.True(t, holder.SameIncarnation(Owner{ID: "a", Incarnation: "1"}))
	assert.False(t, holder.SameIncarnation(Owner{ID: "a", Incarnation: "2"}))
	gone := func(LocalProcess) (bool, error) { return false, nil }
	alive := func(LocalProcess) (bool, error) { return true, nil }
	unknown := func(LocalProcess) (bool, error) { return false, errors.New("cannot look") }
	assert.True(t, DefinitelyDead(holder, me, gone))
	assert.False(t, DefinitelyDead(holder, me, alive))
	assert.False(t, DefinitelyDead(holder, me, unknown))
	assert.False(t, DefinitelyDead(holder, me, nil))
	assert.False(t, DefinitelyDead(Owner{ID: "a", Incarnation: "1"}, me, gone), "an opaque holder")
	assert.False(t, DefinitelyDead(holder, Owner{ID: "b", Incarnation: "1"}, gone), "an opaque claimant")
	otherBoot, otherHost := process, process
	otherBoot.BootID, otherHost.HostID = "c", "i"
	assert.False(t, DefinitelyDead(Owner{ID: "a", Incarnation: "1", Process: &otherBoot}, me, gone))
	assert.False(t, DefinitelyDead(Owner{ID: "a", Incarnation: "1", Process: &otherHost}, me, gone))
}

func TestTTLsAreJudged(t *testing.T) {
	t.Parallel()
	for ttl, valid := range map[time.Duration]bool{
		0: true, time.Millisecond: true, MaxLeaseTTL: true, -1: false, time.Microsecond: false, MaxLeaseTTL + 1: false,
	} {
		if err := ValidateTTL(ttl); valid {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ErrInvalid, "%s", ttl)
		}
	}
}

func TestFenceVerify(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1000)
	l := Lease{SessionID: "s", Owner: Owner{ID: "a", Incarnation: "1"}, Token: "t", Generation: 3, ClaimedAt: now, ExpiresAt: now.Add(time.Second)}
	require.NoError(t, l.Fence().Verify("s", l, now))
	require.NoError(t, l.Fence().Verify("s", l, l.ExpiresAt.Add(-1)))
	var none *Fence
	for name, err := range map[string]error{
		"none":        none.Verify("s", l, now),
		"expired":     l.Fence().Verify("s", l, l.ExpiresAt),
		"foreign":     l.Fence().Verify("other", l, now),
		"token":       (&Fence{SessionID: "s", Owner: l.Owner, Token: "x", Generation: 3}).Verify("s", l, now),
		"generation":  (&Fence{SessionID: "s", Owner: l.Owner, Token: "t", Generation: 2}).Verify("s", l, now),
		"incarnation": (&Fence{SessionID: "s", Owner: Owner{ID: "a", Incarnation: "2"}, Token: "t", Generation: 3}).Verify("s", l, now),
		"never taken": (&Fence{SessionID: "s"}).Verify("s", Lease{SessionID: "s"}, now),
	} {
		require.ErrorIs(t, err, ErrLeaseLost, name)
	}
}

// 8.G.148
func TestUsageReportAndDifference(t *testing.T) {
	t.Parallel()
	before := []UsageTotal{{"turn", "m", TokenUsage{Input: 10}}, {"sub", "m", TokenUsage{Output: 1}}}
	after := []UsageTotal{{"turn", "m", TokenUsage{Input: 15, ReasoningOutput: 2}}, {"sub", "m", TokenUsage{Output: 1}}, {"turn", "n", TokenUsage{CacheRead: 4, CacheWrite: 1}}}
	report := ReportUsage(after)
	assert.Equal(t, TokenUsage{Input: 15, ReasoningOutput: 2, CacheRead: 4, CacheWrite: 1}, report.BySource["turn"])
	assert.Equal(t, TokenUsage{Input: 15, ReasoningOutput: 2, Output: 1}, report.ByModel["m"])
	assert.EqualValues(t, 21, report.Total.Total(), "reasoning is inside the output")
	assert.Equal(t, []string{"sub/m", "turn/m", "turn/n"}, pairNames(report.ByPair))

	diff, err := DiffUsage(before, after)
	require.NoError(t, err)
	assert.Equal(t, []UsageTotal{{"turn", "m", TokenUsage{Input: 5, ReasoningOutput: 2}}, {"turn", "n", TokenUsage{CacheRead: 4, CacheWrite: 1}}}, diff)
	_, err = DiffUsage(after, before)
	require.ErrorIs(t, err, ErrUsageDecreased)
	assert.Contains(t, err.Error(), `"turn"`)
}

func pairNames(list []UsageTotal) (names []string) {
	for _, u := range list {
		names = append(names, u.Source+"/"+u.Model)
	}
	return names
}

func TestMessagesOfBothFormsRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		payload, text, title string
		parts                int
	}{
		"text":          {`{"role":"user","content":"hello"}`, "hello", "hello", 1},
		"null":          {`{"role":"assistant","content":null}`, "", "", 0},
		"no content":    {`{"role":"assistant"}`, "", "", 0},
		"parts":         {`{"role":"user","content":[{"type":"text","text":" a "},{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"b"}]}`, "a\n\n[Attachment]\n\nb", "a", 3},
		"tool call":     {`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]}`, "", "", 1},
		"object call":   {`{"role":"assistant","content":"so","tool_calls":[{"id":"c1","function":{"name":"f","arguments":{"x":1}}}]}`, "so", "so", 2},
		"function call": {`{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}`, "", "", 1},
		"no function":   {`{"role":"assistant","content":"so","function_call":null}`, "so", "so", 1},
		"odd function":  {`{"role":"assistant","content":"so","function_call":7}`, "so", "so", 2},
		"odd custom":    {`{"role":"assistant","tool_calls":[{"id":"c","custom":true}]}`, "", "", 1},
		"tool result":   {`{"role":"tool","tool_call_id":"c1","name":"f","content":"42"}`, "", "", 1},
		"native":        {`{"role":"user","parts":[{"kind":"text","text":"hi"},{"kind":"tool_result","text":"no"}]}`, "hi", "hi", 2},
		"native, empty": {`{"role":"user","parts":[]}`, "", "", 0},
	} {
		m, err := ParseMessage(json.RawMessage(c.payload))
		require.NoError(t, err, name)
		assert.Equal(t, c.text, m.Text(), name)
		assert.Equal(t, c.title, m.Title(), name)
		assert.Len(t, m.Parts, c.parts, name)
	}
	for _, bad := range []string{`[]`, `{"role":1}`, `{"role":"user","content":7}`, `{"role":"user","content":[7]}`} {
		_, err := ParseMessage(json.RawMessage(bad))
		require.ErrorIs(t, err, ErrInvalid, bad)
	}
	m, err := ParseMessage(json.RawMessage(`{"role":"assistant","tool_calls":[{"id":"c1","function":{"name":"f","arguments":"{}"}}]}`))
	require.NoError(t, err)
	assert.Equal(t, MessagePart{Kind: PartToolCall, ToolCallID: "c1", ToolName: "f", Text: "{}"}, m.Parts[0])

	m, err = ParseMessage(json.RawMessage(`{"role":"assistant","tool_calls":[{"id":"c1","custom":{"name":"g","input":"free text"}}],` +
		`"function_call":{"name":"f","arguments":"{\"x\":1}"}}`))
	require.NoError(t, err)
	assert.Equal(t, []MessagePart{
		{Kind: PartToolCall, ToolCallID: "c1", ToolName: "g", Text: "free text"},
		{Kind: PartToolCall, ToolName: "f", Text: `{"x":1}`},
	}, m.Parts)
}

func TestTitlesAreCutAtRunes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := Message{Role: RoleUser, Parts: []MessagePart{{Kind: PartText, Text: rapid.StringN(0, 300, -1).Draw(t, "text")}}}
		title := m.Title()
		assert.LessOrEqual(t, len(title), MaxTitleLength)
		assert.NoError(t, validateText("title", title))
	})
}

func TestMessagePayloadRoundTrips(t *testing.T) {
	t.Parallel()
	m := Message{Role: RoleAssistant, Name: "n", Parts: []MessagePart{
		{Kind: PartText, Text: "a"}, {Kind: PartAttachment, Data: json.RawMessage(`{"x":1}`)}, {Kind: PartToolCall, ToolCallID: "c", ToolName: "f", Text: "{}"}}}
	payload, err := m.Payload()
	require.NoError(t, err)
	again, err := ParseMessage(payload)
	require.NoError(t, err)
	assert.Equal(t, m, again)
}

func TestManifestKeepsTheTurnStateByteForByte(t *testing.T) {
	t.Parallel()
	m := Manifest{TurnState: json.RawMessage("{ \"a\" : \"<&>\\u00e9\" , \"n\": 12345678901234567890 }"), Parts: []ManifestPart{
		{Name: "tool_state", Hash: HashOf([]byte("x")), Size: 1, Fingerprint: 9}}}
	record, err := m.Encode()
	require.NoError(t, err)
	again, err := DecodeManifest(record)
	require.NoError(t, err)
	assert.Equal(t, m, again)
	_, err = DecodeManifest([]byte(`[1]`))
	require.ErrorIs(t, err, ErrCorrupt)
}

func TestDiffManifests(t *testing.T) {
	t.Parallel()
	first, err := DiffManifests(nil, json.RawMessage(`{"a":1}`))
	require.NoError(t, err)
	assert.Equal(t, KeyDiff{}, first)
	diff, err := DiffManifests(json.RawMessage(`{"a":1,"b":2,"c":{"x":1.0}}`), json.RawMessage(`{"b":3,"c":{"x":1},"d":4,"e":5}`))
	require.NoError(t, err)
	assert.Equal(t, KeyDiff{Added: []string{"d", "e"}, Removed: []string{"a"}, Changed: []string{"b"}}, diff)
	for _, bad := range []string{`[]`, `null`, ` null `, `1`, ``} {
		_, err = DiffManifests(nil, json.RawMessage(bad))
		require.ErrorIs(t, err, ErrInvalid, bad)
		_, err = DiffManifests(json.RawMessage(bad), json.RawMessage(`{"a":1}`))
		require.ErrorIs(t, err, ErrInvalid, bad)
	}
}

func TestHashesRoundTrip(t *testing.T) {
	t.Parallel()
	h := HashOf([]byte("content"))
	parsed, err := ParseHash(h.String())
	require.NoError(t, err)
	assert.Equal(t, h, parsed)
	for _, bad := range []string{"", "ab", strings.Repeat("z", 64), h.String() + "0"} {
		_, err := ParseHash(bad)
		require.ErrorIs(t, err, ErrInvalid)
	}
	_, err = HashFromBytes(h[:31])
	require.ErrorIs(t, err, ErrInvalid)
	assert.Equal(t, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262", HashOf(nil).String(), "BLAKE3 of nothing")
}

func TestCompressionRule(t *testing.T) {
	t.Parallel()
	assert.False(t, ProfileBalanced.Compresses(GenericBlob, 1<<20))
	assert.False(t, ProfileBalanced.Compresses(ToolState, 4095))
	assert.True(t, ProfileBalanced.Compresses(ToolState, 4096))
	assert.True(t, CompressionProfile("").Compresses(ToolState, 4096), "balanced is the default")
	assert.False(t, ProfileCompact.Compresses(ToolState, 1023))
	assert.True(t, ProfileCompact.Compresses(ToolState, 1024))
	assert.False(t, ProfileLowLatency.Compresses(ToolState, 1<<20))
}

func TestSchemaSections(t *testing.T) {
	t.Parallel()
	session, err := SchemaSection(SessionDatabase)
	require.NoError(t, err)
	assert.Contains(t, session, "CREATE TABLE heads")
	host, err := SchemaSection(HostDatabase)
	require.NoError(t, err)
	assert.NotContains(t, host, "CREATE TABLE heads")
	_, err = SchemaSection("other")
	require.Error(t, err)
}
