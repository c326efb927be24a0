package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

// A service with many sessions: two of them may be open at once, and nobody notices.
func ExampleFleet() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lashstore-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	fleet, err := store.NewFleet(dir, &store.FleetOptions{MaxOpen: 2, Idle: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	var sessions []lashstore.SessionStore
	for _, id := range []string{"a", "b", "c"} {
		s, err := fleet.CreateSession(ctx, lashstore.SessionMeta{SessionID: id})
		if err != nil {
			log.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	for _, s := range sessions {
		if _, err := s.Commit(ctx, lashstore.Commit{
			SessionID: s.SessionID(), Expect: lashstore.Create(), WithoutLease: true,
			Graph: lashstore.AppendNodes(said("m1", "", lashstore.RoleUser, "I am "+s.SessionID())),
		}); err != nil {
			log.Fatal(err)
		}
	}
	again, err := fleet.OpenSession(ctx, "a")
	fmt.Println(again.SessionID(), err, fleet.Durability(), filepath.Ext(fleet.PathOf("a")))
	fmt.Println(fleet.DeleteSession(ctx, "a"))
	_, err = again.Meta(ctx)
	fmt.Println(errors.Is(err, lashstore.ErrSessionDeleted))
	left := 0
	for range fleet.Sessions(ctx) {
		left++
	}
	fmt.Println(left, fleet.Close())
	// Output:
	// a <nil> full .db
	// <nil>
	// true
	// 2 <nil>
}

// A list by pages, from the catalog.
func ExampleFleet_List() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lashstore-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	fleet, err := store.NewFleet(dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer fleet.Close()
	for _, id := range []string{"a", "b", "c"} {
		if _, err := fleet.CreateSession(ctx, lashstore.SessionMeta{SessionID: id, Model: "model-1"}); err != nil {
			log.Fatal(err)
		}
	}
	query := &store.ListQuery{Model: "model-1", Limit: 2}
	for {
		page, err := fleet.List(ctx, query)
		if err != nil {
			log.Fatal(err)
		}
		for _, info := range page.Sessions {
			fmt.Print(info.Meta.SessionID, " ")
		}
		fmt.Println(len(page.Problems), "problems")
		if page.Next == "" {
			break
		}
		query.After, query.NoRefresh = page.Next, true
	}
	// Output:
	// a b 0 problems
	// c 0 problems
}

// A refresh looks into what is new or has changed.
func ExampleFleet_Refresh() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "lashstore-example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	fleet, err := store.NewFleet(dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer fleet.Close()
	if _, err := fleet.CreateSession(ctx, lashstore.SessionMeta{SessionID: "a"}); err != nil {
		log.Fatal(err)
	}
	report, err := fleet.Refresh(ctx)
	fmt.Println(report.Files, report.Inspected, report.Removed, err)
	fmt.Println(fleet.DeleteSession(ctx, "a"))
	report, err = fleet.Refresh(ctx)
	fmt.Println(report.Files, report.Inspected, report.Removed, err)
	// Output:
	// 1 1 0 <nil>
	// <nil>
	// 0 0 1 <nil>
}

// The same filter, over a list that comes from somewhere else.
func ExampleListQuery_Selects() {
	query := &store.ListQuery{Text: "FLIGHT"}
	fmt.Println(query.Selects(lashstore.SessionInfo{Summary: lashstore.Summary{Title: "Book me a flight"}}))
	fmt.Println(query.Selects(lashstore.SessionInfo{Summary: lashstore.Summary{Title: "Book me a train"}}))
	// Output:
	// true
	// false
}
