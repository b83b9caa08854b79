// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Interp returns v at other labels of a dimension: on the line between the neighbours for the method "linear" (the default for ""), or that of the
// nearest label, the smaller of two as near, for "nearest". Labels beyond the ends give NaN. Labels are Go numbers, for times in the
// units of the file, or texts that are dates. Several dimensions are interpolated one after another.
//
// Pressure levels are interpolated in the logarithm of pressure by giving them that coordinate first: v.WithCoord(v.Coord("plev").Log()), and
// logarithms as labels.
//
// DType: float64; "nearest" keeps floats. Coordinates of numbers along the dimension are interpolated too, those of texts take the nearest. The labels of v
// may be in any order.
func (v Variable) Interp(dim, method string, labels ...any) Variable {
	c, bad := v.interpLabels(dim, labels)
	if bad != nil {
		return *bad
	}
	return v.interpTo(c, method)
}

// InterpAt is Interp at one label: the dimension goes, the label stays as a scalar.
func (v Variable) InterpAt(dim, method string, label any) Variable {
	out := v.Interp(dim, method, label)
	if out.Err() != nil {
		return out
	}
	return out.at(dim, 0)
}

// InterpLike returns v at the labels of w, along each dimension that both have a coordinate of: Interp's. Dimensions of texts must hold the same labels.
func (v Variable) InterpLike(w Variable, method string) Variable {
	if w.Err() != nil {
		return w
	}
	for _, d := range v.dims {
		c := w.CoordOf(d)
		if v.Err() != nil || c == nil || !c.isDimension() || v.CoordOf(d) == nil {
			continue
		}
		held, err := c.held()
		switch {
		case err != nil:
			return v.fail("ndarray: interp_like: read %q: %w", d, err)
		case held.host == nil:
			return v.fail("ndarray: interp_like: the labels %q of %s are the result of a computation", d, w.label())
		}
		if old := v.CoordOf(d); held.host.Str == nil && !(old.host != nil && old.host.equal(held.host) && !old.isTime()) {
			v = v.interpTo(held, method)
		}
	}
	return v
}

// interpLabels returns labels as a coordinate like that of the dimension.
func (v Variable) interpLabels(dim string, labels []any) (*Coord, *Variable) {
	if v.Err() != nil {
		return nil, &v
	}
	fail := func(format string, args ...any) (*Coord, *Variable) {
		b := v.fail("ndarray: interp: "+format, args...)
		return nil, &b
	}
	if v.axis(dim) < 0 {
		b := v.noDim("interp", dim)
		return nil, &b
	}
	c := v.CoordOf(dim)
	if c == nil {
		c = newCoord(dim, []string{dim}, nil, positions(v.dimLen(dim)))
	}
	l := &Labels{DType: dtype.Int64, Shape: chunk.Shape{int64(len(labels))}, Int: make([]int64, len(labels))}
	numbers := make([]float64, len(labels))
	for i, x := range labels {
		if text, ok := x.(string); ok {
			u, err := c.timeUnits()
			if err != nil {
				return fail("%q is a text, and %w", text, err)
			}
			p, err := u.ParsePeriod(text)
			if err != nil {
				return fail("label of %q: %w", dim, err)
			}
			x = u.Number(p.Lo)
			if f := x.(float64); f == float64(int64(f)) {
				x = int64(f)
			}
		}
		f, ok := numberOf(x)
		if !ok {
			return fail("%v of type %T is not a label of %q: want a number or a date", x, x, dim)
		}
		numbers[i] = f
		n, whole := x.(int64)
		if !whole {
			l.DType = dtype.Float64
		}
		l.Int[i] = n
	}
	if l.DType == dtype.Float64 {
		l = floatLabels(numbers)
	}
	return newCoord(dim, []string{dim}, c.attrs.Without("bounds", "climatology"), l), nil
}

