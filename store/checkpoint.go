package store

import (
	"fmt"

	"github.com/lashstore/lashstore"
)

// encodeContents encodes every content that c brings, by hash. It needs no transaction and takes none.
func (s *Store) encodeContents(c *lashstore.Commit) map[lashstore.Hash]encodedBlob {
	blobs := map[lashstore.Hash]encodedBlob{}
	add := func(d lashstore.ArtifactDescriptor, content []byte) {
		if content == nil {
			return
		}
		b := encode(s.options.Profile, d, content)
		if _, known := blobs[b.hash]; !known { // the first description of a content stays
			blobs[b.hash] = b
		}
	}
	if c.Checkpoint != nil {
		for _, name := range c.Checkpoint.PartNames() {
			add(c.Checkpoint.Parts[name].DescriptorFor(name), c.Checkpoint.Parts[name].Content)
		}
	}
	for _, f := range c.Frames {
		add(lashstore.ExecutionState, f.ExecutionState)
	}
	return blobs
}

// checkpoint writes the parts first and then the manifest that names them.
func (w *commitWork) checkpoint(t *tx) error {
	if w.Checkpoint == nil {
		return nil
	}
	m := lashstore.Manifest{TurnState: w.Checkpoint.TurnState}
	for _, name := range w.Checkpoint.PartNames() {
		part, err := w.part(t, name, w.Checkpoint.Parts[name])
		if err != nil {
			return err
		}
		m.Parts = append(m.Parts, part)
	}
	record, err := m.Encode()
	if err != nil {
		return err
	}
	b := encode(t.store.options.Profile, lashstore.CheckpointManifest, record)
	if _, err := t.putBlob(b); err != nil {
		return err
	}
	w.next.checkpoint = b.hash
	return nil
}

// part stores a part's content, or makes sure that the one it carries is stored.
func (w *commitWork) part(t *tx, name string, p lashstore.Part) (lashstore.ManifestPart, error) {
	part := lashstore.ManifestPart{Name: name, Hash: p.Hash(), Fingerprint: p.Fingerprint}
	if p.Content != nil {
		b := w.blobs[part.Hash]
		part.Size = int64(b.size)
		_, err := t.putBlob(b)
		return part, err
	}
	info, err := t.blobInfo(p.Ref, "checkpoint part "+name)
	part.Size = info.Size
	return part, err
}

// headsCheckpoint is what names the manifest that a load reads.
const headsCheckpoint = "the head's checkpoint"

// manifest reads the record of a checkpoint that namedBy names. MissingBlobError, CorruptError, RecordVersionError.
func (t *tx) manifest(ref lashstore.Hash, namedBy string) (lashstore.Manifest, error) {
	b, err := t.blob(ref, namedBy)
	if err != nil {
		return lashstore.Manifest{}, err
	}
	return lashstore.DecodeManifest(b.content)
}

// storedCheckpoint reads a checkpoint, with or without its parts' contents. nil for the zero reference.
func (t *tx) storedCheckpoint(ref lashstore.Hash, withParts bool) (*lashstore.StoredCheckpoint, error) {
	if ref.IsZero() {
		return nil, nil
	}
	m, err := t.manifest(ref, headsCheckpoint)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", ref.Short(), err)
	}
	c := &lashstore.StoredCheckpoint{
		Ref: ref, TurnState: m.TurnState, Parts: make(map[string]lashstore.StoredPart, len(m.Parts)),
	}
	for _, p := range m.Parts {
		if c.Parts[p.Name], err = t.storedPart(p, withParts); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (t *tx) storedPart(p lashstore.ManifestPart, withContent bool) (lashstore.StoredPart, error) {
	part := lashstore.StoredPart{Ref: p.Hash, Size: p.Size, Fingerprint: p.Fingerprint}
	namedBy := "checkpoint part " + p.Name
	if !withContent {
		info, err := t.blobInfo(p.Hash, namedBy)
		part.Kind = lashstore.BlobKind(info.Kind)
		return part, err
	}
	b, err := t.blob(p.Hash, namedBy)
	part.Kind, part.Content = b.kind, b.content
	return part, err
}
