// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Selector says which labels of a dimension Sel picks; Label, AnyLabel, Between and Nearest make them.
type Selector struct {
	dim       string
	kind      selectorKind
	values    []any // labels: Go numbers or strings; Between: two, nil for open
	nearest   bool
	tolerance float64 // < 0: none
}

type selectorKind uint8

const (
	selectOne selectorKind = iota
	selectList
	selectBetween
)

// Label selects the position whose label is value, a number or a string, and drops the dimension. A string on a time is a
// date: one that is coarser than the axis (a month of days) keeps the dimension and every step inside.
func Label(dim string, value any) Selector {
	return Selector{dim: dim, values: []any{value}, tolerance: -1}
}

// AnyLabel selects the positions of the values, in their order.
func AnyLabel(dim string, values ...any) Selector {
	return Selector{dim: dim, kind: selectList, values: values, tolerance: -1}
}

// Between selects what lies between two labels, both included; nil leaves an end open. On a
// longitude, lo > hi and bounds outside its range go around the globe; dates as coarse as "2001" include all of their last period.
func Between(dim string, lo, hi any) Selector {
	return Selector{dim: dim, kind: selectBetween, values: []any{lo, hi}, tolerance: -1}
}

// Nearest selects the position whose label is nearest to value and drops the dimension; tolerance, when
// given, bounds the distance in the coordinate's units.
func Nearest(dim string, value any, tolerance ...float64) Selector {
	s := Selector{dim: dim, values: []any{value}, nearest: true, tolerance: -1}
	if len(tolerance) > 0 {
		s.tolerance = tolerance[0]
	}
	return s
}

// WithNearest returns s picking the nearest labels, within tolerance unless that is negative.
func (s Selector) WithNearest(tolerance float64) Selector {
	s.nearest, s.tolerance = true, tolerance
	return s
}

// Sel returns the part of v whose labels the selectors pick. A dimension picked by one label is dropped;
// its label stays as a scalar coordinate. A label that is not there and an empty result are errors.
func (v Variable) Sel(sel ...Selector) Variable {
	for _, s := range sel {
		if v.Err() != nil {
			return v
		}
		ids, drop, err := v.resolve(s)
		if err != nil {
			return v.failed(Failed(err, string(here())))
		}
		if drop {
			v = v.at(s.dim, ids[0])
		} else {
			v = v.take(s.dim, ids)
		}
	}
	return v
}

// resolve returns the positions a selector picks, and whether the dimension goes.
func (v Variable) resolve(s Selector) (ids []int64, drop bool, err error) {
	n := v.dimLen(s.dim)
	c := v.CoordOf(s.dim)
	if n < 0 {
		if c != nil && len(c.dims) == 0 {
			return nil, false, fmt.Errorf("ndarray: sel: %q is a scalar in %s already", s.dim, v.label())
		}
		return nil, false, fmt.Errorf("ndarray: sel: %s has no dimension %q; it has %s", v.label(), s.dim, quoted(v.dims))
	}
	if c, err = c.held(); err != nil {
		return nil, false, fmt.Errorf("ndarray: sel: read the labels of %q: %w", s.dim, err)
	}
	if c == nil || c.host == nil {
		if n > defaultBudget/labelShare/8 {
			return nil, false, fmt.Errorf("ndarray: sel: dimension %q of length %d has no labels to select by; select by position with isel: %w", s.dim, n, ErrLabels)
		}
		c = newCoord(s.dim, []string{s.dim}, nil, positions(n))
	}
	switch s.kind {
	case selectBetween:
		ids, err = c.between(s.values[0], s.values[1])
	case selectList:
		for _, x := range s.values {
			found, _, err := c.find(x, s)
			if err != nil {
				return nil, false, err
			}
			ids = append(ids, found...)
		}
	default:
		ids, drop, err = c.find(s.values[0], s)
	}
	if err == nil && len(ids) == 0 {
		err = fmt.Errorf("ndarray: sel: no label of %q is selected: it has %s", s.dim, c.extent())
	}
	return ids, drop, err
}

// extent describes the labels of a coordinate for messages.
func (c *Coord) extent() string {
	n := c.host.Len()
	switch n {
	case 0:
		return "no labels"
	case 1:
		return "the label " + c.text(0)
	}
	return fmt.Sprintf("%d labels from %s to %s", n, c.text(0), c.text(n-1))
}

