package testsuite

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func waitCases() []Case {
	return []Case{
		{"Wait/KnowsWhatIsReady", "SessionLane.WaitReady, WaitOptions.ReadyAt", waitKnowsWhatIsReady},
		{"Wait/NeedsNoLease", "SessionLane.WaitReady", waitNeedsNoLease},
		{"Wait/IsWokenByAnEnqueue", "SessionLane.WaitReady", waitIsWokenByAnEnqueue},
		{"Wait/IsWokenByWhatComesBack", "SessionLane.WaitReady", waitIsWokenByWhatComesBack},
		{"Wait/IsWokenByACommit", "SessionLane.WaitReady, Commit.Outbox", waitIsWokenByACommit},
		{"Wait/IsWokenWhenWhatWasHiddenIsDue", "WorkDraft.NotBefore, SessionLane.WaitReady", waitIsWokenWhenDue},
		{"Wait/IsWokenWhenTheLeaseExpires", "10.W6, SessionLane.WaitReady", waitIsWokenWhenTheLeaseExpires},
		{"Wait/EndsWithItsContext", "SessionLane", waitEndsWithItsContext},
		{"Wait/EndsWithItsHandle", "SessionLane, ErrClosed", waitEndsWithItsHandle},
		{"Wait/MalformedRefused", "WaitOptions.Validate", waitMalformedRefused},
		{"Wait/LeaseThatIsFree", "SessionLane.WaitLease", waitLeaseThatIsFree},
		{"Wait/LeaseThatIsGivenBack", "SessionLane.WaitLease", waitLeaseThatIsGivenBack},
		{"Wait/LeaseThatExpires", "SessionLane.WaitLease", waitLeaseThatExpires},
	}
}

// waitLimit is how long a wait may take that should be over at once.
const waitLimit = 5 * time.Second

// laneClock stands still until it is told to run, and tells when it is read: whoever waits has looked then.
type laneClock struct {
	mu   sync.Mutex
	now  time.Time
	runs bool
	from time.Time // the first reading since it runs
	read chan struct{}
}

func (c *laneClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.read <- struct{}{}:
	default:
	}
	if !c.runs {
		return c.now
	}
	if c.from.IsZero() {
		c.from = time.Now()
	}
	return c.now.Add(time.Since(c.from))
}

// runFrom shows at at the next reading, and runs from there as fast as the system's clock.
func (c *laneClock) runFrom(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.runs, c.from = at, true, time.Time{}
}

type laneFixture struct {
	*fixture
	clock *laneClock
}

func setupLane(t testing.TB, h SessionHarness) *laneFixture {
	t.Helper()
	clock := &laneClock{now: Epoch, read: make(chan struct{}, 1)}
	return &laneFixture{setupWith(t, h, Options{Clock: clock}), clock}
}

// waiting is a wait in the background.
type waiting struct {
	t     testing.TB
	what  string
	end   context.CancelFunc
	over  chan struct{}
	ready lashstore.Readiness
	err   error
}

// start begins a wait.
func (f *laneFixture) start(what string, wait func(ctx context.Context) (lashstore.Readiness, error)) *waiting {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.ctx)
	w := &waiting{t: f.t, what: what, end: cancel, over: make(chan struct{})}
	go func() {
		defer close(w.over)
		w.ready, w.err = wait(ctx)
	}()
	return w
}

// begin begins a wait and returns when it has looked for the first time.
func (f *laneFixture) begin(what string, wait func(ctx context.Context) (lashstore.Readiness, error)) *waiting {
	f.t.Helper()
	select {
	case <-f.clock.read:
	default:
	}
	w := f.start(what, wait)
	select {
	case <-f.clock.read:
	case <-w.over:
		select {
		case <-f.clock.read: // it looked, and was over before we did
		default:
			f.t.Fatalf("%s: over without a look at the clock: %+v, %v", what, w.ready, w.err)
		}
	case <-time.After(waitLimit):
		f.t.Fatalf("%s: it never looked at the clock", what)
	}
	return w
}

