package store

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
	"github.com/lashstore/lashstore/internal/lease"
)

// family is one of the two kinds of entries. They share the line, the table and everything here.
type family string

const (
	familyWork  family = "work"
	familyInput family = "input"
)

// The states of an entry as they are stored: what waits is hidden until later, or ready.
const (
	storedLater   = "later"
	storedReady   = "ready"
	storedClaimed = "claimed"
)

// submission is an entry before it has a place in the line.
type submission struct {
	sessionID string // "" is the store's
	id        string // "" has one made
	row       db.EntryCreateParams
}

// enqueue puts an entry at the end of the line, unless its key or id is known.
func (t *tx) enqueue(e submission) (row db.Entry, existing bool, err error) {
	if e.sessionID != "" && e.sessionID != t.store.sessionID {
		return row, false, &lashstore.SessionMismatchError{Bound: t.store.sessionID, Attempted: e.sessionID}
	}
	if row, existing, err = t.known(e); existing || err != nil {
		return row, existing, err
	}
	p := e.row
	if p.EntryID = e.id; p.EntryID == "" {
		if p.EntryID, err = newID(t.store.options.Random, "an entry's id"); err != nil {
			return row, false, err
		}
	}
	if p.Seq, err = t.q.LeaseNextSeq(t.Context()); err != nil {
		return row, false, err
	}
	p.State, p.EnqueuedAtMS = storedReady, t.now()
	if p.NotBeforeMS != nil && *p.NotBeforeMS > t.now() {
		p.State = storedLater
	}
	return created(p), false, t.q.EntryCreate(t.Context(), p)
}

// known finds what was submitted before under the same key, or else the same id. Other content is a conflict.
func (t *tx) known(e submission) (db.Entry, bool, error) {
	key := value(e.row.SourceKey)
	if key != "" {
		row, err := t.q.EntryGetByKey(t.Context(), db.EntryGetByKeyParams{Family: e.row.Family, SourceKey: &key})
		if err == nil && string(row.ContentHash) != string(e.row.ContentHash) {
			err = &lashstore.EntryConflictError{SessionID: t.store.sessionID, SourceKey: key, ExistingID: row.EntryID}
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return row, err == nil, err
		}
	}
	if e.id == "" {
		return db.Entry{}, false, nil
	}
	row, err := t.q.EntryGet(t.Context(), db.EntryGetParams{Family: e.row.Family, EntryID: e.id})
	if errors.Is(err, sql.ErrNoRows) {
		return row, false, nil
	}
	if err == nil && (key != "" || string(row.ContentHash) != string(e.row.ContentHash)) {
		err = &lashstore.EntryConflictError{SessionID: t.store.sessionID, ExistingID: row.EntryID}
	}
	return row, err == nil, err
}

// created is the row that p makes.
func created(p db.EntryCreateParams) db.Entry {
	return db.Entry{
		Seq: p.Seq, Family: p.Family, State: p.State, TurnID: p.TurnID, Boundary: p.Boundary, Class: p.Class,
		Delivery: p.Delivery, Slot: p.Slot, MergeKey: p.MergeKey, EntryID: p.EntryID, SourceKey: p.SourceKey,
		ContentHash: p.ContentHash, NotBeforeMS: p.NotBeforeMS, EnqueuedAtMS: p.EnqueuedAtMS, Content: p.Content,
	}
}

// newID returns a random id that sorts by time.
func newID(random io.Reader, of string) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	id, err := uuid.NewV7FromReader(random)
	if err != nil {
		return "", fmt.Errorf("read randomness for %s: %w", of, err)
	}
	return id.String(), nil
}

// standing is an entry's state as the contract has it, and who holds it. What is claimed under a lease that has ended
// waits.
func (t *tx) standing(row db.Entry) (lashstore.EntryState, *lashstore.ClaimInfo) {
	switch row.State {
	case storedLater, storedReady:
		return lashstore.EntryWaiting, nil
	case storedClaimed:
		if !lashstore.ClaimLive(value(row.ClaimGeneration), t.state.lease, t.Now) {
			return lashstore.EntryWaiting, nil
		}
		return lashstore.EntryClaimed, &lashstore.ClaimInfo{
			ClaimID: value(row.ClaimID), Generation: value(row.ClaimGeneration), Holder: t.state.lease.Owner,
		}
	default:
		return lashstore.EntryState(row.State), nil
	}
}

