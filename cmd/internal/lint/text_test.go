// SPDX-License-Identifier: BSD-3-Clause

package lint

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// root is the module's folder, seen from this package.
const root = "../../.."

// maxLines is the longest a hand-written source file may be.
const maxLines = 500

// tables may be longer: each is one literal table that is best read whole.
var tables = []string{
	"kernels/ops.go",
	"kernels/macros.go",
	"kernels/reductions.go",
	"kernels/stencils.go",
	"kernels/chunkops.go",
	"chunk/dtype/promote.go",
}

// forbidden is text with no place in the project. The patterns are written so
// that they do not match themselves.
var forbidden = []struct {
	pattern *regexp.Regexp
	in      []string // extensions
	except  []string // files or folders where it is right
	instead string
}{
	{regexp.MustCompile(`\b(TO[D]O|FIX[M]E|XX[X])\b`), nil, nil, "do it, or say in the doc comment what holds instead"},
	{regexp.MustCompile(`(?i)not (yet )?impl[e]mented`), nil, nil, "refuse by name what is not supported, with what to do"},
	{regexp.MustCompile(`(^|[\s"'=:(])/(w[o]rk|r[o]ot|h[o]me/[a-z]+|U[s]ers|tmp/[w])/`), nil, nil, "a path relative to the repository, or t.TempDir()"},
	{regexp.MustCompile(`\bos\.Ex[i]t\(`), []string{".go"}, []string{"cmd/arrayrun/main.go", "_test.go", "bench"}, "return an error; only main exits"},
	{regexp.MustCompile(`\bioutil\.`), []string{".go"}, nil, "os and io"},
	{regexp.MustCompile(`^\s*(_ |import )?"l[o]g"$`), []string{".go"}, []string{"_test.go"}, "log/slog, silent by default"},
	{regexp.MustCompile(`^[^/]*\bfmt\.Pr[i]nt(f|ln)?\(`), []string{".go"}, []string{"bench", "_test.go"}, "write to the writer you were given"},
	{regexp.MustCompile(`\bsyscall\.Mm[a]p\(|unix\.Mm[a]p\(`), []string{".go"}, []string{"chunk/mem", "kernels/cpu", "kernels/optest"}, "chunk/mem: files are read with pread, never mapped"},
	{regexp.MustCompile(`arrow/go/v[0-9]+/parquet/pqarr[o]w"`), []string{".go"}, nil, "parquet/file: the layer above it adds 22 MB to the binary"},
}

// TestText checks licence lines, file lengths and forbidden text.
func TestText(t *testing.T) {
	for _, b := range checkText(t, os.DirFS(root)) {
		t.Error(b)
	}
}

// TestTextViolationsAreFound plants violations in memory.
func TestTextViolationsAreFound(t *testing.T) {
	spdx := "// SPDX-License-Identifier: BSD-3-Clause\n\n"
	for name, src := range map[string]string{
		"chunk/a.go":         "package chunk\n",
		"chunk/b.go":         spdx + "package chunk // TO" + "DO: later\n",
		"chunk/c.go":         spdx + "package chunk\nvar x = errors.New(\"not " + "implemented\")\n",
		"chunk/d.go":         spdx + "package chunk\nvar p = \"/wo" + "rk/main\"\n",
		"chunk/e.go":         spdx + "package chunk\n" + strings.Repeat("\n", maxLines),
		"chunk/f.go":         spdx + "package chunk\nfunc f() { os.Ex" + "it(1) }\n",
		"bench/setup.py":     "print(1)\n",
		"README.md":          "Put it in /ho" + "me/me/data\n",
		"formats/x/g.go":     spdx + "package x\nvar b = unix.Mm" + "ap(0)\n",
		"ndarray/h.go":       spdx + "package ndarray\nfunc f() { fmt.Print" + "ln(1) }\n",
		"formats/store/i.go": spdx + "package store\n\nimport (\n\t\"lo" + "g\"\n)\n",
		"kernels/a_gen.go":   spdx + "package kernels // TO" + "DO\n",
		"formats/arrow/j.go": spdx + "package arrow\n\nimport \"github.com/apache/arrow/go/v17/parquet/pqarr" + "ow\"\n",
	} {
		if bad := checkText(t, fstest.MapFS{name: {Data: []byte(src)}}); len(bad) != 1 {
			t.Errorf("%s: found %q, want 1", name, bad)
		}
	}
	for name, src := range map[string]string{
		"kernels/ops.go":   spdx + "package kernels\n" + strings.Repeat("\n", maxLines),
		"kernels/z_x.go":   spdx + "package kernels\n" + strings.Repeat("\n", maxLines),
		"bench/peers.py":   "# SPDX-License-Identifier: BSD-3-Clause\nprint(1)\n",
		"kernels/gen_x.go": "//go:build ignore\n\n" + spdx + "package main\nfunc main() { fmt.Print" + "ln(1) }\n",
		"chunk/doc.go":     spdx + "//\tfmt.Print" + "ln(x)\npackage chunk\n",
		"chunk/example.go": spdx + "package chunk // see example.com/work/x\n",
	} {
		if bad := checkText(t, fstest.MapFS{name: {Data: []byte(src)}}); len(bad) != 0 {
			t.Errorf("%s: found %q, want nothing", name, bad)
		}
	}
}

