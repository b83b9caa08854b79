// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/sched"
)

// windowArray is an array of testdata/windows.json, whose elements are a formula.
type windowArray struct {
	Dims            []string
	Shape           []int64
	DType           string
	Missing         int
	Units, Calendar string
	Times           []float64
}

// elements are the array's values.
func (w windowArray) elements(t *testing.T) ndarray.Array {
	t.Helper()
	x := make([]float64, chunk.Shape(w.Shape).Size())
	for i := range x {
		x[i] = float64((i*37+11)%101)/4 - 10
		switch {
		case w.Missing > 0 && (i*i+i/3)%w.Missing == 0:
			x[i] = nan
		case w.DType == "uint8":
			x[i] = math.Abs(x[i])
		}
	}
	dt, err := dtype.Parse(w.DType)
	if err != nil {
		t.Fatal(err)
	}
	return ndarray.FromSlice(x, w.Shape...).AsType(dt)
}

func (w windowArray) variable(t *testing.T, steps ...int64) ndarray.Variable {
	t.Helper()
	a := w.elements(t).Rechunk(steps...)
	return ndarray.NewVariable("v", a, w.Dims, attrs("units", "K")).
		WithCoord(coordinate("time", w.Times, "units", w.Units, "calendar", w.Calendar)).
		WithCoord(coordinate("lat", []float64{10, 0, -10})).
		WithCoord(coordinate("lon", []float64{0, 90, 180, 270}))
}

// oracle are numbers of JSON: null is NaN, "inf" infinity.
type oracle []float64

func (g *oracle) UnmarshalJSON(b []byte) error {
	var list []any
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	for _, x := range list {
		switch v := x.(type) {
		case float64:
			*g = append(*g, v)
		case string:
			*g = append(*g, math.Inf(1))
		default:
			*g = append(*g, nan)
		}
	}
	return nil
}

// near returns the first position at which got differs from want by more than a part tol of the largest, -1 for none.
func near(got, want []float64, tol float64) int {
	top := 1.0
	for _, x := range want {
		if !math.IsInf(x, 0) && math.Abs(x) > top {
			top = math.Abs(x)
		}
	}
	for i, g := range got {
		w := want[i]
		if g != w && !(g != g && w != w) && !(math.Abs(g-w) <= tol*top) {
			return i
		}
	}
	return -1
}

