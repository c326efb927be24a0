-- The canonical schema of lashstore. Every table, index and view of every kind of database file is here and nowhere
-- else. Each section applies alone to its kind of file; no object is in two sections, and none refers across.
--
-- Everywhere: tables are STRICT and their constraints named; times are whole milliseconds since 1970 (*_at_ms);
-- hashes are 32 bytes of BLAKE3 over plain content; JSON is text that json_valid accepts. An auditor starts with the
-- views at the end of each section.

-- @database session
-- One file, one session. Owner of every table: package store.

-- sessions: who this file belongs to. One row, written when the file is created and never replaced.
--   database_id is random: it tells a file from one that was deleted and made anew under the same name.
--   deleted_at_ms is set, for ever, by the deletion of the session, so that handles still open on the file learn of it.
--   keep_revisions is how many of the last revisions stay loadable, the head among them; of those before kept_from, which
--   were gone when it was last said, none but the pinned ones.
--   Columns from name on are the session's description; config is the runtime's, opaque here.
CREATE TABLE sessions (
  singleton         INTEGER NOT NULL CONSTRAINT sessions_primary_key PRIMARY KEY
                    CONSTRAINT sessions_has_one_row CHECK (singleton = 1),
  kind              TEXT    NOT NULL CONSTRAINT sessions_kind_is_session CHECK (kind = 'session'),
  database_id       TEXT    NOT NULL CONSTRAINT sessions_database_id_is_set CHECK (length(database_id) >= 16),
  session_id        TEXT    NOT NULL CONSTRAINT sessions_session_id_is_set CHECK (length(session_id) > 0),
  created_at_ms     INTEGER NOT NULL CONSTRAINT sessions_created_after_1970 CHECK (created_at_ms >= 0),
  deleted_at_ms     INTEGER CONSTRAINT sessions_deleted_after_1970 CHECK (deleted_at_ms >= 0),
  keep_revisions    INTEGER NOT NULL CONSTRAINT sessions_keep_revisions_is_natural CHECK (keep_revisions >= 0),
  kept_from         INTEGER NOT NULL CONSTRAINT sessions_kept_from_is_positive CHECK (kept_from > 0),
  name              TEXT    NOT NULL,
  model             TEXT    NOT NULL,
  cwd               TEXT    NOT NULL,
  relation_kind     TEXT    NOT NULL CONSTRAINT sessions_relation_is_known CHECK (relation_kind IN ('root', 'child')),
  parent_session_id TEXT,
  relation_cause    TEXT    CONSTRAINT sessions_relation_cause_is_json CHECK (json_valid(relation_cause)),
  extra             TEXT    CONSTRAINT sessions_extra_is_json CHECK (json_valid(extra)),
  config            TEXT    NOT NULL CONSTRAINT sessions_config_is_json CHECK (json_valid(config)),
  CONSTRAINT sessions_child_has_parent CHECK ((relation_kind = 'child') = (parent_session_id IS NOT NULL))
) STRICT;

-- blobs: content by its hash. A row is immutable but for revision.
--   content is encoded by codec; size is that of the plain content. Every read is checked against hash.
--   revision is the head's when the blob was last put: garbage that is not older than the head is spared, so that the
--   commit that will name it finds it.
--   A rowid table, so that content can be read as a stream. Written before what names it, deleted by the garbage
--   collection when nothing does; foreign keys hold both.
CREATE TABLE blobs (
  blob_id       INTEGER NOT NULL CONSTRAINT blobs_primary_key PRIMARY KEY,
  hash          BLOB    NOT NULL CONSTRAINT blobs_hash_is_unique UNIQUE
                CONSTRAINT blobs_hash_is_32_bytes CHECK (length(hash) = 32),
  kind          TEXT    NOT NULL,
  codec         TEXT    NOT NULL CONSTRAINT blobs_codec_is_known CHECK (codec IN ('raw', 'zstd')),
  size          INTEGER NOT NULL CONSTRAINT blobs_size_is_natural CHECK (size >= 0),
  revision      INTEGER NOT NULL CONSTRAINT blobs_revision_is_natural CHECK (revision >= 0),
  created_at_ms INTEGER NOT NULL CONSTRAINT blobs_created_after_1970 CHECK (created_at_ms >= 0),
  content       BLOB    NOT NULL
) STRICT;

