package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/lashstore/lashstore"
)

func ExampleStore_OpenBlob() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	ref, err := s.PutBlob(ctx, lashstore.GenericBlob, []byte("content of any size"))
	if err != nil {
		log.Fatal(err)
	}
	stream, info, err := s.OpenBlob(ctx, ref)
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	content, err := io.ReadAll(stream)
	fmt.Println(string(content), info.Size, err)
	// Output: content of any size 19 <nil>
}

// The same content is stored once. What nothing names is spared until one more commit has been made.
func ExampleStore_PutBlob() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	first, err := s.PutBlob(ctx, lashstore.GenericBlob, []byte("content"))
	if err != nil {
		log.Fatal(err)
	}
	second, err := s.PutBlob(ctx, lashstore.GenericBlob, []byte("content"))
	fmt.Println(first == second, err)
	content, err := s.Blob(ctx, first)
	fmt.Println(string(content), err)
	_, err = s.Blob(ctx, lashstore.HashOf([]byte("nobody put this")))
	fmt.Println(errors.Is(err, lashstore.ErrMissingBlob))
	// Output:
	// true <nil>
	// content <nil>
	// true
}

func ExampleStore_PutArtifact() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	key := lashstore.ArtifactKey{Namespace: lashstore.NamespaceTriggerManifest, Key: "owner-1"}
	for _, manifest := range []string{`{"a":1}`, `{"a":1,"b":2}`} {
		_, previous, err := s.PutArtifact(ctx, key, lashstore.GenericBlob, []byte(manifest))
		if err != nil {
			log.Fatal(err)
		}
		var before json.RawMessage
		if previous != nil {
			before = previous.Content
		}
		diff, err := lashstore.DiffManifests(before, json.RawMessage(manifest))
		fmt.Println(previous != nil, diff.Added, err)
	}
	// Output:
	// false [] <nil>
	// true [b] <nil>
}

// An artifact lives as long as its key.
func ExampleStore_Artifact() {
	ctx := context.Background()
	s := exampleStore()
	defer s.Close()
	key := lashstore.ArtifactKey{Namespace: lashstore.NamespaceModule, Key: "weather"}
	if _, _, err := s.PutArtifact(ctx, key, lashstore.ModuleArtifact, []byte("code")); err != nil {
		log.Fatal(err)
	}
	a, err := s.Artifact(ctx, key)
	fmt.Println(string(a.Content), a.Kind, err)
	list, err := s.Artifacts(ctx, lashstore.NamespaceModule)
	fmt.Println(len(list), list[0].Key, list[0].Content == nil, err)
	deleted, err := s.DeleteArtifact(ctx, key)
	fmt.Println(deleted, err)
	_, err = s.Artifact(ctx, key)
	fmt.Println(errors.Is(err, lashstore.ErrArtifactNotFound))
	// Output:
	// code module <nil>
	// 1 module/weather true <nil>
	// true <nil>
	// true
}
