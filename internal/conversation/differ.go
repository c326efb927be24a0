package conversation

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/lashstore/lashstore"
)

// differsInMeta says what a line tells of its conversation that the session does not, or the other way round; "" for
// nothing.
func differsInMeta(stored, given Conversation) string {
	if stored.Model != given.Model {
		return fmt.Sprintf("model is %q, stored is %q", given.Model, stored.Model)
	}
	diff, err := lashstore.DiffManifests(orEmpty(stored.Extra), orEmpty(given.Extra))
	if err != nil {
		return err.Error()
	}
	var reasons []string
	for _, d := range []struct {
		names []string
		what  string
	}{{diff.Changed, "differs"}, {diff.Added, "is not stored"}, {diff.Removed, "is stored and missing here"}} {
		if len(d.names) > 0 {
			reasons = append(reasons, strings.Join(d.names, ", ")+" "+d.what)
		}
	}
	return strings.Join(reasons, "; ")
}

func orEmpty(extra json.RawMessage) json.RawMessage {
	if extra == nil {
		return json.RawMessage("{}")
	}
	return extra
}

// differsInMessages says where stored is no beginning of given; "" when it is.
func differsInMessages(stored, given []Message) string {
	for i := range min(len(stored), len(given)) {
		if !lashstore.EqualJSON(stored[i].Raw, given[i].Raw) {
			return fmt.Sprintf("message %d of %d differs from the stored one%s",
				i+1, len(given), differingMembers(stored[i].Raw, given[i].Raw))
		}
	}
	if len(stored) > len(given) {
		return fmt.Sprintf("%d messages are stored, and the input ends after %d", len(stored), len(given))
	}
	return ""
}

// differingMembers names the members in which two messages differ, without their values.
func differingMembers(stored, given json.RawMessage) string {
	diff, err := lashstore.DiffManifests(stored, given)
	if err != nil {
		return ""
	}
	names := slices.Concat(diff.Changed, diff.Added, diff.Removed)
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return " in " + strings.Join(names, ", ")
}
