package sqlitedb_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/lashstore/lashstore"
)

var databaseKinds = []string{lashstore.SessionDatabase, lashstore.HostDatabase, lashstore.CatalogDatabase}

// openSchema returns an empty database with one section of the schema.
func openSchema(t *testing.T, kind string) *sqlite3.Conn {
	t.Helper()
	c, err := sqlite3.Open(":memory:")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	ddl, err := lashstore.SchemaSection(kind)
	require.NoError(t, err)
	require.NoError(t, c.Exec(ddl))
	return c
}

// generatedQuery is a constant of db/*.sql.go with the number of values its method passes.
type generatedQuery struct {
	name, sql string
	arguments int
}

// generatedQueries reads package db as text: what counts is what it would send.
func generatedQueries(t *testing.T) []generatedQuery {
	t.Helper()
	files, err := filepath.Glob("../../db/*.sql.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	sql, passed := map[string]string{}, map[string]int{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if lit, ok := firstValue(n).(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, err := strconv.Unquote(lit.Value)
					require.NoError(t, err)
					sql[n.Names[0].Name] = text
				}
			case *ast.CallExpr:
				if call, ok := n.Fun.(*ast.SelectorExpr); ok && strings.HasSuffix(call.Sel.Name, "Context") && len(n.Args) >= 2 {
					if name, ok := n.Args[1].(*ast.Ident); ok {
						passed[name.Name] = len(n.Args) - 2
					}
				}
			}
			return true
		})
	}
	var list []generatedQuery
	for name, text := range sql {
		n, called := passed[name]
		require.True(t, called, "%s is never run", name)
		list = append(list, generatedQuery{name, text, n})
	}
	return list
}

func firstValue(s *ast.ValueSpec) ast.Expr {
	if len(s.Values) == 0 {
		return nil
	}
	return s.Values[0]
}

// An argument that the statement does not know, or does not get, would bind NULL without an error.
//
// 1. Each query prepares on exactly one kind of database.
// 2. It is one statement.
// 3. It has as many parameters as its method passes, and they are ?1, ?2, ... and nothing else.
func TestQueriesBindWhatTheyArePassed(t *testing.T) {
	t.Parallel()
	conns := map[string]*sqlite3.Conn{}
	for _, kind := range databaseKinds {
		conns[kind] = openSchema(t, kind)
	}
	queries := generatedQueries(t)
	require.Greater(t, len(queries), 40)
	for _, q := range queries {
		var prepared []string
		for kind, c := range conns {
			stmt, tail, err := c.Prepare(q.sql)
			if err != nil {
				continue
			}
			prepared = append(prepared, kind)
			assert.Empty(t, strings.TrimSpace(tail), "%s: more than one statement", q.name)
			assert.Equal(t, q.arguments, stmt.BindCount(), "%s: parameters", q.name)
			for i := 1; i <= stmt.BindCount(); i++ {
				assert.Equal(t, "?"+strconv.Itoa(i), stmt.BindName(i), "%s: parameter %d", q.name, i)
			}
			require.NoError(t, stmt.Close())
		}
		assert.Len(t, prepared, 1, "%s prepares on %v", q.name, prepared)
	}
}

// sqlc drops a second statement of a block in silence, and parameters of any other style than @name.
func TestQueryFilesHoldOneStatementABlock(t *testing.T) {
	t.Parallel()
	odd := regexp.MustCompile(`[^:a-zA-Z0-9_][:$][a-zA-Z_]|sqlc\.slice`)
	blocks := 0
	require.NoError(t, fs.WalkDir(lashstore.Queries, "queries", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := lashstore.Queries.ReadFile(path)
		require.NoError(t, err)
		for i, b := range data {
			require.Less(t, b, byte(0x80), "%s: not ASCII at byte %d", path, i)
		}
		for _, block := range strings.Split(string(data), "-- name: ")[1:] {
			blocks++
			name, body, _ := strings.Cut(block, "\n")
			var code []string
			for _, line := range strings.Split(body, "\n") {
				if !strings.HasPrefix(strings.TrimSpace(line), "--") {
					code = append(code, line)
				}
			}
			text := strings.Join(code, "\n")
			assert.Equal(t, 1, strings.Count(text, ";"), "%s: %s must be one statement", path, name)
			assert.NotRegexp(t, odd, text, "%s: %s", path, name)
		}
		return nil
	}))
	assert.Len(t, generatedQueries(t), blocks, "db/ is not what queries/ says")
}

