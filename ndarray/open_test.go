// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// sourceOf returns the source of an array in memory, with other metadata.
func sourceOf(a ndarray.Array, change func(m *formats.ArrayMeta)) formats.Source {
	src := a.Node().Arg.(graph.LoadArg).Source
	m := *src.Meta()
	if change != nil {
		change(&m)
	}
	return &changed{src, m}
}

type changed struct {
	formats.Source
	meta formats.ArrayMeta
}

func (s *changed) Meta() *formats.ArrayMeta { return &s.meta }

// raw returns an array of records of n bytes.
func raw(b []byte, n int, shape ...int64) ndarray.Array {
	s := chunk.Shape(shape)
	return ndarray.FromChunk(&chunk.Chunk{DType: dtype.Raw, ItemBytes: int32(n), Shape: s, Strides: s.RowMajor(), Block: mem.Wrap(b)}, nil)
}

func group(t *testing.T, g *formats.Group, inner string, opts ...ndarray.OpenOption) *ndarray.Dataset {
	t.Helper()
	ds, err := ndarray.OpenGroup(context.Background(), g, inner, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// texts computes an array of texts.
func texts(t *testing.T, eng ndarray.Engine, a ndarray.Array) []string {
	t.Helper()
	c, err := ndarray.Compute(context.Background(), eng, a)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i := range c.Shape.Size() {
		out = append(out, string(formats.Text(c, i)))
	}
	return out
}

func TestTexts(t *testing.T) {
	eng := newEngine(t)
	wide := make([]byte, 0, 24)
	for _, r := range []rune{'é', 0, 0, 'a', 'b', 'c'} {
		wide = binary.NativeEndian.AppendUint32(wide, uint32(r)) // as every source gives them, whatever the file has
	}
	cut := chunk.Regular(chunk.Shape{2, 3}, 1, 2)
	letters := &chunk.Chunk{DType: dtype.Raw, ItemBytes: 1, Shape: cut.Shape, Strides: cut.Shape.RowMajor(), Block: mem.Wrap([]byte("a\x00\x00b c"))}
	g := &formats.Group{Format: "netcdf3", Vars: []formats.Var{
		{Name: "season", Dims: []string{"season", "n"}, Source: sourceOf(raw([]byte("DJFJJASON"), 1, 3, 3), nil)},
		{Name: "name", Dims: []string{"x", "n"}, Source: sourceOf(raw([]byte("a\x00\x00b c"), 1, 2, 3), nil)},
		{Name: "cut", Dims: []string{"x", "n"}, Source: sourceOf(ndarray.FromChunk(letters, &cut), nil)},
		{Name: "wide", Dims: []string{"x"}, Source: sourceOf(raw(wide, 12, 2), func(m *formats.ArrayMeta) { m.Stored, m.ByteOrder = "U3", "big" })},
		{Name: "fixed", Dims: []string{"x"}, Source: sourceOf(raw([]byte("abcd"), 2, 2), func(m *formats.ArrayMeta) { m.Stored = "S2" })},
		{Name: "v", Dims: []string{"season"}, Source: sourceOf(ndarray.FromSlice([]float64{1, 2, 3}), nil)},
	}}
	ds := group(t, g, "")
	for _, c := range []struct {
		name string
		want []string
	}{{"name", []string{"a", "b c"}}, {"cut", []string{"a", "b c"}}, {"wide", []string{"é", "abc"}}, {"season", []string{"DJF", "JJA", "SON"}}} {
		v := ds.Var(c.name)
		if v.DType() != dtype.String || v.Rank() != 1 {
			t.Errorf("%s is %v", c.name, v)
			continue
		}
		if got := texts(t, eng, v.Array()); !slices.Equal(got, c.want) {
			t.Errorf("%s = %q, want %q", c.name, got, c.want)
		}
	}
	if v := ds.Var("fixed"); v.DType() != dtype.Raw {
		t.Errorf("fixed is %v", v)
	}
	if got := floats(t, eng, ds.Var("v").Sel(ndarray.Label("season", "JJA")).Array()); !equal(got, []float64{2}) {
		t.Errorf("v of JJA = %v", got)
	}
	if v := group(t, g, "", ndarray.Raw()).Var("name"); v.DType() != dtype.Raw || v.Rank() != 2 {
		t.Errorf("raw: name is %v", v)
	}
}

// TestGroups opens a sub-group: coordinates come from the groups around it, names of coordinates, bounds and grid mappings
// are told apart from data.
func TestGroups(t *testing.T) {
	num := func(n int) formats.Source { return sourceOf(ndarray.FromSlice(make([]float64, n)), nil) }
	sub := &formats.Group{Vars: []formats.Var{
		{Name: "t2m", Dims: []string{"time", "y"}, Attrs: attrs("coordinates", "lat height", "grid_mapping", "crs"), Source: sourceOf(ndarray.FromSlice(make([]int16, 6), 3, 2), nil)},
		{Name: "lat", Dims: []string{"y"}, Attrs: attrs("bounds", "lat_bnds"), Source: num(2)},
		{Name: "lat_bnds", Dims: []string{"y", "bnds"}, Source: sourceOf(ndarray.FromSlice(make([]float64, 4), 2, 2), nil)},
		{Name: "height", Dims: []string{}, Source: scalarSource(2)},
		{Name: "crs", Dims: []string{}, Attrs: attrs("grid_mapping_name", "latitude_longitude"), Source: scalarSource(0)},
		{Name: "bad", Err: formats.ErrFormat},
	}}
	root := &formats.Group{
		Format: "netcdf4",
		Dims:   []formats.Dim{{Name: "time", Size: 3, Unlimited: true}},
		Vars:   []formats.Var{{Name: "time", Dims: []string{"time"}, Attrs: attrs("units", "days since 2000-01-01"), Source: num(3)}},
		Groups: []formats.NamedGroup{{Name: "forecast", Group: sub}},
	}
	ds := group(t, root, "forecast")
	if got := strings.Join(ds.Vars(), " "); got != "t2m bad" {
		t.Errorf("data variables %q", got)
	}
	v := ds.Var("t2m")
	if got := strings.Join(v.Coords(), " "); got != "lat height time" {
		t.Errorf("coordinates %q", got)
	}
	if err := ds.Var("bad").Err(); err == nil {
		t.Error("bad has no error")
	}
	if v, ok := group(t, root, "forecast/t2m").Main(); !ok || v.Name() != "t2m" {
		t.Errorf("forecast/t2m is %v", v)
	}
	_, specs, _, err := ndarray.PlanSpecs([]ndarray.Target{ndarray.To("x.nc", v)})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range specs[0].Vars {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); got != "t2m lat lat_bnds height time crs" {
		t.Errorf("written: %s", got)
	}
	for _, d := range specs[0].Dims {
		if d.Name == "time" && !d.Unlimited {
			t.Error("time is not unlimited")
		}
	}
	if _, err := ndarray.OpenGroup(context.Background(), root, "forecast/none"); err == nil || !strings.Contains(err.Error(), `no variable or group "forecast/none"`) {
		t.Errorf("forecast/none: %v", err)
	}
}

// scalarSource returns a 0-d source.
func scalarSource(x float64) formats.Source {
	b := binary.NativeEndian.AppendUint64(nil, 0)
	c := &chunk.Chunk{DType: dtype.Float64, ItemBytes: 8, Shape: chunk.Shape{}, Strides: []int64{}, Block: mem.Wrap(b)}
	chunk.Elems[float64](c.Block)[0] = x
	return sourceOf(ndarray.FromChunk(c, nil), nil)
}

// TestZarr2Fill holds the rule that a Zarr 2 fill value means missing only with named dimensions.
func TestZarr2Fill(t *testing.T) {
	src := sourceOf(ndarray.FromSlice([]int16{1, -9}), func(m *formats.ArrayMeta) {
		m.Fill, m.FillSet = binary.NativeEndian.AppendUint16(nil, 0xfff7), true
	})
	for _, c := range []struct {
		format string
		dims   []string
		want   dtype.DType
	}{{"zarr2", []string{"x"}, dtype.Float32}, {"zarr2", nil, dtype.Int16}, {"zarr3", []string{"x"}, dtype.Int16}} {
		ds := group(t, &formats.Group{Format: c.format, Vars: []formats.Var{{Name: "v", Dims: c.dims, Source: src}}}, "")
		if got := ds.Var("v").DType(); got != c.want {
			t.Errorf("%s with dims %v decodes to %v, want %v", c.format, c.dims, got, c.want)
		}
		if ds.IsPlain("v") != (c.dims == nil) {
			t.Errorf("%s with dims %v: plain is %v", c.format, c.dims, ds.IsPlain("v"))
		}
	}
}

// TestZarr2FillOfHalves: fill values of two-byte floats mask as those of longer ones do.
func TestZarr2FillOfHalves(t *testing.T) {
	for dt, bits := range map[dtype.DType]uint16{dtype.Float16: 0x4500, dtype.BFloat16: 0x40a0} {
		fill := binary.NativeEndian.AppendUint16(nil, bits)
		c := &chunk.Chunk{DType: dt, ItemBytes: 2, Shape: chunk.Shape{2}, Strides: []int64{1}, Block: mem.Wrap(append(slices.Clone(fill), 0, 0))}
		src := sourceOf(ndarray.FromChunk(c, nil), func(m *formats.ArrayMeta) { m.Fill, m.FillSet = fill, true })
		ds := group(t, &formats.Group{Format: "zarr2", Vars: []formats.Var{{Name: "v", Dims: []string{"x"}, Source: src}}}, "")
		got, err := ndarray.Values[float64](context.Background(), newEngine(t), ds.Var("v").Array().AsType(dtype.Float64))
		if err != nil || !math.IsNaN(got[0]) || got[1] != 0 {
			t.Errorf("%v: got %v, %v, want NaN and 0", dt, got, err)
		}
	}
}
