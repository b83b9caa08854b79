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

// analysed returns an array of testdata/analysis.json, of any of the dimensions.
func (w windowArray) analysed(t *testing.T, step int64) ndarray.Variable {
	t.Helper()
	all := w
	all.Dims, all.Shape = []string{"time", "lat", "lon"}, []int64{int64(len(w.Times)), 3, 4}
	if len(w.Dims) == 3 {
		all = w
	}
	v := all.variable(t, step, step, step)
	if len(w.Dims) == 3 {
		return v.WithAttrs(attrs("long_name", "q", "units", "K"))
	}
	one := windowArray{Dims: w.Dims, Shape: w.Shape, DType: w.DType, Missing: w.Missing}
	x := ndarray.NewVariable("v", one.elements(t).Rechunk(slices.Repeat([]int64{step}, len(w.Dims))...), w.Dims, attrs("long_name", "q", "units", "K"))
	for _, d := range w.Dims {
		x = x.WithCoord(v.Coord(d))
	}
	return x
}

// TestAnalysisEqualsXarray evaluates the expressions of testdata/analysis.json over arrays in several chunks and compares values, labels and
// dtypes with those that xarray gave.
func TestAnalysisEqualsXarray(t *testing.T) {
	b, err := os.ReadFile("testdata/analysis.json")
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
	like := ndarray.NewVariable("w", ndarray.Zeros(chunk.Shape{2, 3}, dtype.Float64), []string{"lat", "lon"}, nil).
		WithCoord(coordinate("lat", []float64{8, 3})).WithCoord(coordinate("lon", []float64{45, 90, 200}))
	for _, c := range file.Cases {
		for _, step := range []int64{-1, 2} {
			v := eval(t, c.Expr, expr.Env{"v": file.Arrays[c.Array].analysed(t, step), "w": like})
			if !slices.Equal(v.Dims(), c.Dims) || !slices.Equal(v.Shape(), c.Shape) || v.DType().String() != c.DType {
				t.Errorf("%d %s: %v, want %s of dimensions %v of lengths %v", c.Array, c.Expr, v, c.DType, c.Dims, c.Shape)
				break
			}
			tol := 1e-10
			if file.Arrays[c.Array].DType == "float32" {
				tol = 2e-6
			}
			if strings.Contains(c.Expr, "polyfit('time'") {
				tol = 1e-6 // xarray's own loses digits: its powers are of nanoseconds since 1970
			}
			got := floats(t, eng, v.Array())
			if i := near(got, c.Values, tol); i >= 0 {
				t.Errorf("%d %s in chunks of %d: value %d is %v, want %v", c.Array, c.Expr, step, i, got[i], c.Values[i])
			}
			for name, want := range c.Labels {
				l := v.CoordOf(name)
				if l == nil || l.Labels() == nil || l.Labels().Len() != len(want) {
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
			if len(v.Coords()) != len(c.Labels) {
				t.Errorf("%d %s: coordinates %v, want %d", c.Array, c.Expr, v.Coords(), len(c.Labels))
			}
		}
	}
}

// TestAnalysisKeepsMeta: units go where they are others, other attributes stay, times keep their units and calendar.
func TestAnalysisKeepsMeta(t *testing.T) {
	v := windowArray{Dims: []string{"time", "lat", "lon"}, Shape: []int64{6, 3, 4}, DType: "float32", Units: "days since 2000-01-20", Calendar: "noleap", Times: []float64{0, 1, 2, 5, 9, 10}}.
		variable(t, 2, 2, 2).WithAttrs(attrs("units", "K", "standard_name", "air_temperature", "long_name", "t"))
	for _, c := range []struct {
		src   string
		units bool
		name  string
	}{
		{"v.pad(lat=1)", true, "v"}, {"v.interp(lat=5)", true, "v"}, {"v.interp(time=['2000-01-22', '2000-01-23'])", true, "v"}, {"v.interpolate_na('time')", true, "v"}, {"v.resample(time='12h').ffill()", true, "v"},
		{"v.resample(time='D').asfreq()", true, "v"}, {"v.resample(time='D').interpolate()", true, "v"}, {"v.differentiate('lat')", false, "v"}, {"v.integrate('lat')", false, "v"}, {"v.cumulative_integrate('time')", false, "v"},
		{"cov(v, v, dim='lat')", false, "v"}, {"corr(v, v, dim='lat')", false, "v"},
	} {
		out := eval(t, c.src, expr.Env{"v": v})
		_, units := out.Attrs().Get("units")
		_, standard := out.Attrs().Get("standard_name")
		name, _ := out.Attrs().Get("long_name")
		if units != c.units || standard != c.units || name != "t" || out.Name() != c.name {
			t.Errorf("%s: name %q, attributes %v, want units: %v", c.src, out.Name(), out.Attrs(), c.units)
		}
		if _, cell := out.Attrs().Get("cell_methods"); cell {
			t.Errorf("%s: cell_methods of a result that is none", c.src)
		}
		if time := out.CoordOf("time"); time != nil {
			u, _ := time.Attrs().Get("units")
			k, _ := time.Attrs().Get("calendar")
			if u != "days since 2000-01-20" || k != "noleap" {
				t.Errorf("%s: time in %v, calendar %v", c.src, u, k)
			}
		}
	}
}

// TestAnalysisRefuses: calls that mean nothing say what is wrong.
func TestAnalysisRefuses(t *testing.T) {
	v := windowArray{Dims: []string{"time", "lat", "lon"}, Shape: []int64{4, 3, 4}, DType: "float64", Units: "days since 2000-01-20", Calendar: "standard", Times: []float64{0, 1, 2, 5}}.variable(t, 2, 2, 2)
	env := expr.Env{"v": v, "b": v.Greater(0), "ds": ndarray.NewDataset(nil, v)}
	for _, c := range []struct{ src, want string }{
		{"v.pad(foo=1)", "no dimension \"foo\""}, {"v.pad()", "no dimension is named"}, {"v.pad(lat=-1)", "want 0 or more"}, {"v.pad(lat='a')", "want an integer"}, {"v.pad(lat=1, mode='x')", "mode: got \"x\""}, {"v.pad(lat=(1, 2, 3))", "want (before, after)"},
		{"v.differentiate('foo')", "no coordinate \"foo\""}, {"v.differentiate('lat', 3)", "want 1 or 2"}, {"v.differentiate('time', datetime_unit='Y')", "want W, D"}, {"v.differentiate(3)", "want a text"},
		{"v.integrate('foo')", "no coordinate"}, {"v.integrate(3)", "want the name of a coordinate"}, {"v.isel(lat=0).integrate('lat')", "want one of"}, {"v.cumulative_integrate('foo')", "no coordinate"}, {"ds.integrate('foo')", "no variable of the data set"},
		{"v.interp()", "no dimension is named"}, {"v.interp(foo=1)", "no dimension \"foo\""}, {"v.interp(lat='2000')", "not a time"}, {"v.interp(lat=1, method='cubic')", "want \"linear\" or \"nearest\""}, {"v.interp(lat=v)", "want one number"}, {"v.interp(lat=None)", "not a label"},
		{"v.isel(lat=[0]).interp(lat=1)", "want at least 2"}, {"b.interp(lat=1)", "want numbers"}, {"v.interp(time='yesterday')", "label of \"time\""}, {"v.isel(lat=[0, 0]).interp(lat=1)", "occurs twice"}, {"v.interp_like(3)", "want a variable"},
		{"v.interpolate_na()", "name the dimension"}, {"v.interpolate_na('foo')", "no dimension"}, {"v.interpolate_na('lat')", "does not ascend"}, {"v.interpolate_na('time', method='cubic')", "want 'linear'"}, {"v.interpolate_na('time', limit=0)", "want 1 or more"},
		{"cov(v, 3, dim='lat')", "want two variables"}, {"corr(v, v, dim='foo')", "neither variable"}, {"corr(3, 4)", "want two variables"}, {"cov(v, v.isel(lat=[0, 1]), dim='lat')", "labels of dimension"},
		{"v.resample(time='D').ffill(tolerance='x')", "tolerance"}, {"v.resample(time='D').ffill(tolerance='ME')", "want a length of time"}, {"v.resample(time='D').interpolate('cubic')", "want \"linear\" or \"nearest\""}, {"v.groupby('time.month').ffill()", "are no periods"},
		{"v.polyfit('foo', 1)", "no dimension"}, {"v.polyfit('lat', -1)", "want 0 to 12"}, {"v.polyfit('lat', 1, skipna=False)", "not supported"}, {"polyval(v.lat, v)", "takes arrays without"}, {"ds.polyfit('foo', 1)", "no variable of the data set"},
		{"v.groupby('time.month').asfreq()", "are no periods"}, {"v.resample(time='D').asfreq(3)", "at most"}, {"v.resample(time='D').fill()", "asfreq"},
	} {
		_, err := expr.Eval(c.src, env)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.src, err, c.want)
		}
	}
}

