package lashstore

import (
	"embed"
	"fmt"
	"strings"
)

//go:generate go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.2-0.20261009151430-8a2671373bf8 generate

// SchemaSQL is the canonical schema of every kind of database, as an auditor reads it.
//
//go:embed schema.sql
var SchemaSQL string

// Queries holds every query the library runs, as queries/<kind of database>/<noun>.sql.
//
//go:embed queries/*/*.sql
var Queries embed.FS

// The kinds of database files, as the sections of SchemaSQL name them.
const (
	SessionDatabase = "session"
	HostDatabase    = "host"
	CatalogDatabase = "catalog"
)

const sectionMarker = "-- @database "

// SchemaSection returns the part of SchemaSQL that applies to one kind of database. It errs for a kind without section.
func SchemaSection(kind string) (string, error) {
	for _, section := range strings.Split(SchemaSQL, "\n"+sectionMarker)[1:] {
		if name, body, _ := strings.Cut(section, "\n"); name == kind {
			return body, nil
		}
	}
	return "", fmt.Errorf("schema.sql has no section for %q", kind)
}
