// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// timeSteps are the units of times that calculus counts in, as NumPy spells them, in nanoseconds.
var timeSteps = map[string]float64{"W": 7 * 86400e9, "D": 86400e9, "h": 3600e9, "m": 60e9, "s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1}

// numbersOf returns the values of a coordinate as numbers: those of a time are counted from its first one in unit; "" is ns in the
// standard calendars and s in others, as xarray has it. Other numbers have no unit.
func (c *Coord) numbersOf(unit string) ([]float64, error) {
	l, err := c.read()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %q: %w", c.name, err)
	case l == nil:
		return nil, fmt.Errorf("the values of %q are the result of a computation; want those of a file or of memory", c.name)
	case l.Str != nil:
		return nil, fmt.Errorf("%q holds texts, want numbers", c.name)
	}
	out := make([]float64, l.Len())
	if !c.isTime() {
		for i := range out {
			out[i] = l.Number(i)
		}
		return out, nil
	}
	times, u, err := c.times()
	if err != nil {
		return nil, err
	}
	if unit == "" {
		unit = "s"
		switch u.Calendar {
		case cf.Standard, cf.ProlepticGregorian:
			unit = "ns"
		}
	}
	step, ok := timeSteps[unit]
	if !ok {
		return nil, fmt.Errorf("datetime_unit: got %q, want W, D, h, m, s, ms, us or ns", unit)
	}
	for i, t := range times {
		if t == noTime {
			out[i] = nan
			continue
		}
		// Days and the rest of one are apart, so that long axes lose nothing.
		days, micros := t.Day-times[0].Day, t.Micro-times[0].Micro
		out[i] = (float64(float64(days)*86400e9) + float64(float64(micros)*1e3)) / step
	}
	return out, nil
}

// places returns where v's positions lie along the dimension of a coordinate with one, and that dimension's axis.
func (v Variable) places(what, coord, unit string) (x Array, axis int, bad *Variable) {
	fail := func(format string, args ...any) *Variable {
		b := v.fail("ndarray: "+what+": "+format, args...)
		return &b
	}
	c := v.CoordOf(coord)
	switch {
	case c == nil:
		return x, 0, fail("%s has no coordinate %q; it has %s", v.label(), coord, quoted(v.Coords()))
	case len(c.dims) != 1 || v.axis(c.dims[0]) < 0:
		return x, 0, fail("coordinate %q has dimensions %s, want one of %s", coord, quoted(c.dims), quoted(v.dims))
	}
	list, err := c.numbersOf(unit)
	if err != nil {
		return x, 0, fail("%w", err)
	}
	return FromSlice(list), v.axis(c.dims[0]), nil
}

// Differentiate returns the slopes of v along the dimension of a coordinate: differences of neighbours on both sides over those of their places, at
// the ends by differences of edgeOrder, 1 or 2. Times count in unit: "D", "h", "m", "s", "ms", "us", "ns" or "W"; "" is "ns" in the standard
// calendars, else "s". float32 stays, integers become float64. Units and standard_name go.
func (v Variable) Differentiate(coord string, edgeOrder int64, unit string) Variable {
	if v.Err() != nil {
		return v
	}
	x, k, bad := v.places("differentiate", coord, unit)
	if bad != nil {
		return *bad
	}
	return v.derived(v.array.Gradient(k, x, edgeOrder))
}

// derived returns v with values of other units.
func (v Variable) derived(a Array) Variable {
	out := v.WithArray(a)
	if out.Err() == nil {
		out.attrs = v.attrs.Without("units", "standard_name")
	}
	return out
}

// Integrate returns the integrals of v along the dimensions of coordinates, one after another, by the trapezoidal rule; the dimensions go.
// Times count as in Differentiate. NaN gives NaN. Units and standard_name go.
func (v Variable) Integrate(unit string, coords ...string) Variable {
	for _, name := range coords {
		if v.Err() != nil {
			return v
		}
		x, k, bad := v.places("integrate", name, unit)
		if bad != nil {
			return *bad
		}
		dim := v.dims[k]
		out := v
		out.array, out.host, out.values = v.array.Trapezoid(k, x), nil, nil
		out.dims, out.unlimited = without(v.dims, dim), without(v.unlimited, dim)
		out.coords = dropCoords(v.coords, []string{dim})
		v = out.derived(out.array)
	}
	return v
}

// CumulativeIntegrate returns the integrals of v from the first place of a coordinate up to each, by the trapezoidal rule, one coordinate after
// another. Times count as in Differentiate. NaN gives NaN from there on. Units and standard_name go.
func (v Variable) CumulativeIntegrate(unit string, coords ...string) Variable {
	for _, name := range coords {
		if v.Err() != nil {
			return v
		}
		x, k, bad := v.places("cumulative_integrate", name, unit)
		if bad != nil {
			return *bad
		}
		areas, _ := v.array.trapezoids("cumulative_integrate", k, x)
		if areas.Err() != nil {
			return v.failed(areas)
		}
		sums := areas.Scan("cumulative_sum", k)
		if v.Shape()[k] > 0 {
			shape := areas.Shape().Clone()
			shape[k] = 1
			sums = Concat(k, Zeros(shape, sums.DType()).onGrid(areas.gridWith(k, 1)), sums)
		}
		v = v.derived(sums)
	}
	return v
}

