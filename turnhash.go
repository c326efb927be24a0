package lashstore

import (
	"encoding/binary"
	"encoding/json"

	"github.com/zeebo/blake3"
)

// turnHashDomain begins every commit's hash. Change it with the form.
const turnHashDomain = "lashstore commit 2"

// Hash returns what identifies the content of c: honest retries of a turn hash alike, different content never does.
//
// Counted is all that the runtime means: configuration, frames, nodes, leaf, checkpoint parts (content and reference
// alike, by their content's hash), usage, whether the commit continues a turn, what of the line is settled (not by which
// claim), what is put into it and what is deferred, with JSON in canonical form. Not counted is what a retry does anew:
// the revision expected, the lease, times, and the ids of the nodes and frames that the commit itself brings. Where those
// refer to each other, their place in the commit counts; ids of what was stored before count as they are.
//
// c must be valid: Validate it first. An error tells of invalid JSON.
func (c *Commit) Hash() (Hash, error) {
	w := &turnHasher{h: blake3.New(), nodes: c.nodePlaces(), frames: c.framePlaces()}
	w.text(turnHashDomain)
	w.flag(c.Turn != nil && c.Turn.Continues)
	w.json(c.Config)
	w.count(len(c.Frames))
	for _, f := range c.Frames {
		w.frame(f)
	}
	w.ref(w.frames, c.CurrentFrameID)
	w.graph(c.Graph)
	w.checkpoint(c.Checkpoint)
	w.count(len(c.Usage))
	for _, u := range c.Usage {
		w.text(u.Source)
		w.text(u.Model)
		for _, n := range u.Usage.counters() {
			w.number(uint64(n))
		}
	}
	w.completions(c.CompletedWork)
	w.completions(c.CompletedInputs)
	w.count(len(c.Outbox))
	for _, d := range c.Outbox {
		w.text(d.SourceKey)
		w.work(d)
	}
	w.text(c.DeferInputsOf)
	return w.sum()
}

func (c *Commit) nodePlaces() map[string]int {
	places := make(map[string]int, len(c.Graph.Nodes))
	for i, n := range c.Graph.Nodes {
		places[n.ID] = i
	}
	return places
}

func (c *Commit) framePlaces() map[string]int {
	places := make(map[string]int, len(c.Frames))
	for i, f := range c.Frames {
		places[f.ID] = i
	}
	return places
}

// turnHasher writes typed fields, each with its length or a tag before it, so that no two different commits write the
// same bytes.
type turnHasher struct {
	h             *blake3.Hasher
	nodes, frames map[string]int
	err           error
}

// A reference or an optional value begins with one of these.
const (
	tagAbsent   = 0
	tagPlace    = 1 // place in the commit
	tagExternal = 2 // id of what was stored before
	tagPresent  = 3
)

func (w *turnHasher) number(n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	w.write(b[:])
}

func (w *turnHasher) count(n int) { w.number(uint64(n)) }

func (w *turnHasher) write(b []byte) {
	if _, err := w.h.Write(b); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *turnHasher) text(s string) {
	w.count(len(s))
	if _, err := w.h.WriteString(s); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *turnHasher) flag(b bool) {
	if b {
		w.number(tagPresent)
	} else {
		w.number(tagAbsent)
	}
}

func (w *turnHasher) json(value json.RawMessage) {
	if value == nil {
		w.number(tagAbsent)
		return
	}
	canonical, err := canonicalize(value)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.number(tagPresent)
	w.count(len(canonical))
	w.write(canonical)
}

func (w *turnHasher) ref(places map[string]int, id string) {
	if id == "" {
		w.number(tagAbsent)
	} else if place, ok := places[id]; ok {
		w.number(tagPlace)
		w.count(place)
	} else {
		w.number(tagExternal)
		w.text(id)
	}
}

func (w *turnHasher) frame(f Frame) {
	w.ref(w.frames, f.PreviousID)
	w.text(f.Reason)
	w.json(f.CausedBy)
	w.json(f.Assignment)
	w.json(f.Options)
	state := f.ExecutionStateRef
	if f.ExecutionState != nil {
		state = HashOf(f.ExecutionState)
	}
	w.write(state[:])
}

func (w *turnHasher) graph(d GraphDelta) {
	w.text(string(d.Change))
	w.count(len(d.Nodes))
	for _, n := range d.Nodes {
		w.ref(w.nodes, n.ParentID)
		w.text(string(n.Kind))
		w.text(string(n.Role))
		w.ref(w.frames, n.FrameID)
		w.json(n.CausedBy)
		w.json(n.Payload)
	}
	w.flag(d.ClearLeaf)
	w.ref(w.nodes, d.Leaf)
}

func (w *turnHasher) checkpoint(c *Checkpoint) {
	if c == nil {
		w.number(tagAbsent)
		return
	}
	w.number(tagPresent)
	w.json(c.TurnState)
	w.count(len(c.Parts))
	for _, name := range c.PartNames() {
		hash := c.Parts[name].Hash()
		w.text(name)
		w.write(hash[:])
		w.number(c.Parts[name].Fingerprint)
	}
}
