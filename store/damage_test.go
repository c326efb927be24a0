package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/testdb"
	"github.com/lashstore/lashstore/store"
)

// What a person with a shell could do to a session, and what must be said of it. load is what Load returns, gc what the
// collection returns; nil where the damage does not concern it. No collection may delete on top of damage to what names
// blobs.
var damages = []struct {
	clause     string
	statements []string
	load, gc   error
	finding    lashstore.FindingKind
}{
	{"10.W2/ManifestCorrupt", []string{"UPDATE blobs SET content = CAST('{}' AS BLOB), codec = 'raw', size = 2 WHERE hash = (SELECT checkpoint_hash FROM heads)"},
		lashstore.ErrCorrupt, lashstore.ErrCorrupt, lashstore.FindingBlobCorrupt},
	{"10.W2/ManifestMissing", []string{"DELETE FROM blobs WHERE hash = (SELECT checkpoint_hash FROM heads)"},
		lashstore.ErrMissingBlob, lashstore.ErrMissingBlob, lashstore.FindingBlobMissing},
	{"10.W2/HeadMissing", []string{"DELETE FROM heads"}, lashstore.ErrCorrupt, lashstore.ErrCorrupt, lashstore.FindingHead},
	{"10.W2/HeadHashCut", []string{"UPDATE heads SET checkpoint_hash = x'0102'"}, lashstore.ErrCorrupt, lashstore.ErrCorrupt, lashstore.FindingHead},
	{"10.W3/PayloadNoJSON", []string{"UPDATE nodes SET payload = '{\"role\":' WHERE node_id = 'u2'"}, lashstore.ErrCorrupt, nil, lashstore.FindingGraph},
	{"10.W3/ParentMissing", []string{"DELETE FROM nodes WHERE node_id = 'u2'"}, lashstore.ErrCorrupt, nil, lashstore.FindingForeignKey},
	{"10.W3/ParentTombstoned", []string{"UPDATE nodes SET tombstoned_at_ms = 1 WHERE node_id = 'u2'"}, lashstore.ErrCorrupt, nil, lashstore.FindingGraph},
	{"10.W3/LeafTombstoned", []string{"UPDATE nodes SET tombstoned_at_ms = 1 WHERE node_id = 'a4'", "UPDATE heads SET messages = messages - 1"},
		lashstore.ErrCorrupt, nil, lashstore.FindingHead},
	{"10.W4/PartMissing", []string{"DELETE FROM blobs WHERE kind = 'tool_state' AND revision = 2"}, lashstore.ErrMissingBlob, lashstore.ErrMissingBlob, lashstore.FindingBlobMissing},
	{"10.W4/PartCorrupt", []string{"UPDATE blobs SET content = CAST('tools of turn X' AS BLOB) WHERE kind = 'tool_state' AND revision = 2"},
		lashstore.ErrCorrupt, nil, lashstore.FindingBlobCorrupt},
	{"10.W4/CompressedPartCut", []string{"UPDATE blobs SET content = substr(content, 1, 20) WHERE kind = 'execution_state' AND revision = 2"},
		lashstore.ErrCorrupt, nil, lashstore.FindingBlobCorrupt},
	{"10.W4/SizeLies", []string{"UPDATE blobs SET size = 1 WHERE kind = 'execution_state' AND revision = 2"}, lashstore.ErrCorrupt, nil, lashstore.FindingBlobCorrupt},
	{"10.W9/RelationNoJSON", []string{"UPDATE sessions SET relation_kind = 'child', parent_session_id = 'p', relation_cause = '{'"}, nil, nil, lashstore.FindingMeta},
	{"10.W9/ConfigNoJSON", []string{"UPDATE sessions SET config = 'x'"}, lashstore.ErrCorrupt, nil, lashstore.FindingHead},
	{"10.W23/ParentCycle", []string{"UPDATE nodes SET parent_seq = (SELECT seq FROM nodes WHERE node_id = 'a3') WHERE node_id = 'u1'"}, lashstore.ErrCorrupt, nil, lashstore.FindingIntegrity},
	{"10.W29/FrameBlobMissing", []string{"DELETE FROM blobs WHERE kind = 'execution_state' AND size = 5"}, lashstore.ErrMissingBlob, lashstore.ErrMissingBlob, lashstore.FindingBlobMissing},
	{"10.W54/TotalTooLow", []string{"UPDATE usage_totals SET input = 1"}, nil, nil, lashstore.FindingUsage},
	{"8.A.41/ReceiptAhead", []string{"INSERT INTO revisions SELECT 99, movement, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, committed_at_ms, NULL FROM revisions WHERE revision = 3"}, nil, nil, lashstore.FindingRevision},
	{"10.W58/SummaryWrong", []string{"UPDATE heads SET messages = 77"}, nil, nil, lashstore.FindingHead},
}

