package lease

import (
	"os"
	"os/exec"
	"runtime"
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
	if runtime.GOOS != "linux" {
		t.Skip("the proof needs /proc")
	}
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
	start, err := startTime(child.Process.Pid)
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

func TestStartTimeSurvivesAnyCommandName(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the proof needs /proc")
	}
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
	plain, err := startTime(os.Getpid())
	require.NoError(t, err)
	start, err := startTime(child.Process.Pid)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, start, plain)
}
