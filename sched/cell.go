// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// cellWalk visits the kernel calls of a tile: its steps one after another, and in each of
// them the fold cells, row-major over the axes that a fold reduces; along the others a call covers the
// whole step. Along one axis a step may end inside a cell, which the next step goes on with.
type cellWalk struct {
	cell  []bool       // by loop axis: some fold reduces it
	cuts  []chunk.Axis // by loop axis: its cells, or its steps where no fold reduces it
	tile  chunk.Region
	first chunk.Key // by loop axis: the first piece of the tile along it
	count chunk.Key // and how many there are
	step  chunk.Region
	axes  []int     // the axes in cell
	lo    chunk.Key // pieces of the step along axes
	hi    chunk.Key
	key   chunk.Key    // of the current cell; along other axes of the step
	at    chunk.Region // the current call
	shape chunk.Shape
	goes  int         // the stage's Within
	begun bool        // calls before this one had a part of its cell
	ends  bool        // this call has the last part of its cell
	most  chunk.Shape // the longest step
}

func (w *cellWalk) init(s *plan.Stage) {
	rank := len(s.Body.Shape)
	w.goes, w.ends = s.Within, true
	w.most = make(chunk.Shape, rank)
	for i, a := range s.Steps {
		w.most[i] = a.Max()
	}
	w.cell = make([]bool, rank)
	w.cuts = append([]chunk.Axis(nil), s.Steps...)
	for i := range rank {
		for _, f := range s.Folds {
			if f.Cells.Set.Has(i) {
				w.cell[i] = true
				w.cuts[i] = f.Cells.Axes[i]
				w.axes = append(w.axes, i)
				break
			}
		}
	}
	w.first, w.count = make(chunk.Key, rank), make(chunk.Key, rank)
	w.lo, w.hi, w.key = make(chunk.Key, rank), make(chunk.Key, rank), make(chunk.Key, rank)
	w.at = chunk.Region{Lo: make(chunk.Shape, rank), Hi: make(chunk.Shape, rank)}
	w.shape = make(chunk.Shape, rank)
}

// begin sets the tile.
func (w *cellWalk) begin(tile chunk.Region) {
	w.tile = tile
	for i, a := range w.cuts {
		w.first[i], w.count[i] = 0, 0
		if tile.Hi[i] > tile.Lo[i] {
			w.first[i] = a.Find(tile.Lo[i])
			w.count[i] = a.Find(tile.Hi[i]-1) + 1 - w.first[i]
		}
	}
}

// enter goes to the first call of a step of the tile; false when the step is empty.
func (w *cellWalk) enter(step chunk.Region) bool {
	w.step = step
	for i := range w.at.Lo {
		if step.Hi[i] <= step.Lo[i] {
			return false
		}
		w.at.Lo[i], w.at.Hi[i] = step.Lo[i], step.Hi[i]
		w.shape[i] = step.Hi[i] - step.Lo[i]
		w.key[i] = w.cuts[i].Find(step.Lo[i])
	}
	for _, a := range w.axes {
		w.lo[a] = w.key[a]
		w.hi[a] = w.cuts[a].Find(step.Hi[a]-1) + 1
		w.set(a, w.lo[a])
	}
	return true
}

func (w *cellWalk) set(a int, k int64) {
	w.key[a] = k
	lo, hi := w.cuts[a].Bounds(k)
	if a == w.goes {
		w.begun, w.ends = lo < w.step.Lo[a], hi <= w.step.Hi[a]
		lo, hi = max(lo, w.step.Lo[a]), min(hi, w.step.Hi[a])
	}
	w.at.Lo[a], w.at.Hi[a] = lo, hi
	w.shape[a] = hi - lo
}

// next goes to the next call of the step; false after the last.
func (w *cellWalk) next() bool {
	for j := len(w.axes) - 1; j >= 0; j-- {
		a := w.axes[j]
		if k := w.key[a] + 1; k < w.hi[a] {
			w.set(a, k)
			return true
		}
		w.set(a, w.lo[a])
	}
	return false
}

// view sets dst to the part of full, a view whose first element is at origin of
// the loop, that the current call covers.
func (w *cellWalk) view(dst, full *chunk.Chunk, origin chunk.Shape) {
	*dst = *full
	dst.Shape = w.shape
	for a, x := range w.at.Lo {
		dst.Offset += (x - origin[a]) * full.Strides[a]
	}
}

// pick is view for an input that the program gathers along an axis, whose shape it needs in shape.
func (w *cellWalk) pick(dst, full *chunk.Chunk, axis int, shape chunk.Shape) {
	w.view(dst, full, w.step.Lo)
	dst.Offset -= (w.at.Lo[axis] - w.step.Lo[axis]) * full.Strides[axis]
	copy(shape, w.shape)
	shape[axis] = full.Shape[axis]
	dst.Shape = shape
}

// largest returns a shape no call of the tile exceeds.
func (w *cellWalk) largest() chunk.Shape {
	s := w.tile.Shape()
	for a := range s {
		s[a] = min(s[a], w.cuts[a].Max(), w.most[a])
	}
	return s
}
