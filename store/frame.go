package store

import (
	"bytes"
	"database/sql"
	"errors"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// frames writes the frames that are new or changed and finds the current one.
func (w *commitWork) frames(t *tx) error {
	for _, f := range w.Frames {
		if err := w.frame(t, f); err != nil {
			return err
		}
	}
	if w.CurrentFrameID == "" || w.CurrentFrameID == t.state.currentFrameID {
		return nil
	}
	w.next.currentFrameID = w.CurrentFrameID
	return t.requireFrame(w.CurrentFrameID)
}

func (w *commitWork) frame(t *tx, f lashstore.Frame) error {
	state := f.ExecutionStateRef
	if f.ExecutionState != nil {
		state = lashstore.HashOf(f.ExecutionState)
		if _, err := t.putBlob(w.blobs[state]); err != nil {
			return err
		}
	} else if !state.IsZero() {
		if _, err := t.blobInfo(state, "frame "+f.ID); err != nil {
			return err
		}
	}
	row, err := t.q.FrameGet(t.Context(), f.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return t.createFrame(f, state)
	}
	if err != nil {
		return err
	}
	return t.changeFrame(row, f, state)
}

func (t *tx) createFrame(f lashstore.Frame, state lashstore.Hash) error {
	if f.PreviousID != "" {
		if err := t.requireFrame(f.PreviousID); err != nil {
			return err
		}
	}
	return t.q.FrameCreate(t.Context(), db.FrameCreateParams{
		FrameID: f.ID, PreviousID: optional(f.PreviousID), Reason: f.Reason, CausedBy: optionalJSON(f.CausedBy),
		CreatedAtMS: createdAt(f.CreatedAt, t.now()), Assignment: optionalJSON(f.Assignment),
		Options: optionalJSON(f.Options), ExecutionStateHash: hashBytes(state),
	})
}

// changeFrame writes a known frame only when something in it changed.
func (t *tx) changeFrame(row db.Frame, f lashstore.Frame, state lashstore.Hash) error {
	stored, err := frameFromRow(row, "")
	if err != nil {
		return err
	}
	if field := stored.Conflict(f); field != "" {
		return &lashstore.FrameError{FrameID: f.ID, Field: field, Err: lashstore.ErrFrameConflict}
	}
	if stored.ExecutionStateRef == state && bytes.Equal(stored.Assignment, f.Assignment) && bytes.Equal(stored.Options, f.Options) {
		return nil
	}
	n, err := t.q.FrameUpdate(t.Context(), db.FrameUpdateParams{
		FrameID: f.ID, Assignment: optionalJSON(f.Assignment), Options: optionalJSON(f.Options),
		ExecutionStateHash: hashBytes(state),
	})
	return t.changedOne(n, err, "frame")
}

func (t *tx) requireFrame(id string) error {
	_, err := t.q.FrameGet(t.Context(), id)
	if errors.Is(err, sql.ErrNoRows) {
		return &lashstore.FrameError{FrameID: id, Err: lashstore.ErrFrameNotFound}
	}
	return err
}

// listFrames reads all frames; the current one with its execution state, when withState.
func (t *tx) listFrames(withState bool) ([]lashstore.Frame, error) {
	rows, err := t.q.FrameList(t.Context())
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	frames := make([]lashstore.Frame, len(rows))
	for i, row := range rows {
		if frames[i], err = frameFromRow(row, t.state.currentFrameID); err != nil {
			return nil, err
		}
		f := &frames[i]
		if withState && f.Status == lashstore.FrameActive && !f.ExecutionStateRef.IsZero() {
			b, err := t.blob(f.ExecutionStateRef, "frame "+f.ID)
			if err != nil {
				return nil, err
			}
			f.ExecutionState = b.content
		}
	}
	return frames, nil
}

// frameFromRow is a stored frame as the contract has it.
func frameFromRow(row db.Frame, current string) (lashstore.Frame, error) {
	f := lashstore.Frame{
		ID: row.FrameID, PreviousID: value(row.PreviousID), Status: lashstore.FrameSuperseded, Reason: row.Reason,
		CreatedAt: lashstore.FromMillis(row.CreatedAtMS),
	}
	if row.FrameID == current {
		f.Status = lashstore.FrameActive
	}
	var err error
	if f.CausedBy, err = rawJSON(row.CausedBy, "frame", row.FrameID); err != nil {
		return f, err
	}
	if f.Assignment, err = rawJSON(row.Assignment, "frame", row.FrameID); err != nil {
		return f, err
	}
	if f.Options, err = rawJSON(row.Options, "frame", row.FrameID); err != nil {
		return f, err
	}
	f.ExecutionStateRef, err = optionalHash(row.ExecutionStateHash, "frame", row.FrameID)
	return f, err
}
