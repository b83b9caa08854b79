// SPDX-License-Identifier: BSD-3-Clause

package linalg

import (
	"context"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu/lapack"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// failed returns an array that carries an error of a function.
func failed(fn, format string, args ...any) ndarray.Array {
	return ndarray.Failed(fmt.Errorf("linalg: "+fn+": "+format, args...), "")
}

// matrices are the matrices of an array: m by n along the last two axes, of a dtype that routines compute.
type matrices struct {
	ndarray.Array
	m, n int64
}

// mostElements bounds the elements of a matrix: LAPACK counts them in int.
const mostElements = 1 << 40

// matricesOf checks an operand. Where it cannot be one, the array carries an error.
func matricesOf(fn string, a ndarray.Array) matrices {
	if a.Err() != nil {
		return matrices{Array: a}
	}
	if a.Rank() < 2 {
		return matrices{Array: failed(fn, "operand: got shape %v, want two axes at least: %w", a.Shape(), chunk.ErrShape)}
	}
	a = working(fn, a)
	if a.Err() != nil {
		return matrices{Array: a}
	}
	s := a.Shape()
	m, n := s[len(s)-2], s[len(s)-1]
	if m > 0 && n > mostElements/m {
		return matrices{Array: failed(fn, "operand: a matrix of %d by %d has more than %d elements: %w", m, n, int64(mostElements), chunk.ErrShape)}
	}
	return matrices{a, m, n}
}

// working returns an operand in the dtype it is computed in.
func working(fn string, a ndarray.Array) ndarray.Array {
	d := a.DType()
	switch {
	case slices.ContainsFunc(a.Shape(), func(n int64) bool { return n < 0 }):
		return failed(fn, "operand: shape %v has a length that is known after a run only; compute what it depends on first: %w", a.Shape(), chunk.ErrShape)
	case d == dtype.Float16 || d == dtype.BFloat16 || !d.IsNumeric():
		return failed(fn, "operand: got %v, want float32, float64, complex numbers or integers; cast with astype: %w", d, dtype.ErrPromote)
	case d.IsFloat() || d.IsComplex():
		return a
	}
	return a.AsType(dtype.Float64)
}

// squares is matricesOf for square ones.
func squares(fn string, a ndarray.Array) matrices {
	x := matricesOf(fn, a)
	if x.Err() == nil && x.m != x.n {
		return matrices{Array: failed(fn, "operand: got shape %v, want square matrices in the last two axes: %w", a.Shape(), chunk.ErrShape)}
	}
	return x
}

// reals is matricesOf for those that are not complex.
func reals(fn string, x matrices, instead string) matrices {
	if x.Err() == nil && x.DType().IsComplex() {
		return matrices{Array: failed(fn, "operand: got %v, want real numbers: complex matrices are not decomposed into vectors%s: %w", x.DType(), instead, kernels.ErrUnsupported)}
	}
	return x
}

// batch returns the axes before those of the matrices.
func (x matrices) batch() chunk.Shape { return x.Shape()[:x.Rank()-2] }

// apply returns what a routine makes of the matrices of operands with equal axes before their last two: of dtype dt, with the axes core in the place of those two.
// options tell all that the routine depends on but shapes.
func apply[T lapack.Number](fn, options string, r *lapack.Routine[T], dt dtype.DType, core []int64, in ...matrices) ndarray.Array {
	batch := in[0].batch()
	rank := len(batch)
	g := in[0].Grid()
	lengths := map[int]int64{}
	var whole kernels.AxisSet
	grid := chunk.Grid{Shape: append(batch.Clone(), core...), Axes: append(slices.Clone(g.Axes[:rank]), make([]chunk.Axis, len(core))...)}
	for k, n := range core {
		lengths[rank+k] = n
		whole |= kernels.Axes(rank + k)
	}
	nodes := make([]*graph.Node, len(in))
	for i, x := range in {
		nodes[i] = x.WholeAlong([]int{rank, rank + 1}, mostWhole).Node()
	}
	arg := graph.OpaqueArg{
		Key:   fmt.Sprintf("linalg.%s %s %v", fn, options, core),
		Whole: whole,
		Need: func(i int, out chunk.Region) chunk.Region {
			need := chunk.Region{Lo: append(out.Lo[:rank:rank], 0, 0), Hi: append(out.Hi[:rank:rank], in[i].m, in[i].n)}
			return need
		},
		Scratch: func(chunk.Shape) int64 { return r.Room() },
		Run: func(ctx context.Context, c graph.OpaqueCall) error {
			return lapack.Each(ctx, r, c.At, len(core), c.Out, c.In, c.Device.Allocator())
		},
	}
	return ndarray.FromNode(graph.At("").Opaque(arg, dt, ndarray.WholeAxes(grid, int64(dt.Size()), lengths), nodes...))
}

// mostWhole bounds the bytes of what an operand that is itself made of whole lines is computed again for.
const mostWhole = 4 << 20

// parts cuts packed results, one after another along the last axis, into arrays whose axes core take that axis's place.
func parts(packed ndarray.Array, cores ...[]int64) []ndarray.Array {
	packed = packed.Once()
	out := make([]ndarray.Array, len(cores))
	at := int64(0)
	for i, core := range cores {
		size := chunk.Shape(core).Size()
		part := packed.Index(ndarray.Ellipsis(), ndarray.Span(at, at+size))
		if part.Err() == nil {
			batch := part.Shape()[:part.Rank()-1]
			part = part.Reshape(append(batch.Clone(), core...)...)
		}
		out[i] = part
		at += size
	}
	return out
}
