// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Reshape returns a's elements, in C order, as an array of another shape; one length
// may be -1 and follows from the rest. Adding and removing axes of length 1 costs nothing. Otherwise axes are matched in
// groups of equal size (a (365, 4, 6) becomes (365, 24) in two), and a chunk of the result needs the
// rows of each group that it lies in.
func (a Array) Reshape(shape ...int64) Array {
	if a.Err() != nil {
		return a
	}
	from := a.Shape()
	if slices.ContainsFunc(from, func(n int64) bool { return n < 0 }) {
		return failf("%w", errUnknown("reshape", from))
	}
	to, err := fullShape(from, shape)
	if err != nil {
		return failf("ndarray: reshape: %w", err)
	}
	if arg, ok := unitSelect(from, to); ok {
		return Array{here().Select(a.Node(), arg)}
	}
	if from.Size() == 0 {
		return Zeros(to, a.DType())
	}
	groups := matchGroups(from, to)
	arg := graph.OpaqueArg{
		Key:     fmt.Sprintf("reshape %v to %v", from, to),
		Near:    4,
		Need:    func(_ int, out chunk.Region) chunk.Region { return needOf(groups, from, to, out) },
		Scratch: func(chunk.Shape) int64 { return 0 },
		Run: func(_ context.Context, c graph.OpaqueCall) error {
			reshapeCopy(c.At, needOf(groups, from, to, c.At), from, to, c.Out, c.In[0])
			return nil
		},
	}
	return Array{here().Opaque(arg, a.DType(), reshapeGrid(groups, a.Grid(), to), a.Node())}
}

// Ravel returns a as one axis, in C order.
func (a Array) Ravel() Array { return a.Reshape(-1) }

// fullShape returns shape with its -1 worked out for as many elements as from has.
func fullShape(from chunk.Shape, shape []int64) (chunk.Shape, error) {
	to := chunk.Shape(shape).Clone()
	if to == nil {
		to = chunk.Shape{}
	}
	open := -1
	for i, n := range to {
		switch {
		case n == -1 && open < 0:
			open = i
		case n < 0:
			return nil, fmt.Errorf("shape %v: want lengths of 0 or more, and at most one -1: %w", to, chunk.ErrShape)
		}
	}
	known := to.Clone()
	if open >= 0 {
		known[open] = 1
	}
	rest, ok := checkedSize(known)
	if !ok {
		rest = -1 // more than any array has
	}
	size := from.Size()
	if open >= 0 && rest > 0 && size%rest == 0 {
		to[open] = size / rest
		return to, nil
	}
	if open >= 0 || rest != size {
		return nil, fmt.Errorf("%d elements of shape %v do not fill shape %v: %w", size, from, chunk.Shape(shape), chunk.ErrShape)
	}
	return to, nil
}

// unitSelect returns the selection that turns from into to when they differ in axes of length 1 only.
func unitSelect(from, to chunk.Shape) (graph.SelectArg, bool) {
	arg := graph.SelectArg{Fixed: make([]int64, len(from))}
	i := 0
	for _, n := range to {
		for n != 1 && i < len(from) && from[i] == 1 {
			i++
		}
		switch {
		case i < len(from) && from[i] == n:
			arg.Axes = append(arg.Axes, graph.All(i, n))
			i++
		case n == 1:
			arg.Axes = append(arg.Axes, graph.New(1))
		default:
			return arg, false
		}
	}
	for ; i < len(from); i++ {
		if from[i] != 1 {
			return arg, false
		}
	}
	return arg, true
}

// axisGroup is a run of axes of both shapes with the same number of elements.
type axisGroup struct{ from0, from1, to0, to1 int }

// matchGroups cuts both shapes, which have the same size above 0, into the shortest groups.
func matchGroups(from, to chunk.Shape) []axisGroup {
	var out []axisGroup
	i, j := 0, 0
	for i < len(from) || j < len(to) {
		g := axisGroup{from0: i, to0: j}
		x, y := int64(1), int64(1)
		if i < len(from) {
			x = from[i]
			i++
		}
		if j < len(to) {
			y = to[j]
			j++
		}
		for x != y {
			if x < y {
				x *= from[i]
				i++
			} else {
				y *= to[j]
				j++
			}
		}
		g.from1, g.to1 = i, j
		out = append(out, g)
	}
	return out
}

