// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
)

var nan = math.NaN()

func attrs(list ...any) formats.Attrs {
	var out formats.Attrs
	for i := 0; i < len(list); i += 2 {
		out = out.With(list[i].(string), list[i+1])
	}
	return out
}

// coordinate returns a dimension coordinate.
func coordinate[T dtype.Number](name string, vals []T, list ...any) ndarray.Variable {
	return ndarray.NewVariable(name, ndarray.FromSlice(vals), []string{name}, attrs(list...))
}

// sample returns a (time, lat, lon) variable: 8 steps of 45 days from 2001-01-01, values 100*time + 10*lat + lon,
// one of them missing.
func sample(calendar string) ndarray.Variable {
	v := make([]float64, 8*3*4)
	for i := range v {
		t, y, x := i/12, i/4%3, i%4
		v[i] = float64(100*t + 10*y + x)
	}
	v[5] = nan
	times := make([]int32, 8)
	for i := range times {
		times[i] = int32(45 * i)
	}
	return ndarray.NewVariable("tas", ndarray.FromSlice(v, 8, 3, 4), []string{"time", "lat", "lon"}, attrs("units", "K", "standard_name", "air_temperature", "long_name", "temperature")).
		WithCoord(coordinate("time", times, "units", "days since 2001-01-01", "calendar", calendar)).
		WithCoord(coordinate("lat", []float32{10, 0, -10}, "units", "degrees_north")).
		WithCoord(coordinate("lon", []float64{0, 90, 180, 270}, "units", "degrees_east"))
}

// eval evaluates an expression and returns its variable.
func eval(t *testing.T, src string, env expr.Env) ndarray.Variable {
	t.Helper()
	r, err := expr.Eval(src, env)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	v, ok := r.Last.Value.(ndarray.Variable)
	if !ok {
		t.Fatalf("%s: result is a %T", src, r.Last.Value)
	}
	return v
}

// floats computes an array as float64.
func floats(t *testing.T, eng ndarray.Engine, a ndarray.Array) []float64 {
	t.Helper()
	v, err := ndarray.Values[float64](context.Background(), eng, a.AsType(dtype.Float64))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func equal(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return x == y || x != x && y != y })
}

