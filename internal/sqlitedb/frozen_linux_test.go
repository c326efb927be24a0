package sqlitedb

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/lashstore/lashstore"
)

// fullDisk mounts a file system of 1 MiB for the database of the test; full fills it to the last byte.
func fullDisk(t *testing.T) (path string, full func()) {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small file system needs a mount, which is refused here: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return filepath.Join(dir, "test.db"), func() {
		require.ErrorIs(t, os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 1<<20), 0o600), unix.ENOSPC)
	}
}

func openReadOnly(t *testing.T, path string) *DB {
	t.Helper()
	d, err := Open(t.Context(), path, testKind, &Options{Mode: ReadOnly, BusyTimeout: 5 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, d.Close()) })
	return d
}

// crashed makes a database at path whose last commit is in its WAL alone, as a process that was killed leaves it, with
// shared memory of nobody beside it or without.
func crashed(t *testing.T, path string, withShm bool) {
	t.Helper()
	from := testPath(t)
	d := openTest(t, from, nil)
	run(t, d, insertSQL, 1, 40)
	_, err := d.Checkpoint(t.Context())
	require.NoError(t, err)
	run(t, d, insertSQL, 2, 2)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(from + suffix)
		require.NoError(t, err)
		require.Positive(t, len(data))
		if suffix != "-shm" || withShm {
			require.NoError(t, os.WriteFile(path+suffix, data, 0o600))
		}
	}
}

// readTwice takes two snapshots at once: more than the connection that the handle was opened with.
func readTwice(t *testing.T, d *DB) int64 {
	t.Helper()
	var inner, outer int64
	require.NoError(t, d.View(t.Context(), func(tx *Tx) error {
		inner = number(t, d, sumSQL)
		return tx.QueryRowContext(tx.Context(), sumSQL).Scan(&outer)
	}))
	require.Equal(t, inner, outer)
	return outer
}

// 1. A database is read from where nothing can be written: closed well, or left by a crash with commits in its WAL.
// 2. Nothing is written there, and nothing left.
func TestReadingWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, path string){
		"closed": func(t *testing.T, path string) {
			d, err := Open(t.Context(), path, testKind, nil)
			require.NoError(t, err)
			run(t, d, insertSQL, 1, 42)
			require.NoError(t, d.Close())
		},
		"crashed":                   func(t *testing.T, path string) { crashed(t, path, true) },
		"crashed, without its -shm": func(t *testing.T, path string) { crashed(t, path, false) },
		"closed, with an empty WAL": closedWithWAL,
		"out of WAL mode":           leftWAL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			prepare(t, filepath.Join(dir, "test.db"))
			before := contents(t, dir)
			d := openReadOnly(t, filepath.Join(readOnlyView(t, dir), "test.db"))
			assert.EqualValues(t, 42, readTwice(t, d))
			problems, err := d.IntegrityCheck(t.Context())
			require.NoError(t, err)
			assert.Empty(t, problems)
			require.ErrorIs(t, update(t.Context(), d, insertSQL, 9, 9), lashstore.ErrReadOnly)
			require.NoError(t, d.Close())
			assert.Equal(t, before, contents(t, dir))
		})
	}
}

func closedWithWAL(t *testing.T, path string) {
	crashed(t, path, false)
	d, err := Open(t.Context(), path, testKind, nil)
	require.NoError(t, err)
	require.NoError(t, d.Close())
	require.NoError(t, os.WriteFile(path+"-wal", nil, 0o600))
}

func leftWAL(t *testing.T, path string) {
	crashed(t, path, false)
	d, err := Open(t.Context(), path, testKind, nil)
	require.NoError(t, err)
	alone, err := d.leaveWAL(t.Context(), d.writer)
	require.NoError(t, err)
	require.True(t, alone)
	require.NoError(t, d.Close())
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range dirNames(t, dir) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		all[name] = string(data)
	}
	return all
}

// On a disk that is full to the last byte, closed well or left by a crash, a new process reads.
func TestReadingOnAFullDisk(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T, string){
		"crashed": func(t *testing.T, path string) { crashed(t, path, false) }, "closed": closedWithWAL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, full := fullDisk(t)
			prepare(t, path)
			full()
			_, err := Open(t.Context(), path, testKind, &Options{Mode: Existing})
			require.ErrorIs(t, err, lashstore.ErrFull, "writing needs room")
			d := openReadOnly(t, path)
			assert.EqualValues(t, 42, readTwice(t, d))
			require.NoError(t, d.Close())
			require.NoError(t, os.Remove(filepath.Join(filepath.Dir(path), "ballast")))
			assert.EqualValues(t, 42, number(t, openTest(t, path, nil), sumSQL), "it is as it was")
		})
	}
}

