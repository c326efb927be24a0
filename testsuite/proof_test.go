package testsuite_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/refstore"
	"github.com/lashstore/lashstore/testsuite"
)

// reference is the harness of the reference backend, whose places outlive their handles, with one fault or none.
func reference(m refstore.Mutation) testsuite.SessionHarness {
	return testsuite.SessionHarness{
		Durability: lashstore.DurabilityNone,
		Restarts:   true,
		NewPlace: func(testing.TB) testsuite.Place {
			place := refstore.NewPlace()
			return testsuite.FactoryPlace(func(_ testing.TB, o testsuite.Options) lashstore.SessionFactory {
				return refstore.NewFactory(place, refstore.Options{
					Clock: o.Clock, Probe: o.Probe, GCEveryCommits: o.GCEveryCommits, Mutation: m,
				})
			})
		},
	}
}

func TestReferencePassesEveryCase(t *testing.T) {
	t.Parallel()
	testsuite.RunSessions(t, reference(refstore.None))
}

// 1. Names are unique and have the form Noun/Clause; every case says where its clause comes from.
func TestCasesAreNamed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range testsuite.SessionCases() {
		assert.False(t, seen[c.Name], "%s comes twice", c.Name)
		seen[c.Name] = true
		assert.Equal(t, 1, strings.Count(c.Name, "/"), c.Name)
		assert.NotEmpty(t, c.Clause, c.Name)
		assert.NotNil(t, c.Run, c.Name)
	}
}

func TestDoingNothingFailsEveryCase(t *testing.T) {
	t.Parallel()
	for name, backend := range map[string]nothing{"zero": {}, "with manners": {manners: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := testsuite.SessionHarness{
				Durability: lashstore.DurabilityFull, Restarts: true,
				NewPlace: func(testing.TB) testsuite.Place { return backend },
			}
			for _, c := range testsuite.SessionCases() {
				r := record(t, c, h)
				assert.False(t, r.ok(), "%s passes (skipped: %v) though nothing was done", c.Name, r.skipped)
			}
		})
	}
}

// sources are the files that match a pattern, one behind the other.
func sources(t *testing.T, pattern string) (all []byte) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		all = append(all, data...)
	}
	return all
}

// mutations are all of them.
var mutations = slices.Concat(sessionMutations, workMutations, inputMutations, historyMutations)

// Every fault that the reference backend knows is in the table.
func TestMutationsAreAllProven(t *testing.T) {
	t.Parallel()
	source := sources(t, "../internal/refstore/mutation*.go")
	declared := regexp.MustCompile(`(?m)^\t\w+ +Mutation = "(.+)"$`).FindAllSubmatch(source, -1)
	var names, proven []string
	for _, d := range declared {
		names = append(names, string(d[1]))
	}
	for _, m := range mutations {
		proven = append(proven, string(m.fault))
	}
	assert.ElementsMatch(t, names, proven)
}

// failing are the names of the cases that fail under a fault. Several run at once: some wait for what never comes.
func failing(t *testing.T, cases []testsuite.Case, fault refstore.Mutation) (names []string) {
	records := make([]*recorder, len(cases))
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i, c := range cases {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			records[i] = record(t, c, reference(fault))
		})
	}
	wg.Wait()
	for i, r := range records {
		if !r.ok() {
			names = append(names, cases[i].Name)
		}
	}
	return names
}

// Each fault of the reference backend makes the case fail that names its rule. With LASHSTORE_ALL_CASES every case is run
// against every fault, and those that fail besides are logged, which takes minutes.
func TestEachMutationFailsTheCaseThatNamesItsRule(t *testing.T) {
	t.Parallel()
	all := os.Getenv("LASHSTORE_ALL_CASES") != ""
	byName := map[string]testsuite.Case{}
	for _, c := range testsuite.SessionCases() {
		byName[c.Name] = c
	}
	for _, m := range mutations {
		t.Run(string(m.fault), func(t *testing.T) {
			t.Parallel()
			named, known := byName[m.noticedBy]
			require.True(t, known, "no case %s", m.noticedBy)
			cases := []testsuite.Case{named}
			if all {
				cases = testsuite.SessionCases()
			}
			failed := failing(t, cases, m.fault)
			assert.Contains(t, failed, m.noticedBy)
			t.Logf("%d of %d cases fail: %s", len(failed), len(cases), strings.Join(failed, ", "))
		})
	}
}
