// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/ndarray/expr"
)

// TestLines lets a driver load, compute and save, and asks for things it cannot do.
func TestLines(t *testing.T) {
	dir := t.TempDir()
	head := "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"
	head += strings.Repeat(" ", 117-len(head)) + "\n"
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00\x76\x00" + head)
	_ = binary.Write(&b, binary.LittleEndian, []float64{1, 2, 3, 4, 5, 6})
	if err := os.WriteFile(filepath.Join(dir, "a.npy"), b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	lines := []struct{ say, want string }{
		{"load\ta\t" + dir + "/a.npy", "ok float64 [2 3]"},
		{"open\tf\t" + dir + "/a.npy", "ok float64 [2 3]"},
		{"open\tf\t" + dir + "/b.npy", "error"},
		{"prepare\tf[1, :]", "ok 1"},
		{"run", "ok "},
		{"prepare\tm = a.mean(axis=0); d = a * 2", "ok 2"},
		{"run", "ok "},
		{"save\t" + dir + "/out\t2", "ok float64 float64"},
		{"plan", `ok "`},
		{"limit\t1048576\t1", "ok"},
		{"prepare\tnosuch + 1", "error expression"},
		{"save\tx\t0", "error got step"},
		{"dance", "error got"},
		{"load\ta", "error got"},
		{"drop", "ok"},
		{"prepare\ta + 1", "error expression"},
	}
	var in, out bytes.Buffer
	for _, l := range lines {
		in.WriteString(l.say + "\n")
	}
	d := &driver{pool: mem.NewPool(), env: expr.Env{}}
	if err := d.limit(1<<26, 2); err != nil {
		t.Fatal(err)
	}
	if err := d.serve(&in, &out); err != nil {
		t.Fatal(err)
	}
	answers := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(answers) != len(lines) {
		t.Fatalf("got %d answers, want %d:\n%s", len(answers), len(lines), &out)
	}
	for i, l := range lines {
		if !strings.HasPrefix(answers[i], l.want) {
			t.Errorf("%q: got %q, want %q ...", l.say, answers[i], l.want)
		}
	}
	for name, want := range map[string][]float64{"out.0": {2.5, 4.5}, "out.1": {2, 6, 10}} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_ = binary.Write(&b, binary.LittleEndian, want)
		if !bytes.Equal(got, b.Bytes()) {
			t.Errorf("%s: got % x, want % x", name, got, b.Bytes())
		}
	}
}