// axisPlaces returns the labels of a dimension in ascending order, with the position of each.
func (v Variable) axisPlaces(dim string) (x []float64, order []int64, c *Coord, err error) {
	c = v.CoordOf(dim)
	if c == nil {
		c = newCoord(dim, []string{dim}, nil, positions(v.dimLen(dim)))
	}
	if c, err = c.held(); err != nil {
		return nil, nil, nil, fmt.Errorf("read %q: %w", dim, err)
	}
	if c.host == nil || c.host.Str != nil {
		return nil, nil, nil, fmt.Errorf("the labels %q are not numbers at hand", dim)
	}
	n := c.host.Len()
	order = make([]int64, n)
	for i := range order {
		order[i] = int64(i)
	}
	slices.SortStableFunc(order, func(i, j int64) int {
		switch a, b := c.host.Number(int(i)), c.host.Number(int(j)); {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
	x = make([]float64, n)
	for k, i := range order {
		if x[k] = c.host.Number(int(i)); x[k] != x[k] {
			return nil, nil, nil, fmt.Errorf("label %d of %q is missing", i, dim)
		}
		if k > 0 && x[k] == x[k-1] {
			return nil, nil, nil, fmt.Errorf("label %s of %q occurs twice", c.text(int(i)), dim)
		}
	}
	return x, order, c, nil
}

// interpTo returns v at the labels to of the dimension of its name.
func (v Variable) interpTo(to *Coord, method string) Variable {
	dim := to.name
	if method == "" {
		method = "linear"
	}
	x, order, c, err := v.axisPlaces(dim)
	least := 2
	if method == "nearest" {
		least = 1
	}
	switch {
	case err != nil:
		return v.fail("ndarray: interp: %w", err)
	case method != "linear" && method != "nearest":
		return v.fail("ndarray: interp: method: got %q, want \"linear\" or \"nearest\"", method)
	case len(x) < least:
		return v.fail("ndarray: interp: dimension %q has length %d, want at least %d for %q", dim, len(x), least, method)
	case !v.DType().IsNumeric() || v.DType() == dtype.Bool:
		return v.fail("ndarray: interp: %s holds %v, want numbers", v.label(), v.DType())
	}
	points := make([]float64, to.host.Len())
	for i := range points {
		points[i] = to.host.Number(i)
	}
	if c.isTime() && to.isTime() {
		u, errA := c.timeUnits()
		times, w, errB := to.times()
		if errA == nil && errB == nil && w.Text != u.Text {
			for i, t := range times {
				points[i] = u.Number(t)
			}
		}
	}
	// The labels of a single precision coordinate are what its file holds, and so are those asked for.
	j := interpJob{x: x, order: order, to: points, method: method, exact: v.Rank() == 1}
	out := v.WithArray(j.of(v.array, v.axis(dim)))
	out.coords = nil
	for _, k := range v.coords {
		switch axis := slices.Index(k.dims, dim); {
		case k.name == dim:
		case axis < 0:
			out.coords = append(out.coords, k)
		default:
			if k = j.coord(k, axis); k != nil {
				out.coords = append(out.coords, k)
			}
		}
	}
	out.coords = append(out.coords, to)
	return out
}

// interpJob is one interpolation: from ascending places x, which stand at the positions order, to others.
type interpJob struct {
	x      []float64
	order  []int64
	to     []float64
	method string
	exact  bool // a place that is there takes its value as it is, as xarray has it for one dimension
}

// at returns positions on the axis of positions in x.
func (j *interpJob) at(ids []int64) []int64 {
	return convert(ids, func(i int64) int64 {
		if i < 0 {
			return -1
		}
		return j.order[i]
	})
}

// of interpolates axis k of a.
func (j *interpJob) of(a Array, k int) Array {
	if a.Err() != nil {
		return a
	}
	if !a.DType().IsFloat() && !a.DType().IsComplex() {
		a = a.AsType(dtype.Float64)
	}
	if j.method == "nearest" {
		return a.TakeAlong(k, j.at(nearestOf(j.x, j.to)))
	}
	if a.DType().IsFloat() {
		a = a.AsType(dtype.Float64)
	}
	lo, hi, from, width, hits := slopesOf(j.x, j.to, j.exact)
	spread := func(x Array) Array { return x.along(k, a.Rank()) }
	y0, y1 := a.TakeAlong(k, j.at(lo)), a.TakeAlong(k, j.at(hi))
	line := y1.Sub(y0).Div(spread(FromSlice(width))).Mul(spread(FromSlice(j.to).Sub(FromSlice(from)))).Add(y0)
	if slices.Contains(hits, true) {
		return Where(spread(FromSlice(hits)), y0, line)
	}
	return line
}

// line interpolates labels.
func (j *interpJob) line(l *Labels) []float64 {
	at := func(i int64) float64 {
		if i < 0 {
			return nan
		}
		return l.Number(int(j.order[i]))
	}
	if j.method == "nearest" {
		return convert(nearestOf(j.x, j.to), at)
	}
	out := make([]float64, len(j.to))
	lo, hi, from, width, _ := slopesOf(j.x, j.to, true)
	for i := range out {
		slope := (at(hi[i]) - at(lo[i])) / width[i]
		out[i] = float64(slope*(j.to[i]-from[i])) + at(lo[i])
	}
	return out
}

// coord interpolates a coordinate along its axis k: numbers as values are, texts at hand by the nearest label; nil for others.
func (j *interpJob) coord(c *Coord, k int) *Coord {
	held, err := c.held()
	if err != nil {
		return nil
	}
	out := &Coord{name: c.name, dims: c.dims, attrs: c.attrs.Without("bounds", "climatology")}
	dt := held.Array().DType()
	switch {
	case held.host != nil && held.host.Str != nil:
		inside := slices.Clone(j.to)
		for i := range inside {
			inside[i] = min(max(inside[i], j.x[0]), j.x[len(j.x)-1])
		}
		out.host = held.host.Take(k, j.at(nearestOf(j.x, inside)))
		return out
	case !dt.IsNumeric() || dt == dtype.Bool:
		return nil
	}
	if l := held.host; l != nil && len(c.dims) == 1 {
		out.host = floatLabels(j.line(l))
		return out
	}
	out.array = j.of(held.Array(), k)
	return out
}
