package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
)

// targetFlags name the entries of a cancellation.
type targetFlags struct{ keys []string }

func (f *targetFlags) on(c *cobra.Command) {
	// Not a slice of pflag, which would cut a key at its commas.
	c.Flags().StringArrayVar(&f.keys, "key", nil, "the one with that source key, instead of ids; may be repeated")
}

// check holds that there is one way in which targets are named: a word behind --key KEY is an id, and mostly a mistake.
func (f *targetFlags) check(args []string, other ...bool) error {
	ways := 0
	for _, used := range append(other, len(args) > 1, len(f.keys) > 0) {
		if used {
			ways++
		}
	}
	switch {
	case len(args) == 0:
		return errors.New("the session is missing")
	case ways == 0:
		return errors.New("no id and no --key: nothing to cancel is named")
	case ways > 1:
		return errors.New("ids and flags like --key do not go together; repeat --key for each key")
	}
	return nil
}

func (f *targetFlags) targets(ids []string) []lashstore.EntryTarget {
	var list []lashstore.EntryTarget
	for _, id := range ids {
		list = append(list, lashstore.ByID(id))
	}
	for _, key := range f.keys {
		list = append(list, lashstore.BySourceKey(key))
	}
	return list
}

// cancellation is the result for one target, of either kind.
type cancellation struct {
	target  lashstore.EntryTarget
	outcome lashstore.CancelOutcome
	id      string // "" when not found
	claim   *lashstore.ClaimInfo
	entry   any // as JSON; nil when not found
}

type jsonCancellation struct {
	SessionID string                  `json:"session_id"`
	ID        string                  `json:"id,omitempty"`
	SourceKey string                  `json:"source_key,omitempty"`
	Outcome   lashstore.CancelOutcome `json:"outcome"`
	Entry     any                     `json:"entry"`
}

// cancelled writes one line for each target. One that was not found, or that somebody works on, makes the exit status 1.
func (a *app) cancelled(sessionID string, results []cancellation) error {
	for _, r := range results {
		if slices.Contains([]lashstore.CancelOutcome{lashstore.CancelNotFound, lashstore.AlreadyClaimed}, r.outcome) {
			a.wrong = true
		}
		var err error
		if a.json {
			err = a.emit(jsonCancellation{
				SessionID: sessionID, ID: r.target.ID, SourceKey: r.target.SourceKey, Outcome: r.outcome, Entry: r.entry,
			})
		} else {
			err = a.print(r.String())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// String is such as "cancelled key=k (019ac...)".
func (r cancellation) String() string {
	text := strings.ReplaceAll(string(r.outcome), "_", " ") + " " + r.target.String()
	var more []string
	if r.id != "" && r.id != r.target.ID {
		more = append(more, r.id)
	}
	if r.claim != nil {
		more = append(more, "by "+r.claim.Holder.String())
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	return text
}