// find looks an entry up; nil when there is none.
func (t *tx) find(f family, target lashstore.EntryTarget) (*db.Entry, error) {
	var row db.Entry
	var err error
	if target.ID != "" {
		row, err = t.q.EntryGet(t.Context(), db.EntryGetParams{Family: string(f), EntryID: target.ID})
	} else {
		row, err = t.q.EntryGetByKey(t.Context(), db.EntryGetByKeyParams{Family: string(f), SourceKey: &target.SourceKey})
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &row, err
}

// cancel takes an entry out if it waits, and returns what became of it with the entry as it is then.
func (t *tx) cancel(row db.Entry) (lashstore.CancelOutcome, db.Entry, error) {
	state, _ := t.standing(row)
	outcome := lashstore.DecideCancel(state)
	if outcome != lashstore.Cancelled {
		return outcome, row, nil
	}
	at := t.now()
	n, err := t.q.EntryCancel(t.Context(), db.EntryCancelParams{Seq: row.Seq, SettledAtMS: &at})
	if err := t.changedOne(n, err, "entry"); err != nil {
		return outcome, row, err
	}
	if _, err := t.q.EntryDropSettled(t.Context(), row.Seq); err != nil {
		return outcome, row, err
	}
	row.State, row.SettledAtMS = string(lashstore.EntryCancelled), &at
	row.ClaimID, row.ClaimToken, row.ClaimGeneration = nil, nil, nil
	return outcome, row, nil
}

// entryPage is how many entries a statement reads at most.
const entryPage = 256

// entries calls fn for what a list shows, in the order of the line.
func (t *tx) entries(f family, o *lashstore.ListOptions, fn func(db.Entry) error) error {
	if o == nil {
		o = &lashstore.ListOptions{}
	}
	settled := int64(0)
	if o.Scope == lashstore.ListAll {
		settled = 1
	}
	shown := 0
	for after := o.After; ; {
		rows, err := t.q.EntryList(t.Context(), db.EntryListParams{Family: string(f), AfterSeq: after, Settled: settled, MaxRows: entryPage})
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.Seq
			if state, _ := t.standing(row); !o.Shows(state) {
				continue
			}
			if err := fn(row); err != nil {
				return err
			}
			if shown++; shown == o.Limit {
				return nil
			}
		}
		if len(rows) < entryPage {
			return nil
		}
	}
}

// complete settles what a commit has used, id by id, each only if its claim holds it under the lease.
func (t *tx) complete(f family, done lashstore.Completion) error {
	at, generation := t.now(), t.state.lease.Generation
	for _, id := range done.IDs {
		n, err := t.q.EntryComplete(t.Context(), db.EntryCompleteParams{
			SettledAtMS: &at, EntryID: id, Family: string(f), ClaimID: &done.ClaimID, ClaimToken: &done.Token,
			ClaimGeneration: &generation,
		})
		if err != nil {
			return err
		}
		if n != 1 {
			return &lashstore.ClaimSupersededError{SessionID: t.store.sessionID, ClaimID: done.ClaimID, EntryID: id}
		}
		if f == familyWork {
			if _, err := t.q.EntryDropCompleted(t.Context(), id); err != nil {
				return err
			}
		}
	}
	return nil
}

// settledAt is zero for what is not settled.
func settledAt(row db.Entry) time.Time {
	if row.SettledAtMS == nil {
		return time.Time{}
	}
	return lashstore.FromMillis(*row.SettledAtMS)
}

// newClaim makes a claim under the lease.
func (t *tx) newClaim() (lashstore.Claim, error) {
	id, err := newID(t.store.options.Random, "a claim's id")
	if err != nil {
		return lashstore.Claim{}, err
	}
	token, err := lease.NewToken(t.store.options.Random)
	return lashstore.Claim{ID: id, Token: token, Generation: t.state.lease.Generation}, err
}
