package testsuite_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/lashstore/lashstore/testsuite"
)

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
