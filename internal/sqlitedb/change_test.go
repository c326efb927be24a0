package sqlitedb

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

func init() {
	// Adds one for each line that it reads, and says when.
	childRoles["add"] = func(path string) error {
		d, err := Open(context.Background(), path, testKind, &Options{Mode: Existing})
		if err != nil {
			return err
		}
		fmt.Println("ready")
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			if err := update(context.Background(), d, addSQL, 1, 1); err != nil {
				return err
			}
			fmt.Println(time.Now().UnixNano())
		}
		return d.Close()
	}
}

// waitFor waits until the sum is n, and counts the looks.
func waitFor(ctx context.Context, d *DB, n int64, looks *atomic.Int64) error {
	return d.Await(ctx, func(tx *Tx) (bool, int64, error) {
		looks.Add(1)
		var sum int64
		err := tx.QueryRowContext(tx.Context(), sumSQL).Scan(&sum)
		return sum == n, 0, err
	})
}

// begun waits until a waiter has looked once.
func begun(t *testing.T, looks *atomic.Int64) {
	t.Helper()
	eventually(t, "the waiter has looked", func() bool { return looks.Load() > 0 })
}

// 1. What is so already is not waited for.
// 2. A commit by the same handle, by another handle of the process, and in memory, wakes at once.
func TestWaitersAreWokenInTheProcess(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	onDisk, other := openTest(t, path, nil), openTest(t, path, nil)
	inMemory, err := OpenMemory(t.Context(), testKind, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, inMemory.Close()) })
	for _, d := range []*DB{onDisk, inMemory} {
		run(t, d, insertSQL, 1, 0)
	}
	var looks atomic.Int64
	require.NoError(t, waitFor(t.Context(), onDisk, 0, &looks))
	for name, c := range map[string]struct{ waits, writes *DB }{
		"same handle": {onDisk, onDisk}, "other handle": {onDisk, other}, "memory": {inMemory, inMemory},
	} {
		var looks atomic.Int64
		sum := number(t, c.waits, sumSQL)
		woken := make(chan error, 1)
		go func() { woken <- waitFor(t.Context(), c.waits, sum+1, &looks) }()
		begun(t, &looks)
		run(t, c.writes, addSQL, 1, 1)
		select {
		case err := <-woken:
			require.NoError(t, err, name)
		case <-time.After(20 * time.Second):
			require.Fail(t, "never woken", name)
		}
	}
}

// A commit of another process wakes, again and again.
func TestWaitersAreWokenByOtherProcesses(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	d := openTest(t, path, nil)
	run(t, d, insertSQL, 1, 0)
	c := child(t, "add", path)
	in, err := c.StdinPipe()
	require.NoError(t, err)
	pipe, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	out := bufio.NewScanner(pipe)
	require.True(t, out.Scan())
	for i := range int64(20) {
		var looks atomic.Int64
		woken := make(chan error, 1)
		go func() { woken <- waitFor(t.Context(), d, i+1, &looks) }()
		begun(t, &looks)
		_, err := fmt.Fprintln(in)
		require.NoError(t, err)
		select {
		case err := <-woken:
			require.NoError(t, err)
		case <-time.After(20 * time.Second):
			require.Fail(t, "never woken")
		}
		require.True(t, out.Scan())
	}
	require.NoError(t, in.Close())
	require.NoError(t, c.Wait())
}

// Whoever does not use this package does not say when a commit is published: the looks come back until it is.
func TestWaitersSeeCommitsOfOtherPrograms(t *testing.T) {
	t.Parallel()
	sqlite3, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("no sqlite3 on this machine")
	}
	path := testPath(t)
	d := openTest(t, path, nil)
	run(t, d, insertSQL, 1, 0)
	var looks atomic.Int64
	woken := make(chan error, 1)
	go func() { woken <- waitFor(t.Context(), d, 1, &looks) }()
	begun(t, &looks)
	c := exec.Command(sqlite3, path)
	c.Stdin = strings.NewReader(".timeout 10000\nUPDATE t SET v = 1 WHERE id = 1;\n")
	text, err := c.CombinedOutput()
	require.NoError(t, err, string(text))
	select {
	case err := <-woken:
		require.NoError(t, err)
	case <-time.After(20 * time.Second):
		require.Fail(t, "never woken")
	}
}

