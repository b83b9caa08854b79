// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

// TestNestedAttributes: attributes of several axes keep them, as arrays in HDF5 and as texts where a file is NetCDF's.
func TestNestedAttributes(t *testing.T) {
	ctx := context.Background()
	compound := map[string]any{"fields": []any{[]any{"a", "int32"}, []any{"b", "float64"}}}
	record := func(a int32, b float64) map[string]any { return map[string]any{"a": a, "b": b} }
	attrs := formats.Attrs{
		{Name: "m", Value: []any{[]float32{0, 1, 2}, []float32{3, 4, 5}}},
		{Name: "t", Value: []any{[]any{[]int16{1}, []int16{2}}, []any{[]int16{3}, []int16{4}}}},
		{Name: "s", Value: []any{[]string{"a", ""}, []string{"c", "é"}}},
		{Name: "b", Value: []any{[]bool{true, false}, []bool{false, true}}},
		{Name: "row", Value: []bool{true, false}},
		{Name: "yes", Value: true},
		{Name: "c", Value: []complex128{1 + 2i, 3}},
		{Name: "k", Type: compound, Value: []any{[]any{record(1, 2)}, []any{record(3, 4)}}},
		{Name: "seq", Type: map[string]any{"vlen": "int32"}, Value: []any{[]int32{1, 2}, []int32{3, 4}}},
	}
	for _, c := range []struct {
		name string
		open func(context.Context, string) (*formats.Group, error)
		make func(context.Context, string, formats.Spec) (formats.Writer, error)
		json bool // numbers in lists of lists come back as JSON has them
	}{
		{"a.h5", NetCDF4.Open, Create, false}, {"a.nc", NetCDF4.Open, Create, true}, {"a.zarr", zarr.Open, zarr.Create, false},
	} {
		path := filepath.Join(t.TempDir(), c.name)
		w, err := c.make(ctx, path, formats.Spec{Attrs: attrs, Vars: []formats.VarSpec{{Name: "v", Shape: chunk.Shape{}, DType: dtype.Int8, Attrs: attrs}}})
		if err == nil {
			err = formattest.Write(ctx, w, []*chunk.Chunk{formattest.New(dtype.Int8, 1, chunk.Shape{})})
		}
		if err != nil {
			t.Fatal(err)
		}
		g, err := c.open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []formats.Attrs{g.Attrs, g.Vars[0].Attrs} {
			for _, a := range attrs {
				v, _ := got.Get(a.Name)
				same := reflect.DeepEqual(v, a.Value)
				if !same && (c.json || a.Type != nil || a.Name == "c" || reflect.TypeOf(a.Value).Kind() == reflect.Slice) {
					x, err := zarr.AppendJSON(nil, v)
					y, yErr := zarr.AppendJSON(nil, a.Value)
					same = err == nil && yErr == nil && string(x) == string(y) && (c.name != "a.h5" || a.Name == "c")
				}
				if !same {
					t.Errorf("%s: attribute %q is %T %v, want %v", c.name, a.Name, v, v, a.Value)
				}
			}
		}
		if c.name == "a.zarr" {
			if v, _ := g.Attrs.Get("m"); !reflect.DeepEqual(v, attrs[0].Value) {
				t.Errorf("%s: m is %T %v, want lists of float32", c.name, v, v)
			}
		}
		if g.Close != nil {
			g.Close()
		}
	}
}
