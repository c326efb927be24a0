package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) gcCommand() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:   "gc [SESSION...]",
		Short: "Delete blobs that nothing names, in all sessions when none is named, and give free space back",
		RunE: func(c *cobra.Command, args []string) error {
			return a.collect(c.Context(), args, dry)
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only count what would go")
	return c
}

type collected struct {
	SessionID string `json:"session_id"`
	DryRun    bool   `json:"dry_run"`
	Roots     int64  `json:"roots"`
	Retained  int64  `json:"retained"`
	Spared    int64  `json:"spared"`
	Deleted   int64  `json:"deleted"`
	Bytes     int64  `json:"bytes"`
	Pages     int64  `json:"pages"` // given back to the file system
}

func (a *app) collect(ctx context.Context, ids []string, dry bool) error {
	open := store.OpenExisting
	if dry {
		open = store.OpenReadOnly
	}
	var sum collected
	var sessions int
	err := a.each(ctx, ids, open, func(s *store.Store, t target) error {
		one, err := collectOne(ctx, s, dry)
		sessions++
		sum.Retained += one.Retained
		sum.Spared += one.Spared
		sum.Deleted += one.Deleted
		sum.Bytes += one.Bytes
		if a.json && err == nil {
			return a.emit(one)
		}
		return err
	})
	if err != nil || a.json {
		return err
	}
	did := "deleted"
	if dry {
		did = "would be deleted"
	}
	_, err = fmt.Fprintf(a.stdout, "%s: %s %s (%s), %d kept, %d too young to go\n",
		plural(sessions, "session"), plural(sum.Deleted, "blob"), did, size(sum.Bytes), sum.Retained, sum.Spared)
	return err
}

// collectOne counts what was deleted even when it ends with an error.
func collectOne(ctx context.Context, s lashstore.SessionStore, dry bool) (collected, error) {
	r, err := s.GC(ctx, &lashstore.GCOptions{DryRun: dry})
	one := collected{
		SessionID: s.SessionID(), DryRun: dry, Roots: r.Roots, Retained: r.Retained, Spared: r.Spared,
		Deleted: r.Deleted, Bytes: r.Bytes,
	}
	if err != nil || dry {
		return one, err
	}
	// The free pages only: nothing was tombstoned before 1970.
	v, err := s.Vacuum(ctx, &lashstore.VacuumOptions{TombstonesBefore: time.UnixMilli(1)})
	one.Pages = v.Pages
	return one, err
}
