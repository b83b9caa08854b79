// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// FlatNonZero returns the positions (int64, in C order) of the elements that are not 0, of which NaN is one. Their number is known after a
// run.
func (a Array) FlatNonZero() Array {
	if a.Err() != nil {
		return a
	}
	return whenKnown("flatnonzero", []Array{a}, dtype.Int64, unknownAxis(), func(in []Array) Array {
		flat := in[0].Ravel()
		at := Array{here().Fill(flat.Grid(), kernels.Const{}, 0)}
		return at.Index(Mask(Apply("not_equal", flat, 0)))
	})
}

// NonZero returns, for each axis of a, the positions along it (int64) of the elements that are not 0, in C order. Their number is known after a run.
// A 0-d array is an error.
func (a Array) NonZero() []Array {
	if a.Err() != nil {
		return []Array{a}
	}
	if a.Rank() == 0 {
		return []Array{failf("ndarray: nonzero: got a 0-d array, want 1 axis or more; reshape it: %w", chunk.ErrShape)}
	}
	flat := a.FlatNonZero()
	out := make([]Array, a.Rank())
	for k := range out {
		out[k] = later(fmt.Sprintf("nonzero axis=%d", k), nil, []Array{flat, a}, dtype.Int64, unknownAxis(), func(in []Array, _ any) Array {
			return unravel(in[0], in[1].Shape(), k)
		})
	}
	return out
}

// unravel returns the positions along axis k of flat positions in shape.
func unravel(flat Array, shape chunk.Shape, k int) Array {
	stride := max(shape[k+1:].Size(), 1)
	if stride > 1 {
		flat = Apply("floor_divide", flat, stride)
	}
	if k > 0 {
		flat = Apply("remainder", flat, max(shape[k], 1))
	}
	return flat
}

// ArgWhere returns the positions (int64, one row for each) of the elements that are not 0, in C order. The number of rows is known after a run.
func (a Array) ArgWhere() Array {
	if a.Err() != nil {
		return a
	}
	rank := a.Rank()
	grid := chunk.Grid{Shape: chunk.Shape{-1, int64(rank)}, Axes: []chunk.Axis{{Len: -1, Step: 1}, {Len: int64(rank), Step: max(int64(rank), 1)}}}
	return later("argwhere", nil, []Array{a.FlatNonZero(), a}, dtype.Int64, grid, func(in []Array, _ any) Array {
		shape := in[1].Shape()
		if rank == 0 {
			return Zeros(chunk.Shape{in[0].Size(), 0}, dtype.Int64)
		}
		columns := make([]Array, rank)
		for k := range columns {
			columns[k] = unravel(in[0], shape, k)
		}
		return Stack(1, columns...)
	})
}

// ArrayEqual returns whether two arrays have one shape and equal elements: a 0-d bool. With equalNaN two NaN are equal.
func ArrayEqual(a, b Array, equalNaN bool) Array {
	for _, x := range []Array{a, b} {
		if x.Err() != nil {
			return x
		}
	}
	return whenKnown(fmt.Sprintf("array_equal nan=%v", equalNaN), []Array{a, b}, dtype.Bool, chunk.Grid{Shape: chunk.Shape{}}, func(in []Array) Array {
		a, b := in[0], in[1]
		if !a.Shape().Equal(b.Shape()) {
			return Scalar(false)
		}
		same := Apply("equal", a, b)
		if equalNaN {
			same = Apply("logical_or", same, Apply("logical_and", Apply("not_equal", a, a), Apply("not_equal", b, b)))
		}
		return same.All()
	})
}

// TakeAlongAxis returns the elements of a at the positions ids along axis: of each line of a those that the line of ids at the same place names, negative
// ones counted from the end. Both have one rank, and apart from axis they broadcast. Every task holds whole lines along axis.
//
// Positions outside the axis are an error of the run; ids that are not integers, other ranks and shapes that do not broadcast one of the call.
func (a Array) TakeAlongAxis(ids Array, axis int) Array {
	const fn = "take_along_axis"
	for _, x := range []Array{a, ids} {
		if x.Err() != nil {
			return x
		}
	}
	if !a.DType().IsNumeric() {
		return failf("ndarray: %s: operand: got %v, want numbers: %w", fn, a.DType(), dtype.ErrPromote)
	}
	if !ids.DType().IsInteger() {
		return failf("ndarray: %s: positions: got %v, want integers: %w", fn, ids.DType(), dtype.ErrPromote)
	}
	if a.Rank() != ids.Rank() {
		return failf("ndarray: %s: got shapes %v and %v, want one rank: %w", fn, a.Shape(), ids.Shape(), chunk.ErrShape)
	}
	k, err := axisOf(axis, a.Rank())
	if err != nil {
		return failf("ndarray: %s: %w", fn, err)
	}
	key := fmt.Sprintf("%s axis=%d", fn, k)
	return whenKnown(key, []Array{a, ids}, a.DType(), ids.Grid(), func(in []Array) Array {
		from, to := in[0].Shape().Clone(), in[1].Shape().Clone()
		n, m := from[k], to[k]
		from[k], to[k] = 1, 1
		shape, err := chunk.Broadcast(from, to)
		if err != nil {
			return failf("ndarray: %s: %w", fn, err)
		}
		from, to = shape.Clone(), shape.Clone()
		from[k], to[k] = n, m
		x, at := in[0].BroadcastTo(from...), in[1].AsType(dtype.Int64).BroadcastTo(to...)
		arg := graph.OpaqueArg{
			Key:   key,
			Whole: kernels.Axes(k),
			Need: func(i int, out chunk.Region) chunk.Region {
				r := out.Clone()
				if i == 0 {
					r.Lo[k], r.Hi[k] = 0, n
				}
				return r
			},
			Scratch: func(chunk.Shape) int64 { return 0 },
			Run: func(_ context.Context, c graph.OpaqueCall) error {
				return takers[c.Out.ItemBytes](k, n, c.Out, c.In[0], c.In[1])
			},
		}
		return Array{here().Opaque(arg, x.DType(), lineGrid(at.Grid(), k), x.Node(), at.Node())}
	})
}

// takers are takeLines by the bytes of an element.
var takers = map[int32]func(axis int, n int64, out, in, ids *chunk.Chunk) error{
	1: takeLines[uint8], 2: takeLines[uint16], 4: takeLines[uint32], 8: takeLines[uint64], 16: takeLines[complex128],
}

// takeLines copies the elements that ids names of each line of n elements.
func takeLines[T element](axis int, n int64, out, in, ids *chunk.Chunk) (err error) {
	dst, src, list := chunk.Elems[T](out.Block), chunk.Elems[T](in.Block), chunk.Elems[int64](ids.Block)
	if out.Shape.Size() == 0 {
		return nil
	}
	a, b, c := out.Strides[axis], in.Strides[axis], ids.Strides[axis]
	eachLine(axis, out.Shape, []*chunk.Chunk{out, in, ids}, func(at []int64) {
		for i := range out.Shape[axis] {
			p := list[at[2]+i*c]
			if p < 0 {
				p += n
			}
			if p < 0 || p >= n {
				if err == nil {
					err = fmt.Errorf("position %d is outside axis %d of length %d", list[at[2]+i*c], axis, n)
				}
				return
			}
			dst[at[0]+i*a] = src[at[1]+p*b]
		}
	})
	return err
}
