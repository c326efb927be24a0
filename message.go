package lashstore

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Role is who speaks in a message.
type Role string

// The roles that the field uses. A host may use others: lower-case letters, digits and underscores.
const (
	RoleSystem    Role = "system"
	RoleDeveloper Role = "developer"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool"
	RoleEvent     Role = "event"
)

// PartKind is what a part of a message holds.
type PartKind string

// The kinds of parts.
const (
	PartText       PartKind = "text"
	PartReasoning  PartKind = "reasoning"
	PartCode       PartKind = "code"
	PartOutput     PartKind = "output"
	PartError      PartKind = "error"
	PartToolCall   PartKind = "tool_call"
	PartToolResult PartKind = "tool_result"
	PartAttachment PartKind = "attachment"
)

// Message is the typed form of a message node's payload. It is what listings, titles and people read; the store keeps
// the payload itself, byte for byte, and never the other way round.
type Message struct {
	Role  Role          `json:"role"`
	Name  string        `json:"name,omitempty"`
	Parts []MessagePart `json:"parts"`
}

// MessagePart is one part of a message.
type MessagePart struct {
	Kind       PartKind        `json:"kind"`
	Text       string          `json:"text,omitempty"`         // prose, code, output; a tool call's arguments; a tool result's content
	ToolCallID string          `json:"tool_call_id,omitempty"` // tool calls and results
	ToolName   string          `json:"tool_name,omitempty"`    // tool calls and results
	Data       json.RawMessage `json:"data,omitempty"`         // what has no typed form, such as an attachment's source
}

// Payload encodes m for Node.Payload. ParseMessage reads it back.
func (m Message) Payload() (json.RawMessage, error) {
	if m.Parts == nil {
		m.Parts = []MessagePart{}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, &InvalidError{Field: "message", Reason: err.Error()}
	}
	return b, nil
}

// Text returns what a person would read of m: its parts joined by a blank line, without tool calls and results,
// an attachment as "[Attachment]", blank parts dropped.
func (m Message) Text() string {
	var texts []string
	for _, p := range m.Parts {
		text := p.Text
		switch p.Kind {
		case PartToolCall, PartToolResult:
			continue
		case PartAttachment:
			text = "[Attachment]"
		}
		if text = strings.TrimSpace(text); text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "\n\n")
}

// ParseMessage reads the payload of a message node in either of two forms: the one that Payload writes, and the
// chat-completions form (role, content as text, null or a list of parts, tool_calls, tool_call_id, name, and the
// function_call of old). Members that neither form knows are passed over: the payload has them.
func ParseMessage(payload json.RawMessage) (Message, error) {
	var wire struct {
		Role       Role            `json:"role"`
		Name       string          `json:"name"`
		Parts      []MessagePart   `json:"parts"`
		Content    json.RawMessage `json:"content"`
		ToolCallID string          `json:"tool_call_id"`
		ToolCalls  []chatToolCall  `json:"tool_calls"`
		Function   json.RawMessage `json:"function_call"`
	}
	if err := json.Unmarshal(payload, &wire); err != nil {
		return Message{}, &InvalidError{Field: "message", Reason: err.Error()}
	}
	m := Message{Role: wire.Role, Name: wire.Name, Parts: wire.Parts}
	if wire.Parts != nil {
		return m, nil
	}
	content, err := chatContent(wire.Content)
	if err != nil {
		return Message{}, err
	}
	if wire.ToolCallID != "" {
		result := MessagePart{Kind: PartToolResult, ToolCallID: wire.ToolCallID, ToolName: wire.Name}
		result.Text = Message{Parts: content}.Text()
		content = []MessagePart{result}
	}
	m.Parts = content
	for _, call := range wire.ToolCalls {
		m.Parts = append(m.Parts, call.part())
	}
	if len(wire.Function) > 0 && string(wire.Function) != "null" {
		m.Parts = append(m.Parts, functionCall(wire.Function))
	}
	return m, nil
}

// functionCall reads the one call that a message could make before there were tool calls. It has no id.
func functionCall(raw json.RawMessage) MessagePart {
	var call chatToolCall
	if json.Unmarshal(raw, &call.Function) != nil {
		return MessagePart{Kind: PartToolCall, Text: string(raw)}
	}
	return call.part()
}

type chatToolCall struct {
	ID       string `json:"id"`
	Function struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
	Custom json.RawMessage `json:"custom"` // a call of a tool whose input is free text
}

func (c chatToolCall) part() MessagePart {
	var custom struct {
		Name  string          `json:"name"`
		Input json.RawMessage `json:"input"`
	}
	if c.Custom != nil && json.Unmarshal(c.Custom, &custom) == nil && custom.Name != "" {
		c.Function.Name, c.Function.Arguments = custom.Name, custom.Input
	}
	arguments := string(c.Function.Arguments)
	var text string
	if json.Unmarshal(c.Function.Arguments, &text) == nil { // usually JSON inside a string; some write the object itself
		arguments = text
	}
	return MessagePart{Kind: PartToolCall, ToolCallID: c.ID, ToolName: c.Function.Name, Text: arguments}
}

// chatContent reads the content of a chat-completions message: null, a text, or a list of typed parts.
func chatContent(content json.RawMessage) ([]MessagePart, error) {
	if len(content) == 0 || string(content) == "null" {
		return nil, nil
	}
	var text string
	if json.Unmarshal(content, &text) == nil {
		return []MessagePart{{Kind: PartText, Text: text}}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(content, &list); err != nil {
		return nil, &InvalidError{Field: "message.content", Reason: "neither text, null nor a list of parts"}
	}
	parts := make([]MessagePart, 0, len(list))
	for i, raw := range list {
		var part struct {
			Type    string `json:"type"`
			Text    string `json:"text"`
			Refusal string `json:"refusal"`
		}
		if err := json.Unmarshal(raw, &part); err != nil {
			return nil, &InvalidError{Field: fmt.Sprintf("message.content[%d]", i), Reason: err.Error()}
		}
		switch {
		case part.Type == "text" || part.Type == "input_text" || part.Type == "output_text":
			parts = append(parts, MessagePart{Kind: PartText, Text: part.Text})
		case part.Type == "refusal":
			parts = append(parts, MessagePart{Kind: PartText, Text: part.Refusal})
		default:
			parts = append(parts, MessagePart{Kind: PartAttachment, Data: raw})
		}
	}
	return parts, nil
}

// MaxTitleLength is the longest title, in bytes.
const MaxTitleLength = 200

// Title returns the first line of m's text, cut to MaxTitleLength at a rune boundary. A session's title is that of its
// first user message.
func (m Message) Title() string {
	line, _, _ := strings.Cut(m.Text(), "\n")
	line = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimSpace(line))
	if len(line) <= MaxTitleLength {
		return line
	}
	cut := MaxTitleLength - len("…")
	for cut > 0 && line[cut]&0xc0 == 0x80 {
		cut--
	}
	return line[:cut] + "…"
}