// TestAnalysisOfDatasets: variables without the dimension stay, others are as each alone is.
func TestAnalysisOfDatasets(t *testing.T) {
	v := windowArray{Dims: []string{"time", "lat", "lon"}, Shape: []int64{4, 3, 4}, DType: "float64", Units: "days since 2000-01-20", Calendar: "standard", Times: []float64{0, 1, 2, 5}}.variable(t, 2, 2, 2)
	flat := ndarray.NewVariable("orog", ndarray.FromSlice([]float64{1, 2, 3, 4}), []string{"lon"}, formats.Attrs{}).WithCoord(coordinate("lon", []float64{0, 90, 180, 270}))
	ds := ndarray.NewDataset(nil, v, flat)
	for _, c := range []struct {
		src     string
		v, orog []int64
	}{
		{"ds.pad(lat=2)", []int64{4, 7, 4}, []int64{4}}, {"ds.pad(lon=1, lat=1)", []int64{4, 5, 6}, []int64{6}}, {"ds.differentiate('lon')", []int64{4, 3, 4}, []int64{4}}, {"ds.integrate('lon')", []int64{4, 3}, []int64{}},
		{"ds.integrate(('time', 'lon'))", []int64{3}, []int64{}}, {"ds.cumulative_integrate('time')", []int64{4, 3, 4}, []int64{4}}, {"ds.interp(lon=[10, 20], lat=3)", []int64{4, 2}, []int64{2}}, {"ds.interp_like(ds.isel(lon=[0, 1]))", []int64{4, 3, 2}, []int64{2}},
		{"ds.interpolate_na('time')", []int64{4, 3, 4}, []int64{4}}, {"ds.resample(time='12h').ffill()", []int64{11, 3, 4}, []int64{4}}, {"ds.resample(time='D').interpolate()", []int64{6, 3, 4}, []int64{4}},
	} {
		r, err := expr.Eval(c.src, expr.Env{"ds": ds})
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		out := r.Last.Value.(*ndarray.Dataset)
		if got, other := out.Var("v").Shape(), out.Var("orog").Shape(); !slices.Equal(got, c.v) || !slices.Equal(other, c.orog) {
			t.Errorf("%s: shapes %v and %v, want %v and %v", c.src, got, other, c.v, c.orog)
		}
	}
	fits := eval(t, "ds.polyfit('lon', 1).orog_polyfit_coefficients", expr.Env{"ds": ds})
	if got := floats(t, newEngine(t), fits.Array()); len(got) != 2 || math.Abs(got[0]-1.0/90) > 1e-15 || math.Abs(got[1]-1) > 1e-14 {
		t.Errorf("polyfit of a data set: %v, want 1/90 and 1", got)
	}
}

