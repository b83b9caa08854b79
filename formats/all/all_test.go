// SPDX-License-Identifier: BSD-3-Clause

package all_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// Each ending makes an output that is opened again by its contents, whatever its name.
func TestEndingsAndMagic(t *testing.T) {
	ctx := context.Background()
	seen := 0
	for _, f := range all.Formats {
		if f.Create == nil || f.Open == nil {
			continue
		}
		for _, ext := range f.Extensions {
			dir := t.TempDir()
			path := filepath.Join(dir, "out"+ext)
			shape, dims, names := chunk.Shape{3, 4}, []formats.Dim{{Name: "y", Size: 3}, {Name: "x", Size: 4}}, []string{"y", "x"}
			if f.Name == "arrow" || f.Name == "parquet" { // tables
				shape, dims, names = shape[1:], dims[1:], names[1:]
			}
			data := formattest.New(dtype.Float32, 4, shape)
			copy(chunk.Slice[float32](data), []float32{1, 2, 3})
			spec := formats.Spec{Dims: dims, Vars: []formats.VarSpec{{Name: "data", Dims: names, Shape: shape, DType: dtype.Float32}}}
			w, err := all.Create(ctx, "file://"+path, spec)
			if err != nil {
				t.Errorf("%s: %v", ext, err)
				continue
			}
			if err := formattest.Write(ctx, w, []*chunk.Chunk{data}); err != nil {
				t.Errorf("%s: %v", ext, err)
				continue
			}
			plain := filepath.Join(dir, "without-ending")
			if err := os.Rename(path, plain); err != nil {
				t.Fatal(err)
			}
			g, err := all.Open(ctx, plain)
			if err != nil {
				t.Errorf("%s: %v", ext, err)
				continue
			}
			if len(g.Vars) != 1 || g.Vars[0].Err != nil || !g.Vars[0].Source.Meta().Shape.Equal(shape) {
				t.Errorf("%s: read back as %+v", ext, g.Vars)
			}
			if g.Close != nil {
				g.Close()
			}
			seen++
		}
	}
	if seen < 3 {
		t.Errorf("%d endings could be written, want at least 3", seen)
	}
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.nc")
	os.WriteFile(junk, []byte("certainly no array"), 0o666)
	empty := filepath.Join(dir, "empty")
	os.WriteFile(empty, nil, 0o666)
	for uri, want := range map[string]error{
		filepath.Join(dir, "nothing.zarr"): fs.ErrNotExist,
		junk:                               formats.ErrFormat,
		empty:                              formats.ErrFormat,
		dir:                                formats.ErrFormat,
		"ftp://host/a.zarr":                formats.ErrFormat,
		"s3://x/a.zarr":                    formats.ErrFormat,
		"gs://x/a.zarr":                    formats.ErrFormat,
		"az://x/a.zarr":                    formats.ErrFormat,
	} {
		if _, err := all.Open(ctx, uri); !errors.Is(err, want) {
			t.Errorf("Open(%s) = %v, want %v", uri, err, want)
		}
	}
	for _, sub := range []string{"snapshots", "manifests", "refs"} {
		if err := os.MkdirAll(filepath.Join(dir, "repo", sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := all.Open(ctx, filepath.Join(dir, "repo")); !errors.Is(err, formats.ErrFormat) || !strings.Contains(err.Error(), "Icechunk") {
		t.Errorf("an Icechunk repository: %v, want ErrFormat that names it", err)
	}
	if _, err := all.Create(ctx, filepath.Join(dir, "out.xyz"), formats.Spec{}); !errors.Is(err, formats.ErrFormat) {
		t.Errorf("Create with an unknown ending = %v, want ErrFormat", err)
	}
	for _, c := range []struct{ uri, format, want string }{
		{"a.zarr/", "", "zarr"}, {"a.nc", "", "netcdf4"}, {"a.nc", "netcdf3-64bit", "netcdf3"}, {"folder", "zarr2", "zarr"}, {"a", "hdf5", "netcdf4"}, {"a", "NPZ", "npz"},
		{"a", "", ""}, {"a.nc", "grib", ""}, {"s3://x/a.nc", "netcdf4", ""},
	} {
		f, err := all.Target(c.uri, c.format)
		if c.want == "" {
			if !errors.Is(err, formats.ErrFormat) {
				t.Errorf("Target(%q, %q) = %v, want ErrFormat", c.uri, c.format, err)
			}
		} else if err != nil || f.Name != c.want {
			t.Errorf("Target(%q, %q) = %v, %v, want %s", c.uri, c.format, f, err, c.want)
		}
	}
	if all.Writable("a.xyz") || !all.Writable("a.zarr/") || !all.Writable("A.NPY") {
		t.Error("Writable does not go by the ending")
	}
}
