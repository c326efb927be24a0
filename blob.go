package lashstore

import (
	"context"
	"fmt"
	"io"
)

// BlobKind says what a blob holds. A host may use others: lower-case letters, digits and underscores.
type BlobKind string

// The kinds of blobs that the store itself writes or knows by name.
const (
	BlobGeneric            BlobKind = "generic"
	BlobCheckpointManifest BlobKind = "checkpoint_manifest"
	BlobCheckpointPart     BlobKind = "checkpoint_part"
	BlobToolState          BlobKind = "tool_state"
	BlobPluginSnapshot     BlobKind = "plugin_snapshot"
	BlobExecutionState     BlobKind = "execution_state"
	BlobModule             BlobKind = "module"
	BlobProcessEnv         BlobKind = "process_env"
)

// BlobHints tell the store how to treat a blob.
type BlobHints uint8

// The hints. Only HintCompressible changes what the store does today.
const (
	HintCompressible BlobHints = 1 << iota
	HintInlinePreferred
	HintLargePayload
)

// ArtifactDescriptor describes content that is to become a blob. The zero value is a generic, incompressible one.
type ArtifactDescriptor struct {
	Kind  BlobKind
	Hints BlobHints
}

// The descriptors that go with the kinds.
var (
	GenericBlob           = ArtifactDescriptor{Kind: BlobGeneric}
	CheckpointManifest    = ArtifactDescriptor{Kind: BlobCheckpointManifest, Hints: HintCompressible}
	CheckpointPart        = ArtifactDescriptor{Kind: BlobCheckpointPart, Hints: HintCompressible}
	ToolState             = ArtifactDescriptor{Kind: BlobToolState, Hints: HintCompressible | HintLargePayload}
	PluginSnapshot        = ArtifactDescriptor{Kind: BlobPluginSnapshot, Hints: HintCompressible | HintLargePayload}
	ExecutionState        = ArtifactDescriptor{Kind: BlobExecutionState, Hints: HintCompressible | HintLargePayload}
	ModuleArtifact        = ArtifactDescriptor{Kind: BlobModule, Hints: HintCompressible | HintLargePayload}
	ProcessEnvironment    = ArtifactDescriptor{Kind: BlobProcessEnv, Hints: HintCompressible}
	partDescriptorsByName = map[string]ArtifactDescriptor{
		PartNameToolState: ToolState, PartNamePluginSnapshot: PluginSnapshot, PartNameExecutionState: ExecutionState,
	}
)

// Validate checks the kind's spelling. The zero descriptor is valid.
func (d ArtifactDescriptor) Validate(field string) error {
	if d.Kind == "" {
		return nil
	}
	return validateName(field+".kind", string(d.Kind))
}

// OrGeneric returns d with its kind, BlobGeneric when it has none.
func (d ArtifactDescriptor) OrGeneric() ArtifactDescriptor {
	if d.Kind == "" {
		d.Kind = BlobGeneric
	}
	return d
}

// CompressionProfile chooses what is compressed. It never changes a blob's hash: that is over the plain content.
type CompressionProfile string

// The profiles. Only content whose descriptor has HintCompressible is ever compressed, and the compressed form is kept
// only when it is smaller.
const (
	ProfileLowLatency CompressionProfile = "low_latency" // never
	ProfileBalanced   CompressionProfile = "balanced"    // from 4 KiB; the default
	ProfileCompact    CompressionProfile = "compact"     // from 1 KiB
)

// Compresses reports whether content of that description and size (plain, in bytes) is worth trying.
func (p CompressionProfile) Compresses(d ArtifactDescriptor, size int) bool {
	if d.Hints&HintCompressible == 0 {
		return false
	}
	switch p {
	case ProfileLowLatency:
		return false
	case ProfileCompact:
		return size >= 1<<10
	default:
		return size >= 4<<10
	}
}

// Validate accepts the three profiles and "", which stands for the default.
func (p CompressionProfile) Validate() error {
	switch p {
	case "", ProfileLowLatency, ProfileBalanced, ProfileCompact:
		return nil
	}
	return &InvalidError{Field: "profile", Reason: fmt.Sprintf("%q is none of low_latency, balanced, compact", p)}
}

// BlobInfo is what is known of a stored blob without reading it.
type BlobInfo struct {
	Hash       Hash
	Kind       BlobKind
	Codec      string // "raw" or "zstd"
	Size       int64  // plain content, bytes
	StoredSize int64  // as stored, bytes
}

// BlobStore holds content-addressed blobs. What nothing names is garbage: a blob put here is spared until one more
// commit has been made, so that this commit can name it (as a checkpoint part carried by reference, for instance).
type BlobStore interface {
	// PutBlob stores content and returns its hash. The same content again is the same blob, spared anew; the first
	// descriptor stays. Errors: ErrInvalid, ErrTooLarge over MaxValueSize. Safe to repeat.
	PutBlob(ctx context.Context, descriptor ArtifactDescriptor, content []byte) (Hash, error)
	// Blob returns the plain content. It is checked against the hash: damage is ErrCorrupt, absence ErrMissingBlob, that
	// of the zero hash too.
	Blob(ctx context.Context, hash Hash) ([]byte, error)
	// OpenBlob returns the plain content as a stream in bounded memory. It holds no snapshot while the caller reads. The
	// last Read returns ErrCorrupt instead of io.EOF when the content does not match the hash, and any Read ErrMissingBlob
	// when the blob was collected meanwhile. Close it.
	OpenBlob(ctx context.Context, hash Hash) (io.ReadCloser, BlobInfo, error)
}