// objects lists what a section creates, as kind and name.
func objects(t *testing.T, c *sqlite3.Conn) map[string]string {
	t.Helper()
	stmt, _, err := c.Prepare(`SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'`)
	require.NoError(t, err)
	defer func() { require.NoError(t, stmt.Close()) }()
	found := map[string]string{}
	for stmt.Step() {
		found[stmt.ColumnText(0)] = stmt.ColumnText(1)
	}
	require.NoError(t, stmt.Err())
	return found
}

// 1. Each section applies alone, and everything in it can be used without the others.
// 2. No object is in two sections, and none is outside of them.
// 3. Tables are STRICT, their constraints named, and a comment introduces each.
func TestSchemaSectionsStandAlone(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, kind := range databaseKinds {
		c := openSchema(t, kind)
		for name, sql := range objects(t, c) {
			assert.Empty(t, seen[name], "%s is in two sections", name)
			seen[name] = kind
			index := strings.HasPrefix(sql, "CREATE INDEX") || strings.HasPrefix(sql, "CREATE UNIQUE INDEX")
			if !index {
				assert.True(t, strings.Contains(lashstore.SchemaSQL, "\n-- "+name+": "), "%s has no comment", name)
			}
			if strings.HasPrefix(sql, "CREATE TABLE") {
				checkTable(t, name, sql)
			}
			if !index {
				stmt, _, err := c.Prepare("SELECT * FROM " + name)
				require.NoError(t, err, "%s reaches outside its section", name)
				require.NoError(t, stmt.Close())
			}
		}
		require.NoError(t, c.Exec("PRAGMA foreign_key_check"), "%s refers outside its section", kind)
	}
	created := regexp.MustCompile(`(?m)^CREATE (?:TABLE|VIEW|INDEX|UNIQUE INDEX|TRIGGER) (\w+)`).FindAllStringSubmatch(lashstore.SchemaSQL, -1)
	assert.Len(t, created, len(seen), "an object is outside of the sections")
}

func checkTable(t *testing.T, name, sql string) {
	t.Helper()
	assert.Regexp(t, `\) STRICT(, WITHOUT ROWID)?$`, sql, name)
	for _, line := range strings.Split(sql, "\n") {
		for _, rule := range []string{"CHECK (", "UNIQUE", "REFERENCES ", "PRIMARY KEY"} {
			if strings.Contains(line, rule) {
				assert.Contains(t, line, "CONSTRAINT "+name+"_", "%s: a constraint without name: %s", name, line)
			}
		}
	}
}

// The queries that every commit and every load run must find their rows by an index, whatever the history's length.
func TestHotQueriesDoNotScan(t *testing.T) {
	t.Parallel()
	c := openSchema(t, lashstore.SessionDatabase)
	sql := map[string]string{}
	for _, q := range generatedQueries(t) {
		sql[q.name] = q.sql
	}
	for _, name := range []string{
		"SessionState", "RevisionByTurn", "BlobCreate", "BlobInfo", "BlobGet", "BlobTouch", "NodeCreate", "NodeGet",
		"NodeSeqLive", "NodeIDBySeq", "NodePath", "NodeChildren", "FrameGet", "UsageAdd", "UsageRecord", "HeadAdvance",
		"RevisionCreate", "LeaseTake", "LeaseExtend", "LeaseRelease", "ArtifactGet", "ArtifactPut", "BlobWindow",
		"NodeVacuum", "UsageDeltas", "LeaseNextSeq", "EntryCreate", "EntryGet", "EntryGetByKey", "EntryNextReady",
		"EntryPromote", "EntryClaim", "EntryComplete", "EntryCancel", "EntryDropSettled", "EntryDropCompleted",
		"EntryAbandon", "EntryFreeClaims", "EntryDefer", "EntryDeferOthers", "EntryFirstClaimed", "EntryFirstDue",
		"EntryNextDue", "EntryVacuum", "EntryList",
	} {
		require.Contains(t, sql, name)
		stmt, _, err := c.Prepare("EXPLAIN QUERY PLAN " + sql[name])
		require.NoError(t, err, name)
		for stmt.Step() {
			step := stmt.ColumnText(3)
			// Single rows, walks that are under way, the handful of totals, lists of parameters; what is claimed, and the
			// first of what is hidden, which have an index of nothing else.
			fine := regexp.MustCompile(`^SCAN (h|l|s|c|c2|d|j|CONSTANT ROW|\d+ CONSTANT ROWS?)$|^SCAN (t|heads)$|` +
				`^SCAN j VIRTUAL TABLE|^SCAN (e|entries) USING (COVERING )?INDEX entries_(claimed|later)$`).MatchString(step)
			assert.False(t, strings.HasPrefix(step, "SCAN ") && !fine, "%s: %s", name, step)
		}
		require.NoError(t, stmt.Close())
	}
}

