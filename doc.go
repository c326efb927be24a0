// Package lashstore is the contract of a durable store for LLM agent runtimes: the types, the interfaces, the errors
// and the pure rules that every backend must decide alike.
//
// A session is one agent conversation with everything its runtime needs to go on after a crash: a graph of nodes, a
// checkpoint in named parts, frames, usage and the receipts of the turns that were committed. A SessionStore holds one
// session. Package store keeps each session in an SQLite database of its own; package testsuite holds any other backend
// to the same contract.
//
// Where to read on:
//
//   - Commit and SessionStore.Commit: how a turn becomes durable, in which order, and what each way of losing returns.
//   - Node and GraphDelta: the conversation graph and its rules.
//   - Checkpoint and StoredCheckpoint: resumable state in named parts.
//   - Lease and TakeLease: who may write.
//   - errors.go and errorslane.go: every error, grouped by the moment one meets it.
//
// This package is a leaf. It imports no SQLite and no database/sql, and beyond the standard library only BLAKE3 and
// canonical JSON.
package lashstore
