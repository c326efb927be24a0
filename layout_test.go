package lashstore_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/lashstore/lashstore"

// mayImport is the layout: which packages of the module each may import. Imports point one way.
var mayImport = map[string][]string{
	"":                       {},
	"/db":                    {""},
	"/internal/sqlitedb":     {"", "/db"},
	"/internal/lease":        {"", "/db", "/internal/sqlitedb"},
	"/internal/testdb":       {"", "/internal/sqlitedb"}, // for tests alone
	"/internal/refstore":     {""},
	"/internal/conversation": {""},
	"/store":                 {"", "/db", "/internal/sqlitedb", "/internal/lease"},
	"/testsuite":             {""},
	"/cmd/lashstore":         {"", "/store", "/internal/conversation"},
}

// ownersOf says which packages alone may import something from outside.
var ownersOf = map[string][]string{
	"github.com/ncruces/":            {"/internal/sqlitedb"},
	"database/sql":                   {"/db", "/internal/sqlitedb", "/internal/testdb", "/store"},
	"github.com/klauspost/compress":  {"/store"},
	"github.com/spf13/cobra":         {"/cmd/lashstore"},
	"github.com/mattn/go-runewidth":  {"/cmd/lashstore"},
	"github.com/clipperhouse/uax29":  {"/cmd/lashstore"},
	"github.com/stretchr/testify":    {},
	"github.com/go-json-experiment/": {"", "/internal/conversation", "/cmd/lashstore"},
	"github.com/zeebo/blake3":        {"", "/store"},
}

// 1. Imports within the module follow the layout; examples may import whatever a user may.
// 2. The driver, database/sql and every other dependency stay where they belong.
func TestImportsFollowTheLayout(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module)
		allowed, known := mayImport[pkg]
		if strings.HasPrefix(pkg, "/examples/") {
			allowed, known = []string{"", "/store"}, true
		}
		assert.True(t, known, "package %s has no place in the layout", fields[0])
		for _, imported := range fields[1:] {
			if inner, ok := strings.CutPrefix(imported, module); ok {
				assert.Contains(t, allowed, inner, "%s must not import %s", fields[0], imported)
			}
			for prefix, owners := range ownersOf {
				if strings.HasPrefix(imported, prefix) {
					assert.True(t, slices.Contains(owners, pkg), "%s must not import %s", fields[0], imported)
				}
			}
		}
	}
}

// What the documents say is shown by a test is shown by a test that is there.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		code.Write(data)
		return err
	}))
	name := regexp.MustCompile("`(Test[A-Z][A-Za-z_]+|Example[A-Z][A-Za-z_]*|Kit/[A-Za-z/]+)`")
	named := 0
	for _, doc := range []string{"docs/acceptance.md", "docs/guarantees.md"} {
		data, err := os.ReadFile(doc)
		require.NoError(t, err)
		for _, m := range name.FindAllStringSubmatch(string(data), -1) {
			named++
			want := "func " + m[1] + "("
			if inKit, ok := strings.CutPrefix(m[1], "Kit/"); ok {
				want = "{\"" + inKit + "\", "
			}
			assert.True(t, strings.Contains(code.String(), want), "%s names %s, which is nowhere", doc, m[1])
		}
	}
	assert.Greater(t, named, 40)
}
