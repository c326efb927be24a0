package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) statsCommand() *cobra.Command {
	sizes := false
	c := &cobra.Command{
		Use:   "stats [SESSION...]",
		Short: "Count the rows and bytes of sessions, all when none is named",
		Long: "Count the rows and bytes of sessions, all when none is named.\n\n" +
			"WORK and INPUTS wait or are claimed, what is SETTLED is remembered, and LINE is the bytes of all four.\n" +
			"Where there is nothing of them, their columns are left out; --json has all.",
		Args: func(_ *cobra.Command, args []string) error {
			if sizes && len(args) > 0 {
				return errors.New("--sessions is a table of all sessions: name none")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if sizes {
				return a.sizes(c.Context())
			}
			return a.stats(c.Context(), args)
		},
	}
	c.Flags().BoolVar(&sizes, "sessions", false, "only what each session takes on disk, the largest first")
	return c
}

// jsonBytes is what a session takes on disk.
type jsonBytes struct {
	SessionID string `json:"session_id"`
	Title     string `json:"title"`
	Path      string `json:"path"`
	Bytes     int64  `json:"bytes"`
}

// sizes writes what each session takes on disk, its log included. It opens none that the list does not.
func (a *app) sizes(ctx context.Context) error {
	if err := a.requireData(); err != nil {
		return err
	}
	var all []jsonBytes
	for info, err := range a.listed(ctx, &store.ListQuery{}, 0) {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			a.problem(target{id: info.Meta.SessionID, path: info.Location}, err)
		default:
			all = append(all, jsonBytes{SessionID: info.Meta.SessionID, Title: info.Summary.Title, Path: info.Location, Bytes: info.Bytes})
		}
	}
	slices.SortStableFunc(all, func(x, y jsonBytes) int {
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), strings.Compare(x.SessionID, y.SessionID))
	})
	rows := newTable(a.stdout, []string{"SESSION", "TITLE"}, []string{"SIZE"})
	var total int64
	for _, line := range all {
		if a.json {
			if err := a.emit(line); err != nil {
				return err
			}
		}
		total += line.Bytes
		rows.row(shortenMiddle(oneLine(line.SessionID), idWidth), shorten(oneLine(line.Title), titleWidth), size(line.Bytes))
	}
	if a.json {
		return nil
	}
	rows.row("TOTAL", "", size(total))
	return rows.flush()
}

type jsonStats struct {
	SessionID       string `json:"session_id"`
	Nodes           int64  `json:"nodes"`
	Tombstones      int64  `json:"tombstones"`
	NodeBytes       int64  `json:"node_bytes"`
	Blobs           int64  `json:"blobs"`
	BlobBytes       int64  `json:"blob_bytes"`
	BlobStoredBytes int64  `json:"blob_stored_bytes"`
	Receipts        int64  `json:"receipts"`
	Revisions       int64  `json:"revisions"` // lines of the log
	UsageDeltas     int64  `json:"usage_deltas"`
	Frames          int64  `json:"frames"`
	Artifacts       int64  `json:"artifacts"`
	Work            int64  `json:"work"`   // waiting or claimed
	Inputs          int64  `json:"inputs"` // waiting or claimed
	SettledWork     int64  `json:"settled_work"`
	SettledInputs   int64  `json:"settled_inputs"`
	EntryBytes      int64  `json:"entry_bytes"` // of all four
	FileBytes       int64  `json:"file_bytes"`
	WALBytes        int64  `json:"wal_bytes"`
	FreeBytes       int64  `json:"free_bytes"`
}

func newJSONStats(id string, s lashstore.Stats) jsonStats {
	return jsonStats{
		SessionID: id, Nodes: s.Nodes, Tombstones: s.Tombstones, NodeBytes: s.NodeBytes,
		Blobs: s.Blobs, BlobBytes: s.BlobBytes, BlobStoredBytes: s.BlobStoredBytes, Receipts: s.Receipts,
		Revisions: s.Revisions, UsageDeltas: s.UsageDeltas, Frames: s.Frames, Artifacts: s.Artifacts,
		Work: s.Work, Inputs: s.Inputs, SettledWork: s.SettledWork, SettledInputs: s.SettledInputs, EntryBytes: s.EntryBytes,
		FileBytes: s.FileBytes, WALBytes: s.WALBytes, FreeBytes: s.FreeBytes,
	}
}

func (s *jsonStats) add(o jsonStats) {
	s.Nodes += o.Nodes
	s.Tombstones += o.Tombstones
	s.NodeBytes += o.NodeBytes
	s.Blobs += o.Blobs
	s.BlobBytes += o.BlobBytes
	s.BlobStoredBytes += o.BlobStoredBytes
	s.Receipts += o.Receipts
	s.Revisions += o.Revisions
	s.UsageDeltas += o.UsageDeltas
	s.Frames += o.Frames
	s.Artifacts += o.Artifacts
	s.Work += o.Work
	s.Inputs += o.Inputs
	s.SettledWork += o.SettledWork
	s.SettledInputs += o.SettledInputs
	s.EntryBytes += o.EntryBytes
	s.FileBytes += o.FileBytes
	s.WALBytes += o.WALBytes
	s.FreeBytes += o.FreeBytes
}

func (s jsonStats) row(t *table) {
	line := ""
	if s.EntryBytes > 0 {
		line = size(s.EntryBytes)
	}
	t.row(shortenMiddle(oneLine(s.SessionID), idWidth), number(s.Nodes), number(s.Tombstones), size(s.NodeBytes), number(s.Blobs), size(s.BlobBytes),
		size(s.BlobStoredBytes), number(s.Receipts), number(s.Revisions), number(s.UsageDeltas), number(s.Frames), number(s.Artifacts),
		some(s.Work), some(s.SettledWork), some(s.Inputs), some(s.SettledInputs), line,
		size(s.FileBytes), size(s.WALBytes), size(s.FreeBytes))
}

func (a *app) stats(ctx context.Context, ids []string) error {
	var rows *table
	if !a.json {
		rows = newTable(a.stdout, []string{"SESSION"}, []string{"NODES", "TOMBSTONES", "PAYLOADS", "BLOBS", "PLAIN", "STORED",
			"RECEIPTS", "REVISIONS", "USAGE", "FRAMES", "ARTIFACTS", "WORK", "SETTLED WORK", "INPUTS", "SETTLED INPUTS", "LINE", "FILE", "WAL", "FREE"})
	}
	total := jsonStats{SessionID: "TOTAL"}
	err := a.each(ctx, ids, store.OpenReadOnly, func(s *store.Store, t target) error {
		counted, err := s.Stats(ctx)
		if err != nil {
			return err
		}
		line := newJSONStats(t.id, counted)
		if a.json {
			return a.emit(line)
		}
		total.add(line)
		line.row(rows)
		return nil
	})
	if err != nil || a.json {
		return err
	}
	total.row(rows)
	rows.dropEmpty()
	return rows.flush()
}
