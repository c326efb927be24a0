package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// PutArtifact stores content, points key to it and returns what it pointed to.
func (s *Store) PutArtifact(ctx context.Context, key lashstore.ArtifactKey, d lashstore.ArtifactDescriptor, content []byte) (lashstore.Hash, *lashstore.Artifact, error) {
	if err := key.Validate(); err != nil {
		return lashstore.Hash{}, nil, err
	}
	b, err := s.encodeGiven("artifact", d, content)
	if err != nil {
		return lashstore.Hash{}, nil, err
	}
	var previous *lashstore.Artifact
	err = s.update(ctx, func(t *tx) error {
		found, err := t.artifact(key)
		switch {
		case err == nil:
			previous = &found
		case !errors.Is(err, lashstore.ErrArtifactNotFound):
			return err
		}
		if _, err := t.putBlob(b); err != nil {
			return err
		}
		return t.q.ArtifactPut(t.Context(), db.ArtifactPutParams{
			Namespace: key.Namespace, ArtifactKey: key.Key, BlobHash: b.hash[:], UpdatedAtMS: t.now(),
		})
	})
	if err != nil {
		return lashstore.Hash{}, nil, err
	}
	return b.hash, previous, nil
}

// Artifact returns what key points to.
func (s *Store) Artifact(ctx context.Context, key lashstore.ArtifactKey) (lashstore.Artifact, error) {
	if err := key.Validate(); err != nil {
		return lashstore.Artifact{}, err
	}
	var a lashstore.Artifact
	err := s.view(ctx, func(t *tx) error {
		var err error
		a, err = t.artifact(key)
		return err
	})
	return a, err
}

func (t *tx) artifact(key lashstore.ArtifactKey) (lashstore.Artifact, error) {
	row, err := t.q.ArtifactGet(t.Context(), db.ArtifactGetParams{Namespace: key.Namespace, ArtifactKey: key.Key})
	if errors.Is(err, sql.ErrNoRows) {
		return lashstore.Artifact{}, lashstore.ErrArtifactNotFound
	}
	if err != nil {
		return lashstore.Artifact{}, err
	}
	ref, err := storedHash(row.BlobHash, "artifact", key.String())
	if err != nil {
		return lashstore.Artifact{}, err
	}
	b, err := t.blob(ref, "artifact "+key.String())
	if err != nil {
		return lashstore.Artifact{}, err
	}
	return lashstore.Artifact{Key: key, Ref: ref, Kind: b.kind, Size: b.size, Content: b.content}, nil
}

// Artifacts lists a namespace by key.
func (s *Store) Artifacts(ctx context.Context, namespace string) ([]lashstore.Artifact, error) {
	var list []lashstore.Artifact
	err := s.view(ctx, func(t *tx) error {
		rows, err := t.q.ArtifactList(t.Context(), namespace)
		if err != nil {
			return err
		}
		for _, row := range rows {
			key := lashstore.ArtifactKey{Namespace: namespace, Key: row.ArtifactKey}
			ref, err := storedHash(row.BlobHash, "artifact", key.String())
			if err != nil {
				return err
			}
			if row.Kind == nil {
				return &lashstore.MissingBlobError{Hash: ref, NamedBy: "artifact " + key.String()}
			}
			list = append(list, lashstore.Artifact{Key: key, Ref: ref, Kind: lashstore.BlobKind(*row.Kind), Size: value(row.Size)})
		}
		return nil
	})
	return list, err
}

// DeleteArtifact removes a key.
func (s *Store) DeleteArtifact(ctx context.Context, key lashstore.ArtifactKey) (bool, error) {
	if err := key.Validate(); err != nil {
		return false, err
	}
	var deleted bool
	err := s.update(ctx, func(t *tx) error {
		n, err := t.q.ArtifactDelete(t.Context(), db.ArtifactDeleteParams{Namespace: key.Namespace, ArtifactKey: key.Key})
		deleted = n == 1
		return err
	})
	return deleted, err
}
