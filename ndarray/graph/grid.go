// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
)

// maxEdges caps the edges an inferred axis may hold: planning costs no more for
// a million chunks than for one. What would need more gets a regular axis of the source's longest chunk.
const maxEdges = 10000

// whole returns the axis of length n in one chunk.
func whole(n int64) chunk.Axis { return chunk.Axis{Len: n, Step: max(n, 1)} }

// gridOf returns the grid with the axes.
func gridOf(axes []chunk.Axis) chunk.Grid {
	s := make(chunk.Shape, len(axes))
	for i, a := range axes {
		s[i] = a.Len
	}
	return chunk.Grid{Shape: s, Axes: axes}
}

// regular returns a regular axis of length n with the step, at most the whole.
func regular(n, step int64) chunk.Axis {
	return chunk.Axis{Len: n, Step: max(1, min(step, max(n, 1)))}
}

// normal returns a with its edges replaced by a step where they are regular.
func normal(n int64, edges []int64) chunk.Axis {
	if n == 0 {
		return whole(0)
	}
	step := edges[1]
	for k := 1; k < len(edges); k++ {
		if edges[k] != min(int64(k)*step, n) {
			return chunk.Axis{Len: n, Edges: edges}
		}
	}
	return regular(n, step)
}

// mapGrid infers the grid of a Map: each axis is cut as the first input, in
// operand order, that is longer than 1 along it.
func mapGrid(shape chunk.Shape, in []*Node) chunk.Grid {
	axes := make([]chunk.Axis, len(shape))
	for i, n := range shape {
		axes[i] = whole(n)
		for _, x := range in {
			k := i - (len(shape) - len(x.Grid.Axes))
			if k >= 0 && x.Grid.Axes[k].Len > 1 {
				axes[i] = x.Grid.Axes[k]
				break
			}
		}
	}
	return gridOf(axes)
}

// selectAxis infers the cut of the positions s takes of an axis cut as a: where
// the chunk of the source changes, a new chunk starts. An id list gets the source's longest chunk as its step.
func selectAxis(a chunk.Axis, s AxisSel) chunk.Axis {
	switch {
	case s.Len <= 1 || a.Count() <= 1:
		return whole(s.Len)
	case s.IDs != nil:
		return regular(s.Len, a.Max())
	case s.Step == 1 && s.Start == 0 && s.Len == a.Len:
		return a
	case s.Step == 0:
		return whole(s.Len)
	}
	if a.Edges == nil {
		// Aligned cuts of a regular axis stay regular.
		first := s.Start
		if s.Step > 0 && first%a.Step == 0 && a.Step%s.Step == 0 {
			return regular(s.Len, a.Step/s.Step)
		}
		if s.Step < 0 && (first+1)%a.Step == 0 && a.Step%-s.Step == 0 {
			return regular(s.Len, a.Step/-s.Step)
		}
		if s.Step >= a.Step || -s.Step >= a.Step {
			return regular(s.Len, 1)
		}
	}
	last := s.Start + (s.Len-1)*s.Step
	k, end := a.Find(s.Start), a.Find(last)
	if n := max(k-end, end-k); n >= maxEdges {
		step := max(s.Step, -s.Step)
		return regular(s.Len, (a.Max()+step-1)/step)
	}
	edges := []int64{0}
	for k != end {
		var x int64 // first output position outside chunk k
		lo, hi := a.Bounds(k)
		if s.Step > 0 {
			x = (hi - s.Start + s.Step - 1) / s.Step
			k++
		} else {
			x = (s.Start-lo)/-s.Step + 1
			k--
		}
		if x > edges[len(edges)-1] && x < s.Len {
			edges = append(edges, x)
		}
	}
	return normal(s.Len, append(edges, s.Len))
}

// selectGrid infers the grid of a Select.
func selectGrid(g chunk.Grid, arg SelectArg) chunk.Grid {
	axes := make([]chunk.Axis, len(arg.Axes))
	for i, s := range arg.Axes {
		if s.In < 0 {
			axes[i] = whole(s.Len)
			continue
		}
		axes[i] = selectAxis(g.Axes[s.In], s)
	}
	return gridOf(axes)
}

// stackAxis infers the cut of axes laid end to end: each keeps its own cuts.
func stackAxis(list []chunk.Axis) chunk.Axis {
	n, chunks, longest := int64(0), int64(0), int64(1)
	var step int64 // common step, 0 before the first, -1 when there is none
	for _, a := range list {
		if a.Len == 0 {
			continue
		}
		st := int64(-1)
		if a.Edges == nil {
			st = min(a.Step, a.Len)
		}
		switch {
		case step == 0:
			step = st
		case step > 0 && n%step != 0, step > 0 && a.Len > step && st != step, step > 0 && a.Len <= step && a.Count() != 1:
			step = -1
		}
		n += a.Len
		chunks += a.Count()
		longest = max(longest, a.Max())
	}
	switch {
	case n == 0:
		return whole(0)
	case step > 0:
		return regular(n, step)
	case chunks > maxEdges:
		return regular(n, longest)
	}
	edges, at := make([]int64, 1, chunks+1), int64(0)
	for _, a := range list {
		for k := range a.Count() {
			_, hi := a.Bounds(k)
			edges = append(edges, at+hi)
		}
		at += a.Len
	}
	return normal(n, edges)
}

// stackGrid infers the grid of a Stack: the joined axis keeps every input's cuts, the
// others are cut as the first input's.
func stackGrid(axis int, in []*Node) chunk.Grid {
	along := make([]chunk.Axis, len(in))
	for i, x := range in {
		along[i] = x.Grid.Axes[axis]
	}
	axes := slices.Clone(in[0].Grid.Axes)
	axes[axis] = stackAxis(along)
	return gridOf(axes)
}

// compressGrid infers the grid of a Compress, whose length along axis is not known yet.
func compressGrid(g chunk.Grid, axis int) chunk.Grid {
	axes := slices.Clone(g.Axes)
	axes[axis] = chunk.Axis{Len: -1, Step: max(1, axes[axis].Max())}
	return gridOf(axes)
}

// validGrid reports whether g cuts its shape: lengths agree, edges ascend from 0 to the length.
func validGrid(g chunk.Grid) bool {
	if len(g.Axes) != len(g.Shape) {
		return false
	}
	for i, a := range g.Axes {
		if a.Len != g.Shape[i] || a.Len < 0 {
			return false
		}
		if a.Edges == nil {
			if a.Step < 1 {
				return false
			}
			continue
		}
		e := a.Edges
		if len(e) < 2 || e[0] != 0 || e[len(e)-1] != a.Len || !slices.IsSorted(e) || len(slices.Compact(slices.Clone(e))) != len(e) {
			return false
		}
	}
	return true
}
