package lashstore_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

func TestKeepsRevisionIsTheHeadTheLastAndThePinned(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r, head lashstore.Revision
		keep    int
		pinned  bool
		want    bool
	}{
		{r: 10, head: 10, keep: 0, want: true},
		{r: 10, head: 10, keep: 1, want: true},
		{r: 9, head: 10, keep: 0, want: false},
		{r: 9, head: 10, keep: 1, want: false},
		{r: 9, head: 10, keep: 2, want: true},
		{r: 8, head: 10, keep: 2, want: false},
		{r: 1, head: 10, keep: 10, want: true},
		{r: 1, head: 10, keep: lashstore.MaxKeepRevisions, want: true},
		{r: 1, head: 10, keep: 9, want: false},
		{r: 1, head: 10, keep: 0, pinned: true, want: true},
		{r: 11, head: 10, keep: 5, want: false},
	} {
		assert.Equal(t, c.want, lashstore.KeepsRevision(c.r, c.head, c.keep, c.pinned), "%+v", c)
	}
}

func TestRevisionListOptionsAreValidated(t *testing.T) {
	t.Parallel()
	for _, o := range []*lashstore.RevisionListOptions{nil, {}, {Before: 1, Limit: 1, LoadableOnly: true}} {
		assert.NoError(t, o.Validate(), "%+v", o)
	}
	for _, o := range []*lashstore.RevisionListOptions{{Before: -1}, {Limit: -1}} {
		assert.ErrorIs(t, o.Validate(), lashstore.ErrInvalid, "%+v", o)
	}
}

func moveTo(m lashstore.HeadMove) *lashstore.HeadMove {
	m.SessionID, m.Expect, m.WithoutLease = "s", lashstore.At(3), true
	return &m
}

func TestHeadMoveGoesToExactlyOnePlace(t *testing.T) {
	t.Parallel()
	for _, m := range []lashstore.HeadMove{{Revision: 1}, {Leaf: "a"}, {Branch: "b"}, {Revision: 3, Turn: &lashstore.TurnStamp{TurnID: "t"}}} {
		assert.NoError(t, moveTo(m).Validate(), "%+v", m)
	}
	for _, m := range []lashstore.HeadMove{
		{}, {Revision: 1, Leaf: "a"}, {Revision: 1, Branch: "b"}, {Leaf: "a", Branch: "b"}, {Revision: -1}, {Leaf: "a\x00"}, {Branch: "a\xff"},
		{Revision: 1, Turn: &lashstore.TurnStamp{}}, {Revision: 1, ReleaseLease: true},
	} {
		assert.ErrorIs(t, moveTo(m).Validate(), lashstore.ErrInvalid, "%+v", m)
	}
	for _, m := range []*lashstore.HeadMove{
		{SessionID: "s", Expect: lashstore.Create(), Revision: 1, WithoutLease: true}, {SessionID: "s", Revision: 1, WithoutLease: true},
		{Expect: lashstore.At(1), Revision: 1, WithoutLease: true},
	} {
		assert.ErrorIs(t, m.Validate(), lashstore.ErrInvalid, "%+v", m)
	}
}

// The commit that a move is has its session, expectation, turn and lease, and changes nothing.
func TestHeadMoveIsACommit(t *testing.T) {
	t.Parallel()
	fence, stamp := &lashstore.Fence{}, &lashstore.TurnStamp{TurnID: "t"}
	m := lashstore.HeadMove{
		SessionID: "s", Expect: lashstore.At(2), Revision: 1, Turn: stamp, Lease: fence, WithoutLease: true, ReleaseLease: true,
	}
	want := &lashstore.Commit{SessionID: "s", Expect: lashstore.At(2), Turn: stamp, Lease: fence, WithoutLease: true, ReleaseLease: true}
	assert.Equal(t, want, m.Commit())
}

// 1. Each target has a hash of its own, also where one's text is another's.
// 2. When a move is tried, and under which lease and turn, does not count.
func TestHeadMoveHashIsItsTarget(t *testing.T) {
	t.Parallel()
	seen := map[lashstore.Hash]string{}
	for _, m := range []lashstore.HeadMove{{Revision: 1}, {Revision: 2}, {Leaf: "a"}, {Leaf: "b"}, {Branch: "a"}, {Branch: "b"}, {}} {
		hash, err := m.Hash()
		require.NoError(t, err)
		assert.Empty(t, seen[hash], "%+v", m)
		seen[hash] = fmt.Sprintf("%+v", m)
		other := m
		other.Expect, other.Turn, other.WithoutLease, other.Lease = lashstore.At(9), &lashstore.TurnStamp{TurnID: "t"}, true, &lashstore.Fence{}
		again, err := other.Hash()
		require.NoError(t, err)
		assert.Equal(t, hash, again)
	}
}

