package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// envNumber reads a number from the environment.
func envNumber(t *testing.T, name string, otherwise int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err, name)
	return n
}

// load is what is imported while things go wrong.
func load() []string {
	var lines []string
	for i := range 12 {
		lines = append(lines, talk(fmt.Sprintf("session-%02d", i), "s"+strings.Repeat("uaa", 5)))
	}
	return lines
}

// An import is killed at random moments: after each kill verify is clean, the next import completes it, and what comes
// out is what went in. With made up conversations, and with real ones where they are beside the checkout.
//
// LASHSTORE_KILL_ROUNDS and LASHSTORE_KILL_SEED choose how often and where. Without the first it is a few kills and some
// of the real conversations; with it, all of them.
func TestCrash_KilledImportIsCompleted(t *testing.T) {
	t.Parallel()
	t.Run("made up", func(t *testing.T) {
		t.Parallel()
		killImports(t, strings.Join(load(), "\n")+"\n", envNumber(t, "LASHSTORE_KILL_ROUNDS", 20))
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		lines, rounds := realConversations(t), envNumber(t, "LASHSTORE_KILL_ROUNDS", 0)
		if rounds == 0 {
			lines, rounds = everySixth(lines), 5
		}
		killImports(t, lines, rounds)
	})
}

// everySixth is a share of lines that takes a share of the time.
func everySixth(lines string) string {
	var some strings.Builder
	n := 0
	for line := range strings.Lines(lines) {
		if n%6 == 0 {
			some.WriteString(line)
		}
		n++
	}
	return some.String()
}

// killImports kills imports of lines that many times at least, each up to three times before it may end.
func killImports(t *testing.T, lines string, rounds int64) {
	seed := envNumber(t, "LASHSTORE_KILL_SEED", time.Now().UnixNano())
	t.Logf("LASHSTORE_KILL_SEED=%d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	input := newCLI(t).file(strings.TrimSuffix(lines, "\n"))
	whole, begin := newCLI(t), time.Now()
	whole.fine("import", input)
	took := map[string]time.Duration{"full": time.Since(begin), "normal": time.Since(begin)} // until an import says better
	messages, sound := whole.requireClean(), whole.fine("verify")
	kills, midway := int64(0), 0
	for kills < rounds {
		c := newCLI(t)
		for !c.killImport(input, took, random) {
			c = newCLI(t) // it was done before it could be killed
		}
		for again := random.IntN(3); again >= 0; again-- {
			kills++
			if done := c.requireClean(); done > 0 && done < messages {
				midway++
			}
			if again == 0 || !c.killImport(input, took, random) {
				break
			}
		}
		assert.Equal(t, exitFine, c.run("import", input).code)
		requireSameConversations(t, lines, c.fine("export", "--all"))
		assert.Equal(t, sound, c.fine("verify"), "as if it had never been killed")
		assert.Contains(t, c.fine("import", input), "nothing changed")
	}
	t.Logf("%d kills, %d of them in the middle; a whole import took %v", kills, midway, took)
	assert.Positive(t, midway, "no kill hit an import in the middle")
}

// killImport starts an import and kills it at a random moment of the time that one takes. It reports whether it could;
// an import that was done sooner says how long one takes.
func (c *cli) killImport(input string, took map[string]time.Duration, random *rand.Rand) bool {
	c.t.Helper()
	durability := []string{"full", "normal"}[random.IntN(2)]
	cmd := c.child(c.t.Context(), "import", "--durability", durability, input)
	begin := time.Now()
	require.NoError(c.t, cmd.Start())
	timer := time.AfterFunc(time.Duration(random.Int64N(int64(took[durability]))), func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	if err == nil {
		took[durability] = time.Since(begin)
	}
	return err != nil
}

// requireClean holds that what a killed import left is sound, and returns how many messages it left.
func (c *cli) requireClean() int {
	c.t.Helper()
	if _, err := os.Stat(c.data); err != nil {
		return 0 // killed before it made anything
	}
	messages := 0
	for _, s := range documents(c.t, c.fine("verify", "--json")) {
		assert.Equal(c.t, true, s["ok"], "%v", s)
		messages += int(s["nodes"].(float64))
	}
	return messages
}

// Several processes import the same input at once: each ends well, and nothing comes twice.
func TestCrash_ConcurrentImports(t *testing.T) {
	t.Parallel()
	c := newCLI(t)
	input := c.file(load()...)
	const processes = 4
	done := make(chan string, processes)
	for range processes {
		cmd := c.child(t.Context(), "import", "--durability", "normal", input)
		go func() {
			out, err := cmd.CombinedOutput()
			if err == nil {
				out = nil
			}
			done <- string(out)
		}()
	}
	for range processes {
		assert.Empty(t, <-done)
	}
	requireSameConversations(t, strings.Join(load(), "\n"), c.fine("export", "--all"))
	assert.Contains(t, c.fine("verify"), "12 sessions with 192 nodes")
}

// An interrupt while the import waits for input ends it cleanly, with what was committed.
func TestCrash_InterruptedImport(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no interrupts to send here")
	}
	c := newCLI(t)
	cmd := c.child(t.Context(), "import", "-")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = stdin.Write([]byte(talk("s", "uaua") + "\n"))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		names, _ := filepath.Glob(filepath.Join(c.data, "sessions", "*.db"))
		return len(names) == 1 && strings.Contains(c.run("ls", "--json").stdout, `"turns":2`)
	}, 30*time.Second, 20*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.Error(t, cmd.Wait())
	assert.Equal(t, exitWrong, cmd.ProcessState.ExitCode())
	assert.Contains(t, stdout.String(), "committed 2 turns with 4 messages")
	assert.Contains(t, stdout.String(), "interrupted: import again to complete")
	c.fine("verify")
}
