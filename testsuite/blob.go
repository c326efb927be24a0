package testsuite

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/lashstore/lashstore"
)

func blobCases() []Case {
	return []Case{
		{"Blob/RoundTrip", "3.1, BlobStore", blobRoundTrip},
		{"Blob/SameContentIsOneBlob", "3.1, PutBlob", blobSameContentIsOneBlob},
		{"Blob/Streams", "BlobStore.OpenBlob", blobStreams},
		{"Blob/MissingIsAnError", "10.W4", blobMissingIsAnError},
		{"Blob/MalformedRefused", "PutBlob", blobMalformedRefused},
		{"Blob/IsSparedForOneCommit", "10.W28, BlobStore", blobIsSparedForOneCommit},
		{"Blob/PutAgainIsSparedAnew", "10.W28, PutBlob", blobPutAgainIsSparedAnew},
		{"Blob/CarriedByTheNextCommitSurvives", "10.W28", blobCarriedByTheNextCommitSurvives},
	}
}

// contents are of every size and nature.
var contents = map[string][]byte{
	"empty": {}, "one byte": {0}, "text": []byte("text"), "compressible": bytes.Repeat([]byte("0123456789abcdef"), 20_000),
	"incompressible": noise(700_001),
}

// noise is bytes that do not compress, always the same.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint64(88172645463325252)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

func (f *fixture) put(content []byte) lashstore.Hash {
	f.t.Helper()
	hash, err := f.PutBlob(f.ctx, lashstore.GenericBlob, content)
	f.ok("put blob", err)
	equal(f.t, "hash", hash, lashstore.HashOf(content))
	return hash
}

func (f *fixture) holds(what string, content []byte) {
	f.t.Helper()
	got, err := f.Blob(f.ctx, lashstore.HashOf(content))
	f.ok(what, err)
	if got == nil || !bytes.Equal(got, content) {
		f.t.Fatalf("%s: got %d bytes, not the %d that were put", what, len(got), len(content))
	}
}

func (f *fixture) lacks(what string, content []byte) {
	f.t.Helper()
	_, err := f.Blob(f.ctx, lashstore.HashOf(content))
	is(f.t, what, err, lashstore.ErrMissingBlob)
}

func blobRoundTrip(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for _, d := range []lashstore.ArtifactDescriptor{{}, lashstore.GenericBlob, lashstore.ToolState, {Kind: "of_my_own", Hints: 255}} {
		for what, content := range contents {
			hash, err := f.PutBlob(f.ctx, d, append([]byte(d.Kind), content...))
			f.ok("put "+what, err)
			equal(t, "hash", hash, lashstore.HashOf(append([]byte(d.Kind), content...)))
			f.holds(what, append([]byte(d.Kind), content...))
		}
	}
	f.put(nil)
	f.holds("nil is empty content", []byte{})
	second := f.other()
	for what, content := range contents {
		second.holds(what+" on a second handle", content)
	}
}

// The first description stays, whatever later ones say.
func blobSameContentIsOneBlob(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	content := bytes.Repeat([]byte("same "), 2000)
	for _, d := range []lashstore.ArtifactDescriptor{lashstore.ToolState, lashstore.GenericBlob, lashstore.ModuleArtifact} {
		hash, err := f.PutBlob(f.ctx, d, content)
		f.ok("put", err)
		equal(t, "hash", hash, lashstore.HashOf(content))
	}
	stats, err := f.Stats(f.ctx)
	f.ok("stats", err)
	equal(t, "blobs, bytes", [2]int64{stats.Blobs, stats.BlobBytes}, [2]int64{1, 10_000})
	stream, info, err := f.OpenBlob(f.ctx, lashstore.HashOf(content))
	f.ok("open", err)
	f.ok("close", stream.Close())
	equal(t, "kind", info.Kind, lashstore.BlobToolState)
}

func blobStreams(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for what, content := range contents {
		hash, err := f.PutBlob(f.ctx, lashstore.ToolState, content)
		f.ok("put", err)
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"at once": func(r io.Reader) io.Reader { return r }, "by halves": iotest.HalfReader,
		} {
			stream, info, err := f.OpenBlob(f.ctx, hash)
			f.ok("open "+what, err)
			equal(t, "hash, kind, size", [3]any{info.Hash, info.Kind, info.Size}, [3]any{hash, lashstore.BlobToolState, int64(len(content))})
			got, err := io.ReadAll(wrap(stream))
			f.ok("read "+what+" "+name, err)
			equal(t, what+" "+name+" is what was put", bytes.Equal(got, content), true)
			f.ok("close", stream.Close())
		}
	}
	stream, _, err := f.OpenBlob(f.ctx, lashstore.HashOf(contents["incompressible"]))
	f.ok("open", err)
	_, err = io.ReadFull(stream, make([]byte, 1000))
	f.ok("read the beginning", err)
	f.add(user("a commit while a stream is open", ""))
	f.ok("close before the end", stream.Close())
}

func blobMissingIsAnError(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.put([]byte("another"))
	nowhere := lashstore.HashOf([]byte("never stored"))
	for _, hash := range []lashstore.Hash{nowhere, {}} {
		_, err := f.Blob(f.ctx, hash)
		equal(t, "blob named", as[*lashstore.MissingBlobError](t, "read", err).Hash, hash)
		is(t, "read", err, lashstore.ErrMissingBlob)
		_, _, err = f.OpenBlob(f.ctx, hash)
		is(t, "open", err, lashstore.ErrMissingBlob)
	}
}

func blobMalformedRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for _, kind := range []lashstore.BlobKind{"Upper", "a-b", "a b", "ä", "\x00"} {
		_, err := f.PutBlob(f.ctx, lashstore.ArtifactDescriptor{Kind: kind}, []byte("x"))
		is(t, fmt.Sprintf("kind %q", kind), err, lashstore.ErrInvalid)
	}
	f.lacks("refused content", []byte("x"))
}

// A blob that was put is spared until one more commit was made, then it is garbage like any other.
func blobIsSparedForOneCommit(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for round := range 2 {
		content := fmt.Append(nil, "put in round ", round)
		f.put(content)
		for range 2 {
			report := f.gc(nil)
			equal(t, "spared, deleted", [2]int64{report.Spared, report.Deleted}, [2]int64{1, 0})
			f.holds("before the next commit", content)
		}
		f.add(user(fmt.Sprint("n", round), ""))
		report := f.gc(nil)
		equal(t, "spared, deleted", [2]int64{report.Spared, report.Deleted}, [2]int64{0, 1})
		f.lacks("after the next commit", content)
	}
}

func blobPutAgainIsSparedAnew(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	content := []byte("put twice")
	f.put(content)
	f.add(user("n", ""))
	f.put(content)
	equal(t, "deleted", f.gc(nil).Deleted, 0)
	f.holds("put again", content)
	f.add(user("m", "n"))
	equal(t, "deleted", f.gc(nil).Deleted, 1)
}

func blobCarriedByTheNextCommitSurvives(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.commit(turn(1, ""))
	content := []byte("put for the next commit")
	hash := f.put(content)
	f.gc(nil)
	c := lashstore.Commit{Checkpoint: f.checkpoint().Carry()}
	c.Checkpoint.Parts["part"] = lashstore.PartRef(hash)
	f.commit(c)
	f.add(user("n", ""))
	f.gc(nil)
	f.holds("carried", content)
	equal(t, "part", string(f.checkpoint().Parts["part"].Content), string(content))
}
