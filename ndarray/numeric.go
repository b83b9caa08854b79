// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// between returns the parts lo to hi of an axis, negative ones counted from the end; 0 as hi is the end.
func (a Array) between(k int, lo, hi int64) Array {
	idx := slices.Repeat([]Index{All()}, k+1)
	idx[k] = Slice(&lo, &hi, nil)
	if hi == 0 {
		idx[k] = Slice(&lo, nil, nil)
	}
	return a.Index(idx...)
}

// along returns a vector in the shape in which it follows axis k of rank axes.
func (a Array) along(k, rank int) Array {
	for range rank - 1 - k {
		a = a.ExpandDims(-1)
	}
	return a
}

// distances are those of neighbours along an axis: one number, which is weak, or a 0-d array, or what the places of all tell.
type distances struct {
	number float64
	array  Array // the zero Array for a number
}

// spacedBy sorts a distance; nil is 1.
func spacedBy(what string, spacing any) (distances, error) {
	switch x := spacing.(type) {
	case nil:
		return distances{number: 1}, nil
	case Array:
		return distances{array: x}, x.Err()
	}
	f, _, _, ok := number(spacing)
	if !ok {
		return distances{}, fmt.Errorf("ndarray: %s: spacing: got %T, want an Array or a Go number", what, spacing)
	}
	return distances{number: f}, nil
}

// isPlaces reports whether s are places and not one distance.
func (s distances) isPlaces() bool { return s.array.n != nil && s.array.Rank() > 0 }

// times returns the one distance, multiplied.
func (s distances) times(c float64) any {
	if s.array.n == nil {
		return s.number * c
	}
	return s.array.Mul(c)
}

// over returns c divided by the one distance.
func (s distances) over(c float64) any {
	if s.array.n == nil {
		return c / s.number
	}
	return Apply("divide", c, s.array)
}

// Gradient returns the slopes along an axis by differences of neighbours on both sides, at the ends by those of edgeOrder, 1 or 2.
// spacing is the distance of neighbours, a Go number (nil is 1) or a 0-d Array, or the vector of their places. DType: floats and complex numbers stay,
// others are float64.
//
// Axes of edgeOrder or fewer elements and places of another length are errors.
func (a Array) Gradient(axis int, spacing any, edgeOrder int64) Array {
	if a.Err() != nil {
		return a
	}
	h, err := spacedBy("gradient", spacing)
	if err != nil {
		return Failed(err, string(here()))
	}
	k, err := axisOf(axis, a.Rank())
	if err != nil {
		return failf("ndarray: gradient: shape %v: %w", a.Shape(), err)
	}
	n := a.Shape()[k]
	switch {
	case edgeOrder != 1 && edgeOrder != 2:
		return failf("ndarray: gradient: edge_order: got %d, want 1 or 2", edgeOrder)
	case n < edgeOrder+1:
		return failf("ndarray: gradient: axis %d has length %d, want at least %d for edge_order %d: %w", axis, n, edgeOrder+1, edgeOrder, chunk.ErrShape)
	case h.isPlaces() && (h.array.Rank() > 1 || h.array.Shape()[0] != n):
		return failf("ndarray: gradient: spacing along axis %d: got shape %v, want a number or %d places: %w", axis, h.array.Shape(), n, chunk.ErrShape)
	}
	dt := a.DType()
	if !dt.IsFloat() && !dt.IsComplex() {
		dt = dtype.Float64
		a = a.AsType(dt)
	}
	if h.isPlaces() {
		h = h.evened()
	}
	first, last := a.endSlopes(k, h, edgeOrder)
	if n == 2 {
		return Concat(k, first, last).AsType(dt)
	}
	left, mid, right := a.between(k, 0, -2), a.between(k, 1, -1), a.between(k, 2, 0)
	if !h.isPlaces() {
		return Concat(k, first, right.Sub(left).Div(h.times(2)), last).AsType(dt)
	}
	gap := h.array.between(0, 1, 0).Sub(h.array.between(0, 0, -1))
	x, y := gap.between(0, 0, -1), gap.between(0, 1, 0)
	wa := y.Neg().Div(x.Mul(x.Add(y))).along(k, a.Rank())
	wb := y.Sub(x).Div(x.Mul(y)).along(k, a.Rank())
	wc := x.Div(y.Mul(x.Add(y))).along(k, a.Rank())
	return Concat(k, first, wa.Mul(left).Add(wb.Mul(mid)).Add(wc.Mul(right)), last).AsType(dt)
}

