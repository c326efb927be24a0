package lashstore_test

import (
	"encoding/json"
	"fmt"

	"github.com/lashstore/lashstore"
)

func ExampleArtifactKey() {
	key := lashstore.ArtifactKey{Namespace: lashstore.NamespaceModule, Key: "weather@2"}
	fmt.Println(key.String(), key.Validate())
	fmt.Println(lashstore.ArtifactKey{Namespace: "No Name", Key: "x"}.Validate())
	// Output:
	// module/weather@2 <nil>
	// invalid artifact.namespace: "No Name" has other characters than a-z, 0-9 and _
}

func ExampleDiffManifests() {
	diff, err := lashstore.DiffManifests(json.RawMessage(`{"a":1,"b":2}`), json.RawMessage(`{"b":3,"c":4}`))
	fmt.Println(diff.Added, diff.Removed, diff.Changed, err)
	// Output: [c] [a] [b] <nil>
}

func ExampleArtifactDescriptor() {
	var nothing lashstore.ArtifactDescriptor
	fmt.Println(nothing.OrGeneric().Kind, nothing.Validate("artifact"))
	fmt.Println(lashstore.ArtifactDescriptor{Kind: "My Kind"}.Validate("artifact"))
	// Output:
	// generic <nil>
	// invalid artifact.kind: "My Kind" has other characters than a-z, 0-9 and _
}

// What is compressed depends on the profile, on the description of the content, and on its size.
func ExampleCompressionProfile() {
	fmt.Println(lashstore.ProfileBalanced.Compresses(lashstore.ToolState, 8<<10))
	fmt.Println(lashstore.ProfileBalanced.Compresses(lashstore.ToolState, 2<<10))
	fmt.Println(lashstore.ProfileCompact.Compresses(lashstore.ToolState, 2<<10))
	fmt.Println(lashstore.CompressionProfile("tiny").Validate())
	// Output:
	// true
	// false
	// true
	// invalid profile: "tiny" is none of low_latency, balanced, compact
}
