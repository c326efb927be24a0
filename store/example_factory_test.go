package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func ExampleFactory() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lashstore-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	factory, err := store.NewFactory(dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	s, err := factory.CreateSession(ctx, lashstore.SessionMeta{SessionID: "demo"})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Commit(ctx, lashstore.Commit{
		SessionID: "demo", Expect: lashstore.Create(), WithoutLease: true,
		Graph: lashstore.AppendNodes(said("m1", "", lashstore.RoleUser, "Book me a flight")),
	}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Close())
	for info, err := range factory.Sessions(ctx) {
		fmt.Println(info.Meta.SessionID, info.Summary.Title, info.Summary.Messages, err)
	}
	fmt.Println(factory.DeleteSession(ctx, "demo"))
	_, err = factory.OpenSession(ctx, "demo")
	fmt.Println(errors.Is(err, lashstore.ErrSessionNotFound))
	// Output:
	// <nil>
	// demo Book me a flight 1 <nil>
	// <nil>
	// true
}

// One session, two handles: one writes, one only reads.
func ExampleFactory_OpenReadOnly() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lashstore-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	factory, err := store.NewFactory(dir, &store.Options{Durability: lashstore.DurabilityNormal})
	if err != nil {
		log.Fatal(err)
	}
	writer, err := factory.CreateSession(ctx, lashstore.SessionMeta{SessionID: "demo"})
	if err != nil {
		log.Fatal(err)
	}
	defer writer.Close()
	reader, err := factory.OpenReadOnly(ctx, "demo")
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	fmt.Println(factory.Durability(), reader.SessionID(), reader.File() == factory.PathOf("demo"))
	_, err = reader.PutBlob(ctx, lashstore.GenericBlob, []byte("content"))
	fmt.Println(errors.Is(err, lashstore.ErrReadOnly))
	// Output:
	// normal demo true
	// true
}

// A file's name shows what is readable of the id, and a hash of all of it.
func ExampleFileName() {
	fmt.Println(store.FileName("team/agent 7"))
	// Output: team_agent_7-6197068c7682f842.db
}

// Opening what is not there creates nothing.
func ExampleOpenExisting() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lashstore-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "demo.db")
	_, err = store.OpenExisting(ctx, path, nil)
	fmt.Println(errors.Is(err, lashstore.ErrSessionNotFound))
	_, err = store.OpenReadOnly(ctx, path, nil)
	fmt.Println(errors.Is(err, lashstore.ErrSessionNotFound))
	// Output:
	// true
	// true
}

// A session in memory has no file and ends with its handle.
func ExampleMemory() {
	s, err := store.Memory(context.Background(), lashstore.SessionMeta{SessionID: "demo"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %s %q\n", s.SessionID(), s.Durability(), s.File())
	fmt.Println(s.Close())
	_, err = s.Load(context.Background(), nil)
	fmt.Println(errors.Is(err, lashstore.ErrClosed))
	// Output:
	// demo none ""
	// <nil>
	// true
}

// What does not open can be thrown away; what opens cannot, and is deleted instead.
func ExampleFactory_DiscardSession() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lashstore-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	factory, err := store.NewFactory(dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(factory.PathOf("demo"), nil, 0o600); err != nil { // a file that was cut to nothing
		log.Fatal(err)
	}
	_, err = factory.OpenSession(ctx, "demo")
	fmt.Println(errors.Is(err, lashstore.ErrCorrupt))
	fmt.Println(factory.DiscardSession(ctx, "demo"))
	s, err := factory.CreateSession(ctx, lashstore.SessionMeta{SessionID: "demo"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Close())
	fmt.Println(errors.Is(factory.DiscardSession(ctx, "demo"), lashstore.ErrNotDamaged))
	// Output:
	// true
	// <nil>
	// <nil>
	// true
}