// A claim reads what it takes and one more: each step is one seek in an index, sorted by nothing but the index.
func TestClaimsSeekInTheLine(t *testing.T) {
	t.Parallel()
	c := openSchema(t, lashstore.SessionDatabase)
	for _, q := range generatedQueries(t) {
		index, hot := map[string]string{
			"EntryNextReady": "entries_ready (family=? AND turn_id=? AND seq>?)", "EntryFirstClaimed": "entries_claimed (family=?)",
			"EntryNextDue": "entries_later",
		}[q.name]
		if !hot {
			continue
		}
		stmt, _, err := c.Prepare("EXPLAIN QUERY PLAN " + q.sql)
		require.NoError(t, err, q.name)
		var plan []string
		for stmt.Step() {
			plan = append(plan, stmt.ColumnText(3))
		}
		require.NoError(t, stmt.Close())
		require.Len(t, plan, 1, q.name)
		assert.Contains(t, plan[0], index, q.name)
	}
}

// A page of the list, whatever it asks for, is read from its place in an index on, and sorted by nothing else.
func TestListPagesSeekInTheirIndex(t *testing.T) {
	t.Parallel()
	c := openSchema(t, lashstore.CatalogDatabase)
	indexes := map[string]string{
		"SessionFilePage":         "session_files_by_update (updated_at_ms>? AND updated_at_ms<?)",
		"SessionFilePageByModel":  "session_files_by_model (model=? AND updated_at_ms>? AND updated_at_ms<?)",
		"SessionFilePageByParent": "session_files_by_parent (parent_session_id=? AND updated_at_ms>? AND updated_at_ms<?)",
		"SessionFileDrop":         "USING PRIMARY KEY (file_name=?)",
	}
	for _, q := range generatedQueries(t) {
		index, held := indexes[q.name]
		if !held {
			continue
		}
		delete(indexes, q.name)
		stmt, _, err := c.Prepare("EXPLAIN QUERY PLAN " + q.sql)
		require.NoError(t, err, q.name)
		var plan []string
		for stmt.Step() {
			plan = append(plan, stmt.ColumnText(3))
		}
		require.NoError(t, stmt.Close())
		require.Len(t, plan, 1, q.name)
		assert.Contains(t, plan[0], index, q.name)
	}
	assert.Empty(t, indexes)
}

// SQLite's memory is small and it sorts whole rows in it: a query that returns what may be large returns it in the order
// of an index. A path of ten large nodes would else be more than it can hold.
func TestQueriesDoNotSortLargeValues(t *testing.T) {
	t.Parallel()
	c := openSchema(t, lashstore.SessionDatabase)
	held := 0
	for _, q := range generatedQueries(t) {
		stmt, _, err := c.Prepare(q.sql)
		if err != nil {
			continue // of another kind of database, none of which holds what is large
		}
		large := false
		for i := range stmt.ColumnCount() {
			large = large || slices.Contains([]string{"payload", "content", "assignment", "config"}, stmt.ColumnOriginName(i))
		}
		require.NoError(t, stmt.Close())
		if !large {
			continue
		}
		held++
		plan, _, err := c.Prepare("EXPLAIN QUERY PLAN " + q.sql)
		require.NoError(t, err, q.name)
		for plan.Step() {
			assert.NotContains(t, plan.ColumnText(3), "TEMP B-TREE", q.name)
		}
		require.NoError(t, plan.Close())
	}
	assert.Greater(t, held, 8)
}

// What a regeneration would leave behind: a generated file without its queries.
func TestNoGeneratedFileIsOrphaned(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../db/*")
	require.NoError(t, err)
	for _, file := range files {
		base := filepath.Base(file)
		if base == "db.go" || base == "models.go" {
			continue
		}
		matches, err := filepath.Glob("../../queries/*/" + strings.TrimSuffix(base, ".go"))
		require.NoError(t, err)
		assert.NotEmpty(t, matches, "%s comes from no query file", base)
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Contains(t, string(data), "DO NOT EDIT", base)
	}
}
