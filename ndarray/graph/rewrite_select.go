// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// rewriteSelectSelect makes two selections one.
func rewriteSelectSelect(_ *rewriter, n *Node) *Node {
	x := n.In[0]
	if x.Kind != Select {
		return nil
	}
	arg, ok := compose(n.Arg.(SelectArg), x.Arg.(SelectArg))
	if !ok {
		return nil
	}
	if identitySelect(x.In[0], arg) {
		return onGrid(x.In[0], n.Grid)
	}
	return like(n, Select, x.In, arg)
}

// compose returns the selection that takes outer of what inner takes; ok is false
// where a missing position would have to be an axis of its own.
func compose(outer, inner SelectArg) (out SelectArg, ok bool) {
	out = SelectArg{Fixed: slices.Clone(inner.Fixed)}
	kept := make([]bool, len(inner.Axes))
	for _, o := range outer.Axes {
		if o.In < 0 {
			out.Axes = append(out.Axes, o)
			continue
		}
		kept[o.In] = true
		i := inner.Axes[o.In]
		switch {
		case i.In < 0 && o.missing():
			return out, false
		case i.In < 0:
			out.Axes = append(out.Axes, New(o.Len))
		case i.IDs == nil && o.IDs == nil:
			s := AxisSel{In: i.In, Start: i.Start + o.Start*i.Step, Step: i.Step * o.Step, Len: o.Len}
			out.Axes = append(out.Axes, s.normal())
		default:
			ids := make([]int64, o.Len)
			for k := range ids {
				if ids[k] = o.Pos(int64(k)); ids[k] >= 0 {
					ids[k] = i.Pos(ids[k])
				}
			}
			out.Axes = append(out.Axes, AxisSel{In: i.In, Len: o.Len, IDs: ids}.normal())
		}
	}
	for j, i := range inner.Axes {
		if kept[j] || i.In < 0 {
			continue
		}
		p := i.Pos(outer.Fixed[j])
		if p < 0 {
			return out, false
		}
		out.Fixed[i.In] = p
	}
	return out, true
}

// rewriteSelectFill makes a selection of a constant a smaller constant, and a slice
// of an index axis arithmetic on a shorter one (in int64, exact).
func rewriteSelectFill(_ *rewriter, n *Node) *Node {
	x, arg := n.In[0], n.Arg.(SelectArg)
	f, ok := x.Arg.(FillArg)
	if !ok {
		return nil
	}
	for _, s := range arg.Axes {
		if s.missing() {
			return nil
		}
	}
	if f.Axis < 0 {
		return like(n, Fill, nil, f)
	}
	at := At(n.Pos)
	k := slices.IndexFunc(arg.Axes, func(s AxisSel) bool { return s.In == f.Axis })
	if k < 0 {
		return like(n, Fill, nil, FillArg{Const: int64Const(arg.Fixed[f.Axis]), Axis: -1})
	}
	s := arg.Axes[k]
	if s.IDs != nil {
		return nil
	}
	out := at.Fill(n.Grid, kernels.Const{}, k)
	if s.Step != 1 {
		out = like(n, Map, []*Node{out, int64Scalar(at, s.Step)}, MapArg{Op: kernels.OpMultiply})
	}
	if s.Start != 0 {
		out = like(n, Map, []*Node{out, int64Scalar(at, s.Start)}, MapArg{Op: kernels.OpAdd})
	}
	return out
}

// rewriteSelectRechunk selects before the grid is changed: the Grid of the
// selection stays what it was.
func rewriteSelectRechunk(_ *rewriter, n *Node) *Node {
	if n.In[0].Kind != Rechunk {
		return nil
	}
	return like(n, Select, n.In[0].In, n.Arg)
}

// rewriteSelectPermute selects before the axes are reordered. New axes go first
// below and are put in their place by the Permute.
func rewriteSelectPermute(_ *rewriter, n *Node) *Node {
	x, arg := n.In[0], n.Arg.(SelectArg)
	p, ok := x.Arg.(PermuteArg)
	if !ok {
		return nil
	}
	below := SelectArg{Fixed: make([]int64, len(arg.Fixed))}
	for i, v := range arg.Fixed {
		below.Fixed[p.Axes[i]] = v
	}
	var place []int // output axis of each axis of below
	for i, s := range arg.Axes {
		if s.In < 0 {
			below.Axes = append(below.Axes, s)
			place = append(place, i)
		}
	}
	for in := range x.In[0].Grid.Axes {
		for i, s := range arg.Axes {
			if s.In >= 0 && p.Axes[s.In] == in {
				s.In = in
				below.Axes = append(below.Axes, s)
				place = append(place, i)
			}
		}
	}
	axes := make([]int, len(place))
	for k, i := range place {
		axes[i] = k
	}
	sel := At(n.Pos).Select(x.In[0], below)
	if isIdentity(axes) {
		return onGrid(sel, n.Grid)
	}
	return like(n, Permute, []*Node{sel}, PermuteArg{Axes: axes})
}

// int64Const returns the constant v.
func int64Const(v int64) kernels.Const { return kernels.Const{DType: dtype.Int64, Bits: uint64(v)} }

// int64Scalar returns the 0-d array v.
func int64Scalar(at At, v int64) *Node {
	return at.Fill(chunk.Grid{Shape: chunk.Shape{}}, int64Const(v), -1)
}
