package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// The exit statuses.
const (
	exitFine  = 0
	exitWrong = 1
	exitUsage = 2
)

// defaultData is the directory that holds everything unless --data says otherwise.
const defaultData = "lashstore-data"

// app is one run of the command line.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	data    string
	json    bool
	verbose bool

	running bool // the command line made sense
	wrong   bool // something was reported that makes the exit status 1
}

// run runs one command line and returns its exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err != nil && !a.running:
		a.json = a.json || slices.Contains(args, "--json") // the parser may not have come so far
		a.report("", errUsage{err})
		return exitUsage
	case err != nil:
		a.report("", err)
		return exitWrong
	case a.wrong:
		return exitWrong
	}
	return exitFine
}

// errUsage is a command line that makes no sense.
type errUsage struct{ error }

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "lashstore",
		Short: "Keep the conversations of LLM agents in SQLite, one database a session",
		Long: "Keep the conversations of LLM agents in SQLite, one database a session.\n\n" +
			"Start with: lashstore import FILE, lashstore ls, lashstore show SESSION.\n" +
			"Exit status: 0 fine, 1 something is wrong (a bad line, a conflict, a finding, an error), 2 usage.",
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if a.data == "" {
				return errors.New("--data is empty: it must name the directory that holds everything")
			}
			a.running = true
			return nil
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.data, "data", defaultData, "directory that holds everything")
	flags.BoolVar(&a.json, "json", false, "write JSON to standard output, one document or one line an item; errors too")
	flags.BoolVar(&a.verbose, "verbose", false, "log to standard error")
	root.AddCommand(a.importCommand(), a.lsCommand(), a.showCommand(), a.exportCommand(), a.verifyCommand(),
		a.logCommand(), a.diffCommand(), a.rewindCommand(), a.branchesCommand(), a.branchCommand(), a.switchCommand(),
		a.pinCommand(), a.unpinCommand(), a.keepCommand(),
		a.queueCommand(), a.inputCommand(), a.leaseCommand(), a.gcCommand(), a.statsCommand(), a.rmCommand(),
		a.schemaCommand(), a.queriesCommand())
	return root
}

// sessionsDir is where the session databases are.
func (a *app) sessionsDir() string { return filepath.Join(a.data, "sessions") }

// errNoData: there is no data directory.
var errNoData = errors.New("no data directory")

// requireData holds that the data directory exists.
func (a *app) requireData() error {
	stat, err := os.Stat(a.data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w %s: import something first, or name another with --data", errNoData, a.data)
	case err == nil && !stat.IsDir():
		return fmt.Errorf("%w: %s is no directory", errNoData, a.data)
	}
	return err
}

// sessions returns the factory on a data directory that exists. Only an import makes one.
func (a *app) sessions() (*store.Factory, error) {
	if err := a.requireData(); err != nil {
		return nil, err
	}
	return store.NewFactory(a.sessionsDir(), a.options())
}

func (a *app) options() *store.Options { return &store.Options{Logger: a.logger()} }

// logger writes to standard error if that was asked for.
func (a *app) logger() *slog.Logger {
	if !a.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// target is a session database that a command works on.
type target struct {
	id   string
	path string
}

// targets are the sessions of these ids, or all when there are none. What cannot be read is reported.
func (a *app) targets(ctx context.Context, f *store.Factory, ids []string) ([]target, error) {
	var list []target
	for _, id := range ids {
		list = append(list, target{id: id, path: f.PathOf(id)})
	}
	if len(ids) > 0 {
		return list, nil
	}
	for info, err := range f.Sessions(ctx) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			a.problem(target{id: info.Meta.SessionID, path: info.Location}, err)
			continue
		}
		list = append(list, target{id: info.Meta.SessionID, path: info.Location})
	}
	slices.SortStableFunc(list, func(x, y target) int { return strings.Compare(x.id, y.id) })
	return list, nil
}

type opener func(ctx context.Context, path string, o *store.Options) (*store.Store, error)

// each opens every target in turn. What goes wrong with one is reported, and the others go on.
func (a *app) each(ctx context.Context, ids []string, open opener, do func(*store.Store, target) error) error {
	f, err := a.sessions()
	if err != nil {
		return err
	}
	list, err := a.targets(ctx, f, ids)
	if err != nil {
		return err
	}
	for _, t := range list {
		err := a.with(ctx, t, open, do)
		var output errOutput
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &output):
			return err
		case err != nil:
			a.problem(t, err)
		}
	}
	return nil
}

func (a *app) with(ctx context.Context, t target, open opener, do func(*store.Store, target) error) (err error) {
	if err := lashstore.ValidateID("session_id", t.id); err != nil {
		return err
	}
	s, err := open(ctx, t.path, a.options())
	if errors.Is(err, lashstore.ErrSessionNotFound) {
		return lashstore.ErrSessionNotFound // it says it all
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if s.SessionID() != t.id {
		return &lashstore.SessionMismatchError{Bound: s.SessionID(), Attempted: t.id}
	}
	return do(s, t)
}
