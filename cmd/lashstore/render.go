package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/lashstore/lashstore"
)

// renderer writes a conversation for people. Nothing that is stored reaches the terminal as it is: every text goes
// through visible or oneLine. The writer keeps its error for the flush.
type renderer struct {
	w     *bufio.Writer
	width int
	full  bool
}

// shortResult is how much of a tool result or an attachment is shown, in characters.
const shortResult = 400

func (r *renderer) header(meta lashstore.SessionMeta, s *lashstore.Session) {
	fmt.Fprintln(r.w, oneLine(meta.SessionID))
	fields := [][2]string{
		{"title", s.Summary.Title}, {"model", meta.Model}, {"cwd", meta.Cwd}, {"parent", meta.Relation.ParentSessionID},
		{"turns", fmt.Sprintf("%d, %s, revision %d", s.Summary.Turns, plural(s.Summary.Messages, "message"), s.Revision)},
		{"tokens", number(s.Summary.Tokens)},
		{"created", moment(meta.CreatedAt)}, {"updated", moment(s.Summary.UpdatedAt)},
		{"extra", compact(meta.Extra)},
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
	dashes := max(r.width-utf8.RuneCountInString(title)-utf8.RuneCountInString(id), 3)
	fmt.Fprintf(r.w, "\n%s%s%s\n", title, strings.Repeat("-", dashes), id)
}

func (r *renderer) line(text string) {
	fmt.Fprintln(r.w, "  "+strings.TrimSpace(oneLine(text)))
}

func (r *renderer) text(text string) {
	if text = strings.ReplaceAll(text, "\r\n", "\n"); strings.TrimSpace(text) != "" {
		fmt.Fprint(r.w, wrap(visible(text), "  ", r.width))
	}
}

func (r *renderer) shorten(text string) string {
	length := utf8.RuneCountInString(text)
	if r.full || length <= shortResult {
		return text
	}
	return shorten(text, shortResult) + fmt.Sprintf(" (%d more characters, --full shows them)", length-shortResult+1)
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
