// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/zarr"
	"github.com/arrayrun/arrayrun/ndarray"
)

// packedStore writes a Zarr output of int16, scale 0.5, offset 10, missing -1, over hours 0 to n of three columns, and returns its path.
func packedStore(t *testing.T, format string, n int64) string {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "p.zarr")
	g := chunk.Regular(chunk.Shape{n, 3}, 4, 2)
	packing := formats.Attrs{{Name: "scale_factor", Value: 0.5}, {Name: "add_offset", Value: 10.0}, {Name: "_FillValue", Value: int16(-1)}, {Name: "units", Value: "K"}}
	w, err := zarr.Create(ctx, path, formats.Spec{Format: format, Vars: []formats.VarSpec{
		{Name: "v", Dims: []string{"time", "x"}, Shape: chunk.Shape{n, 3}, DType: dtype.Int16, Grid: &g, Attrs: packing, Fill: []byte{255, 255}},
		{Name: "time", Dims: []string{"time"}, Shape: chunk.Shape{n}, DType: dtype.Int32, Attrs: formats.Attrs{{Name: "units", Value: "hours since 2000-01-01"}}},
		{Name: "x", Dims: []string{"x"}, Shape: chunk.Shape{3}, DType: dtype.Float64},
	}})
	if err != nil {
		t.Fatal(err)
	}
	eng := newEngine(t)
	hours := ndarray.Arange(0, n, 1, dtype.Int32)
	outs := []ndarray.Output{
		{Array: hours.Reshape(n, 1).AsType(dtype.Int16).Mul(ndarray.Ones(chunk.Shape{1, 3}, dtype.Int16)), To: w.Sink(0)},
		{Array: hours, To: w.Sink(1)}, {Array: ndarray.Arange(0, 3, 1, dtype.Float64), To: w.Sink(2)}}
	if err := eng.Run(ctx, outs); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	return path
}

// days returns a variable v over n times, in days, from first on, all of them value.
func days(first float64, n int64, value float64, x ...float64) ndarray.Variable {
	v := ndarray.NewVariable("v", ndarray.Full(chunk.Shape{n, int64(len(x))}, value, dtype.Float64), []string{"time", "x"}, attrs("units", "K"))
	times := make([]float64, n)
	for i := range times {
		times[i] = first + float64(i)/24
	}
	return v.WithCoord(coordinate("time", times, "units", "days since 2000-01-01")).WithCoord(coordinate("x", x))
}

// Values appended and written to regions are packed as they are there, and come in its units of time.
func TestAppendAndRegion(t *testing.T) {
	for _, format := range []string{"zarr2", "zarr3"} {
		eng := newEngine(t)
		path := packedStore(t, format, 6)
		if err := store(t, eng, ndarray.To(path, days(0.25, 3, math.NaN(), 0, 1, 2), ndarray.AppendTo("time"))); err != nil {
			t.Fatal(err)
		}
		if err := store(t, eng, ndarray.To(path, days(5./24, 2, 99.5, 1, 2), ndarray.Region{"time": "2000-01-01T05:2000-01-01T06", "x": "@1:3"})); err != nil {
			t.Fatal(err)
		}
		raw := floats(t, eng, open(t, path, ndarray.Raw()).Var("v").Array())
		times := floats(t, eng, open(t, path, ndarray.Raw()).Var("time").Array())
		for i := range 9 {
			if times[i] != float64(i) {
				t.Fatalf("%s: hour %d is %v", format, i, times[i])
			}
			for k := range 3 {
				want := float64(i)
				switch {
				case (i == 5 || i == 6) && k > 0:
					want = 179
				case i >= 6:
					want = -1
				}
				if got := raw[3*i+k]; got != want {
					t.Errorf("%s: element (%d, %d) is stored as %v, want %v", format, i, k, got, want)
				}
			}
		}
	}
}

// An output that is not there is made by the first append; two runs give one output.
func TestAppendMakes(t *testing.T) {
	eng := newEngine(t)
	path := filepath.Join(t.TempDir(), "new.zarr")
	for i := range 3 {
		if err := store(t, eng, ndarray.To(path, days(float64(i), 2, float64(i), 0, 1), ndarray.AppendTo("time"), ndarray.Chunks{"time": 3})); err != nil {
			t.Fatal(err)
		}
	}
	got := floats(t, eng, open(t, path).Var("v").Array())
	want := []float64{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}
	if !equal(got, want) {
		t.Errorf("three appends = %v, want %v", got, want)
	}
}

