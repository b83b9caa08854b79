// SPDX-License-Identifier: BSD-3-Clause

package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"sort"
	"strings"
	"testing"
	"testing/fstest"
)

// TestDocs requires a doc comment on every exported name and a doc.go with the
// package's chapter in every folder that holds Go files.
func TestDocs(t *testing.T) {
	for _, b := range checkDocs(t, os.DirFS(root)) {
		t.Error(b)
	}
}

// TestMissingDocsAreFound plants violations in memory.
func TestMissingDocsAreFound(t *testing.T) {
	doc := &fstest.MapFile{Data: []byte("// Package a is a chapter that says what this room is for, at some length, with nouns.\npackage a\n")}
	for name, src := range map[string]string{
		"func":   "func F() {}",
		"type":   "type T int",
		"var":    "var V = 1",
		"const":  "const C = 1",
		"group":  "const (\n\tC = 1\n\tD = 2\n)",
		"method": "// T is.\ntype T int\nfunc (t *T) M() {}",
		"iface":  "// I is.\ntype I interface {\n\tM()\n\tN()\n}",
	} {
		tree := fstest.MapFS{"chunk/doc.go": doc, "chunk/a.go": {Data: []byte("package a\n" + src)}}
		if bad := checkDocs(t, tree); len(bad) == 0 {
			t.Errorf("%s: found nothing", name)
		}
	}
	if bad := checkDocs(t, fstest.MapFS{"chunk/a.go": {Data: []byte("package a\n")}}); len(bad) != 1 {
		t.Errorf("no doc.go: found %q, want 1", bad)
	}
	tree := fstest.MapFS{"chunk/doc.go": doc, "chunk/a.go": {Data: []byte("package a\nfunc f() {}\n// C and D are.\nconst (\n\tC = 1\n\tD = 2\n)\ntype t int\nfunc (t) M() {}\n")}}
	if bad := checkDocs(t, tree); len(bad) != 0 {
		t.Errorf("documented file: found %q", bad)
	}
}

func checkDocs(t *testing.T, tree fs.FS) (bad []string) {
	t.Helper()
	chapters := map[string]bool{}
	eachFile(t, tree, []string{".go"}, func(p string, src []byte) {
		dir := path.Dir(p)
		if _, ok := chapters[dir]; !ok {
			chapters[dir] = false
		}
		if strings.HasSuffix(p, "_test.go") {
			return
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, src, parser.ParseComments)
		if err != nil {
			bad = append(bad, err.Error())
			return
		}
		if path.Base(p) == "doc.go" {
			chapters[dir] = f.Doc != nil && len(f.Doc.Text()) > 40
		}
		report := func(at token.Pos, kind, name string) {
			bad = append(bad, fmt.Sprintf("%s:%d: exported %s %s has no doc comment: say what it is or returns", p, fset.Position(at).Line, kind, name))
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) {
					report(d.Pos(), "func", d.Name.Name)
				}
			case *ast.GenDecl:
				checkGenDecl(d, report)
			}
		}
	})
	for dir, ok := range chapters {
		if !ok {
			bad = append(bad, fmt.Sprintf("%s: no doc.go with a package comment: write the folder's chapter", dir))
		}
	}
	sort.Strings(bad)
	return bad
}

// checkGenDecl reports undocumented types, constants and variables. A comment
// on a parenthesised group, or at the end of a line, documents its members.
func checkGenDecl(d *ast.GenDecl, report func(at token.Pos, kind, name string)) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if !s.Name.IsExported() {
				continue
			}
			if d.Doc == nil && s.Doc == nil && s.Comment == nil {
				report(s.Pos(), "type", s.Name.Name)
			}
			// An interface is a promise: with more than one method, each is explained,
			// above it, behind it, or in the type's own comment by name.
			it, ok := s.Type.(*ast.InterfaceType)
			if !ok || len(it.Methods.List) < 2 {
				continue
			}
			text := d.Doc.Text() + s.Doc.Text()
			for _, m := range it.Methods.List {
				if len(m.Names) == 1 && m.Doc == nil && m.Comment == nil && len(text) < 40 && !strings.Contains(text, m.Names[0].Name) {
					report(m.Pos(), "method "+s.Name.Name+".", m.Names[0].Name)
				}
			}
		case *ast.ValueSpec:
			for _, n := range s.Names {
				if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					report(n.Pos(), d.Tok.String(), n.Name)
				}
			}
		}
	}
}

// exportedReceiver reports whether d is a plain function or a method of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	x := d.Recv.List[0].Type
	for {
		switch y := x.(type) {
		case *ast.StarExpr:
			x = y.X
		case *ast.IndexExpr:
			x = y.X
		case *ast.IndexListExpr:
			x = y.X
		case *ast.Ident:
			return y.IsExported()
		default:
			return false
		}
	}
}
