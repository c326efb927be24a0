package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// jsonPortable is what an export or an import of a portable stream came to.
type jsonPortable struct {
	SessionID string                   `json:"session_id"`
	File      string                   `json:"file,omitempty"`
	Revision  *lashstore.Revision      `json:"revision,omitempty"`
	Counts    lashstore.PortableCounts `json:"counts"`
}

// exportPortable writes all of one session. Standard output is the stream's, so that what is to be said of it is said only
// when it goes to a file.
func (a *app) exportPortable(ctx context.Context, output, id string) error {
	said := jsonPortable{SessionID: id, File: output}
	err := a.exportTo(output, func(w *bufio.Writer) error {
		return a.each(ctx, []string{id}, store.OpenReadOnly, func(s *store.Store, _ target) (err error) {
			said.Counts, err = s.ExportPortable(ctx, errWriter{w})
			return err
		})
	})
	if err != nil || a.wrong || output == "" || !a.json {
		return err
	}
	return a.emit(said)
}

// errWriter marks what goes wrong with the output.
type errWriter struct{ w io.Writer }

func (e errWriter) Write(p []byte) (int, error) {
	n, err := e.w.Write(p)
	if err != nil {
		err = errOutput{err}
	}
	return n, err
}

// importPortable makes a session of each stream. One that is of no use is reported, and the others go on.
func (a *app) importPortable(ctx context.Context, files []string, as string, durability lashstore.Durability) error {
	options := a.options()
	options.Durability = durability
	f, err := store.NewFactory(a.sessionsDir(), options)
	if err != nil {
		return err
	}
	for _, name := range files {
		made, err := a.importStream(ctx, f, name, as)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			a.problem(target{id: as, path: name}, fmt.Errorf("%s: %w", name, err))
		case a.json:
			err = a.emit(jsonPortable{SessionID: made.SessionID, File: name, Revision: &made.Revision, Counts: made.Counts})
		default:
			_, err = fmt.Fprintf(a.stdout, "%s: session %s at revision %d, with %s and %s\n", oneLine(name), oneLine(made.SessionID),
				made.Revision, plural(made.Counts.Nodes, "node"), plural(made.Counts.Blobs, "blob"))
		}
		var output errOutput
		if errors.As(err, &output) {
			return err
		}
	}
	return nil
}

func (a *app) importStream(ctx context.Context, f *store.Factory, name, as string) (lashstore.PortableImport, error) {
	options := &lashstore.ImportOptions{SessionID: as}
	if name == "-" {
		return f.ImportPortable(ctx, cancellable(ctx, a.stdin), options)
	}
	in, err := os.Open(name)
	if err != nil {
		return lashstore.PortableImport{}, err
	}
	defer func() { _ = in.Close() }() // it was only read
	return f.ImportPortable(ctx, in, options)
}
