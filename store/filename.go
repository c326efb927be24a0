package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// fileSuffix ends the name of every session database.
const fileSuffix = ".db"

// maxReadable is how much of an id a file name shows.
const maxReadable = 80

// FileName returns the name of a session's database file: what is readable of the id, and a hash of all of it, so that
// no two sessions share a file, on file systems that fold case too, and none leaves its directory.
func FileName(sessionID string) string {
	readable := strings.Trim(strings.Map(fileRune, sessionID), "_")
	if readable == "" {
		readable = "session"
	}
	if len(readable) > maxReadable {
		readable = readable[:maxReadable]
	}
	sum := sha256.Sum256([]byte(sessionID))
	return readable + "-" + hex.EncodeToString(sum[:8]) + fileSuffix
}

func fileRune(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
		return r
	}
	return '_'
}
