package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) inputCommand() *cobra.Command {
	return group("input", "Show, add and cancel the input that waits for a session", a.inputLsCommand(), a.inputAddCommand(), a.inputCancelCommand())
}

func (a *app) inputLsCommand() *cobra.Command {
	var scope scopeFlags
	c := &cobra.Command{
		Use:   "ls SESSION",
		Short: "List input in the order of the line, what waits and what is claimed",
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args, store.OpenReadOnly, func(s *store.Store, _ target) error {
				return a.listInputs(c.Context(), s, scope.options())
			})
		},
	}
	scope.on(c)
	return c
}

// inputFlags describe an input.
type inputFlags struct {
	key, id, turn            string
	beforeCompletion, asJSON bool
}

func (a *app) inputAddCommand() *cobra.Command {
	var f inputFlags
	c := &cobra.Command{
		Use:   "add SESSION [TEXT | -]",
		Short: "Put input at the end of the line",
		Long: "Put input at the end of the line: the argument, or standard input when there is none. Text becomes\n" +
			"{\"items\":[{\"type\":\"text\",\"text\":TEXT}]}; with --input-json it is JSON, taken as it is.\n\n" +
			"With --key or --id it is added once: again, it says that it was there and how far it has come; with other\n" +
			"content it is a conflict.",
		Args: func(c *cobra.Command, args []string) error {
			if f.beforeCompletion && f.turn == "" {
				return errors.New("--before-completion goes with --turn")
			}
			return cobra.RangeArgs(1, 2)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args[:1], store.OpenExisting, func(s *store.Store, _ target) error {
				return a.addInput(c.Context(), s, f, args)
			})
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.key, "key", "", "source key: the same key is the same input")
	flags.StringVar(&f.id, "id", "", "your own id for it; made when there is none")
	flags.StringVar(&f.turn, "turn", "", "the running turn that is meant to take it, instead of the next one")
	flags.BoolVar(&f.beforeCompletion, "before-completion", false, "only when that turn is about to end")
	flags.BoolVar(&f.asJSON, "input-json", false, "the input is JSON")
	return c
}

func (a *app) inputCancelCommand() *cobra.Command {
	var f targetFlags
	var from string
	c := &cobra.Command{
		Use:   "cancel SESSION {ID... | --key KEY... | --from ID}",
		Short: "Take input out that nobody has claimed",
		Long: "Take input out that nobody has claimed, and write one line for each. The exit status is 1 when one was not\n" +
			"found, or is claimed.",
		Args: func(_ *cobra.Command, args []string) error { return f.check(args, from != "") },
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args[:1], store.OpenExisting, func(s *store.Store, _ target) error {
				return a.cancelInputs(c.Context(), s, f.targets(args[1:]), from)
			})
		},
	}
	f.on(c)
	c.Flags().StringVar(&from, "from", "", "that one and all behind it")
	return c
}

// jsonInput is an input as a machine reads it.
type jsonInput struct {
	jsonEntry
	TurnID   string                 `json:"turn_id,omitempty"` // missing for the next turn
	Boundary lashstore.TurnBoundary `json:"boundary,omitempty"`
	Input    json.RawMessage        `json:"input"`
}

func newJSONInput(sessionID string, in lashstore.TurnInput) jsonInput {
	return jsonInput{
		jsonEntry: jsonEntry{
			SessionID: sessionID, ID: in.ID, Seq: in.Seq, SourceKey: in.SourceKey, State: in.State, Attempts: in.Attempts,
			EnqueuedAt: jsonTime(in.EnqueuedAt), SettledAt: jsonTime(in.SettledAt), Claim: newJSONClaim(in.Claim),
		},
		TurnID: in.Ingress.TurnID, Boundary: in.Ingress.Boundary, Input: in.Input,
	}
}

