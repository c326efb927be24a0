package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// twoAnswers is a session with a question at revision 1, and an answer at each of the next two.
func twoAnswers() *store.Store {
	s := exampleStore()
	for i, c := range []lashstore.Commit{
		{Expect: lashstore.Create(), Graph: lashstore.AppendNodes(said("q", "", lashstore.RoleUser, "hi"))},
		{Graph: lashstore.AppendNodes(said("a", "q", lashstore.RoleAssistant, "hello"))},
		{Graph: lashstore.AppendNodes(said("b", "q", lashstore.RoleAssistant, "good day"))},
	} {
		c.SessionID, c.WithoutLease = "demo", true
		if i > 0 {
			c.Expect = lashstore.At(lashstore.Revision(i))
		}
		if _, err := s.Commit(context.Background(), c); err != nil {
			log.Fatal(err)
		}
	}
	return s
}

// Looking back, and going back; nothing is lost by either.
func ExampleStore_MoveHead() {
	ctx := context.Background()
	s := twoAnswers()
	defer s.Close()
	then, err := s.Load(ctx, &lashstore.LoadOptions{At: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("it was at", then.Graph.Leaf)
	back := lashstore.HeadMove{SessionID: "demo", Expect: lashstore.At(3), Revision: 2, WithoutLease: true}
	result, err := s.MoveHead(ctx, back)
	if err != nil {
		log.Fatal(err)
	}
	log, err := s.Revisions(ctx, &lashstore.RevisionListOptions{Limit: 2})
	for _, r := range log {
		fmt.Println(r.Revision, r.Movement, r.Leaf)
	}
	fmt.Println(result.Revision, err)
	// Output:
	// it was at a
	// 4 rewind a
	// 3 commit b
	// 4 <nil>
}

// What is pinned outlives what is kept.
func ExampleStore_PinRevision() {
	ctx := context.Background()
	s := twoAnswers()
	defer s.Close()
	if err := errors.Join(s.PinRevision(ctx, 1), s.KeepRevisions(ctx, 1)); err != nil {
		log.Fatal(err)
	}
	loadable := &lashstore.RevisionListOptions{LoadableOnly: true}
	for range 2 {
		list, err := s.Revisions(ctx, loadable)
		fmt.Println(len(list), err)
		if err := s.UnpinRevision(ctx, 1); err != nil {
			log.Fatal(err)
		}
	}
	_, err := s.Load(ctx, &lashstore.LoadOptions{At: 1})
	fmt.Println(errors.Is(err, lashstore.ErrRevisionGone))
	// Output:
	// 2 <nil>
	// 1 <nil>
	// true
}

func ExampleStore_KeepRevisions() {
	ctx := context.Background()
	s := twoAnswers()
	defer s.Close()
	fmt.Println(s.KeepRevisions(ctx, 2))
	_, err := s.Load(ctx, &lashstore.LoadOptions{At: 1})
	fmt.Println(err)
	// Output:
	// <nil>
	// revision 1: revision cannot be loaded (the head is at 3)
}

func ExampleStore_DiffRevisions() {
	ctx := context.Background()
	s := twoAnswers()
	defer s.Close()
	d, err := s.DiffRevisions(ctx, 2, 3)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("from %s: without %s, with %s\n", d.Base, d.Removed[0].ID, d.Added[0].ID)
	// Output:
	// from q: without a, with b
}

// A name keeps a branch that nobody works on.
func ExampleStore_NameBranch() {
	ctx := context.Background()
	s := twoAnswers()
	defer s.Close()
	if err := s.NameBranch(ctx, "first idea", "a"); err != nil {
		log.Fatal(err)
	}
	_, err := s.TombstoneNodes(ctx, []string{"a"}, nil)
	fmt.Println(errors.Is(err, lashstore.ErrNodeOnLivePath))
	branches, err := s.Branches(ctx)
	for _, b := range branches {
		fmt.Printf("%q %s %v\n", b.Name, b.Leaf, b.Active)
	}
	dropped, dropErr := s.DropBranch(ctx, "first idea")
	fmt.Println(dropped, errors.Join(err, dropErr))
	// Output:
	// true
	// "first idea" a false
	// "" b true
	// true <nil>
}
