package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"github.com/zeebo/blake3"

	"github.com/lashstore/lashstore"
	"github.com/lashstore/lashstore/db"
)

// PutBlob stores content by its hash and spares it until one more commit has been made.
func (s *Store) PutBlob(ctx context.Context, d lashstore.ArtifactDescriptor, content []byte) (lashstore.Hash, error) {
	b, err := s.encodeGiven("blob", d, content)
	if err != nil {
		return lashstore.Hash{}, err
	}
	err = s.update(ctx, func(t *tx) error {
		created, err := t.putBlob(b)
		if err != nil || created {
			return err
		}
		_, err = t.q.BlobTouch(t.Context(), db.BlobTouchParams{Hash: b.hash[:], Revision: int64(t.state.revision)})
		return err
	})
	if err != nil {
		return lashstore.Hash{}, err
	}
	return b.hash, nil
}

// encodeGiven judges and encodes content that a caller gave outside a commit.
func (s *Store) encodeGiven(field string, d lashstore.ArtifactDescriptor, content []byte) (encodedBlob, error) {
	if err := d.Validate(field); err != nil {
		return encodedBlob{}, err
	}
	if len(content) > lashstore.MaxValueSize {
		return encodedBlob{}, &lashstore.TooLargeError{Field: field, Size: int64(len(content)), Max: lashstore.MaxValueSize}
	}
	return encode(s.options.Profile, d, content), nil
}

// putBlob stores b unless it is there, and reports whether it was not.
func (t *tx) putBlob(b encodedBlob) (bool, error) {
	content := b.content
	if content == nil {
		content = []byte{} // nil would be NULL
	}
	n, err := t.q.BlobCreate(t.Context(), db.BlobCreateParams{
		Hash: b.hash[:], Kind: string(b.descriptor.Kind), Codec: b.codec, Size: int64(b.size),
		Revision: int64(t.state.revision), CreatedAtMS: t.now(), Content: content,
	})
	return n == 1, err
}

// Blob returns the plain content of a blob, checked against its hash.
func (s *Store) Blob(ctx context.Context, hash lashstore.Hash) ([]byte, error) {
	var content []byte
	err := s.view(ctx, func(t *tx) error {
		b, err := t.blob(hash, "the caller")
		content = b.content
		return err
	})
	return content, err
}

type plainBlob struct {
	kind    lashstore.BlobKind
	size    int64
	content []byte
}

// blob reads a blob that namedBy names. MissingBlobError, CorruptError.
func (t *tx) blob(hash lashstore.Hash, namedBy string) (plainBlob, error) {
	row, err := t.q.BlobGet(t.Context(), hash[:])
	if errors.Is(err, sql.ErrNoRows) {
		return plainBlob{}, &lashstore.MissingBlobError{Hash: hash, NamedBy: namedBy}
	}
	if err != nil {
		return plainBlob{}, err
	}
	content, err := decode(hash, row.Codec, row.Size, row.Content)
	if err != nil {
		return plainBlob{}, fmt.Errorf("%s: %w", namedBy, err)
	}
	if content == nil {
		content = []byte{}
	}
	return plainBlob{kind: lashstore.BlobKind(row.Kind), size: row.Size, content: content}, nil
}

// blobInfo finds a blob that namedBy names. MissingBlobError.
func (t *tx) blobInfo(hash lashstore.Hash, namedBy string) (db.BlobInfoRow, error) {
	row, err := t.q.BlobInfo(t.Context(), hash[:])
	if errors.Is(err, sql.ErrNoRows) {
		err = &lashstore.MissingBlobError{Hash: hash, NamedBy: namedBy}
	}
	return row, err
}

