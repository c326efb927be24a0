package store

import (
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/lashstore/lashstore"
)

// The codecs of stored content, as blobs.codec names them.
const (
	codecRaw  = "raw"
	codecZstd = "zstd"
)

// encodedBlob is content on its way into the blobs table.
type encodedBlob struct {
	hash       lashstore.Hash
	descriptor lashstore.ArtifactDescriptor
	codec      string
	size       int // plain
	content    []byte
}

// zstdEncoder and zstdDecoder are made on first use: a process that never compresses pays nothing for them. Both are
// safe for concurrent use in their EncodeAll and DecodeAll.
var (
	zstdEncoder = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault))
	})
	zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxDecoded))
	})
)

// maxDecoded bounds what a damaged or hostile frame may claim to hold. A manifest is a turn state and a list of parts.
const maxDecoded = lashstore.MaxValueSize + 1<<20

// encode compresses content where profile and descriptor want it, and keeps that only when it is smaller.
func encode(profile lashstore.CompressionProfile, d lashstore.ArtifactDescriptor, content []byte) encodedBlob {
	b := encodedBlob{
		hash: lashstore.HashOf(content), descriptor: d.OrGeneric(), codec: codecRaw, size: len(content), content: content,
	}
	if !profile.Compresses(d, len(content)) {
		return b
	}
	encoder, err := zstdEncoder()
	if err != nil {
		return b // plain content is always right
	}
	if packed := encoder.EncodeAll(content, nil); len(packed) < len(content) {
		b.codec, b.content = codecZstd, packed
	}
	return b
}

// decode returns the plain content of a stored blob, checked against its size and hash. Damage is a CorruptError.
func decode(hash lashstore.Hash, codec string, size int64, stored []byte) ([]byte, error) {
	plain := stored
	switch codec {
	case codecRaw:
	case codecZstd:
		decoder, err := zstdDecoder()
		if err != nil {
			return nil, fmt.Errorf("zstd decoder: %w", err)
		}
		if plain, err = decoder.DecodeAll(stored, make([]byte, 0, min(max(size, 0), maxDecoded))); err != nil {
			return nil, corruptBlob(hash, "zstd: "+err.Error())
		}
	default:
		return nil, corruptBlob(hash, "unknown codec "+codec)
	}
	if int64(len(plain)) != size {
		return nil, corruptBlob(hash, fmt.Sprintf("has %d bytes, its row says %d", len(plain), size))
	}
	if lashstore.HashOf(plain) != hash {
		return nil, corruptBlob(hash, "content does not match its hash")
	}
	return plain, nil
}

// decodeStream returns a reader of the plain content behind stored, not checked.
func decodeStream(codec string, stored io.Reader) (io.Reader, func(), error) {
	switch codec {
	case codecRaw:
		return stored, func() {}, nil
	case codecZstd:
		d, err := zstd.NewReader(stored, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(maxDecoded))
		if err != nil {
			return nil, nil, fmt.Errorf("zstd decoder: %w", err)
		}
		return d, d.Close, nil
	default:
		return nil, nil, fmt.Errorf("unknown codec %s", codec)
	}
}

func corruptBlob(hash lashstore.Hash, reason string) error {
	return &lashstore.CorruptError{What: "blob", Key: hash.String(), Reason: reason}
}
