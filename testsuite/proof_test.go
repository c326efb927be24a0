package testsuite_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
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

// Every fault that the reference backend knows is in the table.
func TestMutationsAreAllProven(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../internal/refstore/mutation.go")
	require.NoError(t, err)
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

// Each fault of the reference backend makes the case fail that names its rule. The others that fail with it are logged.
func TestEachMutationFailsTheCaseThatNamesItsRule(t *testing.T) {
	t.Parallel()
	cases := testsuite.SessionCases()
	for _, m := range mutations {
		t.Run(string(m.fault), func(t *testing.T) {
			t.Parallel()
			require.True(t, slices.ContainsFunc(cases, func(c testsuite.Case) bool { return c.Name == m.noticedBy }), "no case %s", m.noticedBy)
			var failed []string
			for _, c := range cases {
				if r := record(t, c, reference(m.fault)); !r.ok() {
					failed = append(failed, c.Name)
				}
			}
			assert.Contains(t, failed, m.noticedBy)
			t.Logf("%d cases fail: %s", len(failed), strings.Join(failed, ", "))
		})
	}
}
