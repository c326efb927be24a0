package lashstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// portableSample has a record of every kind.
func portableSample() []PortableRecord {
	content := []byte("state of the tools")
	at, revision := int64(1700000000500), Revision(2)
	return []PortableRecord{
		{Session: &PortableSession{
			Name: "s", Relation: RelationChild, ParentSessionID: "mother", RelationCause: json.RawMessage(`{"a":1}`),
			Extra: json.RawMessage("{ \"b\" : 2 }\n"), CreatedAtMS: 1700000000000, KeepRevisions: 20, Config: json.RawMessage(`{}`),
		}},
		{Blob: &PortableBlob{Hash: HashOf(content), Kind: BlobToolState, Size: int64(len(content)), Compressed: true, Revision: 1, CreatedAtMS: at}},
		{Piece: &PortablePiece{Data: content}},
		{Blob: &PortableBlob{Hash: HashOf(nil), Kind: BlobGeneric, CreatedAtMS: at}},
		{Node: &PortableNode{ID: "n1", Kind: NodeMessage, Role: RoleUser, Revision: 1, CreatedAtMS: at, Payload: json.RawMessage("{\n\"role\": \"user\", \"content\": \"h\\u00e9 <&>\"}")}},
		{Node: &PortableNode{ID: "n2", ParentID: "n1", Kind: NodePlugin, FrameID: "f1", Revision: 1, CreatedAtMS: at, TombstonedAtMS: &at, TombstonedRevision: &revision, CausedBy: json.RawMessage("null"), Payload: json.RawMessage("12345678901234567890.50")}},
		{Frame: &PortableFrame{ID: "f1", Reason: "initial", CreatedAtMS: at, Options: json.RawMessage("[]"), ExecutionState: HashOf(content)}},
		{Artifact: &PortableArtifact{Namespace: "module", Key: "main", Ref: HashOf(nil), UpdatedAtMS: at}},
		{Revision: &PortableRevision{Revision: 1, Movement: MovedByCommit, Leaf: "n2", TurnID: "t1", TurnHash: HashOf([]byte("t")), Outbox: []string{"w1"}, CommittedAtMS: at, PinnedAtMS: &at}},
		{Revision: &PortableRevision{Revision: 2, Movement: MovedByRewind, Source: 1, Leaf: "n1", CurrentFrameID: "f1", Usage: TokenUsage{Input: 3}, CommittedAtMS: at}},
		{Branch: &PortableBranch{Name: "main", Leaf: "n1", NamedAtMS: at}},
		{Usage: &PortableUsage{Revision: 2, Source: "turn", Model: "m", Usage: TokenUsage{Input: 3}, RecordedAtMS: at}},
		{Total: &PortableTotal{Source: "turn", Model: "m", Usage: TokenUsage{Input: 3}}},
		{Entry: &PortableEntry{Seq: 1, ID: "w1", SourceKey: "k", State: EntryWaiting, ContentHash: HashOf([]byte("w")), Attempts: 1, NotBeforeMS: &at, EnqueuedAtMS: at, Work: &PortableWork{
			Class: ClassTurn, Delivery: DeliverEarliest, Slot: SlotJoin, MergeKey: "k", Items: []PortableItem{{Kind: "wake", Payload: json.RawMessage("{ }")}}}}},
		{Entry: &PortableEntry{Seq: 3, ID: "i1", State: EntryCompleted, ContentHash: HashOf([]byte("i")), EnqueuedAtMS: at, SettledAtMS: &at, Input: &PortableSubmit{TurnID: "t1", Boundary: AfterWork, Input: json.RawMessage(`"hello"`)}}},
		{Head: &PortableHead{Revision: 2, Leaf: "n1", CurrentFrameID: "f1", Title: "h", Turns: 1, Messages: 1, UserMessages: 1, Tokens: 3, UpdatedAtMS: at, LeaseGeneration: 4, LastSeq: 3}},
	}
}

func encodePortable(t testing.TB, records []PortableRecord) []byte {
	t.Helper()
	var b bytes.Buffer
	e, err := NewPortableEncoder(&b, "s")
	require.NoError(t, err)
	for _, r := range records {
		require.NoError(t, e.Encode(r))
	}
	require.NoError(t, e.Close())
	return b.Bytes()
}

