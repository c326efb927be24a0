package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) leaseCommand() *cobra.Command {
	return group("lease", "Show who executes a session", a.leaseShowCommand())
}

func (a *app) leaseShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show SESSION",
		Short: "Show who holds the execution lease, whether it lives, and how much it holds claimed",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args, store.OpenReadOnly, func(s *store.Store, _ target) error {
				return a.showLease(c.Context(), s)
			})
		},
	}
}

// jsonOwner is the holder of a lease as a machine reads it.
type jsonOwner struct {
	ID          string       `json:"id"`
	Incarnation string       `json:"incarnation"`
	Process     *jsonProcess `json:"process"` // null when nothing is known of it
}

type jsonProcess struct {
	PID       int    `json:"pid"`
	HostID    string `json:"host_id"`
	BootID    string `json:"boot_id"`
	StartTime uint64 `json:"start_time"`
}

func newJSONOwner(o lashstore.Owner) jsonOwner {
	j := jsonOwner{ID: o.ID, Incarnation: o.Incarnation}
	if p := o.Process; p != nil {
		j.Process = &jsonProcess{PID: p.PID, HostID: p.HostID, BootID: p.BootID, StartTime: p.StartTime}
	}
	return j
}

// The states of a lease.
const (
	leaseLive    = "live"
	leaseExpired = "expired" // whoever asks may take it
	leaseFree    = "free"    // released, or never held
)

// jsonLease is the execution lease as a machine reads it. It has no token.
type jsonLease struct {
	SessionID  string     `json:"session_id"`
	State      string     `json:"state"`
	Live       bool       `json:"live"`
	Generation int64      `json:"generation"` // 0: never held
	Holder     *jsonOwner `json:"holder"`     // null when it is free
	ClaimedAt  *time.Time `json:"claimed_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	// HolderDead: the holder's process is gone, provably from this machine. False proves nothing.
	HolderDead bool `json:"holder_dead"`
	// How much is claimed; missing when it cannot be read.
	ClaimedWork   *int `json:"claimed_work,omitempty"`
	ClaimedInputs *int `json:"claimed_inputs,omitempty"`
}

// showLease shows the lease even where an entry cannot be read: that is an error behind it, not instead of it.
func (a *app) showLease(ctx context.Context, s lashstore.SessionStore) error {
	held, live, err := s.CurrentLease(ctx)
	if err != nil {
		return err
	}
	j := jsonLease{
		SessionID: s.SessionID(), State: leaseFree, Live: live, Generation: held.Generation,
		ClaimedAt: jsonTime(held.ClaimedAt), ExpiresAt: jsonTime(held.ExpiresAt),
	}
	if held.Owner.ID != "" {
		holder := newJSONOwner(held.Owner)
		j.Holder, j.State, j.HolderDead = &holder, leaseExpired, store.ProvablyDead(held.Owner)
	}
	if live {
		j.State = leaseLive
	}
	damage := j.count(ctx, s, held.Generation)
	if a.json {
		return cmp.Or(a.emit(j), damage)
	}
	return cmp.Or(a.printLease(held, j), damage)
}

// count counts what this generation of the lease holds claimed.
func (j *jsonLease) count(ctx context.Context, s lashstore.SessionStore, generation int64) error {
	work, err := s.ListWork(ctx, nil)
	if err != nil {
		return err
	}
	inputs, err := s.ListInputs(ctx, nil)
	if err != nil {
		return err
	}
	j.ClaimedWork, j.ClaimedInputs = new(int), new(int)
	for _, b := range work {
		if b.Claim != nil && b.Claim.Generation == generation {
			*j.ClaimedWork++
		}
	}
	for _, in := range inputs {
		if in.Claim != nil && in.Claim.Generation == generation {
			*j.ClaimedInputs++
		}
	}
	return nil
}

func (a *app) printLease(held lashstore.Lease, j jsonLease) error {
	state := j.State
	switch {
	case j.Generation == 0:
		state = "free, never held"
	case j.State != leaseFree && j.HolderDead:
		state += ", its holder dead"
	}
	lines := [][2]string{{"state", state}, {"generation", number(j.Generation)}}
	if j.Holder != nil {
		lines = append(lines, [][2]string{
			{"holder", held.Owner.String()}, {"process", process(held.Owner, j.HolderDead)},
			{"claimed", moment(held.ClaimedAt)}, {"expires", expiry(held.ExpiresAt, time.Now())},
		}...)
	}
	if j.ClaimedWork != nil {
		lines = append(lines, [2]string{"holds", batches(*j.ClaimedWork) + ", " + plural(*j.ClaimedInputs, "input")})
	}
	if err := a.print(j.SessionID); err != nil {
		return err
	}
	for _, line := range lines {
		if err := a.print(fmt.Sprintf("  %-10s %s", line[0], line[1])); err != nil {
			return err
		}
	}
	return nil
}

func batches(n int) string {
	if n == 1 {
		return "1 batch"
	}
	return number(n) + " batches"
}

// process says what is known of the holder's process from here.
func process(holder lashstore.Owner, dead bool) string {
	p, here := holder.Process, store.LocalOwner("observer", "observer").Process
	switch {
	case p == nil:
		return "not known: nothing can be proven of it"
	case dead:
		return fmt.Sprintf("%d of this machine: gone", p.PID)
	case here != nil && p.HostID == here.HostID && p.BootID == here.BootID:
		return fmt.Sprintf("%d of this machine: not gone", p.PID)
	}
	return fmt.Sprintf("%d of another machine, container or boot: nothing can be proven of it from here", p.PID)
}

// expiry is when a lease ends or has ended, with how far that is.
func expiry(at, now time.Time) string {
	if at.After(now) {
		return fmt.Sprintf("%s (in %s)", moment(at), span(at.Sub(now)))
	}
	return fmt.Sprintf("%s (%s ago)", moment(at), span(now.Sub(at)))
}
