// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
)

// All returns the selection of a whole axis.
func All(in int, n int64) AxisSel { return AxisSel{In: in, Step: 1, Len: n} }

// New returns a new axis of length n that repeats.
func New(n int64) AxisSel { return AxisSel{In: -1, Step: 1, Len: n} }

// Pos returns the input position of output position i, -1 for missing.
func (s AxisSel) Pos(i int64) int64 {
	if s.IDs != nil {
		return s.IDs[i]
	}
	return s.Start + i*s.Step
}

// isAll reports whether s takes an axis of length n as it is.
func (s AxisSel) isAll(n int64) bool {
	return s.In >= 0 && s.IDs == nil && s.Len == n && (n == 0 || s.Start == 0 && (s.Step == 1 || n == 1))
}

// missing reports whether s reads positions that do not exist.
func (s AxisSel) missing() bool { return slices.Contains(s.IDs, -1) }

// Select returns the positions of n that arg names; n itself when that is all of it.
// Every chunk of the source gives at most one chunk of the result along each axis, except that an id list gets a
// regular cut. Positions outside the source are errors; -1 in an id list reads as missing.
func (at At) Select(n *Node, arg SelectArg) *Node {
	if n.Err != nil {
		return n
	}
	if unknownLen(n) {
		return at.unknown("select", n)
	}
	arg, e := at.checkSelect(n, arg)
	if e != nil {
		return e
	}
	if identitySelect(n, arg) {
		return n
	}
	return at.newNode(Select, []*Node{n}, n.DType, n.ItemBytes, selectGrid(n.Grid, arg), arg, false)
}

// identitySelect reports whether arg takes n as it is.
func identitySelect(n *Node, arg SelectArg) bool {
	if len(arg.Axes) != len(n.Grid.Shape) {
		return false
	}
	for i, s := range arg.Axes {
		if s.In != i || !s.isAll(n.Grid.Shape[i]) {
			return false
		}
	}
	return true
}

// checkSelect returns arg in normal form (its own slices, Fixed 0 where an axis is kept, id lists that are
// slices written as such), or an error node.
func (at At) checkSelect(n *Node, arg SelectArg) (SelectArg, *Node) {
	shape := n.Grid.Shape
	out := SelectArg{Axes: make([]AxisSel, len(arg.Axes)), Fixed: make([]int64, len(shape))}
	used := make([]bool, len(shape))
	last := -1
	for i, s := range arg.Axes {
		if s.IDs != nil {
			s.Start, s.Step, s.Len = 0, 0, int64(len(s.IDs))
		}
		switch {
		case s.Len < 0:
			return out, at.errorf("ndarray: select: axis %d has length %d: %w", i, s.Len, chunk.ErrShape)
		case s.In < 0:
			out.Axes[i] = New(s.Len)
			continue
		case s.In >= len(shape) || s.In <= last:
			return out, at.errorf("ndarray: select: input axis %d of rank %d is out of order: %w", s.In, len(shape), chunk.ErrShape)
		}
		last = s.In
		used[s.In] = true
		if s.IDs == nil && s.Len > 1 && s.Step == 0 {
			return out, at.errorf("ndarray: select: step of axis %d: got 0, want another number; repeat with an id list", s.In)
		}
		if s.IDs == nil && s.Len > 0 {
			for _, p := range [2]int64{s.Start, s.Start + (s.Len-1)*s.Step} {
				if p < 0 || p >= shape[s.In] {
					return out, at.errorf("ndarray: select: position %d is outside axis %d of length %d: %w", p, s.In, shape[s.In], chunk.ErrShape)
				}
			}
		}
		for _, p := range s.IDs {
			if p < -1 || p >= shape[s.In] {
				return out, at.errorf("ndarray: select: position %d is outside axis %d of length %d: %w", p, s.In, shape[s.In], chunk.ErrShape)
			}
		}
		out.Axes[i] = s.normal()
	}
	for i, u := range used {
		if u {
			continue
		}
		if i >= len(arg.Fixed) || arg.Fixed[i] < 0 || arg.Fixed[i] >= shape[i] {
			return out, at.errorf("ndarray: select: dropped axis %d of length %d needs a position inside it: %w", i, shape[i], chunk.ErrShape)
		}
		out.Fixed[i] = arg.Fixed[i]
	}
	return out, nil
}

// normal returns s with one spelling for one meaning: ids that step evenly become
// a slice, empty and single selections have step 1, and the list is s's own.
func (s AxisSel) normal() AxisSel {
	if s.IDs != nil {
		step := int64(1)
		if len(s.IDs) > 1 {
			step = s.IDs[1] - s.IDs[0]
		}
		even := step != 0 && !s.missing()
		for i := 1; even && i < len(s.IDs); i++ {
			even = s.IDs[i]-s.IDs[i-1] == step
		}
		if !even {
			return AxisSel{In: s.In, Len: s.Len, IDs: slices.Clone(s.IDs)}
		}
		start := int64(0)
		if len(s.IDs) > 0 {
			start = s.IDs[0]
		}
		s = AxisSel{In: s.In, Start: start, Step: step, Len: s.Len}
	}
	if s.Len <= 1 {
		s.Step = 1
	}
	if s.Len == 0 {
		s.Start = 0
	}
	return s
}
