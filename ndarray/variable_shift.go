// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Shift returns v with its values moved by n positions along a dimension, towards its end where n is positive. Coordinates stay. What comes in is
// fill, or missing where fill is nil: integers of up to 16 bits then become float32, other integers and bool float64.
func (v Variable) Shift(dim string, n int64, fill any) Variable {
	if v.Err() != nil {
		return v
	}
	k := v.axis(dim)
	if k < 0 {
		return v.noDim("shift", dim)
	}
	a := v.array
	if fill == nil {
		if !a.DType().IsNumeric() {
			return v.fail("ndarray: shift: %s holds %v, which has no missing value; give fill_value", v.label(), a.DType())
		}
		a, fill = a.withMissing(), nan
	}
	size := a.Shape()[k]
	gap := min(max(n, -n), size)
	if gap == 0 {
		return v.WithArray(a)
	}
	shape := a.Shape().Clone()
	shape[k] = gap
	idx := slices.Repeat([]Index{All()}, k+1)
	idx[k] = Span(0, size-gap)
	if n < 0 {
		idx[k] = Span(gap, size)
	}
	parts := []Array{Full(shape, fill, a.DType()), a.Index(idx...)}
	if n < 0 {
		slices.Reverse(parts)
	}
	return v.WithArray(Concat(k, parts...))
}

// Roll returns v with its values moved by n positions along a dimension; what leaves at one end comes in at the other. Coordinates
// stay, or go with the values.
func (v Variable) Roll(dim string, n int64, coords bool) Variable {
	if v.Err() != nil {
		return v
	}
	k := v.axis(dim)
	if k < 0 {
		return v.noDim("roll", dim)
	}
	out := v.WithArray(v.array.Roll(n, k))
	size := v.Shape()[k]
	if !coords || size == 0 {
		return out
	}
	ids := make([]int64, size)
	for i := range ids {
		ids[i] = ((int64(i)-n)%size + size) % size
	}
	out.coords = make([]*Coord, len(v.coords))
	for i, c := range v.coords {
		out.coords[i] = c.take(dim, ids)
	}
	return out
}

// Diff returns the differences of neighbours along a dimension, taken n times. The labels are those of the later neighbour; with lower
// the first difference has those of the earlier one, as in xarray. Differences of bool are whether they differ.
func (v Variable) Diff(dim string, n int64, lower bool) Variable {
	if v.Err() != nil {
		return v
	}
	k := v.axis(dim)
	if k < 0 {
		return v.noDim("diff", dim)
	}
	size := v.Shape()[k]
	if n < 0 || n > size || n > 64 {
		return v.fail("ndarray: diff: n: got %d for dimension %q of length %d, want 0 to %d", n, dim, size, min(size, 64))
	}
	op := "subtract"
	if v.DType() == dtype.Bool {
		op = "not_equal"
	}
	a := v.array
	for range n {
		hi, lo := slices.Repeat([]Index{All()}, k+1), slices.Repeat([]Index{All()}, k+1)
		m := a.Shape()[k]
		hi[k], lo[k] = Span(min(1, m), m), Span(0, max(m-1, 0))
		a = Apply(op, a.Index(hi...), a.Index(lo...))
		if a.Err() != nil {
			return v.failed(a)
		}
	}
	from := n
	if lower && n > 0 {
		from--
	}
	ids := make([]int64, size-n)
	for i := range ids {
		ids[i] = from + int64(i)
	}
	out := v.WithArray(a)
	out.coords = make([]*Coord, len(v.coords))
	for i, c := range v.coords {
		out.coords[i] = c.take(dim, ids)
	}
	return out
}
