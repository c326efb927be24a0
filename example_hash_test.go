package lashstore_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/lashstore/lashstore"
)

func ExampleHash() {
	h := lashstore.HashOf([]byte("content"))
	parsed, err := lashstore.ParseHash(h.String())
	fmt.Println(parsed == h, err)
	copied, err := lashstore.HashFromBytes(h[:])
	fmt.Println(copied.Short(), err)
	fmt.Println(h.IsZero(), lashstore.Hash{}.IsZero())
	// Output:
	// true <nil>
	// 3fba5250be9a <nil>
	// false true
}

func ExampleValidateID() {
	fmt.Println(lashstore.ValidateID("session_id", "team/agent 7"))
	fmt.Println(lashstore.ValidateID("session_id", "two\nlines"))
	// Output:
	// <nil>
	// invalid session_id: control character 0x0a at byte 3
}

// Times are whole milliseconds, from 1970 to the year 9999.
func ExampleFromMillis() {
	at := time.Date(2026, 5, 1, 12, 0, 0, 999_999, time.UTC)
	fmt.Println(lashstore.Millis(at), lashstore.FromMillis(lashstore.Millis(at)).Format(time.RFC3339Nano))
	fmt.Println(lashstore.ValidateTime("created_at", time.Unix(-1, 0)))
	// Output:
	// 1777636800000 2026-05-01T12:00:00Z
	// invalid created_at: before 1970
}

// JSON is stored byte for byte and compared by what it says. No digit is lost in comparing.
func ExampleEqualJSON() {
	fmt.Println(lashstore.EqualJSON(json.RawMessage(`{"a":1.0,"b":[]}`), json.RawMessage(`{ "b": [], "a": 1 }`)))
	fmt.Println(lashstore.EqualJSON(json.RawMessage(`9007199254740993`), json.RawMessage(`9007199254740992`)))
	// Output:
	// true
	// false
}

func ExampleCanonicalJSON() {
	canonical, err := lashstore.CanonicalJSON(json.RawMessage(`{ "b": 1e2, "a": "\u00e9" }`))
	fmt.Println(string(canonical), err)
	// Output: {"a":"é","b":100} <nil>
}

func ExampleValidateJSON() {
	fmt.Println(lashstore.ValidateJSON("payload", json.RawMessage(`{"a":1}`)))
	err := lashstore.ValidateJSON("payload", json.RawMessage(`{"a":1,"a":2}`))
	fmt.Println(strings.Contains(err.Error(), "duplicate"))
	// Output:
	// <nil>
	// true
}

// The schema as an auditor reads it, a section for each kind of database.
func ExampleSchemaSection() {
	ddl, err := lashstore.SchemaSection(lashstore.SessionDatabase)
	fmt.Println(strings.Count(ddl, "\nCREATE TABLE "), err)
	// Output: 12 <nil>
}

func ExampleClockFunc() {
	var clock lashstore.Clock = lashstore.ClockFunc(func() time.Time { return time.UnixMilli(1500).UTC() })
	fmt.Println(clock.Now().Format(time.RFC3339Nano))
	// Output: 1970-01-01T00:00:01.5Z
}
