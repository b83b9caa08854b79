// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/ndarray/order"
)

// SearchOptions say what SearchSorted finds.
type SearchOptions struct {
	Right  bool   // positions behind elements that are equal, not before them
	Sorter *Array // positions that put the table in order, as ArgSort returns them; nil for a table in order
}

// SearchSorted returns where each element of x would be put into table, which is one-dimensional and ascends, so that it still does: int64
// of x's shape, 0 to the table's length. Both are compared in their common dtype, in Sort's order: NaN belongs at the end.
//
// Every task holds the table whole. A table that is not one-dimensional, and a Sorter of another length or with positions outside it, are errors;
// in a table that does not ascend the positions mean nothing.
func (table Array) SearchSorted(x Array, o SearchOptions) Array {
	in := []Array{x, table}
	if o.Sorter != nil {
		in = append(in, *o.Sorter)
	}
	return searchBy("searchsorted", fmt.Sprintf(" right=%v", o.Right), in, func(keys, ids *chunk.Chunk, d dtype.DType) (finder, error) {
		return newFinder(d, keys, ids, o.Right)
	})
}

// Digitize returns the bin of each element of x: int64 of x's shape. bins are one-dimensional edges that ascend or descend; where they ascend bin i holds
// bins[i-1] <= x < bins[i], or, with right, bins[i-1] < x <= bins[i], and the same with their ends exchanged where they descend; 0 and the number of edges stand for what is beyond them. Edges that do neither are
// an error of the run, complex numbers one of the call.
func (a Array) Digitize(bins Array, right bool) Array {
	for _, x := range []Array{a, bins} {
		if x.DType().IsComplex() {
			return failf("ndarray: digitize: operand: got %v, want real numbers: %w", x.DType(), dtype.ErrPromote)
		}
	}
	return searchBy("digitize", fmt.Sprintf(" right=%v", right), []Array{a, bins}, func(keys, _ *chunk.Chunk, d dtype.DType) (finder, error) {
		up, down := sorters[d].monotonic(d, keys)
		switch {
		case up:
			return newFinder(d, keys, nil, !right)
		case down:
			f, err := newFinder(d, backwards(keys), nil, !right)
			f.from = keys.Shape[0]
			return f, err
		}
		return finder{}, fmt.Errorf("bins must ascend or descend")
	})
}

// backwards returns a view of a line from its end.
func backwards(c *chunk.Chunk) *chunk.Chunk {
	v := *c
	v.Offset += (c.Shape[0] - 1) * c.Strides[0]
	v.Strides = []int64{-c.Strides[0]}
	return &v
}

// finder finds the positions of elements in a table.
type finder struct {
	find func(to []int64, step int64, c *chunk.Chunk, at, by, n int64)
	from int64 // where above 0, positions are counted down from it
}

// searchBy returns the positions of the elements of in[0] that a finder made of the others tells.
func searchBy(fn, options string, in []Array, make func(keys, ids *chunk.Chunk, d dtype.DType) (finder, error)) Array {
	for _, a := range in {
		if a.Err() != nil {
			return a
		}
		if !a.DType().IsNumeric() {
			return failf("ndarray: %s: operand: got %v, want numbers: %w", fn, a.DType(), dtype.ErrPromote)
		}
	}
	if in[1].Rank() != 1 {
		return failf("ndarray: %s: table: got shape %v, want one axis: %w", fn, in[1].Shape(), chunk.ErrShape)
	}
	if len(in) == 3 && (!in[2].DType().IsInteger() || in[2].Rank() != 1) {
		return failf("ndarray: %s: sorter: got %v, want integers along one axis: %w", fn, in[2], chunk.ErrShape)
	}
	d, err := dtype.Promote(in[0].DType(), in[1].DType())
	if err != nil {
		return failf("ndarray: %s: %w", fn, err)
	}
	return whenKnown(fn+options, in, dtype.Int64, in[0].Grid(), func(in []Array) Array {
		table := in[1].Shape()
		nodes := []*graph.Node{in[0].AsType(d).Node(), in[1].AsType(d).Node()}
		if len(in) == 3 {
			if !in[2].Shape().Equal(table) {
				return failf("ndarray: %s: sorter: got %d positions, want %d as the table: %w", fn, in[2].Size(), table[0], chunk.ErrShape)
			}
			nodes = append(nodes, in[2].AsType(dtype.Int64).Node())
		}
		arg := graph.OpaqueArg{
			Key: fn + options,
			Need: func(i int, out chunk.Region) chunk.Region {
				if i > 0 {
					return chunk.Whole(table)
				}
				return out.Clone()
			},
			Scratch: func(out chunk.Shape) int64 { return 3*16*table[0] + 16*lastLen(out) },
			Run: func(_ context.Context, c graph.OpaqueCall) error {
				if c.Out.Shape.Size() == 0 {
					return nil
				}
				var ids *chunk.Chunk
				if len(c.In) == 3 {
					ids = c.In[2]
				}
				f, err := make(c.In[1], ids, d)
				if err != nil {
					return err
				}
				dst := chunk.Elems[int64](c.Out.Block)
				eachRow(c.Out, c.In[0], func(to, step, at, by, n int64) {
					f.find(dst[to:], step, c.In[0], at, by, n)
					for i := int64(0); f.from > 0 && i < n; i++ {
						dst[to+i*step] = f.from - dst[to+i*step]
					}
				})
				return nil
			},
		}
		return Array{here().Opaque(arg, dtype.Int64, in[0].Grid(), nodes...)}
	})
}

