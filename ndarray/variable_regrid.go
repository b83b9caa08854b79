// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/ndarray/regrid"
)

// RegridOptions say what missing values do, and what part of a cell a value stands for.
type RegridOptions struct {
	// SkipNA leaves missing values out of a target's weights (true), or makes a target missing that needs one (false). nil is CDO's way: left out by
	// Conservative and Distance, not by Bilinear.
	SkipNA *bool
	// NAThreshold is the part of a target that may be missing where they are left out, 0 to 1, what lies beyond a source that does not cover it
	// included. nil is 1: one source point is enough.
	NAThreshold *float64
	// DestArea divides the sums of Conservative by the area of the whole target cell, and not by that of the part that has
	// values: fluxes are then conserved at coasts too. CDO: CDO_REMAP_NORM=destarea.
	DestArea bool
}

// regridBytes is how large chunks of the result may be, and levelBytes the part of a level that one is made from.
const (
	regridBytes = 16 << 20
	levelBytes  = 64 << 20
)

// Regrid returns v on another horizontal grid: its latitudes and longitudes take the place of v's, other dimensions stay. It is xESMF's Regridder and CDO's remapbil,
// remapnn, remapcon and remapdis. Longitudes wrap, and may count from 0 or from 180 W; axes may descend. Bilinear and Conservative need
// rectilinear grids, Nearest and Distance take curvilinear ones and lists of points too.
//
// DType: float32, float64 and float16 stay, others become float64; sums are made in float64. A target that Bilinear has no source around
// is NaN, as is one of Conservative that shares nothing with the source. A source point of weight 0 has no part in a target even if it is missing.
// Coordinates of v over its latitudes or longitudes go, and with them what describes its grid.
//
// The weights are made when a run is planned; those of rectilinear grids are two short lists. A run reads what of v a part of the result needs.
func (v Variable) Regrid(to HorizontalGrid, method regrid.Method, o RegridOptions) Variable {
	if v.Err() != nil {
		return v
	}
	from := v.HorizontalGrid()
	for _, g := range []HorizontalGrid{from, to} {
		if g.err != nil {
			return v.fail("ndarray: regrid: %w", g.err)
		}
	}
	rule := regrid.Rule{SkipNA: method == regrid.Conservative || method == regrid.Distance, DestArea: o.DestArea}
	if o.SkipNA != nil {
		rule.SkipNA = *o.SkipNA
	}
	if o.NAThreshold != nil {
		if x := *o.NAThreshold; !(x >= 0 && x <= 1) {
			return v.fail("ndarray: regrid: part that may be missing: got %v, want 0 to 1", x)
		}
		rule.Least = 1 - *o.NAThreshold
	}
	switch {
	case o.DestArea && method != regrid.Conservative:
		return v.fail("ndarray: regrid: %v: areas of cells count for conservative only", method)
	case v.array.unknown():
		return v.fail("%w", errUnknown("regrid", v.Shape()))
	case !v.DType().IsNumeric() || v.DType().IsComplex():
		return v.fail("ndarray: regrid: %s holds %v, want real numbers: %w", v.label(), v.DType(), dtype.ErrPromote)
	}
	if err := regrid.Check(&from.places, &to.places, method); err != nil {
		return v.fail("ndarray: regrid: %s: %w", v.label(), err)
	}
	rest := without(v.dims, from.dims...)
	dims := make([]string, 0, len(v.dims)+1) // of the result
	for _, d := range v.dims {
		switch k := slices.Index(from.dims, d); {
		case k < 0:
			dims = append(dims, d)
		case len(from.dims) == 2 && len(to.dims) == 2:
			dims = append(dims, to.dims[k])
		case k == 0:
			dims = append(dims, to.dims...)
		}
	}
	for _, d := range to.dims {
		if slices.Contains(rest, d) {
			return v.fail("ndarray: regrid: %s has another dimension %q, which the target grid has for its places; rename one", v.label(), d)
		}
	}
	j := &regridJob{from: from, to: to, method: method, rule: rule, rest: len(rest)}
	out := v.Transpose(append(rest, from.dims...)...)
	out.array = j.of(out.array)
	out.dims = slices.Concat(without(v.dims, from.dims...), to.dims)
	out.host, out.values, out.mappings, out.coords = nil, nil, nil, nil
	out.attrs = v.attrs.Without("grid_mapping", "cell_measures", "CDI_grid_type", "CDI_grid_num_LPE") // CDO believes its own note on a grid
	for _, c := range v.coords {
		if !slices.ContainsFunc(c.dims, func(d string) bool { return slices.Contains(from.dims, d) }) {
			out.coords = append(out.coords, c)
		}
	}
	out.coords = append(putCoord(out.coords, to.lat), to.lon)
	out.unlimited = slices.DeleteFunc(slices.Clone(v.unlimited), func(d string) bool { return !slices.Contains(rest, d) })
	if out.Err() != nil {
		return out
	}
	return out.Transpose(dims...)
}

