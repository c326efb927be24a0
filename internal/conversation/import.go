package conversation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lashstore/lashstore"
)

// Outcome is what became of a conversation.
type Outcome string

// The outcomes of an import.
const (
	New       Outcome = "new"       // nothing of it had been committed
	Unchanged Outcome = "unchanged" // all of it had been
	Grown     Outcome = "grown"     // what was missing at its end was appended
	Conflict  Outcome = "conflict"  // it differs from what is stored, which was left as it is
)

// Result tells what an import did. After an error it tells what was committed before.
type Result struct {
	Outcome  Outcome
	Turns    int    // committed now; one that was continued is one
	Messages int    // committed now
	Reason   string // of a conflict
}

// Import keeps c as a session: one commit a turn. What has been committed is read from the session, never assumed, so it
// goes on where a crash or another process left off, and repeating it is safe. Whatever is stored and differs from c is
// a Conflict, and nothing is written.
//
// Errors are those of the factory and the store; what was committed before one stays.
func Import(ctx context.Context, factory lashstore.SessionFactory, c Conversation) (result Result, err error) {
	store, created, err := open(ctx, factory, c)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	meta, err := store.Meta(ctx)
	if err != nil {
		return Result{}, err
	}
	im := importer{store: store, conversation: c, created: created && len(c.Messages) == 0}
	if reason := differsInMeta(described(meta), c); reason != "" {
		im.conflict(reason)
		return im.result, nil
	}
	return im.run(ctx)
}

// open tries what exists first, so that it can tell whether the session is new. What cannot be opened may still be what
// a crash left of creating it.
func open(ctx context.Context, factory lashstore.SessionFactory, c Conversation) (lashstore.SessionStore, bool, error) {
	store, err := factory.OpenSession(ctx, c.SessionID)
	if err == nil {
		return store, false, nil
	}
	unknown := errors.Is(err, lashstore.ErrSessionNotFound)
	store, err = factory.CreateSession(ctx, c.meta())
	return store, unknown, err
}

// importer is an import on its way through the turns.
type importer struct {
	store        lashstore.SessionStore
	conversation Conversation
	created      bool // by us, and there is nothing to commit
	empty        bool // had no commits when we came
	result       Result
}

// errOvertaken: somebody else has committed since we looked. Look again.
var errOvertaken = errors.New("overtaken by another writer")

func (im *importer) run(ctx context.Context) (Result, error) {
	for seen := lashstore.Revision(-1); ; {
		session, err := im.store.Load(ctx, &lashstore.LoadOptions{WithoutCheckpoint: true})
		if err != nil {
			return im.result, err
		}
		if session.Revision == seen {
			im.conflict("its next turn was committed before and is no longer on the active path")
			return im.result, nil
		}
		im.empty = im.empty || session.Revision == 0
		seen = session.Revision
		if err := im.advance(ctx, session); !errors.Is(err, errOvertaken) {
			return im.result, err
		}
	}
}

// advance commits every turn that session lacks.
func (im *importer) advance(ctx context.Context, session *lashstore.Session) error {
	stored := messagesOf(session.Graph.Nodes)
	if reason := differsInMessages(stored, im.conversation.Messages); reason != "" {
		im.conflict(reason)
		return nil
	}
	im.settle()
	turns := Turns(im.conversation.Messages, len(stored))
	if len(turns) == 0 {
		return nil
	}
	owns, err := im.ownsCheckpoint(ctx, session.Revision)
	if err != nil {
		return err
	}
	w := writer{
		sessionID: im.conversation.SessionID, expect: session.Expect(), leaf: session.Graph.Leaf, checkpoints: owns,
	}
	for _, turn := range turns {
		if err := im.commit(ctx, &w, turn); err != nil {
			return err
		}
	}
	return nil
}

func (im *importer) commit(ctx context.Context, w *writer, turn Turn) error {
	commit, err := w.commitOf(im.conversation, turn)
	if err != nil {
		return err
	}
	done, err := im.store.Commit(ctx, commit)
	var taken *lashstore.NodeConflictError
	switch {
	case errors.Is(err, lashstore.ErrRevisionConflict), errors.Is(err, lashstore.ErrTurnConflict), err == nil && done.Replayed:
		return errOvertaken
	case errors.As(err, &taken):
		im.conflict(err.Error())
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", turn.ID, err)
	}
	w.expect, w.leaf = lashstore.At(done.Revision), nodeID(turn.To-1)
	im.result.Turns++
	im.result.Messages += turn.To - turn.From
	im.settle()
	return nil
}

// settle names the outcome so far.
func (im *importer) settle() {
	switch {
	case im.created, im.empty && im.result.Turns > 0:
		im.result.Outcome = New
	case im.result.Turns > 0:
		im.result.Outcome = Grown
	default:
		im.result.Outcome = Unchanged
	}
}

func (im *importer) conflict(reason string) {
	im.result.Outcome, im.result.Reason = Conflict, reason
}

// writer knows where the next turn goes.
type writer struct {
	sessionID   string
	expect      lashstore.Expectation
	leaf        string
	checkpoints bool
}

func (w *writer) commitOf(c Conversation, turn Turn) (lashstore.Commit, error) {
	commit := lashstore.Commit{
		SessionID: w.sessionID, Expect: w.expect, WithoutLease: true,
		Turn: &lashstore.TurnStamp{TurnID: turn.ID, Continues: turn.Continues},
	}
	nodes := make([]lashstore.Node, 0, turn.To-turn.From)
	parent := w.leaf
	for i := turn.From; i < turn.To; i++ {
		nodes = append(nodes, c.node(i, parent))
		parent = nodeID(i)
	}
	commit.Graph = lashstore.AppendNodes(nodes...)
	if w.checkpoints {
		commit.Checkpoint = &lashstore.Checkpoint{TurnState: fmt.Appendf(nil, `{"turn_index":%d}`, turn.Index)}
	}
	if w.expect == lashstore.Create() && c.Model != "" {
		config, err := json.Marshal(map[string]string{"model": c.Model})
		if err != nil {
			return commit, err
		}
		commit.Config = config
	}
	return commit, nil
}

// ownsCheckpoint reports whether an import may write over the checkpoint: there is none, or an import left it. A
// runtime's own is kept, and so is one that cannot be read: nobody can tell whose it is. Should the head have moved on
// from the revision meanwhile, the commit loses whatever is said here.
func (im *importer) ownsCheckpoint(ctx context.Context, revision lashstore.Revision) (bool, error) {
	if revision == 0 {
		return true, nil
	}
	head, err := im.store.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutParts: true})
	if err != nil {
		return false, err
	}
	return isOfAnImport(head.Checkpoint), nil
}

func isOfAnImport(stored *lashstore.StoredCheckpoint) bool {
	if stored == nil {
		return true
	}
	var state struct {
		TurnIndex int `json:"turn_index"`
	}
	return len(stored.Parts) == 0 && json.Unmarshal(stored.TurnState, &state) == nil && state.TurnIndex > 0
}
