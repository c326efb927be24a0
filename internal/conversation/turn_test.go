package conversation

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTurns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		letters string
		from    int
		want    []string
	}{
		{"", 0, nil},
		{"s", 0, []string{"turn-000001 1 0:1"}},
		{"sa", 0, []string{"turn-000001 1 0:2"}},
		{"u", 0, []string{"turn-000001 1 0:1"}},
		{"suata", 0, []string{"turn-000001 1 0:5"}},
		{"suaua", 0, []string{"turn-000001 1 0:3", "turn-000002 2 3:5"}},
		{"uuu", 0, []string{"turn-000001 1 0:1", "turn-000002 2 1:2", "turn-000003 3 2:3"}},
		{"suaua", 3, []string{"turn-000002 2 3:5"}},
		{"suaua", 5, nil},
		{"suaua", 9, nil},
		{"suaua", 4, []string{"turn-000002-m000005 2 4:5"}},
		{"suaua", 1, []string{"turn-000001-m000002 1 1:3", "turn-000002 2 3:5"}},
		{"saau", 2, []string{"turn-000001-m000003 1 2:4"}},
	} {
		t.Run(fmt.Sprintf("%s from %d", tc.letters, tc.from), func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, turn := range Turns(talk(t, tc.letters).Messages, tc.from) {
				got = append(got, fmt.Sprintf("%s %d %d:%d", turn.ID, turn.Index, turn.From, turn.To))
			}
			assert.Equal(t, tc.want, got)
		})
	}
}
