package lashstore

import (
	"encoding/json"
)

// PortableRecord is one record of a portable stream: exactly one member is set. Records come in the order of the
// members, so that what is named comes before what names it; the pieces of a blob come right behind it. Times are whole
// milliseconds since 1970; 0 where a member may be left out is none.
type PortableRecord struct {
	Session  *PortableSession  `json:"session,omitzero"`  // the first record, once
	Blob     *PortableBlob     `json:"blob,omitzero"`     // by the order of their making
	Piece    *PortablePiece    `json:"piece,omitzero"`    // of the blob before
	Node     *PortableNode     `json:"node,omitzero"`     // parents first
	Frame    *PortableFrame    `json:"frame,omitzero"`    // in the order they were opened
	Artifact *PortableArtifact `json:"artifact,omitzero"` // by namespace and key
	Revision *PortableRevision `json:"revision,omitzero"` // oldest first
	Branch   *PortableBranch   `json:"branch,omitzero"`   // by name
	Usage    *PortableUsage    `json:"usage,omitzero"`    // by revision and ordinal
	Total    *PortableTotal    `json:"total,omitzero"`    // in the order of first appearance
	Entry    *PortableEntry    `json:"entry,omitzero"`    // in the order of the line
	Head     *PortableHead     `json:"head,omitzero"`     // the last record, once
}

// PortableSession is a session's description and configuration.
type PortableSession struct {
	Name            string          `json:"name"`
	Model           string          `json:"model,omitzero"`
	Cwd             string          `json:"cwd,omitzero"`
	Relation        RelationKind    `json:"relation"`
	ParentSessionID string          `json:"parent_session_id,omitzero"`
	RelationCause   json.RawMessage `json:"relation_cause,omitzero"`
	Extra           json.RawMessage `json:"extra,omitzero"`
	CreatedAtMS     int64           `json:"created_at_ms"`
	KeepRevisions   int64           `json:"keep_revisions"`
	KeptFrom        Revision        `json:"kept_from,omitzero"` // earlier ones are gone, but for pinned ones; 0 is from the first on
	Config          json.RawMessage `json:"config"`
}

// PortableBlob begins a blob. Its content follows in pieces.
type PortableBlob struct {
	Hash        Hash     `json:"hash"` // of the content
	Kind        BlobKind `json:"kind"`
	Size        int64    `json:"size"`                // bytes
	Compressed  bool     `json:"compressed,omitzero"` // it was worth compressing; the content here is plain
	Revision    Revision `json:"revision,omitzero"`   // the head's when it was last put
	CreatedAtMS int64    `json:"created_at_ms"`
}

// PortablePiece is a part of a blob's content. All but the last have MaxPortablePiece bytes.
type PortablePiece struct {
	Data []byte `json:"data"` // in base64
}

// PortableNode is a node, tombstoned or not.
type PortableNode struct {
	ID                 string          `json:"id"`
	ParentID           string          `json:"parent_id,omitzero"`
	Kind               NodeKind        `json:"kind"`
	Role               Role            `json:"role,omitzero"`
	FrameID            string          `json:"frame_id,omitzero"`
	Revision           Revision        `json:"revision"`
	CreatedAtMS        int64           `json:"created_at_ms"`
	TombstonedAtMS     *int64          `json:"tombstoned_at_ms,omitzero"`
	TombstonedRevision *Revision       `json:"tombstoned_revision,omitzero"`
	CausedBy           json.RawMessage `json:"caused_by,omitzero"`
	Payload            json.RawMessage `json:"payload"`
}

// PortableFrame is a frame. Which one is current is said by the head.
type PortableFrame struct {
	ID             string          `json:"id"`
	PreviousID     string          `json:"previous_id,omitzero"`
	Reason         string          `json:"reason"`
	CreatedAtMS    int64           `json:"created_at_ms"`
	CausedBy       json.RawMessage `json:"caused_by,omitzero"`
	Assignment     json.RawMessage `json:"assignment,omitzero"`
	Options        json.RawMessage `json:"options,omitzero"`
	ExecutionState Hash            `json:"execution_state,omitzero"`
}

// PortableArtifact is a key and the blob that it points to.
type PortableArtifact struct {
	Namespace   string `json:"namespace"`
	Key         string `json:"key"`
	Ref         Hash   `json:"ref"`
	UpdatedAtMS int64  `json:"updated_at_ms"`
}

