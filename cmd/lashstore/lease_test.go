package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// shown is the lease of s as JSON.
func (c *cli) shown() map[string]any {
	c.t.Helper()
	list := documents(c.t, c.fine("lease", "show", "s", "--json"))
	require.Len(c.t, list, 1)
	return list[0]
}

// A lease that nobody holds, one that is held with what is claimed under it, and one that was given back.
func TestLease_Show(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	assert.Equal(t, "s\n  state      free, never held\n  generation 0\n  holds      0 batches, 0 inputs\n", c.fine("lease", "show", "s"))
	assert.Nil(t, c.shown()["holder"])

	c.fine("queue", "add", "s", "--kind", "wake", "--join", "g", "1")
	c.fine("queue", "add", "s", "--kind", "wake", "--join", "g", "2")
	c.fine("queue", "add", "s", "--kind", "wake", "3")
	c.fine("input", "add", "s", "hello")
	h := c.claims(worker)
	c.fine("input", "add", "s", "later")
	date := `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`
	assert.Regexp(t, `^s\n  state      live\n  generation 1\n  holder     worker/7\n`+
		`  process    not known: nothing can be proven of it\n  claimed    `+date+`\n`+
		`  expires    `+date+` \(in 59m\)\n  holds      2 batches, 1 input\n$`, c.fine("lease", "show", "s"))
	got := c.shown()
	for name, want := range map[string]any{
		"session_id": "s", "state": "live", "live": true, "generation": 1., "holder_dead": false, "claimed_work": 2., "claimed_inputs": 1.,
		"holder":     map[string]any{"id": "worker", "incarnation": "7", "process": nil},
		"expires_at": h.lease.ExpiresAt.UTC().Format(time.RFC3339Nano),
	} {
		assert.Equal(t, want, got[name], name)
	}

	c.withStore(func(s *store.Store) { require.NoError(t, s.ReleaseLease(t.Context(), h.lease.Fence())) })
	assert.Equal(t, "s\n  state      free\n  generation 1\n  holds      0 batches, 0 inputs\n", c.fine("lease", "show", "s"))
	got = c.shown()
	assert.Equal(t, "free", got["state"])
	assert.Nil(t, got["claimed_at"])
}

func TestLease_ShowExpired(t *testing.T) {
	t.Parallel()
	c := newLine(t)
	c.withStore(func(s *store.Store) {
		_, err := s.TakeLease(t.Context(), worker, 0)
		require.NoError(t, err)
	})
	assert.Regexp(t, `  state      expired\n(.*\n)+  expires    .* \(\d+s ago\)\n`, c.fine("lease", "show", "s"))
	assert.Equal(t, "expired", c.shown()["state"])
	assert.Equal(t, false, c.shown()["live"])
}

// Of the holder's process: gone, when that is proven on this machine; not gone; of another machine or boot; not known.
func TestLease_ShowProcess(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the proof of death needs /proc")
	}
	ended := exec.Command("true")
	require.NoError(t, ended.Run())
	dead, alive, foreign := store.LocalOwner("w", "dead"), store.LocalOwner("w", "alive"), store.LocalOwner("w", "foreign")
	dead.Process.PID, foreign.Process.PID = ended.Process.Pid, ended.Process.Pid
	foreign.Process.BootID = "another"
	for _, one := range []struct {
		owner lashstore.Owner
		dead  bool
		says  string
	}{
		{dead, true, fmt.Sprintf("  process    %d of this machine: gone\n", ended.Process.Pid)},
		{alive, false, fmt.Sprintf("  process    %d of this machine: not gone\n", os.Getpid())},
		{foreign, false, fmt.Sprintf("  process    %d of another machine, container or boot: nothing can be proven of it from here\n", ended.Process.Pid)},
	} {
		c := newLine(t)
		c.withStore(func(s *store.Store) {
			_, err := s.TakeLease(t.Context(), one.owner, time.Hour)
			require.NoError(t, err)
		})
		text := c.fine("lease", "show", "s")
		assert.Contains(t, text, one.says)
		state := "  state      live\n"
		if one.dead {
			state = "  state      live, its holder dead\n"
		}
		assert.Contains(t, text, state)
		got := c.shown()
		assert.Equal(t, one.dead, got["holder_dead"])
		assert.InDelta(t, one.owner.Process.PID, got["holder"].(map[string]any)["process"].(map[string]any)["pid"], 0)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 59999 * time.Millisecond: "59s", time.Minute: "1m", time.Hour - 1: "59m", day - 1: "23h",
		365*day - 1: "364d", 800 * day: "2y",
	} {
		assert.Equal(t, want, span(d))
	}
}
