// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"path/filepath"
	"testing"
)

// TestDiffEdges: differences of large integers are not rounded away, no tolerance makes an infinity close to another number
// (numpy.isclose says the same), and an array without elements is compared too.
func TestDiffEdges(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		a, b    string
		args    []string
		differs int64
		abs     any
	}{
		"int64 beyond 2^53":      {"asarray([9007199254740993, 2])", "asarray([9007199254740992, 2])", nil, 1, 1.0},
		"below the tolerance":    {"asarray([9007199254740993])", "asarray([9007199254740992])", []string{"--atol", "0.5"}, 1, 1.0},
		"within the tolerance":   {"asarray([9007199254740993])", "asarray([9007199254740992])", []string{"--atol", "1"}, 0, 0.0},
		"int64 from end to end":  {"asarray([9223372036854775807])", "asarray([-9223372036854775808])", nil, 1, 0x1p64},
		"uint64 below":           {"asarray([18446744073709551613], dtype='uint64')", "asarray([18446744073709551615], dtype='uint64')", nil, 1, 2.0},
		"a number, an infinity":  {"asarray([5.0])", "asarray([inf])", []string{"--rtol", "0.1"}, 1, "Infinity"},
		"infinities of two kind": {"asarray([-inf, inf])", "asarray([inf, inf])", []string{"--rtol", "0.1"}, 1, "Infinity"},
		"no elements":            {"zeros((0, 3))", "zeros((0, 3))", nil, 0, 0.0},
	} {
		a, b := filepath.Join(dir, "a.npy"), filepath.Join(dir, "b.npy")
		ok(t, "eval", c.a, "-o", a, "--overwrite")
		ok(t, "eval", c.b, "-o", b, "--overwrite")
		doc, code := diffJSON(t, append([]string{a, b}, c.args...)...)
		v, listed := doc.Variables["data"]
		if want := map[bool]int{true: exitDone, false: exitFailed}[c.differs == 0]; code != want || !listed || v.Differing != c.differs || v.MaxAbs != c.abs {
			t.Errorf("%s: exit %d, %+v, want %d that differ by %v", name, code, doc, c.differs, c.abs)
		}
	}
}
