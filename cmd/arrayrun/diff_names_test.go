// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDiffNames: what was picked by name is compared with what was picked by another, or has none; whole files are not.
func TestDiffNames(t *testing.T) {
	dir := t.TempDir()
	a := npy(t, dir, "a.npy", "arange(12.0).reshape(3, 4)")
	nc, zarr, tif := filepath.Join(dir, "b.nc"), filepath.Join(dir, "c.zarr"), filepath.Join(dir, "d.tif")
	ok(t, "eval", "height = a", "a="+a, "-o", "height="+nc)
	ok(t, "eval", "h = a + 1", "a="+a, "-o", "h="+zarr)
	ok(t, "convert", a, tif)
	plain := filepath.Join(dir, "plain.zarr") // an array without a group
	if err := os.CopyFS(plain, os.DirFS(filepath.Join(zarr, "h"))); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		a, b string
		code int
	}{{a, tif, exitDone}, {plain, zarr + "#h", exitDone}, {a, plain, exitFailed}, {nc + "#height", tif, exitDone}, {a, nc + "#height", exitDone}, {nc + "#height", zarr + "#h", exitFailed}, {nc, tif, exitFailed}, {nc, zarr, exitFailed}} {
		if code, out, errs := arrayrun(t, "diff", x.a, x.b); code != x.code {
			t.Errorf("diff %s %s: exit %d, want %d: %s%s", x.a, x.b, code, x.code, out, errs)
		}
	}
	doc, _ := diffJSON(t, nc+"#height", zarr+"#h")
	if v := doc.Variables["height"]; v.Differing != 12 || v.MaxAbs != 1.0 {
		t.Errorf("height and h: %+v", doc)
	}
}
