// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// padModes are what may stand beyond the ends of an axis.
var padModes = []string{"constant", "edge", "reflect", "symmetric", "wrap"}

// PadOptions say what stands in the new places. The zero value is zeros.
type PadOptions struct {
	// Mode is "constant" (the default): Values; "edge": the first and the last element; "reflect": the elements mirrored at the first
	// and the last one; "symmetric": mirrored at the ends, so that the first and the last one repeat; "wrap": those from the other end.
	Mode string
	// Values are the numbers before and behind each axis, for "constant"; nil is 0. They become a's dtype as a cast does.
	Values [][2]any
}

// Pad returns a with widths[i][0] elements before and widths[i][1] behind axis i, which are as o says. Nothing but chunks is held: padded arrays may be
// larger than memory. The dtype stays.
//
// Another number of widths than axes, widths below 0 and an axis without elements to repeat are errors.
func (a Array) Pad(widths [][2]int64, o PadOptions) Array {
	if a.Err() != nil {
		return a
	}
	if o.Mode == "" {
		o.Mode = "constant"
	}
	switch {
	case !slices.Contains(padModes, o.Mode):
		return failf("ndarray: pad: mode: got %q, want %s", o.Mode, strings.Join(padModes, ", "))
	case len(widths) != a.Rank():
		return failf("ndarray: pad: got widths of %d axes for shape %v: want as many: %w", len(widths), a.Shape(), chunk.ErrShape)
	case o.Values != nil && len(o.Values) != a.Rank():
		return failf("ndarray: pad: got values of %d axes for shape %v: want as many: %w", len(o.Values), a.Shape(), chunk.ErrShape)
	}
	size := a.Shape().Clone()
	for k, w := range widths {
		switch {
		case w[0] < 0 || w[1] < 0:
			return failf("ndarray: pad: axis %d: got widths %d and %d, want 0 or more", k, w[0], w[1])
		case size[k] < 0:
			return failf("%w", errUnknown("pad", size))
		case size[k] == 0 && o.Mode != "constant" && (w[0] > 0 || w[1] > 0):
			return failf("ndarray: pad: axis %d has no elements to repeat: want mode \"constant\": %w", k, chunk.ErrShape)
		}
		total := size[k] + w[0]
		if total < 0 || total+w[1] < 0 {
			return failf("ndarray: pad: axis %d: widths %d and %d are more than 63 bits count: %w", k, w[0], w[1], chunk.ErrShape)
		}
		size[k] = total + w[1]
	}
	if e, ok := checkShape("pad", size); !ok {
		return e
	}
	for k, w := range widths {
		if w == [2]int64{} || a.Err() != nil {
			continue
		}
		if o.Mode == "constant" {
			a = a.padConstant(k, w, o.Values)
			continue
		}
		a = a.padRepeated(k, w, o.Mode)
	}
	return a
}

// padConstant puts numbers before and behind axis k.
func (a Array) padConstant(k int, w [2]int64, values [][2]any) Array {
	gap := func(end int) Array {
		shape := a.Shape().Clone()
		shape[k] = w[end]
		v := any(0)
		if values != nil {
			v = values[k][end]
		}
		if c, ok := v.(complex128); ok {
			return Scalar(c).AsType(a.DType()).BroadcastTo(shape...)
		}
		return Full(shape, v, a.DType()).onGrid(a.gridWith(k, w[end]))
	}
	return Concat(k, gap(0), a, gap(1))
}

// gridWith returns a's grid with axis k of another length: what is joined to a along k has chunks no larger than a's.
func (a Array) gridWith(k int, n int64) chunk.Grid {
	g := a.Grid()
	out := chunk.Grid{Shape: g.Shape.Clone(), Axes: slices.Clone(g.Axes)}
	out.Shape[k] = n
	out.Axes[k] = chunk.Axis{Len: n, Step: max(min(g.Axes[k].Max(), n), 1)}
	return out
}