// decodePortable reads a stream to its end.
func decodePortable(r io.Reader) ([]PortableRecord, error) {
	d, err := NewPortableDecoder(r)
	if err != nil {
		return nil, err
	}
	var records []PortableRecord
	for {
		r, err := d.Decode()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		records = append(records, r)
	}
}

// What was encoded is decoded, opaque JSON byte for byte, each record on a line of its own.
func TestPortableRecordsComeBack(t *testing.T) {
	t.Parallel()
	want := portableSample()
	stream := encodePortable(t, want)
	got, err := decodePortable(bytes.NewReader(stream))
	require.NoError(t, err)
	assert.Equal(t, want, got)
	lines := strings.Split(strings.TrimSuffix(string(stream), "\n"), "\n")
	assert.Len(t, lines, len(want)+2)
	for _, line := range lines {
		assert.True(t, json.Valid([]byte(line)))
	}
}

// The form of today stays readable for ever.
func TestPortableGoldenStreamStaysReadable(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile("testdata/portable-1.jsonl")
	require.NoError(t, err)
	got, err := decodePortable(bytes.NewReader(golden))
	require.NoError(t, err)
	assert.Equal(t, portableSample(), got)
	assert.Equal(t, string(golden), string(encodePortable(t, portableSample())), "the form has changed: give it another version")
}

// A flipped bit anywhere is refused at its line, before anything of that line is handed out.
func TestPortableDamageIsRefusedWhereItIs(t *testing.T) {
	t.Parallel()
	stream := encodePortable(t, portableSample())
	for at := range stream {
		damaged := bytes.Clone(stream)
		damaged[at] ^= []byte{1, 0x20, 0x80}[at%3]
		got, err := decodePortable(bytes.NewReader(damaged))
		var refused *PortableError
		require.ErrorAs(t, err, &refused, "byte %d", at)
		require.ErrorIs(t, err, ErrPortable)
		line := bytes.Count(stream[:at], []byte("\n")) + 1
		require.EqualValues(t, line, refused.Line, "byte %d: %v", at, err)
		require.EqualValues(t, bytes.LastIndexByte(stream[:at], '\n')+1, refused.Offset, "byte %d: %v", at, err)
		require.Equal(t, max(0, min(line-2, len(portableSample()))), len(got), "byte %d", at)
	}
}

// A stream that ends early, wherever, is refused at the line that is cut; one that goes on behind its end is too.
func TestPortableStreamsAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	stream := encodePortable(t, portableSample())
	for size := range stream {
		_, err := decodePortable(bytes.NewReader(stream[:size]))
		var refused *PortableError
		require.ErrorAs(t, err, &refused, "cut to %d", size)
		require.EqualValues(t, bytes.Count(stream[:size], []byte("\n"))+1, refused.Line, "cut to %d", size)
	}
	for _, behind := range []string{"\n", "x", string(stream)} {
		_, err := decodePortable(strings.NewReader(string(stream) + behind))
		require.ErrorIs(t, err, ErrPortable)
	}
}

// Lines that are left out, repeated or swapped are refused at the first that is out of place.
func TestPortableLinesAreChained(t *testing.T) {
	t.Parallel()
	lines := strings.SplitAfter(string(encodePortable(t, portableSample())), "\n")
	lines = lines[:len(lines)-1]
	for i := range lines {
		without := strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "")
		twice := strings.Join(append(append([]string{}, lines[:i+1]...), lines[i:]...), "")
		for _, s := range []string{without, twice} {
			_, err := decodePortable(strings.NewReader(s))
			require.ErrorIs(t, err, ErrPortable, "line %d", i+1)
		}
	}
}

// sealed gives objects the checksums that they need, as somebody who makes up a stream would.
func sealed(objects ...string) string {
	var b bytes.Buffer
	e := &PortableEncoder{w: &b, chain: newPortableChain()}
	for _, o := range objects {
		_ = e.write([]byte(o)) // a buffer takes everything
	}
	return b.String()
}

