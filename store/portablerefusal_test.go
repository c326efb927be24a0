package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// recordsOf are those of a stream.
func recordsOf(t testing.TB, stream []byte) []lashstore.PortableRecord {
	t.Helper()
	d, err := lashstore.NewPortableDecoder(bytes.NewReader(stream))
	require.NoError(t, err)
	var records []lashstore.PortableRecord
	for {
		r, err := d.Decode()
		if errors.Is(err, io.EOF) {
			return records
		}
		require.NoError(t, err)
		records = append(records, r)
	}
}

// streamOf is a stream that is right in itself, whatever its records say of each other.
func streamOf(t testing.TB, records []lashstore.PortableRecord) []byte {
	t.Helper()
	var b bytes.Buffer
	e, err := lashstore.NewPortableEncoder(&b, sessionID)
	require.NoError(t, err)
	for _, r := range records {
		require.NoError(t, e.Encode(r))
	}
	require.NoError(t, e.Close())
	return b.Bytes()
}

// refuses imports what must be refused, and holds that nothing is left.
func refuses(t testing.TB, stream io.Reader) error {
	t.Helper()
	dir := t.TempDir()
	f, err := store.NewFactory(dir, nil)
	require.NoError(t, err)
	_, err = f.ImportPortable(context.Background(), stream, nil)
	require.Error(t, err)
	left, globErr := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, globErr)
	require.Empty(t, left)
	return err
}

// small is a session of a few records.
func small(t testing.TB) *fixture {
	t.Helper()
	f := setup(t, nil)
	require.NoError(t, f.KeepRevisions(context.Background(), lashstore.DefaultKeepRevisions))
	c := f.turn(1)
	c.Frames = []lashstore.Frame{{ID: "f1", Reason: "initial", ExecutionState: []byte("state")}, {ID: "f2", PreviousID: "f1", Reason: "next"}}
	c.CurrentFrameID = "f2"
	f.commit(c)
	f.commit(f.turn(2))
	require.NoError(t, f.NameBranch(context.Background(), "main", ""))
	_, _, err := f.PutArtifact(context.Background(), lashstore.ArtifactKey{Namespace: "module", Key: "k"}, lashstore.GenericBlob, []byte("artifact"))
	require.NoError(t, err)
	f.line()
	return f
}

