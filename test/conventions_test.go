// Package test holds what is true of the project as a whole.
package test

import (
	"fmt"
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
)

// arrows is the import rule: what stands left of an arrow may import what stands right of it, itself, and nothing else of
// ours. So an arrow may be skipped and never reversed, and siblings (sources, module, xds) never import each other.
// docs/ARCHITECTURE.md draws it.
const arrows = `
cmd      → admin plane sources module xds snapshot proto
admin    → plane sources module xds snapshot proto
plane    → sources module xds snapshot proto
sources  → snapshot proto
module   → snapshot proto
xds      → snapshot proto
snapshot → proto
proto    →
docs     → proto
examples → test
test     → cmd admin plane sources module xds snapshot proto
`

const (
	modulePath      = "github.com/graft-xds/graft/"
	maxFileLines    = 350
	maxFunctionSize = 80
)

// goFile is one Go file of the product's module that people wrote.
type goFile struct {
	path   string // from the root of the project, with slashes
	test   bool
	lines  int
	syntax *ast.File
	set    *token.FileSet
}

func (f *goFile) at(node ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, f.set.Position(node.Pos()).Line)
}

func (f *goFile) linesOf(node ast.Node) int {
	return f.set.Position(node.End()).Line - f.set.Position(node.Pos()).Line + 1
}

const root = ".."

func goFiles(t *testing.T) []*goFile {
	t.Helper()
	var out []*goFile
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != root {
			_, nested := os.Stat(filepath.Join(path, "go.mod"))
			if nested == nil || name == "testdata" || name == "bin" || strings.HasPrefix(name, ".") {
				return fs.SkipDir
			}
		}
		if entry.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		f := &goFile{path: filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator))), test: strings.HasSuffix(name, "_test.go"), set: token.NewFileSet()}
		if f.syntax, err = parser.ParseFile(f.set, path, nil, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return err
		}
		if !ast.IsGenerated(f.syntax) {
			f.lines = f.set.File(f.syntax.Pos()).LineCount()
			out = append(out, f)
		}
		return nil
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("%d Go files: %v", len(out), err)
	}
	return out
}

func TestImports(t *testing.T) {
	allowed := map[string][]string{}
	for line := range strings.Lines(strings.TrimSpace(arrows)) {
		from, to, _ := strings.Cut(line, "→")
		from = strings.TrimSpace(from)
		allowed[from] = append(strings.Fields(to), from)
	}
	for _, f := range goFiles(t) {
		from := layer(f.path)
		if allowed[from] == nil {
			t.Errorf("%s: %s is not in the table of arrows", f.path, from)
			continue
		}
		for _, imported := range f.syntax.Imports {
			path, _ := strconv.Unquote(imported.Path.Value)
			ours, ok := strings.CutPrefix(path, modulePath)
			if !ok {
				continue
			}
			to := layer(ours)
			forTests := to == "test" || strings.HasSuffix(ours, "test")
			switch {
			case forTests && (f.test || from == "test" || from == "examples"):
			case forTests:
				t.Errorf("%s: imports %s, which is for tests", f.at(imported), ours)
			case !slices.Contains(allowed[from], to):
				t.Errorf("%s: %s imports %s: there is no arrow from %s to %s", f.at(imported), f.path, ours, from, to)
			}
		}
	}
}

func layer(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

func TestSizes(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.lines > maxFileLines && !f.test {
			t.Errorf("%s: %d lines: one concept a file, at most %d lines", f.path, f.lines, maxFileLines)
		}
		for _, decl := range f.syntax.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && !f.test && f.linesOf(fn) > maxFunctionSize {
				t.Errorf("%s: %s has %d lines: at most %d", f.at(fn), fn.Name.Name, f.linesOf(fn), maxFunctionSize)
			}
		}
	}
}

func TestNoInit(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, decl := range f.syntax.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: init: what happens without being called cannot be read; call it", f.at(fn))
			}
		}
	}
}

func TestForbiddenCalls(t *testing.T) {
	forbidden := []struct {
		path, name, why string
		where           func(*goFile) bool
	}{
		{
			"google.golang.org/protobuf/types/known/anypb", "New",
			"its bytes differ from call to call: use proto.MarshalOptions{Deterministic: true}",
			func(*goFile) bool { return true },
		},
		{"time", "Sleep", "wait for what is meant, with a deadline, or use testing/synctest", func(f *goFile) bool { return f.test }},
		{"time", "Now", "snapshot has no clock", func(f *goFile) bool { return layer(f.path) == "snapshot" && !f.test }},
		{"os", "Exit", "only main ends the process", func(f *goFile) bool { return layer(f.path) != "test" && !f.test && f.syntax.Name.Name != "main" }},
	}
	for _, f := range goFiles(t) {
		for _, rule := range forbidden {
			name := importName(f.syntax, rule.path)
			if name == "" || !rule.where(f) {
				continue
			}
			ast.Inspect(f.syntax, func(node ast.Node) bool {
				if sel, ok := node.(*ast.SelectorExpr); ok && sel.Sel.Name == rule.name {
					if id, ok := sel.X.(*ast.Ident); ok && id.Name == name {
						t.Errorf("%s: %s.%s: %s", f.at(sel), name, rule.name, rule.why)
					}
				}
				return true
			})
		}
	}
}

// importName is what a file calls a package; empty if it does not import it.
func importName(file *ast.File, path string) string {
	for _, imported := range file.Imports {
		if imported.Path.Value == strconv.Quote(path) {
			if imported.Name != nil {
				return imported.Name.Name
			}
			return path[strings.LastIndex(path, "/")+1:]
		}
	}
	return ""
}

func TestNothingPutOff(t *testing.T) {
	putOff := regexp.MustCompile(`\b(TODO|FIXME|XXX)\b|//\s*nolint|//lint:ignore`)
	for _, f := range goFiles(t) {
		for _, group := range f.syntax.Comments {
			for _, comment := range group.List {
				if found := putOff.FindString(comment.Text); found != "" {
					t.Errorf("%s: %q: do it, or write an issue; a rule of a linter that is wrong is changed in .golangci.yml", f.at(comment), found)
				}
			}
		}
	}
}

// codes gives each constant of the type snapshot.Code, and where it stands.
func codes(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, f := range goFiles(t) {
		ast.Inspect(f.syntax, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || f.test || !isCode(spec.Type) {
				return true
			}
			for _, value := range spec.Values {
				if literal, ok := value.(*ast.BasicLit); ok {
					code, _ := strconv.Unquote(literal.Value)
					out[code] = f.at(literal)
				}
			}
			return true
		})
	}
	return out
}

func isCode(kind ast.Expr) bool {
	if sel, ok := kind.(*ast.SelectorExpr); ok {
		kind = sel.Sel
	}
	id, ok := kind.(*ast.Ident)
	return ok && id.Name == "Code"
}