// find returns the positions with a label; one says that the label picks a single position.
func (c *Coord) find(value any, s Selector) (ids []int64, one bool, err error) {
	if text, ok := value.(string); ok {
		if c.host.Str == nil {
			return c.findTime(text, s)
		}
		for i, x := range c.host.Str {
			if x == text {
				ids = append(ids, int64(i))
			}
		}
		if len(ids) == 0 {
			return nil, false, fmt.Errorf("ndarray: sel: %q has no label %q; it has %s", c.name, text, c.extent())
		}
		return ids, len(ids) == 1, nil
	}
	x, ok := numberOf(value)
	if !ok || c.host.Str != nil {
		return nil, false, fmt.Errorf("ndarray: sel: %v is not a label of %q, which has %s", value, c.name, c.extent())
	}
	if s.nearest {
		return c.findNearest(x, s)
	}
	y := c.cast(x)
	for i := range c.host.Len() {
		if c.host.Number(i) == y {
			ids = append(ids, int64(i))
		}
	}
	if len(ids) == 0 {
		return nil, false, fmt.Errorf("ndarray: sel: %q has no label %v; it has %s; method='nearest' picks the nearest", c.name, value, c.extent())
	}
	return ids, len(ids) == 1, nil
}

// findNearest returns the position nearest to x; of two as near the larger label, as pandas does.
func (c *Coord) findNearest(x float64, s Selector) ([]int64, bool, error) {
	best, at := math.Inf(1), -1
	for i := range c.host.Len() {
		y := c.host.Number(i)
		d := math.Abs(y - x)
		if d < best || d == best && at >= 0 && y > c.host.Number(at) {
			best, at = d, i
		}
	}
	if at < 0 || s.tolerance >= 0 && best > s.tolerance {
		return nil, false, fmt.Errorf("ndarray: sel: no label of %q lies within %v of %v; it has %s", c.name, s.tolerance, x, c.extent())
	}
	return []int64{int64(at)}, true, nil
}

// cast rounds a label to the coordinate's dtype; integers keep a fraction, which then matches nothing.
func (c *Coord) cast(x float64) float64 {
	switch c.host.DType {
	case dtype.Float32:
		return float64(float32(x))
	}
	return x
}

