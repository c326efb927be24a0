package lashstore

import (
	"fmt"
	"time"
	"unicode/utf8"
)

const (
	// MaxIDLength is the longest id, in bytes.
	MaxIDLength = 512
	// MaxValueSize is the largest single value, in bytes: a checkpoint part, an artifact, a configuration; the JSON of
	// one node (payload and cause together), and of one frame (assignment, options and cause together).
	MaxValueSize = 32 << 20
	// MaxMetaSize is how much JSON a description may have, in bytes: extra and the relation's cause together.
	MaxMetaSize = 4 << 20
	// maxInteger is the largest integer that survives JSON in every language.
	maxInteger = 1 << 53
)

// ValidateID accepts any non-empty text of at most MaxIDLength bytes that is valid UTF-8 and has no control
// characters. Path separators and dots are fine: an id never becomes a path as it is. The error is an InvalidError or
// a TooLargeError for field.
func ValidateID(field, id string) error {
	if id == "" {
		return &InvalidError{Field: field, Reason: "empty"}
	}
	if len(id) > MaxIDLength {
		return &TooLargeError{Field: field, Size: int64(len(id)), Max: MaxIDLength}
	}
	return validateText(field, id)
}

// validateText refuses what SQLite or a terminal would take for something else than text.
func validateText(field, s string) error {
	if !utf8.ValidString(s) {
		return &InvalidError{Field: field, Reason: "not valid UTF-8"}
	}
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == 0x7f {
			return &InvalidError{Field: field, Reason: fmt.Sprintf("control character %#02x at byte %d", s[i], i)}
		}
	}
	return nil
}

// ValidateTime accepts the zero time ("not given") and everything from 1970 up to the year 9999.
func ValidateTime(field string, t time.Time) error {
	if t.IsZero() {
		return nil
	}
	if t.Before(time.Unix(0, 0)) {
		return &InvalidError{Field: field, Reason: "before 1970"}
	}
	if t.Year() > 9999 {
		return &InvalidError{Field: field, Reason: "after the year 9999"}
	}
	return nil
}

// Millis returns t in milliseconds since 1970, the unit in which every time is stored.
func Millis(t time.Time) int64 { return t.UnixMilli() }

// FromMillis returns the moment ms milliseconds after 1970, in UTC.
func FromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
