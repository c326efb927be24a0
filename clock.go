package lashstore

import "time"

// Clock tells the time. A backend reads it once per transaction, inside the transaction, so that the time does not
// grow stale while a writer waits for its turn.
type Clock interface {
	Now() time.Time
}

// ClockFunc makes a function a Clock.
type ClockFunc func() time.Time

// Now calls f.
func (f ClockFunc) Now() time.Time { return f() }

// SystemClock is the machine's clock.
var SystemClock Clock = ClockFunc(time.Now)

// Durability says what a commit that returned nil survives.
type Durability string

const (
	// DurabilityFull: power loss. The default of stores on disk.
	DurabilityFull Durability = "full"
	// DurabilityNormal: a crash of the process. Power loss may take the last commits, never half of one.
	DurabilityNormal Durability = "normal"
	// DurabilityNone: nothing; the store lives in memory and ends with its last handle.
	DurabilityNone Durability = "none"
)
