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
