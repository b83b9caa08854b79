// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// indexKind is what one entry of an index does.
type indexKind uint8

const (
	indexAt indexKind = iota + 1
	indexSlice
	indexNew
	indexEllipsis
	indexTake
	indexMask
)

// Index is one entry between the brackets of a[...]. Make one with At, Slice,
// Span, All, NewAxis, Ellipsis, Take or Mask; the zero Index is an error.
type Index struct {
	kind              indexKind
	at                int64
	start, stop, step *int64
	ids               []int64
	mask              Array
}

// At selects one position and drops the axis; negative positions count from the end.
func At(i int64) Index { return Index{kind: indexAt, at: i} }

// Slice is Python's start:stop:step; nil leaves a part out, negative positions
// count from the end, positions outside the axis are cut off. A step of 0 is an error.
func Slice(start, stop, step *int64) Index {
	return Index{kind: indexSlice, start: start, stop: stop, step: step}
}

// Span is start:stop.
func Span(start, stop int64) Index { return Slice(&start, &stop, nil) }

// All is the whole axis, a lone colon.
func All() Index { return Slice(nil, nil, nil) }

// Step is start:stop:step with all three given.
func Step(start, stop, step int64) Index { return Slice(&start, &stop, &step) }

// Reversed is ::-1, the whole axis backwards.
func Reversed() Index {
	step := int64(-1)
	return Slice(nil, nil, &step)
}

// NewAxis inserts an axis of length 1.
func NewAxis() Index { return Index{kind: indexNew} }

// Ellipsis stands for as many All as fit; an index has at most one.
func Ellipsis() Index { return Index{kind: indexEllipsis} }

// Take selects positions of an axis in any order and number, negative ones from the
// end. Several Takes index orthogonally: each selects along its own axis.
func Take(ids []int64) Index { return Index{kind: indexTake, ids: slices.Clone(ids)} }

// Mask selects the positions where a bool Array is true: along one axis when
// it has rank 1, from all of a at once (which becomes one axis, in C order) when it has a's rank. A mask in host memory is looked at
// now; the length of any other is known only to the engine.
func Mask(m Array) Index { return Index{kind: indexMask, mask: m} }

// Index returns the part of a that the entries select, one for each axis from the
// first; axes without one stay whole. Integers drop their axis.
//
// Too many entries and positions outside an axis are errors.
func (a Array) Index(idx ...Index) Array {
	if a.Err() != nil {
		return a
	}
	if len(idx) == 1 && idx[0].kind == indexMask && idx[0].mask.Rank() == a.Rank() && a.Rank() != 1 {
		return a.maskAll(idx[0].mask)
	}
	full, err := expandIndex(idx, a.Rank())
	if err != nil {
		return failf("ndarray: index: %w", err)
	}
	shape := a.Shape()
	arg := graph.SelectArg{Fixed: make([]int64, len(shape))}
	type compress struct {
		mask Array
		axis int
	}
	var later []compress
	axis := 0
	for _, x := range full {
		if x.kind == indexNew {
			arg.Axes = append(arg.Axes, graph.New(1))
			continue
		}
		if x.kind == indexMask {
			if x.mask.Err() != nil {
				return x.mask
			}
			ids, known, err := maskPositions(x.mask, axis, shape[axis])
			if err != nil {
				return failf("ndarray: index: %w", err)
			}
			if known {
				x = Index{kind: indexTake, ids: ids}
			} else {
				later = append(later, compress{x.mask, len(arg.Axes)})
				x = All()
			}
		}
		s, drop, err := x.resolve(axis, shape[axis])
		if err != nil {
			return failf("ndarray: index: %w", err)
		}
		if drop {
			arg.Fixed[axis] = s.Start
		} else {
			arg.Axes = append(arg.Axes, s)
		}
		axis++
	}
	at := here()
	n := at.Select(a.Node(), arg)
	for _, c := range later {
		n = at.Compress(n, c.mask.Node(), c.axis)
	}
	return Array{n}
}

