package conversation

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"github.com/lashstore/lashstore"
)

// MaxLine is the longest line that is read, in bytes.
const MaxLine = 64 << 20

// LineError says which line of which input is no conversation, and why. Reading goes on behind it.
type LineError struct {
	Name string // of the input
	Line int64  // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// InputError says that an input cannot be read, or not to its end.
type InputError struct {
	Name string
	Line int64 // that was begun; 0 when nothing was read
	Err  error
}

func (e *InputError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err)
}
func (e *InputError) Unwrap() error { return e.Err }

// NewInputError names the input once: errors of the file system name it too.
func NewInputError(name string, line int64, err error) *InputError {
	var path *fs.PathError
	if errors.As(err, &path) && path.Path == name {
		err = path.Err
	}
	return &InputError{Name: name, Line: line, Err: err}
}

// Read reads the lines of r, in bounded memory. Each is yielded as a conversation, or as a LineError when it is none;
// blank lines are passed over, and so is a byte order mark. An error of r is an InputError and the last thing yielded.
func Read(name string, r io.Reader) iter.Seq2[Conversation, error] { return read(name, r, MaxLine) }

func read(name string, r io.Reader, maxLine int) iter.Seq2[Conversation, error] {
	return func(yield func(Conversation, error) bool) {
		lines := lineReader{r: bufio.NewReaderSize(r, 64<<10), max: maxLine}
		for {
			line, err := lines.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil && !errors.Is(err, lashstore.ErrTooLarge) {
				yield(Conversation{}, NewInputError(name, lines.begun(), err))
				return
			}
			if err == nil && len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			var c Conversation
			if err == nil {
				c, err = Parse(line)
			}
			if err != nil {
				c, err = Conversation{}, &LineError{Name: name, Line: lines.number, Err: err}
			}
			c.Line = lines.number
			if !yield(c, err) {
				return
			}
		}
	}
}

// lineReader cuts lines. What it returns is valid until the next call.
type lineReader struct {
	r      *bufio.Reader
	max    int
	number int64
	size   int64 // of the line so far, its end included
	buf    []byte
}

// begun is the number of the line that was being read; 0 when nothing was.
func (l *lineReader) begun() int64 {
	if l.number == 1 && l.size == 0 {
		return 0
	}
	return l.number
}

// next returns the next line without its end: io.EOF behind the last, a TooLargeError for one that is too long, which
// is read to its end but not kept.
func (l *lineReader) next() ([]byte, error) {
	l.number++
	l.buf, l.size = l.buf[:0], 0
	for {
		piece, err := l.r.ReadSlice('\n')
		l.size += int64(len(piece))
		if l.size <= int64(l.max)+1 { // its end does not count
			l.buf = append(l.buf, piece...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && (!errors.Is(err, io.EOF) || l.size == 0) {
			return nil, err
		}
		break
	}
	line := bytes.TrimSuffix(l.buf, []byte("\n"))
	if l.size > int64(l.max)+1 || len(line) > l.max {
		return nil, &lashstore.TooLargeError{Field: "line", Size: l.size, Max: int64(l.max)}
	}
	if l.number == 1 {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	return line, nil
}
