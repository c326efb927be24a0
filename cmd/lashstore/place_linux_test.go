package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore/internal/testdb"
)

// A data directory that is mounted for reading, and one on a disk that is full: what reads works in a process of its own
// and says what it says elsewhere; what is damaged there is named.
func TestPlace_ReadingWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(t *testing.T, data string) string{
		"read-only mount": func(t *testing.T, data string) string { return testdb.ReadOnlyView(t, data) },
		"full disk": func(t *testing.T, data string) string {
			disk := testdb.SmallDisk(t, "1m")
			require.NoError(t, os.CopyFS(disk, os.DirFS(data)))
			testdb.Fill(t, disk)
			return disk
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCLI(t)
			c.keeps(talk("a", "uaua"), talk("b", "ua"))
			reading := [][]string{{"show", "a"}, {"export", "--all"}, {"verify"}, {"ls", "--json"}}
			want := map[string]string{}
			for _, args := range reading[:3] {
				want[args[0]] = c.fine(args...)
			}
			there := &cli{t: t, data: place(t, c.data)}
			for _, args := range reading {
				out, err := there.child(t.Context(), args...).CombinedOutput()
				require.NoError(t, err, "%v: %s", args, out)
				if args[0] != "ls" { // which names other files
					assert.Equal(t, want[args[0]], string(out))
					continue
				}
				assert.Len(t, documents(t, string(out)), 2)
			}

			require.NoError(t, os.Truncate(c.session("a"), 0))
			require.NoError(t, os.WriteFile(filepath.Join(c.data, "sessions", "junk.db"), []byte("junk, not a database"), 0o600))
			damaged := &cli{t: t, data: place(t, c.data)}
			got := damaged.run("verify", "--json")
			assert.Equal(t, exitWrong, got.code)
			assert.Contains(t, got.stdout, `"kind":"corrupt"`)
			assert.Contains(t, got.stdout, `"kind":"not_a_database"`)
			assert.Contains(t, got.stdout, `"session_id":"b"`)
		})
	}
}
