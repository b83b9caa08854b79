// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"slices"

	"github.com/arrayrun/arrayrun/kernels"
)

// rewriteEmpty makes an array without elements a constant: nothing is read for it.
func rewriteEmpty(_ *rewriter, n *Node) *Node {
	if n.Kind == Fill || n.Kind == Load || !n.DType.IsNumeric() || n.Grid.Shape.Size() != 0 || unknownBelow(n) {
		return nil
	}
	return like(n, Fill, nil, FillArg{Const: kernels.Const{DType: n.DType}, Axis: -1})
}

// unknownBelow reports whether n or an input has a length that waits for a count.
func unknownBelow(n *Node) bool {
	return unknownLen(n) || slices.ContainsFunc(n.In, unknownLen)
}

// rewriteNoop takes out what does nothing: selections of everything, axes in
// their own order, grids that are there already, casts to the same dtype, permutations of permutations,
// empty parts of a Stack, and anything that only moves a constant.
func rewriteNoop(_ *rewriter, n *Node) *Node {
	switch a := n.Arg.(type) {
	case SelectArg:
		if identitySelect(n.In[0], a) {
			return onGrid(n.In[0], n.Grid)
		}
	case PermuteArg:
		return noopPermute(n, a)
	case RechunkArg:
		x := n.In[0]
		switch {
		case x.Grid.Equal(n.Grid):
			return x
		case x.Kind == Rechunk:
			return onGrid(x.In[0], n.Grid)
		case x.Kind == Fill:
			return like(n, Fill, nil, x.Arg)
		}
	case MapArg:
		if a.Op == kernels.OpCast && n.In[0].DType == n.DType {
			return onGrid(n.In[0], n.Grid)
		}
	case StackArg:
		return noopStack(n, a)
	}
	return nil
}

func noopPermute(n *Node, a PermuteArg) *Node {
	x := n.In[0]
	if isIdentity(a.Axes) {
		return onGrid(x, n.Grid)
	}
	if x.Kind == Permute {
		inner, axes := x.Arg.(PermuteArg).Axes, make([]int, len(a.Axes))
		for i, k := range a.Axes {
			axes[i] = inner[k]
		}
		return like(n, Permute, x.In, PermuteArg{Axes: axes})
	}
	if f, ok := x.Arg.(FillArg); ok {
		if f.Axis >= 0 {
			f.Axis = slices.Index(a.Axes, f.Axis)
		}
		return like(n, Fill, nil, f)
	}
	return nil
}

func noopStack(n *Node, a StackArg) *Node {
	in := slices.DeleteFunc(slices.Clone(n.In), func(x *Node) bool { return x.Grid.Shape[a.Axis] == 0 })
	switch {
	case len(in) == 0:
		return nil
	case len(in) == 1:
		return onGrid(in[0], n.Grid)
	}
	first, ok := in[0].Arg.(FillArg)
	ok = ok && first.Axis < 0
	for _, x := range in[1:] {
		f, fill := x.Arg.(FillArg)
		ok = ok && fill && f.Axis < 0 && f.Const == first.Const
	}
	if ok {
		return like(n, Fill, nil, first)
	}
	if len(in) == len(n.In) {
		return nil
	}
	return like(n, Stack, in, a)
}