// TestAnalysisOutOfCore computes results of a variable of more than twice the budget: the peak stays inside it, the bits are those of a large one.
func TestAnalysisOutOfCore(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	const days, rows, cols = 600, 80, 100 // 38 MB
	shape := chunk.Shape{days, rows, cols}
	at := func(axis int) ndarray.Array {
		return ndarray.IndexOf(shape, axis, ndarray.Chunked(50, 20, 100)).AsType(dtype.Float64)
	}
	a := at(0).Mul(0.37).Sin().Add(at(1).Mul(0.11).Cos()).Add(at(2))
	a = ndarray.Where(at(0).Add(at(2)).Mod(7).Less(2), nan, a)
	times, lat, lon := make([]int32, days), make([]float64, rows), make([]float64, cols)
	for i := range times {
		times[i] = int32(i)
	}
	for i := range lat {
		lat[i] = float64(i)
	}
	for i := range lon {
		lon[i] = float64(i)
	}
	v := ndarray.NewVariable("v", a, []string{"time", "lat", "lon"}, nil).WithCoord(coordinate("time", times, "units", "days since 2000-01-01")).WithCoord(coordinate("lat", lat)).WithCoord(coordinate("lon", lon))
	small, err := sched.New(sched.Options{Memory: 16 << 20, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	large, err := sched.New(sched.Options{Memory: 1 << 30, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	for _, src := range []string{
		"v.pad(time=100, mode='reflect')", "v.pad(lon=(30, 70), mode='wrap')", "v.pad(lat=50)", "v.differentiate('time', datetime_unit='D')", "v.differentiate('lon', edge_order=2)", "v.integrate('time')", "v.cumulative_integrate('lat')",
		"v.interp(lat=arange(200) * 0.3, lon=[3.5, 9, 77.25])", "v.interp(time=['2000-03-04T07', '2001-05-06'], method='nearest')", "v.interp(lon=arange(300) * 0.3)", "v.interpolate_na('time')", "v.interpolate_na('lon', limit=1)", "cov(v, v * v, dim='time')", "corr(v, v.shift(time=1), dim='time')",
		"v.polyfit('time', 2).polyfit_coefficients", "v - polyval(v.time, v.polyfit('time', 1).polyfit_coefficients)", "v.resample(time='12h').ffill()", "v.resample(time='6h').interpolate()", "v.resample(time='12h').nearest(tolerance='1h')",
	} {
		out := eval(t, src, expr.Env{"v": v}).Array()
		weights := ndarray.IndexOf(out.Shape(), out.Rank()-1).Mod(97).Add(1)
		sums := make([]float64, 2)
		for i, eng := range []*sched.Engine{small, large} {
			x, err := ndarray.Values[float64](context.Background(), eng, out.Mul(weights).NanSum().ExpandDims(0))
			if err != nil {
				t.Errorf("%s: %v", src, err)
				break
			}
			sums[i] = x[0]
		}
		if sums[0] != sums[1] {
			t.Errorf("%s: sum %v in 16 MiB, %v in 1 GiB", src, sums[0], sums[1])
		}
	}
}