func TestLabels(t *testing.T) {
	eng := newEngine(t)
	a := sample("standard")
	clim := a.GroupBy("time.month").Mean()
	env := expr.Env{"a": a, "c": clim, "d": sample("noleap"), "w": coordinate("lat", []float32{10, 0, -10})}
	for _, c := range []struct {
		in   string
		dims string
		want []float64
	}{
		// Reductions leave NaN out; names and numbers mean the same.
		{"a.mean(('lat', 'lon'))[0]", "", []float64{(0 + 1 + 2 + 3 + 10 + 12 + 13 + 20 + 21 + 22 + 23) / 11.0}},
		{"a.mean(axis=(1, 2))[1]", "", []float64{111.5}},
		{"mean(a, 'time')[1, 1]", "", []float64{(111 + 211 + 311 + 411 + 511 + 611 + 711) / 7.0}},
		{"a.sum(skipna=False)", "", []float64{nan}},
		{"a.count(('time', 'lon'))", "lat", []float64{32, 31, 32}},
		{"a[:1].argmax('lon')[0]", "lat", []float64{3, 3, 3}},
		{"a.max()", "", []float64{723}},
		// Selection.
		{"a.sel(time='2001-02-15', lat=0)", "lon", []float64{110, 111, 112, 113}},
		{"a.sel(time='2001-02', lat=0, lon=90)", "time", []float64{111}},
		{"a.sel(time=slice('2001-05', '2001-07'), lat=0, lon=90)", "time", []float64{311, 411}},
		{"a.sel(time=slice('2001-10', None), lat=0, lon=90)", "time", []float64{711}},
		{"a.sel(lat=slice(-5, 10), time='2001-01-01', lon=0)", "lat", []float64{0, 10}},
		{"a.sel(lat=slice(10, -5), time='2001-01-01', lon=0)", "lat", []float64{0, 10}},
		{"a.sel(lon=slice(180, 0), time='2001-01-01', lat=10)", "lon", []float64{2, 3, 0}},
		{"a.sel(lon=slice(-100, 100), time='2001-01-01', lat=10)", "lon", []float64{3, 0, 1}},
		{"a.sel(lon=slice(-180, 180), time='2001-01-01', lat=10)", "lon", []float64{2, 3, 0, 1}},
		{"a.sel(lon=100, lat=4, method='nearest', time='2001-01-01')", "", nil},
		{"a.sel(lon=100, lat=4, method='nearest')[0]", "", []float64{nan}},
		{"a.sel(lon=[270, 0], lat=10).sel(time='2001-01-01')", "lon", []float64{3, 0}},
		{"a.sel(time=a.time.dt.month == 5, lat=0, lon=0)", "time", []float64{310}},
		{"a.isel(time=-1, lat=slice(None, None, -1), lon=0)", "lat", []float64{720, 710, 700}},
		{"a[0, 0, ::2]", "lon", []float64{0, 2}},
		{"a[0, ..., -1]", "lat", []float64{3, 13, 23}},
		{"a.sel(lon=slice(90, 180)).lon", "lon", []float64{90, 180}},
		{"a.isel(time=1).time", "", []float64{45}},
		// Times.
		{"a.time.dt.month", "time", []float64{1, 2, 4, 5, 6, 8, 9, 11}},
		{"a['time.year']", "time", []float64{2001, 2001, 2001, 2001, 2001, 2001, 2001, 2001}},
		{"a.time.dt.season == 'JJA'", "time", []float64{0, 0, 0, 0, 1, 1, 0, 0}},
		// Names.
		{"(a + a.mean('time'))[1, 0]", "lon", []float64{450, 452, 454, 456}},
		{"(a.lat + a.lon)[0]", "lon", []float64{10, 100, 190, 280}},
		{"(a.T - a).max()", "", []float64{0}},
		{"(a - a[:, ::-1]).max()", "", []float64{0}},
		{"a.where(a > 720)[-1, 2]", "lon", []float64{nan, 721, 722, 723}},
		{"a.where(a > 720, 0)[-1, 2]", "lon", []float64{0, 721, 722, 723}},
		{"a.fillna(-1)[0, 1]", "lon", []float64{10, -1, 12, 13}},
		{"where(a > 720, 1, a)[0, 0]", "lon", []float64{0, 1, 2, 3}},
		{"a.isnull().sum()", "", []float64{1}},
		{"a.quantile(0.5, dim='lon')[0]", "lat", []float64{1.5, 12, 21.5}},
		{"a.median(('lat', 'lon'))[1]", "", []float64{111.5}},
		// Running folds: xarray 2026.9's values.
		{"a.cumsum('lon')[0, 1]", "lon", []float64{10, 10, 22, 35}},
		{"a.cumsum('lon', skipna=False)[0, 1]", "lon", []float64{10, nan, nan, nan}},
		{"a.cumsum(('lat', 'lon'))[0, 2]", "lon", []float64{30, 52, 88, 127}},
		{"a.cumprod('time')[2, 1]", "lon", []float64{231000, 23421, 284928, 312897}},
		{"a.cumsum()[7, 2, 3]", "", []float64{34693}},
		{"a.cumsum(axis=0)[3, 1]", "lon", []float64{640, 633, 648, 652}},
		{"a.cumsum('time').lat", "lat", []float64{10, 0, -10}},
		{"a.ffill('lon')[0, 1]", "lon", []float64{10, 10, 12, 13}},
		{"a.bfill('lon')[0, 1]", "lon", []float64{10, 12, 12, 13}},
		{"ffill(a, 'time')[0, 1]", "lon", []float64{10, nan, 12, 13}},
		{"a.bfill('time')[0, 1]", "lon", []float64{10, 111, 12, 13}},
		{"a.where(a % 3 != 1).ffill('lon', limit=1)[1, 0]", "lon", []float64{nan, 101, 102, 102}},
		{"a.where(a % 5 == 0).ffill('lon', limit=2)[1, 1]", "lon", []float64{110, 110, 110, nan}},
		// Groups.
		{"a.groupby('time.season').mean()[:, 0, 0]", "season", []float64{50, 450, 250, 650}},
		{"a.groupby('time.season').sum()[0, 1]", "lon", []float64{120, 111, 124, 126}},
		{"a.groupby('time.season').count().max(('lat', 'lon'))", "season", []float64{2, 2, 2, 2}},
		{"a.groupby('time.season').first()[0, 1]", "lon", []float64{10, 111, 12, 13}},
		{"a.groupby('time.season').last()[0, 1]", "lon", []float64{110, 111, 112, 113}},
		{"a.groupby('time.season').median()[:, 0, 0]", "season", []float64{50, 450, 250, 650}},
		{"a.groupby('time.year').std()[0, 0, :1]", "lon", []float64{229.128784747792}},
		{"(a > 300).groupby('time.season').any()[:, 0, 0]", "season", []float64{0, 1, 0, 1}},
		{"(a - c).max()", "", []float64{0}},
		{"(a.groupby('time.month') - c).min()", "", []float64{0}},
		{"(a - c[1:])[:2, 0, 0]", "time", []float64{nan, 0}},
		{"(a.isel(time=1) - c)[0]", "lon", []float64{0, 0, 0, 0}},
		{"(c - a).shape", "", nil},
		{"a.groupby('lat').mean(...)", "lat", []float64{371.5, 361.5 + 350.5/31, 351.5}},
		{"a.groupby_bins('lat', [-15, -5, 5]).max(('time', 'lon'))", "lat_bins", []float64{723, 713}},
		{"a.groupby_bins('lat', [-50, -40, 5]).sum().isel(time=1, lon=0)", "lat_bins", []float64{nan, 230}},
		{"a.groupby_bins('lat', [-50, -40, 5]).count().isel(time=0, lon=1)", "lat_bins", []float64{0, 1}},
		{"a.assign_coords(zone=('lon', ['b', 'a', 'b', 'a'])).groupby('zone').sum().isel(time=1, lat=0)", "zone", []float64{204, 202}},
		{"g = a.assign_coords(zone=('lon', [1, 2, 1, 2])); (g.groupby('zone') - g.groupby('zone').mean())[1, 0]", "lon", []float64{-1, -1, 1, 1}},
		{"a.weighted(a.lat + 10).mean('lat')[1]", "lon", []float64{100 + 10.0/3, 101 + 10.0/3, 102 + 10.0/3, 103 + 10.0/3}},
		{"a.weighted(a.lat + 10).sum_of_weights('lat')[0]", "lon", []float64{30, 20, 30, 30}},
		{"d.time.dt.month", "time", []float64{1, 2, 4, 5, 6, 8, 9, 11}},
	} {
		if c.want == nil {
			continue
		}
		v := eval(t, c.in, env)
		got := floats(t, eng, v.Array())
		ok := len(got) == len(c.want)
		for i := range got {
			ok = ok && (got[i] == c.want[i] || got[i] != got[i] && c.want[i] != c.want[i] || math.Abs(got[i]-c.want[i]) < 1e-9)
		}
		if !ok {
			t.Errorf("%s = %v, want %v", c.in, got, c.want)
		}
		if d := strings.Join(v.Dims(), " "); d != c.dims {
			t.Errorf("%s has dimensions %q, want %q", c.in, d, c.dims)
		}
	}
}

