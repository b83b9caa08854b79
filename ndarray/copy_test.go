// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray"
)

// nothing is a source that is only described.
type nothing struct{ meta formats.ArrayMeta }

func (s *nothing) Meta() *formats.ArrayMeta { return &s.meta }
func (s *nothing) ScratchBytes() int64      { return 0 }
func (s *nothing) ReadChunk(context.Context, chunk.Key, *chunk.Chunk) (int64, error) {
	return 0, formats.ErrCorrupt
}

// described returns a variable of a dtype on chunks of 2.
func described(name string, dt dtype.DType, stored any, attrs formats.Attrs, dims ...string) formats.Var {
	shape := make(chunk.Shape, len(dims))
	steps := make([]int64, len(dims))
	for i := range dims {
		shape[i], steps[i] = 6, 2
	}
	return formats.Var{Name: name, Dims: dims, Attrs: attrs, Source: &nothing{formats.ArrayMeta{Shape: shape, DType: dt, ItemBytes: max(dt.Size(), 1), Stored: stored,
		Grid: chunk.Regular(shape, steps...), Chunked: true, Codecs: []string{"zstd"}, Bytes: -1}}}
}

func sixes(names ...string) []formats.Dim {
	var out []formats.Dim
	for _, n := range names {
		out = append(out, formats.Dim{Name: n, Size: 6})
	}
	return out
}

// TestPlanCopyHolds: what a format has no place for is an error that names it, and a lossy copy warns and goes on without it.
func TestPlanCopyHolds(t *testing.T) {
	x := sixes("x")
	for name, c := range map[string]struct {
		out, format string
		g           formats.Group
		want        string // in the error and the warning
		vars        int    // left by a lossy copy
	}{
		"float16":     {"a.nc", "", formats.Group{Dims: x, Vars: []formats.Var{described("v", dtype.Float16, "float16", nil, "x")}}, `variable "v"`, 0},
		"times":       {"a.nc", "", formats.Group{Dims: x, Vars: []formats.Var{described("v", dtype.Int64, "datetime64[25s]", nil, "x")}}, "datetime64[25s]", 0},
		"enumeration": {"a.npy", "", formats.Group{Dims: x, Vars: []formats.Var{described("v", dtype.Int8, map[string]any{"enum": "int8"}, nil, "x")}}, "enumeration", 1},
		"sequences":   {"a.zarr", "", formats.Group{Dims: x, Vars: []formats.Var{described("v", dtype.String, map[string]any{"vlen": "int32"}, nil, "x")}}, `variable "v"`, 0},
		"reference":   {"a.zarr", "", formats.Group{Dims: x, Vars: []formats.Var{described("v", dtype.Raw, "reference", nil, "x")}}, "reference", 0},
		"texts":       {"a.nc", "netcdf3", formats.Group{Dims: x, Vars: []formats.Var{described("v", dtype.String, "str", nil, "x")}}, "str", 0},
		"groups":      {"a.nc", "netcdf3", formats.Group{Groups: []formats.NamedGroup{{Name: "g", Group: &formats.Group{}}}}, `group "g"`, 0},
		"complex":     {"a.nc", "netcdf3", formats.Group{Attrs: formats.Attrs{{Name: "z", Value: complex(1, 2)}}}, `attribute "z"`, 0},
		"latin 1":     {"a.zarr", "", formats.Group{Attrs: formats.Attrs{{Name: "units", Value: "\xb0C"}}}, "UTF-8", 0},
		"name":        {"a.zarr", "", formats.Group{Dims: x, Vars: []formats.Var{described("__v", dtype.Int8, "int8", nil, "x")}}, "__v", 0},
		"lengths":     {"a.nc", "", formats.Group{Dims: []formats.Dim{{Name: "x", Size: 9}}, Vars: []formats.Var{described("v", dtype.Int8, "int8", nil, "x")}}, "length 6", 1},
		"two grow": {"a.nc", "netcdf3", formats.Group{Dims: []formats.Dim{{Name: "x", Size: 6, Unlimited: true}, {Name: "y", Size: 6, Unlimited: true}},
			Vars: []formats.Var{described("v", dtype.Int8, "int8", nil, "x")}}, "unlimited", 1},
		"inner grows": {"a.nc", "netcdf3", formats.Group{Dims: []formats.Dim{{Name: "x", Size: 6}, {Name: "y", Size: 6, Unlimited: true}},
			Vars: []formats.Var{described("v", dtype.Int8, "int8", nil, "x", "y")}}, "first dimension", 1},
	} {
		c.g.Format = "hdf5"
		out := filepath.Join(t.TempDir(), c.out)
		if _, err := ndarray.PlanCopy(context.Background(), &c.g, out, ndarray.CopyOptions{Format: c.format}); !errors.Is(err, ndarray.ErrCannotHold) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want one that names %s", name, err, c.want)
		}
		var warned []string
		p, err := ndarray.PlanCopy(context.Background(), &c.g, out, ndarray.CopyOptions{Format: c.format, Lossy: true, Warn: func(s string) { warned = append(warned, s) }})
		if err != nil || len(p.Spec.Vars) != c.vars || !strings.Contains(strings.Join(warned, "\n"), c.want) {
			t.Errorf("%s: lossy: %v, %+v, warnings %q", name, err, p, warned)
		}
	}
}

