package lashstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Names of checkpoint parts that the field knows. A host may use others: lower-case letters, digits and underscores.
const (
	PartNameToolState      = "tool_state"
	PartNamePluginSnapshot = "plugin_snapshot"
	PartNameExecutionState = "execution_state"
)

// MaxCheckpointParts is how many parts a checkpoint may have.
const MaxCheckpointParts = 256

// Checkpoint is the resumable state a commit leaves: the turn state and named parts. It is the whole state: a part that
// is not listed is absent afterwards. To keep one without sending it again, carry it by reference.
type Checkpoint struct {
	// TurnState is opaque JSON, returned byte for byte but for white space around it; nil is stored as null.
	TurnState json.RawMessage
	Parts     map[string]Part
}

// Part is one part of a checkpoint, given as content or carried by reference, never both.
type Part struct {
	// Content is stored as a blob; nil when the part is carried. Empty content is content.
	Content []byte
	// Ref carries a blob that is stored already. The commit checks that it is.
	Ref Hash
	// Descriptor describes Content. The zero value takes the well-known one of the part's name, else CheckpointPart.
	Descriptor ArtifactDescriptor
	// Fingerprint is the writer's own mark of this state, such as a plugin's revision; returned as given.
	Fingerprint uint64
}

// PartContent is a part given as content.
func PartContent(content []byte) Part {
	if content == nil {
		content = []byte{}
	}
	return Part{Content: content}
}

// PartRef is a part carried by reference.
func PartRef(ref Hash) Part { return Part{Ref: ref} }

// Hash returns the hash of the part's content.
func (p Part) Hash() Hash {
	if p.Content != nil {
		return HashOf(p.Content)
	}
	return p.Ref
}

// DescriptorFor returns how the part called name is stored.
func (p Part) DescriptorFor(name string) ArtifactDescriptor {
	if p.Descriptor.Kind != "" {
		return p.Descriptor
	}
	if d, known := partDescriptorsByName[name]; known {
		return d
	}
	return CheckpointPart
}

func (c *Checkpoint) validate() error {
	if c == nil {
		return nil
	}
	if err := validateOptionalJSON("checkpoint.turn_state", c.TurnState); err != nil {
		return err
	}
	if len(c.Parts) > MaxCheckpointParts {
		return &TooLargeError{Field: "checkpoint.parts", Size: int64(len(c.Parts)), Max: MaxCheckpointParts}
	}
	for name, p := range c.Parts {
		field := fmt.Sprintf("checkpoint.parts[%s]", name)
		if err := validateName(field, name); err != nil {
			return err
		}
		if err := p.Descriptor.Validate(field); err != nil {
			return err
		}
		if (p.Content != nil) == !p.Ref.IsZero() {
			return &InvalidError{Field: field, Reason: "must be given either as content or by reference"}
		}
		if len(p.Content) > MaxValueSize {
			return &TooLargeError{Field: field, Size: int64(len(p.Content)), Max: MaxValueSize}
		}
		if p.Fingerprint > maxInteger {
			return &InvalidError{Field: field + ".fingerprint", Reason: "beyond 2^53"}
		}
	}
	return nil
}

// PartNames returns the names of the parts, sorted.
func (c *Checkpoint) PartNames() []string { return slices.Sorted(maps.Keys(c.Parts)) }

// CheckpointVersion is the version of the manifest record that this build writes, and the only one it reads.
const CheckpointVersion = 1

// Manifest is the record that a checkpoint is: its hash is the checkpoint's reference, and the parts it names are
// blobs of their own, so that what does not change between turns is stored once.
type Manifest struct {
	TurnState json.RawMessage
	Parts     []ManifestPart // by name
}

// ManifestPart names one part. What kind of blob it is is the blob's affair: the same state is the same record, however
// its parts came.
type ManifestPart struct {
	Name        string `json:"name"`
	Hash        Hash   `json:"hash"`
	Size        int64  `json:"size"` // plain, bytes
	Fingerprint uint64 `json:"fingerprint,omitempty"`
}

// Encode writes the record: a JSON object with schema_version, turn_state (byte for byte as given) and parts.
func (m Manifest) Encode() ([]byte, error) {
	parts := m.Parts
	if parts == nil {
		parts = []ManifestPart{}
	}
	list, err := json.Marshal(parts)
	if err != nil {
		return nil, fmt.Errorf("encode checkpoint parts: %w", err)
	}
	state := m.TurnState
	if state == nil {
		state = json.RawMessage("null")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"schema_version":%d,"turn_state":`, CheckpointVersion)
	b.Write(state)
	b.WriteString(`,"parts":`)
	b.Write(list)
	b.WriteByte('}')
	return b.Bytes(), nil
}

// DecodeManifest reads what Encode wrote. The version is judged before anything else. Errors: RecordVersionError, or
// a CorruptError for what is no manifest.
func DecodeManifest(record []byte) (Manifest, error) {
	if err := CheckRecordVersion("checkpoint", record, CheckpointVersion); err != nil {
		return Manifest{}, err
	}
	var wire struct {
		TurnState json.RawMessage `json:"turn_state"`
		Parts     []ManifestPart  `json:"parts"`
	}
	if err := json.Unmarshal(record, &wire); err != nil {
		return Manifest{}, &CorruptError{What: "checkpoint", Key: HashOf(record).Short(), Reason: err.Error()}
	}
	return Manifest{TurnState: wire.TurnState, Parts: wire.Parts}, nil
}

// CheckRecordVersion judges the schema_version of a JSON record before its other fields are looked at. It tells a
// record without version, with one that is no whole number, and with another than supported apart.
func CheckRecordVersion(name string, record []byte, supported int) error {
	var versioned struct {
		Version json.RawMessage `json:"schema_version"`
	}
	if err := json.Unmarshal(record, &versioned); err != nil {
		return &CorruptError{What: name, Key: HashOf(record).Short(), Reason: err.Error()}
	}
	problem := RecordVersionProblem("")
	var version uint32
	switch {
	case versioned.Version == nil:
		problem = VersionMissing
	case json.Unmarshal(versioned.Version, &version) != nil || string(versioned.Version) == "null":
		problem = VersionInvalid
	case int(version) != supported:
		problem = VersionUnsupported
	default:
		return nil
	}
	return &RecordVersionError{Record: name, Problem: problem, Found: string(versioned.Version), Supported: supported}
}

// StoredCheckpoint is a checkpoint as a load returns it.
type StoredCheckpoint struct {
	Ref       Hash // of the manifest
	TurnState json.RawMessage
	Parts     map[string]StoredPart
}

// StoredPart is a part as it is stored.
type StoredPart struct {
	Ref         Hash
	Kind        BlobKind
	Size        int64  // plain, bytes
	Content     []byte // nil when the load left contents out
	Fingerprint uint64
}

// Carry returns a Checkpoint that keeps s as it is: every part by reference. Change what the turn changed.
func (s *StoredCheckpoint) Carry() *Checkpoint {
	if s == nil {
		return nil
	}
	c := &Checkpoint{TurnState: s.TurnState, Parts: make(map[string]Part, len(s.Parts))}
	for name, p := range s.Parts {
		c.Parts[name] = Part{Ref: p.Ref, Fingerprint: p.Fingerprint}
	}
	return c
}
