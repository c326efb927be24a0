// Package testsuite holds a backend to the contract of package lashstore. A backend's own test is a dozen lines:
//
//	func TestContract(t *testing.T) {
//		testsuite.RunSessions(t, testsuite.SessionHarness{
//			Durability: lashstore.DurabilityFull,
//			Restarts:   true,
//			NewPlace: func(t testing.TB) testsuite.Place {
//				dir := t.TempDir()
//				return testsuite.FactoryPlace(func(t testing.TB, o testsuite.Options) lashstore.SessionFactory {
//					return mybackend.NewFactory(dir, o.Clock, o.Probe, o.GCEveryCommits)
//				})
//			},
//		})
//	}
//
// Each case proves one clause and says in its name which. All of them run in parallel, each in a place of its own;
// time is an injected clock. What a case leaves must pass SessionStore.Verify.
//
// The kit itself is proven: a backend that does nothing fails every case, and each of the known ways to get a rule
// wrong fails the case that names the rule.
//
// This package imports the standard library and package lashstore alone.
package testsuite

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/lashstore/lashstore"
)

// SessionHarness is what a backend gives to be tested.
type SessionHarness struct {
	// NewPlace returns fresh, empty storage that lives as long as t. Required.
	NewPlace func(t testing.TB) Place
	// Durability is what the backend declares.
	Durability lashstore.Durability
	// Restarts says that an open after the last close finds everything again. Where it does not, the cases that need a
	// restart are skipped.
	Restarts bool
	// OneHandle says that a place has neither a second handle nor a factory, as a session in memory may. Races then run
	// on the one handle, and the cases of the factory and of restarts are skipped.
	OneHandle bool
}

// Place is one storage. Two opens of one place are two handles on the same storage; an open after a close is a restart.
// The kit closes what it opened. Both methods fail t when they cannot do what they are for.
type Place interface {
	// Open opens the session, and creates it when it is missing.
	Open(t testing.TB, sessionID string, o Options) lashstore.SessionStore
	// Factory returns a factory on the place. Nil where the harness says OneHandle.
	Factory(t testing.TB, o Options) lashstore.SessionFactory
}

// Options configure a handle or a factory. Those of one place have the same clock.
type Options struct {
	// Clock is to be read inside the transactions; nil is the system's.
	Clock lashstore.Clock
	// Probe proves lease holders dead; nil where no case depends on it.
	Probe lashstore.ProcessProbe
	// GCEveryCommits collects garbage after each commit whose revision is a multiple of it, before the commit returns;
	// 0 never.
	GCEveryCommits int
}

// FactoryPlace is the Place of a backend whose sessions are all opened by a factory.
type FactoryPlace func(t testing.TB, o Options) lashstore.SessionFactory

// Open opens the session, and creates it when it is missing.
func (p FactoryPlace) Open(t testing.TB, sessionID string, o Options) lashstore.SessionStore {
	t.Helper()
	s, err := p(t, o).CreateSession(t.Context(), lashstore.SessionMeta{SessionID: sessionID})
	if err != nil {
		t.Fatalf("create session %q: %v", sessionID, err)
	}
	return s
}

// Factory returns a factory on the place.
func (p FactoryPlace) Factory(t testing.TB, o Options) lashstore.SessionFactory { return p(t, o) }

// Case proves one clause of the contract.
type Case struct {
	Name   string // "Commit/StaleRevisionChangesNothing"
	Clause string // what it proves: numbers in docs/contract.md such as "8.A.3" or "10.W22", or names of package lashstore
	Run    func(t testing.TB, h SessionHarness)
}

// RunSessions runs every case as a parallel subtest.
func RunSessions(t *testing.T, h SessionHarness) {
	for _, c := range SessionCases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			t.Logf("proves %s", c.Clause)
			c.Run(t, h)
		})
	}
}

// SessionCases returns all cases.
func SessionCases() []Case {
	return slices.Concat(
		sessionCases(), commitCases(), refusalCases(), turnCases(), graphCases(), replaceCases(), loadCases(), pathCases(),
		historyCases(), branchCases(), checkpointCases(), frameCases(), usageCases(), metaCases(), leaseCases(), fenceCases(), reclaimCases(),
		workCases(), claimCases(), inputCases(), laneCases(), outboxCases(),
		blobCases(), artifactCases(), tombstoneCases(), vacuumCases(), gcCases(), factoryCases(), deleteCases(),
	)
}

// opened sees to it that s is sound and closed when the test ends, unless the test closed it or deleted the session.
func opened(t testing.TB, s lashstore.SessionStore) lashstore.SessionStore {
	t.Helper()
	if s == nil {
		t.Fatal("no store was opened")
	}
	t.Cleanup(func() {
		report, err := s.Verify(context.Background())
		if err != nil && !errors.Is(err, lashstore.ErrClosed) && !errors.Is(err, lashstore.ErrSessionDeleted) {
			t.Errorf("verify: %v", err)
		}
		for _, f := range report.Findings {
			t.Errorf("verify: %s %s: %s", f.Kind, f.Key, f.Detail)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}
