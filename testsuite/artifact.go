package testsuite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/lashstore/lashstore"
)

func artifactCases() []Case {
	return []Case{
		{"Artifact/RoundTrip", "8.E.86, 8.E.90", artifactRoundTrip},
		{"Artifact/MissingIsAnError", "8.E.86", artifactMissingIsAnError},
		{"Artifact/OverwriteReturnsThePrevious", "8.E.87, 8.E.91", artifactOverwriteReturnsThePrevious},
		{"Artifact/ManifestsDiffer", "8.E.93", artifactManifestsDiffer},
		{"Artifact/NamespacesAreDisjoint", "8.E.92, 8.E.95", artifactNamespacesAreDisjoint},
		{"Artifact/ListsByKey", "ArtifactStore.Artifacts", artifactListsByKey},
		{"Artifact/Deletes", "ArtifactStore.DeleteArtifact", artifactDeletes},
		{"Artifact/IsARootOfTheGC", "3.4", artifactIsARootOfTheGC},
		{"Artifact/MalformedKeyRefused", "ArtifactKey.Validate", artifactMalformedKeyRefused},
	}
}

var moduleKey = lashstore.ArtifactKey{Namespace: lashstore.NamespaceModule, Key: "main"}

// install puts an artifact and wants back what the key pointed to; nil for nothing.
func (f *fixture) install(key lashstore.ArtifactKey, content []byte, previous []byte) {
	f.t.Helper()
	ref, before, err := f.PutArtifact(f.ctx, key, lashstore.ModuleArtifact, content)
	f.ok("put "+key.String(), err)
	equal(f.t, "reference", ref, lashstore.HashOf(content))
	if previous == nil {
		equal(f.t, "previous of "+key.String(), before, nil)
		return
	}
	if before == nil {
		f.t.Fatalf("no previous of %s", key)
	}
	equal(f.t, "previous of "+key.String(), *before, f.stored(key, previous))
}

// stored is the artifact that install makes.
func (f *fixture) stored(key lashstore.ArtifactKey, content []byte) lashstore.Artifact {
	return lashstore.Artifact{
		Key: key, Ref: lashstore.HashOf(content), Kind: lashstore.BlobModule, Size: int64(len(content)), Content: content,
	}
}

func (f *fixture) artifact(key lashstore.ArtifactKey) lashstore.Artifact {
	f.t.Helper()
	a, err := f.Artifact(f.ctx, key)
	f.ok("artifact "+key.String(), err)
	return a
}

func artifactRoundTrip(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for what, content := range contents {
		key := lashstore.ArtifactKey{Namespace: "ns_1", Key: "../" + what + " ünï"}
		f.install(key, content, nil)
		equal(t, what, f.artifact(key), f.stored(key, content))
		equal(t, what+" on a second handle", f.other().artifact(key), f.stored(key, content))
	}
}

func artifactMissingIsAnError(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.install(moduleKey, []byte("x"), nil)
	for _, key := range []lashstore.ArtifactKey{{Namespace: "module", Key: "other"}, {Namespace: "other", Key: "main"}, {Namespace: "module", Key: "mai"}} {
		_, err := f.Artifact(f.ctx, key)
		is(t, key.String(), err, lashstore.ErrArtifactNotFound)
	}
}

func artifactOverwriteReturnsThePrevious(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	versions := [][]byte{[]byte("version 1"), {}, []byte("version 3"), []byte("version 1"), []byte("version 1")}
	var previous []byte
	for _, content := range versions {
		f.install(moduleKey, content, previous)
		equal(t, "artifact", f.artifact(moduleKey), f.stored(moduleKey, content))
		previous = content
	}
}

func artifactManifestsDiffer(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	key := lashstore.ArtifactKey{Namespace: lashstore.NamespaceTriggerManifest, Key: "owner"}
	replace := func(next string) lashstore.KeyDiff {
		t.Helper()
		_, before, err := f.PutArtifact(f.ctx, key, lashstore.GenericBlob, []byte(next))
		f.ok("put", err)
		var previous json.RawMessage
		if before != nil {
			previous = before.Content
		}
		diff, err := lashstore.DiffManifests(previous, json.RawMessage(next))
		f.ok("difference", err)
		return diff
	}
	equal(t, "first installation", replace(`{"a":1,"b":{"x":1},"c":3}`), lashstore.KeyDiff{})
	equal(t, "replacement", replace(`{"b":{"x":2},"c":3.0,"d":4}`), lashstore.KeyDiff{
		Added: []string{"d"}, Removed: []string{"a"}, Changed: []string{"b"},
	})
	equal(t, "current", string(f.artifact(key).Content), `{"b":{"x":2},"c":3.0,"d":4}`)
}

