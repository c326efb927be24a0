package refstore

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/lashstore/lashstore"
)

// put stores content. Content that is there stays as it was first described.
func (t *tx) put(d lashstore.ArtifactDescriptor, content []byte) lashstore.Hash {
	hash := lashstore.HashOf(content)
	if _, known := t.blobs[hash]; !known || t.is(LastDescriptorWins) {
		t.blobs[hash] = blob{kind: d.OrGeneric().Kind, content: bytes.Clone(content), revision: t.revision}
	}
	return hash
}

func validateContent(field string, d lashstore.ArtifactDescriptor, content []byte) error {
	if len(content) > lashstore.MaxValueSize {
		return &lashstore.TooLargeError{Field: field, Size: int64(len(content)), Max: lashstore.MaxValueSize}
	}
	return d.Validate(field)
}

// PutBlob stores content and spares it until one more commit was made.
func (s *Store) PutBlob(ctx context.Context, d lashstore.ArtifactDescriptor, content []byte) (hash lashstore.Hash, err error) {
	if err := validateContent("blob", d, content); err != nil {
		return lashstore.Hash{}, err
	}
	err = s.update(ctx, func(t *tx) error {
		hash = t.put(d, content)
		if b := t.blobs[hash]; !t.is(PutSparesOnce) {
			b.revision = t.revision
			t.blobs[hash] = b
		}
		return nil
	})
	return hash, err
}

// Blob returns the content of a blob.
func (s *Store) Blob(ctx context.Context, hash lashstore.Hash) ([]byte, error) {
	b, err := s.blob(ctx, hash)
	return b.content, err
}

func (s *Store) blob(ctx context.Context, hash lashstore.Hash) (b blob, err error) {
	err = s.view(ctx, func(t *tx) error {
		var stored bool
		if b, stored = t.blobs[hash]; !stored && !t.is(MissingBlobIsEmpty) {
			return &lashstore.MissingBlobError{Hash: hash, NamedBy: "the caller"}
		}
		b.content = bytes.Clone(b.content)
		if b.content == nil {
			b.content = []byte{}
		}
		return nil
	})
	return b, err
}

// OpenBlob returns the content of a blob as a stream.
func (s *Store) OpenBlob(ctx context.Context, hash lashstore.Hash) (io.ReadCloser, lashstore.BlobInfo, error) {
	b, err := s.blob(ctx, hash)
	if err != nil {
		return nil, lashstore.BlobInfo{}, err
	}
	if s.is(StreamIsCutShort) && len(b.content) > 1000 {
		b.content = b.content[:1000]
	}
	size := int64(len(b.content))
	info := lashstore.BlobInfo{Hash: hash, Kind: b.kind, Codec: "raw", Size: size, StoredSize: size}
	return io.NopCloser(bytes.NewReader(b.content)), info, nil
}

func (t *tx) artifact(key lashstore.ArtifactKey) (*lashstore.Artifact, error) {
	ref, known := t.artifacts[t.artifactKey(key)]
	if !known {
		return nil, lashstore.ErrArtifactNotFound
	}
	b, stored := t.blobs[ref]
	if !stored {
		return nil, &lashstore.MissingBlobError{Hash: ref, NamedBy: "artifact " + key.String()}
	}
	content := append([]byte{}, b.content...)
	return &lashstore.Artifact{Key: key, Ref: ref, Kind: b.kind, Size: int64(len(content)), Content: content}, nil
}

func (t *tx) artifactKey(key lashstore.ArtifactKey) lashstore.ArtifactKey {
	if t.is(NamespacesAreOne) {
		key.Namespace = ""
	}
	return key
}

// PutArtifact stores content, points key to it and returns what it pointed to.
func (s *Store) PutArtifact(ctx context.Context, key lashstore.ArtifactKey, d lashstore.ArtifactDescriptor, content []byte) (ref lashstore.Hash, previous *lashstore.Artifact, err error) {
	if err := cmp.Or(key.Validate(), validateContent("artifact", d, content)); err != nil {
		return lashstore.Hash{}, nil, err
	}
	err = s.update(ctx, func(t *tx) error {
		if _, known := t.artifacts[t.artifactKey(key)]; known {
			var err error
			if previous, err = t.artifact(key); err != nil {
				return err
			}
		}
		ref = t.put(d, content)
		t.artifacts[t.artifactKey(key)] = ref
		if t.is(PreviousIsForgotten) {
			previous = nil
		}
		return nil
	})
	return ref, previous, err
}

// Artifact returns what key points to.
func (s *Store) Artifact(ctx context.Context, key lashstore.ArtifactKey) (a lashstore.Artifact, err error) {
	if err := key.Validate(); err != nil {
		return a, err
	}
	err = s.view(ctx, func(t *tx) error {
		found, err := t.artifact(key)
		if err == nil {
			a = *found
		}
		return err
	})
	return a, err
}

// Artifacts lists a namespace by key.
func (s *Store) Artifacts(ctx context.Context, namespace string) (list []lashstore.Artifact, err error) {
	err = s.view(ctx, func(t *tx) error {
		for key := range t.artifacts {
			if key.Namespace != namespace {
				continue
			}
			a, err := t.artifact(key)
			if err != nil {
				return err
			}
			a.Content = nil
			list = append(list, *a)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b lashstore.Artifact) int { return cmp.Compare(a.Key.Key, b.Key.Key) })
	return list, err
}

// DeleteArtifact removes a key.
func (s *Store) DeleteArtifact(ctx context.Context, key lashstore.ArtifactKey) (deleted bool, err error) {
	if err := key.Validate(); err != nil {
		return false, err
	}
	err = s.update(ctx, func(t *tx) error {
		_, deleted = t.artifacts[t.artifactKey(key)]
		delete(t.artifacts, t.artifactKey(key))
		return nil
	})
	return deleted, err
}