// 1. Waiting ends with its context, and with the handle.
// 2. A moment that the look names is kept.
// 3. Nobody looks while nothing happens.
func TestWaitingEndsAndKeepsStill(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	var looks atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	woken := make(chan error, 2)
	go func() { woken <- waitFor(ctx, d, 1, &looks) }()
	begun(t, &looks)
	cancel()
	require.ErrorIs(t, <-woken, context.Canceled)

	times := 0
	require.NoError(t, d.Await(t.Context(), func(tx *Tx) (bool, int64, error) {
		times++
		return times == 2, lashstore.Millis(tx.Now) + 20, nil
	}))

	looks.Store(0)
	go func() { woken <- waitFor(t.Context(), d, 1, &looks) }()
	begun(t, &looks)
	select {
	case <-woken:
		require.Fail(t, "woken by nothing")
	case <-time.After(300 * time.Millisecond): // nothing can be told of what does not happen but that it did not yet
		assert.EqualValues(t, 1, looks.Load())
	}
	require.NoError(t, d.Close())
	require.ErrorIs(t, <-woken, lashstore.ErrClosed)
}

// Many come and go on some databases: nobody misses a change, and nothing is left watching.
func TestWaitersComeAndGo(t *testing.T) {
	t.Parallel()
	const rounds, waiters = 30, 4
	path := testPath(t)
	d, other := openTest(t, path, nil), openTest(t, path, nil)
	run(t, d, insertSQL, 1, 0)
	for i := range int64(rounds) {
		woken := make(chan error, waiters)
		for w := range waiters {
			go func() {
				var looks atomic.Int64
				woken <- waitFor(t.Context(), []*DB{d, other}[w%2], i+1, &looks)
			}()
		}
		run(t, []*DB{other, d}[i%2], addSQL, 1, 1)
		for range waiters {
			select {
			case err := <-woken:
				require.NoError(t, err)
			case <-time.After(20 * time.Second):
				require.Fail(t, "never woken")
			}
		}
	}
	d.topic.mu.Lock()
	assert.Zero(t, d.topic.waiters)
	assert.Nil(t, d.topic.watch)
	d.topic.mu.Unlock()
}

// watching reports whether the watcher is kept for a database, and whether its files are watched.
func watching(t *topic) (kept, watched bool) {
	watcher.mu.Lock()
	defer watcher.mu.Unlock()
	return watcher.users[t] && watcher.files != nil, watcher.byWAL[t.path+walSuffix] == t
}

// 1. Whoever was woken does not end the watcher: it stays for the next time, and watches nothing meanwhile.
// 2. It stays as long as a handle is open, and ends with the last, even with one that somebody waits on.
func TestWatcherStaysUntilTheDatabaseIsClosed(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	d, other := openTest(t, path, nil), openTest(t, path, nil)
	run(t, d, insertSQL, 1, 0)
	var looks atomic.Int64
	require.NoError(t, waitFor(t.Context(), d, 0, &looks))
	kept, watched := watching(d.topic)
	assert.True(t, kept)
	assert.False(t, watched)

	looks.Store(0)
	woken := make(chan error, 1)
	go func() { woken <- waitFor(t.Context(), d, 1, &looks) }()
	begun(t, &looks)
	_, watched = watching(d.topic)
	assert.True(t, watched)
	require.NoError(t, other.Close())
	kept, watched = watching(d.topic)
	assert.True(t, kept && watched, "the other handle is open")
	require.NoError(t, d.Close())
	require.ErrorIs(t, <-woken, lashstore.ErrClosed)
	kept, watched = watching(d.topic)
	assert.False(t, kept || watched)

	late := openTopic(path) // whose waiter is slower than the closing
	for _, suffix := range []string{walSuffix, shmSuffix} {
		require.NoError(t, os.WriteFile(path+suffix, nil, 0o600))
	}
	_, err := late.join()
	require.NoError(t, err)
	late.close()
	kept, watched = watching(late)
	assert.True(t, kept && watched)
	late.leave()
	kept, watched = watching(late)
	assert.False(t, kept || watched)
}

// Where files cannot be watched, whoever waits looks once in a while.
func TestUnwatchedDatabasesAreLookedAt(t *testing.T) {
	t.Parallel()
	d := openTest(t, testPath(t), nil)
	d.topic.close()
	d.topic = openTopic(d.path + "-moved") // whose files are not there
	var looks atomic.Int64
	woken := make(chan error, 1)
	go func() { woken <- waitFor(t.Context(), d, 7, &looks) }()
	begun(t, &looks)
	other, err := Open(t.Context(), d.path, testKind, nil)
	require.NoError(t, err)
	run(t, other, insertSQL, 1, 7)
	require.NoError(t, other.Close())
	select {
	case err := <-woken:
		require.NoError(t, err)
	case <-time.After(20 * time.Second):
		require.Fail(t, "never looked again")
	}
}