func nodesOf(ids ...string) (nodes []lashstore.Node) {
	for _, id := range ids {
		nodes = append(nodes, lashstore.Node{ID: id})
	}
	return nodes
}

func TestRevisionDiffComparesPaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to       []string
		base           string
		removed, added []string
	}{
		{nil, nil, "", nil, nil},
		{[]string{"a"}, []string{"a"}, "a", nil, nil},
		{[]string{"a", "b"}, []string{"a", "c", "d"}, "a", []string{"b"}, []string{"c", "d"}},
		{[]string{"a", "b"}, []string{"a"}, "a", []string{"b"}, nil},
		{[]string{"a"}, []string{"b"}, "", []string{"a"}, []string{"b"}},
		{nil, []string{"b"}, "", nil, []string{"b"}},
	} {
		d := lashstore.RevisionDiff{Base: "of before"}
		d.Compare(nodesOf(c.from...), nodesOf(c.to...), nil, nil)
		assert.Equal(t, c.base, d.Base, "%+v", c)
		assert.ElementsMatch(t, nodesOf(c.removed...), d.Removed, "%+v", c)
		assert.ElementsMatch(t, nodesOf(c.added...), d.Added, "%+v", c)
		assert.Empty(t, d.Parts)
		assert.False(t, d.TurnState)
	}
}

func TestRevisionDiffComparesCheckpoints(t *testing.T) {
	t.Parallel()
	part := func(content string) lashstore.StoredPart {
		return lashstore.StoredPart{Ref: lashstore.HashOf([]byte(content))}
	}
	one := &lashstore.StoredCheckpoint{TurnState: json.RawMessage(`{"a":1}`), Parts: map[string]lashstore.StoredPart{
		"same": part("x"), "other": part("y"), "gone": part("z"),
	}}
	two := &lashstore.StoredCheckpoint{TurnState: json.RawMessage(`{ "a": 1 }`), Parts: map[string]lashstore.StoredPart{
		"same": part("x"), "other": part("w"), "added": part("v"),
	}}
	var d lashstore.RevisionDiff
	for _, pair := range [][2]*lashstore.StoredCheckpoint{{one, two}, {two, one}} {
		d.Compare(nil, nil, pair[0], pair[1])
		assert.Equal(t, []string{"added", "gone", "other"}, d.Parts)
		assert.False(t, d.TurnState, "as JSON values they are the same")
	}
	for _, pair := range [][2]*lashstore.StoredCheckpoint{{one, nil}, {nil, one}} {
		d.Compare(nil, nil, pair[0], pair[1])
		assert.Equal(t, []string{"gone", "other", "same"}, d.Parts)
		assert.True(t, d.TurnState)
	}
}

func TestBranchesAreOrderedByNameThenAge(t *testing.T) {
	t.Parallel()
	at := time.Unix(0, 0)
	ordered := []lashstore.Branch{
		{Name: "a", Leaf: "z"}, {Name: "b", Leaf: "a", UpdatedAt: at.Add(time.Hour)}, {Leaf: "c", UpdatedAt: at.Add(time.Minute)},
		{Leaf: "b", UpdatedAt: at, Revision: 2}, {Leaf: "a", UpdatedAt: at, Revision: 1}, {Leaf: "b", UpdatedAt: at, Revision: 1},
	}
	for i, a := range ordered {
		for j, b := range ordered {
			assert.Equal(t, i < j, lashstore.CompareBranches(a, b) < 0, "%+v and %+v", a, b)
			assert.Equal(t, i == j, lashstore.CompareBranches(a, b) == 0, "%+v and %+v", a, b)
		}
	}
}

func TestBranchNamesAreValidated(t *testing.T) {
	t.Parallel()
	assert.NoError(t, lashstore.ValidateBranch("any text, ä", ""))
	assert.NoError(t, lashstore.ValidateBranch("a", "leaf"))
	for _, bad := range [][2]string{{"", ""}, {"", "leaf"}, {"a\x00", ""}, {"a", "b\xff"}} {
		assert.ErrorIs(t, lashstore.ValidateBranch(bad[0], bad[1]), lashstore.ErrInvalid, "%q", bad)
	}
}

func TestKeepRevisionsIsValidated(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, lashstore.DefaultKeepRevisions, lashstore.MaxKeepRevisions} {
		assert.NoError(t, lashstore.ValidateKeepRevisions(n), n)
	}
	assert.ErrorIs(t, lashstore.ValidateKeepRevisions(-1), lashstore.ErrInvalid)
	err := lashstore.ValidateKeepRevisions(lashstore.MaxKeepRevisions + 1)
	var tooLarge *lashstore.TooLargeError
	require.ErrorAs(t, err, &tooLarge)
	assert.EqualValues(t, lashstore.MaxKeepRevisions, tooLarge.Max)
}
