// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
)

// store writes targets and returns the first error.
func store(t *testing.T, eng ndarray.Engine, targets ...ndarray.Target) error {
	t.Helper()
	ctx := context.Background()
	w, err := ndarray.PlanWrite(ctx, targets)
	if err != nil {
		return err
	}
	if err := eng.Run(ctx, w.Outputs); err != nil {
		w.Abort()
		return err
	}
	return w.Commit(ctx)
}

func open(t *testing.T, path string, opts ...ndarray.OpenOption) *ndarray.Dataset {
	t.Helper()
	ds, err := ndarray.Open(context.Background(), path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ds.Close() })
	return ds
}

// TestRoundTrip writes a variable and reads it again: values, labels, attributes.
func TestRoundTrip(t *testing.T) {
	eng := newEngine(t)
	a := sample("noleap")
	want := floats(t, eng, a.Array())
	for _, ext := range []string{".nc", ".zarr"} {
		path := filepath.Join(t.TempDir(), "a"+ext)
		if err := store(t, eng, ndarray.To(path, a)); err != nil {
			t.Fatal(err)
		}
		ds := open(t, path)
		v, ok := ds.Main()
		if !ok || v.Name() != "tas" || !slices.Equal(v.Dims(), a.Dims()) || !slices.Equal(v.Coords(), a.Coords()) {
			t.Fatalf("%s: read %v with coordinates %v from %v", ext, v, v.Coords(), ds)
		}
		if got := floats(t, eng, v.Array()); !equal(got, want) {
			t.Errorf("%s: values %v, want %v", ext, got, want)
		}
		if h, _ := ds.Attrs().Get("history"); !strings.Contains(h.(string), "arrayrun") {
			t.Errorf("%s: history %v", ext, h)
		}
		time := ds.Var("time")
		if u, _ := time.Attrs().Get("units"); u != "days since 2001-01-01" || time.DType() != dtype.Int32 {
			t.Errorf("%s: time is %v with units %v", ext, time, u)
		}
		if got := floats(t, eng, v.GroupBy("time.month").Mean().Array()); len(got) != 8*12 {
			t.Errorf("%s: %d values in months", ext, len(got))
		}
	}
}

// TestAnomalyFromFile subtracts climatologies that were written and read again.
func TestAnomalyFromFile(t *testing.T) {
	eng := newEngine(t)
	a := sample("standard")
	for _, part := range []string{"month", "season", "year", "dayofyear", "day", "hour"} {
		for _, ext := range []string{".nc", ".zarr"} {
			path := filepath.Join(t.TempDir(), "clim"+ext)
			clim := a.GroupBy("time." + part).Mean()
			if err := store(t, eng, ndarray.To(path, clim, ndarray.As("clim"))); err != nil {
				t.Fatal(err)
			}
			c := open(t, path).Var("clim")
			got := floats(t, eng, a.Sub(c).Array())
			want := floats(t, eng, a.Sub(clim).Array())
			if !equal(got, want) {
				t.Errorf("%s%s: a - clim = %v, want %v", part, ext, got, want)
			}
		}
	}
}

