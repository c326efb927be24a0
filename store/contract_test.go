package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
	"github.com/lashstore/lashstore/testsuite"
)

func kitOptions(o testsuite.Options) *store.Options {
	return &store.Options{Clock: o.Clock, ProcessProbe: o.Probe, GC: store.GCPolicy{EveryCommits: o.GCEveryCommits}}
}

func TestContractOnDisk(t *testing.T) {
	t.Parallel()
	testsuite.RunSessions(t, testsuite.SessionHarness{
		Durability: lashstore.DurabilityFull,
		Restarts:   true,
		NewPlace: func(t testing.TB) testsuite.Place {
			dir := t.TempDir()
			return testsuite.FactoryPlace(func(t testing.TB, o testsuite.Options) lashstore.SessionFactory {
				f, err := store.NewFactory(dir, kitOptions(o))
				require.NoError(t, err)
				return f
			})
		},
	})
}

// A fleet of two places opens and closes its sessions behind the kit's back all the time.
func TestContractOnAFleet(t *testing.T) {
	t.Parallel()
	testsuite.RunSessions(t, testsuite.SessionHarness{
		Durability: lashstore.DurabilityFull,
		Restarts:   true,
		NewPlace: func(t testing.TB) testsuite.Place {
			dir := t.TempDir()
			return testsuite.FactoryPlace(func(t testing.TB, o testsuite.Options) lashstore.SessionFactory {
				f, err := store.NewFleet(dir, &store.FleetOptions{Options: kitOptions(o), MaxOpen: 2})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, f.Close()) })
				return f
			})
		},
	})
}

// memoryPlace is a session in memory: one handle, and nothing behind it.
type memoryPlace struct{}

func (memoryPlace) Open(t testing.TB, id string, o testsuite.Options) lashstore.SessionStore {
	s, err := store.Memory(t.Context(), lashstore.SessionMeta{SessionID: id}, kitOptions(o))
	require.NoError(t, err)
	return s
}

func (memoryPlace) Factory(testing.TB, testsuite.Options) lashstore.SessionFactory { return nil }

func TestContractInMemory(t *testing.T) {
	t.Parallel()
	testsuite.RunSessions(t, testsuite.SessionHarness{
		Durability: lashstore.DurabilityNone,
		OneHandle:  true,
		NewPlace:   func(testing.TB) testsuite.Place { return memoryPlace{} },
	})
}
