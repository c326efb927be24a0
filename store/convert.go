package store

import (
	"encoding/json"
	"time"

	"github.com/lashstore/lashstore"
)

// What generated rows have as pointers, the contract has as zero values.

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// optional returns nil for a zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func optionalJSON(v json.RawMessage) *string {
	if v == nil {
		return nil
	}
	s := string(v)
	return &s
}

// rawJSON returns stored JSON; what is none is damage.
func rawJSON(s *string, what, key string) (json.RawMessage, error) {
	if s == nil {
		return nil, nil
	}
	raw := json.RawMessage(*s)
	if !json.Valid(raw) {
		return nil, &lashstore.CorruptError{What: what, Key: key, Reason: "stored JSON is none"}
	}
	return raw, nil
}

// storedHash returns a stored hash; another length is damage.
func storedHash(b []byte, what, key string) (lashstore.Hash, error) {
	h, err := lashstore.HashFromBytes(b)
	if err != nil {
		return h, &lashstore.CorruptError{What: what, Key: key, Reason: err.Error()}
	}
	return h, nil
}

func optionalHash(b []byte, what, key string) (lashstore.Hash, error) {
	if b == nil {
		return lashstore.Hash{}, nil
	}
	return storedHash(b, what, key)
}

// hashBytes returns nil, which is stored as NULL, for the zero hash.
func hashBytes(h lashstore.Hash) []byte {
	if h.IsZero() {
		return nil
	}
	return h[:]
}

// createdAt returns at as it is stored, now for the zero time.
func createdAt(at time.Time, now int64) int64 {
	if at.IsZero() {
		return now
	}
	return lashstore.Millis(at)
}
