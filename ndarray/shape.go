// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Transpose returns a with its axes in the order given, or reversed when none is.
func (a Array) Transpose(axes ...int) Array {
	if a.Err() != nil {
		return a
	}
	if len(axes) == 0 {
		axes = make([]int, a.Rank())
		for i := range axes {
			axes[i] = len(axes) - 1 - i
		}
		return Array{here().Permute(a.Node(), axes)}
	}
	return a.PermuteDims(axes...)
}

// PermuteDims returns a whose axis i is axis axes[i] of a; every axis is named once,
// negative ones count from the end.
func (a Array) PermuteDims(axes ...int) Array {
	if a.Err() != nil {
		return a
	}
	order := make([]int, len(axes))
	for i, x := range axes {
		k, err := axisOf(x, a.Rank())
		if err != nil {
			return failf("ndarray: transpose: %w", err)
		}
		order[i] = k
	}
	return Array{here().Permute(a.Node(), order)}
}

// MoveAxis returns a with axis from in place to; the others keep their order.
func (a Array) MoveAxis(from, to int) Array {
	if a.Err() != nil {
		return a
	}
	f, err := axisOf(from, a.Rank())
	if err == nil {
		to, err = axisOf(to, a.Rank())
	}
	if err != nil {
		return failf("ndarray: moveaxis: %w", err)
	}
	order := make([]int, 0, a.Rank())
	for i := range a.Rank() {
		if i != f {
			order = append(order, i)
		}
	}
	return Array{here().Permute(a.Node(), slices.Insert(order, to, f))}
}

// SwapAxes returns a with axes i and j exchanged.
func (a Array) SwapAxes(i, j int) Array {
	if a.Err() != nil {
		return a
	}
	x, err := axisOf(i, a.Rank())
	y := 0
	if err == nil {
		y, err = axisOf(j, a.Rank())
	}
	if err != nil {
		return failf("ndarray: swapaxes: %w", err)
	}
	order := make([]int, a.Rank())
	for k := range order {
		order[k] = k
	}
	order[x], order[y] = y, x
	return Array{here().Permute(a.Node(), order)}
}

// MatrixTranspose returns a with its last two axes exchanged.
func (a Array) MatrixTranspose() Array {
	if a.Err() == nil && a.Rank() < 2 {
		return failf("ndarray: matrix_transpose: got shape %v, want rank 2 or more: %w", a.Shape(), chunk.ErrShape)
	}
	return a.SwapAxes(-2, -1)
}

// ExpandDims returns a with new axes of length 1, at the given places of the result.
func (a Array) ExpandDims(axes ...int) Array {
	if a.Err() != nil {
		return a
	}
	places, err := reduceAxes(slices.Concat([]int{}, axes), a.Rank()+len(axes))
	if err != nil {
		return failf("ndarray: expand_dims: %w", err)
	}
	arg := wholeSelect(a.Shape())
	for _, k := range places {
		arg.Axes = slices.Insert(arg.Axes, k, graph.New(1))
	}
	return Array{here().Select(a.Node(), arg)}
}

// Squeeze returns a without the given axes, which must have length 1; without
// all axes of length 1 when none is given.
func (a Array) Squeeze(axes ...int) Array {
	if a.Err() != nil {
		return a
	}
	shape := a.Shape()
	if len(axes) == 0 {
		for i, n := range shape {
			if n == 1 {
				axes = append(axes, i)
			}
		}
	}
	places, err := reduceAxes(slices.Concat([]int{}, axes), a.Rank())
	if err != nil {
		return failf("ndarray: squeeze: %w", err)
	}
	arg := wholeSelect(shape)
	for i := len(places) - 1; i >= 0; i-- {
		k := places[i]
		if shape[k] != 1 {
			return failf("ndarray: squeeze: axis %d of shape %v: got length %d, want 1: %w", k, shape, shape[k], chunk.ErrShape)
		}
		arg.Axes = slices.Delete(arg.Axes, k, k+1)
	}
	return Array{here().Select(a.Node(), arg)}
}