// PortableRevision is a line of the log. Of one that is no longer loadable, leaf and checkpoint may be gone.
type PortableRevision struct {
	Revision       Revision   `json:"revision"`
	Movement       Movement   `json:"movement"`
	Source         Revision   `json:"source,omitzero"`
	Leaf           string     `json:"leaf,omitzero"`
	Checkpoint     Hash       `json:"checkpoint,omitzero"`
	CurrentFrameID string     `json:"current_frame_id,omitzero"`
	TurnID         string     `json:"turn_id,omitzero"`
	TurnHash       Hash       `json:"turn_hash,omitzero"` // of a turn that is still remembered
	Outbox         []string   `json:"outbox,omitzero"`
	Usage          TokenUsage `json:"usage"`
	CommittedAtMS  int64      `json:"committed_at_ms"`
	PinnedAtMS     *int64     `json:"pinned_at_ms,omitzero"`
}

// PortableBranch is a name for a live node.
type PortableBranch struct {
	Name      string `json:"name"`
	Leaf      string `json:"leaf"`
	NamedAtMS int64  `json:"named_at_ms"`
}

// PortableUsage is one delta of what was spent.
type PortableUsage struct {
	Revision     Revision   `json:"revision"`
	Ordinal      int64      `json:"ordinal"`
	TurnID       string     `json:"turn_id,omitzero"`
	Source       string     `json:"source"`
	Model        string     `json:"model"`
	Usage        TokenUsage `json:"usage"`
	RecordedAtMS int64      `json:"recorded_at_ms"`
}

// PortableTotal is the sum of all deltas of one source and model.
type PortableTotal struct {
	Source string     `json:"source"`
	Model  string     `json:"model"`
	Usage  TokenUsage `json:"usage"`
}

// PortableEntry is a batch of work, or input, in the line. What was claimed is waiting here.
type PortableEntry struct {
	Seq          int64           `json:"seq"` // place in the line
	ID           string          `json:"id"`
	SourceKey    string          `json:"source_key,omitzero"`
	State        EntryState      `json:"state"`
	ContentHash  Hash            `json:"content_hash"` // of what was submitted
	Attempts     int64           `json:"attempts,omitzero"`
	NotBeforeMS  *int64          `json:"not_before_ms,omitzero"`
	EnqueuedAtMS int64           `json:"enqueued_at_ms"`
	SettledAtMS  *int64          `json:"settled_at_ms,omitzero"`
	Work         *PortableWork   `json:"work,omitzero"`  // either this
	Input        *PortableSubmit `json:"input,omitzero"` // or this
}

// PortableWork is what a batch is. Once settled it has no items.
type PortableWork struct {
	Class    WorkClass      `json:"class"`
	Delivery WorkDelivery   `json:"delivery"`
	Slot     WorkSlot       `json:"slot"`
	MergeKey string         `json:"merge_key,omitzero"`
	Items    []PortableItem `json:"items,omitzero"`
}

// PortableItem is one piece of a batch.
type PortableItem struct {
	Kind    string          `json:"kind"`
	Payload json.RawMessage `json:"payload"`
}

// PortableSubmit is what a user submitted, and where it will come in.
type PortableSubmit struct {
	TurnID   string          `json:"turn_id,omitzero"`
	Boundary TurnBoundary    `json:"boundary,omitzero"`
	Input    json.RawMessage `json:"input"`
}

// PortableHead is where the session stands.
type PortableHead struct {
	Revision       Revision `json:"revision"`
	Leaf           string   `json:"leaf,omitzero"`
	Checkpoint     Hash     `json:"checkpoint,omitzero"`
	CurrentFrameID string   `json:"current_frame_id,omitzero"`
	Title          string   `json:"title,omitzero"`
	Turns          int64    `json:"turns"`
	Messages       int64    `json:"messages"`
	UserMessages   int64    `json:"user_messages"`
	Tokens         int64    `json:"tokens"`
	UpdatedAtMS    int64    `json:"updated_at_ms,omitzero"`
	// LeaseGeneration is that of the last lease, which nobody holds here; LastSeq the last place in the line that was
	// given out.
	LeaseGeneration int64 `json:"lease_generation"`
	LastSeq         int64 `json:"last_seq"`
}
