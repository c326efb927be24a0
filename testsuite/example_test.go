package testsuite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
	"github.com/lashstore/lashstore/testsuite"
)

// A backend's own test. It is here for its form: an example has no *testing.T to run it with.
func ExampleRunSessions() {
	_ = func(t *testing.T) {
		testsuite.RunSessions(t, testsuite.SessionHarness{
			Durability: lashstore.DurabilityFull,
			Restarts:   true,
			NewPlace: func(t testing.TB) testsuite.Place {
				dir := t.TempDir()
				return testsuite.FactoryPlace(func(t testing.TB, o testsuite.Options) lashstore.SessionFactory {
					f, err := store.NewFactory(dir, &store.Options{
						Clock: o.Clock, ProcessProbe: o.Probe, GC: store.GCPolicy{EveryCommits: o.GCEveryCommits},
					})
					if err != nil {
						t.Fatal(err)
					}
					return f
				})
			},
		})
	}
	// Output:
}

// standIn is as much of a test as opening takes.
type standIn struct{ testing.TB }

func (standIn) Helper()                  {}
func (standIn) Context() context.Context { return context.Background() }

// Two opens of one place are two handles on the same storage.
func ExampleFactoryPlace() {
	dir, err := os.MkdirTemp("", "lashstore-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	place := testsuite.FactoryPlace(func(_ testing.TB, o testsuite.Options) lashstore.SessionFactory {
		f, err := store.NewFactory(dir, &store.Options{Clock: o.Clock})
		if err != nil {
			log.Fatal(err)
		}
		return f
	})
	options := testsuite.Options{Clock: testsuite.NewClock()}
	s := place.Open(standIn{}, "demo", options)
	defer s.Close()
	for info, err := range place.Factory(standIn{}, options).Sessions(context.Background()) {
		fmt.Println(info.Meta.SessionID, info.Meta.CreatedAt.Equal(testsuite.Epoch), err)
	}
	// Output: demo true <nil>
}

// Which cases hold a backend to one clause?
func ExampleSessionCases() {
	for _, c := range testsuite.SessionCases() {
		if strings.HasSuffix(c.Clause, "10.W28") {
			fmt.Println(c.Name)
		}
	}
	// Output:
	// Checkpoint/MissingCarriedPartRefused
	// Blob/CarriedByTheNextCommitSurvives
	// GC/KeepsCarriedParts
	// GC/RacesWithCommits
}

func ExampleClock() {
	clock := testsuite.NewClock()
	clock.Advance(90 * time.Second)
	fmt.Println(clock.Now().Sub(testsuite.Epoch))
	// Output: 1m30s
}
