package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore/internal/conversation"
	"github.com/lashstore/lashstore/store"
)

func (a *app) exportCommand() *cobra.Command {
	var all, portable bool
	var output string
	c := &cobra.Command{
		Use:   "export SESSION... | --all | --portable SESSION",
		Short: "Write conversations as JSON Lines, in the form that import reads",
		Long: "Write conversations as JSON Lines, in the form that import reads: the messages, one line a session.\n\n" +
			"With --portable all of one session is written: messages, checkpoints, history, usage and what waits. It does not\n" +
			"depend on the version of the program; import --portable makes a session of it.",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case portable && (all || len(args) != 1):
				return errors.New("export --portable takes one session")
			case all == (len(args) > 0):
				return errors.New("export takes either sessions or --all")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if portable {
				return a.exportPortable(c.Context(), output, args[0])
			}
			return a.exportTo(output, func(w *bufio.Writer) error { return a.export(c.Context(), w, args) })
		},
	}
	c.Flags().BoolVar(&portable, "portable", false, "all of one session, in a form that every version reads")
	c.Flags().BoolVar(&all, "all", false, "every session, by id")
	c.Flags().StringVarP(&output, "output", "o", "", "write to a file, which appears when it is whole")
	return c
}

// export writes one line a session. Nodes that are no messages have no place in the form; that is said.
func (a *app) export(ctx context.Context, w *bufio.Writer, ids []string) error {
	return a.each(ctx, ids, store.OpenReadOnly, func(s *store.Store, t target) error {
		c, leftOut, err := conversation.FromSession(ctx, s)
		if err != nil {
			return err
		}
		if leftOut > 0 {
			a.warn(fmt.Sprintf("%s: %s left out, as they are no messages", t.id, plural(leftOut, "node")))
		}
		line, err := c.AppendLine(nil)
		if err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return errOutput{err}
		}
		return nil
	})
}

// exportTo runs do on standard output or, with a name, on a file. A regular file is written under another name first,
// so that it is there whole or as it was before.
func (a *app) exportTo(name string, do func(*bufio.Writer) error) error {
	if name == "" {
		return buffered(a.stdout, do)
	}
	if stat, err := os.Stat(name); err == nil && !stat.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(buffered(f, do), f.Close())
	}
	f, err := os.OpenFile(name+"."+rand.Text()[:8]+".part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		path.Path = name // the other one is nobody's business
	}
	if err != nil {
		return err
	}
	err = errors.Join(buffered(f, do), f.Sync(), f.Close())
	if err == nil && a.wrong { // some session is missing from it, and was named
		err = fmt.Errorf("%s is left as it was: not everything could be exported", name)
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