// Somebody who may write does.
//
// 1. What was read meanwhile is ErrBusy, whatever the reader made of it.
// 2. The next snapshot is the new state, with the writer still there: commits in the WAL, and in the file after a checkpoint.
func TestReadingWhereOthersWrite(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("one place that can be written, and not, needs a mount, which is the superuser's")
	}
	for _, linked := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(readOnlyView(t, dir), "test.db")
		if linked { // SQLite finds a WAL by the file's own name
			link := filepath.Join(t.TempDir(), "link.db")
			require.NoError(t, os.Symlink(path, link))
			path = link
		}
		readWhileWritten(t, filepath.Join(dir, "test.db"), path)
	}
}

func readWhileWritten(t *testing.T, written, read string) {
	t.Helper()
	w, err := Open(t.Context(), written, testKind, nil)
	require.NoError(t, err)
	run(t, w, insertSQL, 1, 1)
	d := openReadOnly(t, read)
	assert.EqualValues(t, 1, number(t, d, sumSQL))
	run(t, w, insertSQL, 2, 0)
	assert.EqualValues(t, 2, number(t, d, countSQL), "between two snapshots")
	for i, write := range []func(){
		func() { run(t, w, addSQL, 1, 1) },
		func() {
			_, err := w.Checkpoint(t.Context())
			require.NoError(t, err)
		},
		func() { run(t, w, addSQL, 1, 1) },
		func() { require.NoError(t, w.Close()) },
	} {
		err = d.View(t.Context(), func(tx *Tx) error {
			var n int64
			err := tx.QueryRowContext(tx.Context(), sumSQL).Scan(&n)
			write()
			return err
		})
		require.ErrorIs(t, err, lashstore.ErrBusy, "write %d", i)
		assert.EqualValues(t, 2+i/2, number(t, d, sumSQL), "write %d", i)
	}
}

// 1. A file that changed within a tick of its file system's clock is waited for, and ErrBusy in the end: the next change
// might not show. 2. Whole seconds are the tick of a clock that knows no other.
func TestReadingWaitsUntilChangesShow(t *testing.T) {
	t.Parallel()
	d := newDB(testKind, (&Options{}).withDefaults())
	d.path = testPath(t)
	require.NoError(t, os.WriteFile(d.path, wholeFile(t), 0o600))
	now := time.Now()
	second := now.Truncate(time.Second)
	for _, c := range []struct {
		changed, now time.Time
		fresh        bool
	}{
		{second.Add(1), second.Add(tick), true}, {second.Add(1), second.Add(1 + tick), false},
		{second, second.Add(coarseTick - 1), true}, {second, second.Add(coarseTick), false},
		{second.Add(time.Hour + 1), second, false},
	} {
		require.NoError(t, os.Chtimes(d.path, time.Time{}, c.changed))
		f, err := d.filesNow()
		require.NoError(t, err)
		assert.Equal(t, c.fresh, f.fresh(c.now), "%v", c)
	}
	require.NoError(t, os.Chtimes(d.path, time.Time{}, now.Add(time.Hour)))
	_, err := d.settledFiles(t.Context(), now)
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(d.path, time.Time{}, second.Add(time.Second)))
	_, err = d.settledFiles(t.Context(), now)
	require.ErrorIs(t, err, lashstore.ErrBusy)
}

// What is foreign or damaged is refused by its own typed error where nothing can be written, too.
func TestForeignFilesAreRefusedWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := map[string]error{"cut.db": lashstore.ErrCorrupt}
	for name, file := range foreign(t) {
		file.make(filepath.Join(dir, name+".db"))
		want[name+".db"] = file.want
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cut.db"), nil, 0o600))
	view := readOnlyView(t, dir)
	for name, sentinel := range want {
		_, err := Open(t.Context(), filepath.Join(view, name), testKind, &Options{Mode: ReadOnly})
		require.ErrorIs(t, err, sentinel, name)
	}
}

// A damaged page is damage there, too, and not served.
func TestDamageIsFoundWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	d, err := Open(t.Context(), path, testKind, nil)
	require.NoError(t, err)
	for i := range 200 {
		run(t, d, "INSERT INTO t (id, v, b) VALUES (?, 1, ?)", i, make([]byte, 500))
	}
	require.NoError(t, d.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	copy(data[10*pageSize:], bytes.Repeat([]byte{0xff}, pageSize))
	require.NoError(t, os.WriteFile(path, data, 0o600))
	frozen := openReadOnly(t, filepath.Join(readOnlyView(t, dir), "test.db"))
	problems, err := frozen.IntegrityCheck(t.Context())
	if err != nil {
		require.ErrorIs(t, err, lashstore.ErrCorrupt)
	} else {
		assert.NotEmpty(t, problems)
	}
}
