// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
)

// rewriteSelectMap selects from the operands instead of from the result, so that
// only the elements wanted are read and computed. Broadcast axes of an operand stay as
// they are. What makes the result longer (repeats, lists longer than the axis) and missing
// positions stay above: below, they would be computed more than once or not at all.
func rewriteSelectMap(_ *rewriter, n *Node) *Node {
	x := n.In[0]
	if x.Kind != Map {
		return nil
	}
	core, top := splitGrowth(n.Arg.(SelectArg), x.Grid.Shape)
	if identitySelect(x, core) {
		return nil
	}
	at := At(n.Pos)
	in := make([]*Node, len(x.In))
	for i, p := range x.In {
		in[i] = at.Select(p, operandSelect(core, x.Grid.Shape, p.Grid.Shape))
		if in[i].Err != nil {
			return nil
		}
	}
	if top == nil {
		return like(n, Map, in, x.Arg)
	}
	shape, err := broadcastAll(in)
	if err != nil {
		return nil
	}
	low := at.newNode(Map, in, x.DType, 0, mapGrid(shape, in), x.Arg, false)
	return like(n, Select, []*Node{low}, *top)
}

// splitGrowth cuts arg into core, which takes no position more often than it is there,
// followed by top, which repeats and fills in; top is nil when core is all of arg.
func splitGrowth(arg SelectArg, shape chunk.Shape) (core SelectArg, top *SelectArg) {
	core.Fixed = arg.Fixed
	t := SelectArg{}
	grows := false
	for _, s := range arg.Axes {
		switch {
		case s.In < 0 && s.Len > 1:
			grows = true
			t.Axes = append(t.Axes, s)
			continue
		case s.In >= 0 && (s.Len > shape[s.In] || s.missing()):
			grows = true
			up := s
			up.In = len(core.Axes)
			t.Axes = append(t.Axes, up)
			s = All(s.In, shape[s.In])
		default:
			t.Axes = append(t.Axes, All(len(core.Axes), s.Len))
		}
		core.Axes = append(core.Axes, s)
	}
	if !grows {
		return core, nil
	}
	t.Fixed = make([]int64, len(core.Axes))
	return core, &t
}

// operandSelect returns what a selection of a Map's result (of the given shape)
// takes of one operand, whose axes are the last ones of the result's.
func operandSelect(arg SelectArg, shape, operand chunk.Shape) SelectArg {
	skip := len(shape) - len(operand)
	out := SelectArg{Fixed: make([]int64, len(operand))}
	for i := range operand {
		if operand[i] == shape[i+skip] {
			out.Fixed[i] = arg.Fixed[i+skip]
		}
	}
	// A new axis is needed only right of an axis the operand has; in an operand of full rank
	// always, because one of them must carry it.
	started := skip == 0
	for _, s := range arg.Axes {
		switch {
		case s.In < 0:
			if started {
				out.Axes = append(out.Axes, s)
			}
			continue
		case s.In < skip:
			continue
		}
		started = true
		i := s.In - skip
		if operand[i] != shape[s.In] {
			s = All(s.In, 1)
		}
		s = AxisSel{In: i, Start: s.Start, Step: s.Step, Len: s.Len, IDs: s.IDs}
		out.Axes = append(out.Axes, s)
	}
	return out
}

// rewriteSelectReduce selects along the kept axes of a fold from its operand. The
// reduced axes keep their length and their cuts, and the operand its rank, so that
// every fold runs in the order it had. Dropped and new axes stay above. Only the
// Select that alone uses a fold is pushed: two would fold twice.
func rewriteSelectReduce(r *rewriter, n *Node) *Node {
	x := n.In[0]
	a, ok := x.Arg.(ReduceArg)
	if !ok || r.uses[n] == 0 || r.uses[x] != 1 {
		return nil
	}
	arg, shape := n.Arg.(SelectArg), x.In[0].Grid.Shape
	below := SelectArg{Fixed: make([]int64, len(shape))}
	for i, d := range shape {
		below.Axes = append(below.Axes, All(i, d))
	}
	above := SelectArg{Axes: slices.Clone(arg.Axes), Fixed: slices.Clone(arg.Fixed)}
	for out, in := range keptAxes(a, len(shape)) {
		if in < 0 {
			continue
		}
		k := slices.IndexFunc(arg.Axes, func(s AxisSel) bool { return s.In == out })
		if k < 0 {
			below.Axes[in] = AxisSel{In: in, Start: arg.Fixed[out], Step: 1, Len: 1}
			above.Fixed[out] = 0
			continue
		}
		s := arg.Axes[k]
		if s.missing() || s.Len > shape[in] {
			continue
		}
		above.Axes[k] = All(out, s.Len)
		s.In = in
		below.Axes[in] = s
	}
	if identitySelect(x.In[0], below) {
		return nil
	}
	at := At(n.Pos)
	ins := slices.Clone(x.In)
	for i, p := range ins {
		ins[i] = at.Select(p, operandSelect(below, shape, p.Grid.Shape))
		if ins[i].Err != nil {
			return nil
		}
	}
	low := at.newNode(Reduce, ins, x.DType, 0, reduceGrid(ins[0].Grid, a), a, false)
	if identitySelect(low, above) {
		return like(n, Reduce, ins, a)
	}
	return like(n, Select, []*Node{low}, above)
}

// keptAxes returns, for each axis of a fold's result, the operand's axis it is; -1 for
// axes of groups and of length 1 in place of reduced ones.
func keptAxes(a ReduceArg, rank int) []int {
	var out []int
	if a.Groups > 0 && a.IDs == nil {
		out = append(out, -1)
	}
	for i := range rank {
		switch {
		case !slices.Contains(a.Axes, i):
			out = append(out, i)
		case a.KeepDims, a.Groups > 0 && a.IDs != nil:
			out = append(out, -1)
		}
	}
	return out
}
