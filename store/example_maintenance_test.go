package store_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/lashstore/lashstore"
)

func ExampleStore_GC() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	if err := s.KeepRevisions(ctx, 0); err != nil { // else the last twenty keep their checkpoints
		log.Fatal(err)
	}
	for i, expect := range []lashstore.Expectation{lashstore.Create(), lashstore.At(1)} {
		if _, err := s.Commit(ctx, lashstore.Commit{
			SessionID: "demo", Expect: expect, WithoutLease: true,
			Checkpoint: &lashstore.Checkpoint{Parts: map[string]lashstore.Part{"state": lashstore.PartContent([]byte{byte(i)})}},
		}); err != nil {
			log.Fatal(err)
		}
	}
	report, err := s.GC(ctx, nil)
	fmt.Println("kept", report.Retained, "deleted", report.Deleted, err)
	found, err := s.Verify(ctx)
	fmt.Println("findings", len(found.Findings), err)
	// Output:
	// kept 2 deleted 2 <nil>
	// findings 0 <nil>
}

// A branch that was left behind is taken out, then deleted. The receipts of turns that nobody retries any more go too.
func ExampleStore_Vacuum() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	delta := lashstore.AppendNodes(said("q", "", lashstore.RoleUser, "hi"), said("a", "q", lashstore.RoleAssistant, "hello"),
		said("b", "q", lashstore.RoleAssistant, "good day"), said("c", "q", lashstore.RoleAssistant, "hey"))
	if _, err := s.Commit(ctx, lashstore.Commit{SessionID: "demo", Expect: lashstore.Create(), WithoutLease: true, Graph: delta}); err != nil {
		log.Fatal(err)
	}
	some, err := s.TombstoneNodes(ctx, []string{"a"}, nil)
	fmt.Println("taken out:", some.Nodes, err)
	rest, err := s.TombstoneOrphans(ctx, nil)
	fmt.Println("taken out:", rest.Nodes, err)
	report, err := s.Vacuum(ctx, &lashstore.VacuumOptions{ReceiptsBefore: time.Now().Add(-30 * 24 * time.Hour)})
	fmt.Println("deleted:", report.Nodes, err)
	stats, err := s.Stats(ctx)
	fmt.Println("left:", stats.Nodes, err)
	// Output:
	// taken out: 1 <nil>
	// taken out: 1 <nil>
	// deleted: 2 <nil>
	// left: 2 <nil>
}

// Verify reads everything. An error says that it could not look, a finding that something is wrong.
func ExampleStore_Verify() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	report, err := s.Verify(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Findings {
		fmt.Println(f.Kind, f.Key, f.Detail)
	}
	fmt.Println("findings:", len(report.Findings))
	// Output: findings: 0
}

// Totals are kept by the commits, deltas for as long as one likes.
func ExampleStore_Usage() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	if err := s.KeepRevisions(ctx, 0); err != nil { // else the last twenty keep their checkpoints
		log.Fatal(err)
	}
	for i, expect := range []lashstore.Expectation{lashstore.Create(), lashstore.At(1)} {
		if _, err := s.Commit(ctx, lashstore.Commit{
			SessionID: "demo", Expect: expect, WithoutLease: true, Turn: &lashstore.TurnStamp{TurnID: fmt.Sprint("turn-", i)},
			Usage: []lashstore.UsageDelta{{Source: "turn", Model: "gpt-4o", Usage: lashstore.TokenUsage{Input: 10}}},
		}); err != nil {
			log.Fatal(err)
		}
	}
	totals, err := s.Usage(ctx)
	fmt.Println(totals[0].Source, totals[0].Usage.Total(), err)
	later, err := s.UsageByTurn(ctx, 1, 0)
	fmt.Println(len(later), later[0].TurnID, later[0].Usage.Total(), err)
	// Output:
	// turn 20 <nil>
	// 1 turn-1 10 <nil>
}
