// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/ndarray/order"
)

// Sort returns a with its elements in ascending order along axis, or descending. Shape and dtype stay; every task holds whole lines along axis.
//
// NaN is last (first in descending order), complex numbers are ordered by real and then imaginary part as NumPy's are. The sort is
// stable: -0 and 0, which are equal, keep their order. An axis outside the rank and elements that are not numbers are errors.
func (a Array) Sort(axis int, descending bool) Array {
	return alongLines("sort", orderOptions(descending), []Array{a}, axis, a.DType(), func(key string, in []Array, k int) Array {
		x := in[0]
		d, n := x.DType(), x.Shape()[k]
		return linesOf(lineJob{
			key: key, axis: k, scratch: sortBytes(d, n),
			run: func(out *chunk.Chunk, in []*chunk.Chunk) error {
				sorters[d].sort(d, descending, k, out, in[0])
				return nil
			},
		}, d, x)
	})
}

// ArgSort returns the positions along axis (int64, of a's shape) in the order of their elements, as Sort orders them: equal elements, NaN among them,
// stay in the order of their positions. Lines of 4294967296 elements and more are errors too.
func (a Array) ArgSort(axis int, descending bool) Array {
	return alongLines("argsort", orderOptions(descending), []Array{a}, axis, dtype.Int64, func(key string, in []Array, k int) Array {
		x := in[0]
		d, n := x.DType(), x.Shape()[k]
		return linesOf(lineJob{
			key: key, axis: k, scratch: argSortBytes(d, n),
			run: func(out *chunk.Chunk, in []*chunk.Chunk) error {
				sorters[d].positions(d, descending, k, out, in[0])
				return nil
			},
		}, dtype.Int64, x)
	})
}

// LexSort returns the positions along axis (int64) in the order of several keys of one shape, the last of which counts most: those it leaves
// equal are ordered by the key before it, and what is equal in all keeps its order. No keys and keys of other shapes are errors.
func LexSort(keys []Array, axis int) Array {
	if len(keys) == 0 {
		return failf("ndarray: lexsort: got no keys, want 1 or more")
	}
	for i, x := range keys[1:] {
		if keys[0].Err() == nil && x.Err() == nil && !x.Shape().Equal(keys[0].Shape()) {
			return failf("ndarray: lexsort: key %d: got shape %v, want %v as key 0: %w", i+1, x.Shape(), keys[0].Shape(), chunk.ErrShape)
		}
	}
	return alongLines("lexsort", "", keys, axis, dtype.Int64, func(key string, in []Array, k int) Array {
		scratch := int64(0)
		dts := make([]dtype.DType, len(in))
		for i, x := range in {
			dts[i] = x.DType()
			scratch = max(scratch, argSortBytes(dts[i], x.Shape()[k]))
		}
		return linesOf(lineJob{
			key: key, axis: k, scratch: scratch,
			run: func(out *chunk.Chunk, in []*chunk.Chunk) error {
				n := int(out.Shape[k])
				perm, room := make([]int64, n), newPermRoom(n)
				eachLine(k, out.Shape, append([]*chunk.Chunk{out}, in...), func(at []int64) {
					for i := range perm {
						perm[i] = int64(i)
					}
					for i, c := range in {
						sorters[dts[i]].refine(dts[i], false, perm, c, at[i+1], c.Strides[k], room)
					}
					spreadLine(chunk.Elems[int64](out.Block), perm, at[0], out.Strides[k])
				})
				return nil
			},
		}, dtype.Int64, in...)
	})
}

// Ranks returns the rank of each element along axis, counted from 1, equal elements all having the mean of their ranks: float64. NaN has rank NaN and
// takes no part. With pct the ranks are divided by the number of elements that are not NaN.
func (a Array) Ranks(axis int, pct bool) Array {
	if a.DType().IsComplex() {
		return failf("ndarray: rank: operand: got %v, want real numbers: %w", a.DType(), dtype.ErrPromote)
	}
	return alongLines("rank", fmt.Sprintf(" pct=%v", pct), []Array{a}, axis, dtype.Float64, func(key string, in []Array, k int) Array {
		x := in[0]
		d, n := x.DType(), x.Shape()[k]
		return linesOf(lineJob{
			key: key, axis: k, scratch: argSortBytes(d, n) + 8*n,
			run: func(out *chunk.Chunk, in []*chunk.Chunk) error {
				sorters[d].rank(d, pct, k, out, in[0])
				return nil
			},
		}, dtype.Float64, x)
	})
}

