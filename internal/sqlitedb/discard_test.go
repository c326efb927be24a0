package sqlitedb

import (
	"bufio"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

// What is of no use goes, with all that SQLite keeps beside it.
func TestDiscardRemovesWhatIsOfNoUse(t *testing.T) {
	t.Parallel()
	cases := map[string]func(string){
		"cut to nothing":        func(path string) { require.NoError(t, os.WriteFile(path, nil, 0o600)) },
		"cut in its page":       func(path string) { require.NoError(t, os.WriteFile(path, wholeFile(t)[:700], 0o600)) },
		"cut behind its page":   func(path string) { require.NoError(t, os.WriteFile(path, wholeFile(t)[:pageSize], 0o600)) },
		"a log of what is gone": func(path string) { require.NoError(t, os.WriteFile(path+"-wal", []byte("log"), 0o600)) },
	}
	for name, file := range foreign(t) {
		cases[name] = file.make
	}
	for name, prepare := range cases {
		path := testPath(t)
		prepare(path)
		for _, suffix := range companions {
			require.NoError(t, os.WriteFile(path+suffix, []byte("left behind"), 0o600))
		}
		require.NoError(t, Discard(t.Context(), path, testKind, nil), name)
		assert.Empty(t, dirNames(t, filepath.Dir(path)), name)
		d := openTest(t, path, nil)
		assert.Zero(t, number(t, d, countSQL))
	}
}

// A database that opens is not discarded, nor one whose opening fails for another reason than damage.
func TestDiscardLeavesWhatOpens(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	d := openTest(t, path, nil)
	run(t, d, insertSQL, 1, 5)
	require.ErrorIs(t, Discard(t.Context(), path, testKind, nil), lashstore.ErrBusy, "it is open")
	require.NoError(t, d.Close())
	require.ErrorIs(t, Discard(t.Context(), path, testKind, nil), lashstore.ErrNotDamaged)
	refuse := &Options{OnOpen: func(*Tx) error { return lashstore.ErrSessionMismatch }}
	require.ErrorIs(t, Discard(t.Context(), path, testKind, refuse), lashstore.ErrSessionMismatch)
	crash := testPath(t)
	d = openTest(t, crash, nil)
	run(t, d, insertSQL, 1, 7)
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(crash + suffix)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path+suffix, data, 0o600))
	}
	require.ErrorIs(t, Discard(t.Context(), path, testKind, nil), lashstore.ErrNotDamaged)
	assert.EqualValues(t, 7, number(t, openTest(t, path, nil), sumSQL), "with what its WAL held")

	require.ErrorIs(t, Discard(t.Context(), testPath(t), testKind, nil), fs.ErrNotExist)
	require.ErrorIs(t, Discard(t.Context(), t.TempDir(), testKind, nil), lashstore.ErrNotADatabase)
}

// What OnOpen calls damage is damage.
func TestDiscardAsksWhatEveryOpenAsks(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	require.NoError(t, os.WriteFile(path, wholeFile(t), 0o600))
	require.NoError(t, Discard(t.Context(), path, testKind, &Options{OnOpen: func(*Tx) error {
		return &lashstore.CorruptError{What: "row", Key: "1", Reason: "missing"}
	}}))
	assert.Empty(t, dirNames(t, filepath.Dir(path)))
}

// 1. Nothing is removed under a connection of another process, or of another program.
// 2. It is when they have closed.
func TestDiscardWaitsForWhoeverHasItOpen(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	openTest(t, testPath(t), nil)
	require.NoError(t, os.WriteFile(path, wholeFile(t), 0o600))
	c := child(t, "hold", path)
	stdin, err := c.StdinPipe()
	require.NoError(t, err)
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	_, err = bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 0))
	require.ErrorIs(t, Discard(t.Context(), path, testKind, nil), lashstore.ErrBusy)
	assert.FileExists(t, path)
	_, err = stdin.Write([]byte("go\n"))
	require.NoError(t, err)
	require.NoError(t, c.Wait())
	require.NoError(t, os.Truncate(path, 0))
	require.NoError(t, Discard(t.Context(), path, testKind, nil))

	shell, err := sql.Open("sqlite3", "file:"+path)
	require.NoError(t, err)
	_, err = shell.Exec("PRAGMA journal_mode = WAL; CREATE TABLE foreign_table (x)")
	require.NoError(t, err)
	require.ErrorIs(t, Discard(t.Context(), path, testKind, nil), lashstore.ErrBusy)
	require.NoError(t, shell.Close())
	require.NoError(t, Discard(t.Context(), path, testKind, nil))
	assert.Empty(t, dirNames(t, filepath.Dir(path)))
}

// The database goes last: a removal that does not come to its end leaves it, and no log alone.
func TestDiscardRemovesTheDatabaseLast(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(path+"-shm", "cannot be removed"), 0o700))
	require.NoError(t, os.WriteFile(path+"-wal", []byte("log"), 0o600))
	require.Error(t, Discard(t.Context(), path, testKind, nil))
	assert.FileExists(t, path)
	require.NoError(t, os.RemoveAll(path+"-shm"))
	require.NoError(t, Discard(t.Context(), path, testKind, nil))
	assert.Empty(t, dirNames(t, filepath.Dir(path)))
}
