//go:build !unix

package sqlitedb

import "context"

// Where an open file cannot be removed, opening and removing need no lock between them.
const (
	shared    = 0
	exclusive = 0
)

func lockDirectory(context.Context, string, int) (unlock func(), err error) { return func() {}, nil }

// syncDirectory has nothing to do where directories cannot be synced.
func syncDirectory(string) error { return nil }

func isReadOnlyFS(error) bool { return false }

func isFullFS(error) bool { return false }
