package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// What is claimed is selected by its place in the line. There is one way to claim, whoever asks for what:
//
//  1. A read shows that the fence is held, and whether there is anything to claim. Mostly there is not, and nothing is
//     written.
//  2. A write transaction looks again, selects, and marks what it selected.

// selection selects what may be claimed, reading one entry more than it takes at most.
type selection func(*tx) (seqs []int64, err error)

// promoteBatch is how many hidden entries one transaction makes ready.
const promoteBatch = 500

// claiming runs take in a write transaction under the fence if there may be something to claim.
func (s *Store) claiming(ctx context.Context, fence *lashstore.Fence, take func(*tx) error, wanted ...selection) error {
	var worthIt bool
	err := s.view(ctx, func(t *tx) (err error) {
		if err := fence.Verify(s.sessionID, t.state.lease, t.Now); err != nil {
			return err
		}
		worthIt, err = t.anything(wanted)
		return err
	})
	for more := true; err == nil && worthIt && more; {
		err = s.update(ctx, func(t *tx) error {
			if err := fence.Verify(s.sessionID, t.state.lease, t.Now); err != nil {
				return err
			}
			at := t.now()
			promoted, err := t.q.EntryPromote(t.Context(), db.EntryPromoteParams{NowMS: &at, MaxRows: promoteBatch})
			if more = promoted == promoteBatch; more || err != nil {
				return err // the rest in a transaction of its own
			}
			return take(t)
		})
	}
	return err
}

// anything reports whether one of the selections may find something: now, or when what is hidden has been made ready.
func (t *tx) anything(wanted []selection) (bool, error) {
	if len(wanted) == 0 {
		return false, nil
	}
	due, err := t.nextDue()
	if err != nil || due != 0 && due <= t.now() {
		return true, err
	}
	for _, look := range wanted {
		if seqs, err := look(t); err != nil || len(seqs) > 0 {
			return true, err
		}
	}
	return false, nil
}

// nextDue is when the first of what is hidden may be claimed, in milliseconds; 0 when nothing is hidden.
func (t *tx) nextDue() (int64, error) {
	due, err := t.q.EntryNextDue(t.Context())
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return value(due), err
}

// workSelection is the rule of claiming on the line of work.
func workSelection(class lashstore.WorkClass, boundary lashstore.WorkBoundary, limit int) selection {
	return func(t *tx) (seqs []int64, err error) {
		taken := lashstore.SelectWork(class, boundary, limit, func(yield func(lashstore.WorkTraits) bool) {
			err = t.ready(familyWork, nil, func(row db.EntryNextReadyRow) bool {
				seqs = append(seqs, row.Seq)
				return yield(traitsOf(row.Class, row.Delivery, row.Slot, row.MergeKey))
			})
		})
		return seqs[:min(taken, len(seqs))], err
	}
}

// inputSelection takes what waits for the next turn, or what a running one may take at a checkpoint.
func inputSelection(at *lashstore.TurnCheckpoint, limit int) selection {
	return func(t *tx) (seqs []int64, err error) {
		if limit == 0 {
			return nil, nil
		}
		var turnID *string
		if at != nil {
			turnID = &at.TurnID
		}
		err = t.ready(familyInput, turnID, func(row db.EntryNextReadyRow) bool {
			if at == nil || at.Admits(ingressOf(turnID, row.Boundary)) {
				seqs = append(seqs, row.Seq)
			}
			return len(seqs) < limit
		})
		return seqs, err
	}
}

// ready calls fn for what is ready in a line, head first, one seek each, until it has enough.
func (t *tx) ready(f family, turnID *string, fn func(db.EntryNextReadyRow) bool) error {
	for after := int64(0); ; {
		row, err := t.q.EntryNextReady(t.Context(), db.EntryNextReadyParams{Family: string(f), TurnID: turnID, AfterSeq: after})
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil || !fn(row) {
			return err
		}
		after = row.Seq
	}
}

// claim marks what was selected and returns the rows in the order of the selection; none of an empty one.
func (t *tx) claim(seqs []int64) (lashstore.Claim, []db.Entry, error) {
	if len(seqs) == 0 {
		return lashstore.Claim{}, nil, nil
	}
	claim, err := t.newClaim()
	if err != nil {
		return claim, nil, err
	}
	list, err := jsonList(seqs)
	if err != nil {
		return claim, nil, err
	}
	rows, err := t.q.EntryClaim(t.Context(), db.EntryClaimParams{
		ClaimID: &claim.ID, ClaimToken: &claim.Token, ClaimGeneration: &claim.Generation, Seqs: list,
	})
	if err != nil {
		return claim, nil, err
	}
	if len(rows) != len(seqs) {
		return claim, nil, &lashstore.CorruptError{What: "line", Key: t.store.sessionID, Reason: "what was selected is gone within a transaction"}
	}
	place := make(map[int64]int, len(seqs))
	for i, seq := range seqs {
		place[seq] = i
	}
	slices.SortFunc(rows, func(a, b db.Entry) int { return cmp.Compare(place[a.Seq], place[b.Seq]) })
	claim.Attempt = rows[0].Attempts
	return claim, rows, nil
}

