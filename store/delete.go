package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
	"github.com/lashstore/lashstore/internal/sqlitedb"
)

// DeleteSession deletes a session in two steps, so that a crash between them leaves no half:
//
//  1. A transaction marks it deleted, unless somebody holds its lease. From then on every handle, in any process, gets
//     ErrSessionDeleted, and the session is gone.
//  2. The file is removed when no handle is open on it any more: now, or by the last of them as it closes. Never sooner:
//     SQLite finds a WAL by its path, and a successor of the same name would share it with handles of the old file.
func (f *Factory) DeleteSession(ctx context.Context, sessionID string) error {
	s, err := f.open(ctx, sessionID, OpenExisting)
	if errors.Is(err, lashstore.ErrSessionNotFound) {
		return nil // or deleted before, and finished now if that can be
	}
	if err != nil {
		return err
	}
	return errors.Join(s.markDeleted(ctx), s.Close()) // Close removes the file of a deleted session
}

// DiscardSession removes the file of a session that DeleteSession cannot delete because it does not open: damaged, not a
// database, of another version. What is in it is lost; the lease in it cannot be asked. Never a session that opens.
//
// Errors: ErrNotDamaged; ErrBusy while any process has the file open; ErrSessionNotFound; SessionMismatchError for a file
// that holds another session. Then nothing was removed. The removal of a -wal and its database may be cut short by a
// crash: the database is still there then, and the call may be repeated.
func (f *Factory) DiscardSession(ctx context.Context, sessionID string) error {
	if err := lashstore.ValidateID("session_id", sessionID); err != nil {
		return err
	}
	kind, err := sessionKind()
	if err != nil {
		return err
	}
	s := &Store{options: f.options}
	o := f.options.database()
	o.OnOpen = func(t *sqlitedb.Tx) error { return s.requireSession(t, sessionID) }
	err = sqlitedb.Discard(ctx, f.PathOf(sessionID), kind, o)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, lashstore.ErrSessionDeleted) {
		return fmt.Errorf("%w: %w", lashstore.ErrSessionNotFound, err)
	}
	return err
}

// requireSession fails if the file does not hold the session, or not what deleting it needs.
func (s *Store) requireSession(t *sqlitedb.Tx, sessionID string) error {
	if err := s.identify(t); err != nil {
		return err
	}
	if s.sessionID != sessionID {
		return &lashstore.SessionMismatchError{Bound: s.sessionID, Attempted: sessionID}
	}
	return s.within(t, func(*tx) error { return nil })
}

func (s *Store) markDeleted(ctx context.Context) error {
	err := s.update(ctx, func(t *tx) error {
		if t.state.lease.LiveAt(t.Now) {
			return &lashstore.LeaseBusyError{Holder: t.state.lease.WithoutToken()}
		}
		at := t.now()
		n, err := t.q.SessionMarkDeleted(t.Context(), db.SessionMarkDeletedParams{SessionID: s.sessionID, DeletedAtMS: &at})
		return t.changedOne(n, err, "session")
	})
	if errors.Is(err, lashstore.ErrSessionDeleted) {
		return nil // by somebody else meanwhile
	}
	if err == nil {
		s.deleted.Store(true)
	}
	return err
}

// recreate makes a session anew whose predecessor is deleted but still has its file. The file goes if it can; else its
// contents are wiped in one transaction, and handles that are open on the predecessor find another database id.
func (s *Store) recreate(ctx context.Context, path string, meta lashstore.SessionMeta, options *Options) (*Store, error) {
	removed, err := s.removeFile(ctx)
	if err == nil && removed {
		return Open(ctx, path, meta, options)
	}
	if err == nil {
		err = s.rebirth(ctx, meta)
	}
	if err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// removeFile removes the file of a deleted session if no other handle is open on it, and reports whether it did. What the
// session is is asked again once nobody else can come in: it may have been made anew meanwhile.
func (s *Store) removeFile(ctx context.Context) (bool, error) {
	return s.db.Destroy(ctx, func(t *sqlitedb.Tx) (bool, error) {
		row, err := db.New(t).SessionGet(t.Context())
		return err == nil && row.DeletedAtMS != nil && row.DatabaseID == s.databaseID, err
	})
}

// rebirth turns the file of a deleted session into that of a new one. Somebody else may have done so meanwhile.
func (s *Store) rebirth(ctx context.Context, meta lashstore.SessionMeta) error {
	err := s.db.Update(ctx, func(t *sqlitedb.Tx) error {
		q := db.New(t)
		row, err := q.SessionGet(t.Context())
		if err != nil || row.DeletedAtMS == nil {
			return err
		}
		for _, wipe := range []func(context.Context) error{
			q.WipeEntries, q.WipeLeases, q.WipeHeads, q.WipeBranches, q.WipeRevisions, q.WipeUsageDeltas, q.WipeUsageTotals, q.WipeArtifacts,
			q.WipeFrames, q.WipeNodes, q.WipeBlobs, q.WipeSessions,
		} {
			if err := wipe(t.Context()); err != nil {
				return err
			}
		}
		return createSession(t.Context(), t, meta, s.options.Random)
	})
	if err != nil {
		return err
	}
	return s.db.View(ctx, s.identify)
}
