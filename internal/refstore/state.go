package refstore

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/lashstore/lashstore"
)

// state is all there is of a session. Its elements are never changed in place, so that a shallow clone is a copy.
type state struct {
	meta       lashstore.SessionMeta
	revision   lashstore.Revision
	config     json.RawMessage
	frames     []lashstore.Frame // contents left out: they are blobs
	frame      string            // current one
	nodes      map[string]node
	order      []string // ids of nodes, as they were inserted
	leaf       string
	checkpoint lashstore.Hash
	usage      []lashstore.TurnUsage
	totals     []lashstore.UsageTotal
	receipts   map[string]receipt
	log        []revisionEntry    // oldest first
	keep       int                // how many of the last revisions stay loadable
	keptFrom   lashstore.Revision // nothing before it is loadable without a pin
	branches   map[string]string  // leaves by name
	blobs      map[lashstore.Hash]blob
	artifacts  map[lashstore.ArtifactKey]lashstore.Hash
	lease      lashstore.Lease
	line       []entry
	lastSeq    int64 // the last place in the line that was given out
	summary    lashstore.Summary
}

type node struct {
	lashstore.Node
	revision   lashstore.Revision // that brought it
	tombstoned time.Time          // zero while it is live
	removed    lashstore.Revision // of the head that no longer has it, while tombstoned
}

func (n node) live() bool { return n.tombstoned.IsZero() }

type receipt struct {
	hash       lashstore.Hash
	checkpoint lashstore.Hash
	parts      map[string]lashstore.Hash
	revision   lashstore.Revision
	outbox     []string
	at         time.Time
}

type blob struct {
	kind     lashstore.BlobKind
	content  []byte
	revision lashstore.Revision // of the head when it was put
}

func newState(meta lashstore.SessionMeta) state {
	return state{
		meta: meta, config: json.RawMessage("{}"), nodes: map[string]node{}, receipts: map[string]receipt{},
		keep: lashstore.DefaultKeepRevisions, branches: map[string]string{},
		blobs: map[lashstore.Hash]blob{}, artifacts: map[lashstore.ArtifactKey]lashstore.Hash{},
		lease: lashstore.Lease{SessionID: meta.SessionID},
	}
}

func (s state) clone() state {
	s.frames, s.order = slices.Clone(s.frames), slices.Clone(s.order)
	s.line, s.log, s.branches = slices.Clone(s.line), slices.Clone(s.log), maps.Clone(s.branches)
	s.usage, s.totals = slices.Clone(s.usage), slices.Clone(s.totals)
	s.nodes, s.receipts = maps.Clone(s.nodes), maps.Clone(s.receipts)
	s.blobs, s.artifacts = maps.Clone(s.blobs), maps.Clone(s.artifacts)
	return s
}

// live yields the live nodes in order of insertion.
func (s *state) live(yield func(node) bool) {
	for _, id := range s.order {
		if n := s.nodes[id]; n.live() && !yield(n) {
			return
		}
	}
}

// onPath reports for each id from leaf up to the root that it is there.
func (s *state) onPath(leaf string) map[string]bool {
	path := map[string]bool{}
	for id := leaf; id != "" && !path[id]; id = s.nodes[id].ParentID {
		path[id] = true
	}
	return path
}

// countMessages keeps the summary.
func (s *state) countMessages() {
	s.summary.Messages, s.summary.UserMessages = 0, 0
	for n := range s.live {
		if n.Kind == lashstore.NodeMessage {
			s.summary.Messages++
			if n.Role == lashstore.RoleUser {
				s.summary.UserMessages++
			}
		}
	}
}