// What is well sealed and still not the form is refused: unknown kinds and members, wrong order, another version.
func TestPortableFormIsStrict(t *testing.T) {
	t.Parallel()
	const header = `{"lashstore":"portable","version":1,"session_id":"s"}`
	const session = `{"n":2,"session":{"name":"s","relation":"root","created_at_ms":1,"keep_revisions":1,"config":{"json":{}}}}`
	const head = `{"n":3,"head":{"revision":0,"turns":0,"messages":0,"user_messages":0,"tokens":0,"lease_generation":0,"last_seq":0}}`
	blob := fmt.Sprintf(`{"n":3,"blob":{"hash":"%s","kind":"generic","size":3,"created_at_ms":1}}`, HashOf([]byte("abc")))
	for name, lines := range map[string][]string{
		"no stream":            {`{"some":"object"}`},
		"another member":       {`{"lashstore":"portable","version":1,"session_id":"s","x":1}`},
		"no session":           {`{"lashstore":"portable","version":1,"session_id":""}`},
		"unknown kind":         {header, `{"n":2,"thing":{}}`},
		"no kind":              {header, `{"n":2}`},
		"two kinds":            {header, session[:len(session)-1] + `,"head":{"revision":0,"turns":0,"messages":0,"user_messages":0,"tokens":0,"lease_generation":0,"last_seq":0}}`},
		"unknown member":       {header, `{"n":2,"session":{"name":"s","relation":"root","created_at_ms":1,"keep_revisions":1,"config":{"json":{}},"colour":1}}`},
		"member in capitals":   {header, `{"n":2,"session":{"Name":"s","relation":"root","created_at_ms":1,"keep_revisions":1,"config":{"json":{}}}}`},
		"wrong number":         {header, strings.Replace(session, `"n":2`, `"n":3`, 1)},
		"head first":           {header, strings.Replace(head, `"n":3`, `"n":2`, 1)},
		"session twice":        {header, session, strings.Replace(session, `"n":2`, `"n":3`, 1)},
		"opaque without form":  {header, strings.Replace(session, `{"json":{}}`, `{}`, 1)},
		"opaque in two forms":  {header, strings.Replace(session, `{"json":{}}`, `{"json":{},"text":"{}"}`, 1)},
		"opaque that is none":  {header, strings.Replace(session, `{"json":{}}`, `{"text":"{"}`, 1)},
		"negative time":        {header, strings.Replace(session, `"created_at_ms":1`, `"created_at_ms":-1`, 1)},
		"piece without blob":   {header, session, `{"n":3,"piece":{"data":"YWJj"}}`},
		"blob without content": {header, session, blob, strings.Replace(head, `"n":3`, `"n":4`, 1)},
		"blob of other hash":   {header, session, blob, `{"n":4,"piece":{"data":"YWJk"}}`},
		"blob of other size":   {header, session, blob, `{"n":4,"piece":{"data":"YWJjZA=="}}`},
		"revisions backwards":  {header, session, `{"n":3,"revision":{"revision":2,"movement":"commit","usage":{"input_tokens":0,"output_tokens":0,"cache_read_input_tokens":0,"cache_write_input_tokens":0,"reasoning_output_tokens":0},"committed_at_ms":1}}`, `{"n":4,"revision":{"revision":1,"movement":"commit","usage":{"input_tokens":0,"output_tokens":0,"cache_read_input_tokens":0,"cache_write_input_tokens":0,"reasoning_output_tokens":0},"committed_at_ms":1}}`},
		"end without head":     {header, session, `{"n":3,"end":{"counts":{"blobs":0,"nodes":0,"frames":0,"artifacts":0,"revisions":0,"branches":0,"usage":0,"totals":0,"entries":0},"digest":"` + Hash{}.String() + `"}}`},
		"end of other digest":  {header, session, head, `{"n":4,"end":{"counts":{"blobs":0,"nodes":0,"frames":0,"artifacts":0,"revisions":0,"branches":0,"usage":0,"totals":0,"entries":0},"digest":"` + Hash{}.String() + `"}}`},
	} {
		_, err := decodePortable(strings.NewReader(sealed(lines...)))
		var refused *PortableError
		require.ErrorAs(t, err, &refused, name)
		assert.EqualValues(t, len(lines), refused.Line, "%s: %v", name, err)
	}
	for _, version := range []string{"2", "17"} {
		_, err := decodePortable(strings.NewReader(`{"lashstore":"portable","version":` + version + `,"anything":1}` + "\n"))
		var other *RecordVersionError
		require.ErrorAs(t, err, &other)
		assert.Equal(t, version, other.Found)
		assert.ErrorIs(t, err, ErrPortable)
	}
}

