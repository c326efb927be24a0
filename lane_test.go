package lashstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// 8.G.117 to 119.
func TestLeaseTimingsAreJudged(t *testing.T) {
	t.Parallel()
	assert.Equal(t, LeaseTimings{TTL: 30 * time.Second, Renew: 10 * time.Second}, DefaultLeaseTimings)
	for name, c := range map[string]struct {
		timings LeaseTimings
		field   string
	}{
		"the default":                 {DefaultLeaseTimings, ""},
		"the shortest":                {LeaseTimings{3 * time.Millisecond, time.Millisecond}, ""},
		"exactly three":               {LeaseTimings{3 * time.Second, time.Second}, ""},
		"the longest":                 {LeaseTimings{MaxLeaseTTL, time.Second}, ""},
		"no lease":                    {LeaseTimings{0, time.Millisecond}, "timings.ttl"},
		"below a millisecond":         {LeaseTimings{999 * time.Microsecond, time.Millisecond}, "timings.ttl"},
		"negative":                    {LeaseTimings{-time.Second, time.Millisecond}, "timings.ttl"},
		"too long":                    {LeaseTimings{MaxLeaseTTL + time.Millisecond, time.Second}, "timings.ttl"},
		"no renewal":                  {LeaseTimings{time.Second, 0}, "timings.renew"},
		"renewed below a millisecond": {LeaseTimings{time.Second, 999 * time.Microsecond}, "timings.renew"},
		"a hair under three":          {LeaseTimings{3*time.Second - 1, time.Second}, "timings.ttl"},
		"renewed once":                {LeaseTimings{time.Second, time.Second}, "timings.ttl"},
		"renewal that overflows":      {LeaseTimings{time.Second, 1<<63 - 1}, "timings.ttl"},
	} {
		err := c.timings.Validate()
		if c.field == "" {
			assert.NoError(t, err, name)
		} else {
			assertField(t, name, err, c.field, false)
		}
	}
}

func TestLeaseTimingsForFitAsManyRenewals(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{3 * time.Millisecond, 4 * time.Millisecond, time.Second + 1, 30 * time.Second, MaxLeaseTTL} {
		timings := LeaseTimingsFor(ttl)
		assert.NoError(t, timings.Validate(), ttl)
		assert.Equal(t, ttl, timings.TTL)
		assert.Less(t, ttl-MinRenewals*timings.Renew, time.Duration(MinRenewals), "as rarely as may be")
	}
	assert.Equal(t, DefaultLeaseTimings, LeaseTimingsFor(30*time.Second))
	assertField(t, "too short to renew", LeaseTimingsFor(2*time.Millisecond).Validate(), "timings.renew", false)
}

// What waits is ready exactly when a claim would take it.
func TestReadinessIsWhatCanBeClaimed(t *testing.T) {
	t.Parallel()
	at := &WaitOptions{At: &TurnCheckpoint{"t", AfterWork}}
	for _, o := range []*WaitOptions{nil, {}, at} {
		assert.Equal(t, Readiness{}, o.ReadyAt(nil, false))
		assert.Equal(t, Readiness{Input: true}, o.ReadyAt(nil, true))
		boundary := BoundaryIdle
		if o == at {
			boundary = BoundaryCheckpoint
		}
		for _, head := range everyTraits() {
			claims := func(want WorkClass) bool {
				return SelectWork(want, boundary, 1, func(yield func(WorkTraits) bool) { yield(head) }) == 1
			}
			want := Readiness{Command: claims(ClassCommand), Work: claims(ClassTurn)}
			assert.Equal(t, want, o.ReadyAt(&head, false), "%v at %s", head, boundary)
			assert.Equal(t, want.Command || want.Work, want.Any())
		}
	}
	assert.True(t, Readiness{Input: true}.Any())
	assert.False(t, Readiness{}.Any())
}

func TestCheckpointRequestsAreJudged(t *testing.T) {
	t.Parallel()
	at := TurnCheckpoint{"t", AfterWork}
	assert.NoError(t, CheckpointRequest{At: at}.Validate())
	assert.NoError(t, CheckpointRequest{At: at, MaxInputs: 1 << 40, MaxWork: 1 << 40}.Validate())
	assertField(t, "inputs", CheckpointRequest{At: at, MaxInputs: -1}.Validate(), "max_inputs", false)
	assertField(t, "work", CheckpointRequest{At: at, MaxWork: -1}.Validate(), "max_work", false)
	var none *WaitOptions
	assert.NoError(t, none.Validate())
	assert.NoError(t, (&WaitOptions{}).Validate())
	assert.NoError(t, (&WaitOptions{At: &at}).Validate())
}

func ExampleLeaseTimings() {
	fmt.Println(LeaseTimingsFor(30*time.Second), LeaseTimings{TTL: 2 * time.Second, Renew: time.Second}.Validate())
	// Output: {30s 10s} invalid timings.ttl: must be at least three times timings.renew
}

func ExampleWaitOptions_ReadyAt() {
	late := WorkTraits{Class: ClassTurn, Delivery: DeliverAfterTurn, Slot: SlotExclusive}
	var idle *WaitOptions
	running := &WaitOptions{At: &TurnCheckpoint{TurnID: "turn-7", Boundary: AfterWork}}
	fmt.Println(idle.ReadyAt(&late, false).Any(), running.ReadyAt(&late, false).Any())
	// Output: true false
}