// needOf returns the box of the source that holds the region of the result.
func needOf(groups []axisGroup, from, to chunk.Shape, out chunk.Region) chunk.Region {
	need := chunk.Region{Lo: make(chunk.Shape, len(from)), Hi: make(chunk.Shape, len(from))}
	for _, g := range groups {
		lo, hi := int64(0), int64(0)
		for k := g.to0; k < g.to1; k++ {
			lo = lo*to[k] + out.Lo[k]
			hi = hi*to[k] + out.Hi[k] - 1
		}
		// Axes at which first and last position agree are single; behind the first that differs all is needed.
		open := false
		inner := int64(1)
		for k := g.from0; k < g.from1; k++ {
			inner *= from[k]
		}
		for k := g.from0; k < g.from1; k++ {
			inner /= from[k]
			if open {
				need.Hi[k] = from[k]
				continue
			}
			a, b := lo/inner%from[k], hi/inner%from[k]
			need.Lo[k], need.Hi[k] = a, b+1
			open = a != b
		}
	}
	return need
}

// reshapeGrid cuts the result: an axis that is alone in its group keeps its cut; in
// other groups the first axis is cut so that a chunk holds about as many elements as the source's.
func reshapeGrid(groups []axisGroup, g chunk.Grid, to chunk.Shape) chunk.Grid {
	out := chunk.Regular(to)
	for _, gr := range groups {
		if gr.to0 == gr.to1 {
			continue
		}
		if gr.from1-gr.from0 == 1 && gr.to1-gr.to0 == 1 {
			out.Axes[gr.to0] = g.Axes[gr.from0]
			continue
		}
		elems, inner := int64(1), int64(1)
		for k := gr.from0; k < gr.from1; k++ {
			elems *= max(1, g.Axes[k].Max())
		}
		for k := gr.to0 + 1; k < gr.to1; k++ {
			inner *= to[k]
		}
		n := to[gr.to0]
		out.Axes[gr.to0] = chunk.Axis{Len: n, Step: max(1, min(n, elems/max(1, inner)))}
	}
	return out
}

// tail returns how many elements of a chunk follow one another in memory and in the flat order of an array of the shape whole, from
// the first of the axes that it returns on; all but that one the chunk holds whole.
func tail(c *chunk.Chunk, whole chunk.Shape) (axis int, inner int64) {
	axis, inner = len(whole)-1, 1
	for axis > 0 && c.Shape[axis] == whole[axis] && c.Strides[axis] == inner && (c.Strides[axis-1] == inner*whole[axis] || c.Shape[axis-1] == 1) {
		inner *= whole[axis]
		axis--
	}
	return axis, inner
}

// reshapeCopy writes the region at of the result from in, which holds the box need of the source, run by run: elements
// that follow one another in both.
func reshapeCopy(at, need chunk.Region, from, to chunk.Shape, out, in *chunk.Chunk) {
	item := int64(out.ItemBytes)
	d, s := out.Block.Bytes(), in.Block.Bytes()
	toSt, fromSt := to.RowMajor(), from.RowMajor()
	x := make([]int64, len(to))
	outAxis, outInner := tail(out, to) // shapes without axes are reshaped by selections
	inAxis, inInner := tail(in, from)
	inStep, outStep := in.Strides[len(from)-1], out.Strides[len(to)-1]
	for rest := out.Shape.Size(); rest > 0; {
		flat, do := int64(0), out.Offset
		for k, v := range x {
			flat += (at.Lo[k] + v) * toSt[k]
			do += v * out.Strides[k]
		}
		so := in.Offset
		for k, n := range from {
			so += (flat/fromSt[k]%n - need.Lo[k]) * in.Strides[k]
		}
		n := min((out.Shape[outAxis]-x[outAxis])*outInner-flat%outInner,
			(in.Shape[inAxis]+need.Lo[inAxis]-flat/inInner%from[inAxis])*inInner-flat%inInner)
		switch {
		case out.DType == dtype.String:
			for j := range n {
				formats.SetText(out, do-out.Offset+j*outStep, formats.Text(in, so-in.Offset+j*inStep))
			}
		case inStep == 1 && outStep == 1:
			copy(d[do*item:(do+n)*item], s[so*item:(so+n)*item])
		default:
			for j := range n {
				copy(d[(do+j*outStep)*item:(do+j*outStep+1)*item], s[(so+j*inStep)*item:(so+j*inStep+1)*item])
			}
		}
		rest -= n
		x[len(x)-1] += n
		for k := len(x) - 1; k > 0 && x[k] >= out.Shape[k]; k-- {
			x[k-1] += x[k] / out.Shape[k]
			x[k] %= out.Shape[k]
		}
	}
}
