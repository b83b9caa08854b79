// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/ndarray/regrid"
	"github.com/arrayrun/arrayrun/sched"
)

// regridded opens the file of a field of testdata/regrid, in chunks of step positions.
func regridded(t *testing.T, name string, step int64) *ndarray.Dataset {
	t.Helper()
	ds, err := ndarray.Open(context.Background(), "testdata/regrid/"+name+".nc", ndarray.OnGrid(1, step, step))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ds.Close() })
	return ds
}

// TestRegridEqualsOthers regrids the fields of testdata/regrid and compares with what CDO, iris and xarray made of them.
func TestRegridEqualsOthers(t *testing.T) {
	b, err := os.ReadFile("testdata/regrid/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Tool, Source, Target, Options string
		Shape                         []int64
		Values                        oracle
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	eng := newEngine(t)
	for _, c := range cases {
		tol := 1e-9
		if strings.Contains(c.Options, "distance") {
			tol = 1e-7 // CDO's distances are arc cosines of numbers near 1
		}
		for _, step := range []int64{-1, 4} {
			env := expr.Env{"v": regridded(t, c.Source, step).Var("v")}
			target := fmt.Sprintf("%q", c.Target)
			if _, err := os.Stat("testdata/regrid/" + c.Target + ".nc"); err == nil {
				env["g"], target = regridded(t, c.Target, -1), "g"
			}
			text := fmt.Sprintf("v.regrid(%s, %s)", target, c.Options)
			v := eval(t, text, env)
			if !slices.Equal(v.Shape(), c.Shape) || v.DType() != dtype.Float64 {
				t.Errorf("%s: %s of %s to %s: %v, want shape %v", c.Tool, text, c.Source, c.Target, v, c.Shape)
				continue
			}
			got := floats(t, eng, v.Array())
			for i, w := range c.Values {
				if d := math.Abs(got[i] - w); !(d <= tol) && (got[i] == got[i] || w == w) {
					t.Errorf("%s: %s of %s to %s: element %d is %v, want %v", c.Tool, text, c.Source, c.Target, i, got[i], w)
					break
				}
			}
		}
	}
}

// TestRegridBits computes regridded fields whole, and in tiles of other sizes: all have the same bits.
func TestRegridBits(t *testing.T) {
	ctx := context.Background()
	lat, lon := make([]float64, 90), make([]float64, 180)
	for i := range lat {
		lat[i] = 89 - 2*float64(i)
	}
	for i := range lon {
		lon[i] = 2 * float64(i)
	}
	x := make([]float32, 12*90*180)
	for i := range x {
		if x[i] = float32((i*37+11)%1009) / 7; i%101 == 3 {
			x[i] = float32(nan)
		}
	}
	source := func(steps ...int64) ndarray.Variable {
		return ndarray.NewVariable("v", ndarray.FromSlice(x, 12, 90, 180).Rechunk(steps...), []string{"time", "lat", "lon"}, nil).
			WithCoord(coordinate("lat", lat)).WithCoord(coordinate("lon", lon))
	}
	for _, name := range []string{"r36x19", "n64", "r720x361"} {
		for how := regrid.Bilinear; how <= regrid.Distance; how++ {
			var want []float32
			for i, c := range []struct {
				memory  int64
				workers int
				steps   []int64
				cut     []int64
			}{
				{1 << 30, 1, []int64{12, 90, 180}, nil},
				{1 << 30, 8, []int64{1, 90, 180}, nil},
				{24 << 20, 2, []int64{5, 11, 50}, nil},
				{1 << 30, 3, []int64{12, 90, 180}, []int64{7, 5, 33}},
			} {
				eng, err := sched.New(sched.Options{Memory: c.memory, Workers: c.workers})
				if err != nil {
					t.Fatal(err)
				}
				v := source(c.steps...).Regrid(ndarray.NamedGrid(name), how, ndarray.RegridOptions{})
				a := v.Array()
				if c.cut != nil {
					a = a.Rechunk(c.cut...)
				}
				got, err := ndarray.Values[float32](ctx, eng, a)
				eng.Close()
				if err != nil {
					t.Fatalf("%v to %s: %+v: %v", how, name, c, err)
				}
				if i == 0 {
					want = got
				}
				if len(got) != len(want) {
					t.Fatalf("%v to %s: %d elements, want %d", how, name, len(got), len(want))
				}
				for k := range got {
					if math.Float32bits(got[k]) != math.Float32bits(want[k]) && (got[k] == got[k] || want[k] == want[k]) {
						t.Fatalf("%v to %s: %+v: element %d is %v, want %v", how, name, c, k, got[k], want[k])
					}
				}
			}
		}
	}
}

// TestRegridCoordinates looks at what a result carries.
func TestRegridCoordinates(t *testing.T) {
	ds := regridded(t, "curved", -1)
	v := ds.Var("v").WithAttrs(attrs("units", "K", "grid_mapping", "crs", "cell_measures", "area: areacella"))
	r := v.Regrid(ndarray.NamedGrid("r4x2"), regrid.Nearest, ndarray.RegridOptions{})
	if got := r.String(); got != "v float64(time: 2, lat: 2, lon: 4)" {
		t.Errorf("%s", got)
	}
	if got := r.Coords(); !slices.Equal(got, []string{"time", "lat", "lon"}) {
		t.Errorf("coordinates %q, want time, lat and lon", got)
	}
	if got := fmt.Sprint(r.Attrs()); got != fmt.Sprint(attrs("units", "K")) {
		t.Errorf("attributes %s, want units alone", got)
	}
	if got := fmt.Sprint(r.CoordOf("lat").Attrs()); got != fmt.Sprint(attrs("standard_name", "latitude", "long_name", "latitude", "units", "degrees_north", "axis", "Y")) {
		t.Errorf("attributes of lat: %s", got)
	}
	if got := r.CoordOf("lon").Labels().Float; !slices.Equal(got, []float64{0, 90, 180, 270}) {
		t.Errorf("longitudes %v", got)
	}
	// Longitudes stay before latitudes, bounds go along, and targets may be curvilinear.
	to := regridded(t, "bounded", -1)
	back := regridded(t, "global", -1).Var("v").Transpose("lon", "time", "lat").Regrid(to.HorizontalGrid(), regrid.Conservative, ndarray.RegridOptions{})
	if got := back.Dims(); !slices.Equal(got, []string{"lon", "time", "lat"}) {
		t.Errorf("dimensions %q", got)
	}
	if b, _ := back.CoordOf("lat").Attrs().Get("bounds"); b != "lat_bnds" {
		t.Errorf("bounds %v", b)
	}
	eng := newEngine(t)
	straight := regridded(t, "global", -1).Var("v").Regrid(to.HorizontalGrid(), regrid.Conservative, ndarray.RegridOptions{})
	if !equal(floats(t, eng, back.Transpose("time", "lat", "lon").Array()), floats(t, eng, straight.Array())) {
		t.Errorf("the order of dimensions changes values")
	}
	flat := regridded(t, "global", -1).Var("v").Regrid(v.HorizontalGrid(), regrid.Bilinear, ndarray.RegridOptions{})
	if got := flat.String(); got != "v float64(time: 2, y: 9, x: 11)" {
		t.Errorf("%s", got)
	}
	// A data set: what has no latitudes stays as it is.
	r2, err := expr.Eval("ds.regrid(lat=[0, 10.0], lon=linspace(0, 90, 4), method='bilinear')", expr.Env{"ds": regridded(t, "global", -1)})
	if err != nil {
		t.Fatal(err)
	}
	if got := r2.Last.Value.(*ndarray.Dataset).Var("v").Shape(); !got.Equal([]int64{2, 2, 4}) {
		t.Errorf("shape %v, want [2 2 4]", got)
	}
}

// TestRegridTypes regrids other types: float16 stays, integers become float64.
func TestRegridTypes(t *testing.T) {
	eng := newEngine(t)
	for in, want := range map[dtype.DType]dtype.DType{dtype.Float16: dtype.Float16, dtype.Float32: dtype.Float32, dtype.Int16: dtype.Float64, dtype.Bool: dtype.Float64} {
		v := ndarray.NewVariable("v", ndarray.FromSlice([]int64{0, 1, 1, 0}, 2, 2).AsType(in), []string{"lat", "lon"}, nil).
			WithCoord(coordinate("lat", []float64{-10, 10})).WithCoord(coordinate("lon", []float64{0, 10}))
		r := v.Regrid(ndarray.LatLonGrid([]float64{0, 10, 20}, []float64{5, 10}), regrid.Bilinear, ndarray.RegridOptions{})
		if r.DType() != want {
			t.Errorf("%v becomes %v, want %v", in, r.DType(), want)
		}
		if got := floats(t, eng, r.Array()); !equal(got, []float64{0.5, 0.5, 0.5, 0, nan, nan}) {
			t.Errorf("%v: %v", in, got)
		}
	}
}

// TestRegridErrors says what is wrong, and what to do.
func TestRegridErrors(t *testing.T) {
	plain := ndarray.NewVariable("p", ndarray.Zeros([]int64{2, 2}, dtype.Float64), []string{"y", "x"}, nil)
	mixed := plain.WithCoord(ndarray.NewVariable("lat", ndarray.Zeros([]int64{2, 2}, dtype.Float64), []string{"y", "x"}, nil)).
		WithCoord(ndarray.NewVariable("lon", ndarray.Zeros([]int64{2}, dtype.Float64), []string{"x"}, nil))
	env := expr.Env{"v": regridded(t, "global", -1).Var("v"), "c": regridded(t, "curved", -1).Var("v"), "p": plain, "m": mixed, "a": ndarray.Zeros([]int64{2}, dtype.Float64)}
	for text, want := range map[string]string{
		"v.regrid('r360x180')":                                               `method: got "", want one of ["bilinear" "nearest" "conservative" "distance"]`,
		"v.regrid('r360', method='nearest')":                                 `"r360" is not the name of a grid`,
		"v.regrid(3, method='nearest')":                                      "target: got",
		"v.regrid(lat=[1], method='nearest')":                                "both lat= and lon=",
		"v.regrid(lat=[1], lon=v, method='nearest')":                         "known before running",
		"v.regrid(p, method='nearest')":                                      "no coordinates of latitude and longitude",
		"p.regrid('r4x2', method='nearest')":                                 "no coordinates of latitude and longitude",
		"m.regrid('r4x2', method='nearest')":                                 "one of its own for each",
		"a.regrid('r4x2', method='nearest')":                                 "no dimension names",
		"c.regrid('r4x2', method='conservative')":                            "take bilinear, nearest or distance",
		"c.regrid('r4x2', method='bilinear')":                                "take nearest or distance",
		"v.regrid('r4x2', method='bilinear', norm='destarea')":               "conservative only",
		"v.regrid('r4x2', method='conservative', norm='none')":               "'fracarea' or 'destarea'",
		"v.regrid('r4x2', method='conservative', na_thres=2)":                "want 0 to 1",
		"v.regrid(lat=[5], lon=[1, 2], method='conservative')":               "need bounds",
		"v.astype('complex64').regrid('r4x2', method='bilinear')":            "want real numbers",
		"v.rename(time='lon2').rename(lon2='x').regrid(c, method='nearest')": `another dimension "x"`,
	} {
		r, err := expr.Eval(text, env)
		if err == nil {
			err = r.Last.Value.(ndarray.Variable).Err()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestInterpInLogPressure interpolates a field that is linear in the logarithm of pressure, and selects by labels that were computed.
func TestInterpInLogPressure(t *testing.T) {
	levels := []float64{100000, 85000, 50000, 20000, 10000}
	x := make([]float64, len(levels))
	for i, p := range levels {
		x[i] = 7 - 3*math.Log(p)
	}
	env := expr.Env{"v": ndarray.NewVariable("v", ndarray.FromSlice(x), []string{"plev"}, nil).WithCoord(coordinate("plev", levels)),
		"g": regridded(t, "global", -1).Var("v")}
	v := eval(t, "v.assign_coords(plev=log(v.plev)).interp(plev=log([92500.0, 70000.0, 12000.0]))", env)
	eng := newEngine(t)
	for i, got := range floats(t, eng, v.Array()) {
		if want := 7 - 3*math.Log([]float64{92500, 70000, 12000}[i]); math.Abs(got-want) > 1e-12 {
			t.Errorf("level %d: %v, want %v", i, got, want)
		}
	}
	turned := eval(t, "g.assign_coords(lon=(g.lon + 180) % 360 - 180).sel(lon=-15)", env)
	if got, want := floats(t, eng, turned.Array()), floats(t, eng, eval(t, "g.sel(lon=345)", env).Array()); !equal(got, want) {
		t.Errorf("at 15 W: %v, want %v", got, want)
	}
}

// TestRegridTables refuses tables of source points that do not fit the budget before they are made.
func TestRegridTables(t *testing.T) {
	eng, err := sched.New(sched.Options{Memory: 64 << 20, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	v := regridded(t, "global", -1).Var("v").Regrid(ndarray.NamedGrid("r40000x20000"), regrid.Nearest, ndarray.RegridOptions{})
	if _, err := ndarray.Values[float64](context.Background(), eng, v.ISel("lat", 0).ISel("lon", 0).Array()); !errors.Is(err, sched.ErrBudget) || !strings.Contains(err.Error(), "tables") {
		t.Errorf("800 million targets in 64 MiB: %v, want an error wrapping ErrBudget", err)
	}
}
