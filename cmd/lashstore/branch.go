package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) branchesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "branches SESSION",
		Short: "List the branches, those with a name first",
		Long: "List the branches, those with a name first: every node that nothing follows, and every one with a name.\n\n" +
			"REVISION and UPDATED tell which commit brought the leaf, and when.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args, store.OpenReadOnly, func(s *store.Store, _ target) error {
				return a.branches(c.Context(), s)
			})
		},
	}
}

// jsonBranch is a branch as a machine reads it.
type jsonBranch struct {
	SessionID string             `json:"session_id"`
	Name      string             `json:"name"` // "" when it has none
	Leaf      string             `json:"leaf"`
	Active    bool               `json:"active"` // the head stands there
	Messages  int64              `json:"messages"`
	UpdatedAt *time.Time         `json:"updated_at"`
	Revision  lashstore.Revision `json:"revision"`
}

func (a *app) branches(ctx context.Context, s lashstore.SessionStore) error {
	list, err := s.Branches(ctx)
	if err != nil {
		return err
	}
	active := false
	rows := newTable(a.stdout, []string{"NAME", "LEAF", "HEAD"}, []string{"MESSAGES", "REVISION", "UPDATED"})
	for _, b := range list {
		if a.json {
			j := jsonBranch{s.SessionID(), b.Name, b.Leaf, b.Active, b.Messages, jsonTime(b.UpdatedAt), b.Revision}
			if err := a.emit(j); err != nil {
				return err
			}
			continue
		}
		head := ""
		if b.Active {
			head, active = "*", true
		}
		rows.row(shortenMiddle(oneLine(b.Name), cellWidth), shortenMiddle(oneLine(b.Leaf), cellWidth), head, number(b.Messages),
			number(int64(b.Revision)), moment(b.UpdatedAt))
	}
	if a.json {
		return nil
	}
	rows.concede(a.columns(), concession{"LEAF", 36, shortenMiddle}, concession{"NAME", 12, shortenMiddle}, concession{"LEAF", 12, shortenMiddle})
	if err := rows.flush(); err != nil || active {
		return err
	}
	return a.printHeadWithin(ctx, s)
}

// printHeadWithin says where a head is that stands at no branch's end.
func (a *app) printHeadWithin(ctx context.Context, s lashstore.SessionStore) error {
	head, err := s.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutCheckpoint: true})
	if err != nil || head.Graph.Leaf == "" {
		return err
	}
	return a.print("the head is at " + head.Graph.Leaf + ", before the end of a branch")
}

func (a *app) branchCommand() *cobra.Command {
	return group("branch", "Give branches names, which keep them, and take names away", a.branchNameCommand(), a.branchDropCommand())
}

func (a *app) branchNameCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "name SESSION NAME [LEAF]",
		Short: "Give a node a name, the head's leaf when none is given",
		Long: "Give a node a name, the head's leaf when none is given. The path to it is then never taken out as an orphan. A name\n" +
			"that is taken moves.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 3 && args[2] == "" {
				return errors.New("LEAF is empty: leave it out for the head's leaf")
			}
			return cobra.RangeArgs(2, 3)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args[:1], store.OpenExisting, func(s *store.Store, _ target) error {
				leaf := ""
				if len(args) == 3 {
					leaf = args[2]
				}
				return a.nameBranch(c.Context(), s, args[1], leaf)
			})
		},
	}
}

func (a *app) nameBranch(ctx context.Context, s lashstore.SessionStore, name, leaf string) error {
	if leaf == "" { // named here, so that what is said is what was done
		head, err := s.Load(ctx, &lashstore.LoadOptions{Scope: lashstore.ScopeHead, WithoutCheckpoint: true})
		if err != nil {
			return err
		}
		if leaf = head.Graph.Leaf; leaf == "" {
			return errors.New("the session has no node that could be named")
		}
	}
	if err := s.NameBranch(ctx, name, leaf); err != nil {
		return err
	}
	if a.json {
		return a.emit(jsonNamed{s.SessionID(), name, leaf})
	}
	return a.print("branch " + name + " is at " + leaf)
}

// jsonNamed is a name that was given or, without a leaf, taken away.
type jsonNamed struct {
	SessionID string `json:"session_id"`
	Name      string `json:"name"`
	Leaf      string `json:"leaf,omitempty"`
}

func (a *app) branchDropCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "drop SESSION NAME",
		Short: "Take a name away, and nothing else",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args[:1], store.OpenExisting, func(s *store.Store, _ target) error {
				return a.dropBranch(c.Context(), s, args[1])
			})
		},
	}
}

func (a *app) dropBranch(ctx context.Context, s lashstore.SessionStore, name string) error {
	dropped, err := s.DropBranch(ctx, name)
	switch {
	case err != nil:
		return err
	case !dropped:
		return &lashstore.BranchError{Name: name, Err: lashstore.ErrBranchNotFound}
	case a.json:
		return a.emit(jsonNamed{SessionID: s.SessionID(), Name: name})
	}
	return a.print("dropped the name " + name)
}