// BroadcastTo returns a repeated to the shape by NumPy's rule. Nothing is copied.
func (a Array) BroadcastTo(shape ...int64) Array {
	if a.Err() != nil {
		return a
	}
	if e, ok := checkShape("broadcast_to", shape); !ok {
		return e
	}
	have := a.Shape()
	if both, err := chunk.Broadcast(have, shape); err != nil || !both.Equal(shape) {
		return failf("ndarray: broadcast_to: shape %v does not broadcast to %v: %w", have, chunk.Shape(shape), chunk.ErrShape)
	}
	skip := len(shape) - len(have)
	arg := graph.SelectArg{Fixed: make([]int64, len(have))}
	for i, n := range shape {
		if k := i - skip; k >= 0 && have[k] == n {
			arg.Axes = append(arg.Axes, graph.All(k, n))
			continue
		}
		arg.Axes = append(arg.Axes, graph.New(n))
	}
	return Array{here().Select(a.Node(), arg)}
}

// Broadcast returns the arrays, each broadcast to the shape they have together.
func Broadcast(arrays ...Array) []Array {
	var shape chunk.Shape
	out := slices.Clone(arrays)
	for _, a := range arrays {
		s, err := chunk.Broadcast(shape, a.Shape())
		if a.Err() != nil || err != nil {
			e := a
			if e.Err() == nil {
				e = failf("ndarray: broadcast_arrays: %w", err)
			}
			for i := range out {
				out[i] = e
			}
			return out
		}
		shape = s
	}
	for i := range out {
		out[i] = out[i].BroadcastTo(shape...)
	}
	return out
}

// Concat returns the arrays joined along an existing axis. Ranks, and lengths but
// along axis, must be equal; dtypes are promoted.
func Concat(axis int, arrays ...Array) Array {
	nodes, e, ok := nodesOf("concat", arrays)
	if !ok {
		return e
	}
	k, err := axisOf(axis, arrays[0].Rank())
	if err != nil {
		return failf("ndarray: concat: %w", err)
	}
	return Array{here().Stack(k, nodes...)}
}

// Stack returns the arrays, all of one shape, joined along a new axis.
func Stack(axis int, arrays ...Array) Array {
	_, e, ok := nodesOf("stack", arrays)
	if !ok {
		return e
	}
	k, err := axisOf(axis, arrays[0].Rank()+1)
	if err != nil {
		return failf("ndarray: stack: %w", err)
	}
	wide := make([]Array, len(arrays))
	for i, a := range arrays {
		if !a.Shape().Equal(arrays[0].Shape()) {
			return failf("ndarray: stack: shapes of arrays 0 and %d: got %v and %v, want one shape: %w", i, arrays[0].Shape(), a.Shape(), chunk.ErrShape)
		}
		wide[i] = a.ExpandDims(k)
	}
	return Concat(k, wide...)
}

// nodesOf returns the arrays' nodes, or the first error among them.
func nodesOf(what string, arrays []Array) ([]*graph.Node, Array, bool) {
	if len(arrays) == 0 {
		return nil, failf("ndarray: %s: no arrays: got 0, want at least 1", what), false
	}
	nodes := make([]*graph.Node, len(arrays))
	for i, a := range arrays {
		if a.Err() != nil {
			return nil, a, false
		}
		nodes[i] = a.Node()
	}
	return nodes, Array{}, true
}

// Flip returns a with the given axes backwards, all of them when none is given.
func (a Array) Flip(axes ...int) Array {
	if a.Err() != nil {
		return a
	}
	places, err := reduceAxes(axes, a.Rank())
	if err != nil {
		return failf("ndarray: flip: %w", err)
	}
	idx := slices.Repeat([]Index{All()}, a.Rank())
	for _, k := range places {
		idx[k] = Reversed()
	}
	return a.Index(idx...)
}

