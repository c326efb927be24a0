package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func init() {
	// Imports what comes on standard input.
	childRoles["import portable"] = func(dir string) error {
		f, err := store.NewFactory(dir, nil)
		if err != nil {
			return err
		}
		_, err = f.ImportPortable(context.Background(), os.Stdin, nil)
		return err
	}
	// Makes a large session of a stream, writes it as one again, and says how much memory it had at the most.
	childRoles["large portable"] = func(dir string) error {
		f, err := store.NewFactory(dir, &store.Options{Durability: lashstore.DurabilityNormal})
		if err != nil {
			return err
		}
		r, w := io.Pipe()
		go func() { w.CloseWithError(writeLarge(w)) }()
		if _, err := f.ImportPortable(context.Background(), r, nil); err != nil {
			return err
		}
		s, err := f.OpenReadOnly(context.Background(), sessionID)
		if err != nil {
			return err
		}
		var size counter
		if _, err := s.ExportPortable(context.Background(), &size); err != nil {
			return err
		}
		peak, err := peakMemory()
		fmt.Println(size, peak)
		if closing := s.Close(); err == nil {
			err = closing
		}
		return err
	}
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// peakMemory is the most that this process ever had in memory, in bytes.
func peakMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0, fmt.Errorf("no VmHWM in %s", status)
	}
	kib, err := strconv.ParseInt(string(found[1]), 10, 64)
	return kib << 10, err
}

// writeLarge writes a session of more than 300 MiB: large blobs, large nodes and many small ones.
func writeLarge(w io.Writer) error {
	e, err := lashstore.NewPortableEncoder(w, sessionID)
	if err != nil {
		return err
	}
	put := func(r lashstore.PortableRecord) {
		if err == nil {
			err = e.Encode(r)
		}
	}
	put(lashstore.PortableRecord{Session: &lashstore.PortableSession{Name: "large", Relation: lashstore.RelationRoot, KeepRevisions: 1, Config: json.RawMessage(`{}`)}})
	random := rand.NewChaCha8([32]byte{})
	for range 20 {
		content := make([]byte, 8<<20)
		_, _ = random.Read(content) // it never fails
		put(lashstore.PortableRecord{Blob: &lashstore.PortableBlob{Hash: lashstore.HashOf(content), Kind: lashstore.BlobGeneric, Size: int64(len(content))}})
		for piece := 0; piece < len(content); piece += lashstore.MaxPortablePiece {
			put(lashstore.PortableRecord{Piece: &lashstore.PortablePiece{Data: content[piece:][:lashstore.MaxPortablePiece]}})
		}
	}
	payload := json.RawMessage(`"` + strings.Repeat("large ", 1<<18) + `"`)
	last := ""
	const large, all = 100, 4000
	for i := range all {
		if i == large {
			payload = json.RawMessage(`"small"`)
		}
		id := fmt.Sprint("n", i)
		put(lashstore.PortableRecord{Node: &lashstore.PortableNode{ID: id, ParentID: last, Kind: lashstore.NodePlugin, Revision: 1, Payload: payload}})
		last = id
	}
	put(lashstore.PortableRecord{Revision: &lashstore.PortableRevision{Revision: 1, Movement: lashstore.MovedByCommit, Leaf: last}})
	put(lashstore.PortableRecord{Head: &lashstore.PortableHead{Revision: 1, Leaf: last}})
	if err == nil {
		err = e.Close()
	}
	return err
}

// A session of some 360 MiB goes in and out in a fraction of that.
func TestPortableStreamsTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip("the race detector takes several times the memory itself")
	}
	if _, err := peakMemory(); err != nil {
		t.Skipf("memory cannot be measured here: %v", err)
	}
	if testing.Short() {
		t.Skip("it writes 360 MiB")
	}
	p := start(t, "large portable", t.TempDir())
	var size, peak int64
	_, err := fmt.Sscan(p.line(t), &size, &peak)
	require.NoError(t, err)
	require.NoError(t, p.Wait())
	t.Logf("%d MiB of stream, %d MiB of memory", size>>20, peak>>20)
	assert.Greater(t, size, int64(300<<20))
	assert.Less(t, peak, size/2)
}

// 1. An import that is killed, wherever, leaves no session, and nothing that a list would show.
// 2. What it leaves besides goes with the first list after an hour.
// 3. The same import again makes the session.
func TestKilledPortableImportLeavesNothing(t *testing.T) {
	t.Parallel()
	source := setup(t, &store.Options{Durability: lashstore.DurabilityNormal})
	source.turns(3)
	for i := range 12 { // enough for some transactions
		content := make([]byte, 1<<20)
		_, err := rand.NewChaCha8([32]byte{byte(i)}).Read(content)
		require.NoError(t, err)
		_, err = source.PutBlob(t.Context(), lashstore.GenericBlob, content)
		require.NoError(t, err)
	}
	stream := exported(t, source.Store)
	dir := t.TempDir()
	f, err := store.NewFactory(dir, nil)
	require.NoError(t, err)
	for _, share := range []int{1, 50, 99} {
		p := start(t, "import portable", dir)
		_, err := p.in.Write(stream[:len(stream)*share/100])
		require.NoError(t, err)
		if share > 10 { // the child has read what no pipe holds: it is filling
			require.NotEmpty(t, glob(t, dir, "*-new-*"))
		}
		require.NoError(t, p.Process.Kill())
		require.Error(t, p.Wait())
		require.Empty(t, glob(t, dir, "*.db"))
		for info, err := range f.Sessions(t.Context()) {
			require.Fail(t, "a session is listed", "%v %v", info, err)
		}
	}
	left := glob(t, dir, "*")
	require.NotEmpty(t, left)
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range left {
		require.NoError(t, os.Chtimes(name, old, old))
	}
	for info, err := range f.Sessions(t.Context()) {
		require.Fail(t, "a session is listed", "%v %v", info, err)
	}
	require.Empty(t, glob(t, dir, "*"))
	_, err = f.ImportPortable(t.Context(), bytes.NewReader(stream), nil)
	require.NoError(t, err)
	require.Len(t, glob(t, dir, "*"), 1)
}

func glob(t testing.TB, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	return names
}
