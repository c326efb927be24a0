package conversation

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

// readAll returns the ids by line, and the errors.
func readAll(r io.Reader, maxLine int) (ids map[int64]string, problems []error) {
	ids = map[int64]string{}
	for c, err := range read("in", r, maxLine) {
		if err != nil {
			problems = append(problems, err)
			continue
		}
		ids[c.Line] = c.SessionID
	}
	return ids, problems
}

func line(id string) string { return `{"session_id":"` + id + `","messages":[]}` }

func TestRead_GoesOnBehindBadLines(t *testing.T) {
	t.Parallel()
	in := line("a") + "\n\n \t\r\nnonsense\n" + line("b") + "\r\n[]\n" + line("c")
	ids, problems := readAll(iotest.OneByteReader(strings.NewReader(in)), MaxLine)
	assert.Equal(t, map[int64]string{1: "a", 5: "b", 7: "c"}, ids)
	require.Len(t, problems, 2)
	var bad *LineError
	require.ErrorAs(t, problems[0], &bad)
	assert.Equal(t, int64(4), bad.Line)
	require.ErrorIs(t, bad, lashstore.ErrInvalid)
	assert.EqualError(t, problems[1], "in:6: invalid line: not an object but a list")
}

func TestRead_EmptyInputs(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "\n", "\n\n  \n", "\xef\xbb\xbf", "\xef\xbb\xbf\n"} {
		ids, problems := readAll(strings.NewReader(in), MaxLine)
		assert.Empty(t, ids, "%q", in)
		assert.Empty(t, problems, "%q", in)
	}
}

func TestRead_ByteOrderMarkOnFirstLineOnly(t *testing.T) {
	t.Parallel()
	const bom = "\xef\xbb\xbf"
	ids, problems := readAll(strings.NewReader(bom+line("a")+"\n"+bom+line("b")), MaxLine)
	assert.Equal(t, map[int64]string{1: "a"}, ids)
	require.Len(t, problems, 1)
}

// 1. A line of exactly the bound is read, one byte more is refused; with and without a line end, around buffer sizes.
// 2. What comes behind is read.
func TestRead_BoundsLines(t *testing.T) {
	t.Parallel()
	for _, bound := range []int{100, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200 << 10} {
		fits := line(strings.Repeat("i", 10)) + strings.Repeat(" ", bound-len(line(strings.Repeat("i", 10))))
		for _, end := range []string{"", "\n", "\n" + line("next")} {
			ids, problems := readAll(strings.NewReader(fits+end), bound)
			assert.Empty(t, problems, "bound %d, end %q", bound, end)
			assert.Equal(t, "iiiiiiiiii", ids[1])

			ids, problems = readAll(strings.NewReader(fits+" "+end), bound)
			require.Len(t, problems, 1, "bound %d, end %q", bound, end)
			assert.ErrorIs(t, problems[0], lashstore.ErrTooLarge)
			assert.Equal(t, strings.HasSuffix(end, "}"), ids[2] == "next")
		}
	}
}

func TestRead_ErrorOfTheInputIsTheLast(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	in := io.MultiReader(strings.NewReader(line("a")+"\n"+`{"session_id":"b`), iotest.ErrReader(broken))
	ids, problems := readAll(in, MaxLine)
	assert.Equal(t, map[int64]string{1: "a"}, ids)
	require.Len(t, problems, 1)
	require.ErrorIs(t, problems[0], broken)
	require.EqualError(t, problems[0], "in:2: broken")
	var bad *LineError
	assert.False(t, errors.As(problems[0], &bad))
}

// An error of the file system has the name too: it is said once. Where nothing was read there is no line to name.
func TestRead_ErrorNamesTheInputOnce(t *testing.T) {
	t.Parallel()
	path := &fs.PathError{Op: "read", Path: "in", Err: errors.New("broken")}
	for text, in := range map[string]io.Reader{
		"in: broken":   iotest.ErrReader(path),
		"in:1: broken": io.MultiReader(strings.NewReader("{"), iotest.ErrReader(path)),
		"in:3: broken": io.MultiReader(strings.NewReader(line("a")+"\n\n"), iotest.ErrReader(path)),
	} {
		_, problems := readAll(in, MaxLine)
		require.Len(t, problems, 1)
		require.EqualError(t, problems[0], text)
		var input *InputError
		require.ErrorAs(t, problems[0], &input)
	}
	assert.EqualError(t, NewInputError("in", 0, &fs.PathError{Op: "open", Path: "elsewhere", Err: fs.ErrNotExist}),
		"in: open elsewhere: file does not exist")
}

func TestRead_StopsWhenAsked(t *testing.T) {
	t.Parallel()
	n := 0
	for range Read("in", strings.NewReader("x\ny\nz\n")) {
		n++
		break
	}
	assert.Equal(t, 1, n)
}
