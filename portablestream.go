package lashstore

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/zeebo/blake3"
)

// portableMagic begins the first line of every portable stream of every version.
const portableMagic = `{"lashstore":"portable","version":`

// maxPortableLine bounds a line: the largest values, as text in which every character may take two, and what is beside.
const maxPortableLine = 2*(MaxValueSize+MaxMetaSize) + 1<<20

// A line is a JSON object whose last member is the checksum of all that comes before it and of the checksum before.
const (
	portableSum     = `,"sum":"`
	portableSumEnd  = `"}` + "\n"
	portableSumSize = 8
	portableTail    = len(portableSum) + 2*portableSumSize + len(portableSumEnd)
)

// portableChain is how far a stream has come, for whoever writes or reads it.
type portableChain struct {
	line   int64 // lines so far
	offset int64 // bytes so far
	last   [portableSumSize]byte
	digest *blake3.Hasher // of all lines so far
	sums   *blake3.Hasher
	check  portableCheck
}

func newPortableChain() portableChain {
	return portableChain{digest: blake3.New(), sums: blake3.New()}
}

// next is the checksum of the next line, without its tail.
func (c *portableChain) next(body []byte) (sum [portableSumSize]byte) {
	c.sums.Reset()
	// A hasher does not fail.
	_, _ = c.sums.Write(c.last[:])
	_, _ = c.sums.Write(body)
	var full Hash
	c.sums.Sum(full[:0])
	copy(sum[:], full[:])
	return sum
}

func (c *portableChain) advance(line []byte, sum [portableSumSize]byte) {
	_, _ = c.digest.Write(line)
	c.line, c.offset, c.last = c.line+1, c.offset+int64(len(line)), sum
}

func (c *portableChain) total() (sum Hash) {
	c.digest.Sum(sum[:0])
	return sum
}

// fail is an error at the next line.
func (c *portableChain) fail(reason string, err error) error {
	return &PortableError{Line: c.line + 1, Offset: c.offset, Reason: reason, Err: err}
}

// PortableEncoder writes a portable stream.
type PortableEncoder struct {
	w     io.Writer
	chain portableChain
	err   error // the first; nothing is written after it
}

// NewPortableEncoder writes the first line of a stream for that session. Errors: InvalidError, those of w.
func NewPortableEncoder(w io.Writer, sessionID string) (*PortableEncoder, error) {
	if err := ValidateID("session_id", sessionID); err != nil {
		return nil, err
	}
	e := &PortableEncoder{w: w, chain: newPortableChain()}
	id, err := jsontext.AppendQuote(nil, sessionID)
	if err != nil {
		return nil, fmt.Errorf("encode a session id: %w", err)
	}
	return e, e.write(fmt.Appendf(nil, `%s%d,"session_id":%s}`, portableMagic, PortableVersion, id))
}

// Encode writes a record. One that is malformed, or out of order, is refused as a reader would: PortableError. After an
// error the stream is of no use, and every call returns it.
func (e *PortableEncoder) Encode(r PortableRecord) error {
	if e.err != nil {
		return e.err
	}
	if err := e.chain.check.accept(r); err != nil {
		e.err = e.chain.fail("refused", err)
		return e.err
	}
	return e.encode(portableLine{N: e.chain.line + 1, PortableRecord: r})
}

// Close writes the last line, with counts and digest. It does not close the writer. PortableError when records are
// missing.
func (e *PortableEncoder) Close() error {
	if e.err != nil {
		return e.err
	}
	if err := e.chain.check.complete(); err != nil {
		e.err = e.chain.fail("refused", err)
		return e.err
	}
	err := e.encode(portableLine{N: e.chain.line + 1, End: &portableEnd{Counts: e.chain.check.counts, Digest: e.chain.total()}})
	if err == nil {
		e.err = errors.New("the portable stream is complete")
	}
	return err
}

// Counts is what was written so far.
func (e *PortableEncoder) Counts() PortableCounts { return e.chain.check.counts }

func (e *PortableEncoder) encode(line portableLine) error {
	object, err := line.encode()
	if err != nil {
		e.err = fmt.Errorf("encode a portable record: %w", err)
		return e.err
	}
	return e.write(object)
}

func (e *PortableEncoder) write(object []byte) error {
	body := object[:len(object)-1]
	sum := e.chain.next(body)
	line := append(body, portableSum...)
	line = hex.AppendEncode(line, sum[:])
	line = append(line, portableSumEnd...)
	if _, err := e.w.Write(line); err != nil {
		e.err = fmt.Errorf("write a portable stream: %w", err)
		return e.err
	}
	e.chain.advance(line, sum)
	return nil
}

// PortableDecoder reads a portable stream, and verifies as it reads: nothing of a line is handed out before its checksum
// and its content were found right. It holds one line at a time.
type PortableDecoder struct {
	r         *bufio.Reader
	chain     portableChain
	sessionID string
	buffer    []byte
	line      int64 // of the record handed out last
	offset    int64
	err       error // what ended the stream; io.EOF when it was whole
}