// expandIndex returns one entry for each axis, and the new ones, the ellipsis written out.
func expandIndex(idx []Index, rank int) ([]Index, error) {
	used, dots := 0, -1
	for i, x := range idx {
		switch x.kind {
		case 0:
			return nil, fmt.Errorf("entry %d is the zero Index; make one with At, Slice, Take ...", i)
		case indexNew:
		case indexEllipsis:
			if dots >= 0 {
				return nil, fmt.Errorf("more than one ellipsis: got entries %d and %d, want at most one", dots, i)
			}
			dots = i
		default:
			used++
		}
	}
	if used > rank {
		return nil, fmt.Errorf("too many entries: got %d for rank %d: %w", used, rank, chunk.ErrShape)
	}
	fill := slices.Repeat([]Index{All()}, rank-used)
	if dots < 0 {
		return append(slices.Clone(idx), fill...), nil
	}
	return slices.Concat(idx[:dots], fill, idx[dots+1:]), nil
}

// resolve returns what x takes of an axis of length n; drop says that the axis goes.
func (x Index) resolve(axis int, n int64) (s graph.AxisSel, drop bool, err error) {
	if n < 0 && !x.isAll() {
		return s, false, fmt.Errorf("the length of axis %d is known only after the run; compute the mask first: %w", axis, chunk.ErrShape)
	}
	switch x.kind {
	case indexAt:
		p, err := position(x.at, axis, n)
		return graph.AxisSel{In: axis, Start: p, Step: 1, Len: 1}, true, err
	case indexTake:
		ids := make([]int64, len(x.ids))
		for i, v := range x.ids {
			if ids[i], err = position(v, axis, n); err != nil {
				return s, false, err
			}
		}
		return graph.AxisSel{In: axis, IDs: ids, Len: int64(len(ids))}, false, nil
	}
	start, step, count, err := sliceBounds(x.start, x.stop, x.step, n)
	if err != nil {
		return s, false, fmt.Errorf("axis %d: %w", axis, err)
	}
	return graph.AxisSel{In: axis, Start: start, Step: step, Len: count}, false, nil
}

func (x Index) isAll() bool {
	return x.kind == indexSlice && x.start == nil && x.stop == nil && x.step == nil
}

// position returns p counted from the front of an axis of length n.
func position(p int64, axis int, n int64) (int64, error) {
	q := p
	if q < 0 {
		q += n
	}
	if q < 0 || q >= n {
		return 0, fmt.Errorf("position %d is outside axis %d of length %d: %w", p, axis, n, chunk.ErrShape)
	}
	return q, nil
}

// sliceBounds resolves start:stop:step on a length of n as Python's slice.indices does.
func sliceBounds(start, stop, step *int64, n int64) (first, by, count int64, err error) {
	by = 1
	if step != nil {
		by = *step
	}
	if by == 0 {
		return 0, 0, 0, fmt.Errorf("slice step: got 0, want another number")
	}
	lo, hi := int64(0), n // where start and stop are cut off
	if by < 0 {
		lo, hi = -1, n-1
	}
	clamp := func(p *int64, without int64) int64 {
		if p == nil {
			return without
		}
		v := *p
		if v < 0 {
			v += n
		}
		return min(max(v, lo), hi)
	}
	if by > 0 {
		first = clamp(start, lo)
		if last := clamp(stop, hi); last > first {
			count = (last-first-1)/by + 1
		}
		return first, by, count, nil
	}
	first = clamp(start, hi)
	if last := clamp(stop, lo); last < first {
		// -by would overflow for the lowest int64; one step past the axis is enough.
		count = (first-last-1)/-max(by, -n-1) + 1
	}
	return first, max(by, -n-1), count, nil
}