func TestLabelErrors(t *testing.T) {
	a := sample("standard")
	env := expr.Env{"a": a, "c": a.GroupBy("time.month").Mean(),
		"b": a.ISel("lat", []int{0, 2}),
		"s": ndarray.NewVariable("s", ndarray.FromSlice([]float64{1, 2, 3}), []string{"lat"}, nil).WithCoord(coordinate("lat", []float32{10, 0, -11})),
		"n": ndarray.NewVariable("n", ndarray.FromSlice([]float64{1, 2}), []string{"lat"}, nil),
		"m": ndarray.NewVariable("m", ndarray.FromSlice([]float64{1, 2}), []string{"time"}, nil).WithCoord(coordinate("time", []int32{0, 1}, "units", "months since 2000-01-01")),
	}
	for _, c := range []struct{ in, want string }{
		{"a + s", `labels of dimension "lat" differ: at position 2 "tas" (time, lat, lon) has -10, "s" (lat) has -11; select the same part of both`},
		{"a + b", `labels of dimension "lat" differ: at position 1 "tas" (time, lat, lon) has 0, "tas" (time, lat, lon) has -10; select`},
		{"a + n", `dimension "lat" has length 3 in "tas" (time, lat, lon) and 2 in "n" (lat)`},
		{"a.mean('tim')", `"tas" (time, lat, lon) has no dimension "tim"; it has "time", "lat", "lon"`},
		{"a.sel(time='2001-03-03')", `no step of "time" is at "2001-03-03"; it has 8 labels from 2001-01-01T00:00:00 to 2001-11-12T00:00:00`},
		{"a.sel(time='2001-03')", `no step of "time" is at "2001-03"`},
		{"a.sel(time='March')", `"March" is not a date`},
		{"a.sel(lat=3)", `"lat" has no label 3; it has 3 labels from 10 to -10; method='nearest' picks the nearest`},
		{"a.sel(lat=3, method='nearest', tolerance=1)", `no label of "lat" lies within 1 of 3`},
		{"a.sel(lat=3, method='pad')", `method: got "pad", want 'nearest'`},
		{"a.sel(lat=slice(3, 5))", `no label of "lat" is selected`},
		{"a.sel(lat='x')", `coordinate "lat" is not a time: got units "degrees_north"`},
		{"a.sel(foo=1)", `has no dimension "foo"`},
		{"a.isel(lat=3)", `position 3 is outside "lat" of length 3`},
		{"a.isel(lat=slice(3, 5))", `selects nothing of "lat"`},
		{"a.groupby('time.moth').mean()", `"moth" is not a part of a time; the parts are year, month`},
		{"a.groupby('zone').mean()", `has no coordinate "zone"; it has "time", "lat", "lon"`},
		{"a.groupby('time.month')", "the result is groups: reduce them"},
		{"m.groupby('time.month').mean()", `got unit "months" in the standard calendar`},
		{"m.mean() + a.foo", `has no coordinate or attribute "foo"`},
		{"a.resample(time='M').mean()", `"M" is spelt otherwise now: write "ME" (ends of months) or "MS" (starts of months)`},
		{"a.resample(time='2H').mean()", `"H" is spelt otherwise now: write "h"`},
		{"a.resample(time='Y').mean()", `write "YE" or "YS"`},
		{"a.resample(time='fortnight').mean()", `"fortnight" is not a frequency`},
		{"a.resample(time='MS-FEB').mean()", `"FEB" cannot follow "MS"`},
		{"a.resample(time='0D').mean()", `got 0 periods`},
		{"a.resample(time='us').mean()", `choose a longer period`},
		{"a.resample(lat='MS').mean()", `coordinate "lat" is not a time`},
		{"a.resample(time='MS', closed='both').mean()", `closed: got "both", want "left" or "right"`},
		{"a.resample(time='MS', origin='start').mean()", `they have no effect on "MS"`},
		{"a.isel(time=[3, 1]).resample(time='MS').mean()", `"time" does not ascend: 2001-02-15T00:00:00 at position 1 follows 2001-05-16T00:00:00`},
		{"a.resample(time='MS')", "the result is groups: reduce them"},
		{"a.resample(time='MS') - 1", "reduce the periods first"},
		{"a.resample(time='MS').apply()", `groups have no method "apply"`},
		{"a.rolling(time=9).mean()", `the window of 9 is longer than dimension "time", which has 8 positions`},
		{"a.rolling(time=0).mean()", `window of "time": got 0, want 1 or more`},
		{"a.rolling(time=3, min_periods=0).mean()", `min_periods: got 0`},
		{"a.rolling(tim=3).mean()", `has no dimension "tim"`},
		{"a.rolling(time=3).mean('time')", "folds each window: it takes no dimensions"},
		{"a.rolling(time=3).argmax()", "windows have no argmax"},
		{"a.rolling(time=3).construct('w')", `windows have no method "construct"`},
		{"a.rolling(time=3)", "the result is windows: reduce them"},
		{"a.rolling()", "no dimension is named"},
		{"a.coarsen(lat=2).mean()", `dimension "lat" of length 3 is not a multiple of the window 2; give boundary='trim' or 'pad'`},
		{"a.coarsen(lat=4, boundary='trim').mean()", `shorter than the window 4`},
		{"a.coarsen(lat=3, boundary='wrap').mean()", `boundary: got "wrap"`},
		{"a.coarsen(lat=3, coord_func='mode').mean()", `coord_func: got "mode"`},
		{"a.coarsen(lat=3).first()", "windows have no first"},
		{"a.shift(foo=1)", `has no dimension "foo"`},
		{"a.diff('time', n=9)", `n: got 9 for dimension "time" of length 8`},
		{"a.diff('time', label='middle')", `label: got "middle"`},
		{"a.idxmax()", "name the dimension"},
		{"n.idxmax('lat')", `dimension "lat" of "n" (lat) has no labels`},
		{"a[0, 0, 0, 0]", "4 indices for a variable of 3 dimensions"},
		{"a[None]", "a new axis needs a name"},
	} {
		r, err := expr.Eval(c.in, env)
		if err == nil {
			t.Errorf("%s: no error (%v), want %s", c.in, r.Last.Value, c.want)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.in, err, c.want)
		}
	}
}

