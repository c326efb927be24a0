package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func ExampleStore_ExportPortable() {
	ctx := context.Background()
	s, err := store.Memory(ctx, lashstore.SessionMeta{SessionID: "bread"}, nil)
	if err != nil {
		panic(err)
	}
	defer s.Close()
	var stream bytes.Buffer
	if _, err := s.ExportPortable(ctx, &stream); err != nil {
		panic(err)
	}
	fmt.Println(stream.String()[:strings.Index(stream.String(), ",\"sum\"")])
	// Output: {"lashstore":"portable","version":1,"session_id":"bread"
}

func ExampleFactory_ImportPortable() {
	ctx := context.Background()
	s, err := store.Memory(ctx, lashstore.SessionMeta{SessionID: "bread"}, nil)
	if err != nil {
		panic(err)
	}
	defer s.Close()
	if _, err := s.Commit(ctx, lashstore.Commit{
		SessionID: "bread", Expect: lashstore.Create(), WithoutLease: true,
		Graph: lashstore.AppendNodes(message("n1", "", lashstore.RoleUser, "How long does bread for two take?")),
	}); err != nil {
		panic(err)
	}
	var stream bytes.Buffer
	if _, err := s.ExportPortable(ctx, &stream); err != nil {
		panic(err)
	}

	dir, err := os.MkdirTemp("", "lashstore")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	f, err := store.NewFactory(dir, nil)
	if err != nil {
		panic(err)
	}
	made, err := f.ImportPortable(ctx, bytes.NewReader(stream.Bytes()), &lashstore.ImportOptions{SessionID: "bread-2"})
	if err != nil {
		panic(err)
	}
	fmt.Println(made.SessionID, "at revision", made.Revision, "with", made.Counts.Nodes, "node")
	_, err = f.ImportPortable(ctx, bytes.NewReader(stream.Bytes()), &lashstore.ImportOptions{SessionID: "bread-2"})
	fmt.Println(errors.Is(err, lashstore.ErrSessionExists))
	// Output:
	// bread-2 at revision 1 with 1 node
	// true
}
