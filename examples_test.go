package lashstore_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// surface is what a package exports, and what its examples show of it.
type surface struct {
	functions map[string][]string // by name, the types they return
	methods   map[string][]string // by type
	examples  map[string]map[string]bool
}

// notShown are methods that others call: fmt, errors and encoding.
var notShown = []string{"Error", "Is", "Unwrap", "MarshalText", "UnmarshalText"}

// Of the packages that users import:
//
//  1. Every exported function has an example of its own name, or is called in one of the package's.
//  2. Every exported method has one too, or is called in an example that bears the name of its type, or of a function
//     that returns it.
//  3. Every example says what it prints, and so is run.
//
// Types without methods, constants and errors are shown by what takes or returns them. What is called is told by its name.
func TestEveryEntryPointHasAnExample(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{".", "store", "testsuite"} {
		s := readSurface(t, dir)
		for name := range s.functions {
			assert.True(t, s.shows(name, func(string) bool { return true }), "%s: no example shows %s", dir, name)
		}
		for typeName, methods := range s.methods {
			prefixes := []string{typeName}
			for name, results := range s.functions {
				if slices.Contains(results, typeName) {
					prefixes = append(prefixes, name)
				}
			}
			for _, method := range methods {
				assert.True(t, s.examples[typeName+"_"+method] != nil || s.shows(method, func(example string) bool {
					of, _, _ := strings.Cut(example, "_")
					return slices.Contains(prefixes, of)
				}), "%s: no example shows %s.%s", dir, typeName, method)
			}
		}
	}
}

// shows reports whether an example of that name calls name, or bears it.
func (s *surface) shows(name string, of func(example string) bool) bool {
	for example, calls := range s.examples {
		if of(example) && (calls[name] || example == name) {
			return true
		}
	}
	return false
}

func readSurface(t *testing.T, dir string) *surface {
	t.Helper()
	s := &surface{functions: map[string][]string{}, methods: map[string][]string{}, examples: map[string]map[string]bool{}}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if example, ok := strings.CutPrefix(fn.Name.Name, "Example"); ok && strings.HasSuffix(file, "_test.go") {
				s.examples[example] = calls(fn)
				assert.True(t, printsSomething(parsed, fn), "%s: Example%s does not say what it prints", file, example)
			} else if fn.Name.IsExported() && !strings.HasSuffix(file, "_test.go") {
				s.add(fn)
			}
		}
	}
	require.NotEmpty(t, s.functions)
	require.NotEmpty(t, s.examples)
	return s
}

func (s *surface) add(fn *ast.FuncDecl) {
	if fn.Recv == nil {
		var results []string
		if fn.Type.Results != nil {
			for _, r := range fn.Type.Results.List {
				results = append(results, typeName(r.Type))
			}
		}
		s.functions[fn.Name.Name] = results
	} else if of := typeName(fn.Recv.List[0].Type); ast.IsExported(of) && !slices.Contains(notShown, fn.Name.Name) {
		s.methods[of] = append(s.methods[of], fn.Name.Name)
	}
}

// typeName is the name of a type of the package itself, or of a pointer to one; "" for others.
func typeName(e ast.Expr) string {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if name, ok := e.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// calls lists what an example calls through a package or a value.
func calls(fn *ast.FuncDecl) map[string]bool {
	found := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
				found[selector.Sel.Name] = true
			}
		}
		return true
	})
	return found
}

func printsSomething(file *ast.File, fn *ast.FuncDecl) bool {
	return slices.ContainsFunc(file.Comments, func(c *ast.CommentGroup) bool {
		return c.Pos() > fn.Pos() && c.End() < fn.End() && strings.HasPrefix(c.Text(), "Output:")
	})
}
