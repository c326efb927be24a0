package lashstore

import (
	"context"
	"iter"
)

// SessionFactory keeps many sessions in one place, each in a store of its own.
type SessionFactory interface {
	// Durability says what an acknowledged write survives, in every session of the factory.
	Durability() Durability
	// CreateSession opens the session meta.SessionID and creates it first when there is none. The description is written
	// with the session and never overwritten: on an existing session only SessionID counts. Safe to repeat, and to call
	// from several processes at once.
	CreateSession(ctx context.Context, meta SessionMeta) (SessionStore, error)
	// OpenSession opens a session that exists; ErrSessionNotFound, and nothing is created, when it does not.
	OpenSession(ctx context.Context, sessionID string) (SessionStore, error)
	// DeleteSession removes a session and everything in it. A session that is not there is no error. While somebody
	// holds its execution lease: LeaseBusyError. Handles that are open get ErrSessionDeleted at their next call.
	DeleteSession(ctx context.Context, sessionID string) error
	// Sessions walks over all sessions, most recently updated first. What cannot be read is yielded as an error, with
	// what is known of it in SessionInfo, and the walk goes on.
	Sessions(ctx context.Context) iter.Seq2[SessionInfo, error]
}

// SessionInfo is a line of a list of sessions.
type SessionInfo struct {
	Meta     SessionMeta
	Summary  Summary
	Revision Revision
	// Location is where the session is kept: a file's path; "" when there is no such thing.
	Location string
	// Bytes is what it takes on disk; 0 when unknown.
	Bytes int64
}