// padRepeated puts elements of the axis before and behind it: all that modes but "constant" do is to continue the axis in periods.
func (a Array) padRepeated(k int, w [2]int64, mode string) Array {
	n := a.Shape()[k]
	part := func(x Array, lo, hi int64) Array {
		idx := slices.Repeat([]Index{All()}, k+1)
		idx[k] = Span(lo, hi)
		return x.Index(idx...)
	}
	if mode == "edge" {
		repeated := func(at, times int64) Array {
			shape := a.Shape().Clone()
			shape[k] = times
			return part(a, at, at+1).BroadcastTo(shape...).onGrid(a.gridWith(k, times))
		}
		return Concat(k, repeated(0, w[0]), a, repeated(n-1, w[1]))
	}
	period := a
	switch mode {
	case "symmetric":
		period = Concat(k, a, a.Flip(k))
	case "reflect":
		period = Concat(k, a, part(a, 1, max(n-1, 1)).Flip(k))
	}
	p := period.Shape()[k]
	times := func(n int64) Array {
		reps := slices.Repeat([]int64{1}, a.Rank())
		reps[k] = (n + p - 1) / p
		return period.Tile(reps...)
	}
	before, behind := times(w[0]), times(n+w[1])
	size := before.Shape()[k]
	return Concat(k, part(before, size-w[0], size), a, part(behind, n, n+w[1]))
}

// Pad returns v with widths of places before and behind dimensions, as Array.Pad makes them. Where the mode is "constant" and o.Values is nil
// they are missing: integers of up to 16 bits become float32, other integers and bool float64. Coordinates of the dimension continue in the
// same mode; in "constant" theirs are missing. A dimension that v lacks is an error.
func (v Variable) Pad(widths map[string][2]int64, o PadOptions) Variable {
	if v.Err() != nil {
		return v
	}
	for d := range widths {
		if v.axis(d) < 0 {
			return v.noDim("pad", d)
		}
	}
	a := v.array
	if (o.Mode == "" || o.Mode == "constant") && o.Values == nil {
		if !a.DType().IsNumeric() {
			return v.fail("ndarray: pad: %s holds %v, which has no missing value; give constant_values", v.label(), a.DType())
		}
		a = a.withMissing()
		o.Values = slices.Repeat([][2]any{{nan, nan}}, a.Rank())
	}
	list := make([][2]int64, len(v.dims))
	for i, d := range v.dims {
		list[i] = widths[d]
	}
	out := v.WithArray(a.Pad(list, o))
	if out.Err() != nil {
		return out
	}
	out.coords = slices.Clone(v.coords)
	for i, c := range out.coords {
		for d, w := range widths {
			if k := slices.Index(c.dims, d); k >= 0 && w != [2]int64{} {
				c = c.padded(k, w, o.Mode)
			}
		}
		out.coords[i] = c
	}
	return out
}

// padded returns the coordinate with its axis k continued in a mode, with missing labels for "constant".
func (c *Coord) padded(k int, w [2]int64, mode string) *Coord {
	dim := c.dims[k]
	n := c.shape()[k]
	if mode == "" {
		mode = "constant"
	}
	ids := make([]int64, 0, w[0]+n+w[1])
	for i := -w[0]; i < n+w[1]; i++ {
		ids = append(ids, continued(i, n, mode))
	}
	if mode == "constant" {
		c = c.withMissing()
	}
	out := c.take(dim, ids)
	out.bounds = nil
	out.attrs = out.attrs.Without("bounds", "climatology")
	return out
}

// withMissing returns c in a dtype that has NaN.
func (c *Coord) withMissing() *Coord {
	if c.host == nil {
		return &Coord{name: c.name, dims: c.dims, attrs: c.attrs, array: c.array.withMissing(), load: c.loadThen((*Labels).withMissing)}
	}
	return newCoord(c.name, c.dims, c.attrs, c.host.withMissing())
}

// withMissing returns the labels as float64 where they are integers.
func (l *Labels) withMissing() *Labels {
	if l.Int == nil {
		return l
	}
	out := &Labels{DType: dtype.Float64, Shape: l.Shape, Float: make([]float64, l.Len())}
	for i := range out.Float {
		out.Float[i] = l.Number(i)
	}
	return out
}

// continued returns which of n positions stands at position i, which may lie beyond the ends; -1 for none.
func continued(i, n int64, mode string) int64 {
	if i >= 0 && i < n {
		return i
	}
	mod := func(i, p int64) int64 { return ((i % p) + p) % p }
	switch mode {
	case "edge":
		return min(max(i, 0), n-1)
	case "wrap":
		return mod(i, n)
	case "symmetric":
		i = mod(i, 2*n)
		return min(i, 2*n-1-i)
	case "reflect":
		p := max(2*n-2, 1)
		i = mod(i, p)
		return min(i, p-i)
	}
	return -1
}
