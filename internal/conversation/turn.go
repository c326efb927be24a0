package conversation

import (
	"fmt"

	"github.com/lashstore/lashstore"
)

// Turn is a run of messages that becomes one commit.
type Turn struct {
	// ID is the same whenever the same run is to be committed.
	ID string
	// Index counts the turns of the conversation, from 1.
	Index int
	// From and To are positions in the conversation's messages: From inclusive, To exclusive.
	From, To int
	// Continues says that the turn's first messages were committed before.
	Continues bool
}

// Turns cuts the messages from a position on into turns. A turn runs from a user's message up to the next one; what
// comes before the first user's message belongs to the first turn. A position inside a turn, up to which it was
// committed before the conversation grew, gives a first turn that continues it, under an id of its own.
func Turns(messages []Message, from int) []Turn {
	var turns []Turn
	begin, index := 0, 1
	cut := func(end int) {
		if end > from && end > begin {
			turns = append(turns, newTurn(index, begin, max(begin, from), end))
		}
	}
	met := false
	for i, m := range messages {
		if m.Role != lashstore.RoleUser {
			continue
		}
		if met {
			cut(i)
			begin, index = i, index+1
		}
		met = true
	}
	cut(len(messages))
	return turns
}

func newTurn(index, begin, from, to int) Turn {
	t := Turn{ID: fmt.Sprintf("turn-%06d", index), Index: index, From: from, To: to}
	if from > begin {
		t.ID, t.Continues = t.ID+"-"+nodeID(from), true
	}
	return t
}
