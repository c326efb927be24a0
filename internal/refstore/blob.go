package refstore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/lashstore/lashstore"
)

// put stores content. Content that is there stays as it was first described.
func (t *tx) put(d lashstore.ArtifactDescriptor, content []byte) lashstore.Hash {
	hash := lashstore.HashOf(content)
	if _, known := t.blobs[hash]; !known || t.is(LastDescriptorWins) {
		stored := bytes.Clone(content)
		if t.is(ContentEndsAtNUL) {
			stored, _, _ = bytes.Cut(stored, []byte{0})
		}
		t.blobs[hash] = blob{kind: d.OrGeneric().Kind, content: stored, revision: t.revision}
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
func (s *Store) PutBlob(ctx context.Context, d lashstore.ArtifactDescriptor, content []byte) (lashstore.Hash, error) {
	if err := validateContent("blob", d, content); err != nil {
		return lashstore.Hash{}, err
	}
	return write(ctx, s, func(t *tx) (lashstore.Hash, error) {
		hash := t.put(d, content)
		if b := t.blobs[hash]; !t.is(PutSparesOnce) {
			b.revision = t.revision
			t.blobs[hash] = b
		}
		return hash, nil
	})
}

// Blob returns the content of a blob.
func (s *Store) Blob(ctx context.Context, hash lashstore.Hash) ([]byte, error) {
	b, err := s.blob(ctx, hash)
	return b.content, err
}

func (s *Store) blob(ctx context.Context, hash lashstore.Hash) (blob, error) {
	return read(ctx, s, func(t *tx) (blob, error) {
		b, stored := t.blobs[hash]
		if !stored && !t.is(MissingBlobIsEmpty) {
			return blob{}, &lashstore.MissingBlobError{Hash: hash, NamedBy: "the caller"}
		}
		b.content = append([]byte{}, b.content...)
		return b, nil
	})
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
	if err := cmp.Or(s.validateKey(key), validateContent("artifact", d, content)); err != nil {
		return lashstore.Hash{}, nil, err
	}
	previous, err = write(ctx, s, func(t *tx) (*lashstore.Artifact, error) {
		before, err := t.artifact(key)
		if err != nil && !errors.Is(err, lashstore.ErrArtifactNotFound) {
			return nil, err
		}
		ref = t.put(d, content)
		t.artifacts[t.artifactKey(key)] = ref
		if t.is(PreviousIsForgotten) {
			before = nil
		}
		return before, nil
	})
	return ref, previous, err
}

func (s *Store) validateKey(key lashstore.ArtifactKey) error {
	if s.is(KeysAreNotValidated) {
		return nil
	}
	return key.Validate()
}

// Artifact returns what key points to.
func (s *Store) Artifact(ctx context.Context, key lashstore.ArtifactKey) (lashstore.Artifact, error) {
	if err := s.validateKey(key); err != nil {
		return lashstore.Artifact{}, err
	}
	return read(ctx, s, func(t *tx) (lashstore.Artifact, error) {
		found, err := t.artifact(key)
		if err != nil {
			return lashstore.Artifact{}, err
		}
		return *found, nil
	})
}

// Artifacts lists a namespace by key.
func (s *Store) Artifacts(ctx context.Context, namespace string) ([]lashstore.Artifact, error) {
	return read(ctx, s, func(t *tx) (list []lashstore.Artifact, err error) {
		for key := range t.artifacts {
			if key.Namespace != namespace {
				continue
			}
			a, err := t.artifact(key)
			if err != nil {
				return nil, err
			}
			a.Content = nil
			list = append(list, *a)
		}
		slices.SortFunc(list, func(a, b lashstore.Artifact) int { return cmp.Compare(a.Key.Key, b.Key.Key) })
		return list, nil
	})
}

// DeleteArtifact removes a key.
func (s *Store) DeleteArtifact(ctx context.Context, key lashstore.ArtifactKey) (bool, error) {
	if err := s.validateKey(key); err != nil {
		return false, err
	}
	return write(ctx, s, func(t *tx) (bool, error) {
		_, known := t.artifacts[t.artifactKey(key)]
		delete(t.artifacts, t.artifactKey(key))
		return known || t.is(DeletedWasAlwaysThere), nil
	})
}
