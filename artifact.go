package lashstore

import (
	"context"
	"encoding/json"
	"slices"
)

// ArtifactKey names an artifact. Keys of different namespaces never meet.
type ArtifactKey struct {
	Namespace string // lower-case letters, digits and underscores
	Key       string // any id
}

// The namespaces that the field knows. A host may use others.
const (
	NamespaceModule          = "module"
	NamespaceModuleArtifact  = "module_artifact"
	NamespaceProcessEnv      = "process_execution_env"
	NamespaceTriggerManifest = "trigger_manifest"
)

// String returns "namespace/key".
func (k ArtifactKey) String() string { return k.Namespace + "/" + k.Key }

// Validate checks both halves.
func (k ArtifactKey) Validate() error {
	if err := validateName("artifact.namespace", k.Namespace); err != nil {
		return err
	}
	return ValidateID("artifact.key", k.Key)
}

// Artifact is what a key points to.
type Artifact struct {
	Key     ArtifactKey
	Ref     Hash
	Kind    BlobKind
	Size    int64  // plain, bytes
	Content []byte // nil in lists
}

// ArtifactStore keeps named content that lives as long as its key: modules, environments, manifests. Artifacts share
// the blobs with everything else and are roots of the garbage collection.
type ArtifactStore interface {
	// PutArtifact stores content and points key to it, whatever it pointed to before. It returns what key pointed to,
	// content included, or nil for the first time; both happen in one transaction. Safe to repeat.
	// Errors: ErrInvalid, ErrTooLarge.
	PutArtifact(ctx context.Context, key ArtifactKey, descriptor ArtifactDescriptor, content []byte) (ref Hash, previous *Artifact, err error)
	// Artifact returns what key points to. Errors: ErrArtifactNotFound when nothing was put there or it was deleted,
	// ErrMissingBlob and ErrCorrupt when its content is damaged.
	Artifact(ctx context.Context, key ArtifactKey) (Artifact, error)
	// Artifacts lists a namespace by key, without contents.
	Artifacts(ctx context.Context, namespace string) ([]Artifact, error)
	// DeleteArtifact removes the key and reports whether it was there. Safe to repeat.
	DeleteArtifact(ctx context.Context, key ArtifactKey) (bool, error)
}

// KeyDiff tells two JSON objects apart by their members' names, each list sorted.
type KeyDiff struct {
	Added, Removed, Changed []string
}

func jsonObject(field string, value json.RawMessage) (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(value, &members); err != nil {
		return nil, &InvalidError{Field: field, Reason: err.Error()}
	}
	if members == nil {
		return nil, &InvalidError{Field: field, Reason: "null is no object"}
	}
	return members, nil
}

// DiffManifests compares two manifests that are JSON objects, by member. A nil previous is the first installation: the
// difference is empty.
func DiffManifests(previous, next json.RawMessage) (KeyDiff, error) {
	var diff KeyDiff
	after, err := jsonObject("manifest", next)
	if err != nil || previous == nil {
		return diff, err
	}
	before, err := jsonObject("previous manifest", previous)
	if err != nil {
		return diff, err
	}
	for key, value := range after {
		if old, known := before[key]; !known {
			diff.Added = append(diff.Added, key)
		} else if !EqualJSON(old, value) {
			diff.Changed = append(diff.Changed, key)
		}
	}
	for key := range before {
		if _, kept := after[key]; !kept {
			diff.Removed = append(diff.Removed, key)
		}
	}
	slices.Sort(diff.Added)
	slices.Sort(diff.Removed)
	slices.Sort(diff.Changed)
	return diff, nil
}