// A stream that is damaged or ends early leaves nothing, and says where; so does one whose reader fails.
func TestPortableImportOfADamagedStreamLeavesNothing(t *testing.T) {
	t.Parallel()
	stream := exported(t, small(t).Store)
	step := len(stream)/60 + 1
	for at := 0; at < len(stream); at += step {
		require.ErrorIs(t, refuses(t, bytes.NewReader(stream[:at])), lashstore.ErrPortable, "cut to %d", at)
		damaged := bytes.Clone(stream)
		damaged[at] ^= 4
		var refused *lashstore.PortableError
		require.ErrorAs(t, refuses(t, bytes.NewReader(damaged)), &refused, "byte %d", at)
		require.EqualValues(t, bytes.Count(stream[:at], []byte("\n"))+1, refused.Line)
	}
	broken := errors.New("broken pipe")
	err := refuses(t, io.MultiReader(bytes.NewReader(stream[:len(stream)/2]), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, lashstore.ErrPortable)
}

// A stream that is whole and contradicts itself leaves nothing either.
func TestPortableImportOfAContradictionLeavesNothing(t *testing.T) {
	t.Parallel()
	records := recordsOf(t, exported(t, small(t).Store))
	nowhere := lashstore.HashOf([]byte("nowhere"))
	set := func(of func(*lashstore.PortableRecord) bool) func([]lashstore.PortableRecord) []lashstore.PortableRecord {
		return func(rs []lashstore.PortableRecord) []lashstore.PortableRecord {
			for i := range rs {
				if of(&rs[i]) {
					return rs
				}
			}
			t.Error("no record to change")
			return rs
		}
	}
	drop := func(of func(lashstore.PortableRecord) bool) func([]lashstore.PortableRecord) []lashstore.PortableRecord {
		return func(rs []lashstore.PortableRecord) []lashstore.PortableRecord { return slices.DeleteFunc(rs, of) }
	}
	twice := func(of func(lashstore.PortableRecord) bool) func([]lashstore.PortableRecord) []lashstore.PortableRecord {
		return func(rs []lashstore.PortableRecord) []lashstore.PortableRecord {
			i := slices.IndexFunc(rs, of)
			return slices.Insert(rs, i+1, rs[i])
		}
	}
	for name, change := range map[string]func([]lashstore.PortableRecord) []lashstore.PortableRecord{
		"parent missing": set(func(r *lashstore.PortableRecord) bool {
			if r.Node == nil || r.Node.ParentID == "" {
				return false
			}
			n := *r.Node
			n.ParentID = "nobody"
			r.Node = &n
			return true
		}),
		"node twice":   twice(func(r lashstore.PortableRecord) bool { return r.Node != nil }),
		"branch twice": twice(func(r lashstore.PortableRecord) bool { return r.Branch != nil }),
		"frame twice":  twice(func(r lashstore.PortableRecord) bool { return r.Frame != nil }),
		"entry twice":  twice(func(r lashstore.PortableRecord) bool { return r.Entry != nil }),
		"total twice":  twice(func(r lashstore.PortableRecord) bool { return r.Total != nil }),
		"usage twice":  twice(func(r lashstore.PortableRecord) bool { return r.Usage != nil }),
		"blob twice": func(rs []lashstore.PortableRecord) []lashstore.PortableRecord {
			return slices.Insert(slices.Clone(rs), 1, rs[1], rs[2])
		},
		"frame's state missing": set(func(r *lashstore.PortableRecord) bool {
			if r.Frame != nil {
				r.Frame = &lashstore.PortableFrame{ID: "f1", Reason: "initial", ExecutionState: nowhere}
			}
			return r.Frame != nil
		}),
		"previous frame missing": drop(func(r lashstore.PortableRecord) bool { return r.Frame != nil && r.Frame.ID == "f1" }),
		"current frame missing":  drop(func(r lashstore.PortableRecord) bool { return r.Frame != nil }),
		"artifact's blob missing": set(func(r *lashstore.PortableRecord) bool {
			if r.Artifact != nil {
				r.Artifact = &lashstore.PortableArtifact{Namespace: "module", Key: "k", Ref: nowhere}
			}
			return r.Artifact != nil
		}),
		"branch's leaf missing": set(func(r *lashstore.PortableRecord) bool {
			if r.Branch != nil {
				r.Branch = &lashstore.PortableBranch{Name: "main", Leaf: "nobody"}
			}
			return r.Branch != nil
		}),
		"revision's leaf missing": set(func(r *lashstore.PortableRecord) bool {
			if r.Revision == nil {
				return false
			}
			v := *r.Revision
			v.Leaf, r.Revision = "nobody", &v
			return true
		}),
		"kept checkpoint missing": set(func(r *lashstore.PortableRecord) bool {
			if r.Revision == nil {
				return false
			}
			v := *r.Revision
			v.Checkpoint, r.Revision = nowhere, &v
			return true
		}),
		"head's revision missing": drop(func(r lashstore.PortableRecord) bool { return r.Revision != nil && r.Revision.Revision == 2 }),
		"head behind its nodes":   drop(func(r lashstore.PortableRecord) bool { return r.Revision != nil }),
		"total too low": set(func(r *lashstore.PortableRecord) bool {
			if r.Total != nil {
				r.Total = &lashstore.PortableTotal{Source: r.Total.Source, Model: r.Total.Model}
			}
			return r.Total != nil
		}),
		"totals missing": drop(func(r lashstore.PortableRecord) bool { return r.Total != nil }),
		"work that is not what was submitted": set(func(r *lashstore.PortableRecord) bool {
			if r.Entry == nil || r.Entry.Work == nil || r.Entry.State != lashstore.EntryWaiting {
				return false
			}
			e := *r.Entry
			e.ContentHash, r.Entry = nowhere, &e
			return true
		}),
		"head's leaf missing": head(func(h *lashstore.PortableHead) { h.Leaf = "nobody" }),
		"head's leaf another": head(func(h *lashstore.PortableHead) { h.Leaf = "u1" }),
		"head's checkpoint":   head(func(h *lashstore.PortableHead) { h.Checkpoint = nowhere }),
		"messages miscounted": head(func(h *lashstore.PortableHead) { h.Messages++ }),
		"place given out":     head(func(h *lashstore.PortableHead) { h.LastSeq = 1 }),
		"leaf tombstoned": func(rs []lashstore.PortableRecord) []lashstore.PortableRecord {
			at, revision := int64(1), lashstore.Revision(2)
			for i := range rs {
				if rs[i].Node != nil && rs[i].Node.ID == "a2" {
					n := *rs[i].Node
					n.TombstonedAtMS, n.TombstonedRevision, rs[i].Node = &at, &revision, &n
				}
			}
			return head(func(h *lashstore.PortableHead) { h.Messages-- })(rs)
		},
	} {
		changed := streamOf(t, change(slices.Clone(records)))
		assert.ErrorIs(t, refuses(t, bytes.NewReader(changed)), lashstore.ErrPortable, name)
	}
}

// head changes the last record.
func head(change func(*lashstore.PortableHead)) func([]lashstore.PortableRecord) []lashstore.PortableRecord {
	return func(rs []lashstore.PortableRecord) []lashstore.PortableRecord {
		h := *rs[len(rs)-1].Head
		change(&h)
		rs[len(rs)-1].Head = &h
		return rs
	}
}

// 1. A session that is there is left alone; so is a file that is none, or damaged.
// 2. One that was deleted is none, whether or not its file was there a moment ago.
func TestPortableImportTakesNobodysPlace(t *testing.T) {
	t.Parallel()
	stream := exported(t, small(t).Store)
	s, f := importedFrom(t, stream, &lashstore.ImportOptions{SessionID: "other"})
	before := everything(t, s)
	_, err := f.ImportPortable(t.Context(), bytes.NewReader(stream), &lashstore.ImportOptions{SessionID: "other"})
	require.ErrorIs(t, err, lashstore.ErrSessionExists)
	assert.Equal(t, before, everything(t, s))

	require.NoError(t, os.WriteFile(f.PathOf("rubbish"), []byte("rubbish"), 0o600))
	_, err = f.ImportPortable(t.Context(), bytes.NewReader(stream), &lashstore.ImportOptions{SessionID: "rubbish"})
	require.ErrorIs(t, err, lashstore.ErrSessionExists)

	require.NoError(t, f.DeleteSession(t.Context(), "other"))
	_, err = f.ImportPortable(t.Context(), bytes.NewReader(stream), &lashstore.ImportOptions{SessionID: "other"})
	require.ErrorIs(t, err, lashstore.ErrBusy, "a handle is open on the deleted one")
	require.NoError(t, s.Close())
	made, err := f.ImportPortable(t.Context(), bytes.NewReader(stream), &lashstore.ImportOptions{SessionID: "other"})
	require.NoError(t, err)
	assert.Equal(t, "other", made.SessionID)
	_, err = f.ImportPortable(t.Context(), bytes.NewReader(stream), &lashstore.ImportOptions{SessionID: "a\x00"})
	require.ErrorIs(t, err, lashstore.ErrInvalid)
}

// An export that cannot be written ends, and what was written is refused.
func TestPortableExportEndsWithItsWriter(t *testing.T) {
	t.Parallel()
	f := small(t)
	for limit := range int64(40) {
		var b bytes.Buffer
		_, err := f.ExportPortable(t.Context(), &shortWriter{&b, limit * 200})
		require.ErrorIs(t, err, errShort)
		require.ErrorIs(t, refuses(t, &b), lashstore.ErrPortable)
	}
}

var errShort = errors.New("no more room")

// shortWriter takes so many bytes.
type shortWriter struct {
	w    io.Writer
	left int64
}

func (s *shortWriter) Write(p []byte) (int, error) {
	n, err := s.w.Write(p[:min(int64(len(p)), s.left)])
	if s.left -= int64(n); err == nil && n < len(p) {
		err = errShort
	}
	return n, err
}