// Roll returns a with its elements moved by shift along axis; what leaves at one
// end comes in at the other.
func (a Array) Roll(shift int64, axis int) Array {
	if a.Err() != nil {
		return a
	}
	k, err := axisOf(axis, a.Rank())
	if err != nil {
		return failf("ndarray: roll: %w", err)
	}
	n := a.Shape()[k]
	switch {
	case n < 0:
		return failf("%w", errUnknown("roll", a.Shape()))
	case n == 0:
		return a
	}
	cut := ((n-shift%n)%n + n) % n
	if cut == 0 {
		return a
	}
	idx := slices.Repeat([]Index{All()}, k+1)
	idx[k] = Span(cut, n)
	tail := a.Index(idx...)
	idx[k] = Span(0, cut)
	return Concat(k, tail, a.Index(idx...))
}

// Repeat returns a with every element along axis n times in a row.
func (a Array) Repeat(n int64, axis int) Array {
	if a.Err() != nil {
		return a
	}
	k, err := axisOf(axis, a.Rank())
	if err != nil {
		return failf("ndarray: repeat: %w", err)
	}
	if n < 0 {
		return failf("ndarray: repeat: count: got %d, want 0 or more", n)
	}
	have := a.Shape()[k]
	if have < 0 {
		return failf("%w", errUnknown("repeat", a.Shape()))
	}
	if have > 0 && n > mostListed/have {
		return a.copies(k, k+1, n)
	}
	ids := make([]int64, have*n)
	for i := range ids {
		ids[i] = int64(i) / n
	}
	return a.TakeAlong(k, ids)
}

// mostListed is the longest axis whose positions are listed one by one, mostJoined the most arrays joined one by
// one, where a longer computation in chunks does as well.
const (
	mostListed = 1 << 16
	mostJoined = 64
)

// copies returns a with n copies along axis k: of the whole axis one after another for at = k, of each element for at = k+1.
// It needs memory for chunks only.
func (a Array) copies(k, at int, n int64) Array {
	shape := a.Shape().Clone()
	total, ok := checkedSize(chunk.Shape{shape[k], n})
	if !ok {
		return failf("ndarray: %d copies of an axis of length %d are more than 63 bits count: %w", n, shape[k], chunk.ErrShape)
	}
	out := a.ExpandDims(at).BroadcastTo(slices.Insert(shape.Clone(), at, n)...)
	shape[k] = total
	return out.Reshape(shape...)
}

// Tile returns a repeated reps[i] times along axis i; missing axes are added in front.
func (a Array) Tile(reps ...int64) Array {
	if a.Err() != nil {
		return a
	}
	for len(reps) < a.Rank() {
		reps = append([]int64{1}, reps...)
	}
	for a.Rank() < len(reps) {
		a = a.ExpandDims(0)
	}
	for k, n := range reps {
		switch {
		case n < 0:
			return failf("ndarray: tile: count of axis %d: got %d, want 0 or more", k, n)
		case n == 0:
			idx := slices.Repeat([]Index{All()}, k+1)
			idx[k] = Span(0, 0)
			a = a.Index(idx...)
		case n > mostJoined:
			a = a.copies(k, k, n)
		case n > 1:
			a = Concat(k, slices.Repeat([]Array{a}, int(n))...)
		}
	}
	return a
}

// Rechunk returns a cut into chunks of the given lengths, one for each axis; a
// length below 1, and axes without one, become whole. Values stay; the order of later folds changes.
func (a Array) Rechunk(steps ...int64) Array {
	if a.Err() != nil {
		return a
	}
	if len(steps) > a.Rank() {
		return failf("ndarray: rechunk: %d lengths for shape %v: want at most %d: %w", len(steps), a.Shape(), a.Rank(), chunk.ErrShape)
	}
	return a.onGrid(chunk.Regular(a.Shape(), steps...))
}

// RechunkTo returns a on the grid, which has a's shape.
func (a Array) RechunkTo(g chunk.Grid) Array {
	if a.Err() != nil {
		return a
	}
	return a.onGrid(g)
}

// errUnknown is the error of an operation that needs a length the engine has yet to count.
func errUnknown(what string, shape chunk.Shape) error {
	return fmt.Errorf("ndarray: %s: shape %v: a length of -1 is known only after the run; compute the mask first: %w", what, shape, chunk.ErrShape)
}
