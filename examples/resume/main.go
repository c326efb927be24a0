// Resume keeps a conversation over any number of runs, and over kill -9.
//
//	go run ./examples/resume "What is a fjord?"
//	go run ./examples/resume "And a skerry?"
//
// Each run takes the session's lease, loads where it stands, commits one turn and gives the lease back. Kill it at any
// moment: the turn is there whole or not at all, and the next run goes on. What a model would answer is made up here by
// a function; everything else is as an agent in production does it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/store"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: resume QUESTION...")
	}
	if err := run(context.Background(), filepath.Join("lashstore-data", "sessions"), strings.Join(os.Args[1:], " ")); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, dir, question string) (err error) {
	factory, err := store.NewFactory(dir, nil)
	if err != nil {
		return err
	}
	session, err := factory.CreateSession(ctx, lashstore.SessionMeta{SessionID: "resume-example"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()

	lease, err := takeLease(ctx, session)
	if err != nil {
		return err
	}
	before, err := session.Load(ctx, &lashstore.LoadOptions{Last: 20})
	if err != nil {
		return err
	}
	for _, n := range before.Graph.Nodes {
		printNode(n)
	}
	turn, err := nextTurn(before, question)
	if err != nil {
		return err
	}
	turn.Lease, turn.ReleaseLease = lease.Fence(), true
	result, err := session.Commit(ctx, turn)
	if err != nil {
		return err
	}
	for _, n := range turn.Graph.Nodes {
		printNode(n)
	}
	fmt.Printf("-- revision %d is durable (%s)\n", result.Revision, session.Durability())
	return nil
}

// takeLease takes the lane, also from a run that was killed while it held it.
func takeLease(ctx context.Context, session lashstore.SessionStore) (lashstore.Lease, error) {
	me := store.LocalOwner("resume-example", fmt.Sprint(os.Getpid()))
	lease, err := session.TakeLease(ctx, me, 30*time.Second)
	var busy *lashstore.LeaseBusyError
	if errors.As(err, &busy) {
		return session.ReclaimLease(ctx, me, busy.Holder, 30*time.Second)
	}
	return lease, err
}

func nextTurn(before *lashstore.Session, question string) (lashstore.Commit, error) {
	number := before.Summary.Turns + 1
	asked, err := message(fmt.Sprintf("q%d", number), before.Graph.Leaf, lashstore.RoleUser, question)
	if err != nil {
		return lashstore.Commit{}, err
	}
	answered, err := message(fmt.Sprintf("a%d", number), asked.ID, lashstore.RoleAssistant, answer(question))
	if err != nil {
		return lashstore.Commit{}, err
	}
	return lashstore.Commit{
		SessionID:  before.SessionID,
		Expect:     before.Expect(),
		Turn:       &lashstore.TurnStamp{TurnID: fmt.Sprintf("turn-%d", number)},
		Graph:      lashstore.AppendNodes(asked, answered),
		Checkpoint: &lashstore.Checkpoint{TurnState: json.RawMessage(fmt.Sprintf(`{"turn_index":%d}`, number))},
		Usage:      []lashstore.UsageDelta{{Source: "turn", Model: "made-up", Usage: lashstore.TokenUsage{Input: int64(len(question)), Output: 12}}},
	}, nil
}

func message(id, parent string, role lashstore.Role, text string) (lashstore.Node, error) {
	payload, err := lashstore.Message{Role: role, Parts: []lashstore.MessagePart{{Kind: lashstore.PartText, Text: text}}}.Payload()
	return lashstore.Node{ID: id, ParentID: parent, Kind: lashstore.NodeMessage, Role: role, Payload: payload}, err
}

func printNode(n lashstore.Node) {
	m, err := lashstore.ParseMessage(n.Payload)
	if err != nil {
		fmt.Printf("%-9s (unreadable: %v)\n", n.Role, err)
		return
	}
	fmt.Printf("%-9s %s\n", m.Role, m.Text())
}

// answer stands where the call of a model would be.
func answer(question string) string {
	return fmt.Sprintf("You asked %q. I will think about it.", question)
}
