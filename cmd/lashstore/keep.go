package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) pinCommand() *cobra.Command {
	return a.pinning("pin SESSION REVISION", "Keep a revision until it is unpinned", a.pin)
}

func (a *app) unpinCommand() *cobra.Command {
	return a.pinning("unpin SESSION REVISION", "Let go of a pinned revision", a.unpin)
}

func (a *app) pinning(use, short string, do func(context.Context, lashstore.SessionStore, lashstore.Revision) error) *cobra.Command {
	var r revisionFlag
	return &cobra.Command{
		Use: use, Short: short, Args: revisionArgs(&r),
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args[:1], store.OpenExisting, func(s *store.Store, _ target) error {
				return gone(s.SessionID(), do(c.Context(), s, r.value))
			})
		},
	}
}

func (a *app) pin(ctx context.Context, s lashstore.SessionStore, r lashstore.Revision) error {
	if err := s.PinRevision(ctx, r); err != nil {
		return err
	}
	return a.pinned(ctx, s, r, "pinned revision %d")
}

// unpin tells what has become of the revision: one that is not kept otherwise cannot be pinned again.
func (a *app) unpin(ctx context.Context, s lashstore.SessionStore, r lashstore.Revision) error {
	before, err := revisionInfo(ctx, s, r)
	if err != nil {
		return err
	}
	if err := s.UnpinRevision(ctx, r); err != nil {
		return err
	}
	if !before.Pinned {
		return a.pinned(ctx, s, r, "revision %d was not pinned")
	}
	return a.pinned(ctx, s, r, "unpinned revision %d")
}

func (a *app) pinned(ctx context.Context, s lashstore.SessionStore, r lashstore.Revision, text string) error {
	now, err := revisionInfo(ctx, s, r)
	if err != nil {
		return err
	}
	if a.json {
		return a.emit(newJSONRevision(s.SessionID(), now))
	}
	if !now.Loadable {
		text += "; it is no longer kept"
	}
	return a.print(fmt.Sprintf(text, r))
}

func (a *app) keepCommand() *cobra.Command {
	var keep int
	return &cobra.Command{
		Use:   "keep SESSION N",
		Short: "Say how many of the last revisions can be gone back to",
		Long: fmt.Sprintf("Say how many of the last revisions can be gone back to, the head among them; 0, like 1, keeps none but the head.\n"+
			"A session begins with %d. What is pinned is kept besides. Raise it before you need it: a revision whose\n"+
			"checkpoint was collected meanwhile does not come back.", lashstore.DefaultKeepRevisions),
		Args: func(c *cobra.Command, args []string) error {
			err := cobra.ExactArgs(2)(c, args)
			if err == nil {
				if keep, err = strconv.Atoi(args[1]); err != nil {
					err = fmt.Errorf("%q is no number of revisions", args[1])
				}
			}
			return err
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args[:1], store.OpenExisting, func(s *store.Store, _ target) error {
				return a.keep(c.Context(), s, keep)
			})
		},
	}
}

func (a *app) keep(ctx context.Context, s lashstore.SessionStore, n int) error {
	if err := s.KeepRevisions(ctx, n); err != nil {
		return err
	}
	if a.json {
		return a.emit(struct {
			SessionID string `json:"session_id"`
			Keep      int    `json:"keep_revisions"`
		}{s.SessionID(), n})
	}
	text := "keeps the head alone, and what is pinned"
	if n > 1 {
		text = fmt.Sprintf("keeps the last %d revisions, and what is pinned", n)
	}
	return a.print(text)
}
