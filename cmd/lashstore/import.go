package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/internal/conversation"
	"github.com/lashstore/lashstore/store"
)

func (a *app) importCommand() *cobra.Command {
	durability := durabilityFlag(lashstore.DurabilityFull)
	var portable bool
	var as string
	c := &cobra.Command{
		Use:   "import FILE...",
		Short: "Keep the conversations of JSON Lines files, one session each, one commit a turn",
		Long: "Keep the conversations of JSON Lines files (- is standard input), one session each, one commit a turn.\n\n" +
			"Importing again changes nothing; a conversation that has grown appends its new turns; one that differs from\n" +
			"what is stored is reported as a conflict and left as it is. Bad lines are named and the others go on.\n\n" +
			"With --portable each file is all of one session, as export --portable wrote it. It becomes a new session whole, or\n" +
			"not at all.",
		Args: func(c *cobra.Command, files []string) error {
			if slices.Contains(files, "") {
				return errors.New("a file name is empty")
			}
			if as != "" && (!portable || len(files) > 1) {
				return errors.New("--as goes with --portable and one file")
			}
			return cobra.MinimumNArgs(1)(c, files)
		},
		RunE: func(c *cobra.Command, files []string) error {
			if portable {
				return a.importPortable(c.Context(), files, as, lashstore.Durability(durability))
			}
			return a.importFiles(c.Context(), files, lashstore.Durability(durability))
		},
	}
	c.Flags().Var(&durability, "durability", "what a commit survives: full (power loss) or normal (a crash of the process)")
	c.Flags().BoolVar(&portable, "portable", false, "the files are whole sessions that export --portable wrote")
	c.Flags().StringVar(&as, "as", "", "id of the session; the one in the file otherwise")
	return c
}

// durabilityFlag refuses anything but full and normal.
type durabilityFlag lashstore.Durability

func (d *durabilityFlag) String() string { return string(*d) }
func (d *durabilityFlag) Type() string   { return "full|normal" }
func (d *durabilityFlag) Set(s string) error {
	switch lashstore.Durability(s) {
	case lashstore.DurabilityFull, lashstore.DurabilityNormal:
		*d = durabilityFlag(s)
		return nil
	}
	return errors.New("neither full nor normal")
}

func (a *app) importFiles(ctx context.Context, files []string, durability lashstore.Durability) error {
	if err := os.MkdirAll(a.sessionsDir(), 0o777); err != nil {
		return err
	}
	options := a.options()
	options.Durability = durability
	factory, err := store.NewFactory(a.sessionsDir(), options)
	if err != nil {
		return err
	}
	run := &importRun{app: a, factory: factory, progress: newProgress(a.stderr, files)}
	begin := time.Now()
	for _, name := range files {
		if run.file(ctx, name); run.summary.Interrupted {
			a.wrong = true
			break
		}
	}
	run.progress.clear()
	run.summary.finish(time.Since(begin), a.sessionsDir())
	return a.printSummary(&run.summary)
}

// importRun is an import on its way through the files.
type importRun struct {
	app      *app
	factory  lashstore.SessionFactory
	progress *progress
	summary  importSummary
}

// file imports one file. What goes wrong is reported; whether to go on with the next is in the summary.
func (r *importRun) file(ctx context.Context, name string) {
	if name == "-" {
		r.lines(ctx, "standard input", cancellable(ctx, r.app.stdin))
		return
	}
	f, err := os.Open(name)
	if err != nil {
		r.problem(importProblem{what: badInput, File: name, err: conversation.NewInputError(name, 0, err)})
		return
	}
	r.lines(ctx, name, f)
	_ = f.Close() // it was only read
}

func (r *importRun) lines(ctx context.Context, name string, in io.Reader) {
	counted := &countingReader{r: in, add: func(n int) { r.summary.BytesIn += int64(n) }}
	for c, err := range conversation.Read(name, counted) {
		r.line(ctx, name, c, err)
		r.progress.show(&r.summary)
		if r.summary.Interrupted {
			return
		}
	}
}

// cancellable stops waiting for input when ctx ends.
func cancellable(ctx context.Context, in io.Reader) io.Reader {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.Copy(w, in)
		w.CloseWithError(err) // nil is the end
	}()
	return r
}

func (r *importRun) line(ctx context.Context, name string, c conversation.Conversation, err error) {
	var bad *conversation.LineError
	var input *conversation.InputError
	switch {
	case ctx.Err() != nil:
		r.summary.Interrupted = true
	case errors.As(err, &bad):
		r.problem(importProblem{what: badLine, File: name, Line: bad.Line, err: bad.Err})
	case errors.As(err, &input):
		r.problem(importProblem{what: badInput, File: name, Line: input.Line, err: input})
	default:
		r.conversation(ctx, name, c)
	}
}

func (r *importRun) conversation(ctx context.Context, name string, c conversation.Conversation) {
	result, err := conversation.Import(ctx, r.factory, c)
	problem := importProblem{File: name, Line: c.Line, SessionID: c.SessionID}
	switch {
	case ctx.Err() != nil:
		r.summary.Interrupted = true
	case err != nil:
		result.Outcome = "" // it failed, whatever came before
		problem.what, problem.err = failed, err
		r.problem(problem)
		r.summary.Interrupted = errors.Is(err, lashstore.ErrFull) // the others will not fit either
	case result.Outcome == conversation.Conflict:
		problem.what, problem.err = conflict, fmt.Errorf("%w: %s", errDiffers, result.Reason)
		r.problem(problem)
	}
	r.summary.add(c, result)
}

// countingReader tells how much is read.
type countingReader struct {
	r   io.Reader
	add func(int)
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.add(n)
	return n, err
}