// numberOf returns a Go number as a float64.
func numberOf(v any) (float64, bool) {
	switch x := v.(type) {
	case int:
		return float64(x), true
	case int8:
		return float64(x), true
	case int16:
		return float64(x), true
	case int32:
		return float64(x), true
	case int64:
		return float64(x), true
	case uint8:
		return float64(x), true
	case uint16:
		return float64(x), true
	case uint32:
		return float64(x), true
	case uint64:
		return float64(x), true
	case float32:
		return float64(x), true
	case float64:
		return x, true
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// between returns the positions of the labels from lo to hi, in the coordinate's order.
func (c *Coord) between(lo, hi any) ([]int64, error) {
	_, loText := lo.(string)
	_, hiText := hi.(string)
	if (loText || hiText) && c.host.Str == nil {
		return c.betweenTimes(lo, hi)
	}
	if c.host.Str != nil {
		return c.betweenTexts(lo, hi)
	}
	a, b := math.Inf(-1), math.Inf(1)
	var ok bool
	if lo != nil {
		if a, ok = numberOf(lo); !ok {
			return nil, fmt.Errorf("ndarray: sel: %v is not a label of %q, which has %s", lo, c.name, c.extent())
		}
		a = c.cast(a)
	}
	if hi != nil {
		if b, ok = numberOf(hi); !ok {
			return nil, fmt.Errorf("ndarray: sel: %v is not a label of %q, which has %s", hi, c.name, c.extent())
		}
		b = c.cast(b)
	}
	n := c.host.Len()
	down := n > 1 && c.host.Number(0) > c.host.Number(n-1)
	if lo != nil && hi != nil && c.isLongitude() {
		if ids := c.around(a, b, down); ids != nil {
			return ids, nil
		}
	}
	if down && a > b {
		a, b = b, a
	} else if down && (lo == nil || hi == nil) && !(lo == nil && hi == nil) {
		// slice(10, None) on descending labels goes on to the smaller ones, as pandas does.
		if lo != nil {
			a, b = math.Inf(-1), a
		} else {
			a, b = b, math.Inf(1)
		}
	}
	var ids []int64
	for i := range n {
		if y := c.host.Number(i); y >= a && y <= b {
			ids = append(ids, int64(i))
		}
	}
	return ids, nil
}

// around returns the positions of the longitudes from lo eastward to hi, or nil where that is an
// ordinary range.
func (c *Coord) around(lo, hi float64, down bool) []int64 {
	least, most := math.Inf(1), math.Inf(-1)
	n := c.host.Len()
	for i := range n {
		y := c.host.Number(i)
		least, most = min(least, y), max(most, y)
	}
	if lo <= hi && lo >= least && hi <= most || down && lo > hi && hi >= least && lo <= most {
		return nil
	}
	span := hi - lo
	if span < 0 {
		span += 360 * math.Ceil(-span/360)
	}
	type at struct {
		id  int64
		key float64
	}
	var in []at
	for i := range n {
		y := c.host.Number(i)
		key := math.Mod(y-lo, 360)
		if key < 0 {
			key += 360
		}
		if span >= 360 || key <= span || key-360 == 0 {
			in = append(in, at{int64(i), key})
		}
	}
	slices.SortStableFunc(in, func(x, y at) int {
		switch {
		case x.key < y.key != down && x.key != y.key:
			return -1
		case x.key != y.key:
			return 1
		}
		return 0
	})
	ids := make([]int64, len(in))
	for i, x := range in {
		ids[i] = x.id
	}
	return ids
}

// betweenTexts returns the positions from the first label lo to the last label hi.
func (c *Coord) betweenTexts(lo, hi any) ([]int64, error) {
	from, to := 0, c.host.Len()-1
	for _, end := range []struct {
		label any
		last  bool
		at    *int
	}{{lo, false, &from}, {hi, true, &to}} {
		if end.label == nil {
			continue
		}
		text, ok := end.label.(string)
		at := -1
		for i, x := range c.host.Str {
			if ok && x == text && (at < 0 || end.last) {
				at = i
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("ndarray: sel: %q has no label %v; it has %s", c.name, end.label, c.extent())
		}
		*end.at = at
	}
	var ids []int64
	for i := from; i <= to; i++ {
		ids = append(ids, int64(i))
	}
	return ids, nil
}

// Range is a part of a dimension by position: from Lo up to but not including Hi, in steps of Step (0 is 1); nil is
// open and negative positions count from the end, as in Python.
type Range struct {
	Lo, Hi *int64
	Step   int64
}

// ISel returns the part of v at positions of a dimension: an int or int64, which drops the
// dimension and keeps its label as a scalar coordinate, a []int64, a []int or a Range. Negative positions count from the end.
func (v Variable) ISel(dim string, at any) Variable {
	if v.Err() != nil {
		return v
	}
	n := v.dimLen(dim)
	if n < 0 {
		return v.noDim("isel", dim)
	}
	norm := func(i int64) (int64, bool) {
		if i < 0 {
			i += n
		}
		return i, i >= 0 && i < n
	}
	switch x := at.(type) {
	case int:
		return v.ISel(dim, int64(x))
	case int64:
		i, ok := norm(x)
		if !ok {
			return v.fail("ndarray: isel: position %d is outside %q of length %d", x, dim, n)
		}
		return v.at(dim, i)
	case []int:
		return v.ISel(dim, convert(x, func(i int) int64 { return int64(i) }))
	case []int64:
		ids := make([]int64, len(x))
		for k, i := range x {
			j, ok := norm(i)
			if !ok {
				return v.fail("ndarray: isel: position %d is outside %q of length %d", i, dim, n)
			}
			ids[k] = j
		}
		return v.take(dim, ids)
	case Range:
		ids := x.Positions(n)
		if len(ids) == 0 {
			return v.fail("ndarray: isel: the slice selects nothing of %q, which has length %d", dim, n)
		}
		return v.take(dim, ids)
	}
	return v.fail("ndarray: isel: %v of type %T is not a position of %q: want an int, a []int64 or a Range", at, at, dim)
}

// Positions returns the positions of a Range on an axis of length n, as Python's slice.indices does.
func (r Range) Positions(n int64) []int64 {
	step := r.Step
	if step == 0 {
		step = 1
	}
	clamp := func(p *int64, def, lo, hi int64) int64 {
		if p == nil {
			return def
		}
		x := *p
		if x < 0 {
			x += n
		}
		return max(lo, min(x, hi))
	}
	ids := []int64{}
	if step > 0 {
		for i, hi := clamp(r.Lo, 0, 0, n), clamp(r.Hi, n, 0, n); i < hi; i += step {
			ids = append(ids, i)
		}
		return ids
	}
	for i, hi := clamp(r.Lo, n-1, -1, n-1), clamp(r.Hi, -1, -1, n-1); i > hi; i += step {
		ids = append(ids, i)
	}
	return ids
}

// take returns v at positions along dim; -1 is missing.
func (v Variable) take(dim string, ids []int64) Variable {
	out := v
	axis := v.axis(dim)
	a := v.array
	if slices.Contains(ids, -1) && !v.DType().IsFloat() && !v.DType().IsComplex() && v.DType().IsNumeric() {
		a = a.AsType(dtype.Float64) // integers have no missing value
	}
	out.array = a.TakeAlong(axis, ids)
	out.host = nil
	if v.host != nil {
		out.host = v.host.Take(axis, ids)
	}
	out.coords = make([]*Coord, len(v.coords))
	for i, c := range v.coords {
		out.coords[i] = c.take(dim, ids)
	}
	return out
}

// at returns v at one position along dim, which it loses.
func (v Variable) at(dim string, i int64) Variable {
	out := v
	axis := v.axis(dim)
	idx := make([]Index, axis+1)
	for k := range axis {
		idx[k] = All()
	}
	idx[axis] = At(i)
	out.array = v.array.Index(idx...)
	out.dims = without(v.dims, dim)
	out.unlimited = without(v.unlimited, dim)
	out.host = nil
	if v.host != nil {
		out.host = v.host.at(axis, i)
	}
	out.coords = make([]*Coord, len(v.coords))
	for k, c := range v.coords {
		out.coords[k] = c.at(dim, i)
	}
	return out
}