// The end counts what came before it.
func TestPortableEndCounts(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	e, err := NewPortableEncoder(&b, "s")
	require.NoError(t, err)
	for _, r := range portableSample() {
		require.NoError(t, e.Encode(r))
	}
	assert.Equal(t, PortableCounts{Blobs: 2, Nodes: 2, Frames: 1, Artifacts: 1, Revisions: 2, Branches: 1, Usage: 1, Totals: 1, Entries: 2}, e.Counts())
	e.chain.check.counts.Nodes++
	require.NoError(t, e.Close())
	_, err = decodePortable(&b)
	require.ErrorIs(t, err, ErrPortable)
}

// A record that comes before one of an earlier kind, and any behind the head, is refused.
func TestPortableRecordsHaveAnOrder(t *testing.T) {
	t.Parallel()
	records := portableSample()
	for i, early := range records {
		for _, late := range records[i+1:] {
			from, _, _ := early.only()
			to, _, _ := late.only()
			if from == to || from == stagePiece || to == stagePiece || from == stageSession {
				continue
			}
			var c portableCheck
			require.NoError(t, c.accept(records[0]))
			if err := c.accept(late); err == nil && c.blob == nil {
				require.ErrorIs(t, c.accept(early), ErrInvalid, "%d behind %d", from, to)
			}
		}
	}
}

// The largest value makes a line that is read, even as text in which every character takes two.
func TestPortableLinesHoldTheLargestValue(t *testing.T) {
	t.Parallel()
	payload := json.RawMessage(`[ "` + strings.Repeat(`\"`, (MaxValueSize-6)/2) + `"]`)
	require.Greater(t, len(payload), MaxValueSize-8)
	records := portableSample()
	records[4].Node.Payload = payload
	got, err := decodePortable(bytes.NewReader(encodePortable(t, records)))
	require.NoError(t, err)
	require.True(t, bytes.Equal(payload, got[4].Node.Payload))
	d, err := NewPortableDecoder(io.MultiReader(strings.NewReader(sealed(`{"lashstore":"portable","version":1,"session_id":"s"}`)), endless{}))
	require.NoError(t, err)
	_, err = d.Decode()
	require.ErrorIs(t, err, ErrPortable)
}

// endless is a line without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// The encoder writes nothing that a decoder would refuse, and fails for good.
func TestPortableEncoderRefusesWhatADecoderWould(t *testing.T) {
	t.Parallel()
	e, err := NewPortableEncoder(io.Discard, "s")
	require.NoError(t, err)
	require.ErrorIs(t, e.Close(), ErrPortable)
	require.ErrorIs(t, e.Encode(portableSample()[0]), ErrPortable)
	_, err = NewPortableEncoder(io.Discard, "")
	require.ErrorIs(t, err, ErrInvalid)
	broken := errors.New("broken pipe")
	_, err = NewPortableEncoder(failing{broken}, "s")
	require.ErrorIs(t, err, broken)
	_, err = NewPortableDecoder(io.MultiReader(strings.NewReader(portableMagic), failing{broken}))
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, ErrPortable)
}

// failing fails whoever reads or writes it.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Whatever a stream has become, it is refused with a PortableError, or its records encode to a stream that decodes to
// them. Lines are sealed anew, so that what is behind the checksums is met.
func FuzzPortableDecoder(f *testing.F) {
	for _, line := range bytes.Split(bytes.TrimSpace(encodePortable(f, portableSample())), []byte("\n")) {
		f.Add(bytes.Clone(line))
	}
	var all bytes.Buffer
	for _, line := range bytes.SplitAfter(encodePortable(f, portableSample()), []byte("\n")) {
		if len(line) > portableTail {
			all.Write(append(bytes.Clone(line[:len(line)-portableTail]), "}\n"...))
		}
	}
	f.Add(all.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := decodePortable(bytes.NewReader(data))
		require.ErrorIs(t, err, ErrPortable)
		var objects []string
		for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
			if len(line) > 0 {
				objects = append(objects, string(line))
			}
		}
		records, err := decodePortable(strings.NewReader(sealed(objects...)))
		if err != nil {
			require.ErrorIs(t, err, ErrPortable)
		}
		e, err := NewPortableEncoder(io.Discard, "s")
		require.NoError(t, err)
		for _, r := range records {
			require.NoError(t, e.Encode(r))
		}
	})
}