-- nodes: the conversation graph, a forest. A row is immutable but for its tombstone.
--   seq is the order of insertion. A parent is always older, so that no cycle can be stored and every walk ends.
--   A live node has a live parent: a tombstone takes the whole subtree. Tombstoned rows go with the vacuum, when no
--   revision that is kept still had them: those from revision on and before tombstoned_revision.
--   payload comes last: walks read the columns before it without touching it.
CREATE TABLE nodes (
  seq              INTEGER NOT NULL CONSTRAINT nodes_primary_key PRIMARY KEY,
  parent_seq       INTEGER CONSTRAINT nodes_parent_exists REFERENCES nodes (seq),
  tombstoned_at_ms INTEGER CONSTRAINT nodes_tombstoned_after_1970 CHECK (tombstoned_at_ms >= 0),
  node_id          TEXT    NOT NULL CONSTRAINT nodes_node_id_is_unique UNIQUE,
  kind             TEXT    NOT NULL CONSTRAINT nodes_kind_is_known CHECK (kind IN ('message', 'protocol', 'plugin')),
  role             TEXT,
  frame_id         TEXT,
  revision         INTEGER NOT NULL CONSTRAINT nodes_revision_is_positive CHECK (revision > 0),
  tombstoned_revision INTEGER,
  created_at_ms    INTEGER NOT NULL CONSTRAINT nodes_created_after_1970 CHECK (created_at_ms >= 0),
  caused_by        TEXT    CONSTRAINT nodes_caused_by_is_json CHECK (json_valid(caused_by)),
  payload          TEXT    NOT NULL CONSTRAINT nodes_payload_is_json CHECK (json_valid(payload)),
  CONSTRAINT nodes_parent_is_older CHECK (parent_seq < seq),
  CONSTRAINT nodes_messages_have_a_role CHECK ((kind = 'message') = (role IS NOT NULL)),
  CONSTRAINT nodes_tombstone_is_whole CHECK ((tombstoned_at_ms IS NULL) = (tombstoned_revision IS NULL))
) STRICT;

CREATE INDEX nodes_by_parent ON nodes (parent_seq);
CREATE INDEX nodes_by_tombstone ON nodes (tombstoned_at_ms, seq DESC) WHERE tombstoned_at_ms IS NOT NULL;

-- frames: stretches of the session under one assignment, in the order they were opened. Where a frame comes from never
-- changes; assignment, options and execution state may. The current one is named by heads.
CREATE TABLE frames (
  seq                  INTEGER NOT NULL CONSTRAINT frames_primary_key PRIMARY KEY,
  frame_id             TEXT    NOT NULL CONSTRAINT frames_frame_id_is_unique UNIQUE,
  previous_id          TEXT    CONSTRAINT frames_previous_exists REFERENCES frames (frame_id),
  reason               TEXT    NOT NULL,
  caused_by            TEXT    CONSTRAINT frames_caused_by_is_json CHECK (json_valid(caused_by)),
  created_at_ms        INTEGER NOT NULL CONSTRAINT frames_created_after_1970 CHECK (created_at_ms >= 0),
  assignment           TEXT    CONSTRAINT frames_assignment_is_json CHECK (json_valid(assignment)),
  options              TEXT    CONSTRAINT frames_options_is_json CHECK (json_valid(options)),
  execution_state_hash BLOB    CONSTRAINT frames_execution_state_exists REFERENCES blobs (hash)
) STRICT;

CREATE INDEX frames_by_execution_state ON frames (execution_state_hash) WHERE execution_state_hash IS NOT NULL;

