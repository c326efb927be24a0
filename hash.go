package lashstore

import (
	"encoding/hex"
	"fmt"

	"github.com/zeebo/blake3"
)

// HashSize is the length of a Hash in bytes.
const HashSize = 32

// Hash is the BLAKE3-256 of some plain (uncompressed) content. It names blobs, checkpoints and commits. The zero Hash
// names nothing.
type Hash [HashSize]byte

// HashOf returns the hash of content.
func HashOf(content []byte) Hash { return blake3.Sum256(content) }

// ParseHash reads the form that String writes: 64 hexadecimal digits.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != 2*HashSize {
		return h, &InvalidError{Field: "hash", Reason: fmt.Sprintf("%d characters, want %d hexadecimal digits", len(s), 2*HashSize)}
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, &InvalidError{Field: "hash", Reason: err.Error()}
	}
	return h, nil
}

// HashFromBytes copies a stored hash. It refuses any other length than HashSize.
func HashFromBytes(b []byte) (Hash, error) {
	if len(b) != HashSize {
		return Hash{}, &InvalidError{Field: "hash", Reason: fmt.Sprintf("%d bytes, want %d", len(b), HashSize)}
	}
	return Hash(b), nil
}

// IsZero reports whether h names nothing.
func (h Hash) IsZero() bool { return h == Hash{} }

// String returns h as 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Short returns the first 12 digits of String, for people.
func (h Hash) Short() string { return hex.EncodeToString(h[:6]) }

// MarshalText writes the form of String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the form of String.
func (h *Hash) UnmarshalText(text []byte) error {
	parsed, err := ParseHash(string(text))
	if err != nil {
		return err
	}
	*h = parsed
	return nil
}
