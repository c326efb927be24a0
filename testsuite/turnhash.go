package testsuite

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/lashstore/lashstore"
)

func turnCases() []Case {
	return []Case{
		{"Turn/RetryGetsTheFirstAnswer", "8.A.12", turnRetryGetsTheFirstAnswer},
		{"Turn/RetryReleasesTheLease", "2.3, TurnCommitter", turnRetryReleasesTheLease},
		{"Turn/OtherContentConflicts", "8.A.12", turnOtherContentConflicts},
		{"Turn/HashIgnoresWhatARetryMakesAnew", "8.A.12, 10.W27", turnHashIgnoresWhatARetryMakesAnew},
		{"Turn/HashCountsUsersKeys", "10.W27", turnHashCountsUsersKeys},
		{"Turn/GivenHashStandsForTheContent", "TurnStamp.Hash", turnGivenHashStandsForTheContent},
		{"Turn/GivenHashReplaysTheFirstParts", "TurnStamp.Hash, CommitResult.Parts", turnGivenHashReplaysTheFirstParts},
		{"Turn/CarriedPartIsItsContent", "Commit.Hash", turnCarriedPartIsItsContent},
		{"Turn/RacingRetriesCommitOnce", "8.A.12", turnRacingRetriesCommitOnce},
		{"Turn/RefusedTurnLeavesNoReceipt", "2.3, TurnCommitter", turnRefusedTurnLeavesNoReceipt},
	}
}

// first commits turn 1 and returns what was committed, as a retry without a lease of its own.
func (f *fixture) first() (lashstore.Commit, lashstore.CommitResult) {
	f.t.Helper()
	result := f.commit(turn(1, ""))
	retry := turn(1, "")
	retry.SessionID, retry.Expect = sessionID, lashstore.Create()
	return retry, result
}

// 1. A retry returns the first revision, checkpoint, parts and hash, and says Replayed.
// 2. It needs no lease, not even while another owner holds one, and no revision, however far the head is.
// 3. It changes nothing.
func turnRetryGetsTheFirstAnswer(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	retry, first := f.first()
	equal(t, "first: replayed", first.Replayed, false)
	equal(t, "first: hash is zero", first.TurnHash.IsZero(), false)
	f.commit(turn(2, "a1"))
	f.take(lashstore.Owner{ID: "other", Incarnation: "x"}, time.Minute)
	before := f.snapshot()
	for range 2 {
		again, err := f.Commit(f.ctx, retry)
		f.ok("retry", err)
		want := first
		want.Replayed = true
		equal(t, "retry", again, want)
	}
	f.unchanged("after retries", before)
	_, live, err := f.CurrentLease(f.ctx)
	f.ok("current lease", err)
	equal(t, "other owner's lease is live", live, true)
}

func turnRetryReleasesTheLease(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	retry, _ := f.first()
	stale := f.take(opaqueOwner, 0)
	lease := f.take(opaqueOwner, time.Minute)
	retry.ReleaseLease = true
	for _, step := range []struct {
		what  string
		lease lashstore.Lease
		live  bool
	}{{"stale", stale, true}, {"own", lease, false}} {
		retry.Lease = step.lease.Fence()
		result, err := f.Commit(f.ctx, retry)
		f.ok("retry with the "+step.what+" fence", err)
		equal(t, "replayed", result.Replayed, true)
		_, live, err := f.CurrentLease(f.ctx)
		f.ok("current lease", err)
		equal(t, "lease is live after the "+step.what+" fence", live, step.live)
	}
}