// 1. Damage is reported by Load, by its own typed error, and never served as data.
// 2. The garbage collection deletes nothing on top of damage to what names blobs.
// 3. Verify names it.
func TestDamageIsReportedAndNeverServed(t *testing.T) {
	t.Parallel()
	for _, d := range damages {
		t.Run(d.clause, func(t *testing.T) {
			t.Parallel()
			f := setup(t, nil)
			f.turns(3)
			withFrame := f.turn(4)
			withFrame.Frames, withFrame.CurrentFrameID = []lashstore.Frame{{ID: "f", Reason: "initial", ExecutionState: []byte("state")}}, "f"
			withFrame.Checkpoint = nil
			f.commit(withFrame)
			f.sound()
			blobs := testdb.Number(t, f.path, "SELECT count(*) FROM blobs")

			err := f.damaged(d.statements)
			if err == nil {
				_, err = f.Load(t.Context(), nil)
				if _, gcErr := f.GC(t.Context(), nil); d.gc != nil {
					require.ErrorIs(t, gcErr, d.gc)
					left := testdb.Number(t, f.path, "SELECT count(*) FROM blobs")
					assert.GreaterOrEqual(t, left, blobs-1, "only what the damage itself took is gone")
				} else {
					require.NoError(t, gcErr)
				}
				assert.Positive(t, f.findings()[d.finding], "%v", f.findings())
			}
			if d.load == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, d.load)
			}
		})
	}
}

// Whatever blob is damaged, a load that leaves the checkpoint out reads the conversation.
func TestConversationIsReadPastADamagedCheckpoint(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"all corrupt":  "UPDATE blobs SET content = CAST('junk' AS BLOB)",
		"all missing":  "DELETE FROM blobs",
		"manifest cut": "UPDATE blobs SET content = substr(content, 1, 5) WHERE hash = (SELECT checkpoint_hash FROM heads)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t, nil)
			c := f.turn(1)
			c.Frames, c.CurrentFrameID = []lashstore.Frame{{ID: "f", Reason: "initial", ExecutionState: []byte("state")}}, "f"
			f.commit(c)
			sound, err := f.Load(t.Context(), nil)
			require.NoError(t, err)
			require.NoError(t, f.damaged([]string{statement}))
			_, err = f.Load(t.Context(), &lashstore.LoadOptions{WithoutParts: true})
			require.Error(t, err)

			sound.Checkpoint, sound.Frames[0].ExecutionState = nil, nil
			s, err := f.Load(t.Context(), &lashstore.LoadOptions{WithoutCheckpoint: true})
			require.NoError(t, err)
			assert.Equal(t, sound, s)
		})
	}
}

// damaged runs statements on the closed file. Damage so deep that the session does not open is the error.
func (f *fixture) damaged(statements []string) error {
	f.t.Helper()
	require.NoError(f.t, f.Store.Close())
	testdb.Exec(f.t, f.path, statements...)
	s, err := store.OpenExisting(context.Background(), f.path, nil)
	if err == nil {
		f.Store = s
	}
	return err
}

// 10.W3: every way to a bad node names it.
func TestBadNodeIsNamedByEveryReader(t *testing.T) {
	t.Parallel()
	f := setup(t, nil)
	f.turns(3)
	require.NoError(t, f.damaged([]string{"UPDATE nodes SET payload = 'broken' WHERE node_id = 'u2'"}))
	_, full := f.Load(t.Context(), &lashstore.LoadOptions{Scope: lashstore.ScopeFull})
	_, node := f.Node(t.Context(), "u2")
	_, children := f.Children(t.Context(), "a1")
	var path error
	for _, err := range f.Path(t.Context(), "") {
		path = errors.Join(path, err)
	}
	for _, err := range []error{full, node, children, path} {
		var corrupt *lashstore.CorruptError
		require.ErrorAs(t, err, &corrupt)
		assert.Equal(t, "u2", corrupt.Key)
	}
	other, err := f.Node(t.Context(), "u1")
	require.NoError(t, err, "what is sound is served")
	assert.Equal(t, "u1", other.ID)
}