// result waits until the wait is over.
func (w *waiting) result() (lashstore.Readiness, error) {
	w.t.Helper()
	select {
	case <-w.over:
	case <-time.After(waitLimit):
		w.t.Fatalf("%s: still waiting after %v", w.what, waitLimit)
	}
	w.end()
	return w.ready, w.err
}

// comesTo wants that the wait is over, with this result.
func (w *waiting) comesTo(want lashstore.Readiness) {
	w.t.Helper()
	ready, err := w.result()
	ok(w.t, w.what, err)
	equal(w.t, w.what, ready, want)
}

// ready waits for what an idle lane could claim, or a turn at a checkpoint.
func (f *laneFixture) ready(what string, at *lashstore.TurnCheckpoint) *waiting {
	f.t.Helper()
	var o *lashstore.WaitOptions
	if at != nil {
		o = &lashstore.WaitOptions{At: at}
	}
	return f.begin(what, func(ctx context.Context) (lashstore.Readiness, error) { return f.WaitReady(ctx, o) })
}

// free waits for the lease.
func (f *laneFixture) free(what string) *waiting {
	f.t.Helper()
	return f.begin(what, func(ctx context.Context) (lashstore.Readiness, error) { return lashstore.Readiness{}, f.WaitLease(ctx) })
}

// is wants that a wait comes to this at once; the zero value, that it goes on waiting.
func (f *laneFixture) is(what string, at *lashstore.TurnCheckpoint, want lashstore.Readiness) {
	f.t.Helper()
	w := f.ready(what, at)
	if want.Any() {
		w.comesTo(want)
		return
	}
	w.end()
	ready, err := w.result()
	is(f.t, what+": nothing is ready", err, context.Canceled)
	equal(f.t, what, ready, want)
}

// lineCase is what stands in a line, and what of it is ready: when idle, and at both boundaries of turn-1.
type lineCase struct {
	inputs          []lashstore.Ingress
	work            []lashstore.WorkDraft
	idle, mid, late lashstore.Readiness
}

func lineCasesToWaitFor() map[string]lineCase {
	task, later, command, hidden := taskOf("task"), taskOf("later"), taskOf("command"), taskOf("hidden")
	later.Delivery = lashstore.DeliverAfterTurn
	command.Class = lashstore.ClassCommand
	hidden.NotBefore = Epoch.Add(time.Hour)
	input, work, cmd := lashstore.Readiness{Input: true}, lashstore.Readiness{Work: true}, lashstore.Readiness{Command: true}
	line := func(drafts ...lashstore.WorkDraft) []lashstore.WorkDraft { return drafts }
	return map[string]lineCase{
		"nothing":                 {},
		"input for the next turn": {inputs: []lashstore.Ingress{nextTurn}, idle: input},
		"input for the turn":      {inputs: []lashstore.Ingress{midTurn}, mid: input, late: input},
		"input for its end":       {inputs: []lashstore.Ingress{lateInTurn}, late: input},
		"input for another turn":  {inputs: []lashstore.Ingress{otherTurn}},
		"a task":                  {work: line(task), idle: work, mid: work, late: work},
		"a task for later":        {work: line(later, task), idle: work},
		"a command":               {work: line(command), idle: cmd},
		"a command before a task": {work: line(command, task), idle: cmd},
		"a task before a command": {work: line(task, command), idle: work, mid: work, late: work},
		"a hidden task":           {work: line(hidden)},
		"a task behind it":        {work: line(hidden, task), idle: work, mid: work, late: work},
		"both": {
			inputs: []lashstore.Ingress{nextTurn, lateInTurn}, work: line(task),
			idle: lashstore.Readiness{Work: true, Input: true}, mid: work, late: lashstore.Readiness{Work: true, Input: true},
		},
	}
}

