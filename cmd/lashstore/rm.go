package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore/store"
)

func (a *app) rmCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rm SESSION...",
		Short: "Delete sessions and everything in them",
		Args:  cobra.MinimumNArgs(1),
		RunE:  func(c *cobra.Command, args []string) error { return a.remove(c.Context(), args) },
	}
}

type jsonRemoved struct {
	SessionID string `json:"session_id"`
	Deleted   bool   `json:"deleted"`
}

func (a *app) remove(ctx context.Context, ids []string) error {
	f, err := a.sessions()
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := a.removeOne(ctx, f, id)
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
	if err := a.with(ctx, t, store.OpenReadOnly, func(*store.Store, target) error { return nil }); err != nil {
		return err
	}
	if err := f.DeleteSession(ctx, id); err != nil {
		return err
	}
	if a.json {
		return a.emit(jsonRemoved{SessionID: id, Deleted: true})
	}
	_, err := fmt.Fprintln(a.stdout, "deleted", oneLine(id))
	return err
}