// TestRunErrors holds the errors that only a run can find.
func TestRunErrors(t *testing.T) {
	eng := newEngine(t)
	a := sample("standard")
	env := expr.Env{"a": a}
	for _, c := range []struct{ in, want string }{
		{"a.where(a < 0).argmax('lon')", "argmax"},
		{"a.weighted(a.lat.where(a.lat > 0)).mean()", "NaN"},
	} {
		_, err := ndarray.Values[float64](context.Background(), eng, eval(t, c.in, env).Array().AsType(dtype.Float64))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.in, err, c.want)
		}
	}
}

func TestAttributes(t *testing.T) {
	env := expr.Env{"a": sample("standard")}
	for _, c := range []struct{ in, units, name, methods string }{
		{"a - 273.15", "K", "air_temperature", ""},
		{"a * 2", "", "", ""},
		{"a / 2", "", "", ""},
		{"a ** 2", "", "", ""},
		{"sqrt(a)", "", "", ""},
		{"a > 3", "", "", ""},
		{"a.where(a > 3)", "K", "air_temperature", ""},
		{"maximum(a, 3)", "K", "air_temperature", ""},
		{"a.mean('time')", "K", "air_temperature", "time: mean"},
		{"a.mean('time').max(('lat', 'lon'))", "K", "air_temperature", "time: mean lat: lon: maximum"},
		{"a.var('time')", "", "", "time: variance"},
		{"a.std('time')", "K", "air_temperature", "time: standard_deviation"},
		{"a.count('time')", "", "", ""},
		{"a.argmax('time')", "", "", ""},
		{"a.groupby('time.month').mean()", "K", "air_temperature", "time: mean"},
		{"a - a.groupby('time.month').mean()", "K", "air_temperature", ""},
		{"a.resample(time='MS').mean()", "K", "air_temperature", "time: mean"},
		{"a.resample(time='MS').count()", "", "", ""},
		{"a.rolling(time=3).mean()", "K", "air_temperature", "time: mean"},
		{"a.rolling(time=3, lat=2).var()", "", "", "time: lat: variance"},
		{"a.rolling(time=3).median()", "K", "air_temperature", "time: median"},
		{"a.coarsen(lon=2).max()", "K", "air_temperature", "lon: maximum"},
		{"a.shift(time=1)", "K", "air_temperature", ""},
		{"a.diff('time')", "K", "air_temperature", ""},
	} {
		v := eval(t, c.in, env)
		get := func(name string) string {
			x, _ := v.Attrs().Get(name)
			s, _ := x.(string)
			return s
		}
		if get("units") != c.units || get("standard_name") != c.name || get("cell_methods") != c.methods || get("long_name") != "temperature" {
			t.Errorf("%s has attributes %v, want units %q, standard_name %q, cell_methods %q", c.in, v.Attrs(), c.units, c.name, c.methods)
		}
		if v.Name() != "tas" {
			t.Errorf("%s is named %q", c.in, v.Name())
		}
	}
}