-- heads: where the session stands. One row from the start, at revision 0; every commit advances it by one, by
-- compare-and-swap. checkpoint_hash names the manifest blob, whose parts are blobs too. From title on: the summary that
-- lists show, kept by the commits.
CREATE TABLE heads (
  singleton        INTEGER NOT NULL CONSTRAINT heads_primary_key PRIMARY KEY
                   CONSTRAINT heads_has_one_row CHECK (singleton = 1),
  revision         INTEGER NOT NULL CONSTRAINT heads_revision_is_natural CHECK (revision >= 0),
  leaf_seq         INTEGER CONSTRAINT heads_leaf_exists REFERENCES nodes (seq),
  checkpoint_hash  BLOB    CONSTRAINT heads_checkpoint_exists REFERENCES blobs (hash),
  current_frame_id TEXT    CONSTRAINT heads_current_frame_exists REFERENCES frames (frame_id),
  title            TEXT    NOT NULL,
  turns            INTEGER NOT NULL CONSTRAINT heads_turns_is_natural CHECK (turns >= 0),
  messages         INTEGER NOT NULL CONSTRAINT heads_messages_is_natural CHECK (messages >= 0),
  user_messages    INTEGER NOT NULL CONSTRAINT heads_user_messages_is_natural CHECK (user_messages >= 0),
  tokens           INTEGER NOT NULL CONSTRAINT heads_tokens_is_natural CHECK (tokens >= 0),
  updated_at_ms    INTEGER NOT NULL CONSTRAINT heads_updated_after_1970 CHECK (updated_at_ms >= 0)
) STRICT;