func turnOtherContentConflicts(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	_, first := f.first()
	f.add(user("later", "a1"))
	for what, change := range map[string]func(c *lashstore.Commit){
		"payload":    func(c *lashstore.Commit) { c.Graph.Nodes[1].Payload = json.RawMessage(`{"role":"assistant"}`) },
		"role":       func(c *lashstore.Commit) { c.Graph.Nodes[1].Role = lashstore.RoleTool },
		"node less":  func(c *lashstore.Commit) { c.Graph.Nodes = c.Graph.Nodes[:1] },
		"structure":  func(c *lashstore.Commit) { c.Graph.Nodes[1].ParentID = "" },
		"leaf":       func(c *lashstore.Commit) { c.Graph.Leaf = "u1" },
		"config":     func(c *lashstore.Commit) { c.Config = json.RawMessage(`{}`) },
		"turn state": func(c *lashstore.Commit) { c.Checkpoint.TurnState = json.RawMessage(`{"turn_index":9}`) },
		"part":       func(c *lashstore.Commit) { c.Checkpoint.Parts["tool_state"] = lashstore.PartContent([]byte("x")) },
		"part less":  func(c *lashstore.Commit) { delete(c.Checkpoint.Parts, "tool_state") },
		"usage":      func(c *lashstore.Commit) { c.Usage[0].Usage.Input++ },
		"usage less": func(c *lashstore.Commit) { c.Usage = nil },
		"frame":      func(c *lashstore.Commit) { c.Frames = []lashstore.Frame{{ID: "f", Reason: "initial"}} },
		"continued":  func(c *lashstore.Commit) { c.Turn.Continues = true },
		"fingerprint": func(c *lashstore.Commit) {
			p := c.Checkpoint.Parts["tool_state"]
			p.Fingerprint = 1
			c.Checkpoint.Parts["tool_state"] = p
		},
	} {
		c := turn(1, "")
		change(&c)
		conflict := as[*lashstore.TurnConflictError](t, what, f.refused(what, c, lashstore.ErrTurnConflict))
		attempted, err := c.Hash()
		f.ok("hash", err)
		equal(t, what, *conflict, lashstore.TurnConflictError{
			TurnID: "turn-1", Committed: first.TurnHash, Attempted: attempted, Revision: 1,
		})
	}
}

// A crashed runtime builds its retry anew: other ids, times, revision and lease, JSON spelled otherwise.
func turnHashIgnoresWhatARetryMakesAnew(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	c := turn(1, "")
	c.Graph.Nodes[0].Payload = json.RawMessage(`{"role":"user","n":1.0,"content":"hi"}`)
	c.Frames = []lashstore.Frame{{ID: "f-first", Reason: "initial"}}
	c.CurrentFrameID = "f-first"
	c.Graph.Nodes[0].FrameID = "f-first"
	first := f.commit(c)

	retry := turn(1, "")
	retry.Graph = lashstore.AppendNodes(user("u-new", ""), reply("a-new", "u-new"))
	retry.Graph.Nodes[1].Payload = c.Graph.Nodes[1].Payload
	retry.Graph.Nodes[0].Payload = json.RawMessage(`{ "content": "hi", "n": 1, "role": "user" }`)
	retry.Graph.Nodes[0].CreatedAt = Epoch.Add(time.Hour)
	retry.Graph.Nodes[0].FrameID = "f-new"
	retry.Frames = []lashstore.Frame{{ID: "f-new", Reason: "initial", CreatedAt: Epoch.Add(time.Hour)}}
	retry.CurrentFrameID = "f-new"
	retry.Expect = lashstore.At(7)
	before := f.snapshot()
	again, err := f.try(retry)
	f.ok("retry", err)
	first.Replayed = true
	equal(t, "retry", again, first)
	f.unchanged("after the retry", before)
}

// Payloads are the users': a key there counts whatever it is called.
func turnHashCountsUsersKeys(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	build := func(key, value string) lashstore.Commit {
		payload := fmt.Sprintf(`{"role":"user","content":"hi","data":{%q:%q},"list":[{%q:%q}]}`, key, value, key, value)
		return lashstore.Commit{
			Turn:  &lashstore.TurnStamp{TurnID: "turn-" + key},
			Graph: lashstore.AppendNodes(lashstore.Node{ID: "n-" + key, Kind: lashstore.NodePlugin, Payload: json.RawMessage(payload)}),
		}
	}
	for _, key := range []string{"timestamp", "node_id", "id", "parent_node_id", "leaf_node_id", "created_at"} {
		f.commit(build(key, "1"))
		f.refused("other "+key, build(key, "2"), lashstore.ErrTurnConflict)
		again, err := f.try(build(key, "1"))
		f.ok("same "+key, err)
		equal(t, "replayed", again.Replayed, true)
	}
}

