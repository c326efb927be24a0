package lashstore_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore/testsuite"
)

// clauses returns the numbers that the contract's document explains. None is there twice.
func clauses(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("docs/contract.md")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^- \*\*([0-9A-Z.]+)\*\* \S`).FindAllStringSubmatch(string(text), -1) {
		assert.False(t, found[m[1]], "%s is there twice", m[1])
		found[m[1]] = true
	}
	return found
}

// 1. Every clause that a case of the kit proves is explained, by number in docs/contract.md, or by the doc comment of a
// name of the contract.
// 2. So is every number that Go files mention.
func TestEveryClauseIsExplained(t *testing.T) {
	t.Parallel()
	explained, named := clauses(t), contractNames(t)
	for _, c := range testsuite.SessionCases() {
		for _, clause := range strings.Split(c.Clause, ", ") {
			assert.True(t, explained[clause] || named[clause], "%s proves %q, which is nowhere explained", c.Name, clause)
		}
	}
	number := regexp.MustCompile(`\b(?:8\.[A-G]\.|10\.W)\d+`)
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, clause := range number.FindAllString(string(text), -1) {
			assert.True(t, explained[clause], "%s mentions %s, which is nowhere explained", path, clause)
		}
		return err
	}))
}

// contractNames are the names that the contract declares, and their fields and methods, alone and behind their type's.
func contractNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[d.Name.Name] = true
				if d.Recv != nil {
					names[typeName(d.Recv.List[0].Type)+"."+d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					addNames(names, spec)
				}
			}
		}
	}
	return names
}

func addNames(names map[string]bool, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, n := range spec.Names {
			names[n.Name] = true
		}
	case *ast.TypeSpec:
		names[spec.Name.Name] = true
		var fields *ast.FieldList
		switch of := spec.Type.(type) {
		case *ast.StructType:
			fields = of.Fields
		case *ast.InterfaceType:
			fields = of.Methods
		default:
			return
		}
		for _, f := range fields.List {
			for _, n := range f.Names {
				names[n.Name], names[spec.Name.Name+"."+n.Name] = true, true
			}
		}
	}
}
