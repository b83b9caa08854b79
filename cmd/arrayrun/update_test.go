// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// Two appends and a region of a convert and an eval give what one convert gives.
func TestAppendAndRegionVerbs(t *testing.T) {
	dir := t.TempDir()
	whole, parts, first, second := filepath.Join(dir, "whole.zarr"), filepath.Join(dir, "parts.zarr"), filepath.Join(dir, "first.nc"), filepath.Join(dir, "second.nc")
	var dim string
	for _, d := range []string{"time", "t"} {
		if code, _, _ := arrayrun(t, "select", made, first, d+"=@0:1", "--overwrite"); code == 0 {
			dim = d
		}
	}
	if dim == "" {
		t.Fatal("made.nc has no dimension time")
	}
	ok(t, "select", made, first, dim+"=@0:1", "--overwrite")
	ok(t, "select", made, second, dim+"=@1:")
	ok(t, "convert", made, whole)
	ok(t, "convert", first, parts, "--append", dim)
	before := ok(t, "info", "--json", "--checksums", parts)
	if plan := ok(t, "convert", second, parts, "--append", dim, "--explain"); !strings.Contains(plan, "PLAN") {
		t.Errorf("the plan of an append is %q", plan)
	}
	if now := ok(t, "info", "--json", "--checksums", parts); now != before {
		t.Errorf("--explain of an append has changed the output from %s to %s", before, now)
	}
	ok(t, "convert", second, parts, "--append", dim)
	ok(t, "diff", whole, parts)
	ok(t, "convert", second, parts, "--region", dim+"=@1:")
	ok(t, "diff", whole, parts)
	for _, c := range []struct{ args, part string }{
		{"--append|" + dim + "|--overwrite", "--overwrite replaces"},
		{"--append|" + dim + "|--region|x=1", "either"},
		{"--region|x", "want DIM=LABEL"},
		{"--region|x=1|--region|x=2", "twice"},
		{"--append|" + dim, "is there already"},
		{"--append|" + dim + "|--explain", "is there already"},
		{"--append|nothing", `no dimension "nothing"`},
	} {
		code, _, errs := arrayrun(t, append([]string{"convert", second, parts}, strings.Split(c.args, "|")...)...)
		if code != 2 || !strings.Contains(errs, c.part) {
			t.Errorf("convert %s: exit %d, %s; want 2 and %q", c.args, code, errs, c.part)
		}
	}
	code, _, errs := arrayrun(t, "eval", "1", whole, "-o", whole, "--region", "x=@0")
	if code != 2 || !strings.Contains(errs, "is an input too") {
		t.Errorf("eval into its own input: exit %d, %s", code, errs)
	}
}

// TestExplainAppend: a plan of values that are appended says what is refused, and changes nothing.
func TestExplainAppend(t *testing.T) {
	dir := t.TempDir()
	x, out := npy(t, dir, "x.npy", "arange(12.0).reshape(3, 4)"), filepath.Join(dir, "out.zarr")
	if plan := ok(t, "eval", "v = x", "x="+x, "-o", "v="+out, "--append", "dim_0", "--explain"); !strings.Contains(plan, "PLAN") {
		t.Errorf("the plan of an output that is not there is %q", plan)
	}
	ok(t, "eval", "v = x", "x="+x, "-o", "v="+out)
	before := ok(t, "info", "--json", "--checksums", out)
	if plan := ok(t, "eval", "v = x", "x="+x, "-o", "v="+out, "--append", "dim_0", "--explain"); !strings.Contains(plan, "PLAN") {
		t.Errorf("the plan of an append is %q", plan)
	}
	for _, c := range [][]string{{"w = x", "w=" + out, "dim_0"}, {"v = x", "v=" + out, "time"}, {"v = x[:, :2]", "v=" + out, "dim_0"}} {
		if code, _, errs := arrayrun(t, "eval", c[0], "x="+x, "-o", c[1], "--append", c[2], "--explain"); code != 2 && code != 3 || errs == "" {
			t.Errorf("--explain of %s along %s: exit %d, %s", c[0], c[2], code, errs)
		}
	}
	if now := ok(t, "info", "--json", "--checksums", out); now != before {
		t.Errorf("--explain has changed the output from %s to %s", before, now)
	}
}
