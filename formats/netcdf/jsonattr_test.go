// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
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

// TestJSONAttributes: what JSON has and NetCDF has not comes back as it was, from the root, a group and a variable of both formats, and other readers see texts.
func TestJSONAttributes(t *testing.T) {
	ctx := context.Background()
	attrs := formats.Attrs{
		{Name: "title", Value: "a"},
		{Name: "ome", Value: map[string]any{"version": "0.5", "axes": []any{map[string]any{"name": "y", "n": int64(1) << 60}, nil, true}}},
		{Name: "yes", Value: true},
		{Name: "no", Value: false},
		{Name: "nothing", Value: nil},
		{Name: "none", Value: []any{}},
		{Name: "mixed", Value: []any{"a", int64(2), []any{1.5}}},
		{Name: "names", Value: []string{"a", "b"}},
		{Name: "like", Value: `{"a": 1}`},
		{Name: "flag", Value: int8(1)},
	}
	for _, format := range []string{"netcdf4", "netcdf3-64bit-data", "netcdf3"} {
		path := filepath.Join(t.TempDir(), "a.nc")
		spec := formats.Spec{Format: format, Attrs: attrs, Vars: []formats.VarSpec{{Name: "v", Shape: chunk.Shape{}, DType: dtype.Int8, Attrs: attrs}}}
		if format == "netcdf4" {
			spec.Groups = []formats.GroupSpec{{Path: "g", Attrs: attrs}}
		}
		w, err := Create(ctx, path, spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := formattest.Write(ctx, w, []*chunk.Chunk{formattest.New(dtype.Int8, 1, chunk.Shape{})}); err != nil {
			t.Fatal(err)
		}
		read := NetCDF4.Open
		if format != "netcdf4" {
			read = Classic.Open
		}
		g, err := read(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		places := map[string]formats.Attrs{"root": g.Attrs, "variable": g.Vars[0].Attrs}
		if format == "netcdf4" {
			places["group"] = g.Groups[0].Group.Attrs
		}
		for place, got := range places {
			if len(got) != len(attrs) {
				t.Errorf("%s, %s: %d attributes, want %d: %v", format, place, len(got), len(attrs), got)
			}
			for _, a := range attrs {
				want := a.Value
				if a.Name == "none" {
					want = []int32{} // the same in JSON
				}
				if _, texts := want.([]string); texts && format != "netcdf4" {
					want = []any{"a", "b"}
				}
				if v, ok := got.Get(a.Name); !ok || !reflect.DeepEqual(v, want) {
					t.Errorf("%s, %s: %s is %#v, want %#v", format, place, a.Name, v, want)
				}
			}
		}
		g.Close()
		spec.Attrs = append(spec.Attrs, formats.Attr{Name: attrJSON, Value: "mine"})
		if _, err := Create(ctx, path+"2", spec); !errors.Is(err, formats.ErrFormat) {
			t.Errorf("%s: an attribute %s beside those that need it: %v, want ErrFormat", format, attrJSON, err)
		}
	}
}

// TestJSONAttributesChanged: a list that others have left behind does not make values of what is none.
func TestJSONAttributesChanged(t *testing.T) {
	list := formats.Attr{Name: attrJSON, Value: `["a", "b", "c", "gone"]`}
	got := unfoldAttrs(formats.Attrs{{Name: "a", Value: "{not json"}, {Name: "b", Value: 1.5}, {Name: "c", Value: []int8{1, 2}}, {Name: "d", Value: "null"}, list})
	want := formats.Attrs{{Name: "a", Value: "{not json"}, {Name: "b", Value: 1.5}, {Name: "c", Value: []int8{1, 2}}, {Name: "d", Value: "null"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, v := range []any{"no list", `{"a": 1}`, int64(3)} {
		attrs := formats.Attrs{{Name: "a", Value: "1"}, {Name: attrJSON, Value: v}}
		if got := unfoldAttrs(attrs); !reflect.DeepEqual(got, attrs) {
			t.Errorf("%v: got %v, want them as they are", v, got)
		}
	}
}

// TestAttributesOfScalesInGroups: names that make datasets dimension scales are anyone's in groups, as PyTables has CLASS there.
func TestAttributesOfScalesInGroups(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.nc")
	attrs := formats.Attrs{{Name: "CLASS", Value: "GROUP"}, {Name: "NAME", Value: "mine"}}
	w, err := Create(ctx, path, formats.Spec{Attrs: attrs, Groups: []formats.GroupSpec{{Path: "g", Attrs: attrs}}})
	if err == nil {
		err = w.Commit(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	g, err := NetCDF4.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for _, got := range []formats.Attrs{g.Attrs, g.Groups[0].Group.Attrs} {
		if !reflect.DeepEqual(got, attrs) {
			t.Errorf("got %v, want %v", got, attrs)
		}
	}
}

// TestAttributesOfNothing: lists of no numbers keep their type, and are lists of nothing in JSON.
func TestAttributesOfNothing(t *testing.T) {
	ctx := context.Background()
	attrs := formats.Attrs{{Name: "i", Value: []int16{}}, {Name: "d", Value: []float64{}}, {Name: "text", Value: ""}}
	for format, read := range map[string]func(context.Context, string) (*formats.Group, error){"netcdf4": NetCDF4.Open, "netcdf3": Classic.Open} {
		path := filepath.Join(t.TempDir(), "a.nc")
		w, err := Create(ctx, path, formats.Spec{Format: format, Attrs: attrs})
		if err == nil {
			err = w.Commit(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		g, err := read(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(g.Attrs, attrs) {
			t.Errorf("%s: got %#v, want %#v", format, g.Attrs, attrs)
		}
		g.Close()
	}
}
