package store

import (
	"context"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// Meta returns the session's description.
func (s *Store) Meta(ctx context.Context) (lashstore.SessionMeta, error) {
	var meta lashstore.SessionMeta
	err := s.view(ctx, func(t *tx) error {
		var err error
		meta, err = t.meta()
		return err
	})
	return meta, err
}

func (t *tx) meta() (lashstore.SessionMeta, error) {
	row, err := t.q.SessionGet(t.Context())
	if err != nil {
		return lashstore.SessionMeta{}, err
	}
	cause, err := rawJSON(row.RelationCause, "meta", row.SessionID)
	if err != nil {
		return lashstore.SessionMeta{}, err
	}
	extra, err := rawJSON(row.Extra, "meta", row.SessionID)
	if err != nil {
		return lashstore.SessionMeta{}, err
	}
	return lashstore.SessionMeta{
		SessionID: row.SessionID, Name: row.Name, Model: row.Model, Cwd: row.Cwd, Extra: extra,
		CreatedAt: lashstore.FromMillis(row.CreatedAtMS),
		Relation: lashstore.Relation{
			Kind: lashstore.RelationKind(row.RelationKind), ParentSessionID: value(row.ParentSessionID), CausedBy: cause,
		},
	}, nil
}

// UpdateMeta replaces the session's description.
func (s *Store) UpdateMeta(ctx context.Context, meta lashstore.SessionMeta) error {
	if err := meta.Validate(); err != nil {
		return err
	}
	if meta.SessionID != s.sessionID {
		return &lashstore.SessionMismatchError{Bound: s.sessionID, Attempted: meta.SessionID}
	}
	return s.update(ctx, func(t *tx) error {
		stored, err := t.meta()
		if err != nil {
			return err
		}
		row := sessionRow(meta.WithDefaults(stored.CreatedAt), s.databaseID)
		n, err := t.q.SessionUpdateMeta(t.Context(), db.SessionUpdateMetaParams{
			SessionID: row.SessionID, Name: row.Name, Model: row.Model, Cwd: row.Cwd, RelationKind: row.RelationKind,
			ParentSessionID: row.ParentSessionID, RelationCause: row.RelationCause, Extra: row.Extra,
			CreatedAtMS: row.CreatedAtMS,
		})
		return t.changedOne(n, err, "meta")
	})
}

// changedOne turns an update that did not meet its row into damage: the row was read in the same transaction.
func (t *tx) changedOne(n int64, err error, what string) error {
	if err == nil && n != 1 {
		err = &lashstore.CorruptError{What: what, Key: t.store.sessionID, Reason: "its row vanished inside a write transaction"}
	}
	return err
}

// sessionRow is meta, with its defaults filled in, as it is stored.
func sessionRow(meta lashstore.SessionMeta, databaseID string) db.SessionCreateParams {
	return db.SessionCreateParams{
		DatabaseID: databaseID, SessionID: meta.SessionID, CreatedAtMS: lashstore.Millis(meta.CreatedAt),
		Name: meta.Name, Model: meta.Model, Cwd: meta.Cwd, RelationKind: string(meta.Relation.Kind),
		ParentSessionID: optional(meta.Relation.ParentSessionID), RelationCause: optionalJSON(meta.Relation.CausedBy),
		Extra: optionalJSON(meta.Extra), KeepRevisions: lashstore.DefaultKeepRevisions,
	}
}
