package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) rmCommand() *cobra.Command {
	var damaged bool
	c := &cobra.Command{
		Use:   "rm SESSION...",
		Short: "Delete sessions and everything in them",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if damaged {
				return a.remove(c.Context(), args, a.discardOne)
			}
			return a.remove(c.Context(), args, a.removeOne)
		},
	}
	c.Flags().BoolVar(&damaged, "damaged", false, "remove the files of sessions that do not open, and of no others")
	return c
}

type jsonRemoved struct {
	SessionID string `json:"session_id"`
	Deleted   bool   `json:"deleted"`
}

func (a *app) remove(ctx context.Context, ids []string, one func(context.Context, *store.Factory, string) error) error {
	f, err := a.sessions()
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := one(ctx, f, id)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			a.problem(target{id: id, path: f.PathOf(id)}, err)
		}
	}
	return nil
}

// removeOne tells a session that is not there, which deleting it would not.
func (a *app) removeOne(ctx context.Context, f *store.Factory, id string) error {
	t := target{id: id, path: f.PathOf(id)}
	err := a.with(ctx, t, store.OpenReadOnly, func(*store.Store, target) error { return nil })
	if err == nil {
		err = f.DeleteSession(ctx, id)
	}
	for _, damage := range []error{lashstore.ErrCorrupt, lashstore.ErrNotADatabase, lashstore.ErrSchema} {
		if errors.Is(err, damage) {
			return fmt.Errorf("%w; rm --damaged removes what is left of it", err)
		}
	}
	if err != nil {
		return err
	}
	return a.removed(id, "deleted")
}

func (a *app) discardOne(ctx context.Context, f *store.Factory, id string) error {
	switch err := f.DiscardSession(ctx, id); {
	case errors.Is(err, lashstore.ErrNotDamaged):
		return fmt.Errorf("%w: rm without --damaged deletes it", lashstore.ErrNotDamaged)
	case errors.Is(err, lashstore.ErrSessionNotFound):
		return lashstore.ErrSessionNotFound
	case err != nil:
		return err
	}
	return a.removed(id, "discarded")
}

func (a *app) removed(id, how string) error {
	if a.json {
		return a.emit(jsonRemoved{SessionID: id, Deleted: true})
	}
	_, err := fmt.Fprintln(a.stdout, how, oneLine(id))
	return err
}
