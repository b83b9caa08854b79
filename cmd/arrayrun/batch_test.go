// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/ndarray"
)

// unpack puts the files of a zip archive into a new folder.
func unpack(t *testing.T, path string) string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	dir := t.TempDir()
	for _, f := range z.File {
		to := filepath.Join(dir, filepath.FromSlash(f.Name))
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			t.Fatal(err)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// loadArray reads the one variable of a file.
func loadArray(t *testing.T, path string) *chunk.Chunk {
	t.Helper()
	g, err := all.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer closeGroup(g)
	c, err := ndarray.ReadAll(t.Context(), g.Vars[0].Source)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type batchCase struct {
	ID, Expr string
	ULP      int64
	RTol     float64
	Zeros    bool // the sign of a zero counts
}

// TestBatchAgainstNumPy runs the small sets of random expressions whose results
// NumPy made: testdata/batch/gen.py. They are run under settings that must not change a bit.
func TestBatchAgainstNumPy(t *testing.T) {
	for _, set := range []string{"cases", "sorted"} {
		t.Run(set, func(t *testing.T) { batchAgainstNumPy(t, "testdata/batch/"+set+".zip") })
	}
}

func batchAgainstNumPy(t *testing.T, set string) {
	for name, flags := range map[string][]string{
		"default":    nil,
		"no-fuse":    {"--no-fuse"},
		"no-rewrite": {"--no-rewrite"},
		"small":      {"--memory", "24MiB", "--workers", "1"},
		"generic":    {"--cpu", "generic", "--workers", "8"},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "default" {
				t.Skip("short")
			}
			dir := unpack(t, set)
			code, out, errs := arrayrun(t, append([]string{"eval", "--batch", filepath.Join(dir, "jobs.jsonl")}, flags...)...)
			answers := strings.Split(strings.TrimSpace(out), "\n")
			f, err := os.Open(filepath.Join(dir, "cases.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			n, bad := 0, 0
			for lines := bufio.NewScanner(f); lines.Scan(); n++ {
				var c batchCase
				if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
					t.Fatal(err)
				}
				if n >= len(answers) {
					t.Fatalf("%d answers (exit %d, %s)", len(answers), code, errs)
				}
				if why := checkCase(t, dir, c, answers[n]); why != "" {
					if bad++; bad <= 20 {
						t.Errorf("%s: %s: %s", c.ID, c.Expr, why)
					}
				}
			}
			if n < 300 || bad > 0 {
				t.Errorf("%d of %d cases are wrong, exit %d", bad, n, code)
			}
		})
	}
}

func checkCase(t *testing.T, dir string, c batchCase, answer string) string {
	var a struct {
		ID, Error, DType string
		OK               bool
		Shape            []int64
	}
	if err := json.Unmarshal([]byte(answer), &a); err != nil || a.ID != c.ID {
		return fmt.Sprintf("answer %s: %v", answer, err)
	}
	if !a.OK {
		return a.Error
	}
	want := loadArray(t, filepath.Join(dir, "expected", c.ID+".npy"))
	got := loadArray(t, filepath.Join(dir, "out", c.ID+".npy"))
	if !got.Shape.Equal(want.Shape) || got.DType != want.DType || a.DType != want.DType.String() || !slices.Equal(a.Shape, want.Shape) {
		return fmt.Sprintf("got %v %v (answer %s %v), want %v %v", got.DType, got.Shape, a.DType, a.Shape, want.DType, want.Shape)
	}
	for i := range want.Shape.Size() {
		if !close(got, want, i, c) {
			return fmt.Sprintf("element %d: got %v, want %v", i, element(got, i), element(want, i))
		}
	}
	return ""
}

// close reports whether element i of got is as near to want's as the case asks.
func close(got, want *chunk.Chunk, i int64, c batchCase) bool {
	g, w := element(got, i), element(want, i)
	x, isFloat := g.(float64)
	y, _ := w.(float64)
	switch {
	case !isFloat:
		return g == w
	case math.IsNaN(x) || math.IsNaN(y):
		return math.IsNaN(x) && math.IsNaN(y)
	case x == y:
		return !c.Zeros || c.ULP > 0 || c.RTol > 0 || math.Signbit(x) == math.Signbit(y)
	case c.RTol > 0:
		return math.Abs(x-y) <= c.RTol*math.Abs(y)
	}
	return c.ULP > 0 && abs64(line(got, i)-line(want, i)) <= c.ULP
}

// line maps a float's bits to an integer so that neighbours differ by one.
func line(c *chunk.Chunk, i int64) int64 {
	b := c.Bytes()
	var v, sign int64
	switch c.DType {
	case dtype.Float16:
		v, sign = int64(binary.NativeEndian.Uint16(b[2*i:])), 1<<15
	case dtype.Float32:
		v, sign = int64(binary.NativeEndian.Uint32(b[4*i:])), 1<<31
	default:
		v, sign = int64(binary.NativeEndian.Uint64(b[8*i:])), math.MinInt64
	}
	if v&sign != 0 {
		return -(v &^ sign)
	}
	return v
}

func abs64(x int64) int64 { return max(x, -x) }

// TestBatchContract checks what scripts rely on: order, answers of failed jobs, exit codes.
func TestBatchContract(t *testing.T) {
	dir := t.TempDir()
	jobs := filepath.Join(dir, "jobs.jsonl")
	text := `{"id":"a","expr":"arange(6).reshape(2, 3) * 2","outputs":{"result":"out/deep/a.npy"}}

{"id":"b","expr":"nope(1)","outputs":{"result":"out/b.npy"}}
{"id":"c","expr":"x + 1","inputs":{"x":{"uri":"out/deep/a.npy","chunks":[1,2]}},"outputs":{"result":"out/c.npy"}}
{"id":"d","expr":"x","inputs":{"x":{"uri":"absent.npy"}},"outputs":{"result":"out/d.npy"}}
{"id":"e","expr":"lo = x.min(); hi = x.max()","inputs":{"x":{"uri":"out/c.npy"}},"outputs":{"lo":"out/lo.npy","hi":"out/hi.npy"}}
not json
{"id":"g","expr":"ones(3) + ones(4)","outputs":{"result":"out/g.npy"}}
{"id":"h","expr":"ones(3)","outputs":{"result":"out/c.npy"}}
`
	if err := os.WriteFile(jobs, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, errs := arrayrun(t, "eval", "--batch", jobs)
	if code != exitFailed {
		t.Errorf("exit %d (%s), want 1", code, errs)
	}
	type answer struct {
		ID, Error, DType string
		OK               bool
		Code             int
		Shape            []int64
		Seconds          float64
	}
	want := []answer{
		{ID: "a", OK: true, DType: "int64", Shape: []int64{2, 3}}, {ID: "b", Code: 2}, {ID: "c", OK: true, DType: "int64", Shape: []int64{2, 3}},
		{ID: "d", Code: 3}, {ID: "e", OK: true, DType: "int64", Shape: []int64{}}, {ID: "line 7", Code: 2}, {ID: "g", Code: 2}, {ID: "h", Code: 2},
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d answers, want %d:\n%s", len(lines), len(want), out)
	}
	for i, w := range want {
		var g answer
		if err := json.Unmarshal([]byte(lines[i]), &g); err != nil {
			t.Fatal(err)
		}
		if g.ID != w.ID || g.OK != w.OK || g.Code != w.Code || g.DType != w.DType || !slices.Equal(g.Shape, w.Shape) || (g.Error == "") != w.OK {
			t.Errorf("answer %s, want %+v", lines[i], w)
		}
	}
	if c := loadArray(t, filepath.Join(dir, "out", "c.npy")); !slices.Equal(chunk.Slice[int64](c), []int64{1, 3, 5, 7, 9, 11}) {
		t.Errorf("c.npy holds %v", chunk.Slice[int64](c))
	}
	if hi := loadArray(t, filepath.Join(dir, "out", "hi.npy")); chunk.Slice[int64](hi)[0] != 11 {
		t.Error("hi.npy is not the largest")
	}
	for _, absent := range []string{"b.npy", "d.npy", "g.npy"} {
		if _, err := os.Stat(filepath.Join(dir, "out", absent)); err == nil {
			t.Errorf("%s exists after a failure", absent)
		}
	}
}
