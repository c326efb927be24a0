package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/sqlitedb"
)

var (
	_ lashstore.PortableExporter = (*Store)(nil)
	_ lashstore.PortableImporter = (*Factory)(nil)
)

// ImportPortable makes a session of a portable stream. The database is filled under another name, in transactions of
// bounded size, verified, and linked to its own: it appears whole, or not at all. A kill leaves the other name at most,
// which a listing removes.
func (f *Factory) ImportPortable(ctx context.Context, r io.Reader, options *lashstore.ImportOptions) (lashstore.PortableImport, error) {
	if err := options.Validate(); err != nil {
		return lashstore.PortableImport{}, err
	}
	if options == nil {
		options = &lashstore.ImportOptions{}
	}
	d, err := lashstore.NewPortableDecoder(r)
	if err != nil {
		return lashstore.PortableImport{}, err
	}
	first, err := d.Decode()
	if err != nil {
		return lashstore.PortableImport{}, err
	}
	im := &importer{d: d, session: first.Session, id: cmp.Or(options.SessionID, d.SessionID()), store: &Store{options: f.options}}
	if err := f.build(ctx, im); err != nil {
		return lashstore.PortableImport{}, err
	}
	return lashstore.PortableImport{SessionID: im.id, Revision: im.revision, Counts: d.Counts()}, nil
}

func (f *Factory) build(ctx context.Context, im *importer) error {
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return fmt.Errorf("make the sessions' directory: %w", err)
	}
	kind, err := sessionKind()
	if err != nil {
		return err
	}
	o := f.options.database()
	o.OnCreate = im.create
	path := f.PathOf(im.id)
	for again := true; ; again = false {
		err := sqlitedb.Build(ctx, path, kind, o, func(d *sqlitedb.DB) error { return im.fill(ctx, d) })
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		// A deleted session whose file is still there is none: opening it removes the file if nobody has it open.
		s, opened := f.open(ctx, im.id, OpenExisting)
		switch {
		case opened == nil:
			return errors.Join(lashstore.ErrSessionExists, s.Close())
		case !errors.Is(opened, lashstore.ErrSessionNotFound):
			return fmt.Errorf("%w: %w", lashstore.ErrSessionExists, opened)
		case !again:
			return fmt.Errorf("%w: a deleted session of that id is still open somewhere", lashstore.ErrBusy)
		}
	}
}

// importer puts a stream into a new database.
type importer struct {
	d       *lashstore.PortableDecoder
	session *lashstore.PortableSession
	id      string
	store   *Store

	incoming *lashstore.PortableBlob // whose pieces are coming
	content  []byte
	lastID   string // the node put in last, which is mostly the next one's parent
	lastSeq  int64
	revision lashstore.Revision
}

// create writes the rows that every session database has, with the description of the stream.
func (im *importer) create(ctx context.Context, t *sqlitedb.Tx) error {
	if err := createSession(ctx, t, im.session.Meta(im.id), im.store.options.Random); err != nil {
		return err
	}
	x := putter{importer: im, tx: newTx(t, im.store)}
	return x.putSession()
}

// importBatch is how many bytes of content, about, one transaction puts in.
const importBatch = 4 << 20

func (im *importer) fill(ctx context.Context, d *sqlitedb.DB) error {
	im.store.db = d
	if err := d.View(ctx, im.store.identify); err != nil {
		return err
	}
	for whole := false; !whole; {
		err := d.Update(ctx, func(raw *sqlitedb.Tx) (err error) {
			x := putter{importer: im, tx: newTx(raw, im.store)}
			whole, err = x.batch(ctx)
			return err
		})
		if err != nil {
			return im.contradiction(err)
		}
	}
	return im.verify(ctx)
}

// contradiction says where in the stream something stands that the database refused.
func (im *importer) contradiction(err error) error {
	for _, of := range []error{
		lashstore.ErrConstraint, lashstore.ErrUnknownParent, lashstore.ErrUnknownLeaf, lashstore.ErrMissingBlob, lashstore.ErrTooLarge,
	} {
		if errors.Is(err, of) && !errors.Is(err, lashstore.ErrPortable) {
			return im.d.Refuse("it contradicts what came before it", err)
		}
	}
	return err
}

// verify reads what was put in as a verification of any session does. What blobs hold was verified on the way.
func (im *importer) verify(ctx context.Context) error {
	var v verifier
	if err := im.store.view(ctx, v.rows); err != nil {
		return err
	}
	if len(v.report.Findings) == 0 {
		return nil
	}
	first := v.report.Findings[0]
	return im.d.Refuse(fmt.Sprintf("the stream contradicts itself: %s %s: %s", first.Kind, first.Key, first.Detail), nil)
}

// putter is an import inside one of its transactions.
type putter struct {
	*importer
	*tx
}

// batch puts in as much as one transaction is to hold, and reports whether that was the end.
func (x *putter) batch(ctx context.Context) (whole bool, err error) {
	for size := 0; size < importBatch; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		r, err := x.d.Decode()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if err := x.put(r); err != nil {
			return false, err
		}
		size += weight(r)
	}
	return false, nil
}

// weight is about what a record takes.
func weight(r lashstore.PortableRecord) int {
	const row = 256
	switch {
	case r.Piece != nil:
		return row + len(r.Piece.Data)
	case r.Node != nil:
		return row + len(r.Node.Payload) + len(r.Node.CausedBy)
	case r.Frame != nil:
		return row + len(r.Frame.Assignment) + len(r.Frame.Options) + len(r.Frame.CausedBy)
	case r.Entry != nil && r.Entry.Input != nil:
		return row + len(r.Entry.Input.Input)
	case r.Entry != nil:
		n := row
		for _, item := range r.Entry.Work.Items {
			n += len(item.Payload)
		}
		return n
	}
	return row
}

// nodeSeq finds a node that was put in, tombstoned or not; nil for "".
func (x *putter) nodeSeq(id, of string, otherwise error) (*int64, error) {
	if id == "" {
		return nil, nil
	}
	if id == x.lastID {
		seq := x.lastSeq
		return &seq, nil
	}
	seq, err := x.q.PortableNodeSeq(x.Context(), id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &lashstore.NodeError{NodeID: id, Err: otherwise, Detail: "named by " + of}
	}
	return &seq, err
}
