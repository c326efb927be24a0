package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify [SESSION...]",
		Short: "Read every byte of the sessions, all when none is named, and report what is wrong",
		RunE:  func(c *cobra.Command, args []string) error { return a.verify(c.Context(), args) },
	}
}

type jsonVerified struct {
	SessionID string        `json:"session_id"`
	Path      string        `json:"path"`
	OK        bool          `json:"ok"`
	Nodes     int64         `json:"nodes"`
	Blobs     int64         `json:"blobs"`
	Receipts  int64         `json:"receipts"`
	Frames    int64         `json:"frames"`
	Artifacts int64         `json:"artifacts"`
	Entries   int64         `json:"entries"` // of work and input
	Findings  []jsonFinding `json:"findings"`
}

type jsonFinding struct {
	Kind   lashstore.FindingKind `json:"kind"`
	Key    string                `json:"key"`
	Detail string                `json:"detail"`
}

func newJSONVerified(t target, r lashstore.VerifyReport) jsonVerified {
	v := jsonVerified{
		SessionID: t.id, Path: t.path, OK: len(r.Findings) == 0, Nodes: r.Nodes, Blobs: r.Blobs, Receipts: r.Receipts,
		Frames: r.Frames, Artifacts: r.Artifacts, Entries: r.Entries, Findings: []jsonFinding{},
	}
	for _, f := range r.Findings {
		v.Findings = append(v.Findings, jsonFinding(f))
	}
	return v
}

func (a *app) verify(ctx context.Context, ids []string) error {
	var sessions, findings int
	var nodes, blobs int64
	err := a.each(ctx, ids, store.OpenReadOnly, func(s *store.Store, t target) error {
		r, err := s.Verify(ctx)
		if err != nil {
			return err
		}
		sessions, findings = sessions+1, findings+len(r.Findings)
		nodes, blobs = nodes+r.Nodes, blobs+r.Blobs
		a.wrong = a.wrong || len(r.Findings) > 0
		if a.json {
			return a.emit(newJSONVerified(t, r))
		}
		return a.printFindings(t, r.Findings)
	})
	if err != nil || a.json {
		return err
	}
	verdict := "all sound"
	switch {
	case findings > 0:
		verdict = plural(findings, "finding")
	case a.wrong:
		verdict = "no findings, but not everything could be read"
	}
	_, err = fmt.Fprintf(a.stdout, "%s with %s and %s read: %s\n",
		plural(sessions, "session"), plural(nodes, "node"), plural(blobs, "blob"), verdict)
	return err
}

func (a *app) printFindings(t target, findings []lashstore.Finding) error {
	for _, f := range findings {
		text := fmt.Sprintf("%s: %s %s: %s", t.id, f.Kind, f.Key, f.Detail)
		if _, err := fmt.Fprintln(a.stdout, oneLine(text)); err != nil {
			return errOutput{err}
		}
	}
	return nil
}