// alongLines checks the operands of a function of whole lines along axis, whose result has dtype dt, and builds it: now, or, where a length is
// not known, when it is. options is what it depends on beside operands and axis.
func alongLines(fn, options string, in []Array, axis int, dt dtype.DType, build func(key string, in []Array, axis int) Array) Array {
	for _, a := range in {
		if a.Err() != nil {
			return a
		}
		if !a.DType().IsNumeric() {
			return failf("ndarray: %s: operand: got %v, want numbers: %w", fn, a.DType(), dtype.ErrPromote)
		}
	}
	k, err := axisOf(axis, in[0].Rank())
	if err != nil {
		return failf("ndarray: %s: %w", fn, err)
	}
	key := fmt.Sprintf("%s axis=%d%s", fn, k, options)
	return whenKnown(key, in, dt, in[0].Grid(), func(in []Array) Array {
		if n := in[0].Shape()[k]; n >= order.MostPositions && fn != "sort" {
			return failf("ndarray: %s: axis %d: got %d elements, want less than %d: %w", fn, k, n, int64(order.MostPositions), chunk.ErrShape)
		}
		return build(key, in, k)
	})
}

// orderOptions says in keys which way a function sorts.
func orderOptions(descending bool) string {
	if descending {
		return " descending"
	}
	return ""
}

// lineJob is a function of whole lines along an axis: every line of the result is made of the lines of the operands at the same place.
type lineJob struct {
	key     string
	axis    int
	scratch int64 // bytes it allocates
	run     func(out *chunk.Chunk, in []*chunk.Chunk) error
}

// linesOf returns the array a job makes of operands of one shape.
func linesOf(j lineJob, dt dtype.DType, in ...Array) Array {
	arg := graph.OpaqueArg{
		Key:     j.key,
		Whole:   kernels.Axes(j.axis),
		Need:    func(_ int, out chunk.Region) chunk.Region { return out.Clone() },
		Scratch: func(chunk.Shape) int64 { return j.scratch },
		Run: func(_ context.Context, c graph.OpaqueCall) error {
			if c.Out.Shape.Size() == 0 {
				return nil
			}
			return j.run(c.Out, c.In)
		},
	}
	nodes := make([]*graph.Node, len(in))
	for i, a := range in {
		nodes[i] = a.Node()
	}
	return Array{here().Opaque(arg, dt, lineGrid(in[0].Grid(), j.axis), nodes...)}
}

// lineBytes is the size of the chunks of a result of whole lines, where chunks of its operand that are as long would be larger.
const lineBytes = 16 << 20

// lineGrid returns the grid of a result whose lines along axis are whole: the other axes are cut, the first most, until a chunk is no larger
// than lineBytes or than a chunk of the operand's.
func lineGrid(g chunk.Grid, axis int) chunk.Grid {
	out := chunk.Grid{Shape: g.Shape, Axes: append([]chunk.Axis{}, g.Axes...)}
	n := g.Axes[axis].Len
	cut := g.Axes[axis].Max() < n
	out.Axes[axis] = chunk.Axis{Len: n, Step: max(n, 1)}
	if !cut {
		return out
	}
	size := int64(8)
	for _, a := range out.Axes {
		size *= max(a.Max(), 1)
	}
	for i := range out.Axes {
		a := &out.Axes[i]
		step := max(a.Max(), 1)
		if i == axis || size <= lineBytes || step == 1 {
			continue
		}
		less := max(step/((size+lineBytes-1)/lineBytes), 1)
		size = size / step * less
		*a = chunk.Axis{Len: a.Len, Step: less}
	}
	return out
}
