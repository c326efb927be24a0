package sqlitedb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

func errorIs(err, target error) bool { return errors.Is(err, target) }

// childRoles are what this test binary does when it is started as a child.
var childRoles = map[string]func(path string) error{
	"open": func(path string) error {
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil { // all children start at once
			return err
		}
		d, err := Open(context.Background(), path, testKind, &Options{OnCreate: func(ctx context.Context, tx *Tx) error {
			_, err := tx.ExecContext(ctx, insertSQL, 1, 1)
			return err
		}})
		if err != nil {
			return err
		}
		if err := update(context.Background(), d, addSQL, 1, 1); err != nil {
			return err
		}
		return d.Close()
	},
	"create": createMany,
	// Commits numbers for ever and prints each that is acknowledged.
	"commit": func(path string) error {
		d, err := Open(context.Background(), path, testKind, &Options{Mode: Existing})
		if err != nil {
			return err
		}
		for {
			var next int64
			if err := d.Update(context.Background(), func(tx *Tx) error {
				if err := tx.QueryRowContext(tx.Context(), "SELECT COALESCE(MAX(id), 0) + 1 FROM t").Scan(&next); err != nil {
					return err
				}
				if _, err := tx.ExecContext(tx.Context(), insertSQL, next, 1); err != nil {
					return err
				}
				_, err := tx.ExecContext(tx.Context(), insertSQL, -next, 1)
				return err
			}); err != nil {
				return err
			}
			fmt.Println(next)
		}
	},
	"hold": func(path string) error {
		d, err := Open(context.Background(), path, testKind, &Options{Mode: Existing})
		if err != nil {
			return err
		}
		return d.Update(context.Background(), func(*Tx) error {
			fmt.Println("held")
			_, err := bufio.NewReader(os.Stdin).ReadString('\n')
			return err
		})
	},
}

func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(self)
	c.Env = append(os.Environ(), "SQLITEDB_TEST_ROLE="+role, "SQLITEDB_TEST_PATH="+path)
	return c
}

// 8.F.101: sixteen processes open one new path at the same moment. All succeed, and the schema is made once.
func TestConcurrentFirstOpenOfProcesses(t *testing.T) {
	t.Parallel()
	for range 3 {
		path := testPath(t)
		const processes = 16
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range processes {
			c := child(t, "open", path)
			stdin, err := c.StdinPipe()
			require.NoError(t, err)
			out := &strings.Builder{}
			c.Stdout, c.Stderr = out, out
			require.NoError(t, c.Start())
			wg.Go(func() {
				<-start
				_, err := stdin.Write([]byte("go\n"))
				assert.NoError(t, err)
				assert.NoError(t, c.Wait(), "%s", out)
			})
		}
		close(start)
		wg.Wait()
		d := openTest(t, path, &Options{Mode: Existing})
		assert.EqualValues(t, 1+processes, number(t, d, sumSQL))
	}
}

// Killed at any moment, a writer loses nothing that it was told is committed, and leaves no half of a transaction.
func TestKilledWriterKeepsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path := testPath(t)
	openTest(t, path, nil)
	acknowledged := int64(0)
	for range 20 {
		c := child(t, "commit", path)
		stdout, err := c.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		life := time.Duration(random.IntN(60)) * time.Millisecond // from its first commit on: starting may take long
		begun := false
		for lines := bufio.NewScanner(stdout); lines.Scan(); begun = true {
			if !begun {
				time.AfterFunc(life, func() { assert.NoError(t, c.Process.Kill()) })
			}
			n, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err == nil { // the last line may be cut
				acknowledged = max(acknowledged, n)
			}
		}
		require.Error(t, c.Wait(), "the child ended by itself")

		d, err := Open(t.Context(), path, testKind, &Options{Mode: Existing})
		require.NoError(t, err)
		assert.GreaterOrEqual(t, number(t, d, "SELECT COALESCE(MAX(id), 0) FROM t"), acknowledged)
		assert.Zero(t, number(t, d, "SELECT COALESCE(SUM(id), 0) FROM t"), "half a transaction")
		closeSound(t, d)
	}
	assert.Positive(t, acknowledged)
}

// Another process holds the write lock for longer than we wait: ErrBusy, and nothing is broken.
func TestBusyIsTypedWhenPatienceEnds(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	d := openTest(t, path, &Options{BusyTimeout: 50 * time.Millisecond})
	c := child(t, "hold", path)
	stdin, err := c.StdinPipe()
	require.NoError(t, err)
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	_, err = bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.ErrorIs(t, update(t.Context(), d, insertSQL, 1, 1), lashstore.ErrBusy)
	assert.Zero(t, number(t, d, countSQL), "reading goes on")
	_, err = stdin.Write([]byte("go\n"))
	require.NoError(t, err)
	require.NoError(t, c.Wait())
	require.NoError(t, update(t.Context(), d, insertSQL, 1, 1))
}