func turnGivenHashStandsForTheContent(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	hash := lashstore.HashOf([]byte("what the runtime means"))
	c := turn(1, "")
	c.Turn.Hash = hash
	equal(t, "hash of the result", f.commit(c).TurnHash, hash)

	other := turn(1, "")
	other.Turn.Hash = hash
	other.Graph.Nodes[0].Payload = json.RawMessage(`{"generated_id":"x"}`)
	before := f.snapshot()
	again, err := f.try(other)
	f.ok("other content, same hash", err)
	equal(t, "replayed", again.Replayed, true)
	f.unchanged("after the replay", before)

	same := turn(1, "")
	same.Turn.Hash = lashstore.HashOf([]byte("something else"))
	f.refused("same content, other hash", same, lashstore.ErrTurnConflict)
}

// What a retry made anew was not stored: the references of a replay are the first try's, and what they name is there.
func turnGivenHashReplaysTheFirstParts(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	c := turn(1, "")
	c.Turn.Hash = lashstore.HashOf([]byte("what the runtime means"))
	first := f.commit(c)
	retry := turn(1, "")
	retry.Turn.Hash = c.Turn.Hash
	for name := range retry.Checkpoint.Parts {
		retry.Checkpoint.Parts[name] = lashstore.PartContent([]byte("generated anew"))
	}
	again, err := f.try(retry)
	f.ok("retry", err)
	equal(t, "replayed", again.Replayed, true)
	equal(t, "parts", again.Parts, first.Parts)
	for _, ref := range again.Parts {
		_, err := f.Blob(f.ctx, ref)
		f.ok("what a part names", err)
	}
}

func turnCarriedPartIsItsContent(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	_, first := f.first()
	retry := turn(1, "")
	for name, p := range retry.Checkpoint.Parts {
		retry.Checkpoint.Parts[name] = lashstore.PartRef(p.Hash())
	}
	again, err := f.try(retry)
	f.ok("retry with carried parts", err)
	first.Replayed = true
	equal(t, "retry", again, first)
}

func turnRacingRetriesCommitOnce(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	handles := []*fixture{f, f.other()}
	fence := f.take(opaqueOwner, time.Minute).Fence()
	results, errs := make([]lashstore.CommitResult, 8), make([]error, 8)
	race(t, len(results), func(i int) {
		c := turn(1, "")
		c.SessionID, c.Expect, c.Lease = sessionID, lashstore.Create(), fence
		results[i], errs[i] = handles[i%2].Commit(f.ctx, c)
	})
	written := 0
	for i, r := range results {
		f.ok(fmt.Sprint("writer ", i), errs[i])
		equal(t, "revision", r.Revision, 1)
		if !r.Replayed {
			written++
		}
	}
	equal(t, "commits that were no replay", written, 1)
	f.nodes("after the race", "u1", "a1")
	equal(t, "turns", f.load(nil).Summary.Turns, 1)
}

func turnRefusedTurnLeavesNoReceipt(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.add(user("u", ""))
	stale := turn(1, "u")
	stale.Expect = lashstore.Create()
	f.refused("stale", stale, lashstore.ErrRevisionConflict)
	unleased := turn(1, "u")
	unleased.Lease = &lashstore.Fence{SessionID: sessionID, Owner: opaqueOwner, Token: "none", Generation: 1}
	f.refused("unleased", unleased, lashstore.ErrLeaseLost)
	equal(t, "replayed", f.commit(turn(1, "u")).Replayed, false)
}
