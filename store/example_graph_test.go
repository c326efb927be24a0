package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/lashstore/lashstore"
)

// From the leaf towards the root, as far as one likes.
func ExampleStore_Path() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	delta := lashstore.AppendNodes(said("q", "", lashstore.RoleUser, "hi"), said("a", "q", lashstore.RoleAssistant, "hello"),
		said("b", "q", lashstore.RoleAssistant, "good day"))
	if _, err := s.Commit(ctx, lashstore.Commit{SessionID: "demo", Expect: lashstore.Create(), WithoutLease: true, Graph: delta}); err != nil {
		log.Fatal(err)
	}
	for n, err := range s.Path(ctx, "a") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(n.ID)
	}
	// Output:
	// a
	// q
}

func ExampleStore_Children() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	delta := lashstore.AppendNodes(said("q", "", lashstore.RoleUser, "hi"), said("a", "q", lashstore.RoleAssistant, "hello"),
		said("b", "q", lashstore.RoleAssistant, "good day"))
	if _, err := s.Commit(ctx, lashstore.Commit{SessionID: "demo", Expect: lashstore.Create(), WithoutLease: true, Graph: delta}); err != nil {
		log.Fatal(err)
	}
	answers, err := s.Children(ctx, "q")
	fmt.Println(answers[0].ID, answers[1].ID, err)
	b, err := s.Node(ctx, "b")
	fmt.Println(b.ParentID, b.Role, err)
	_, err = s.Node(ctx, "nobody")
	fmt.Println(errors.Is(err, lashstore.ErrNodeNotFound))
	// Output:
	// a b <nil>
	// q assistant <nil>
	// true
}

// A description is replaced, all of it.
func ExampleStore_UpdateMeta() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	meta, err := s.Meta(ctx)
	if err != nil {
		log.Fatal(err)
	}
	meta.Name = "Flights to Oslo"
	if err := s.UpdateMeta(ctx, meta); err != nil {
		log.Fatal(err)
	}
	meta, err = s.Meta(ctx)
	fmt.Println(meta.SessionID, meta.Name, err)
	// Output: demo Flights to Oslo <nil>
}
