package main

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
)

var databaseKinds = []string{lashstore.SessionDatabase, lashstore.HostDatabase, lashstore.CatalogDatabase}

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [session|host|catalog]",
		Short: "Print the schema of the databases",
		Args: func(c *cobra.Command, args []string) error {
			if cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs)(c, args) != nil {
				return fmt.Errorf("schema takes %s or nothing", strings.Join(databaseKinds, ", "))
			}
			return nil
		},
		ValidArgs: databaseKinds,
		RunE: func(_ *cobra.Command, args []string) error {
			text := lashstore.SchemaSQL
			if len(args) == 1 {
				var err error
				if text, err = lashstore.SchemaSection(args[0]); err != nil {
					return err
				}
			}
			if a.json {
				return a.emit(map[string]string{"schema": text})
			}
			_, err := io.WriteString(a.stdout, text)
			return err
		},
	}
}

func (a *app) queriesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "queries [NAME]",
		Short: "Print every query that the library runs, or the one of that name",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.printQuery(args[0])
			}
			return a.printQueries()
		},
	}
}

// query is one query as it is written in its file.
type query struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // what it returns: one, many, exec, execrows
	File string `json:"file"`
	SQL  string `json:"sql"` // with the comment above it
}

// readQueries cuts every file into queries. Visit is told of each file.
func readQueries(visit func(file, text string)) ([]query, error) {
	var all []query
	err := fs.WalkDir(lashstore.Queries, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".sql" {
			return err
		}
		text, err := fs.ReadFile(lashstore.Queries, name)
		if err != nil {
			return err
		}
		visit(name, string(text))
		all = append(all, cutQueries(name, string(text))...)
		return nil
	})
	return all, err
}

const nameMarker = "-- name: "

// cutQueries cuts a file into queries, each with the comment directly above its name.
func cutQueries(file, text string) []query {
	var list []query
	lines := strings.Split(text, "\n")
	end := len(lines)
	for i := len(lines) - 1; i >= 0; i-- {
		head, named := strings.CutPrefix(lines[i], nameMarker)
		if !named {
			continue
		}
		begin := i
		for begin > 0 && strings.HasPrefix(lines[begin-1], "--") {
			begin--
		}
		name, kind, _ := strings.Cut(strings.TrimSpace(head), " :")
		sql := strings.TrimSpace(strings.Join(lines[begin:end], "\n")) + "\n"
		list = append(list, query{Name: name, Kind: kind, File: file, SQL: sql})
		end = begin
	}
	slices.Reverse(list)
	return list
}

func (a *app) printQueries() error {
	var texts []string
	all, err := readQueries(func(file, text string) {
		texts = append(texts, "-- "+file+"\n\n"+strings.TrimSpace(text)+"\n")
	})
	if err != nil {
		return err
	}
	if !a.json {
		_, err = io.WriteString(a.stdout, strings.Join(texts, "\n\n"))
		return err
	}
	for _, q := range all {
		if err := a.emit(q); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printQuery(name string) error {
	all, err := readQueries(func(string, string) {})
	if err != nil {
		return err
	}
	for _, q := range all {
		if q.Name != name {
			continue
		}
		if a.json {
			return a.emit(q)
		}
		_, err := io.WriteString(a.stdout, q.SQL)
		return err
	}
	return fmt.Errorf("no query is named %q: lashstore queries prints them all", name)
}
