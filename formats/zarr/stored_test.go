// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// Types that no dtype names come back as they were described, with their values and fill value.
func TestStoredTypes(t *testing.T) {
	ctx := context.Background()
	list := func(x ...any) []any { return x }
	record := map[string]any{"fields": list(list("a", "int16"), list("b", "float32"), list("s", "S3"), list("t", "datetime64[25s]"), list("u", "U2"),
		list("in", map[string]any{"fields": list(list("x", "uint8"), list("c", "complex64"))}))}
	arrays := map[string]any{"fields": list(list("m", "float32", list(int64(2), int64(3))), list("n", "int64"))}
	for _, c := range []struct {
		stored any
		dt     dtype.DType
		item   int
		refuse string // the version that has no such type
	}{
		{"S12", dtype.Raw, 12, ""}, {"U5", dtype.Raw, 20, ""}, {"opaque7", dtype.Raw, 7, ""}, {"datetime64[ns]", dtype.Int64, 8, ""}, {"timedelta64[3h]", dtype.Int64, 8, ""},
		{"bfloat16", dtype.BFloat16, 2, ""}, {"complex128", dtype.Complex128, 16, ""}, {record, dtype.Raw, 2 + 4 + 3 + 8 + 8 + 9, ""}, {arrays, dtype.Raw, 32, "zarr3"},
	} {
		for _, version := range []string{"zarr2", "zarr3"} {
			shape := chunk.Shape{5}
			g := chunk.Regular(shape, 2)
			data := formattest.New(c.dt, c.item, shape)
			for i := range data.Bytes() {
				data.Bytes()[i] = byte(i%7) * 3
			}
			if c.stored == "U5" {
				clear(data.Bytes())
				copy(data.Bytes(), "x\x00\x00\x00")
			}
			path := filepath.Join(t.TempDir(), "x.zarr")
			w, err := Create(ctx, path, formats.Spec{Format: version, Vars: []formats.VarSpec{{Name: "v", Shape: shape, DType: c.dt, ItemBytes: c.item, Grid: &g, Stored: c.stored}}})
			if c.refuse == version {
				if !errors.Is(err, formats.ErrFormat) {
					t.Errorf("%s of %v = %v, want ErrFormat", version, c.stored, err)
				}
				continue
			}
			if err == nil {
				err = formattest.Write(ctx, w, []*chunk.Chunk{data})
			}
			if err != nil {
				t.Fatalf("%s of %v: %v", version, c.stored, err)
			}
			r, err := Open(ctx, path)
			if err != nil || r.Vars[0].Err != nil {
				t.Fatalf("%s of %v: %v %v", version, c.stored, err, r.Vars[0].Err)
			}
			src := r.Vars[0].Source
			if m := src.Meta(); !reflect.DeepEqual(m.Stored, c.stored) || m.DType != c.dt || m.ItemBytes != c.item {
				t.Errorf("%s: type %v of %d bytes, want %v", version, m.Stored, m.ItemBytes, c.stored)
			}
			got, err := formattest.ReadAll(ctx, src)
			if err != nil || !bytes.Equal(got.Bytes(), data.Bytes()) {
				t.Errorf("%s of %v: values %x, %v, want %x", version, c.stored, got.Bytes(), err, data.Bytes())
			}
		}
	}
}

// Every compressor that can be asked for, with and without a level.
func TestCompressors(t *testing.T) {
	ctx := context.Background()
	data := packed(chunk.Shape{64, 64})
	g := chunk.Regular(data.Shape, 40, 50)
	for _, version := range []string{"zarr2", "zarr3"} {
		for _, codec := range []string{"none", "", "zstd:1", "zstd:9", "gzip", "gzip:9", "zlib:1", "deflate", "lz4", "lz4:5", "blosc", "blosc:9", "blosc-lz4:1", "blosc-lz4hc", "blosc-zstd:7"} {
			path := filepath.Join(t.TempDir(), "x.zarr")
			w, err := Create(ctx, path, formats.Spec{Format: version, Vars: []formats.VarSpec{{Name: "v", Shape: data.Shape, DType: data.DType, Grid: &g, Codec: codec}}})
			if err == nil {
				err = formattest.Write(ctx, w, []*chunk.Chunk{data})
			}
			if err != nil {
				t.Fatalf("%s %q: %v", version, codec, err)
			}
			r, err := Open(ctx, path)
			if err != nil || r.Vars[0].Err != nil {
				t.Fatalf("%s %q: %v %v", version, codec, err, r.Vars[0].Err)
			}
			if got, err := formattest.ReadAll(ctx, r.Vars[0].Source); err != nil || !bytes.Equal(got.Bytes(), data.Bytes()) {
				t.Errorf("%s %q: values differ, %v", version, codec, err)
			}
		}
	}
}