func waitKnowsWhatIsReady(t testing.TB, h SessionHarness) {
	for what, c := range lineCasesToWaitFor() {
		f := setupLane(t, h)
		for i, ingress := range c.inputs {
			f.submit(inputOf(string(rune('a'+i)), ingress))
		}
		for _, d := range c.work {
			f.queue(d)
		}
		f.is(what+", idle", nil, c.idle)
		f.is(what+", after work", &lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.AfterWork}, c.mid)
		f.is(what+", before completion", &lashstore.TurnCheckpoint{TurnID: "turn-1", Boundary: lashstore.BeforeCompletion}, c.late)
	}
}

// Who holds the lease plays no part, until something is claimed.
func waitNeedsNoLease(t testing.TB, h SessionHarness) {
	f := setupLane(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("m", midTurn))
	f.queueTask("work")
	lease := f.take(opaqueOwner, time.Hour)
	ready := lashstore.Readiness{Work: true, Input: true}
	f.is("while somebody holds it", nil, ready)
	f.claimNext(lease, 9)
	f.is("its input is claimed", nil, lashstore.Readiness{Work: true})
	f.claimBoth(lease, lashstore.CheckpointRequest{At: afterWork, MaxInputs: 9, MaxWork: 9})
	f.is("all is claimed", nil, lashstore.Readiness{})
	f.is("all is claimed, at a checkpoint", &afterWork, lashstore.Readiness{})
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	f.is("the lease was given back", nil, ready)
	f.is("the lease was given back, at a checkpoint", &afterWork, ready)
	f.cancel("cancel", "a cancelled", lashstore.ByID("a"))
	f.is("its input is cancelled", nil, lashstore.Readiness{Work: true})
}

// On the same handle, from another goroutine, and on another handle.
func waitIsWokenByAnEnqueue(t testing.TB, h SessionHarness) {
	f := setupLane(t, h)
	second := f.other()
	input, work := lashstore.Readiness{Input: true}, lashstore.Readiness{Work: true}
	w := f.ready("input on the same handle", nil)
	f.submit(inputOf("a", nextTurn))
	w.comesTo(input)
	f.cancel("cancel", "a cancelled", lashstore.ByID("a"))
	w = f.ready("input on another handle", &afterWork)
	second.submit(inputOf("b", midTurn))
	w.comesTo(input)
	w = f.ready("work on another handle", nil)
	second.submit(inputOf("c", midTurn)) // which is nothing for an idle lane
	batch := second.queueTask("work")
	w.comesTo(work)
	_, err := f.CancelWork(f.ctx, lashstore.ByID(batch.ID))
	f.ok("cancel", err)
	w = f.ready("work on the same handle", nil)
	f.queueTask("more work")
	w.comesTo(work)
}

// What is given back, deferred, or freed with the lease.
func waitIsWokenByWhatComesBack(t testing.TB, h SessionHarness) {
	f := setupLane(t, h)
	second := f.other()
	f.submit(inputOf("a", nextTurn), inputOf("m", midTurn))
	f.queueTask("work")
	all := lashstore.CheckpointRequest{At: afterWork, MaxInputs: 9, MaxWork: 9}
	lease := f.take(opaqueOwner, time.Hour)
	claims, next := f.claimBoth(lease, all), f.claimNext(lease, 9)

	w := f.ready("work is given back", nil)
	second.ok("abandon", second.AbandonWork(f.ctx, claims.Work))
	w.comesTo(lashstore.Readiness{Work: true})
	claims.Work = f.claimBoth(lease, all).Work
	w = f.ready("input is given back", nil)
	second.ok("abandon", second.AbandonInputs(f.ctx, next))
	w.comesTo(lashstore.Readiness{Input: true})
	f.claimNext(lease, 9)
	second.ok("abandon", second.AbandonInputs(f.ctx, claims.Inputs))
	w = f.ready("input is deferred", nil)
	equal(t, "deferred", second.deferInputs(lease, ""), 1)
	w.comesTo(lashstore.Readiness{Input: true})
	f.claimNext(lease, 9)
	w = f.ready("the lease is given back", nil)
	second.ok("release", second.ReleaseLease(f.ctx, lease.Fence()))
	w.comesTo(lashstore.Readiness{Work: true, Input: true})
}

