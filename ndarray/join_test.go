// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// joinEngine returns an engine that the test closes.
func joinEngine(t testing.TB) *sched.Engine {
	t.Helper()
	eng, err := sched.New(sched.Options{Memory: 256 << 20, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	return eng
}

// rawVar is a variable of a file as it is stored.
type rawVar struct {
	name  string
	dims  []string
	data  ndarray.Array
	attrs formats.Attrs
}

// writeRaw writes a file of stored arrays, without CF rules in between.
func writeRaw(t testing.TB, eng *sched.Engine, path string, unlimited string, vars ...rawVar) string {
	t.Helper()
	spec := formats.Spec{}
	for _, v := range vars {
		for i, d := range v.dims {
			if !slices.ContainsFunc(spec.Dims, func(x formats.Dim) bool { return x.Name == d }) {
				spec.Dims = append(spec.Dims, formats.Dim{Name: d, Size: v.data.Shape()[i], Unlimited: d == unlimited})
			}
		}
		spec.Vars = append(spec.Vars, formats.VarSpec{Name: v.name, Dims: v.dims, Shape: v.data.Shape(), DType: v.data.DType(), Attrs: v.attrs})
	}
	w, err := all.Create(t.Context(), path, spec)
	if err != nil {
		t.Fatal(err)
	}
	var outs []ndarray.Output
	for i, v := range vars {
		outs = append(outs, ndarray.Output{Array: v.data, Name: v.name, To: w.Sink(i)})
	}
	if err := eng.Run(t.Context(), outs); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return path
}

// series returns a file's time and a packed variable: stored values from, from+1, ...
func series(units, calendar string, times []float64, from int16, scale float64) []rawVar {
	stored := make([]int16, 2*len(times))
	for i := range stored {
		stored[i] = from + int16(i)
	}
	attrs := formats.Attrs{{Name: "units", Value: units}}
	if calendar != "" {
		attrs = attrs.With("calendar", calendar)
	}
	return []rawVar{
		{"time", []string{"time"}, ndarray.FromSlice(times), attrs},
		{"x", []string{"x"}, ndarray.FromSlice([]float64{10, 20}), nil},
		{"v", []string{"time", "x"}, ndarray.FromSlice(stored, int64(len(times)), 2), formats.Attrs{
			{Name: "scale_factor", Value: scale}, {Name: "add_offset", Value: 0.5}, {Name: "_FillValue", Value: int16(-1)}, {Name: "units", Value: "K"}}},
	}
}

func values(t *testing.T, eng *sched.Engine, v ndarray.Variable) []float64 {
	t.Helper()
	if v.Err() != nil {
		t.Fatal(v.Err())
	}
	x, err := ndarray.Values[float64](t.Context(), eng, v.Array().AsType(dtype.Float64))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestJoinRebasesTimeAndKeepsPackings(t *testing.T) {
	eng := joinEngine(t)
	dir := t.TempDir()
	// The names are not in the order of the labels.
	writeRaw(t, eng, filepath.Join(dir, "a.nc"), "time", series("hours since 2000-01-03", "standard", []float64{0, 24, 30}, 100, 0.25)...)
	writeRaw(t, eng, filepath.Join(dir, "b.nc"), "time", series("days since 2000-01-01", "", []float64{0, 1}, 0, 0.5)...)
	writeRaw(t, eng, filepath.Join(dir, "c.nc"), "time", series("minutes since 2000-01-05 00:00", "gregorian", []float64{0}, 200, 0.5)...)
	writeRaw(t, eng, filepath.Join(dir, ".hidden.nc"), "time", series("days since 1900-01-01", "", []float64{0}, 200, 0.5)...)
	ds, err := ndarray.Open(t.Context(), filepath.Join(dir, "*.nc"))
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	v := ds.Var("v")
	if got := v.String(); got != "v float64(time: 6, x: 2)" {
		t.Errorf("v is %s", got)
	}
	if got := ds.Dims(); !slices.Contains(got, formats.Dim{Name: "time", Size: 6, Unlimited: true}) {
		t.Errorf("dims %v", got)
	}
	if u, _ := v.Coord("time").Attrs().Get("units"); u != "days since 2000-01-01" {
		t.Errorf("units %v", u)
	}
	if got, want := values(t, eng, ds.Var("time")), []float64{0, 1, 2, 3, 3.25, 4}; !slices.Equal(got, want) {
		t.Errorf("time = %v, want %v", got, want)
	}
	want := []float64{.5, 1, 1.5, 2, 25.5, 25.75, 26, 26.25, 26.5, 26.75, 100.5, 101}
	if got := values(t, eng, v); !slices.Equal(got, want) {
		t.Errorf("v = %v, want %v", got, want)
	}
	if got, want := values(t, eng, v.Sel(ndarray.Between("time", "2000-01-02", "2000-01-03"))), want[2:6]; !slices.Equal(got, want) {
		t.Errorf("sel = %v, want %v", got, want)
	}
	if got, want := values(t, eng, v.GroupBy("time.day").Max("x")), []float64{1, 2, 25.75, 26.75, 101}; !slices.Equal(got, want) {
		t.Errorf("groups = %v, want %v", got, want)
	}
	if got := ds.Var("x"); got.Err() != nil || got.Rank() != 1 {
		t.Errorf("x is %v", got)
	}
}

// TestJoinByLimitedDimension joins along the dimension whose labels differ, here descending ones.
func TestJoinByLimitedDimension(t *testing.T) {
	eng := joinEngine(t)
	dir := t.TempDir()
	tile := func(name string, lat []float64, v ...float32) string {
		return writeRaw(t, eng, filepath.Join(dir, name), "",
			rawVar{"lat", []string{"lat"}, ndarray.FromSlice(lat), nil},
			rawVar{"lon", []string{"lon"}, ndarray.FromSlice([]float32{0, 1}), nil},
			rawVar{"h", []string{"lon", "lat"}, ndarray.FromSlice(v, 2, int64(len(lat))), nil},
			rawVar{"mask", []string{"lon"}, ndarray.FromSlice([]int8{1, 2}), nil})
	}
	for _, ext := range []string{".nc", ".zarr"} {
		south, north := tile("a"+ext, []float64{0, -1}, 3, 4, 7, 8), tile("b"+ext, []float64{2, 1}, 1, 2, 5, 6)
		ds, err := ndarray.OpenMany(t.Context(), []string{south, north})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := values(t, eng, ds.Var("lat")), []float64{2, 1, 0, -1}; !slices.Equal(got, want) {
			t.Errorf("lat = %v, want %v", got, want)
		}
		if got, want := values(t, eng, ds.Var("h")), []float64{1, 2, 3, 4, 5, 6, 7, 8}; !slices.Equal(got, want) {
			t.Errorf("h = %v, want %v", got, want)
		}
		if got, want := ds.Var("mask").Dims(), []string{"lon"}; !slices.Equal(got, want) {
			t.Errorf("mask has %v, want %v", got, want)
		}
		if err := ds.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestJoinErrors(t *testing.T) {
	eng := joinEngine(t)
	dir := t.TempDir()
	n := 0
	file := func(vars ...rawVar) string {
		n++
		return writeRaw(t, eng, filepath.Join(dir, fmt.Sprintf("%d.nc", n)), "time", vars...)
	}
	day := "days since 2000-01-01"
	base := file(series(day, "standard", []float64{0, 1}, 0, 1)...)
	later := series(day, "standard", []float64{5, 6}, 0, 1)
	with := func(name string, v rawVar) []rawVar {
		out := slices.Clone(later)
		i := slices.IndexFunc(out, func(v rawVar) bool { return v.name == name })
		out[i] = v
		return out
	}
	cases := []struct{ name, file, want string }{
		{"the same file", base, "overlap"},
		{"a shared label", file(series("hours since 2000-01-02", "standard", []float64{0, 24}, 0, 1)...), `overlap: ` + base + ` ends at 2000-01-02T00:00:00`},
		{"inside", file(series("hours since 2000-01-01", "standard", []float64{6}, 0, 1)...), "overlap"},
		{"another calendar", file(series(day, "360_day", []float64{5}, 0, 1)...), "calendar"},
		{"no order", file(series(day, "standard", []float64{5, 7, 6}, 0, 1)...), "neither ascend nor descend"},
		{"another direction", file(series(day, "standard", []float64{7, 6}, 0, 1)...), "descend"},
		{"a variable missing", file(later[:2]...), `variable "v" is in`},
		{"other labels", file(with("x", rawVar{"x", []string{"x"}, ndarray.FromSlice([]float64{10, 21}), nil})...), `"time", "x"`},
		{"other units", file(with("v", rawVar{"v", []string{"time", "x"}, ndarray.FromSlice(make([]float32, 4), 2, 2), formats.Attrs{{Name: "units", Value: "degC"}}})...), `units of "v" are "K"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ds, err := ndarray.OpenMany(t.Context(), []string{base, c.file})
			if err == nil {
				ds.Close()
				t.Fatalf("no error, want one with %q", c.want)
			}
			if !errors.Is(err, formats.ErrFormat) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error wrapping ErrFormat with %q", err, c.want)
			}
		})
	}
	static := func(v float32, at float64) string {
		return file(append(series(day, "standard", []float64{at}, 0, 1), rawVar{"orog", []string{"x"}, ndarray.FromSlice([]float32{v, 2}), nil})...)
	}
	if _, err := ndarray.OpenMany(t.Context(), []string{static(1, 0), static(3, 1)}); err == nil || !strings.Contains(err.Error(), `variable "orog" differs`) || !strings.Contains(err.Error(), "value 0 is 1 and 3") {
		t.Errorf("values that disagree: %v", err)
	}
	ds, err := ndarray.OpenMany(t.Context(), []string{static(1, 2), static(1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	if got := ds.Var("orog").String(); got != "orog float32(x: 2)" {
		t.Errorf("orog is %s", got)
	}
	if _, err := ndarray.Open(t.Context(), filepath.Join(dir, "none*.nc")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no match: %v", err)
	}
	if _, err := ndarray.OpenMany(t.Context(), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no files: %v", err)
	}
}

// TestJoinWithoutLabels joins records without labels in the order of the names.
func TestJoinWithoutLabels(t *testing.T) {
	eng := joinEngine(t)
	dir := t.TempDir()
	for i := range 3 {
		writeRaw(t, eng, filepath.Join(dir, fmt.Sprintf("%d.nc", i)), "rec", rawVar{"v", []string{"rec"}, ndarray.FromSlice([]int32{int32(i), int32(i)}), nil})
	}
	ds, err := ndarray.Open(t.Context(), filepath.Join(dir, "?.nc#v"))
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	v, ok := ds.Main()
	if got, want := values(t, eng, v), []float64{0, 0, 1, 1, 2, 2}; !ok || !slices.Equal(got, want) {
		t.Errorf("v = %v, want %v", got, want)
	}
}

// TestJoinBoundsAndSecondaryTimes rebases what counts from the same reference: bounds without units of their own and a time
// that is not a dimension.
func TestJoinBoundsAndSecondaryTimes(t *testing.T) {
	eng := joinEngine(t)
	dir := t.TempDir()
	month := func(name, units string, at float64) {
		u := formats.Attrs{{Name: "units", Value: units}, {Name: "calendar", Value: "noleap"}}
		writeRaw(t, eng, filepath.Join(dir, name), "time",
			rawVar{"time", []string{"time"}, ndarray.FromSlice([]float64{at, at + 1}), u.With("bounds", "time_bnds")},
			rawVar{"time_bnds", []string{"time", "bnds"}, ndarray.FromSlice([]float64{at - .5, at + .5, at + .5, at + 1.5}, 2, 2), nil},
			rawVar{"issued", []string{"time"}, ndarray.FromSlice([]int32{1, 2}), u},
			rawVar{"v", []string{"time"}, ndarray.FromSlice([]float32{1, 2}), formats.Attrs{{Name: "coordinates", Value: "issued"}}})
	}
	month("a.nc", "days since 2000-01-01", 10)
	month("b.nc", "days since 2000-02-01", 0)
	ds, err := ndarray.Open(t.Context(), filepath.Join(dir, "*.nc"))
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	for name, want := range map[string][]float64{
		"time":      {10, 11, 31, 32},
		"time_bnds": {9.5, 10.5, 10.5, 11.5, 30.5, 31.5, 31.5, 32.5},
		"issued":    {1, 2, 32, 33},
	} {
		if got := values(t, eng, ds.Var(name)); !slices.Equal(got, want) {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	if got, want := values(t, eng, ds.Var("v").GroupBy("issued").Sum()), []float64{1, 2, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("groups = %v, want %v", got, want)
	}
}

// TestJoinManyFiles opens more files than may be open at once.
func TestJoinManyFiles(t *testing.T) {
	eng := joinEngine(t)
	dir := t.TempDir()
	n := 400
	if testing.Short() {
		n = 40
	}
	for i := range n {
		units := fmt.Sprintf("hours since 2000-01-01 %02d:00", i%24)
		path := filepath.Join(dir, fmt.Sprintf("f%04d.nc", i))
		writeRaw(t, eng, path, "time", series(units, "", []float64{float64(i - i%24)}, int16(i), 0.5)...)
	}
	ds, err := ndarray.Open(context.Background(), filepath.Join(dir, "*.nc"))
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	got := values(t, eng, ds.Var("v").Mean("x"))
	for i, x := range got {
		if want := 0.5*(float64(i)+0.5) + 0.5; x != want {
			t.Fatalf("mean %d = %v, want %v", i, x, want)
		}
	}
	if len(got) != n {
		t.Errorf("%d steps, want %d", len(got), n)
	}
}

// TestJoinNamesTheFileThatFails reads a file that was cut off after it was opened.
func TestJoinNamesTheFileThatFails(t *testing.T) {
	eng := joinEngine(t)
	dir := t.TempDir()
	hours := func(from int) []rawVar {
		times := make([]float64, 10000) // small variables lie in the header, which is read on Open
		for i := range times {
			times[i] = float64(from + i)
		}
		return series("hours since 2000-01-01", "", times, 0, 1)
	}
	a := writeRaw(t, eng, filepath.Join(dir, "a.nc"), "time", hours(0)...)
	b := writeRaw(t, eng, filepath.Join(dir, "b.nc"), "time", hours(10000)...)
	ds, err := ndarray.OpenMany(t.Context(), []string{b, a})
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	if err := os.Truncate(b, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := ndarray.Values[float64](t.Context(), eng, ds.Var("v").Array()); err == nil || !strings.Contains(err.Error(), b) {
		t.Errorf("got %v, want an error that names %s", err, b)
	}
}
