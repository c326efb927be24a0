package store

import (
	"bytes"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// entries reads all of the line, and holds it against the lease.
func (v *verifier) entries(t *tx) error {
	ahead, err := t.q.VerifyEntriesAheadOfLease(t.Context())
	if err != nil {
		return err
	}
	for _, a := range ahead {
		v.find(lashstore.FindingEntry, a.EntryID, a.What)
	}
	const page = 8 // rows may be as large as values
	for after := int64(0); ; {
		rows, err := t.q.VerifyEntries(t.Context(), db.VerifyEntriesParams{AfterSeq: after, MaxRows: page})
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.Seq
			v.report.Entries++
			if err := v.check(v.entry(t, row), lashstore.FindingEntry); err != nil {
				return err
			}
		}
		if len(rows) < page {
			return nil
		}
	}
}

// entry reads one. Work that is not settled must still hash to what was submitted; input may have been deferred since.
func (v *verifier) entry(t *tx, row db.Entry) error {
	if row.Family == string(familyInput) {
		_, err := t.input(row)
		return err
	}
	b, err := t.batch(row)
	if err != nil || b.State.Settled() {
		return err
	}
	hash, err := lashstore.WorkDraft{
		Class: b.Class, Delivery: b.Delivery, Slot: b.Slot, MergeKey: b.MergeKey, Items: b.Items,
	}.Hash()
	if err == nil && !bytes.Equal(hash[:], row.ContentHash) {
		v.find(lashstore.FindingEntry, b.ID, "its content is not what was submitted")
	}
	return err
}