// What a turn leaves behind, what it did not take, and the lease it gives back.
func waitIsWokenByACommit(t testing.TB, h SessionHarness) {
	f := setupLane(t, h)
	second := f.other()
	lease := f.take(opaqueOwner, time.Hour)
	w := f.ready("outbox", nil)
	second.commit(lashstore.Commit{Lease: lease.Fence(), Outbox: []lashstore.WorkDraft{taskOf("left behind")}})
	w.comesTo(lashstore.Readiness{Work: true})
	claims := f.claimBoth(lease, lashstore.CheckpointRequest{At: afterWork, MaxWork: 9})
	f.submit(inputOf("m", midTurn))
	w = f.ready("deferral", nil)
	second.commit(lashstore.Commit{Lease: lease.Fence(), DeferInputsOf: "turn-1"})
	w.comesTo(lashstore.Readiness{Input: true})
	f.cancel("cancel", "m cancelled", lashstore.ByID("m"))
	equal(t, "claimed", len(idsOfWork(claims.Work)), 1)
	w = f.ready("release", nil)
	second.commit(lashstore.Commit{Lease: lease.Fence(), ReleaseLease: true})
	w.comesTo(lashstore.Readiness{Work: true})
}

// Nobody writes; the time comes. Not before it has come, though.
func waitIsWokenWhenDue(t testing.TB, h SessionHarness) {
	f := setupLane(t, h)
	due := Epoch.Add(time.Hour)
	d := taskOf("work")
	d.NotBefore = due.Add(time.Hour)
	f.queue(d)
	d.SourceKey, d.NotBefore = "sooner", due
	f.queue(d)
	f.is("hidden", nil, lashstore.Readiness{})
	f.clock.runFrom(due.Add(-30 * time.Millisecond))
	f.ready("due", nil).comesTo(lashstore.Readiness{Work: true})
	if now := f.clock.Now(); now.Before(due) {
		t.Fatalf("ready at %v, which is before %v", now, due)
	}
}

func waitIsWokenWhenTheLeaseExpires(t testing.TB, h SessionHarness) {
	for what, at := range map[string]*lashstore.TurnCheckpoint{"idle": nil, "checkpoint": &afterWork} {
		for _, family := range []string{"input", "work"} {
			f := setupLane(t, h)
			lease := f.take(opaqueOwner, time.Hour)
			want := lashstore.Readiness{Work: true}
			switch {
			case family == "work":
				f.queueTask("work")
				f.claimBoth(lease, lashstore.CheckpointRequest{At: afterWork, MaxWork: 9})
			case at == nil:
				f.submit(inputOf("a", nextTurn))
				f.claimNext(lease, 9)
			default:
				f.submit(inputOf("a", midTurn))
				f.claimMid(lease, lashstore.AfterWork, 9)
			}
			if family == "input" {
				want = lashstore.Readiness{Input: true}
			}
			f.clock.runFrom(lease.ExpiresAt.Add(-30 * time.Millisecond))
			f.ready(what+", "+family, at).comesTo(want)
			_, live := f.current()
			equal(t, what+", "+family+": the lease is live", live, false)
		}
	}
}

func waitEndsWithItsContext(t testing.TB, h SessionHarness) {
	f := setupLane(t, h)
	f.take(opaqueOwner, time.Hour)
	for _, w := range []*waiting{f.ready("idle", nil), f.ready("checkpoint", &afterWork), f.free("lease")} {
		w.end()
		_, err := w.result()
		is(t, w.what, err, context.Canceled)
	}
}

