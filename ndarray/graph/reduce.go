// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// Reduce returns the fold of in[0] that arg describes; in[1], when arg has Groups and no IDs, holds
// the group of each element. The operand is cast to what the reduction folds, the result has NumPy's dtype.
// The Grid the operand has now fixes the order of the fold. Kept axes keep their cuts; an axis of groups is one chunk.
// Axes must ascend; an empty list folds single elements.
func (at At) Reduce(arg ReduceArg, in ...*Node) *Node {
	if e := firstErr(in...); e != nil {
		return e
	}
	r := kernels.ReductionOf(arg.Op)
	if r == nil {
		return at.errorf("ndarray: reduce: reduction %d is not in the table", arg.Op)
	}
	if len(in) == 0 {
		return at.errorf("ndarray: %s: no operand: got 0 inputs, want 1", r.Name)
	}
	shape := in[0].Grid.Shape
	for i, a := range arg.Axes {
		if a < 0 || a >= len(shape) {
			return at.errorf("ndarray: %s: axis %d is outside rank %d: %w", r.Name, a, len(shape), chunk.ErrShape)
		}
		if i > 0 && a <= arg.Axes[i-1] {
			return at.errorf("ndarray: %s: axes %v: want them ascending, each once: %w", r.Name, arg.Axes, chunk.ErrShape)
		}
	}
	if e := at.checkGroups(r, arg, in); e != nil {
		return e
	}
	out, err := r.Result(in[0].DType)
	if err != nil {
		return at.errorf("ndarray: %w", err)
	}
	if arg.Groups == 0 {
		for _, a := range arg.Axes {
			if shape[a] != 0 {
				continue
			}
			if r.Empty(in[0].DType) != nil {
				return at.errorf("ndarray: %s: axis %d of shape %v has length 0: got no elements, want at least 1", r.Name, a, shape)
			}
		}
	}
	ins := slices.Clone(in)
	ins[0] = at.Cast(in[0], r.Input(in[0].DType))
	if ins[0].Err != nil {
		return ins[0]
	}
	arg.Axes = slices.Clone(arg.Axes)
	return at.newNode(Reduce, ins, out, 0, reduceGrid(ins[0].Grid, arg), arg, false)
}

// checkGroups returns an error node when arg's groups do not fit the inputs, else nil.
func (at At) checkGroups(r *kernels.Reduction, arg ReduceArg, in []*Node) *Node {
	shape := in[0].Grid.Shape
	want := 1
	if arg.Groups > 0 && arg.IDs == nil {
		want = 2
	}
	switch {
	case len(in) != want:
		return at.errorf("ndarray: %s: got %d inputs, want %d", r.Name, len(in), want)
	case arg.Groups < 0:
		return at.errorf("ndarray: %s: groups: got %d, want 0 or more", r.Name, arg.Groups)
	case arg.Groups == 0 && arg.IDs != nil:
		return at.errorf("ndarray: %s: group ids for 0 groups; set Groups", r.Name)
	case arg.Groups == 0:
		return nil
	case arg.KeepDims:
		return at.errorf("ndarray: %s: KeepDims does not go with groups; expand the result", r.Name)
	}
	if arg.IDs != nil {
		if len(arg.Axes) != 1 {
			return at.errorf("ndarray: %s: group ids follow one axis: got axes %v: %w", r.Name, arg.Axes, chunk.ErrShape)
		}
		if n := shape[arg.Axes[0]]; int64(len(arg.IDs)) != n {
			return at.errorf("ndarray: %s: group ids of axis %d: got %d, want %d: %w", r.Name, arg.Axes[0], len(arg.IDs), n, chunk.ErrShape)
		}
		for i, id := range arg.IDs {
			if int64(id) >= arg.Groups || id < -1 {
				return at.errorf("ndarray: %s: group id at position %d: got %d, want -1 to %d", r.Name, i, id, arg.Groups-1)
			}
		}
		return nil
	}
	if in[1].DType != dtype.Int32 {
		return at.errorf("ndarray: %s: group ids: got %v, want int32: %w", r.Name, in[1].DType, dtype.ErrPromote)
	}
	s, err := chunk.Broadcast(shape, in[1].Grid.Shape)
	if err != nil || !s.Equal(shape) {
		return at.errorf("ndarray: %s: group ids of shape %v do not broadcast to %v: %w", r.Name, in[1].Grid.Shape, shape, chunk.ErrShape)
	}
	return nil
}

// reduceGrid infers the grid of a fold of an operand cut by g.
func reduceGrid(g chunk.Grid, arg ReduceArg) chunk.Grid {
	var axes []chunk.Axis
	if arg.Groups > 0 && arg.IDs == nil {
		axes = append(axes, whole(arg.Groups))
	}
	for i, a := range g.Axes {
		switch {
		case !slices.Contains(arg.Axes, i):
			axes = append(axes, a)
		case arg.Groups > 0 && arg.IDs != nil:
			axes = append(axes, whole(arg.Groups))
		case arg.KeepDims:
			axes = append(axes, whole(1))
		}
	}
	return gridOf(axes)
}