func artifactNamespacesAreDisjoint(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	namespaces := []string{
		lashstore.NamespaceModule, lashstore.NamespaceModuleArtifact, lashstore.NamespaceProcessEnv, lashstore.NamespaceTriggerManifest,
	}
	for _, ns := range namespaces {
		f.install(lashstore.ArtifactKey{Namespace: ns, Key: "same"}, []byte(ns), nil)
	}
	for _, ns := range namespaces {
		equal(t, ns, string(f.artifact(lashstore.ArtifactKey{Namespace: ns, Key: "same"}).Content), ns)
	}
	_, err := f.DeleteArtifact(f.ctx, lashstore.ArtifactKey{Namespace: namespaces[0], Key: "same"})
	f.ok("delete", err)
	equal(t, "same key elsewhere", string(f.artifact(lashstore.ArtifactKey{Namespace: namespaces[1], Key: "same"}).Content), namespaces[1])
}

func artifactListsByKey(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	var want []lashstore.Artifact
	for _, key := range []string{"z", "a/b", "a", "ä", "Z", "10", "9"} {
		k := lashstore.ArtifactKey{Namespace: "ns", Key: key}
		f.install(k, []byte("content of "+key), nil)
		f.install(lashstore.ArtifactKey{Namespace: "ns2", Key: key}, []byte("other"), nil)
		a := f.stored(k, []byte("content of "+key))
		a.Content = nil
		want = append(want, a)
	}
	slices.SortFunc(want, func(a, b lashstore.Artifact) int { return bytes.Compare([]byte(a.Key.Key), []byte(b.Key.Key)) })
	got, err := f.Artifacts(f.ctx, "ns")
	f.ok("list", err)
	equal(t, "list", got, want)
	got, err = f.Artifacts(f.ctx, "nowhere")
	f.ok("list nothing", err)
	equal(t, "list of an empty namespace", len(got), 0)
}

func artifactDeletes(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	for _, want := range []bool{false, true, false} {
		if want {
			f.install(moduleKey, []byte("x"), nil)
		}
		deleted, err := f.DeleteArtifact(f.ctx, moduleKey)
		f.ok("delete", err)
		equal(t, "deleted", deleted, want)
		_, err = f.Artifact(f.ctx, moduleKey)
		is(t, "after deletion", err, lashstore.ErrArtifactNotFound)
	}
	f.install(moduleKey, []byte("y"), nil)
}

// What a key points to is never garbage; what it pointed to before, or until it was deleted, is.
func artifactIsARootOfTheGC(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.install(moduleKey, []byte("version 1"), nil)
	f.add(user("n", ""))
	report := f.gc(nil)
	equal(t, "roots, retained, deleted", [3]int64{report.Roots, report.Retained, report.Deleted}, [3]int64{1, 1, 0})
	f.holds("version 1", []byte("version 1"))
	f.install(moduleKey, []byte("version 2"), []byte("version 1"))
	f.add(user("m", "n"))
	equal(t, "deleted", f.gc(nil).Deleted, 1)
	f.lacks("version 1", []byte("version 1"))
	equal(t, "artifact", string(f.artifact(moduleKey).Content), "version 2")
	_, err := f.DeleteArtifact(f.ctx, moduleKey)
	f.ok("delete", err)
	equal(t, "deleted", f.gc(nil).Deleted, 1)
	f.lacks("version 2", []byte("version 2"))
}

func artifactMalformedKeyRefused(t testing.TB, h SessionHarness) {
	f := setup(t, h)
	f.install(moduleKey, []byte("x"), nil)
	before := f.snapshot()
	for _, key := range []lashstore.ArtifactKey{
		{}, {Namespace: "ns"}, {Key: "k"}, {Namespace: "Upper", Key: "k"}, {Namespace: "a/b", Key: "k"}, {Namespace: "ns", Key: "a\nb"},
		{Namespace: "ns", Key: badIDs["overlong"]}, {Namespace: "ns", Key: "\xff"},
	} {
		what := fmt.Sprintf("%.40q", key.String())
		_, _, err := f.PutArtifact(f.ctx, key, lashstore.GenericBlob, []byte("y"))
		is(t, "put "+what, err, lashstore.ErrInvalid)
		_, err = f.Artifact(f.ctx, key)
		is(t, "get "+what, err, lashstore.ErrInvalid)
		_, err = f.DeleteArtifact(f.ctx, key)
		is(t, "delete "+what, err, lashstore.ErrInvalid)
	}
	_, _, err := f.PutArtifact(f.ctx, moduleKey, lashstore.ArtifactDescriptor{Kind: "Not A Name"}, []byte("y"))
	is(t, "put of a malformed kind", err, lashstore.ErrInvalid)
	f.unchanged("after malformed keys", before)
}