func waitEndsWithItsHandle(t testing.TB, h SessionHarness) {
	f := setupLane(t, h)
	f.take(opaqueOwner, time.Hour)
	all := []*waiting{f.ready("idle", nil), f.ready("checkpoint", &afterWork), f.free("lease")}
	f.ok("close", f.Close())
	for _, w := range all {
		_, err := w.result()
		is(t, w.what, err, lashstore.ErrClosed)
	}
	for what, wait := range map[string]func(ctx context.Context) (lashstore.Readiness, error){
		"on a closed handle": func(ctx context.Context) (lashstore.Readiness, error) { return f.WaitReady(ctx, nil) },
		"for the lease, on a closed handle": func(ctx context.Context) (lashstore.Readiness, error) {
			return lashstore.Readiness{}, f.WaitLease(ctx)
		},
	} {
		_, err := f.start(what, wait).result()
		is(t, what, err, lashstore.ErrClosed)
	}
}

func waitMalformedRefused(t testing.TB, h SessionHarness) {
	f := setupLane(t, h)
	f.submit(inputOf("a", nextTurn), inputOf("m", midTurn))
	for what, at := range map[string]lashstore.TurnCheckpoint{
		"nothing": {}, "no turn": {Boundary: lashstore.AfterWork}, "no boundary": {TurnID: "turn-1"}, "boundary": {TurnID: "turn-1", Boundary: "idle"},
	} {
		ready, err := f.start(what, func(ctx context.Context) (lashstore.Readiness, error) {
			return f.WaitReady(ctx, &lashstore.WaitOptions{At: &at})
		}).result()
		is(t, what, err, lashstore.ErrInvalid)
		equal(t, what, ready, lashstore.Readiness{})
	}
	f.is("afterwards", &afterWork, lashstore.Readiness{Input: true})
}

// leaseIsFree wants that waiting for the lease is over at once.
func (f *laneFixture) leaseIsFree(what string) {
	f.t.Helper()
	_, err := f.free(what).result()
	f.ok(what, err)
}

func waitLeaseThatIsFree(t testing.TB, h SessionHarness) {
	f := setupLane(t, h)
	f.leaseIsFree("never taken")
	f.take(opaqueOwner, 0)
	f.leaseIsFree("expired")
	lease := f.take(opaqueOwner, time.Hour)
	w := f.free("held")
	w.end()
	_, err := w.result()
	is(t, "held", err, context.Canceled)
	f.ok("release", f.ReleaseLease(f.ctx, lease.Fence()))
	f.leaseIsFree("given back")
}

func waitLeaseThatIsGivenBack(t testing.TB, h SessionHarness) {
	f := setupLane(t, h)
	second := f.other()
	for what, giveBack := range map[string]func(lease lashstore.Lease){
		"same handle":  func(lease lashstore.Lease) { f.ok("release", f.ReleaseLease(f.ctx, lease.Fence())) },
		"other handle": func(lease lashstore.Lease) { second.ok("release", second.ReleaseLease(f.ctx, lease.Fence())) },
		"commit": func(lease lashstore.Lease) {
			second.commit(lashstore.Commit{Lease: lease.Fence(), ReleaseLease: true})
		},
	} {
		lease := f.take(opaqueOwner, time.Hour)
		w := f.free(what)
		f.submit(lashstore.InputDraft{Input: []byte(`"whatever else is written"`)})
		giveBack(lease)
		_, err := w.result()
		f.ok(what, err)
		_, live := f.current()
		equal(t, what+": live", live, false)
	}
}

func waitLeaseThatExpires(t testing.TB, h SessionHarness) {
	f := setupLane(t, h)
	lease := f.take(opaqueOwner, time.Hour)
	f.clock.runFrom(lease.ExpiresAt.Add(-30 * time.Millisecond))
	f.leaseIsFree("expires")
	if now := f.clock.Now(); now.Before(lease.ExpiresAt) {
		t.Fatalf("free at %v, which is before %v", now, lease.ExpiresAt)
	}
	equal(t, "generation of the next", f.take(otherOwner, time.Minute).Generation, lease.Generation+1)
}
