package lease

import (
	"os"
	"os/exec"
	"testing"

	"github.com/lashstore/lashstore"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// 1. A process that runs is proven neither dead by the probe nor by its owner.
// 2. The same number with another start time is another process: dead.
// 3. A process that ended and was waited for is dead.
func TestProbeProcessTellsTheDeadFromTheLiving(t *testing.T) {
	t.Parallel()
	self := LocalOwner("replica", "run-1")
	require.NotNil(t, self.Process)
	running, err := ProbeProcess(*self.Process)
	require.NoError(t, err)
	assert.True(t, running)

	reused := *self.Process
	reused.StartTime++
	running, err = ProbeProcess(reused)
	require.NoError(t, err)
	assert.False(t, running)

	child := exec.Command("sleep", "60")
	require.NoError(t, child.Start())
	start, err := startTime("/proc", child.Process.Pid)
	require.NoError(t, err)
	proc := lashstore.LocalProcess{HostID: self.Process.HostID, BootID: self.Process.BootID, PID: child.Process.Pid, StartTime: start}
	running, err = ProbeProcess(proc)
	require.NoError(t, err)
	assert.True(t, running)
	require.NoError(t, child.Process.Kill())
	assert.Error(t, child.Wait())
	holder := lashstore.Owner{ID: "other", Incarnation: "run-9", Process: &proc}
	assert.True(t, lashstore.DefinitelyDead(holder, self, ProbeProcess))
}

// A process that /proc hides, as it does those of other users where it is mounted with hidepid, is not proven dead.
func TestHiddenProcessIsNotProvenDead(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	_, err := probe(empty, lashstore.LocalProcess{PID: os.Getpid(), StartTime: 1})
	require.ErrorContains(t, err, "which is there")
	const beyondAnyLimit = 1 << 30
	running, err := probe(empty, lashstore.LocalProcess{PID: beyondAnyLimit, StartTime: 1})
	require.NoError(t, err)
	assert.False(t, running)
}

func TestStartTimeSurvivesAnyCommandName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	data, err := os.ReadFile(sleep)
	require.NoError(t, err)
	odd := dir + "/a) R 1 (b"
	require.NoError(t, os.WriteFile(odd, data, 0o755))
	child := exec.Command(odd, "60")
	require.NoError(t, child.Start())
	defer func() { assert.NoError(t, child.Process.Kill()); assert.Error(t, child.Wait()) }()
	plain, err := startTime("/proc", os.Getpid())
	require.NoError(t, err)
	start, err := startTime("/proc", child.Process.Pid)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, start, plain)
}