// After an abort, and before Commit, readers see what was there.
func TestAppendInterrupted(t *testing.T) {
	ctx := context.Background()
	eng := newEngine(t)
	path := packedStore(t, "zarr3", 6)
	before := floats(t, eng, open(t, path).Var("v").Array())
	for range 2 {
		w, err := ndarray.PlanWrite(ctx, []ndarray.Target{ndarray.To(path, days(0.25, 5, 12, 0, 1, 2), ndarray.AppendTo("time"))})
		if err != nil {
			t.Fatal(err)
		}
		if err := eng.Run(ctx, w.Outputs); err != nil {
			t.Fatal(err)
		}
		if got := floats(t, eng, open(t, path).Var("v").Array()); !equal(got, before) {
			t.Errorf("before Commit = %v, want %v", got, before)
		}
		if err := w.Abort(); err != nil {
			t.Fatal(err)
		}
		if got := floats(t, eng, open(t, path).Var("v").Array()); !equal(got, before) {
			t.Errorf("after Abort = %v, want %v", got, before)
		}
	}
}

func TestUpdateRefuses(t *testing.T) {
	eng := newEngine(t)
	path := packedStore(t, "zarr3", 6)
	good := days(0.25, 2, 20, 0, 1, 2)
	nowhere := filepath.Join(t.TempDir(), "n.zarr")
	before := floats(t, eng, open(t, path, ndarray.Raw()).Var("v").Array())
	for _, c := range []struct {
		name, part string
		target     ndarray.Target
		is         error
	}{
		{"NetCDF", "netcdf4", ndarray.To(filepath.Join(t.TempDir(), "x.nc"), good, ndarray.AppendTo("time")), formats.ErrFormat},
		{"absent region", "", ndarray.To(nowhere, good, ndarray.Region{"time": "@0:2"}), fs.ErrNotExist},
		{"both", "not both", ndarray.To(path, good, ndarray.AppendTo("time"), ndarray.Region{"time": "@0:2"}), nil},
		{"overwrite", "overwritten", ndarray.To(path, good, ndarray.AppendTo("time"), ndarray.Overwrite()), nil},
		{"twice", "appended twice", ndarray.To(path, days(0, 2, 20, 0, 1, 2), ndarray.AppendTo("time")), nil},
		{"dimension", `no dimension "tim"`, ndarray.To(path, good, ndarray.AppendTo("tim")), chunk.ErrShape},
		{"name", `no variable "w"`, ndarray.To(path, good, ndarray.As("w"), ndarray.AppendTo("time")), fs.ErrNotExist},
		{"coordinate", `"x" at [2] is 2 there, got 3`, ndarray.To(path, days(0.25, 2, 20, 0, 1, 3), ndarray.AppendTo("time")), nil},
		{"length", "has length 3 there, got 2", ndarray.To(path, days(0.25, 2, 20, 0, 1), ndarray.AppendTo("time")), chunk.ErrShape},
		{"order", "transpose", ndarray.To(path, good.Transpose("x", "time"), ndarray.AppendTo("time")), chunk.ErrShape},
		{"range", "does not fit int16", ndarray.To(path, days(0.25, 2, 1e6, 0, 1, 2), ndarray.AppendTo("time")), nil},
		{"time", "does not fit int32", ndarray.To(path, days(0.26, 2, 20, 0, 1, 2), ndarray.AppendTo("time")), nil},
		{"labels", "labels of a region", ndarray.To(path, good, ndarray.Region{"time": "@0:2"}), nil},
		{"region's length", "3 of them, got 2", ndarray.To(path, good, ndarray.Region{"time": "@0:3"}), chunk.ErrShape},
		{"holes", "one behind the other", ndarray.To(path, good, ndarray.Region{"time": "@0:4:2"}), nil},
		{"complex", "complex128", ndarray.To(path, good.WithArray(good.Array().AsType(dtype.Complex128)), ndarray.AppendTo("time")), chunk.ErrShape},
	} {
		err := store(t, eng, c.target)
		if err == nil || !strings.Contains(err.Error(), c.part) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want %q wrapping %v", c.name, err, c.part, c.is)
		}
		if got := floats(t, eng, open(t, path, ndarray.Raw()).Var("v").Array()); !equal(got, before) {
			t.Fatalf("%s: values have changed", c.name)
		}
	}
}
