// Package refstore is the contract in its shortest form: a backend in memory with one mutex, no cleverness and, on
// request, one deliberate fault. It proves the conformance kit and serves as a model for random tests of real backends.
//
// Read state.go first: a session is a value; a write changes a copy of it, which takes its place when all went well.
package refstore

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lashstore/lashstore"
)

// Options configure a handle or a factory.
type Options struct {
	Clock          lashstore.Clock        // nil: the system's
	Probe          lashstore.ProcessProbe // nil: nothing can be proven
	GCEveryCommits int                    // 0: never
	Mutation       Mutation               // None: the contract as it is
}

// Place is what a disk is to other backends: it outlives handles and factories.
type Place struct {
	mu       sync.Mutex
	sessions map[string]*record
	changed  chan struct{} // closed by the next change
}

// record is one session that was created; its successor of the same id is another record.
type record struct {
	deleted bool
	state   state
}

// NewPlace returns an empty one.
func NewPlace() *Place { return &Place{sessions: map[string]*record{}, changed: make(chan struct{})} }

// change wakes everybody who waits. The caller holds the mutex.
func (p *Place) change() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// Factory keeps sessions in a Place.
type Factory struct {
	place   *Place
	options Options
}

var _ lashstore.SessionFactory = (*Factory)(nil)

// NewFactory returns a factory on p.
func NewFactory(p *Place, o Options) *Factory {
	if o.Clock == nil {
		o.Clock = lashstore.SystemClock
	}
	return &Factory{place: p, options: o}
}

func (f *Factory) now() time.Time {
	return lashstore.FromMillis(lashstore.Millis(f.options.Clock.Now()))
}

func (f *Factory) is(m Mutation) bool { return f.options.Mutation == m }

// key is under which a session is kept.
func (f *Factory) key(id string) string {
	if f.is(IDsIgnoreCase) {
		return strings.ToLower(id)
	}
	return id
}

// Durability is none: the place is in memory.
func (f *Factory) Durability() lashstore.Durability {
	if f.is(WrongDurability) {
		return lashstore.DurabilityFull
	}
	return lashstore.DurabilityNone
}

// CreateSession opens a session and creates it first when there is none.
func (f *Factory) CreateSession(ctx context.Context, meta lashstore.SessionMeta) (lashstore.SessionStore, error) {
	if err := cmp.Or(meta.Validate(), ctx.Err()); err != nil && !f.is(FactoryValidatesNothing) {
		return nil, err
	}
	if f.is(CreateForgetsRelation) {
		meta.Relation = lashstore.Relation{}
	}
	f.place.mu.Lock()
	defer f.place.mu.Unlock()
	r := f.place.sessions[f.key(meta.SessionID)]
	switch {
	case r == nil || f.is(HandlesAreStrangers):
		r = &record{state: newState(meta.WithDefaults(f.now()))}
		if f.is(NamesStayEmpty) {
			r.state.meta.Name = meta.Name
		}
		if f.is(GenerationsBeginAtZero) {
			r.state.lease.Generation = -1
		}
		f.place.sessions[f.key(meta.SessionID)] = r
	case f.is(CreateOverwritesMeta):
		r.state.meta = meta.WithDefaults(f.now())
	}
	return &Store{Factory: f, record: r, id: meta.SessionID}, nil
}

// OpenSession opens a session that exists.
func (f *Factory) OpenSession(ctx context.Context, id string) (lashstore.SessionStore, error) {
	if err := cmp.Or(lashstore.ValidateID("session_id", id), ctx.Err()); err != nil {
		return nil, err
	}
	if f.is(OpenCreates) {
		return f.CreateSession(ctx, lashstore.SessionMeta{SessionID: id})
	}
	f.place.mu.Lock()
	defer f.place.mu.Unlock()
	r := f.place.sessions[f.key(id)]
	if r == nil {
		return nil, lashstore.ErrSessionNotFound
	}
	return &Store{Factory: f, record: r, id: id}, nil
}

// DeleteSession removes a session.
func (f *Factory) DeleteSession(ctx context.Context, id string) error {
	if err := cmp.Or(lashstore.ValidateID("session_id", id), ctx.Err()); err != nil {
		return err
	}
	f.place.mu.Lock()
	defer f.place.mu.Unlock()
	r := f.place.sessions[f.key(id)]
	switch {
	case r == nil && f.is(DeleteTwiceFails):
		return lashstore.ErrSessionNotFound
	case r == nil:
		return nil
	case r.state.lease.LiveAt(f.now()) && !f.is(DeleteWhileLeased):
		return &lashstore.LeaseBusyError{Holder: r.state.lease.WithoutToken()}
	case f.is(DeleteKeepsGeneration):
		kept := newState(lashstore.SessionMeta{SessionID: id}.WithDefaults(f.now()))
		kept.lease.Generation = r.state.lease.Generation
		f.place.sessions[f.key(id)] = &record{state: kept}
	default:
		delete(f.place.sessions, f.key(id))
	}
	r.deleted = !f.is(DeletedHandleWorks)
	f.place.change()
	return nil
}

// Sessions walks over all sessions, most recently updated first.
func (f *Factory) Sessions(ctx context.Context) iter.Seq2[lashstore.SessionInfo, error] {
	return func(yield func(lashstore.SessionInfo, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(lashstore.SessionInfo{}, err)
			return
		}
		for _, info := range f.infos() {
			if !yield(info, nil) && !f.is(ListNeverStops) {
				return
			}
		}
	}
}

func (f *Factory) infos() []lashstore.SessionInfo {
	f.place.mu.Lock()
	defer f.place.mu.Unlock()
	var infos []lashstore.SessionInfo
	for _, r := range f.place.sessions {
		infos = append(infos, lashstore.SessionInfo{Meta: r.state.meta, Summary: r.state.summary, Revision: r.state.revision})
	}
	slices.SortFunc(infos, func(a, b lashstore.SessionInfo) int {
		if f.is(ListsOldestFirst) {
			a, b = b, a
		}
		return cmp.Or(b.Summary.UpdatedAt.Compare(a.Summary.UpdatedAt), cmp.Compare(a.Meta.SessionID, b.Meta.SessionID))
	})
	return infos
}