// 10.W48, bad input: a flipped byte in a blob, in the file itself.
func TestFlippedByteInABlobIsFound(t *testing.T) {
	t.Parallel()
	f := setup(t, &store.Options{Profile: lashstore.ProfileLowLatency})
	f.turns(1)
	ref := lashstore.HashOf(text(6000, 1))
	f.damage(func(path string) {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		pattern, found := []byte("line 3 of 1; "), 0
		for at := 0; at < len(data); at++ { // a page that moved leaves a copy behind
			if bytes.HasPrefix(data[at:], pattern) {
				testdb.FlipByte(t, path, int64(at))
				found++
			}
		}
		require.Positive(t, found)
	})
	_, err := f.Load(t.Context(), nil)
	require.ErrorIs(t, err, lashstore.ErrCorrupt)
	_, err = f.Blob(t.Context(), ref)
	require.ErrorIs(t, err, lashstore.ErrCorrupt)
	stream, _, err := f.OpenBlob(t.Context(), ref)
	require.NoError(t, err)
	_, err = new(bytes.Buffer).ReadFrom(stream)
	require.ErrorIs(t, err, lashstore.ErrCorrupt)
	require.NoError(t, stream.Close())
	assert.Equal(t, 1, f.findings()[lashstore.FindingBlobCorrupt])

	head, err := f.Load(t.Context(), &lashstore.LoadOptions{WithoutParts: true})
	require.NoError(t, err, "what was stored beside it still loads")
	assert.Len(t, head.Graph.Nodes, 2)
}

// 8.G.111-113: a checkpoint record of no version, of one that is none, and of another one, are told apart.
func TestCheckpointRecordVersionsAreTyped(t *testing.T) {
	t.Parallel()
	for problem, record := range map[lashstore.RecordVersionProblem]string{
		lashstore.VersionMissing:     `{"turn_state":null,"parts":[]}`,
		lashstore.VersionInvalid:     `{"schema_version":"1","turn_state":null,"parts":[]}`,
		lashstore.VersionUnsupported: `{"schema_version":2,"turn_state":null,"parts":[]}`,
	} {
		f := setup(t, nil)
		f.turns(1)
		ref, err := f.PutBlob(t.Context(), lashstore.CheckpointManifest, []byte(record))
		require.NoError(t, err)
		require.NoError(t, f.damaged([]string{"UPDATE heads SET checkpoint_hash = x'" + ref.String() + "'"}))
		_, err = f.Load(t.Context(), nil)
		var version *lashstore.RecordVersionError
		require.ErrorAs(t, err, &version)
		assert.Equal(t, problem, version.Problem)
		_, err = f.GC(t.Context(), nil)
		require.ErrorIs(t, err, lashstore.ErrRecordVersion)
		assert.Equal(t, 1, f.findings()[lashstore.FindingCheckpoint])
	}
}

// 10.W43: an automatic collection that fails is heard of, and the commit stands.
func TestAutomaticCollectionFailureIsVisible(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var failures []error
	f := setup(t, nil)
	f.turns(1)
	require.NoError(t, f.Store.Close())
	testdb.Exec(t, f.path, "DELETE FROM blobs WHERE kind = 'tool_state'")
	var err error
	f.Store, err = store.OpenExisting(t.Context(), f.path, &store.Options{
		Logger: testLogger(&log), GC: store.GCPolicy{EveryCommits: 1, OnResult: func(_ lashstore.GCReport, err error) { failures = append(failures, err) }},
	})
	require.NoError(t, err)
	c := lashstore.Commit{SessionID: sessionID, Expect: lashstore.At(1), WithoutLease: true, Graph: lashstore.MoveLeaf("u1")}
	assert.EqualValues(t, 2, f.commit(c).Revision)
	require.Len(t, failures, 1)
	require.ErrorIs(t, failures[0], lashstore.ErrMissingBlob)
	assert.Contains(t, log.String(), "automatic garbage collection failed")
}