-- revisions: what each commit left: where the head stood, the state to go on from, what was spent. A line of a log, and
-- for as long as it is kept (the head, the last sessions.keep_revisions, the pinned) also loadable; see
-- lashstore.KeepsRevision.
--   A commit with a turn leaves a receipt: turn_id, turn_hash, and in outbox the ids of the batches that it left behind,
--   NULL when there are none. A receipt is forgotten, by age, by clearing turn_hash and outbox.
--   checkpoint_hash holds its blob only while the revision is kept; leaf_seq tells only then.
CREATE TABLE revisions (
  revision         INTEGER NOT NULL CONSTRAINT revisions_primary_key PRIMARY KEY
                   CONSTRAINT revisions_revision_is_positive CHECK (revision > 0),
  movement         TEXT    NOT NULL
                   CONSTRAINT revisions_movement_is_known CHECK (movement IN ('commit', 'rewind', 'switch')),
  source_revision  INTEGER,
  leaf_seq         INTEGER,
  checkpoint_hash  BLOB    CONSTRAINT revisions_checkpoint_hash_is_32_bytes CHECK (length(checkpoint_hash) = 32),
  current_frame_id TEXT,
  turn_id          TEXT,
  turn_hash        BLOB    CONSTRAINT revisions_turn_hash_is_32_bytes CHECK (length(turn_hash) = 32),
  outbox           TEXT    CONSTRAINT revisions_outbox_is_json CHECK (json_valid(outbox)),
  input            INTEGER NOT NULL CONSTRAINT revisions_input_is_natural CHECK (input >= 0),
  output           INTEGER NOT NULL CONSTRAINT revisions_output_is_natural CHECK (output >= 0),
  cache_read       INTEGER NOT NULL CONSTRAINT revisions_cache_read_is_natural CHECK (cache_read >= 0),
  cache_write      INTEGER NOT NULL CONSTRAINT revisions_cache_write_is_natural CHECK (cache_write >= 0),
  reasoning_output INTEGER NOT NULL CONSTRAINT revisions_reasoning_is_natural CHECK (reasoning_output >= 0),
  committed_at_ms  INTEGER NOT NULL CONSTRAINT revisions_committed_after_1970 CHECK (committed_at_ms >= 0),
  pinned_at_ms     INTEGER CONSTRAINT revisions_pinned_after_1970 CHECK (pinned_at_ms >= 0),
  CONSTRAINT revisions_rewinds_have_a_source CHECK ((movement = 'rewind') = (source_revision IS NOT NULL)),
  CONSTRAINT revisions_receipts_have_a_turn CHECK (turn_hash IS NULL OR turn_id IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX revisions_by_turn ON revisions (turn_id) WHERE turn_hash IS NOT NULL;
CREATE INDEX revisions_pinned ON revisions (revision) WHERE pinned_at_ms IS NOT NULL;

-- branches: names for leaves. The path to one is not tombstoned.
CREATE TABLE branches (
  name        TEXT    NOT NULL CONSTRAINT branches_primary_key PRIMARY KEY,
  leaf_seq    INTEGER NOT NULL CONSTRAINT branches_leaf_exists REFERENCES nodes (seq),
  named_at_ms INTEGER NOT NULL CONSTRAINT branches_named_after_1970 CHECK (named_at_ms >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX branches_by_leaf ON branches (leaf_seq);

-- usage_deltas: what each commit spent, as it was given. Prunable by age: usage_totals hold the sums.
CREATE TABLE usage_deltas (
  revision         INTEGER NOT NULL,
  ordinal          INTEGER NOT NULL,
  turn_id          TEXT,
  source           TEXT    NOT NULL,
  model            TEXT    NOT NULL,
  input            INTEGER NOT NULL CONSTRAINT usage_deltas_input_is_natural CHECK (input >= 0),
  output           INTEGER NOT NULL CONSTRAINT usage_deltas_output_is_natural CHECK (output >= 0),
  cache_read       INTEGER NOT NULL CONSTRAINT usage_deltas_cache_read_is_natural CHECK (cache_read >= 0),
  cache_write      INTEGER NOT NULL CONSTRAINT usage_deltas_cache_write_is_natural CHECK (cache_write >= 0),
  reasoning_output INTEGER NOT NULL CONSTRAINT usage_deltas_reasoning_is_natural CHECK (reasoning_output >= 0),
  recorded_at_ms   INTEGER NOT NULL CONSTRAINT usage_deltas_recorded_after_1970 CHECK (recorded_at_ms >= 0),
  CONSTRAINT usage_deltas_primary_key PRIMARY KEY (revision, ordinal)
) STRICT, WITHOUT ROWID;

-- usage_totals: the sums of all deltas there ever were, by source and model. ordinal is the order of first appearance.
CREATE TABLE usage_totals (
  source           TEXT    NOT NULL,
  model            TEXT    NOT NULL,
  ordinal          INTEGER NOT NULL,
  input            INTEGER NOT NULL CONSTRAINT usage_totals_input_is_natural CHECK (input >= 0),
  output           INTEGER NOT NULL CONSTRAINT usage_totals_output_is_natural CHECK (output >= 0),
  cache_read       INTEGER NOT NULL CONSTRAINT usage_totals_cache_read_is_natural CHECK (cache_read >= 0),
  cache_write      INTEGER NOT NULL CONSTRAINT usage_totals_cache_write_is_natural CHECK (cache_write >= 0),
  reasoning_output INTEGER NOT NULL CONSTRAINT usage_totals_reasoning_is_natural CHECK (reasoning_output >= 0),
  CONSTRAINT usage_totals_primary_key PRIMARY KEY (source, model)
) STRICT, WITHOUT ROWID;

-- artifacts: named content that lives as long as its key.
CREATE TABLE artifacts (
  namespace     TEXT    NOT NULL,
  artifact_key  TEXT    NOT NULL,
  blob_hash     BLOB    NOT NULL CONSTRAINT artifacts_blob_exists REFERENCES blobs (hash),
  updated_at_ms INTEGER NOT NULL CONSTRAINT artifacts_updated_after_1970 CHECK (updated_at_ms >= 0),
  CONSTRAINT artifacts_primary_key PRIMARY KEY (namespace, artifact_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX artifacts_by_blob ON artifacts (blob_hash);

-- leases: who executes the session. One row from the start, at generation 0. A release clears everything but the
-- generation, which never comes down, and last_seq.
--   last_seq is the last place in the line that was given out: to entries, never twice.
--   token is the holder's secret. The four process columns are set together, for an owner whose death can be proven.
CREATE TABLE leases (
  singleton         INTEGER NOT NULL CONSTRAINT leases_primary_key PRIMARY KEY
                    CONSTRAINT leases_has_one_row CHECK (singleton = 1),
  generation        INTEGER NOT NULL CONSTRAINT leases_generation_is_natural CHECK (generation >= 0),
  last_seq          INTEGER NOT NULL CONSTRAINT leases_last_seq_is_natural CHECK (last_seq >= 0),
  token             TEXT,
  owner_id          TEXT,
  owner_incarnation TEXT,
  owner_host_id     TEXT,
  owner_boot_id     TEXT,
  owner_pid         INTEGER,
  owner_start_time  INTEGER,
  claimed_at_ms     INTEGER CONSTRAINT leases_claimed_after_1970 CHECK (claimed_at_ms >= 0),
  expires_at_ms     INTEGER CONSTRAINT leases_expires_after_1970 CHECK (expires_at_ms >= 0),
  CONSTRAINT leases_is_held_or_free CHECK (
    (token IS NULL) = (owner_id IS NULL) AND (token IS NULL) = (owner_incarnation IS NULL)
    AND (token IS NULL) = (claimed_at_ms IS NULL) AND (token IS NULL) = (expires_at_ms IS NULL)),
  CONSTRAINT leases_process_is_whole CHECK (
    (owner_pid IS NULL) = (owner_host_id IS NULL) AND (owner_pid IS NULL) = (owner_boot_id IS NULL)
    AND (owner_pid IS NULL) = (owner_start_time IS NULL))
) STRICT;

-- entries: what waits in the session's line, and for a while what has left it. Two families: queued work (a batch of
-- items of one class) and pending input of users. Put in once, claimed under a lease, settled by a commit, or cancelled.
--   seq is the place in the line, of both families; see leases.last_seq.
--   state: later (hidden until not_before_ms, then made ready by whoever claims), ready, claimed, completed, cancelled.
--   A claim pins the generation of the lease: a row that is claimed under an earlier one counts as ready, and is made so
--   when the next generation begins.
--   turn_id and boundary are those of input for a running turn, NULL for the next one; a deferral moves them there.
--   content_hash is of what was submitted, never of what has become of it.
--   content is {"kind":..., "payload":...} of each item in a list, or the input as it is. Settled work keeps none, and without a
--   source key leaves no row; settled rows go with the vacuum.
CREATE TABLE entries (
  seq              INTEGER NOT NULL CONSTRAINT entries_primary_key PRIMARY KEY
                   CONSTRAINT entries_seq_is_positive CHECK (seq > 0),
  family           TEXT    NOT NULL CONSTRAINT entries_family_is_known CHECK (family IN ('work', 'input')),
  state            TEXT    NOT NULL
                   CONSTRAINT entries_state_is_known CHECK (state IN ('later', 'ready', 'claimed', 'completed', 'cancelled')),
  turn_id          TEXT,
  boundary         TEXT    CONSTRAINT entries_boundary_is_known CHECK (boundary IN ('after_work', 'before_completion')),
  class            TEXT    CONSTRAINT entries_class_is_known CHECK (class IN ('turn_work', 'session_command')),
  delivery         TEXT
                   CONSTRAINT entries_delivery_is_known CHECK (delivery IN ('earliest_safe_boundary', 'after_current_turn_commit')),
  slot             TEXT    CONSTRAINT entries_slot_is_known CHECK (slot IN ('exclusive', 'join')),
  merge_key        TEXT,
  entry_id         TEXT    NOT NULL,
  source_key       TEXT,
  content_hash     BLOB    NOT NULL CONSTRAINT entries_content_hash_is_32_bytes CHECK (length(content_hash) = 32),
  attempts         INTEGER NOT NULL CONSTRAINT entries_attempts_is_natural CHECK (attempts >= 0),
  not_before_ms    INTEGER CONSTRAINT entries_not_before_after_1970 CHECK (not_before_ms >= 0),
  enqueued_at_ms   INTEGER NOT NULL CONSTRAINT entries_enqueued_after_1970 CHECK (enqueued_at_ms >= 0),
  settled_at_ms    INTEGER CONSTRAINT entries_settled_after_1970 CHECK (settled_at_ms >= 0),
  claim_id         TEXT,
  claim_token      TEXT,
  claim_generation INTEGER,
  content          TEXT    CONSTRAINT entries_content_is_json CHECK (json_valid(content)),
  CONSTRAINT entries_entry_id_is_unique UNIQUE (family, entry_id),
  CONSTRAINT entries_work_has_policies CHECK (
    (family = 'work') = (class IS NOT NULL) AND (family = 'work') = (delivery IS NOT NULL)
    AND (family = 'work') = (slot IS NOT NULL)),
  CONSTRAINT entries_merge_key_joins CHECK (merge_key IS NULL OR slot = 'join'),
  CONSTRAINT entries_commands_run_alone CHECK (
    class IS NULL OR class = 'turn_work' OR (slot = 'exclusive' AND delivery = 'after_current_turn_commit')),
  CONSTRAINT entries_input_has_a_turn_and_boundary CHECK (
    (turn_id IS NULL) = (boundary IS NULL) AND (turn_id IS NULL OR family = 'input')),
  CONSTRAINT entries_later_has_a_time CHECK (state <> 'later' OR not_before_ms IS NOT NULL),
  CONSTRAINT entries_is_claimed_or_free CHECK (
    (state = 'claimed') = (claim_id IS NOT NULL) AND (claim_id IS NULL) = (claim_token IS NULL)
    AND (claim_id IS NULL) = (claim_generation IS NULL)),
  CONSTRAINT entries_is_settled_or_open CHECK ((state IN ('completed', 'cancelled')) = (settled_at_ms IS NOT NULL)),
  CONSTRAINT entries_open_has_content CHECK (content IS NOT NULL OR (family = 'work' AND settled_at_ms IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX entries_by_source_key ON entries (family, source_key) WHERE source_key IS NOT NULL;
CREATE INDEX entries_ready ON entries (family, turn_id, seq) WHERE state = 'ready';
CREATE INDEX entries_later ON entries (not_before_ms) WHERE state = 'later';
CREATE INDEX entries_claimed ON entries (family, seq) WHERE state = 'claimed';
CREATE INDEX entries_settled ON entries (family, settled_at_ms) WHERE settled_at_ms IS NOT NULL;

-- active_path: the conversation that the next turn continues, first message first.
CREATE VIEW active_path AS
WITH RECURSIVE chain (seq, parent_seq, depth) AS (
  SELECT n.seq AS seq, n.parent_seq AS parent_seq, 0 AS depth
  FROM heads AS h JOIN nodes AS n ON n.seq = h.leaf_seq
  UNION ALL
  SELECT p.seq, p.parent_seq, c.depth + 1
  FROM chain AS c JOIN nodes AS p ON p.seq = c.parent_seq AND p.seq < c.seq
)
SELECT CAST(row_number() OVER (ORDER BY n.seq) AS INTEGER) AS position,
       n.seq AS seq, n.node_id AS node_id, n.kind AS kind, n.role AS role, n.revision AS revision,
       CAST(strftime('%Y-%m-%dT%H:%M:%fZ', n.created_at_ms / 1000.0, 'unixepoch') AS TEXT) AS created_at,
       n.payload AS payload
FROM chain AS c JOIN nodes AS n ON n.seq = c.seq
ORDER BY n.seq;

-- conversation: the messages of the active path as a person reads them.
CREATE VIEW conversation AS
SELECT p.position AS position, p.role AS role, p.created_at AS created_at,
       CAST(COALESCE(
         (SELECT group_concat(part.value ->> '$.text', char(10, 10)) FROM json_each(p.payload, '$.parts') AS part),
         p.payload ->> '$.content', '') AS TEXT) AS text,
       CAST(COALESCE(p.payload -> '$.tool_calls', '') AS TEXT) AS tool_calls
FROM active_path AS p
WHERE p.kind = 'message'
ORDER BY p.seq;

-- history: every movement of the head that is remembered, with what it cost. Loadable ones can be gone back to.
CREATE VIEW history AS
SELECT r.revision AS revision, r.movement AS movement, r.source_revision AS source_revision, r.turn_id AS turn_id,
       CAST(strftime('%Y-%m-%dT%H:%M:%fZ', r.committed_at_ms / 1000.0, 'unixepoch') AS TEXT) AS committed_at,
       CAST(r.input + r.output + r.cache_read + r.cache_write AS INTEGER) AS tokens,
       CAST((SELECT count(*) FROM nodes AS n WHERE n.revision = r.revision) AS INTEGER) AS nodes,
       CAST(r.pinned_at_ms IS NOT NULL AS INTEGER) AS pinned,
       CAST(r.pinned_at_ms IS NOT NULL OR r.revision = h.revision OR r.revision > h.revision - s.keep_revisions AND r.revision >= s.kept_from AS INTEGER) AS loadable,
       CAST(lower(COALESCE(hex(r.turn_hash), '')) AS TEXT) AS turn_hash
FROM revisions AS r, heads AS h, sessions AS s
ORDER BY r.revision;

-- token_usage: what was spent, by source and model.
CREATE VIEW token_usage AS
SELECT t.source AS source, t.model AS model, t.input AS input, t.output AS output, t.cache_read AS cache_read,
       t.cache_write AS cache_write, t.reasoning_output AS reasoning_output,
       CAST(t.input + t.output + t.cache_read + t.cache_write AS INTEGER) AS total
FROM usage_totals AS t
ORDER BY t.ordinal;

-- queue: work that waits or is being worked on, head of the line first. What is claimed under a lease that has ended since
-- still says claimed here: compare the generation with leases.
CREATE VIEW queue AS
SELECT e.seq AS seq, e.entry_id AS batch_id, e.state AS state, e.class AS class, e.delivery AS delivery, e.slot AS slot,
       e.merge_key AS merge_key, e.source_key AS source_key, e.attempts AS attempts,
       CAST(strftime('%Y-%m-%dT%H:%M:%fZ', e.enqueued_at_ms / 1000.0, 'unixepoch') AS TEXT) AS enqueued_at,
       CAST(COALESCE(strftime('%Y-%m-%dT%H:%M:%fZ', e.not_before_ms / 1000.0, 'unixepoch'), '') AS TEXT) AS not_before,
       e.claim_id AS claim_id, e.claim_generation AS claim_generation, e.content AS items
FROM entries AS e
WHERE e.family = 'work' AND e.settled_at_ms IS NULL
ORDER BY e.seq;

-- inputs: what users submitted, settled or not, head of the line first.
CREATE VIEW inputs AS
SELECT e.seq AS seq, e.entry_id AS input_id, e.state AS state, e.turn_id AS turn_id, e.boundary AS boundary,
       e.source_key AS source_key, e.attempts AS attempts,
       CAST(strftime('%Y-%m-%dT%H:%M:%fZ', e.enqueued_at_ms / 1000.0, 'unixepoch') AS TEXT) AS enqueued_at,
       e.claim_id AS claim_id, e.claim_generation AS claim_generation, e.content AS input
FROM entries AS e
WHERE e.family = 'input'
ORDER BY e.seq;

-- @database host
-- One file for what the sessions of one place share. It has no tables yet: the process registry brings them.

-- @database catalog
-- One file for what a list of the sessions of one place shows. Owner: package store (catalog.go). It is a cache: all of it
-- was read in the sessions' databases and is read there again when it is missing. It may be deleted at any time.

-- session_files: a session's file as it was when it was last looked into.
--   The marks (inode to wal_mtime_ns) tell whether the file, or its log, has changed since; those of a log are 0 while it
--   is empty or missing, and inode is 0 where files have none.
--   settled is 0 when a change so shortly after could have left the marks as they are: the file is looked into again.
--   error is why a file cannot be read, and "" for all others; then what is not known is empty, and it is looked into
--   each time. search is what a search for text goes by: title and name in lower case.
--   A row is replaced when its file changes and goes when its file does.
CREATE TABLE session_files (
  file_name         TEXT    NOT NULL CONSTRAINT session_files_primary_key PRIMARY KEY,
  inode             INTEGER NOT NULL,
  size              INTEGER NOT NULL,
  mtime_ns          INTEGER NOT NULL,
  wal_inode         INTEGER NOT NULL,
  wal_size          INTEGER NOT NULL,
  wal_mtime_ns      INTEGER NOT NULL,
  settled           INTEGER NOT NULL CONSTRAINT session_files_settled_is_a_flag CHECK (settled IN (0, 1)),
  error             TEXT    NOT NULL,
  session_id        TEXT    NOT NULL,
  name              TEXT    NOT NULL,
  title             TEXT    NOT NULL,
  search            TEXT    NOT NULL,
  model             TEXT    NOT NULL,
  cwd               TEXT    NOT NULL,
  relation_kind     TEXT    NOT NULL,
  parent_session_id TEXT    NOT NULL,
  created_at_ms     INTEGER NOT NULL,
  updated_at_ms     INTEGER NOT NULL,
  revision          INTEGER NOT NULL,
  turns             INTEGER NOT NULL,
  messages          INTEGER NOT NULL,
  user_messages     INTEGER NOT NULL,
  tokens            INTEGER NOT NULL,
  bytes             INTEGER NOT NULL,
  CONSTRAINT session_files_read_or_not CHECK (error <> '' OR session_id <> '')
) STRICT, WITHOUT ROWID;
CREATE INDEX session_files_by_update ON session_files (updated_at_ms DESC, session_id) WHERE error = '';
CREATE INDEX session_files_by_model ON session_files (model, updated_at_ms DESC, session_id) WHERE error = '';
CREATE INDEX session_files_by_parent ON session_files (parent_session_id, updated_at_ms DESC, session_id) WHERE error = '';
