// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// AxisMap says which positions along one axis of a leaf a loop reads: loop index
// x of axis Loop reads Start + x*Step, or IDs[x] when IDs is not nil (-1: missing). With
// Loop < 0 the position is Start for the whole loop (-1: missing everywhere).
type AxisMap struct {
	Loop  int
	Start int64
	Step  int64
	IDs   []int64
}

// fixed returns the map of an axis that stays at p.
func fixed(p int64) AxisMap { return AxisMap{Loop: -1, Start: p} }

// follow returns the map of an axis that is the loop's axis.
func follow(loop int) AxisMap { return AxisMap{Loop: loop, Step: 1} }

// at returns the position of loop index x.
func (m AxisMap) at(x int64) int64 {
	switch {
	case m.Loop < 0:
		return m.Start
	case m.IDs != nil:
		return m.IDs[x]
	}
	return m.Start + x*m.Step
}

// through composes m, a map onto an output axis of a Select, with the
// selection of that axis: the result maps onto the input axis.
func (m AxisMap) through(s graph.AxisSel, loopLen int64) AxisMap {
	pos := func(p int64) int64 {
		if p < 0 {
			return -1
		}
		return s.Pos(p)
	}
	switch {
	case m.Loop < 0:
		return fixed(pos(m.Start))
	case m.IDs == nil && s.IDs == nil:
		return AxisMap{Loop: m.Loop, Start: s.Start + s.Step*m.Start, Step: s.Step * m.Step}
	}
	ids := make([]int64, loopLen)
	for x := range ids {
		ids[x] = pos(m.at(int64(x)))
	}
	return AxisMap{Loop: m.Loop, IDs: ids}
}

// missing reports whether m reads a position that does not exist.
func (m AxisMap) missing() bool {
	if m.Loop < 0 {
		return m.Start < 0
	}
	return slices.Contains(m.IDs, -1)
}

// Span returns the half-open range of positions m reads for loop indices lo to
// hi, missing ones left out; it is empty (0, 0) when there is none.
func (m AxisMap) Span(lo, hi int64) (from, to int64) {
	switch {
	case hi <= lo:
		return 0, 0
	case m.Loop < 0:
		if m.Start < 0 {
			return 0, 0
		}
		return m.Start, m.Start + 1
	case m.IDs != nil:
		from, to = -1, -1
		for _, p := range m.IDs[lo:hi] {
			if p < 0 {
				continue
			}
			if from < 0 || p < from {
				from = p
			}
			to = max(to, p+1)
		}
		if from < 0 {
			return 0, 0
		}
		return from, to
	}
	a, b := m.at(lo), m.at(hi-1)
	return min(a, b), max(a, b) + 1
}

// widest bounds the length of the range that any n neighbouring loop indices read of a list of positions.
func widest(ids []int64, n int64) int64 {
	most := int64(1)
	var low, high []int // positions in ids whose values rise, and fall, from the front on: the window's least and largest first
	for i, p := range ids {
		if p < 0 {
			continue
		}
		for len(low) > 0 && ids[low[len(low)-1]] >= p {
			low = low[:len(low)-1]
		}
		for len(high) > 0 && ids[high[len(high)-1]] <= p {
			high = high[:len(high)-1]
		}
		low, high = append(low, i), append(high, i)
		for int64(i-low[0]) >= n {
			low = low[1:]
		}
		for int64(i-high[0]) >= n {
			high = high[1:]
		}
		most = max(most, ids[high[0]]-ids[low[0]]+1)
	}
	return most
}

// LeafKind is where the values of a leaf come from.
type LeafKind uint8

// The kinds of leaves.
const (
	Stored   LeafKind = iota + 1 // a source, read for each tile or kept in memory
	Computed                     // the result of an earlier stage, in memory
	Inner                        // computed inside the task, over the region the tile asks for
	Position                     // int64 positions along a loop axis: Axes[0]
	Absent                       // bool along a loop axis: where Axes[0] is missing
	Group                        // int32 group ids along a loop axis, local to a fold cell
	Picks                        // int32 positions along a loop axis that another leaf is read at: Axes[0]
)

// Leaf is an input of a Body.
type Leaf struct {
	Kind      LeafKind
	Node      *graph.Node // nil for Position, Absent and one-axis Group leaves
	Axes      []AxisMap   // one for each axis of Node
	DType     dtype.DType
	ItemBytes int64
	Store     int     // Stored: index of Plan.Sources; Computed: of Plan.Results
	Part      *Part   // Inner: how to compute Node over a region of its own
	IDs       []int32 // Group leaf of one axis: the id of each position
	Gather    int     // loop axis along which the program picks positions itself; -1: none
	Relative  bool    // Picks: positions count from the first one of the region
}

// gathers reports whether an axis of the leaf is read by a list of positions.
func (l *Leaf) gathers() bool {
	for _, m := range l.Axes {
		if m.IDs != nil {
			return true
		}
	}
	return false
}

// copies reports whether the leaf's view of values in memory has to be a copy of its own.
func (l *Leaf) copies() bool { return l.Gather < 0 && (l.gathers() || l.missing()) }

// Copied reports whether the leaf's values are gathered on the host, and not read where they lie.
func (l *Leaf) Copied() bool { return l.copies() }

// missing reports whether the leaf reads positions that do not exist.
func (l *Leaf) missing() bool {
	for _, m := range l.Axes {
		if m.missing() {
			return true
		}
	}
	return false
}

// Count returns the elements the leaf holds for a loop region of the given
// lengths when it is read into a buffer of its own: one for each distinct loop position.
func (l *Leaf) Count(shape []int64) int64 {
	n := int64(1)
	for _, m := range l.Axes {
		if m.Loop >= 0 {
			n *= shape[m.Loop]
		}
	}
	return n
}
