package lashstore

import "github.com/zeebo/blake3"

// The domains of the hashes of what is put into the line. Change one with its form.
const (
	workHashDomain  = "lashstore work 1"
	inputHashDomain = "lashstore input 1"
)

// Hash returns what identifies the content of d, which is what a retry under the same source key is compared by: class,
// policies and items, with JSON in canonical form. Not counted are the session, the key itself, and the time, which a
// retry may say anew. d must be valid.
func (d WorkDraft) Hash() (Hash, error) {
	w := &turnHasher{h: blake3.New()}
	w.text(workHashDomain)
	w.work(d)
	return w.sum()
}

// Hash returns what identifies the content of d as it was submitted: ingress and the input's JSON value. Not counted are
// session, id and key. d must be valid.
func (d InputDraft) Hash() (Hash, error) {
	w := &turnHasher{h: blake3.New()}
	w.text(inputHashDomain)
	g := d.Ingress.WithDefaults()
	w.text(g.TurnID)
	w.text(string(g.Boundary))
	w.json(d.Input)
	return w.sum()
}

func (w *turnHasher) work(d WorkDraft) {
	t := d.Traits()
	w.text(string(t.Class))
	w.text(string(t.Delivery))
	w.text(string(t.Slot))
	w.text(t.MergeKey)
	w.count(len(d.Items))
	for _, item := range d.Items {
		w.text(item.Kind)
		w.json(item.Payload)
	}
}

// completions count by what they settle: claims and their tokens are new in every life of a turn.
func (w *turnHasher) completions(list []Completion) {
	n := 0
	for _, c := range list {
		n += len(c.IDs)
	}
	w.count(n)
	for _, c := range list {
		for _, id := range c.IDs {
			w.text(id)
		}
	}
}

func (w *turnHasher) sum() (Hash, error) {
	if w.err != nil {
		return Hash{}, w.err
	}
	var sum Hash
	w.h.Sum(sum[:0])
	return sum, nil
}