// evened returns places as floats, or their one distance where it is known to be one: NumPy then rounds otherwise.
func (s distances) evened() distances {
	if s.array.DType().IsInteger() || s.array.DType() == dtype.Bool {
		s.array = s.array.AsType(dtype.Float64)
	}
	x, ok := HostFloats(s.array)
	for i := range x {
		ok = ok && (i < 2 || x[i]-x[i-1] == x[1]-x[0])
	}
	if !ok {
		return s
	}
	return distances{array: s.array.Index(At(1)).Sub(s.array.Index(At(0)))}
}

// endSlopes returns the slopes at the first and at the last position of axis k.
func (a Array) endSlopes(k int, s distances, order int64) (first, last Array) {
	h := func(i int64) any {
		switch {
		case !s.isPlaces():
			return s.times(1)
		case i < 0:
			return s.array.Index(At(i)).Sub(s.array.Index(At(i - 1)))
		}
		return s.array.Index(At(i + 1)).Sub(s.array.Index(At(i)))
	}
	one := func(i int64) Array { return a.between(k, i, i+1) }
	if order == 1 {
		return one(1).Sub(one(0)).Div(h(0)), one(-1).Sub(one(-2)).Div(h(-1))
	}
	if !s.isPlaces() {
		at := func(c0, c1, c2 float64, p int64) Array {
			return one(p).Mul(s.over(c0)).Add(one(p + 1).Mul(s.over(c1))).Add(one(p + 2).Mul(s.over(c2)))
		}
		return at(-1.5, 2, -0.5, 0), at(0.5, -2, 1.5, -3)
	}
	x, y := h(0).(Array), h(1).(Array)
	sum := x.Add(y)
	wa := x.Mul(2.0).Add(y).Neg().Div(x.Mul(sum))
	wb := sum.Div(x.Mul(y))
	wc := x.Neg().Div(y.Mul(sum))
	first = wa.Mul(one(0)).Add(wb.Mul(one(1))).Add(wc.Mul(one(2)))
	x, y = h(-2).(Array), h(-1).(Array)
	sum = x.Add(y)
	wa = y.Div(x.Mul(sum))
	wb = sum.Neg().Div(x.Mul(y))
	wc = y.Mul(2.0).Add(x).Div(y.Mul(sum))
	return first, wa.Mul(one(-3)).Add(wb.Mul(one(-2))).Add(wc.Mul(one(-1)))
}

// Trapezoid returns the integral along an axis by the trapezoidal rule. spacing is the distance of neighbours, a Go number (nil is 1) or a 0-d Array,
// or their places: a vector, or an array of a's shape. Integers and bool give float64.
func (a Array) Trapezoid(axis int, spacing any) Array {
	d, k := a.trapezoids("trapezoid", axis, spacing)
	if d.Err() != nil {
		return d
	}
	return d.Sum(k)
}

// trapezoids returns the areas between neighbours along an axis, and the axis counted from the front.
func (a Array) trapezoids(what string, axis int, spacing any) (Array, int) {
	if a.Err() != nil {
		return a, 0
	}
	h, err := spacedBy(what, spacing)
	if err != nil {
		return Failed(err, string(here())), 0
	}
	k, err := axisOf(axis, a.Rank())
	if err != nil {
		return failf("ndarray: %s: shape %v: %w", what, a.Shape(), err), 0
	}
	n := a.Shape()[k]
	if n < 0 {
		return failf("%w", errUnknown(what, a.Shape())), 0
	}
	width := h.times(1)
	if h.isPlaces() {
		x := h.array
		switch {
		case x.Rank() == 1 && x.Shape()[0] == n:
			x = x.along(k, a.Rank())
		case !x.Shape().Equal(a.Shape()):
			return failf("ndarray: %s: places along axis %d: got shape %v, want [%d] or %v: %w", what, axis, x.Shape(), n, a.Shape(), chunk.ErrShape), 0
		}
		axis := k + x.Rank() - a.Rank()
		width = x.between(axis, min(1, n), n).Sub(x.between(axis, 0, -1))
	}
	return Apply("multiply", width, a.between(k, min(1, n), n).Add(a.between(k, 0, -1))).Div(2.0), k
}