func (t *tx) claimWork(look selection) (*lashstore.WorkClaim, error) {
	seqs, err := look(t)
	if err != nil {
		return nil, err
	}
	claim, rows, err := t.claim(seqs)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	c := &lashstore.WorkClaim{Claim: claim, Batches: make([]lashstore.WorkBatch, len(rows))}
	for i, row := range rows {
		if c.Batches[i], err = t.batch(row); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (t *tx) claimInputs(at *lashstore.TurnCheckpoint, look selection) (*lashstore.InputClaim, error) {
	seqs, err := look(t)
	if err != nil {
		return nil, err
	}
	claim, rows, err := t.claim(seqs)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	c := &lashstore.InputClaim{Claim: claim, At: at, Inputs: make([]lashstore.TurnInput, len(rows))}
	for i, row := range rows {
		if c.Inputs[i], err = t.input(row); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// ClaimCommand claims the batch at the head of the line if it is a command.
func (s *Store) ClaimCommand(ctx context.Context, fence *lashstore.Fence) (*lashstore.WorkClaim, error) {
	return s.claimOneWork(ctx, fence, workSelection(lashstore.ClassCommand, lashstore.BoundaryIdle, 1))
}

// ClaimWork claims turn work at the head of the line.
func (s *Store) ClaimWork(ctx context.Context, fence *lashstore.Fence, boundary lashstore.WorkBoundary, limit int) (*lashstore.WorkClaim, error) {
	if err := boundary.Validate(); err != nil {
		return nil, err
	}
	limit, err := lashstore.ClaimLimit("limit", limit)
	if err != nil {
		return nil, err
	}
	return s.claimOneWork(ctx, fence, workSelection(lashstore.ClassTurn, boundary, limit))
}

// ClaimWorkByID claims exactly these batches of turn work.
func (s *Store) ClaimWorkByID(ctx context.Context, fence *lashstore.Fence, boundary lashstore.WorkBoundary, ids []string) (*lashstore.WorkClaim, error) {
	if err := boundary.Validate(); err != nil {
		return nil, err
	}
	if err := lashstore.ValidateClaimIDs(ids); err != nil {
		return nil, err
	}
	return s.claimOneWork(ctx, fence, func(t *tx) ([]int64, error) { return t.selectByID(boundary, ids) })
}

// selectByID takes all of ids, or none.
func (t *tx) selectByID(boundary lashstore.WorkBoundary, ids []string) ([]int64, error) {
	seqs := make([]int64, 0, len(ids))
	line := make([]lashstore.WorkTraits, 0, len(ids))
	for _, id := range ids {
		row, err := t.find(familyWork, lashstore.ByID(id))
		if err != nil {
			return nil, err
		}
		if row == nil || row.State != storedReady {
			return nil, nil
		}
		seqs = append(seqs, row.Seq)
		line = append(line, traitsOf(row.Class, row.Delivery, row.Slot, row.MergeKey))
	}
	if lashstore.SelectWork(lashstore.ClassTurn, boundary, len(ids), slices.Values(line)) < len(ids) {
		return nil, nil
	}
	return seqs, nil
}

func (s *Store) claimOneWork(ctx context.Context, fence *lashstore.Fence, look selection) (*lashstore.WorkClaim, error) {
	var claim *lashstore.WorkClaim
	err := s.claiming(ctx, fence, func(t *tx) (err error) {
		claim, err = t.claimWork(look)
		return err
	}, look)
	if err != nil {
		return nil, err
	}
	return claim, nil
}

// ClaimTurnInputs claims what a running turn may take at a checkpoint.
func (s *Store) ClaimTurnInputs(ctx context.Context, fence *lashstore.Fence, at lashstore.TurnCheckpoint, limit int) (*lashstore.InputClaim, error) {
	claims, err := s.ClaimCheckpoint(ctx, fence, lashstore.CheckpointRequest{At: at, MaxInputs: limit})
	return claims.Inputs, err
}

// ClaimNextInputs claims what waits for the next turn.
func (s *Store) ClaimNextInputs(ctx context.Context, fence *lashstore.Fence, limit int) (*lashstore.InputClaim, error) {
	limit, err := lashstore.ClaimLimit("limit", limit)
	if err != nil {
		return nil, err
	}
	var claim *lashstore.InputClaim
	look := inputSelection(nil, limit)
	err = s.claiming(ctx, fence, func(t *tx) (err error) {
		claim, err = t.claimInputs(nil, look)
		return err
	}, look)
	if err != nil {
		return nil, err
	}
	return claim, nil
}

// ClaimCheckpoint claims what a running turn may take of both families.
func (s *Store) ClaimCheckpoint(ctx context.Context, fence *lashstore.Fence, request lashstore.CheckpointRequest) (lashstore.CheckpointClaims, error) {
	if err := request.Validate(); err != nil {
		return lashstore.CheckpointClaims{}, err
	}
	at := request.At
	inputs := inputSelection(&at, min(request.MaxInputs, lashstore.MaxClaim))
	work := workSelection(lashstore.ClassTurn, lashstore.BoundaryCheckpoint, min(request.MaxWork, lashstore.MaxClaim))
	var claims lashstore.CheckpointClaims
	err := s.claiming(ctx, fence, func(t *tx) (err error) {
		if claims.Inputs, err = t.claimInputs(&at, inputs); err != nil {
			return err
		}
		claims.Work, err = t.claimWork(work)
		return err
	}, inputs, work)
	if err != nil {
		return lashstore.CheckpointClaims{}, err
	}
	return claims, nil
}

// abandon gives claims back, all in one transaction.
func (s *Store) abandon(ctx context.Context, f family, claims []lashstore.Claim) error {
	if len(claims) == 0 {
		return s.view(ctx, func(*tx) error { return nil })
	}
	return s.update(ctx, func(t *tx) error {
		for _, c := range claims {
			if _, err := t.q.EntryAbandon(t.Context(), db.EntryAbandonParams{
				Family: string(f), ClaimID: &c.ID, ClaimToken: &c.Token,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}