func (a *app) listInputs(ctx context.Context, s lashstore.SessionStore, o *lashstore.ListOptions) error {
	list, err := s.ListInputs(ctx, o)
	if err != nil {
		return err
	}
	rows := newTable(a.stdout, []string{"ID", "STATE", "TURN", "KEY", "INPUT"}, []string{"TRIES", "AGE"})
	for _, in := range list {
		if !a.json {
			inputRow(rows, in, time.Now())
		} else if err := a.emit(newJSONInput(s.SessionID(), in)); err != nil {
			return err
		}
	}
	return a.flushEntries(rows)
}

func inputRow(t *table, in lashstore.TurnInput, now time.Time) {
	turn := "next"
	if in.Ingress.TurnID != "" {
		turn = in.Ingress.TurnID
	}
	if in.Ingress.Boundary == lashstore.BeforeCompletion {
		turn += " (end)"
	}
	t.row(in.ID, string(in.State), turn, in.SourceKey, shorten(oneLine(inputText(in.Input)), cellWidth),
		some(in.Attempts), span(now.Sub(in.EnqueuedAt)))
}

// plainInput is what text on the command line becomes.
type plainInput struct {
	Items []textItem `json:"items"`
}

type textItem struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// inputText is the text of an input that is nothing but text, and any other as JSON on one line.
func inputText(input json.RawMessage) string {
	var plain plainInput
	d := json.NewDecoder(bytes.NewReader(input))
	d.DisallowUnknownFields()
	if d.Decode(&plain) != nil || len(plain.Items) == 0 {
		return compact(input)
	}
	var texts []string
	for _, item := range plain.Items {
		if item.Type != "text" {
			return compact(input)
		}
		texts = append(texts, item.Text)
	}
	return strings.Join(texts, " ")
}

// encode makes an input of what was given. One line end behind a text is the shell's, not the user's.
func (f inputFlags) encode(given []byte) (json.RawMessage, error) {
	if f.asJSON {
		given = bytes.TrimSpace(given)
		return given, lashstore.ValidateJSON("input", given)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(given), "\n"), "\r")
	switch {
	case text == "":
		return nil, &lashstore.InvalidError{Field: "text", Reason: "empty"}
	case !utf8.ValidString(text): // would be stored as something else
		return nil, &lashstore.InvalidError{Field: "text", Reason: "not valid UTF-8"}
	}
	return json.Marshal(plainInput{Items: []textItem{{Type: "text", Text: text}}})
}

func (a *app) addInput(ctx context.Context, s lashstore.SessionStore, f inputFlags, args []string) error {
	given, err := a.argument("input", args)
	if err != nil {
		return err
	}
	input, err := f.encode(given)
	if err != nil {
		return err
	}
	draft := lashstore.InputDraft{ID: f.id, SourceKey: f.key, Ingress: lashstore.Ingress{TurnID: f.turn}, Input: input}
	if f.beforeCompletion {
		draft.Ingress.Boundary = lashstore.BeforeCompletion
	}
	done, err := s.EnqueueInput(ctx, draft)
	if err != nil {
		return err
	}
	if a.json {
		return a.emit(struct {
			Existing bool `json:"existing"`
			jsonInput
		}{done.Existing, newJSONInput(s.SessionID(), done.Input)})
	}
	return a.added(done.Input.ID, done.Existing, string(done.Input.State))
}

// cancelInputs takes the targets out, or from and all behind it.
func (a *app) cancelInputs(ctx context.Context, s lashstore.SessionStore, targets []lashstore.EntryTarget, from string) error {
	var results []lashstore.InputCancellation
	var err error
	if from != "" {
		results, err = s.CancelInputsFrom(ctx, lashstore.ByID(from))
	} else {
		results, err = s.CancelInputs(ctx, targets...)
	}
	if err != nil {
		return err
	}
	var list []cancellation
	for _, r := range results {
		c := cancellation{target: r.Target, outcome: r.Outcome}
		if in := r.Input; in != nil {
			c.id, c.claim, c.entry = in.ID, in.Claim, newJSONInput(s.SessionID(), *in)
		}
		list = append(list, c)
	}
	return a.cancelled(s.SessionID(), list)
}
