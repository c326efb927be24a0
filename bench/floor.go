package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	_ "github.com/mattn/go-sqlite3" // C SQLite

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// floor runs the statements of a commit on C SQLite and does nothing besides: no validation, no hash of the turn, no
// lease, no error that says more than that it failed.
type floor struct {
	pool  *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	leaf  *int64
}

const (
	begin  = "BEGIN IMMEDIATE"
	finish = "COMMIT"
)

func openFloor(ctx context.Context, path string, d lashstore.Durability) (*floor, error) {
	pool, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	f := &floor{pool: pool, stmts: map[string]*sql.Stmt{}}
	if f.conn, err = pool.Conn(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	if err := f.prepare(ctx, d); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *floor) prepare(ctx context.Context, d lashstore.Durability) error {
	ddl, err := lashstore.SchemaSection(lashstore.SessionDatabase)
	if err != nil {
		return err
	}
	synchronous := map[lashstore.Durability]string{lashstore.DurabilityFull: "FULL", lashstore.DurabilityNormal: "NORMAL"}[d]
	for _, s := range []string{
		"PRAGMA page_size = 2048", "PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = " + synchronous, "PRAGMA foreign_keys = ON", "PRAGMA cache_size = -256",
		"PRAGMA wal_autocheckpoint = 2048", "PRAGMA journal_size_limit = 4194304", ddl,
		`INSERT INTO sessions (singleton, kind, database_id, session_id, created_at_ms, keep_revisions, kept_from, name, model, cwd,
		   relation_kind, config)
		 VALUES (1, 'session', '0123456789abcdef', 'bench', 1, 20, 1, '', '', '', 'root', '{}')`,
	} {
		if _, err := f.conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	for _, s := range []string{
		begin, finish, db.HeadCreate, db.LeaseCreate, db.SessionState, db.RevisionByTurn, db.BlobCreate, db.UsageRecord,
		db.UsageAdd, db.NodeCreate, db.HeadAdvance, db.RevisionCreate,
	} {
		stmt, err := f.conn.PrepareContext(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
		f.stmts[s] = stmt
	}
	return errors.Join(db.New(f).HeadCreate(ctx), db.New(f).LeaseCreate(ctx))
}

// What generated queries run on.

func (f *floor) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return f.stmts[query].ExecContext(ctx, args...)
}

func (f *floor) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return f.stmts[query].QueryContext(ctx, args...)
}

func (f *floor) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return f.stmts[query].QueryRowContext(ctx, args...)
}

func (f *floor) PrepareContext(_ context.Context, query string) (*sql.Stmt, error) {
	return f.stmts[query], nil
}

// commit writes what the store writes for t, in the same order.
func (f *floor) commit(ctx context.Context, t turn) error {
	q := db.New(f)
	if _, err := f.ExecContext(ctx, begin); err != nil {
		return err
	}
	if _, err := q.SessionState(ctx); err != nil {
		return err
	}
	id := t.id()
	if _, err := q.RevisionByTurn(ctx, &id); !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("receipt: %w", err)
	}
	n := int64(t.number)
	checkpoint, err := f.checkpoint(ctx, q, t)
	if err != nil {
		return err
	}
	if err := q.UsageRecord(ctx, db.UsageRecordParams{Revision: n, TurnID: &id, Source: "turn", Model: "m", Input: 100, Output: 20}); err != nil {
		return err
	}
	if err := q.UsageAdd(ctx, db.UsageAddParams{Source: "turn", Model: "m", Input: 100, Output: 20}); err != nil {
		return err
	}
	role := "user"
	for i := range t.nodeIDs {
		seq, err := q.NodeCreate(ctx, db.NodeCreateParams{
			ParentSeq: f.leaf, NodeID: t.nodeIDs[i], Kind: "message", Role: &role, Revision: n, CreatedAtMS: 1, Payload: t.payloads[i],
		})
		if err != nil {
			return err
		}
		f.leaf = &seq
	}
	if _, err := q.HeadAdvance(ctx, db.HeadAdvanceParams{
		Expected: n - 1, LeafSeq: f.leaf, CheckpointHash: checkpoint[:], Title: "title", Turns: n, Messages: 4 * n,
		UserMessages: 4 * n, Tokens: 120 * n, UpdatedAtMS: 1,
	}); err != nil {
		return err
	}
	if err := q.RevisionCreate(ctx, db.RevisionCreateParams{
		Revision: n, Movement: "commit", LeafSeq: f.leaf, CheckpointHash: checkpoint[:], TurnID: &id, TurnHash: checkpoint[:],
		Input: 100, Output: 20, CommittedAtMS: 1,
	}); err != nil {
		return err
	}
	_, err = f.ExecContext(ctx, finish)
	return err
}

func (f *floor) checkpoint(ctx context.Context, q *db.Queries, t turn) (lashstore.Hash, error) {
	part := lashstore.HashOf(t.part)
	record, err := lashstore.Manifest{TurnState: []byte(`{"turn_index":1}`), Parts: []lashstore.ManifestPart{
		{Name: lashstore.PartNameToolState, Hash: part, Size: int64(len(t.part))}}}.Encode()
	if err != nil {
		return lashstore.Hash{}, err
	}
	manifest := lashstore.HashOf(record)
	for _, b := range []db.BlobCreateParams{
		{Hash: part[:], Kind: "tool_state", Codec: "raw", Size: int64(len(t.part)), Revision: int64(t.number - 1), Content: t.part},
		{Hash: manifest[:], Kind: "checkpoint_manifest", Codec: "raw", Size: int64(len(record)), Revision: int64(t.number - 1), Content: record},
	} {
		if _, err := q.BlobCreate(ctx, b); err != nil {
			return lashstore.Hash{}, err
		}
	}
	return manifest, nil
}

func (f *floor) close() error {
	var errs []error
	for _, s := range f.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, f.conn.Close(), f.pool.Close())...)
}