// TestPlanCopySpec: what goes into the specification of an output.
func TestPlanCopySpec(t *testing.T) {
	lat := described("lat", dtype.Float32, "float32", nil, "lat")
	v := described("v", dtype.Float32, "float32", formats.Attrs{{Name: "_FillValue", Value: "AAAAAAAA+H8="}, {Name: "coordinates", Value: "h"}, {Name: "list", Value: []any{int64(1), int64(2)}}}, "lat", "lon")
	g := formats.Group{Format: "zarr3", Dims: sixes("lat", "lon", "other"), Vars: []formats.Var{lat, described("lon", dtype.Float64, "float64", nil, "lon"),
		described("h", dtype.Int16, "int16", nil, "lat"), v, described("w", dtype.Int8, "int8", nil, "other")}}
	p, err := ndarray.PlanCopy(context.Background(), &g, "x.nc", ndarray.CopyOptions{Vars: []string{"v"}, Chunks: ndarray.Chunks{"lon": -1}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range p.Spec.Vars {
		names = append(names, s.Name)
	}
	if fmt.Sprint(names) != "[lat lon h v]" || len(p.Spec.Dims) != 2 {
		t.Errorf("variables %v, dimensions %v", names, p.Spec.Dims)
	}
	s := p.Spec.Vars[3]
	fill, _ := s.Attrs.Get("_FillValue")
	if f, ok := fill.(float32); !ok || !math.IsNaN(float64(f)) {
		t.Errorf("_FillValue %T %v", fill, fill)
	}
	if l, _ := s.Attrs.Get("list"); fmt.Sprintf("%T %v", l, l) != "[]interface {} [1 2]" {
		t.Errorf("list %T %v", l, l)
	}
	if s.Codec != "zlib:4" || fmt.Sprint(s.Grid.MaxChunk()) != "[2 6]" {
		t.Errorf("codec %q, chunks %v", s.Codec, s.Grid.MaxChunk())
	}
	for _, c := range []struct {
		o    ndarray.CopyOptions
		want string
	}{
		{ndarray.CopyOptions{Vars: []string{"nope"}}, "nope"}, {ndarray.CopyOptions{Chunks: ndarray.Chunks{"depth": 1}}, "depth"},
		{ndarray.CopyOptions{Steps: []int64{1, 2, 3}}, "3 axes"}, {ndarray.CopyOptions{Format: "grib"}, "grib"},
	} {
		if _, err := ndarray.PlanCopy(context.Background(), &g, "x.zarr", c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
}

func TestParseSelection(t *testing.T) {
	for _, text := range []string{"", "x", "=3", "x=", "x=@", "x=@a", "x=@1:2:0", "x=@1:2:3:4", "x=@1,,2"} {
		if s, err := ndarray.ParseSelection(text); err == nil {
			t.Errorf("%q is read as %v", text, s)
		}
	}
	for _, text := range []string{"x=3", "time=2001-03:2001-05", "lat=-30:30", "x=@3", "x=@-1", "x=@0:10:2", "x=@:", "x=@1,4", "t=2001-01-01T06:00:2001-01-02T18:00"} {
		if s, err := ndarray.ParseSelection(text); err != nil || s.String() != text {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
}

// TestCopyPlainTimes: times whose type alone says their units become numbers with CF's units in NetCDF, with NaT as the fill value; a Zarr output keeps the type.
func TestCopyPlainTimes(t *testing.T) {
	for stored, want := range map[string]string{"datetime64[ns]": "nanoseconds since 1970-01-01", "datetime64[D]": "days since 1970-01-01", "timedelta64[h]": "hours"} {
		v := described("v", dtype.Int64, stored, nil, "x")
		g := formats.Group{Format: "zarr3", Dims: sixes("x"), Vars: []formats.Var{v}}
		warned := ""
		p, err := ndarray.PlanCopy(context.Background(), &g, "a.nc", ndarray.CopyOptions{Warn: func(s string) { warned += s }})
		if err != nil {
			t.Fatal(err)
		}
		s := p.Spec.Vars[0]
		units, _ := s.Attrs.Get("units")
		fill, _ := s.Attrs.Get("_FillValue")
		calendar, _ := s.Attrs.Get("calendar")
		if units != want || s.Stored != nil || fill != int64(math.MinInt64) || (calendar != nil) != strings.HasPrefix(stored, "date") || !strings.Contains(warned, stored) {
			t.Errorf("%s: units %v, stored %v, fill %v, calendar %v, warned %q", stored, units, s.Stored, fill, calendar, warned)
		}
		if p, err = ndarray.PlanCopy(context.Background(), &g, "a.zarr", ndarray.CopyOptions{}); err != nil || p.Spec.Vars[0].Stored != stored || len(p.Spec.Vars[0].Attrs) > 0 {
			t.Errorf("%s to Zarr: %+v, %v", stored, p, err)
		}
	}
}

// TestCopyScaleNames: attributes by which HDF5 marks dimension scales are dropped from variables, with a warning, and stay in groups.
func TestCopyScaleNames(t *testing.T) {
	class := formats.Attrs{{Name: "CLASS", Value: "GROUP"}}
	g := formats.Group{Format: "hdf5", Attrs: class, Dims: sixes("x"), Vars: []formats.Var{described("v", dtype.Int8, "int8", class, "x")},
		Groups: []formats.NamedGroup{{Name: "g", Group: &formats.Group{Attrs: class}}}}
	var warned []string
	p, err := ndarray.PlanCopy(context.Background(), &g, "a.nc", ndarray.CopyOptions{Warn: func(s string) { warned = append(warned, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Spec.Attrs) != 1 || len(p.Spec.Groups) != 1 || len(p.Spec.Groups[0].Attrs) != 1 || len(p.Spec.Vars[0].Attrs) != 0 || len(warned) != 1 || !strings.Contains(warned[0], `variable "v"`) {
		t.Errorf("got %+v, warnings %q", p.Spec, warned)
	}
}

// TestCopyNaNOfIntegers: a _FillValue that no integer can be, as ERA-Interim's packed files have it, is left out of every format with a warning.
func TestCopyNaNOfIntegers(t *testing.T) {
	g := formats.Group{Format: "netcdf3", Dims: sixes("x"), Vars: []formats.Var{described("v", dtype.Int16, "int16", formats.Attrs{{Name: "_FillValue", Value: math.NaN()}, {Name: "scale_factor", Value: 0.5}}, "x")}}
	for _, format := range []string{"zarr3", "zarr2", "netcdf4", "netcdf3"} {
		warned := ""
		p, err := ndarray.PlanCopy(context.Background(), &g, "a", ndarray.CopyOptions{Format: format, Warn: func(s string) { warned += s }})
		if err != nil {
			t.Fatal(err)
		}
		if a := p.Spec.Vars[0].Attrs; len(a) != 1 || a[0].Name != "scale_factor" || !strings.Contains(warned, "_FillValue") {
			t.Errorf("%s: attributes %v, warned %q", format, a, warned)
		}
	}
}

// TestCopyTimesOfZarr2: the fill value of an array of times is no second _FillValue, and text that says no unit no second one.
func TestCopyTimesOfZarr2(t *testing.T) {
	v := described("v", dtype.Int64, "datetime64[s]", formats.Attrs{{Name: "units", Value: ""}}, "x")
	v.Source.Meta().FillSet = true
	g := formats.Group{Format: "zarr2", Dims: sixes("x"), Vars: []formats.Var{v}}
	p, err := ndarray.PlanCopy(context.Background(), &g, "a.nc", ndarray.CopyOptions{Warn: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	want := "[{units seconds since 1970-01-01 <nil>} {_FillValue -9223372036854775808 <nil>} {calendar proleptic_gregorian <nil>}]"
	if got := fmt.Sprint(p.Spec.Vars[0].Attrs); got != want {
		t.Errorf("attributes %s, want %s", got, want)
	}
}

// TestCopyFillOfZarr2: a fill value masks in Zarr 2 that no attribute of NetCDF can have, of bools too, and stays in a copy of the same version.
func TestCopyFillOfZarr2(t *testing.T) {
	v := described("v", dtype.Bool, "bool", nil, "x")
	v.Source.Meta().Fill, v.Source.Meta().FillSet = []byte{1}, true
	for format, want := range map[string]string{"zarr2": "[1]", "zarr3": "[]"} {
		g := formats.Group{Format: format, Dims: sixes("x"), Vars: []formats.Var{v}}
		p, err := ndarray.PlanCopy(context.Background(), &g, "a.zarr", ndarray.CopyOptions{Format: "zarr2"})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(p.Spec.Vars[0].Fill); got != want {
			t.Errorf("from %s: fill value %s, want %s", format, got, want)
		}
	}
}

// TestCopyEmptyAxis: chunks along an axis without elements keep their length, for what will be appended; texts go to shards as numbers do.
func TestCopyEmptyAxis(t *testing.T) {
	v := described("v", dtype.String, "str", nil, "x", "y")
	m := v.Source.Meta()
	m.Shape, m.Grid = chunk.Shape{0, 6}, chunk.Regular(chunk.Shape{0, 6}, 100, 8)
	g := formats.Group{Format: "zarr3", Dims: []formats.Dim{{Name: "x"}, {Name: "y", Size: 6}}, Vars: []formats.Var{v}}
	p, err := ndarray.PlanCopy(context.Background(), &g, "a.zarr", ndarray.CopyOptions{Shards: ndarray.Chunks{"y": 12}})
	if err != nil {
		t.Fatal(err)
	}
	if s := p.Spec.Vars[0]; s.Grid.Axes[0].Step != 100 || s.Grid.Axes[1].Step != 6 || fmt.Sprint(s.Shards) != "[100 12]" {
		t.Errorf("chunks %v, shards %v", s.Grid.Axes, s.Shards)
	}
}
