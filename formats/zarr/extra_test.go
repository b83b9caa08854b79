// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// Attributes keep their types, dimensions their nature, groups their attributes: in both versions.
func TestExtra(t *testing.T) {
	ctx := context.Background()
	attrs := formats.Attrs{{Name: "short", Value: int16(-3)}, {Name: "f", Value: float32(0.1)}, {Name: "list", Value: []uint8{1, 2}}, {Name: "d", Value: 2.5},
		{Name: "text", Value: "K"}, {Name: "n", Value: int64(7)}, {Name: "reals", Value: []float64{1, 2.5}}}
	spec := formats.Spec{
		Attrs: attrs[:2],
		Dims:  []formats.Dim{{Name: "time", Size: 2, Unlimited: true}, {Name: "unused", Size: 9}},
		Groups: []formats.GroupSpec{{Path: "a", Attrs: attrs[1:3], Dims: []formats.Dim{{Name: "x", Size: 3}}},
			{Path: "a/empty", Attrs: attrs[:1]}},
		Vars: []formats.VarSpec{{Name: "t", Dims: []string{"time"}, Shape: chunk.Shape{2}, DType: dtype.Int8, Attrs: attrs},
			{Name: "a/v", Dims: []string{"time", "x"}, Shape: chunk.Shape{2, 3}, DType: dtype.Int8, Stored: map[string]any{"enum": "int8", "members": map[string]any{"clear": int64(0), "rain": int64(-1)}}}},
	}
	for _, format := range []string{"zarr2", "zarr3"} {
		path := filepath.Join(t.TempDir(), "x.zarr")
		spec.Format = format
		w, err := Create(ctx, path, spec)
		if err != nil {
			t.Fatal(err)
		}
		data := []*chunk.Chunk{formattest.New(dtype.Int8, 1, chunk.Shape{2}), formattest.New(dtype.Int8, 1, chunk.Shape{2, 3})}
		if err := formattest.Write(ctx, w, data); err != nil {
			t.Fatal(err)
		}
		g, err := Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(g.Attrs, attrs[:2]) || !reflect.DeepEqual(g.Dims, spec.Dims) {
			t.Errorf("%s: root %v %v", format, g.Attrs, g.Dims)
		}
		if v := g.Vars[0]; !reflect.DeepEqual(v.Attrs, attrs) {
			t.Errorf("%s: attributes %#v", format, v.Attrs)
		}
		a := g.Groups[0].Group
		if got := a.Vars[0].Source.Meta().Stored; !reflect.DeepEqual(got, spec.Vars[1].Stored) {
			t.Errorf("%s: the numbers are %#v", format, got)
		}
		if !reflect.DeepEqual(a.Attrs, attrs[1:3]) || !reflect.DeepEqual(a.Dims, spec.Groups[0].Dims) || len(a.Groups) != 1 || !reflect.DeepEqual(a.Groups[0].Group.Attrs, attrs[:1]) {
			t.Errorf("%s: group %+v", format, a)
		}
	}
}

// What is kept may come from anybody.
func TestExtraOfOthers(t *testing.T) {
	for _, text := range []string{`1`, `{}`, `{"attribute_types":3,"dimensions":[1]}`, `{"attribute_types":{"":{"a":"int8","b":5,"c":"complex"}},"dimensions":{"":{"x":{"size":-1},"y":{"size":"big"},"z":3}}}`,
		`{"enumerations":{"":{"enum":"int8"},"a":3}}`} {
		v, err := parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		e := readExtra(v)
		got := e.attributes("", object{{"a", int64(300)}, {"b", "x"}, {"c", nil}})
		if want := (formats.Attrs{{Name: "a", Value: int64(300)}, {Name: "b", Value: "x"}, {Name: "c"}}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", text, got)
		}
		var g formats.Group
		if e.begin(&g, ""); len(g.Dims) > 0 {
			t.Errorf("%s: dimensions %v", text, g.Dims)
		}
	}
}
