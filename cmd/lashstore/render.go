package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/lashstore/lashstore"
)

// renderer writes a conversation for people. Nothing that is stored reaches the terminal as it is: every text goes
// through visible or oneLine. The writer keeps its error for the flush.
type renderer struct {
	w     *bufio.Writer
	width int
	full  bool
	wrote bool // something of the node at hand
}

// shortResult is how much of a tool result or an attachment is shown, in columns.
const shortResult = 400

// header says what the session is; then, what a revision left of it.
func (r *renderer) header(meta lashstore.SessionMeta, s *lashstore.Session, then bool) {
	fmt.Fprintln(r.w, oneLine(meta.SessionID))
	fields := [][2]string{
		{"title", s.Summary.Title}, {"model", meta.Model}, {"cwd", meta.Cwd}, {"parent", meta.Relation.ParentSessionID},
		{"turns", fmt.Sprintf("%d, %s, revision %d", s.Summary.Turns, plural(s.Summary.Messages, "message"), s.Revision)},
		{"tokens", number(s.Summary.Tokens)},
		{"created", moment(meta.CreatedAt)}, {"updated", moment(s.Summary.UpdatedAt)},
		{"extra", compact(meta.Extra)},
	}
	if then {
		fields[4] = [2]string{"as of", fmt.Sprintf("revision %d, %s", s.Revision, plural(s.Summary.Messages, "message"))}
		fields[5] = [2]string{}
	}
	if meta.Name != meta.SessionID {
		fields = append([][2]string{{"name", meta.Name}}, fields...)
	}
	for _, f := range fields {
		if f[1] != "" {
			fmt.Fprintf(r.w, "  %-8s %s\n", f[0], r.shorten(oneLine(f[1])))
		}
	}
}

func (r *renderer) node(n lashstore.Node) {
	if n.Kind != lashstore.NodeMessage {
		r.rule(string(n.Kind), n.ID)
		r.text(r.shorten(compact(n.Payload)))
		return
	}
	m, err := lashstore.ParseMessage(n.Payload)
	if err != nil { // it has a form of its own
		r.rule(string(n.Role), n.ID)
		r.text(r.shorten(compact(n.Payload)))
		return
	}
	speaker := string(n.Role)
	if m.Name != "" {
		speaker += " " + m.Name
	}
	r.rule(speaker, n.ID)
	for _, p := range m.Parts {
		r.part(p)
	}
	r.others(n.Payload)
	if !r.wrote {
		r.line("(empty)")
	}
}

// The members of a message that its typed form shows, in its two forms.
var (
	typedMembers = []string{"role", "name", "parts"}
	chatMembers  = []string{"role", "name", "content", "tool_calls", "tool_call_id", "function_call"}
)

// others shows the members of a message that its typed form does not know, in their order, save for empty ones.
func (r *renderer) others(payload json.RawMessage) {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil {
		return
	}
	known := chatMembers
	if members["parts"] != nil {
		known = typedMembers
	}
	for _, name := range memberNames(payload) {
		value := compact(members[name])
		if slices.Contains(known, name) || slices.Contains([]string{"null", `""`, "[]", "{}"}, value) {
			continue
		}
		var text string
		if json.Unmarshal(members[name], &text) == nil {
			value = text
		}
		r.line("[" + name + "]")
		r.text(r.shorten(value))
	}
}

// memberNames are the names of an object's members as they stand.
func memberNames(object json.RawMessage) []string {
	var names []string
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := d.ReadToken(); err != nil {
		return nil
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			break
		}
		names = append(names, name.String())
		if d.SkipValue() != nil {
			break
		}
	}
	return names
}

func (r *renderer) part(p lashstore.MessagePart) {
	switch p.Kind {
	case lashstore.PartText:
		r.text(p.Text)
	case lashstore.PartToolCall:
		r.line("-> " + p.ToolName + "  " + p.ToolCallID)
		r.text(p.Text)
	case lashstore.PartToolResult:
		r.line("<- " + p.ToolCallID)
		r.text(r.shorten(p.Text))
	case lashstore.PartAttachment:
		r.line("[attachment]")
		r.text(r.shorten(compact(p.Data)))
	default:
		r.line("[" + string(p.Kind) + "]")
		r.text(p.Text)
	}
}

// rule begins a message.
func (r *renderer) rule(speaker, id string) {
	title := "-- " + oneLine(speaker) + " "
	id = " " + oneLine(id)
	dashes := max(r.width-width(title)-width(id), 3)
	r.wrote = false
	fmt.Fprintf(r.w, "\n%s%s%s\n", title, strings.Repeat("-", dashes), id)
}

func (r *renderer) line(text string) {
	r.wrote = true
	fmt.Fprintln(r.w, "  "+strings.TrimSpace(oneLine(text)))
}

func (r *renderer) text(text string) {
	if text = strings.ReplaceAll(text, "\r\n", "\n"); strings.TrimSpace(text) != "" {
		r.wrote = true
		fmt.Fprint(r.w, wrap(visible(text), "  ", r.width))
	}
}

func (r *renderer) shorten(text string) string {
	if r.full || width(text) <= shortResult {
		return text
	}
	short := shorten(text, shortResult)
	more := utf8.RuneCountInString(text) - utf8.RuneCountInString(strings.TrimSuffix(short, ellipsis))
	return short + fmt.Sprintf(" (%d more characters, --full shows them)", more)
}

// compact is JSON on one line; "" for none.
func compact(value json.RawMessage) string {
	if value == nil {
		return ""
	}
	var b bytes.Buffer
	if json.Compact(&b, value) != nil {
		return string(value)
	}
	return b.String()
}
