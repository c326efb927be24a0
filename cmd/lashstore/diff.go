package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) diffCommand() *cobra.Command {
	var from, to revisionFlag
	return &cobra.Command{
		Use:   "diff SESSION FROM TO",
		Short: "Show what lies between two revisions",
		Long: "Show what lies between two revisions: - a node that only FROM has on its path, + one that only TO has, ~ a part of the\n" +
			"checkpoint that differs.",
		Args: revisionArgs(&from, &to),
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args[:1], store.OpenReadOnly, func(s *store.Store, _ target) error {
				return gone(s.SessionID(), a.diff(c.Context(), s, from.value, to.value))
			})
		},
	}
}

// jsonDiff is what lies between two revisions as a machine reads it.
type jsonDiff struct {
	SessionID string       `json:"session_id"`
	From      jsonRevision `json:"from"`
	To        jsonRevision `json:"to"`
	Base      string       `json:"base"` // the last node that both have; "" when they share none
	Removed   []jsonNode   `json:"removed"`
	Added     []jsonNode   `json:"added"`
	Parts     []string     `json:"parts"`      // of the checkpoint, that differ
	TurnState bool         `json:"turn_state"` // differs
}

func (a *app) diff(ctx context.Context, s lashstore.SessionStore, from, to lashstore.Revision) error {
	d, err := s.DiffRevisions(ctx, from, to)
	if err != nil {
		return err
	}
	if !a.json {
		return a.printDiff(s.SessionID(), d)
	}
	return a.emit(jsonDiff{
		SessionID: s.SessionID(), From: newJSONRevision(s.SessionID(), d.From), To: newJSONRevision(s.SessionID(), d.To), Base: d.Base,
		Removed: newJSONNodes(d.Removed), Added: newJSONNodes(d.Added), Parts: append([]string{}, d.Parts...), TurnState: d.TurnState,
	})
}

func (a *app) printDiff(sessionID string, d lashstore.RevisionDiff) error {
	columns := min(a.columns(), 120)
	return buffered(a.stdout, func(w *bufio.Writer) error {
		line := func(text string) { fmt.Fprintln(w, shorten(oneLine(text), columns)) }
		line(fmt.Sprintf("%s: revision %d to %d, %d removed, %d added", sessionID, d.From.Revision, d.To.Revision, len(d.Removed), len(d.Added)))
		if d.Base != "" && len(d.Removed)+len(d.Added) > 0 {
			line("  " + d.Base + "  the last in common")
		}
		for _, n := range d.Removed {
			line("- " + nodeLine(n))
		}
		for _, n := range d.Added {
			line("+ " + nodeLine(n))
		}
		if d.TurnState {
			line("~ turn state")
		}
		for _, name := range d.Parts {
			line("~ part " + name)
		}
		return nil
	})
}

// nodeLine is a node in one line: its id, who speaks, and what it says as far as a line goes.
func nodeLine(n lashstore.Node) string {
	text := compact(n.Payload)
	if m, err := lashstore.ParseMessage(n.Payload); err == nil && n.Kind == lashstore.NodeMessage {
		text = cmp.Or(m.Text(), text)
	}
	speaker := cmp.Or(string(n.Role), string(n.Kind))
	return fmt.Sprintf("%s  %s  %s", shortenMiddle(oneLine(n.ID), idWidth), speaker, shorten(oneLine(text), cellWidth))
}
