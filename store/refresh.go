package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
	"github.com/lashstore/lashstore/internal/sqlitedb"
)

// RefreshReport says what a refresh of the catalog found.
type RefreshReport struct {
	Files     int // the databases in the directory
	Inspected int // those that were looked into, because they are new, or changed, or could not be read before
	Removed   int // rows whose file is gone
	// Problems are the files that cannot be read as sessions, by name.
	Problems []SessionProblem
}

// SessionProblem is a file of the sessions' directory that cannot be read as a session.
type SessionProblem struct {
	Info lashstore.SessionInfo // what is known of it, its Location at least
	Err  error                 // as Factory.Sessions yields it
}

// refreshBatch is how many files are looked into, and then written in one transaction.
const refreshBatch = 256

// Refresh brings the catalog up to date with the directory. It reads the directory once, and of a file that has not changed
// since it was looked into no more than its size and time. Safe to repeat, to interrupt, and to run in several processes
// at once. What is written to a session afterwards is for the next refresh.
//
// Errors: ErrReadOnly where no catalog can be written; ErrBusy when one that is damaged, or of another version, is open in
// another process; the context's; the storage errors.
func (f *Fleet) Refresh(ctx context.Context) (RefreshReport, error) {
	if err := f.begin(nil); err != nil {
		return RefreshReport{}, err
	}
	defer f.running.Done()
	if f.nowhere() {
		return RefreshReport{}, nil
	}
	return f.refresh(ctx)
}

// nowhere reports that there is no directory yet: it has no sessions, and nothing is made for a list of them.
func (f *Fleet) nowhere() bool {
	_, err := os.Stat(f.factory.dir)
	return isNotExist(err)
}

func (f *Fleet) refresh(ctx context.Context) (RefreshReport, error) {
	select {
	case f.catalog.refreshing <- struct{}{}:
		defer func() { <-f.catalog.refreshing }()
	case <-ctx.Done():
		return RefreshReport{}, ctx.Err()
	case <-f.life.Done():
		return RefreshReport{}, lashstore.ErrClosed
	}
	var report RefreshReport
	err := f.catalog.use(ctx, func(d *sqlitedb.DB) error {
		r := refresh{factory: f.factory, db: d}
		err := r.run(ctx)
		report = r.report
		return err
	})
	return report, err
}

// refresh is one run.
type refresh struct {
	factory *Factory
	db      *sqlitedb.DB
	report  RefreshReport
}

// look is a file to be looked into, and what came of it.
type look struct {
	path    string
	known   *db.SessionFileMarksRow // nil when the catalog has no row of it
	marks   marks
	settled bool
	info    lashstore.SessionInfo
	err     error
}

func (r *refresh) run(ctx context.Context) error {
	paths, logs, err := r.factory.listing()
	if err != nil {
		return err
	}
	r.report.Files = len(paths)
	known, err := r.known(ctx)
	if err != nil {
		return err
	}
	changed := r.compare(paths, logs, known)
	if err := r.drop(ctx, known); err != nil {
		return err
	}
	for len(changed) > 0 {
		n := min(len(changed), refreshBatch)
		if err := r.inspect(ctx, changed[:n]); err != nil {
			return err
		}
		changed = changed[n:]
	}
	return nil
}

// compare returns what is to be looked into, and takes every file that is there out of known. What was committed before
// the listing has a log in it, or none any more.
func (r *refresh) compare(paths []string, logs map[string]bool, known map[string]db.SessionFileMarksRow) (changed []*look) {
	for _, path := range paths {
		l := &look{path: path}
		var err error
		l.marks, l.settled, err = marksOf(path, logs[path+logSuffix], time.Now())
		if isNotExist(err) {
			continue // gone since the listing
		}
		name := filepath.Base(path)
		row, is := known[name]
		if is {
			l.known = &row
			delete(known, name)
		}
		if err != nil || !is || row.Settled == 0 || marksFromRow(row) != l.marks {
			changed = append(changed, l)
		}
	}
	return changed
}

// known reads the marks of every row.
func (r *refresh) known(ctx context.Context) (map[string]db.SessionFileMarksRow, error) {
	known := map[string]db.SessionFileMarksRow{}
	err := r.db.View(ctx, func(t *sqlitedb.Tx) error {
		rows, err := db.New(t).SessionFileMarks(t.Context())
		for _, row := range rows {
			known[row.FileName] = row
		}
		return err
	})
	return known, err
}

