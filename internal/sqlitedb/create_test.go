package sqlitedb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

// born is what makes a database count as whole in these tests.
func born(ctx context.Context, tx *Tx) error {
	_, err := tx.ExecContext(ctx, insertSQL, 1, 42)
	return err
}

func dirNames(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// wholeFile makes a database and returns its bytes.
func wholeFile(t *testing.T) []byte {
	t.Helper()
	path := testPath(t)
	d, err := Open(t.Context(), path, testKind, &Options{OnCreate: born})
	require.NoError(t, err)
	require.NoError(t, d.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

// Bad input: a file that is cut to nothing, or inside its first page.
//
// 1. It is refused as damage in every mode, with a log beside it and without.
// 2. Not a byte of it, or of its log, changes, and nothing appears beside it.
func TestCutFilesAreRefusedUntouched(t *testing.T) {
	t.Parallel()
	whole := wholeFile(t)
	for _, size := range []int{0, 1, 15, 16, 17, 18, 99, 100, 511, 512, 2047} {
		for _, log := range []bool{false, true} {
			for _, mode := range []Mode{Create, Existing, ReadOnly} {
				path := testPath(t)
				require.NoError(t, os.WriteFile(path, whole[:size], 0o600))
				files := []string{"test.db"}
				if log {
					require.NoError(t, os.WriteFile(path+"-wal", []byte("what was committed last"), 0o600))
					files = append(files, "test.db-wal")
				}
				_, err := Open(t.Context(), path, testKind, &Options{Mode: mode})
				var corrupt *lashstore.CorruptError
				require.ErrorAs(t, err, &corrupt, "cut at %d", size)
				assert.Equal(t, "test.db", corrupt.Key)
				after, err := os.ReadFile(path)
				require.NoError(t, err)
				assert.Equal(t, string(whole[:size]), string(after))
				assert.Equal(t, files, dirNames(t, filepath.Dir(path)))
				if log {
					left, err := os.ReadFile(path + "-wal")
					require.NoError(t, err)
					assert.Equal(t, "what was committed last", string(left))
				}
			}
		}
	}
}

// A database is whole when it appears: at the moment of its link the file is one already, of our layout, in WAL mode.
func TestNewDatabaseAppearsWhole(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	copied := testPath(t)
	_, err := Open(t.Context(), path, testKind, &Options{OnCreate: born, link: func(from, _ string) error {
		data, err := os.ReadFile(from)
		return errors.Join(err, os.WriteFile(copied, data, 0o600), context.Canceled, fs.ErrExist)
	}})
	require.ErrorIs(t, err, fs.ErrNotExist, "somebody else was faster, and removed it")
	assert.Empty(t, dirNames(t, filepath.Dir(path)), "no file of ours stays")
	data, err := os.ReadFile(copied)
	require.NoError(t, err)
	assert.Equal(t, []byte{walVersion, walVersion}, data[writeVersion:readVersion+1])
	d := openTest(t, copied, &Options{Mode: Existing})
	assert.EqualValues(t, 42, number(t, d, sumSQL))
}

// Where links are refused: of many that create one database, one makes it, all get it, nothing else stays.
func TestCreationWithoutLinks(t *testing.T) {
	t.Parallel()
	path := testPath(t)
	refused := func(from, to string) error {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: fs.ErrPermission}
	}
	var created atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			d, err := Open(context.Background(), path, testKind, &Options{OnCreate: born, link: refused})
			if !assert.NoError(t, err) {
				return
			}
			if d.Created() {
				created.Add(1)
			}
			assert.NoError(t, update(context.Background(), d, addSQL, 1, 1))
			assert.NoError(t, d.Close())
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, created.Load())
	assert.Equal(t, []string{"test.db"}, dirNames(t, filepath.Dir(path)))
	assert.EqualValues(t, 42+8, number(t, openTest(t, path, &Options{Mode: Existing}), sumSQL))
}

// A log whose database is gone would be played back into the next one of that name.
func TestLogWithoutItsDatabaseIsNoPlaceForANewOne(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"-wal", "-journal"} {
		path := testPath(t)
		require.NoError(t, os.WriteFile(path+suffix, []byte("somebody's last commits"), 0o600))
		_, err := Open(t.Context(), path, testKind, nil)
		require.ErrorIs(t, err, lashstore.ErrCorrupt)
		assert.Equal(t, []string{"test.db" + suffix}, dirNames(t, filepath.Dir(path)))
		require.NoError(t, os.Truncate(path+suffix, 0))
		openTest(t, path, nil)
	}
}

// 1. What a killed creation left is removed when it is old. 2. Nothing else is, and nothing that is young.
func TestLeftoversGoWhenTheyAreOld(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	leftover := "test.db" + newInfix + "ABCDEFGHIJKLMNOP"
	keep := []string{"test.db", "test.db-wal", "test.db-new-", "test.db-new-short", "test.db-new-abcdefghijklmnop", newInfix + "ABCDEFGHIJKLMNOP", leftover + "2"}
	sweep := func(age time.Duration) {
		for _, name := range append([]string{leftover}, keep...) {
			path := filepath.Join(dir, name)
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-age)))
		}
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			removed, err := RemoveLeftover(dir, e)
			require.NoError(t, err)
			assert.Equal(t, e.Name() == leftover && age > leftoverAge, removed, e.Name())
		}
	}
	sweep(59 * time.Minute)
	sweep(61 * time.Minute)
	assert.ElementsMatch(t, keep, dirNames(t, dir))
}

// createMany makes one database after the other and prints the name of each that it has.
func createMany(dir string) error {
	for i := 0; ; i++ {
		d, err := Open(context.Background(), filepath.Join(dir, fmt.Sprintf("%d-%d.db", os.Getpid(), i)), testKind, &Options{OnCreate: born})
		if err != nil {
			return err
		}
		fmt.Println(filepath.Base(d.Path()))
		if err := d.Close(); err != nil {
			return err
		}
	}
}

// Killed at any moment, a creation leaves a database that is whole or none: no file that ends as a database does is less
// than one, and what was acknowledged is there.
func TestKilledCreationLeavesAWholeDatabaseOrNone(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	for range 20 {
		c := child(t, "create", dir)
		stdout, err := c.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		life := time.Duration(random.IntN(20_000)) * time.Microsecond
		var acknowledged []string
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if acknowledged == nil {
				time.AfterFunc(life, func() { assert.NoError(t, c.Process.Kill()) })
			}
			acknowledged = append(acknowledged, lines.Text())
		}
		require.Error(t, c.Wait(), "the child ended by itself")
		names := dirNames(t, dir)
		assert.Subset(t, names, acknowledged)
		for _, name := range names {
			if strings.HasSuffix(name, ".db") {
				d, err := Open(t.Context(), filepath.Join(dir, name), testKind, &Options{Mode: Existing})
				require.NoError(t, err)
				assert.EqualValues(t, 42, number(t, d, sumSQL))
				require.NoError(t, d.Close())
				require.NoError(t, os.Remove(filepath.Join(dir, name)))
			}
		}
	}
}