// maskPositions returns where a 1-D bool mask for an axis of length n is true. known is
// false when only an engine can tell.
func maskPositions(m Array, axis int, n int64) (ids []int64, known bool, err error) {
	if m.DType() != dtype.Bool || m.Rank() != 1 {
		return nil, false, fmt.Errorf("mask of axis %d: got %v, want bool of rank 1 (or of the array's rank, alone): %w", axis, m, chunk.ErrShape)
	}
	if m.Shape()[0] != n {
		return nil, false, fmt.Errorf("mask of length %d does not match axis %d of length %d: %w", m.Shape()[0], axis, n, chunk.ErrShape)
	}
	c, ok := m.hostMemory()
	if !ok {
		return nil, false, nil
	}
	ids = []int64{}
	for i, v := range chunk.Slice[bool](c) {
		if v {
			ids = append(ids, int64(i))
		}
	}
	return ids, true, nil
}

// maskAll selects from all axes at once: the elements where m is true, in C order.
func (a Array) maskAll(m Array) Array {
	if m.Err() != nil {
		return m
	}
	if m.DType() != dtype.Bool || !m.Shape().Equal(a.Shape()) {
		return failf("ndarray: index: mask %v does not match shape %v: want bool of that shape: %w", m, a.Shape(), chunk.ErrShape)
	}
	if a.Rank() == 0 {
		a, m = a.Reshape(1), m.Reshape(1)
		return a.Index(Mask(m))
	}
	if c, ok := m.hostMemory(); ok {
		flat := FromSlice(chunk.Slice[bool](c))
		return a.Reshape(-1).Index(Mask(flat))
	}
	return a.Reshape(-1).Index(Mask(m.Reshape(-1)))
}

// TakeAlong returns the positions ids of one axis, in their order; -1 reads as
// missing: NaN, or 0 for dtypes without one. Other positions outside the axis are errors.
func (a Array) TakeAlong(axis int, ids []int64) Array {
	if a.Err() != nil {
		return a
	}
	k, err := axisOf(axis, a.Rank())
	if err != nil {
		return failf("ndarray: take: %w", err)
	}
	arg := wholeSelect(a.Shape())
	if ids == nil {
		ids = []int64{}
	}
	arg.Axes[k] = graph.AxisSel{In: k, IDs: ids, Len: int64(len(ids))}
	return Array{here().Select(a.Node(), arg)}
}

// wholeSelect returns the selection of everything, to be changed.
func wholeSelect(shape chunk.Shape) graph.SelectArg {
	arg := graph.SelectArg{Axes: make([]graph.AxisSel, len(shape)), Fixed: make([]int64, len(shape))}
	for i, n := range shape {
		arg.Axes[i] = graph.All(i, n)
	}
	return arg
}

// VIndex returns the elements at points: lists holds, for each of the first axes,
// the position of every point (NumPy's a[i, j]). One axis as long as the lists takes the place of those axes.
func (a Array) VIndex(lists ...[]int64) Array {
	if a.Err() != nil {
		return a
	}
	shape := a.Shape()
	if len(lists) == 0 || len(lists) > len(shape) {
		return failf("ndarray: vindex: got %d lists for shape %v, want 1 to %d: %w", len(lists), shape, len(shape), chunk.ErrShape)
	}
	flat := make([]int64, len(lists[0]))
	for k, list := range lists {
		if len(list) != len(flat) {
			return failf("ndarray: vindex: lists 0 and %d: got lengths %d and %d, want one length: %w", k, len(flat), len(list), chunk.ErrShape)
		}
		for i, p := range list {
			q, err := position(p, k, shape[k])
			if err != nil {
				return failf("ndarray: vindex: %w", err)
			}
			flat[i] = flat[i]*shape[k] + q
		}
	}
	// With no points there may be no positions at all, and nothing to reshape.
	if len(flat) == 0 {
		return Zeros(append(chunk.Shape{0}, shape[len(lists):]...), a.DType())
	}
	return a.Reshape(append(chunk.Shape{shape[:len(lists)].Size()}, shape[len(lists):]...)...).TakeAlong(0, flat)
}