// regridJob is one regridding of an array whose last axes are those of the source grid.
type regridJob struct {
	from, to HorizontalGrid
	method   regrid.Method
	rule     regrid.Rule
	rest     int // axes before
	made     func() (*regrid.Map, error)
}

// key tells the job from others.
func (j *regridJob) key() string {
	h := sha256.New()
	var b [8]byte
	put := func(list ...float64) {
		for _, x := range append(list, float64(len(list))) {
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(x))
			h.Write(b[:])
		}
	}
	for _, g := range []HorizontalGrid{j.from, j.to} {
		put(g.places.Lat...)
		put(g.places.Lon...)
		for _, list := range [][][2]float64{g.places.LatBounds, g.places.LonBounds} {
			for _, x := range list {
				put(x[:]...)
			}
			put()
		}
		put(float64(g.shape.Rows), float64(g.shape.Cols))
	}
	return fmt.Sprintf("regrid %v points=%v,%v %+v %x", j.method, j.from.places.Points, j.to.places.Points, j.rule, h.Sum(nil))
}

// of regrids an array.
func (j *regridJob) of(a Array) Array {
	if a.Err() != nil {
		return a
	}
	kept := a.DType()
	work := dtype.Float64
	switch {
	case !kept.IsFloat():
		kept = work
	case kept != dtype.Float64:
		work = dtype.Float32
	}
	j.made = sync.OnceValues(func() (*regrid.Map, error) {
		return regrid.New(&j.from.places, &j.to.places, j.method, j.from.shape, j.to.shape)
	})
	if !j.method.Points(&j.from.places, &j.to.places) { // cheap, and then nothing else of the source is looked at
		m, err := j.made()
		if err != nil {
			return failf("ndarray: regrid: %w", err)
		}
		a = a.Index(Ellipsis(), Span(m.Source.Row, m.Source.Row+m.Source.Rows), Span(m.Source.Col, m.Source.Col+m.Source.Cols))
	}
	arg := graph.OpaqueArg{
		Key:   j.key(),
		Holds: regrid.Bytes(&j.from.places, &j.to.places, j.method),
		Need:  func(_ int, at chunk.Region) chunk.Region { return j.need(at) },
		Scratch: func(out chunk.Shape) int64 {
			m, err := j.made()
			if err != nil {
				return 0
			}
			return mem.ClassBytes(8 * m.Scratch(j.box(chunk.Whole(out), j.to)))
		},
		Run: func(_ context.Context, c graph.OpaqueCall) error {
			m, err := j.made()
			if err != nil {
				return fmt.Errorf("ndarray: regrid: %w", err)
			}
			if work == dtype.Float32 {
				return regridRegion[float32](j, m, c)
			}
			return regridRegion[float64](j, m, c)
		},
	}
	return Array{here().Opaque(arg, work, j.grid(a.Grid(), int64(work.Size())), a.AsType(work).Node())}.AsType(kept)
}

