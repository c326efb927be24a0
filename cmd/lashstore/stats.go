package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) statsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stats [SESSION...]",
		Short: "Count the rows and bytes of sessions, all when none is named",
		Long: "Count the rows and bytes of sessions, all when none is named.\n\n" +
			"WORK and INPUTS wait or are claimed, what is SETTLED is remembered, and LINE is the bytes of all four.\n" +
			"Where there is nothing of them, their columns are left out; --json has all.",
		RunE: func(c *cobra.Command, args []string) error { return a.stats(c.Context(), args) },
	}
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
		UsageDeltas: s.UsageDeltas, Frames: s.Frames, Artifacts: s.Artifacts,
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
		size(s.BlobStoredBytes), number(s.Receipts), number(s.UsageDeltas), number(s.Frames), number(s.Artifacts),
		some(s.Work), some(s.SettledWork), some(s.Inputs), some(s.SettledInputs), line,
		size(s.FileBytes), size(s.WALBytes), size(s.FreeBytes))
}

func (a *app) stats(ctx context.Context, ids []string) error {
	var rows *table
	if !a.json {
		rows = newTable(a.stdout, []string{"SESSION"}, []string{"NODES", "TOMBSTONES", "PAYLOADS", "BLOBS", "PLAIN", "STORED",
			"RECEIPTS", "USAGE", "FRAMES", "ARTIFACTS", "WORK", "SETTLED WORK", "INPUTS", "SETTLED INPUTS", "LINE", "FILE", "WAL", "FREE"})
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