// TestSpecs looks at what would be written.
func TestSpecs(t *testing.T) {
	a := sample("standard")
	bounded := a.WithCoord(coordinate("lat", []float64{10, 0, -10}, "units", "degrees_north", "bounds", "lat_bnds"))
	plain := ndarray.Ones([]int64{2, 3}, dtype.Float32)
	for _, c := range []struct {
		name    string
		targets []ndarray.Target
		vars    string
		check   func(s formats.Spec) string
	}{
		{"a variable and its coordinates", []ndarray.Target{ndarray.To("x.nc", a)}, "tas time lat lon", func(s formats.Spec) string {
			if f, _ := s.Vars[0].Attrs.Get("_FillValue"); f == nil || f == f {
				return "no fill value NaN"
			}
			if _, ok := s.Vars[2].Attrs.Get("_FillValue"); ok {
				return "a dimension coordinate has a fill value"
			}
			return ""
		}},
		{"bool", []ndarray.Target{ndarray.To("x.nc", a.Greater(3))}, "tas time lat lon", func(s formats.Spec) string {
			if d, _ := s.Vars[0].Attrs.Get("dtype"); d != "bool" || s.Vars[0].DType != dtype.Int8 {
				return "not int8 with dtype = bool"
			}
			return ""
		}},
		{"bounds that are not written", []ndarray.Target{ndarray.To("x.nc", bounded)}, "tas time lat lon", func(s formats.Spec) string {
			if _, ok := s.Vars[2].Attrs.Get("bounds"); ok {
				return "the attribute bounds stayed"
			}
			return ""
		}},
		{"a scalar coordinate", []ndarray.Target{ndarray.To("x.nc", a.ISel("lat", 0))}, "tas time lat lon", func(s formats.Spec) string {
			if x, _ := s.Vars[0].Attrs.Get("coordinates"); x != "lat" || len(s.Vars[2].Dims) != 0 {
				return "no coordinates = lat"
			}
			return ""
		}},
		{"two in one file", []ndarray.Target{ndarray.To("x.nc", a.Mean("time").Rename("m")), ndarray.To("x.nc", a, ndarray.As("n"))}, "m n lat lon time", nil},
		{"an array in NetCDF", []ndarray.Target{ndarray.To("x.nc", plain)}, "result", func(s formats.Spec) string {
			if len(s.Vars[0].Dims) != 2 || s.Dims[1].Size != 3 {
				return "no dimensions"
			}
			return ""
		}},
		{"an array in Zarr", []ndarray.Target{ndarray.To("x.zarr", plain, ndarray.ChunkSteps(1, -1))}, "result", func(s formats.Spec) string {
			if s.Vars[0].Dims != nil || s.Vars[0].Grid.Axes[0].Step != 1 || s.Vars[0].Grid.Axes[1].Step != 3 {
				return "dimensions or wrong chunks"
			}
			return ""
		}},
		{"npy", []ndarray.Target{ndarray.To("x.npy", a)}, "tas", nil},
		{"chunks by name", []ndarray.Target{ndarray.To("x.zarr", a, ndarray.Chunks{"time": 2, "lat": -1})}, "tas time lat lon", func(s formats.Spec) string {
			if g := s.Vars[0].Grid; g == nil || g.Axes[0].Step != 2 || g.Axes[1].Step != 3 {
				return "wrong chunks"
			}
			return ""
		}},
	} {
		_, specs, _, err := ndarray.PlanSpecs(c.targets)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var names []string
		for _, v := range specs[0].Vars {
			names = append(names, v.Name)
		}
		if got := strings.Join(names, " "); got != c.vars {
			t.Errorf("%s: variables %s, want %s", c.name, got, c.vars)
		} else if c.check != nil {
			if bad := c.check(specs[0]); bad != "" {
				t.Errorf("%s: %s: %+v", c.name, bad, specs[0])
			}
		}
	}
	for _, c := range []struct {
		name    string
		targets []ndarray.Target
		want    string
	}{
		{"float16", []ndarray.Target{ndarray.To("x.nc", a.AsType(dtype.Float16))}, `NetCDF has no float16: variable "tas"`},
		{"complex", []ndarray.Target{ndarray.To("x.nc", plain.AsType(dtype.Complex128))}, "NetCDF has no complex128"},
		{"one name twice", []ndarray.Target{ndarray.To("x.nc", a), ndarray.To("x.nc", a)}, `two variables are named "tas"`},
		{"two lengths", []ndarray.Target{ndarray.To("x.nc", a), ndarray.To("x.nc", a.ISel("lat", []int{0, 1}).Rename("b"))}, `dimension "lat" has length 3 and, in "b", 2`},
		{"two in npy", []ndarray.Target{ndarray.To("x.npy", a), ndarray.To("x.npy", a)}, "a .npy file holds one array"},
		{"a text", []ndarray.Target{ndarray.To("x.npy", "a")}, "got a string, want a Variable, an Array or a Table"},
		{"an error", []ndarray.Target{ndarray.To("x.npy", a.Mean("x"))}, `has no dimension "x"`},
	} {
		if _, _, _, err := ndarray.PlanSpecs(c.targets); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// TestOutputsAreWhole checks that nothing is left when a run fails, and that what exists is kept.
func TestOutputsAreWhole(t *testing.T) {
	eng := newEngine(t)
	a := sample("standard")
	dir := t.TempDir()
	bad := eval(t, "a.where(a < 0).argmax('lon')", expr.Env{"a": a})
	if err := store(t, eng, ndarray.To(filepath.Join(dir, "a.nc"), a), ndarray.To(filepath.Join(dir, "b.zarr"), bad)); err == nil {
		t.Error("a failing output: no error")
	}
	if names, _ := os.ReadDir(dir); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
	path := filepath.Join(dir, "a.nc")
	if err := store(t, eng, ndarray.To(path, a)); err != nil {
		t.Fatal(err)
	}
	if err := store(t, eng, ndarray.To(path, a)); !errors.Is(err, formats.ErrExists) {
		t.Errorf("an output that exists: %v", err)
	}
	if err := store(t, eng, ndarray.To(path, a.Mean("time"), ndarray.Overwrite())); err != nil {
		t.Errorf("overwrite: %v", err)
	}
	if v, _ := open(t, path).Main(); v.Rank() != 2 {
		t.Errorf("overwritten: %v", v)
	}
}

// TestOpenPacked writes packed values as a file has them and reads them decoded and raw.
func TestOpenPacked(t *testing.T) {
	eng := newEngine(t)
	path := filepath.Join(t.TempDir(), "packed.nc")
	packed := ndarray.NewVariable("t", ndarray.FromSlice([]int16{0, 100, -32768}), []string{"x"},
		attrs("scale_factor", 0.5, "add_offset", 10.0, "_FillValue", int16(-32768), "units", "K"))
	if err := store(t, eng, ndarray.To(path, packed)); err != nil {
		t.Fatal(err)
	}
	v := open(t, path).Var("t")
	if got := floats(t, eng, v.Array()); v.DType() != dtype.Float64 || !equal(got, []float64{10, 60, nan}) {
		t.Errorf("decoded %v %v", v, got)
	}
	if _, ok := v.Attrs().Get("scale_factor"); ok {
		t.Errorf("attributes %v", v.Attrs())
	}
	for _, raw := range []*ndarray.Dataset{open(t, path, ndarray.Raw()), open(t, path+"?raw")} {
		v := raw.Var("t")
		if got := floats(t, eng, v.Array()); v.DType() != dtype.Int16 || !equal(got, []float64{0, 100, -32768}) {
			t.Errorf("raw %v %v", v, got)
		}
	}
	if v, ok := open(t, path+"#t").Main(); !ok || v.Name() != "t" {
		t.Errorf("#t: %v", v)
	}
	if _, err := ndarray.Open(context.Background(), path+"#u"); err == nil || !strings.Contains(err.Error(), `no variable or group "u"`) {
		t.Errorf("#u: %v", err)
	}
}
