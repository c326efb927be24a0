package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/sqlitedb"
)

// Factory keeps the sessions of one directory, each in a database file of its own. It holds nothing open: its methods
// may be called from any number of processes at once.
type Factory struct {
	dir     string
	options Options
}

var _ lashstore.SessionFactory = (*Factory)(nil)

// NewFactory returns a factory on dir, which CreateSession makes when it is not there.
func NewFactory(dir string, options *Options) (*Factory, error) {
	full := options.withDefaults()
	if err := full.validate(); err != nil {
		return nil, err
	}
	if dir == "" {
		return nil, &lashstore.InvalidError{Field: "dir", Reason: "empty"}
	}
	return &Factory{dir: dir, options: full}, nil
}

// Durability says what an acknowledged commit survives.
func (f *Factory) Durability() lashstore.Durability { return f.options.Durability }

// PathOf returns the file in which the session is, or would be.
func (f *Factory) PathOf(sessionID string) string { return filepath.Join(f.dir, FileName(sessionID)) }

// CreateSession opens a session and creates it first when there is none.
func (f *Factory) CreateSession(ctx context.Context, meta lashstore.SessionMeta) (lashstore.SessionStore, error) {
	if err := meta.Validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return nil, fmt.Errorf("make the sessions' directory: %w", err)
	}
	s, err := Open(ctx, f.PathOf(meta.SessionID), meta, &f.options)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenSession opens a session that exists.
func (f *Factory) OpenSession(ctx context.Context, sessionID string) (lashstore.SessionStore, error) {
	s, err := f.open(ctx, sessionID, OpenExisting)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenReadOnly opens a session that exists for reading.
func (f *Factory) OpenReadOnly(ctx context.Context, sessionID string) (*Store, error) {
	return f.open(ctx, sessionID, OpenReadOnly)
}

type openFunc func(context.Context, string, *Options) (*Store, error)

func (f *Factory) open(ctx context.Context, sessionID string, open openFunc) (*Store, error) {
	if err := lashstore.ValidateID("session_id", sessionID); err != nil {
		return nil, err
	}
	s, err := open(ctx, f.PathOf(sessionID), &f.options)
	if errors.Is(err, lashstore.ErrSessionDeleted) {
		return nil, fmt.Errorf("%w: %w", lashstore.ErrSessionNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	if s.sessionID != sessionID {
		err = &lashstore.SessionMismatchError{Bound: s.sessionID, Attempted: sessionID}
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Sessions walks over all sessions of the directory, most recently updated first. It reads two rows of each. A database
// that is not under its session's name, a copy for instance, is yielded as a MisplacedError.
func (f *Factory) Sessions(ctx context.Context) iter.Seq2[lashstore.SessionInfo, error] {
	return func(yield func(lashstore.SessionInfo, error) bool) {
		paths, err := f.files()
		if err != nil {
			yield(lashstore.SessionInfo{Location: f.dir}, err)
			return
		}
		var infos []lashstore.SessionInfo
		for _, path := range paths {
			info, err := f.inspect(ctx, path)
			switch {
			case errors.Is(err, lashstore.ErrSessionNotFound):
				// Deleted between the listing and the look.
				f.options.Logger.DebugContext(ctx, "a listed file is gone", "path", path, "error", err)
			case errors.Is(err, lashstore.ErrSessionDeleted):
				f.finishDeletion(ctx, path)
			case err != nil:
				if !yield(info, fmt.Errorf("%s: %w", filepath.Base(path), err)) {
					return
				}
			default:
				infos = append(infos, info)
			}
		}
		slices.SortStableFunc(infos, func(a, b lashstore.SessionInfo) int {
			return cmp.Or(b.Summary.UpdatedAt.Compare(a.Summary.UpdatedAt), cmp.Compare(a.Meta.SessionID, b.Meta.SessionID))
		})
		for _, info := range infos {
			if !yield(info, nil) {
				return
			}
		}
	}
}

// finishDeletion removes what a deletion left because somebody had the file open then. It comes round again if somebody
// has still.
func (f *Factory) finishDeletion(ctx context.Context, path string) {
	s, err := OpenExisting(ctx, path, &f.options)
	if err == nil {
		err = s.Close() // made anew meanwhile
	}
	if err != nil && !errors.Is(err, lashstore.ErrSessionDeleted) {
		f.options.Logger.DebugContext(ctx, "a deleted session's file was looked at in vain", "path", path, "error", err)
	}
}

// files lists the databases of the directory by name; a directory that is not there has none. What a file is, is for
// its header to say. What creations that were killed left behind goes by the way.
func (f *Factory) files() ([]string, error) {
	paths, _, err := f.listing()
	return paths, err
}

// listing is files, and the paths of the logs that are there.
func (f *Factory) listing() (paths []string, logs map[string]bool, err error) {
	entries, err := os.ReadDir(f.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list the sessions' directory: %w", err)
	}
	logs = map[string]bool{}
	for _, e := range entries {
		if removed, err := sqlitedb.RemoveLeftover(f.dir, e); removed || err != nil {
			f.options.Logger.Debug("what a killed creation left was met", "name", e.Name(), "removed", removed, "error", err)
		}
		path := filepath.Join(f.dir, e.Name())
		switch {
		case e.IsDir():
		case filepath.Ext(path) == fileSuffix:
			paths = append(paths, path)
		case strings.HasSuffix(path, logSuffix):
			logs[path] = true
		}
	}
	return paths, logs, nil
}

// logSuffix follows the name of a database in that of its log.
const logSuffix = "-wal"

// inspect reads what a list shows. On an error the SessionInfo has at least its location.
func (f *Factory) inspect(ctx context.Context, path string) (info lashstore.SessionInfo, err error) {
	info.Location = path
	info.Bytes = fileBytes(path)
	s, err := OpenReadOnly(ctx, path, &f.options)
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	info.Meta.SessionID = s.sessionID
	err = s.view(ctx, func(t *tx) error {
		info.Revision, info.Summary = t.state.revision, t.state.summary
		info.Meta, err = t.meta()
		return err
	})
	if want := f.PathOf(s.sessionID); err == nil && filepath.Base(path) != filepath.Base(want) {
		err = &lashstore.MisplacedError{Location: path, SessionID: s.sessionID, Want: want}
	}
	return info, err
}

// fileBytes is what a database takes on disk, its WAL included; a file that is not there takes nothing.
func fileBytes(path string) int64 {
	var total int64
	for _, p := range []string{path, path + logSuffix} {
		if stat, err := os.Stat(p); err == nil {
			total += stat.Size()
		}
	}
	return total
}