// OpenBlob returns the plain content of a blob as a stream.
func (s *Store) OpenBlob(ctx context.Context, hash lashstore.Hash) (io.ReadCloser, lashstore.BlobInfo, error) {
	var row db.BlobInfoRow
	err := s.view(ctx, func(t *tx) error {
		var err error
		row, err = t.blobInfo(hash, "the caller")
		return err
	})
	if err != nil {
		return nil, lashstore.BlobInfo{}, err
	}
	info := lashstore.BlobInfo{
		Hash: hash, Kind: lashstore.BlobKind(row.Kind), Codec: row.Codec, Size: row.Size, StoredSize: row.StoredSize,
	}
	stored := &storedReader{ctx: ctx, store: s, hash: hash, rowID: row.BlobID, size: row.StoredSize}
	plain, closePlain, err := decodeStream(row.Codec, stored)
	if err != nil {
		return nil, info, corruptBlob(hash, err.Error())
	}
	return &blobReader{info: info, plain: plain, closePlain: closePlain, stored: stored, sum: blake3.New()}, info, nil
}

// streamChunk is how much of a stored blob one snapshot reads: content never changes, so that the pieces need no common
// one, and no snapshot stays open while the caller is busy.
const streamChunk = 256 << 10

// storedReader reads the stored bytes of a blob, piece by piece.
type storedReader struct {
	ctx         context.Context
	store       *Store
	hash        lashstore.Hash
	rowID, size int64
	offset      int64
	buffer      []byte // for every piece, one after the other
	chunk       []byte // what is left of the piece
	err         error  // what ended the stream, when it was not its end
}

func (r *storedReader) Read(p []byte) (int, error) {
	if len(r.chunk) == 0 {
		if r.offset >= r.size {
			return 0, io.EOF
		}
		if r.err = r.fetch(); r.err != nil {
			return 0, r.err
		}
	}
	n := copy(p, r.chunk)
	r.chunk = r.chunk[n:]
	return n, nil
}

func (r *storedReader) fetch() error {
	if r.buffer == nil {
		r.buffer = make([]byte, min(streamChunk, r.size))
	}
	chunk := r.buffer[:min(streamChunk, r.size-r.offset)]
	err := r.store.view(r.ctx, func(t *tx) error {
		// It may have been collected since the last piece, and its row's number given to another.
		row, err := t.blobInfo(r.hash, "the caller")
		if err != nil {
			return err
		}
		if row.BlobID != r.rowID || row.StoredSize != r.size {
			return &lashstore.MissingBlobError{Hash: r.hash, NamedBy: "a stream of what was collected and put anew"}
		}
		n, err := t.ReadBlobAt("blobs", "content", r.rowID, chunk, r.offset)
		if err == nil && n < len(chunk) {
			err = &lashstore.CorruptError{What: "blob", Key: "stream", Reason: "shorter than it was"}
		}
		return err
	})
	if err != nil {
		return err
	}
	r.chunk, r.offset = chunk, r.offset+int64(len(chunk))
	return nil
}

// blobReader hands out plain content and judges it at its end.
type blobReader struct {
	info       lashstore.BlobInfo
	plain      io.Reader
	closePlain func()
	stored     *storedReader
	sum        *blake3.Hasher
	read       int64
	closed     bool
}

func (r *blobReader) Read(p []byte) (int, error) {
	if r.closed {
		return 0, lashstore.ErrClosed
	}
	n, err := r.plain.Read(p)
	r.read += int64(n)
	if _, hashErr := r.sum.Write(p[:n]); hashErr != nil {
		return n, hashErr
	}
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF) && r.stored.err == nil:
		return n, r.judge()
	case r.stored.err != nil:
		return n, r.stored.err // not what the decoder made of it
	default:
		return n, corruptBlob(r.info.Hash, err.Error())
	}
}

func (r *blobReader) judge() error {
	var sum lashstore.Hash
	r.sum.Sum(sum[:0])
	if r.read != r.info.Size || sum != r.info.Hash {
		return corruptBlob(r.info.Hash, "content does not match its hash")
	}
	return io.EOF
}

// Close ends the stream.
func (r *blobReader) Close() error {
	if !r.closed {
		r.closed = true
		r.closePlain()
	}
	return nil
}