// Cov returns the covariance of v and w over dims, all when none is named: positions where one is missing are left out of both, and the
// count of the others less ddof divides the sum of products. Labels must agree, as those of operands. Units and standard_name go.
func (v Variable) Cov(w Variable, ddof float64, dims ...string) Variable {
	x, y, valid := v.paired(w)
	cov := x.deviations(dims).Mul(y.deviations(dims)).Mean(dims...)
	n := valid.Reduce("sum", Reduction{}, dims...)
	return cov.Mul(n.Div(n.Sub(ddof))).describedAs(v)
}

// Corr returns the coefficient of correlation of v and w over dims, all when none is named, positions where one is missing left out of both.
func (v Variable) Corr(w Variable, dims ...string) Variable {
	x, y, _ := v.paired(w)
	cov := x.deviations(dims).Mul(y.deviations(dims)).Mean(dims...)
	return cov.Div(x.Std(dims...).Mul(y.Std(dims...))).describedAs(v)
}

// paired returns v and w, missing where the other is, and where both are there.
func (v Variable) paired(w Variable) (x, y, valid Variable) {
	valid = v.NotNull().Op("logical_and", w.NotNull())
	return v.Where(valid), w.Where(valid), valid
}

// deviations returns v less its mean.
func (v Variable) deviations(dims []string) Variable { return v.Sub(v.Mean(dims...)) }

// describedAs returns v with the attributes of one it was computed from, but for the units.
func (v Variable) describedAs(from Variable) Variable {
	if v.Err() == nil {
		v.attrs = from.attrs.Without("units", "standard_name")
	}
	return v
}

// InterpolateNA returns v with each missing value between two that are there on the line through them, along a dimension; at most limit in a row
// are filled, all for 0. Places are those of the dimension's coordinate, which must ascend, or positions where it has none or coord is
// false. Integers have none missing: they stay as they are, but that a limit makes floats of them, as in xarray.
func (v Variable) InterpolateNA(dim string, limit int64, coord bool) Variable {
	if v.Err() != nil {
		return v
	}
	k := v.axis(dim)
	if k < 0 {
		return v.noDim("interpolate_na", dim)
	}
	if !v.DType().IsFloat() {
		if limit > 0 {
			return v.WithArray(v.array.withMissing())
		}
		return v
	}
	x := IndexOf(chunk.Shape{v.Shape()[k]}, 0).AsType(dtype.Float64)
	if coord && v.HasCoord(dim) {
		unit := ""
		if v.CoordOf(dim).isTime() {
			unit = "s"
		}
		list, err := v.CoordOf(dim).numbersOf(unit)
		if err != nil {
			return v.fail("ndarray: interpolate_na: %w", err)
		}
		for i := 1; i < len(list); i++ {
			if !(list[i] > list[i-1]) {
				return v.fail("ndarray: interpolate_na: coordinate %q does not ascend at position %d: got %v after %v; sort it, or give use_coordinate=False", dim, i, list[i], list[i-1])
			}
		}
		x = FromSlice(list)
	}
	a := v.array.AsType(dtype.Float64)
	missing := a.IsNaN()
	at := Where(missing, nan, x.along(k, a.Rank()))
	y0, y1 := a.Fill(k, false, 0), a.Fill(k, true, 0)
	x0, x1 := at.Fill(k, false, 0), at.Fill(k, true, 0)
	slope := y1.Sub(y0).Div(x1.Sub(x0))
	line := slope.Mul(x.along(k, a.Rank()).Sub(x0)).Add(y0)
	fill := missing
	if limit > 0 {
		// As many as ffill fills: those behind the limit stay missing.
		fill = fill.And(a.Fill(k, false, limit).IsNaN().Not())
	}
	return v.WithArray(Where(fill, line, a).AsType(v.DType()))
}

// slopesOf returns, for ascending places x, where each of to lies: the places before and behind it, -1 outside, and what lies between.
func slopesOf(x, to []float64, exact bool) (lo, hi []int64, from, width []float64, hits []bool) {
	n := len(x)
	lo, hi = make([]int64, len(to)), make([]int64, len(to))
	from, width = make([]float64, len(to)), make([]float64, len(to))
	hits = make([]bool, len(to))
	for j, p := range to {
		if math.IsNaN(p) || p < x[0] || p > x[n-1] {
			lo[j], hi[j], from[j], width[j] = -1, -1, nan, nan
			continue
		}
		i, found := slices.BinarySearch(x, p)
		if found && exact {
			lo[j], hi[j], from[j], width[j], hits[j] = int64(i), int64(i), p, 1, true
			continue
		}
		i = max(i, 1)
		lo[j], hi[j], from[j], width[j] = int64(i)-1, int64(i), x[i-1], x[i]-x[i-1]
	}
	return lo, hi, from, width, hits
}

// nearestOf returns which of ascending places x is the nearest to each of to, -1 outside; of two as near the smaller.
func nearestOf(x, to []float64) []int64 {
	ids := make([]int64, len(to))
	for j, p := range to {
		ids[j] = -1
		if math.IsNaN(p) || p < x[0] || p > x[len(x)-1] {
			continue
		}
		i, _ := slices.BinarySearch(x, p)
		if i > 0 && p <= x[i-1]/2+x[i]/2 {
			i--
		}
		ids[j] = int64(i)
	}
	return ids
}
