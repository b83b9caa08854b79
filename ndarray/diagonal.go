// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Diagonal returns the elements whose position on axis j is that on axis i plus offset. Both axes go; the diagonal is the last
// axis. Chunks off the diagonal are not read.
//
// i and j outside the rank or equal are errors.
func (a Array) Diagonal(offset int64, i, j int) Array {
	if a.Err() != nil {
		return a
	}
	x, y, err := a.plane(i, j)
	if err != nil {
		return failf("ndarray: diagonal: %w", err)
	}
	for k := range a.Shape() {
		if a.Shape()[k] < 0 {
			return failf("%w", errUnknown("diagonal", a.Shape()))
		}
	}
	// The two axes last, cut to where the diagonal runs.
	a = a.MoveAxis(x, -1)
	if y > x {
		y--
	}
	a = a.MoveAxis(y, -1)
	last := a.Rank() - 1
	n, m := a.Shape()[last-1], a.Shape()[last]
	lo, hi := min(max(-offset, 0), n), min(max(offset, 0), m)
	length := min(n-lo, m-hi)
	a = a.Index(Ellipsis(), Span(lo, lo+length), Span(hi, hi+length))
	if length == 0 {
		return a.Index(Ellipsis(), All(), Span(0, 0)).Reshape(append(a.Shape()[:last-1:last-1], 0)...)
	}
	g := a.Grid()
	step := min(max(g.Axes[last-1].Max(), 1), max(g.Axes[last].Max(), 1))
	axes := append(g.Axes[:last-1:last-1], chunk.Axis{Len: length, Step: step})
	arg := graph.OpaqueArg{
		Key:  fmt.Sprintf("diagonal %v", a.Shape()),
		Near: max(step, 4),
		Need: func(_ int, at chunk.Region) chunk.Region {
			r := at.Clone()
			r.Lo, r.Hi = append(r.Lo, at.Lo[last-1]), append(r.Hi, at.Hi[last-1])
			return r
		},
		Scratch: func(chunk.Shape) int64 { return 0 },
		Run: func(_ context.Context, call graph.OpaqueCall) error {
			out, in := call.Out, call.In
			c := *in[0]
			c.Shape = out.Shape
			c.Strides = append(c.Strides[:last-1:last-1], c.Strides[last-1]+c.Strides[last])
			formats.CopyElems(out, &c)
			return nil
		},
	}
	shape := append(a.Shape()[:last-1:last-1], length)
	return Array{here().Opaque(arg, a.DType(), chunk.Grid{Shape: shape, Axes: axes}, a.Node())}
}

// Trace returns the sum of Diagonal. DType: that of Sum.
func (a Array) Trace(offset int64, i, j int) Array {
	d := a.Diagonal(offset, i, j)
	return d.Sum(-1)
}

// Diag returns the matrix with the vector a on diagonal k and zeros elsewhere, or diagonal k of the matrix a. Other ranks are errors.
func (a Array) Diag(k int64) Array {
	if a.Err() != nil {
		return a
	}
	switch a.Rank() {
	case 2:
		return a.Diagonal(k, 0, 1)
	case 1:
	default:
		return failf("ndarray: diag: got shape %v, want one or two axes: %w", a.Shape(), chunk.ErrShape)
	}
	n := a.Shape()[0]
	if n < 0 {
		return failf("%w", errUnknown("diag", a.Shape()))
	}
	size := n + max(k, -k)
	if e, ok := checkShape("diag", chunk.Shape{size, size}); !ok || size < n {
		return e
	}
	gap := Zeros(chunk.Shape{size - n}, a.DType())
	line := Concat(0, a, gap)
	rows, cols := IndexOf(chunk.Shape{size, 1}, 0), IndexOf(chunk.Shape{1, size}, 1)
	if k >= 0 {
		line = line.ExpandDims(1)
	}
	return Where(rows.Add(k).Equal(cols), line, a.zero())
}

// zero returns 0 of a's dtype.
func (a Array) zero() Array { return Zeros(chunk.Shape{}, a.DType()) }

// Tri returns the n by m array of dt with ones at and below diagonal k and zeros above; m < 0 means n, dtype.Invalid float64.
func Tri(n, m, k int64, dt dtype.DType, opts ...Option) Array {
	grid, dt, e, ok := matrixGrid("tri", n, m, dt, opts)
	if !ok {
		return e
	}
	return lowerTriangle(grid.Shape[0], grid.Shape[1], k).AsType(dt).onGrid(grid)
}

// lowerTriangle returns where a position of an n by m matrix lies at or below diagonal k.
func lowerTriangle(n, m, k int64) Array {
	k = min(max(k, -n-1), m) // what lies further off is the same
	return IndexOf(chunk.Shape{n, 1}, 0).Add(k).GreaterEqual(IndexOf(chunk.Shape{1, m}, 1))
}

// TriL returns a with 0 above diagonal k of its last two axes. A vector is repeated to a square first.
func (a Array) TriL(k int64) Array { return a.triangle(k, false) }

// TriU returns a with 0 below diagonal k of its last two axes. A vector is repeated to a square first.
func (a Array) TriU(k int64) Array { return a.triangle(k-1, true) }

// triangle keeps what lies at or below diagonal k, or above it.
func (a Array) triangle(k int64, above bool) Array {
	if a.Err() != nil {
		return a
	}
	shape := a.Shape()
	if len(shape) == 0 {
		return failf("ndarray: triangle: got a 0-d array, want two axes or more: %w", chunk.ErrShape)
	}
	for _, n := range shape {
		if n < 0 {
			return failf("%w", errUnknown("triangle", shape))
		}
	}
	keep := lowerTriangle(shape[max(len(shape)-2, 0)], shape[len(shape)-1], k)
	if above {
		return Where(keep, a.zero(), a)
	}
	return Where(keep, a, a.zero())
}