var generated = regexp.MustCompile(`(?m)^(//|#) Code generated .* DO NOT EDIT\.$`)

func checkText(t *testing.T, tree fs.FS) (bad []string) {
	t.Helper()
	source := []string{".go", ".s", ".py", ".sh", ".cu", ".cc", ".h"}
	eachFile(t, tree, append(source, ".md", ".txt", ".json", "/run", "/setup"), func(p string, src []byte) {
		base, ext := path.Base(p), path.Ext(p)
		if slices.Contains(source, ext) {
			head, _, _ := bytes.Cut(src, []byte("\n\n"))
			if !bytes.Contains(head, []byte(" SPDX-License-Identifier: BSD-3-Clause\n")) && !bytes.Contains(src[:min(len(src), 200)], []byte(" SPDX-License-Identifier: BSD-3-Clause\n")) {
				bad = append(bad, fmt.Sprintf("%s: the first line must be %q", p, "// SPDX-License-Identifier: BSD-3-Clause"))
			}
			made := generated.Match(src) || strings.HasPrefix(base, "z_") || strings.Contains(base, "_gen.")
			if n := bytes.Count(src, []byte("\n")); n > maxLines && !made && !slices.Contains(tables, p) {
				bad = append(bad, fmt.Sprintf("%s: %d lines, the cap is %d: split it by concept", p, n, maxLines))
			}
		}
		// A generator that go generate runs is a program of its own.
		tool := bytes.HasPrefix(src, []byte("//go:build ignore\n")) || bytes.Contains(src, []byte("\n//go:build ignore\n"))
		for _, f := range forbidden {
			if tool && f.in != nil {
				continue
			}
			if f.in != nil && !slices.Contains(f.in, ext) || slices.ContainsFunc(f.except, func(e string) bool { return within(p, e) || strings.HasSuffix(p, e) }) {
				continue
			}
			for i, line := range bytes.Split(src, []byte("\n")) {
				if m := f.pattern.Find(line); m != nil {
					bad = append(bad, fmt.Sprintf("%s:%d: %q is not allowed here: %s", p, i+1, strings.TrimSpace(string(m)), f.instead))
				}
			}
		}
	})
	return bad
}

// eachFile calls do with every file of the tree that ends in one of the
// endings and is neither test data nor hidden.
func eachFile(t *testing.T, tree fs.FS, ends []string, do func(p string, src []byte)) {
	t.Helper()
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if b := path.Base(p); p != "." && p != ".ci" && (strings.HasPrefix(b, ".") || b == "testdata" || b == "out" || b == "results") {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.ContainsFunc(ends, func(e string) bool { return strings.HasSuffix("/"+p, e) }) {
			return nil
		}
		src, err := fs.ReadFile(tree, p)
		if err != nil {
			return err
		}
		do(p, src)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