// grid cuts the result: by the chunks of the axes before, shorter ones where they would be large, and into bands of rows where a level is.
func (j *regridJob) grid(g chunk.Grid, item int64) chunk.Grid {
	out := chunk.Grid{Shape: slices.Concat(g.Shape[:j.rest], j.to.size()), Axes: slices.Clone(g.Axes[:j.rest])}
	bytes := item * max(j.to.shape.Rows, 1) * max(j.to.shape.Cols, 1)
	for _, n := range j.to.size() {
		out.Axes = append(out.Axes, chunk.Axis{Len: n, Step: max(n, 1)})
	}
	level := item * j.from.shape.Rows * j.from.shape.Cols
	if rows := &out.Axes[j.rest]; bytes > regridBytes || level > levelBytes {
		rows.Step = max(1, min(rows.Len*regridBytes/bytes, rows.Len*levelBytes/level, rows.Len))
		bytes = bytes / rows.Len * rows.Step
	}
	for _, a := range out.Axes[:j.rest] {
		bytes *= max(a.Max(), 1)
	}
	for k := range j.rest {
		for a := &out.Axes[k]; bytes > regridBytes && a.Max() > 1; {
			n := a.Max()
			*a = chunk.Axis{Len: a.Len, Step: (n + 1) / 2}
			bytes = bytes / n * a.Step
		}
	}
	return out
}

// box returns the rows and columns of a region's last axes, which are those of a grid.
func (j *regridJob) box(at chunk.Region, g HorizontalGrid) regrid.Box {
	b := regrid.Box{Row: at.Lo[j.rest], Rows: at.Hi[j.rest] - at.Lo[j.rest], Cols: 1}
	if len(g.dims) == 2 {
		b.Col, b.Cols = at.Lo[j.rest+1], at.Hi[j.rest+1]-at.Lo[j.rest+1]
	}
	return b
}

// need returns the region of the source that one of the result is made from.
func (j *regridJob) need(at chunk.Region) chunk.Region {
	var b regrid.Box
	if m, err := j.made(); err == nil {
		b = m.Need(j.box(at, j.to))
	}
	r := chunk.Region{Lo: append(at.Lo[:j.rest:j.rest], b.Row), Hi: append(at.Hi[:j.rest:j.rest], b.Row+b.Rows)}
	if len(j.from.dims) == 2 {
		r.Lo, r.Hi = append(r.Lo, b.Col), append(r.Hi, b.Col+b.Cols)
	}
	return r
}

// regridRegion computes one region, level by level.
func regridRegion[T float32 | float64](j *regridJob, m *regrid.Map, c graph.OpaqueCall) error {
	at := j.box(c.At, j.to)
	var acc []float64
	if n := m.Scratch(at); n > 0 {
		block, err := c.Device.Allocator().Alloc(8 * n)
		if err != nil {
			return err
		}
		defer block.Release()
		acc = chunk.Elems[float64](block)[:n]
	}
	in := chunk.Slice[T](c.In[0])
	levels := c.Out.Shape[:j.rest].Size()
	if levels == 0 || c.Out.Shape.Size() == 0 {
		return nil
	}
	size := int64(len(in)) / levels
	out := regrid.Level[T]{Row: c.Out.Strides[j.rest]}
	if len(j.to.dims) == 2 {
		out.Col = c.Out.Strides[j.rest+1]
	}
	all := chunk.Elems[T](c.Out.Block)
	index := make([]int64, j.rest)
	for k := range levels {
		from := c.Out.Offset
		for i, x := range index {
			from += x * c.Out.Strides[i]
		}
		out.Data = all[from:]
		regrid.Apply(m, j.rule, at, out, in[k*size:(k+1)*size], acc)
		for i := j.rest - 1; i >= 0; i-- {
			if index[i]++; index[i] < c.Out.Shape[i] {
				break
			}
			index[i] = 0
		}
	}
	return nil
}
