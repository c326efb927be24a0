package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) rewindCommand() *cobra.Command {
	var to revisionFlag
	c := &cobra.Command{
		Use:   "rewind SESSION --to REVISION",
		Short: "Go back to an earlier revision, as a new one",
		Long: "Go back to an earlier revision: the head takes its leaf, its checkpoint and its frame. It is a revision of its own, so\n" +
			"that nothing is lost and it can be undone; how is printed. Refused while somebody executes the session.",
		Args: func(c *cobra.Command, args []string) error {
			if to.value == 0 {
				return errors.New("--to is missing: lashstore log SESSION lists the revisions")
			}
			return cobra.ExactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args, store.OpenExisting, func(s *store.Store, _ target) error {
				return a.move(c.Context(), s, lashstore.HeadMove{Revision: to.value})
			})
		},
	}
	c.Flags().Var(&to, "to", "the revision to go back to; required")
	return c
}

func (a *app) switchCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "switch SESSION {NAME | LEAF}",
		Short: "Go to another branch, by its name or a node's id",
		Long: "Go to another branch, by its name or a node's id; a name goes first where both are the same. The checkpoint is that of\n" +
			"the latest revision that stood there and is kept; without one it stays. It can be undone; how is printed. Refused\n" +
			"while somebody executes the session.",
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args[:1], store.OpenExisting, func(s *store.Store, _ target) error {
				return a.switchTo(c.Context(), s, args[1])
			})
		},
	}
}

func (a *app) switchTo(ctx context.Context, s lashstore.SessionStore, to string) error {
	if err := lashstore.ValidateID("branch", to); err != nil {
		return err
	}
	err := a.move(ctx, s, lashstore.HeadMove{Branch: to})
	if errors.Is(err, lashstore.ErrBranchNotFound) {
		err = a.move(ctx, s, lashstore.HeadMove{Leaf: to})
	}
	if errors.Is(err, lashstore.ErrUnknownLeaf) {
		return fmt.Errorf("%w, nor is it the name of a branch; lashstore branches %s lists them", err, shellWord(s.SessionID()))
	}
	return err
}

// jsonMove is a move of the head as a machine reads it.
type jsonMove struct {
	jsonRevision
	Previous lashstore.Revision `json:"previous_revision"`
	// Undo is the revision to rewind to in order to undo the move; null when it is no longer kept.
	Undo *lashstore.Revision `json:"undo_revision"`
}

// move moves the head from where it stands, and says how to go back.
func (a *app) move(ctx context.Context, s lashstore.SessionStore, m lashstore.HeadMove) error {
	before, err := s.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutCheckpoint: true})
	if err != nil {
		return err
	}
	m.SessionID, m.Expect, m.WithoutLease = s.SessionID(), before.Expect(), true
	result, err := s.MoveHead(ctx, m)
	switch {
	case errors.Is(err, lashstore.ErrLeaseBusy):
		return fmt.Errorf("%w; wait until it is released or expires: lashstore lease show %s", err, shellWord(m.SessionID))
	case err != nil:
		return gone(m.SessionID, err)
	}
	now, err := revisionInfo(ctx, s, result.Revision)
	if err != nil {
		return err
	}
	then, err := revisionInfo(ctx, s, before.Revision)
	if err != nil && !errors.Is(err, lashstore.ErrRevisionGone) {
		return err
	}
	if !a.json {
		return a.printMove(m.SessionID, now, before.Revision, then.Loadable)
	}
	j := jsonMove{jsonRevision: newJSONRevision(m.SessionID, now), Previous: before.Revision}
	if then.Loadable {
		j.Undo = &before.Revision
	}
	return a.emit(j)
}

func (a *app) printMove(sessionID string, now lashstore.RevisionInfo, before lashstore.Revision, undo bool) error {
	what := "switched to " + now.Leaf
	if now.Movement == lashstore.MovedByRewind {
		what = fmt.Sprintf("went back to revision %d", now.Source)
	}
	if err := a.print(fmt.Sprintf("%s: the head is revision %d now", what, now.Revision)); err != nil {
		return err
	}
	if !undo {
		return a.print(fmt.Sprintf("no undo: revision %d is not kept", before))
	}
	data := ""
	if a.data != defaultData {
		data = " --data " + shellWord(a.data)
	}
	return a.print(fmt.Sprintf("undo with: lashstore%s rewind %s --to %d", data, shellWord(sessionID), before))
}

// revisionInfo looks up one revision in the log.
func revisionInfo(ctx context.Context, s lashstore.SessionStore, r lashstore.Revision) (lashstore.RevisionInfo, error) {
	list, err := s.Revisions(ctx, &lashstore.RevisionListOptions{Before: r + 1, Limit: 1})
	if err == nil && (len(list) == 0 || list[0].Revision != r) {
		head, loadErr := s.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutCheckpoint: true})
		if loadErr != nil {
			return lashstore.RevisionInfo{}, loadErr
		}
		err = &lashstore.RevisionError{Revision: r, Head: head.Revision, Err: lashstore.ErrRevisionGone}
	}
	if err != nil {
		return lashstore.RevisionInfo{}, err
	}
	return list[0], nil
}
