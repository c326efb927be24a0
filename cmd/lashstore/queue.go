package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) queueCommand() *cobra.Command {
	return group("queue", "Show, add and cancel a session's queued work", a.queueLsCommand(), a.queueAddCommand(), a.queueCancelCommand())
}

func (a *app) queueLsCommand() *cobra.Command {
	var scope scopeFlags
	c := &cobra.Command{
		Use:   "ls SESSION",
		Short: "List the batches of work in the order of the line, those that wait and those that are claimed",
		Long: "List the batches of work in the order of the line, those that wait and those that are claimed.\n\n" +
			"STATE is \"in 5m\" for what waits for its time. RUNS is turn for what a running turn may take, between for what waits\n" +
			"until none runs, and command for what runs alone then. Columns that say nothing are left out; --json has all.",
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args, store.OpenReadOnly, func(s *store.Store, _ target) error {
				return a.listWork(c.Context(), s, scope.options())
			})
		},
	}
	scope.on(c)
	return c
}

// workFlags describe a batch.
type workFlags struct {
	kind, key, join string
	class, delivery choiceFlag
	notBefore       momentFlag
}

func (a *app) queueAddCommand() *cobra.Command {
	f := workFlags{
		class:    choiceFlag{string(lashstore.ClassTurn), []string{string(lashstore.ClassTurn), string(lashstore.ClassCommand)}},
		delivery: choiceFlag{of: []string{string(lashstore.DeliverEarliest), string(lashstore.DeliverAfterTurn)}},
	}
	c := &cobra.Command{
		Use:   "add SESSION --kind KIND [PAYLOAD | -]",
		Short: "Put a batch of one item at the end of the line",
		Long: "Put a batch of one item at the end of the line. Its payload is JSON: the argument, or standard input when there is none.\n\n" +
			"With --key it is added once: again, it says that it was there and how far it has come; with other content it is\n" +
			"a conflict.",
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case f.kind == "":
				return errors.New("--kind is missing: it is the runtime's name for the work")
			case c.Flags().Changed("join") && f.join == "":
				return errors.New("--join is empty: batches of the same merge key join")
			}
			return cobra.RangeArgs(1, 2)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args[:1], store.OpenExisting, func(s *store.Store, _ target) error {
				return a.addWork(c.Context(), s, f, args)
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.kind, "kind", "", "the runtime's name for the work; required")
	flags.Var(&f.class, "class", "whether it is for a turn, or a command that runs alone between turns")
	flags.StringVar(&f.key, "key", "", "source key: the same key is the same batch")
	flags.Var(&f.delivery, "delivery", "whether a running turn may take it; turn work: yes, unless you say otherwise")
	flags.StringVar(&f.join, "join", "", "merge key: share a turn with neighbours of the same one")
	flags.Var(&f.notBefore, "not-before", "hide it until then, such as 2031-04-02T08:00:00Z or 5m")
	return c
}

func (a *app) queueCancelCommand() *cobra.Command {
	var f targetFlags
	c := &cobra.Command{
		Use:   "cancel SESSION {ID... | --key KEY...}",
		Short: "Take batches out that nobody has claimed",
		Long: "Take batches out that nobody has claimed, and write one line for each. The exit status is 1 when one was not\n" +
			"found, or is claimed. A batch that cannot be read can be taken out too.",
		Args: func(_ *cobra.Command, args []string) error { return f.check(args) },
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args[:1], store.OpenExisting, func(s *store.Store, _ target) error {
				return a.cancelWork(c.Context(), s, f.targets(args[1:]))
			})
		},
	}
	f.on(c)
	return c
}

// jsonWork is a batch as a machine reads it.
type jsonWork struct {
	jsonEntry
	Class     lashstore.WorkClass    `json:"class"`
	Delivery  lashstore.WorkDelivery `json:"delivery"`
	Slot      lashstore.WorkSlot     `json:"slot"`
	MergeKey  string                 `json:"merge_key,omitempty"`
	NotBefore *time.Time             `json:"not_before,omitempty"`
	Items     []jsonItem             `json:"items"` // null once it is settled
}

type jsonItem struct {
	Kind    string          `json:"kind"`
	Payload json.RawMessage `json:"payload"`
}