// drop removes the rows of files that are gone, in batches.
func (r *refresh) drop(ctx context.Context, gone map[string]db.SessionFileMarksRow) error {
	var batch []db.SessionFileDropParams
	for name, row := range gone {
		batch = append(batch, db.SessionFileDropParams{FileName: name, Inode: row.Inode, MtimeNs: row.MtimeNs})
	}
	for len(batch) > 0 {
		n := min(len(batch), refreshBatch)
		err := r.db.Update(ctx, func(t *sqlitedb.Tx) error {
			for _, params := range batch[:n] {
				if _, err := db.New(t).SessionFileDrop(t.Context(), params); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.report.Removed += n
		batch = batch[n:]
	}
	return nil
}

// inspect looks into files, several at a time, and writes down what it found.
func (r *refresh) inspect(ctx context.Context, batch []*look) error {
	next := make(chan *look)
	var workers sync.WaitGroup
	for range min(len(batch), runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for l := range next {
				l.info, l.err = r.factory.inspect(ctx, l.path)
			}
		})
	}
	for _, l := range batch {
		next <- l
	}
	close(next)
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return err // which is what the looks met, and no fault of the files
	}
	found, gone := r.sort(ctx, batch)
	err := r.db.Update(ctx, func(t *sqlitedb.Tx) error {
		for _, l := range found {
			if err := db.New(t).SessionFilePut(t.Context(), l.row()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.drop(ctx, gone)
}

// sort tells what has a row from what was deleted, reports what cannot be read, and finishes deletions.
func (r *refresh) sort(ctx context.Context, batch []*look) (found []*look, gone map[string]db.SessionFileMarksRow) {
	gone = map[string]db.SessionFileMarksRow{}
	for _, l := range batch {
		r.report.Inspected++
		deleted := errors.Is(l.err, lashstore.ErrSessionDeleted)
		switch {
		case deleted || errors.Is(l.err, lashstore.ErrSessionNotFound):
			if deleted {
				r.factory.finishDeletion(ctx, l.path)
			}
			if l.known != nil {
				gone[l.known.FileName] = *l.known
			}
			continue
		case l.err != nil:
			err := fmt.Errorf("%s: %w", filepath.Base(l.path), l.err)
			r.report.Problems = append(r.report.Problems, SessionProblem{Info: l.info, Err: err})
		}
		found = append(found, l)
	}
	return found, gone
}

// row is what the catalog keeps of a file.
func (l *look) row() db.SessionFilePutParams {
	row := db.SessionFilePutParams{
		FileName: filepath.Base(l.path), Bytes: l.info.Bytes,
		Inode: l.marks.inode, Size: l.marks.size, MtimeNs: l.marks.mtime,
		WalInode: l.marks.walInode, WalSize: l.marks.walSize, WalMtimeNs: l.marks.walMtime,
	}
	if l.err != nil {
		row.Error = l.err.Error()
		return row // and not settled
	}
	if l.settled {
		row.Settled = 1
	}
	meta, s := l.info.Meta, l.info.Summary
	row.SessionID, row.Name, row.Model, row.Cwd = meta.SessionID, meta.Name, meta.Model, meta.Cwd
	row.RelationKind, row.ParentSessionID = string(meta.Relation.Kind), meta.Relation.ParentSessionID
	row.CreatedAtMS, row.UpdatedAtMS = lashstore.Millis(meta.CreatedAt), updatedMillis(s)
	row.Title, row.Search = s.Title, searchable(s.Title, meta.Name)
	row.Revision, row.Turns, row.Messages = int64(l.info.Revision), s.Turns, s.Messages
	row.UserMessages, row.Tokens = s.UserMessages, s.Tokens
	return row
}

// updatedMillis is 0 before the first commit.
func updatedMillis(s lashstore.Summary) int64 {
	if s.UpdatedAt.IsZero() {
		return 0
	}
	return lashstore.Millis(s.UpdatedAt)
}

// searchable is what a search goes by. The line feed, which no search contains, keeps the texts apart.
func searchable(texts ...string) string { return strings.ToLower(strings.Join(texts, "\n")) }
