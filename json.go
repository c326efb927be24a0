package lashstore

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxJSONDepth is how deep JSON values may nest.
const MaxJSONDepth = 500

// ValidateJSON accepts one JSON value of at most MaxValueSize bytes and MaxJSONDepth levels, as RFC 7493 (I-JSON) has
// it: valid UTF-8, no lone surrogates, no repeated object names. The error is an InvalidError or a TooLargeError for
// field.
func ValidateJSON(field string, value json.RawMessage) error {
	if len(value) == 0 {
		return &InvalidError{Field: field, Reason: "no JSON value"}
	}
	if len(value) > MaxValueSize {
		return &TooLargeError{Field: field, Size: int64(len(value)), Max: MaxValueSize}
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(value))
	if _, err := d.ReadValue(); err != nil {
		return &InvalidError{Field: field, Reason: jsonReason(err)}
	}
	if rest := bytes.TrimLeft(value[d.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return &InvalidError{Field: field, Reason: "more than one JSON value"}
	}
	if depth := jsonDepth(value); depth > MaxJSONDepth {
		return &TooLargeError{Field: field + " nesting", Size: int64(depth), Max: MaxJSONDepth}
	}
	return nil
}

// jsonDepth returns how deep valid JSON nests.
func jsonDepth(valid []byte) int {
	deepest, depth := 0, 0
	for i := 0; i < len(valid); i++ {
		switch valid[i] {
		case '"':
			i = stringEnd(valid, i) - 1
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth--
		}
	}
	return deepest
}

func jsonReason(err error) string { return strings.TrimPrefix(err.Error(), "jsontext: ") }

// validateOptionalJSON accepts an absent value too.
func validateOptionalJSON(field string, value json.RawMessage) error {
	if value == nil {
		return nil
	}
	return ValidateJSON(field, value)
}

// validateTogether refuses values that are too large as one record, each of which may pass alone.
func validateTogether(field string, most int, values ...json.RawMessage) error {
	total := 0
	for _, v := range values {
		total += len(v)
	}
	if total > most {
		return &TooLargeError{Field: field, Size: int64(total), Max: int64(most)}
	}
	return nil
}

// CanonicalJSON returns value in the form of RFC 8785, the form in which JSON is hashed and compared: no white space,
// object names sorted, strings and numbers in one spelling. One thing differs, because hashing must never make two
// values one: a number that a double cannot hold exactly keeps all its digits (as digits and a power of ten) where
// RFC 8785 would round it. It does not change value.
func CanonicalJSON(value json.RawMessage) ([]byte, error) {
	if err := ValidateJSON("json", value); err != nil {
		return nil, err
	}
	return canonicalize(value)
}

// canonicalize is CanonicalJSON for a value that was validated before.
func canonicalize(value json.RawMessage) ([]byte, error) {
	v := jsontext.Value(bytes.Clone(value))
	if err := v.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)); err != nil {
		return nil, &InvalidError{Field: "json", Reason: jsonReason(err)}
	}
	return canonicalNumbers(v), nil
}

// EqualJSON reports whether both are valid and the same value.
func EqualJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	ca, errA := CanonicalJSON(a)
	cb, errB := CanonicalJSON(b)
	return errA == nil && errB == nil && bytes.Equal(ca, cb)
}

// canonicalNumbers rewrites every number of compact, valid JSON. Outside strings, a digit or a minus sign starts one.
func canonicalNumbers(compact []byte) []byte {
	out := make([]byte, 0, len(compact))
	for i := 0; i < len(compact); {
		switch c := compact[i]; {
		case c == '"':
			end := stringEnd(compact, i)
			out = append(out, compact[i:end]...)
			i = end
		case c == '-' || c >= '0' && c <= '9':
			end := i + 1
			for end < len(compact) && strings.IndexByte("0123456789+-.eE", compact[end]) >= 0 {
				end++
			}
			out = append(out, canonicalNumber(string(compact[i:end]))...)
			i = end
		default:
			out = append(out, c)
			i++
		}
	}
	return out
}

// stringEnd returns the index behind the string literal that starts at i.
func stringEnd(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// canonicalNumber is the RFC 8785 spelling of raw where that names the same number, else all of raw's digits.
func canonicalNumber(raw string) string {
	if f, err := strconv.ParseFloat(raw, 64); err == nil {
		if f == 0 {
			f = 0 // not -0
		}
		short := string(jsontext.AppendFloat(nil, f, 64))
		if short == raw || exactDecimal(short) == exactDecimal(raw) {
			return short
		}
	}
	return exactDecimal(raw).String()
}

// decimal is a number as digits without zeros at either end, times ten to the power of exponent.
type decimal struct {
	negative bool
	digits   string // "" is zero
	exponent int64
	raw      string // set, alone, when the exponent is beyond reason
}

func exactDecimal(raw string) decimal {
	var d decimal
	s := raw
	d.negative = strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		exponent, err := strconv.ParseInt(s[at+1:], 10, 32)
		if err != nil {
			return decimal{raw: raw}
		}
		d.exponent, s = exponent, s[:at]
	}
	if at := strings.IndexByte(s, '.'); at >= 0 {
		d.exponent -= int64(len(s) - at - 1)
		s = s[:at] + s[at+1:]
	}
	trimmed := strings.TrimRight(s, "0")
	d.exponent += int64(len(s) - len(trimmed))
	d.digits = strings.TrimLeft(trimmed, "0")
	if d.digits == "" {
		return decimal{}
	}
	return d
}

func (d decimal) String() string {
	if d.raw != "" {
		return d.raw
	}
	s := d.digits + "e" + strconv.FormatInt(d.exponent, 10)
	if d.negative {
		return "-" + s
	}
	return s
}