func newJSONWork(sessionID string, b lashstore.WorkBatch) jsonWork {
	w := jsonWork{
		jsonEntry: jsonEntry{
			SessionID: sessionID, ID: b.ID, Seq: b.Seq, SourceKey: b.SourceKey, State: b.State, Attempts: b.Attempts,
			EnqueuedAt: jsonTime(b.EnqueuedAt), SettledAt: jsonTime(b.SettledAt), Claim: newJSONClaim(b.Claim),
		},
		Class: b.Class, Delivery: b.Delivery, Slot: b.Slot, MergeKey: b.MergeKey, NotBefore: jsonTime(b.NotBefore),
	}
	for _, item := range b.Items {
		w.Items = append(w.Items, jsonItem(item))
	}
	return w
}

func (a *app) listWork(ctx context.Context, s lashstore.SessionStore, o *lashstore.ListOptions) error {
	list, err := s.ListWork(ctx, o)
	if err != nil {
		return err
	}
	rows := newTable(a.stdout, []string{"ID", "STATE", "RUNS", "KIND", "JOIN", "KEY", "PAYLOAD"}, []string{"TRIES", "AGE"})
	for _, b := range list {
		if !a.json {
			workRow(rows, b, time.Now())
		} else if err := a.emit(newJSONWork(s.SessionID(), b)); err != nil {
			return err
		}
	}
	return a.flushEntries(rows)
}

func workRow(t *table, b lashstore.WorkBatch, now time.Time) {
	var kinds, payloads []string
	for _, item := range b.Items {
		if !slices.Contains(kinds, item.Kind) {
			kinds = append(kinds, item.Kind)
		}
		payloads = append(payloads, compact(item.Payload))
	}
	state := string(b.State)
	if hidden(b, now) {
		state = "in " + span(b.NotBefore.Sub(now))
	}
	t.row(b.ID, state, runs(b.WorkTraits), strings.Join(kinds, ","), b.MergeKey, b.SourceKey,
		shorten(oneLine(strings.Join(payloads, " ")), cellWidth), some(b.Attempts), span(now.Sub(b.EnqueuedAt)))
}

// hidden reports whether a batch waits for its time.
func hidden(b lashstore.WorkBatch, now time.Time) bool {
	return b.State == lashstore.EntryWaiting && b.NotBefore.After(now)
}

// runs is when a batch may be taken, in a word.
func runs(t lashstore.WorkTraits) string {
	switch {
	case t.Class == lashstore.ClassCommand:
		return "command"
	case t.Delivery == lashstore.DeliverAfterTurn:
		return "between" // turns
	}
	return "turn"
}

func (a *app) addWork(ctx context.Context, s lashstore.SessionStore, f workFlags, args []string) error {
	payload, err := a.argument("payload", args)
	if err != nil {
		return err
	}
	payload = bytes.TrimSpace(payload)
	if err := lashstore.ValidateJSON("payload", payload); err != nil {
		return err
	}
	draft := lashstore.WorkDraft{
		SourceKey: f.key, Class: lashstore.WorkClass(f.class.value), Delivery: lashstore.WorkDelivery(f.delivery.value),
		NotBefore: f.notBefore.at, Items: []lashstore.WorkItem{{Kind: f.kind, Payload: payload}},
	}
	if f.join != "" {
		draft.Slot, draft.MergeKey = lashstore.SlotJoin, f.join
	}
	done, err := s.EnqueueWork(ctx, draft)
	if err != nil {
		return err
	}
	if a.json {
		return a.emit(struct {
			Existing bool `json:"existing"`
			jsonWork
		}{done.Existing, newJSONWork(s.SessionID(), done.Batch)})
	}
	standing := string(done.Batch.State)
	if hidden(done.Batch, time.Now()) {
		standing = fmt.Sprintf("hidden until %s", moment(done.Batch.NotBefore))
	}
	return a.added(done.Batch.ID, done.Existing, standing)
}

func (a *app) cancelWork(ctx context.Context, s lashstore.SessionStore, targets []lashstore.EntryTarget) error {
	results, err := s.CancelWork(ctx, targets...)
	if err != nil {
		return err
	}
	var list []cancellation
	for _, r := range results {
		c := cancellation{target: r.Target, outcome: r.Outcome}
		if b := r.Batch; b != nil {
			c.id, c.claim, c.entry = b.ID, b.Claim, newJSONWork(s.SessionID(), *b)
		}
		list = append(list, c)
	}
	return a.cancelled(s.SessionID(), list)
}
