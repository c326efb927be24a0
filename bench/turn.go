// Package bench compares lashstore with what it could be at best, and with what people would use instead. It is a module
// of its own, so that nobody who uses the store links what it is compared with.
//
// So far it holds the floor of a turn's commit: the same SQL, prepared, in the same transactions with the same pragmas,
// on C SQLite through cgo. Both drivers call themselves sqlite3, so that one must be told not to:
//
//	CGO_ENABLED=1 go test -bench . -ldflags "-X github.com/ncruces/go-sqlite3/driver.driverName="
//
// Figures of one run are not figures: run it several times and take medians of the ratios.
package bench

import (
	"encoding/json"
	"fmt"

	"github.com/lashstore/lashstore"
)

const sessionID = "bench"

// turn is the workload: four nodes of 1.4 KB, a part of 3 KB, usage, a receipt.
type turn struct {
	number   int
	nodeIDs  [4]string
	payloads [4]string
	part     []byte
}

// turns are made before the clock runs.
func turns(n int) ([]turn, error) {
	list := make([]turn, n)
	for i := range list {
		t := turn{number: i + 1, part: text(3000, i)}
		for k := range t.payloads {
			payload, err := json.Marshal(map[string]string{"role": "user", "content": string(text(1350, 4*i+k))})
			if err != nil {
				return nil, err
			}
			t.nodeIDs[k], t.payloads[k] = fmt.Sprintf("node-%d-%d", i, k), string(payload)
		}
		list[i] = t
	}
	return list, nil
}

func text(size, seed int) []byte {
	b := make([]byte, 0, size+64)
	for i := 0; len(b) < size; i++ {
		b = fmt.Appendf(b, "line %d of %d; ", i, seed)
	}
	return b[:size]
}

func (t turn) id() string { return fmt.Sprint("turn-", t.number) }

// commit is t behind leaf as the store takes it.
func (t turn) commit(leaf string) lashstore.Commit {
	nodes := make([]lashstore.Node, len(t.nodeIDs))
	for i := range nodes {
		nodes[i] = lashstore.Node{
			ID: t.nodeIDs[i], ParentID: leaf, Kind: lashstore.NodeMessage, Role: lashstore.RoleUser,
			Payload: json.RawMessage(t.payloads[i]),
		}
		leaf = t.nodeIDs[i]
	}
	expect := lashstore.Create()
	if t.number > 1 {
		expect = lashstore.At(lashstore.Revision(t.number - 1))
	}
	return lashstore.Commit{
		SessionID: sessionID, Expect: expect, WithoutLease: true, Turn: &lashstore.TurnStamp{TurnID: t.id()},
		Graph: lashstore.AppendNodes(nodes...),
		Checkpoint: &lashstore.Checkpoint{
			TurnState: json.RawMessage(`{"turn_index":1}`),
			Parts:     map[string]lashstore.Part{lashstore.PartNameToolState: lashstore.PartContent(t.part)},
		},
		Usage: []lashstore.UsageDelta{{Source: "turn", Model: "m", Usage: lashstore.TokenUsage{Input: 100, Output: 20}}},
	}
}
