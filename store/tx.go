package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
	"github.com/lashstore/lashstore/internal/sqlitedb"
)

// tx is a transaction that has read where the session stands.
type tx struct {
	*sqlitedb.Tx
	q     *db.Queries
	store *Store
	state state
	at    int64 // the revision that is looked at; everything is, when it is the head's
}

// state is the head and the lease as the transaction found them.
type state struct {
	revision       lashstore.Revision
	keep           int64 // how many revisions stay loadable
	leafSeq        *int64
	leafID         string // "" when there is no leaf
	checkpoint     lashstore.Hash
	currentFrameID string
	summary        lashstore.Summary
	lease          lashstore.Lease // the zero token when nobody ever took it, or it was released
}

// update runs fn in a write transaction on a session that is not deleted.
func (s *Store) update(ctx context.Context, fn func(*tx) error) error {
	return gone(s.db.Update(ctx, func(t *sqlitedb.Tx) error { return s.within(t, fn) }))
}

// view runs fn on one snapshot of a session that is not deleted.
func (s *Store) view(ctx context.Context, fn func(*tx) error) error {
	return gone(s.db.View(ctx, func(t *sqlitedb.Tx) error { return s.within(t, fn) }))
}

// gone says of a file that was there and is not any more that its session was deleted.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", lashstore.ErrSessionDeleted, err)
	}
	return err
}

// newTx is a transaction that has not read where the session stands.
func newTx(raw *sqlitedb.Tx, s *Store) *tx { return &tx{Tx: raw, q: db.New(raw), store: s} }

func (s *Store) within(raw *sqlitedb.Tx, fn func(*tx) error) error {
	t := newTx(raw, s)
	row, err := t.q.SessionState(raw.Context())
	if errors.Is(err, sql.ErrNoRows) {
		return &lashstore.CorruptError{What: "head", Key: s.sessionID, Reason: "a row that every file has is missing"}
	}
	if err != nil {
		return err
	}
	// Another database id means that the session was deleted and made anew behind this handle.
	if row.DeletedAtMS != nil || row.DatabaseID != s.databaseID {
		s.deleted.Store(row.DeletedAtMS != nil)
		return lashstore.ErrSessionDeleted
	}
	if t.state, err = stateFromRow(row); err != nil {
		return err
	}
	t.at = math.MaxInt64
	return fn(t)
}

func stateFromRow(row db.SessionStateRow) (state, error) {
	checkpoint, err := optionalHash(row.CheckpointHash, "head", row.SessionID)
	if err != nil {
		return state{}, err
	}
	return state{
		revision:       lashstore.Revision(row.Revision),
		keep:           row.KeepRevisions,
		leafSeq:        row.LeafSeq,
		leafID:         value(row.LeafID),
		checkpoint:     checkpoint,
		currentFrameID: value(row.CurrentFrameID),
		summary:        summaryFrom(row.Title, row.Turns, row.Messages, row.UserMessages, row.Tokens, row.UpdatedAtMS),
		lease: leaseFromRow(row.SessionID, db.Lease{
			Generation: row.Generation, Token: row.Token, OwnerID: row.OwnerID, OwnerIncarnation: row.OwnerIncarnation,
			OwnerHostID: row.OwnerHostID, OwnerBootID: row.OwnerBootID, OwnerPid: row.OwnerPid,
			OwnerStartTime: row.OwnerStartTime, ClaimedAtMS: row.ClaimedAtMS, ExpiresAtMS: row.ExpiresAtMS,
		}),
	}, nil
}

func summaryFrom(title string, turns, messages, userMessages, tokens, updatedAtMS int64) lashstore.Summary {
	s := lashstore.Summary{Title: title, Turns: turns, Messages: messages, UserMessages: userMessages, Tokens: tokens}
	if updatedAtMS > 0 {
		s.UpdatedAt = lashstore.FromMillis(updatedAtMS)
	}
	return s
}

// oldestKept is the first revision that stays loadable without a pin: the head, or one of the last.
func (t *tx) oldestKept() int64 {
	head := int64(t.state.revision)
	return max(1, head-max(t.state.keep, 1)+1)
}

// now is the transaction's time as it is stored.
func (t *tx) now() int64 { return lashstore.Millis(t.Now) }
