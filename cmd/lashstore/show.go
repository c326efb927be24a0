package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func (a *app) showCommand() *cobra.Command {
	var full bool
	var at revisionFlag
	c := &cobra.Command{
		Use:   "show SESSION",
		Short: "Show a conversation for reading, as it is or as a revision left it",
		Long: "Show a conversation for reading, as it is or, with --at, as a revision left it: its path and checkpoint. Model, config and\n" +
			"usage are as of now; title, turns and tokens are not told of then.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.each(c.Context(), args, store.OpenReadOnly, func(s *store.Store, _ target) error {
				return a.show(c.Context(), s, at.value, full)
			})
		},
	}
	c.Flags().Var(&at, "at", "show what this revision left; lashstore log lists them")
	c.Flags().BoolVar(&full, "full", false, "show all of tool results and attachments")
	return c
}

// show shows what can be read: a checkpoint that cannot be is an error behind the conversation, not instead of it. At 0
// is the head.
func (a *app) show(ctx context.Context, s lashstore.SessionStore, at lashstore.Revision, full bool) error {
	meta, err := s.Meta(ctx)
	if err != nil {
		return err
	}
	session, damage := s.Load(ctx, &lashstore.LoadOptions{At: at, WithoutParts: true})
	if damage != nil {
		if session, err = s.Load(ctx, &lashstore.LoadOptions{At: at, WithoutCheckpoint: true}); err != nil {
			return gone(meta.SessionID, err)
		}
		damage = fmt.Errorf("the checkpoint cannot be read: %w", damage)
	}
	if at != 0 {
		session.Summary = summaryThen(session)
	}
	if !a.json {
		return cmp.Or(a.render(meta, session, at != 0, full), damage)
	}
	shown := newJSONConversation(meta, session)
	if damage != nil {
		shown.State = nil
	}
	if at != 0 {
		return cmp.Or(a.emit(jsonThen{jsonConversation: shown}), damage)
	}
	return cmp.Or(a.emit(shown), damage)
}

// summaryThen is what can be told of a revision by its path.
func summaryThen(session *lashstore.Session) lashstore.Summary {
	then := lashstore.Summary{UpdatedAt: session.Summary.UpdatedAt}
	for _, n := range session.Graph.Nodes {
		if n.Kind != lashstore.NodeMessage {
			continue
		}
		then.Messages++
		if n.Role == lashstore.RoleUser {
			then.UserMessages++
		}
	}
	return then
}

func (a *app) render(meta lashstore.SessionMeta, session *lashstore.Session, then, full bool) error {
	width, is := terminal(a.stdout)
	if !is {
		width = 100
	}
	return buffered(a.stdout, func(w *bufio.Writer) error {
		r := renderer{w: w, width: min(width, 120), full: full}
		r.header(meta, session, then)
		for _, n := range session.Graph.Nodes {
			r.node(n)
		}
		return nil
	})
}

// jsonConversation is a whole session as a machine reads it.
type jsonConversation struct {
	jsonSession
	Cwd      string          `json:"cwd,omitempty"`
	Relation jsonRelation    `json:"relation"`
	Extra    json.RawMessage `json:"extra"`
	Config   json.RawMessage `json:"config"`
	Usage    []jsonUsage     `json:"usage"`
	Nodes    []jsonNode      `json:"nodes"`
	// State is null without a checkpoint, and missing when there is one that cannot be read.
	State *json.RawMessage `json:"turn_state,omitempty"`
}

// jsonThen is a session as a revision left it: what that no longer tells is null.
type jsonThen struct {
	jsonConversation
	Title  *string `json:"title"`
	Turns  *int64  `json:"turns"`
	Tokens *int64  `json:"tokens"`
}

type jsonRelation struct {
	Kind            lashstore.RelationKind `json:"kind"`
	ParentSessionID string                 `json:"parent_session_id,omitempty"`
	CausedBy        json.RawMessage        `json:"caused_by,omitempty"`
}

type jsonUsage struct {
	Source string `json:"source"`
	Model  string `json:"model"`
	lashstore.TokenUsage
}

type jsonNode struct {
	ID        string             `json:"id"`
	ParentID  string             `json:"parent_id,omitempty"`
	Kind      lashstore.NodeKind `json:"kind"`
	Role      lashstore.Role     `json:"role,omitempty"`
	FrameID   string             `json:"frame_id,omitempty"`
	CausedBy  json.RawMessage    `json:"caused_by,omitempty"`
	CreatedAt *time.Time         `json:"created_at"`
	Payload   json.RawMessage    `json:"payload"`
}

func newJSONConversation(meta lashstore.SessionMeta, s *lashstore.Session) jsonConversation {
	c := jsonConversation{
		jsonSession: newJSONSession(meta, s.Revision, s.Summary), Cwd: meta.Cwd,
		Relation: jsonRelation{meta.Relation.Kind, meta.Relation.ParentSessionID, meta.Relation.CausedBy},
		Extra:    meta.Extra, Config: s.Config, Usage: []jsonUsage{}, State: new(json.RawMessage),
	}
	if s.Checkpoint != nil {
		c.State = &s.Checkpoint.TurnState
	}
	for _, u := range s.Usage {
		c.Usage = append(c.Usage, jsonUsage{u.Source, u.Model, u.Usage})
	}
	c.Nodes = newJSONNodes(s.Graph.Nodes)
	return c
}

func newJSONNodes(nodes []lashstore.Node) []jsonNode {
	list := []jsonNode{}
	for _, n := range nodes {
		list = append(list, jsonNode{
			n.ID, n.ParentID, n.Kind, n.Role, n.FrameID, n.CausedBy, jsonTime(n.CreatedAt), n.Payload,
		})
	}
	return list
}
