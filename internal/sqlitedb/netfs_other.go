//go:build !linux

package sqlitedb

// networkFileSystem knows no way to ask on this system.
func networkFileSystem(string) (string, error) { return "", nil }
