// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestDiffTwiceOneDimension: variables that have one dimension twice, as covariances do, are compared like others; so are their copies in an archive.
func TestDiffTwiceOneDimension(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"a.nc", "b.nc"} {
		spec := formats.Spec{Vars: []formats.VarSpec{{Name: "cov", Dims: []string{"x", "x"}, Shape: chunk.Shape{2, 2}, DType: dtype.Float32}}}
		w, err := all.Create(context.Background(), filepath.Join(dir, name), spec)
		if err != nil {
			t.Fatal(err)
		}
		c := formattest.New(dtype.Float32, 4, chunk.Shape{2, 2})
		chunk.Slice[float32](c)[2] = float32(i)
		if err := formattest.Write(context.Background(), w, []*chunk.Chunk{c}); err != nil {
			t.Fatal(err)
		}
	}
	a, b, z := filepath.Join(dir, "a.nc"), filepath.Join(dir, "b.nc"), filepath.Join(dir, "a.zarr.zip")
	ok(t, "diff", "--attrs", a, a)
	ok(t, "convert", a, z)
	ok(t, "diff", "--attrs", a, z)
	if code, out, errs := arrayrun(t, "diff", a, b); code != exitFailed || !strings.Contains(out, "1 of 4 elements differ") || !strings.Contains(out, "[1 0]") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
}

// TestConvertToArchive: an archive of a Zarr hierarchy holds what a folder does: the names of an enumeration, and the compression of the source.
func TestConvertToArchive(t *testing.T) {
	dir := t.TempDir()
	in, folder, archive := filepath.Join(dir, "e.nc"), filepath.Join(dir, "e.zarr"), filepath.Join(dir, "e.zarr.zip")
	grid := chunk.Regular(chunk.Shape{4}, 2)
	w, err := all.Create(context.Background(), in, formats.Spec{Vars: []formats.VarSpec{
		{Name: "sky", Dims: []string{"x"}, Shape: chunk.Shape{4}, DType: dtype.Uint8, Stored: map[string]any{"enum": "uint8", "members": map[string]any{"clear": int64(0)}}},
		{Name: "t", Dims: []string{"x"}, Shape: chunk.Shape{4}, DType: dtype.Float32, Grid: &grid, Codec: "zlib:4"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := formattest.Write(context.Background(), w, []*chunk.Chunk{formattest.New(dtype.Uint8, 1, chunk.Shape{4}), formattest.New(dtype.Float32, 4, chunk.Shape{4})}); err != nil {
		t.Fatal(err)
	}
	ok(t, "convert", in, folder)
	ok(t, "convert", in, archive)
	f, _ := infoJSON(t, folder)
	z, _ := infoJSON(t, archive)
	for name := range f.Variables {
		if x, y := strings.Join(f.Variables[name].Codecs, " "), strings.Join(z.Variables[name].Codecs, " "); x != y {
			t.Errorf("%s: codecs %s in the archive, %s in the folder", name, y, x)
		}
	}
	for _, from := range []string{folder, archive} {
		back := filepath.Join(t.TempDir(), "back.nc")
		ok(t, "convert", from, back)
		ok(t, "diff", "--raw", "--attrs", in, back)
		if out := ok(t, "info", back); !strings.Contains(out, `"clear":0`) {
			t.Errorf("from %s the names are lost:\n%s", from, out)
		}
	}
}