// lastLen returns the length of the last axis, 1 without one.
func lastLen(s chunk.Shape) int64 {
	if len(s) == 0 {
		return 1
	}
	return s[len(s)-1]
}

// eachRow calls f for the rows along the last axis of two regions of one shape: where each begins, the steps between its elements, and their number.
func eachRow(out, in *chunk.Chunk, f func(to, step, at, by, n int64)) {
	last := len(out.Shape) - 1
	if last < 0 {
		f(out.Offset, 1, in.Offset, 1, 1)
		return
	}
	eachLine(last, out.Shape, []*chunk.Chunk{out, in}, func(at []int64) {
		f(at[0], out.Strides[last], at[1], in.Strides[last], out.Shape[last])
	})
}

// newFinder returns the finder of a table, in the order of ids where there are any.
func newFinder(d dtype.DType, table, ids *chunk.Chunk, right bool) (finder, error) {
	n := table.Shape[0]
	at := func(i int64) int64 { return table.Offset + i*table.Strides[0] }
	if ids != nil {
		list := chunk.Elems[int64](ids.Block)[ids.Offset:]
		for i := range n {
			if p := list[i*ids.Strides[0]]; p < 0 || p >= n {
				return finder{}, fmt.Errorf("sorter holds position %d, want 0 to %d", p, n-1)
			}
		}
		at = func(i int64) int64 { return table.Offset + list[i*ids.Strides[0]]*table.Strides[0] }
	}
	return finder{find: sorters[d].finder(d, table, n, at, right)}, nil
}

// finderOf finds real numbers: at tells where element i of the table lies.
func finderOf[K order.Key](d dtype.DType, table *chunk.Chunk, n int64, at func(i int64) int64, right bool) func(to []int64, step int64, c *chunk.Chunk, from, by, n int64) {
	e := order.EncoderOf[K](d, false)
	src, keys := chunk.Elems[K](table.Block), make([]K, n)
	for i := range keys {
		keys[i] = src[at(int64(i))]
	}
	e.Encode(keys, keys, 1)
	var room []K
	return func(to []int64, step int64, c *chunk.Chunk, from, by, n int64) {
		if int64(len(room)) < n {
			room = make([]K, n)
		}
		e.Encode(room[:n], chunk.Elems[K](c.Block)[from:], int(by))
		order.SearchAll(to, int(step), keys, room[:n], right)
	}
}

// complexFinder finds complex numbers.
func complexFinder[K order.Key](part dtype.DType) func(d dtype.DType, table *chunk.Chunk, n int64, at func(i int64) int64, right bool) func(to []int64, step int64, c *chunk.Chunk, from, by, n int64) {
	return func(_ dtype.DType, table *chunk.Chunk, n int64, at func(i int64) int64, right bool) func(to []int64, step int64, c *chunk.Chunk, from, by, n int64) {
		e := order.EncoderOf[K](part, false)
		src, keys := chunk.Elems[K](table.Block), make([]order.ComplexKey[K], n)
		for i := range keys {
			p := 2 * at(int64(i))
			keys[i] = e.Complex(src[p], src[p+1])
		}
		return func(to []int64, step int64, c *chunk.Chunk, from, by, n int64) {
			parts := chunk.Elems[K](c.Block)
			for i := range n {
				p := 2 * (from + i*by)
				to[i*step] = int64(order.SearchComplex(keys, e.Complex(parts[p], parts[p+1]), right))
			}
		}
	}
}

// isMonotonic reports whether the elements of a line ascend, and whether they descend; equal neighbours do both.
func isMonotonic[K order.Key](d dtype.DType, c *chunk.Chunk) (up, down bool) {
	e := order.EncoderOf[K](d, false)
	keys := make([]K, c.Shape[0])
	e.Encode(keys, chunk.Elems[K](c.Block)[c.Offset:], int(c.Strides[0]))
	up, down = true, true
	for i := 1; i < len(keys); i++ {
		up = up && keys[i-1] <= keys[i]
		down = down && keys[i-1] >= keys[i]
	}
	return up, down
}
