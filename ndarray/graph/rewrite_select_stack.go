// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"slices"
)

// rewriteSelectStack selects from the parts that hold the positions and leaves the
// others out. Along the joined axis the positions must visit the parts in one
// direction, each at most once; another list stays above.
func rewriteSelectStack(_ *rewriter, n *Node) *Node {
	x, arg := n.In[0], n.Arg.(SelectArg)
	st, ok := x.Arg.(StackArg)
	if !ok {
		return nil
	}
	starts := make([]int64, len(x.In)+1)
	for i, p := range x.In {
		starts[i+1] = starts[i] + p.Grid.Shape[st.Axis]
	}
	k := slices.IndexFunc(arg.Axes, func(s AxisSel) bool { return s.In == st.Axis })
	if k < 0 {
		i := partOf(starts, arg.Fixed[st.Axis])
		below := SelectArg{Axes: arg.Axes, Fixed: slices.Clone(arg.Fixed)}
		below.Fixed[st.Axis] -= starts[i]
		return like(n, Select, []*Node{x.In[i]}, below)
	}
	parts, sels, ok := splitParts(starts, arg.Axes[k])
	if !ok {
		return nil
	}
	in := make([]*Node, len(parts))
	for i, p := range parts {
		below := SelectArg{Axes: slices.Clone(arg.Axes), Fixed: arg.Fixed}
		below.Axes[k] = sels[i]
		in[i] = At(n.Pos).Select(x.In[p], below)
	}
	if len(in) == 1 {
		return onGrid(in[0], n.Grid)
	}
	return like(n, Stack, in, StackArg{Axis: k})
}

// partOf returns the part that holds position p.
func partOf(starts []int64, p int64) int {
	i, found := slices.BinarySearch(starts, p)
	if !found {
		return i - 1
	}
	for starts[i+1] == p { // parts of length 0 begin where the next one does
		i++
	}
	return i
}

// splitParts cuts s into one selection for each part it visits, in the order of the result.
func splitParts(starts []int64, s AxisSel) (parts []int, sels []AxisSel, ok bool) {
	for at := int64(0); at < s.Len; {
		p := s.Pos(at)
		if p < 0 {
			return nil, nil, false
		}
		i := partOf(starts, p)
		if len(parts) > 0 && (parts[len(parts)-1] == i || len(parts) > 1 && (i > parts[len(parts)-1]) != (parts[1] > parts[0])) {
			return nil, nil, false
		}
		end := runEnd(starts[i], starts[i+1], s, at)
		part := AxisSel{In: s.In, Start: p - starts[i], Step: s.Step, Len: end - at}
		if s.IDs != nil {
			part.IDs = make([]int64, end-at)
			for j := range part.IDs {
				part.IDs[j] = s.IDs[at+int64(j)] - starts[i]
			}
		}
		parts = append(parts, i)
		sels = append(sels, part.normal())
		at = end
	}
	return parts, sels, len(parts) > 0
}

// runEnd returns the first output position behind at that leaves [lo, hi).
func runEnd(lo, hi int64, s AxisSel, at int64) int64 {
	if s.IDs != nil {
		for at < s.Len && s.IDs[at] >= lo && s.IDs[at] < hi {
			at++
		}
		return at
	}
	end := s.Len
	if s.Step > 0 {
		end = (hi - s.Start + s.Step - 1) / s.Step
	} else if s.Step < 0 {
		end = (s.Start-lo)/-s.Step + 1
	}
	return min(end, s.Len)
}