// NewPortableDecoder reads the first line. Errors: PortableError, of another version one with a RecordVersionError; those
// of r.
func NewPortableDecoder(r io.Reader) (*PortableDecoder, error) {
	d := &PortableDecoder{r: bufio.NewReaderSize(r, 64<<10), chain: newPortableChain()}
	if err := d.readHeader(); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *PortableDecoder) readHeader() error {
	line, err := d.readLine()
	var broken *PortableError
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	rest, found := bytes.CutPrefix(line, []byte(portableMagic))
	if !found {
		return d.chain.fail("not a portable stream", nil)
	}
	if version, _, ends := bytes.Cut(rest, []byte(",")); ends && string(version) != fmt.Sprint(PortableVersion) && onlyDigits(version) {
		return d.chain.fail("of another version", &RecordVersionError{
			Record: "portable", Problem: VersionUnsupported, Found: string(version), Supported: PortableVersion,
		})
	}
	if err != nil {
		return err
	}
	sum, err := d.verify(line)
	if err != nil {
		return err
	}
	var header struct {
		Lashstore string `json:"lashstore"`
		Version   int    `json:"version"`
		SessionID string `json:"session_id"`
		Sum       string `json:"sum"`
	}
	if err := unmarshalPortable(line, &header); err != nil {
		return d.chain.fail("not a header", err)
	}
	if err := ValidateID("session_id", header.SessionID); err != nil {
		return d.chain.fail("not a header", err)
	}
	d.sessionID = header.SessionID
	d.chain.advance(line, sum)
	return nil
}

// onlyDigits bounds what is quoted of a version.
func onlyDigits(b []byte) bool {
	return len(b) > 0 && len(b) < 20 && len(bytes.Trim(b, "0123456789")) == 0
}

// SessionID is the session that was exported.
func (d *PortableDecoder) SessionID() string { return d.sessionID }

// Counts is what was read so far.
func (d *PortableDecoder) Counts() PortableCounts { return d.chain.check.counts }

// Decode returns the next record, and io.EOF when the stream was whole and nothing is behind it. Errors: PortableError,
// those of the reader; every call after one returns it again.
func (d *PortableDecoder) Decode() (PortableRecord, error) {
	if d.err != nil {
		return PortableRecord{}, d.err
	}
	var r PortableRecord
	if r, d.err = d.decode(); d.err != nil {
		return PortableRecord{}, d.err
	}
	return r, nil
}

// Refuse is the PortableError that says that the record returned last is of no use: it contradicts what its reader
// knows.
func (d *PortableDecoder) Refuse(reason string, err error) error {
	return &PortableError{Line: d.line, Offset: d.offset, Reason: reason, Err: err}
}

func (d *PortableDecoder) decode() (PortableRecord, error) {
	raw, sum, err := d.next()
	if err != nil {
		return PortableRecord{}, err
	}
	var line portableLine
	if err := line.decode(raw); err != nil {
		return PortableRecord{}, d.chain.fail("not a record", err)
	}
	if line.N != d.chain.line+1 {
		return PortableRecord{}, d.chain.fail(fmt.Sprintf("it says that it is line %d", line.N), nil)
	}
	if line.End != nil {
		return PortableRecord{}, d.finish(line, raw, sum)
	}
	if err := d.chain.check.accept(line.PortableRecord); err != nil {
		return PortableRecord{}, d.chain.fail("refused", err)
	}
	d.line, d.offset = d.chain.line+1, d.chain.offset
	d.chain.advance(raw, sum)
	return line.PortableRecord, nil
}

// finish holds the last line against all that was read, and returns io.EOF when that is the end.
func (d *PortableDecoder) finish(line portableLine, raw []byte, sum [portableSumSize]byte) error {
	switch {
	case line.PortableRecord != PortableRecord{}:
		return d.chain.fail("an end and a record at once", nil)
	case line.End.Counts != d.chain.check.counts:
		return d.chain.fail("the end counts other records", nil)
	case line.End.Digest != d.chain.total():
		return d.chain.fail("the end has the digest of another stream", nil)
	}
	if err := d.chain.check.complete(); err != nil {
		return d.chain.fail("refused", err)
	}
	d.line, d.offset = d.chain.line+1, d.chain.offset
	d.chain.advance(raw, sum)
	switch _, err := d.r.ReadByte(); {
	case err == nil:
		return d.chain.fail("something is behind the end", nil)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("read a portable stream: %w", err)
	}
	return io.EOF
}

// next reads a line and holds it against its checksum.
func (d *PortableDecoder) next() (line []byte, sum [portableSumSize]byte, err error) {
	if line, err = d.readLine(); err != nil {
		return nil, sum, err
	}
	sum, err = d.verify(line)
	return line, sum, err
}

func (d *PortableDecoder) verify(line []byte) (sum [portableSumSize]byte, err error) {
	if len(line) < portableTail {
		return sum, d.chain.fail("too short for a checksum", nil)
	}
	body, tail := line[:len(line)-portableTail], line[len(line)-portableTail:]
	sum = d.chain.next(body)
	want := append(hex.AppendEncode([]byte(portableSum), sum[:]), portableSumEnd...)
	if !bytes.Equal(tail, want) {
		return sum, d.chain.fail("the checksum does not fit: the line is damaged, or one before it is missing", nil)
	}
	return sum, nil
}

// readLine returns the next line with its end, until the next call.
func (d *PortableDecoder) readLine() ([]byte, error) {
	d.buffer = d.buffer[:0]
	for {
		piece, err := d.r.ReadSlice('\n')
		if len(d.buffer)+len(piece) > maxPortableLine {
			return nil, d.chain.fail(fmt.Sprintf("longer than %d bytes", maxPortableLine), nil)
		}
		d.buffer = append(d.buffer, piece...)
		switch {
		case err == nil:
			return d.buffer, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return d.buffer, d.chain.fail("the stream ends before its end", nil)
		default:
			return nil, fmt.Errorf("read a portable stream: %w", err)
		}
	}
}
