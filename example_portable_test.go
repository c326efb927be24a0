package lashstore_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lashstore/lashstore"
)

func ExampleNewPortableEncoder() {
	var stream bytes.Buffer
	e, err := lashstore.NewPortableEncoder(&stream, "bread")
	if err != nil {
		panic(err)
	}
	for _, r := range []lashstore.PortableRecord{
		{Session: &lashstore.PortableSession{Name: "bread", Relation: lashstore.RelationRoot, Config: json.RawMessage(`{}`)}},
		{Head: &lashstore.PortableHead{}},
	} {
		if err := e.Encode(r); err != nil {
			panic(err)
		}
	}
	if err := e.Close(); err != nil {
		panic(err)
	}
	fmt.Println(strings.Count(stream.String(), "\n"), "lines,", e.Counts().Nodes, "nodes")
	// Output: 4 lines, 0 nodes
}

func ExampleNewPortableDecoder() {
	var stream bytes.Buffer
	e, err := lashstore.NewPortableEncoder(&stream, "bread")
	if err == nil {
		err = e.Encode(lashstore.PortableRecord{Session: &lashstore.PortableSession{
			Name: "Bread for two", Relation: lashstore.RelationRoot, Config: json.RawMessage(`{}`),
		}})
	}
	if err == nil {
		err = e.Encode(lashstore.PortableRecord{Node: &lashstore.PortableNode{
			ID: "n1", Kind: lashstore.NodePlugin, Revision: 1, Payload: json.RawMessage(`{"timer":45}`),
		}})
	}
	if err == nil {
		err = e.Encode(lashstore.PortableRecord{Head: &lashstore.PortableHead{Revision: 1, Leaf: "n1"}})
	}
	if err == nil {
		err = e.Close()
	}
	if err != nil {
		panic(err)
	}

	d, err := lashstore.NewPortableDecoder(bytes.NewReader(stream.Bytes()))
	if err != nil {
		panic(err)
	}
	for {
		r, err := d.Decode()
		if errors.Is(err, io.EOF) { // the whole stream was right
			break
		}
		if err != nil {
			panic(err)
		}
		switch {
		case r.Session != nil:
			fmt.Println(d.SessionID(), "is", r.Session.Meta(d.SessionID()).Name)
		case r.Node != nil:
			fmt.Printf("%s: %s\n", r.Node.Node().ID, r.Node.Payload)
			fmt.Println("a reader's own refusal:", d.Refuse("no timers here", nil))
		}
	}
	fmt.Println(d.Counts().Nodes, "node")

	damaged := bytes.Replace(stream.Bytes(), []byte("45"), []byte("54"), 1)
	if d, err = lashstore.NewPortableDecoder(bytes.NewReader(damaged)); err == nil {
		for err == nil {
			_, err = d.Decode()
		}
	}
	var refused *lashstore.PortableError
	fmt.Println(errors.As(err, &refused), "at line", refused.Line)
	// Output:
	// bread is Bread for two
	// n1: {"timer":45}
	// a reader's own refusal: portable stream, line 3 at byte 227: no timers here
	// 1 node
	// true at line 3
}

func ExamplePortableSession_Meta() {
	s := lashstore.PortableSession{Name: "Bread for two", Relation: lashstore.RelationRoot, CreatedAtMS: 1700000000000}
	fmt.Println(s.Meta("bread").CreatedAt.Year())
	// Output: 2023
}

func ExamplePortableNode_Node() {
	n := lashstore.PortableNode{ID: "n1", Kind: lashstore.NodePlugin, CreatedAtMS: 1700000000000}
	fmt.Println(n.Node().CreatedAt.Format("2006-01-02"))
	// Output: 2023-11-14
}

func ExamplePortableWork_Draft() {
	w := lashstore.PortableWork{
		Class: lashstore.ClassTurn, Delivery: lashstore.DeliverEarliest, Slot: lashstore.SlotExclusive,
		Items: []lashstore.PortableItem{{Kind: "wake", Payload: json.RawMessage(`{}`)}},
	}
	fmt.Println(w.Draft().Validate("work"))
	// Output: <nil>
}

func ExampleImportOptions_Validate() {
	fmt.Println((&lashstore.ImportOptions{SessionID: "a\nb"}).Validate())
	// Output: invalid session_id: control character 0x0a at byte 1
}