// TestWindowsEqualXarray computes resample, rolling, coarsen, shift, roll, diff, idxmax and idxmin of small arrays in several
// chunks and compares with what xarray gave.
func TestWindowsEqualXarray(t *testing.T) {
	b, err := os.ReadFile("testdata/windows.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Arrays []windowArray
		Cases  []struct {
			Array       int
			Expr, DType string
			Dims        []string
			Shape       []int64
			Values      oracle
			Labels      map[string]oracle
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	eng := newEngine(t)
	for _, c := range file.Cases {
		for _, steps := range [][]int64{{-1, -1, -1}, {3, 1, 2}, {1, 2, 5}} {
			v := eval(t, c.Expr, expr.Env{"v": file.Arrays[c.Array].variable(t, steps...)})
			if !slices.Equal(v.Dims(), c.Dims) || !slices.Equal(v.Shape(), c.Shape) {
				t.Errorf("%d %s: %v, want dimensions %v of lengths %v", c.Array, c.Expr, v, c.Dims, c.Shape)
				break
			}
			if c.DType != "time" && v.DType().String() != c.DType && !strings.Contains(c.Expr, "quantile") && !strings.Contains(c.Expr, "idx") {
				t.Errorf("%d %s: dtype %v, want %v", c.Array, c.Expr, v.DType(), c.DType)
			}
			tol := 1e-10
			if v.DType() == dtype.Float32 || c.DType == "float32" {
				tol = 2e-6
			}
			got := floats(t, eng, v.Array())
			if i := near(got, c.Values, tol); i >= 0 {
				t.Errorf("%d %s in chunks %v: value %d is %v, want %v", c.Array, c.Expr, steps, i, got[i], c.Values[i])
			}
			for name, want := range c.Labels {
				l := v.CoordOf(name)
				if l == nil || l.Labels().Len() != len(want) {
					t.Errorf("%d %s: labels %q are %v, want %v", c.Array, c.Expr, name, l, want)
					continue
				}
				for i := range want {
					if g := l.Labels().Number(i); math.Abs(g-want[i]) > 1e-8*math.Max(1, math.Abs(want[i])) && !(g != g && want[i] != want[i]) {
						t.Errorf("%d %s: label %d of %q is %v, want %v", c.Array, c.Expr, i, name, g, want[i])
						break
					}
				}
			}
		}
	}
}

// TestWindowsAnyBudget computes windows of an array in many chunks with budgets that cut tasks otherwise: the bits are the same.
func TestWindowsAnyBudget(t *testing.T) {
	const n, rows, cols = 300, 40, 60
	x := make([]float32, n*rows*cols)
	seed := uint32(1)
	for i := range x {
		seed = seed*1664525 + 1013904223
		x[i] = float32(seed>>8)/(1<<24)*40 - 20
		if seed>>28 == 3 {
			x[i] = float32(nan)
		}
	}
	times := make([]int32, n)
	for i := range times {
		times[i] = int32(i)
	}
	v := ndarray.NewVariable("v", ndarray.FromSlice(x, n, rows, cols).Rechunk(1, rows, cols), []string{"time", "lat", "lon"}, nil).
		WithCoord(coordinate("time", times, "units", "days since 2000-01-01"))
	small, err := sched.New(sched.Options{Memory: 8 << 20, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	large, err := sched.New(sched.Options{Memory: 512 << 20, Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	for _, src := range []string{
		"v.rolling(time=31, center=True, min_periods=1).mean()",
		"v.rolling(time=30).std()",
		"v.rolling(time=9, min_periods=2).median()",
		"v.rolling(time=4, lat=3, lon=5, center=True, min_periods=20).sum()",
		"v.resample(time='MS').mean()",
		"v.resample(time='D').sum()",
		"v.resample(time='36h').max()",
		"v.resample(time='2W').median()",
		"v.resample(time='ME').mean(('lat'))",
		"v.coarsen(time=7, lat=4, lon=4, boundary='pad').var()",
		"v - v.shift(time=3)",
		"v.idxmax('time')",
	} {
		a := eval(t, src, expr.Env{"v": v}).Array().AsType(dtype.Float64)
		got, err := ndarray.Values[float64](context.Background(), small, a)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		want, err := ndarray.Values[float64](context.Background(), large, a)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if !equal(got, want) {
			t.Errorf("%s: values depend on the budget", src)
		}
		if !strings.Contains(src, "rolling") {
			continue
		}
		// A part of the result is computed from a part of the array, whose windows begin elsewhere in it.
		part := eval(t, "w = "+src+"; w.isel(time=slice(101, 190), lat=slice(7, 31))", expr.Env{"v": v}).Array().AsType(dtype.Float64)
		got, err = ndarray.Values[float64](context.Background(), large, part)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		for i := range got {
			at := (101+i/(24*cols))*rows*cols + 7*cols + i%(24*cols)
			if got[i] != want[at] && (got[i] == got[i] || want[at] == want[at]) {
				t.Errorf("%s: value %d of a part is %v, of the whole %v", src, i, got[i], want[at])
				break
			}
		}
	}
}

// TestResampleKeepsTime checks what stays of a time axis: dtype where it can, units, calendar, the dimension that grows.
func TestResampleKeepsTime(t *testing.T) {
	a := sample("noleap")
	for _, c := range []struct {
		src  string
		dt   dtype.DType
		want []float64
	}{
		{"a.resample(time='YS').mean()", dtype.Int32, []float64{0}},
		{"a.resample(time='QE').count()", dtype.Int32, []float64{89, 180, 272, 364}},
		{"a.resample(time='36h', origin='epoch').max()[:3]", dtype.Float64, []float64{-0.5, 1, 2.5}},
		{"a.coarsen(time=4).mean()", dtype.Float64, []float64{67.5, 247.5}},
	} {
		time := eval(t, c.src, expr.Env{"a": a}).CoordOf("time")
		units, _ := time.Attrs().Get("units")
		calendar, _ := time.Attrs().Get("calendar")
		if l := time.Labels(); l.DType != c.dt || units != "days since 2001-01-01" || calendar != "noleap" {
			t.Errorf("%s: time is %v %v %v, want %v", c.src, l.DType, units, calendar, c.dt)
		} else {
			for i, w := range c.want {
				if l.Len() != len(c.want) || l.Number(i) != w {
					t.Errorf("%s: label %d of %d is %v, want %v", c.src, i, l.Len(), l.Number(i), w)
				}
			}
		}
	}
}

// TestWindowsOfDatasets: variables without the dimension stay, others are folded with the windows that they have.
func TestWindowsOfDatasets(t *testing.T) {
	a := sample("standard")
	flat := ndarray.NewVariable("orog", ndarray.FromSlice([]float64{1, 2, 3, 4}), []string{"lon"}, formats.Attrs{})
	ds := ndarray.NewDataset(nil, a, flat)
	for _, c := range []struct {
		src        string
		tas, other []int64
	}{
		{"ds.resample(time='QS').mean()", []int64{4, 3, 4}, []int64{4}},
		{"ds.rolling(time=2, lon=2).mean()", []int64{8, 3, 4}, []int64{4}},
		{"ds.coarsen(time=4, lon=2).mean()", []int64{2, 3, 2}, []int64{2}},
		{"ds.shift(time=1)", []int64{8, 3, 4}, []int64{4}},
		{"ds.diff('lon')", []int64{8, 3, 3}, []int64{3}},
		{"ds.idxmax('time')", []int64{3, 4}, []int64{4}},
	} {
		r, err := expr.Eval(c.src, expr.Env{"ds": ds})
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		out := r.Last.Value.(*ndarray.Dataset)
		if got, other := out.Var("tas").Shape(), out.Var("orog").Shape(); !slices.Equal(got, c.tas) || !slices.Equal(other, c.other) {
			t.Errorf("%s: shapes %v and %v, want %v and %v", c.src, got, other, c.tas, c.other)
		}
	}
}
