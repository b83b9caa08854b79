// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// cellWalk visits the fold cells of a tile, row-major over the axes that a fold
// reduces; along the others a call covers the whole tile.
type cellWalk struct {
	axes  []int        // loop axes that some fold reduces
	cuts  []chunk.Axis // their cells
	lo    []int64      // cells of the tile along axes
	hi    []int64
	key   chunk.Key // of the current cell; entries of other axes are 0
	tile  chunk.Region
	at    chunk.Region // the current call
	shape chunk.Shape
}

func (w *cellWalk) init(s *plan.Stage) {
	rank := len(s.Body.Shape)
	for i := range rank {
		for _, f := range s.Folds {
			if f.Cells.Set.Has(i) {
				w.axes = append(w.axes, i)
				w.cuts = append(w.cuts, f.Cells.Axes[i])
				break
			}
		}
	}
	w.lo, w.hi = make([]int64, len(w.axes)), make([]int64, len(w.axes))
	w.key = make(chunk.Key, rank)
	w.at = chunk.Region{Lo: make(chunk.Shape, rank), Hi: make(chunk.Shape, rank)}
	w.shape = make(chunk.Shape, rank)
}

// begin goes to the first cell of the tile.
func (w *cellWalk) begin(tile chunk.Region) bool {
	w.tile = tile
	for i := range w.at.Lo {
		w.at.Lo[i], w.at.Hi[i] = tile.Lo[i], tile.Hi[i]
		w.shape[i] = tile.Hi[i] - tile.Lo[i]
		if w.shape[i] == 0 {
			return false
		}
	}
	for j, a := range w.axes {
		w.lo[j] = w.cuts[j].Find(tile.Lo[a])
		w.hi[j] = w.cuts[j].Find(tile.Hi[a]-1) + 1
		w.set(j, w.lo[j])
	}
	return true
}

func (w *cellWalk) set(j int, k int64) {
	a := w.axes[j]
	w.key[a] = k
	w.at.Lo[a], w.at.Hi[a] = w.cuts[j].Bounds(k)
	w.shape[a] = w.at.Hi[a] - w.at.Lo[a]
}

// next goes to the next cell; false after the last.
func (w *cellWalk) next() bool {
	for j := len(w.axes) - 1; j >= 0; j-- {
		k := w.key[w.axes[j]] + 1
		if k < w.hi[j] {
			w.set(j, k)
			return true
		}
		w.set(j, w.lo[j])
	}
	return false
}

// view sets dst to the part of full, a view of the tile, that the current cell covers.
func (w *cellWalk) view(dst, full *chunk.Chunk) {
	*dst = *full
	dst.Shape = w.shape
	for _, a := range w.axes {
		dst.Offset += (w.at.Lo[a] - w.tile.Lo[a]) * full.Strides[a]
	}
}

// largest returns a shape no call of the tile exceeds.
func (w *cellWalk) largest(tile chunk.Region) chunk.Shape {
	s := tile.Shape()
	for j, a := range w.axes {
		s[a] = min(s[a], w.cuts[j].Max())
	}
	return s
}

// count returns how many cells the tile has along loop axis a, 1 for an axis no fold reduces.
func (w *cellWalk) count(a int) int64 {
	for j, x := range w.axes {
		if x == a {
			return w.hi[j] - w.lo[j]
		}
	}
	return 1
}

// place returns the current cell's position within the tile along loop axis a.
func (w *cellWalk) place(a int) int64 {
	for j, x := range w.axes {
		if x == a {
			return w.key[a] - w.lo[j]
		}
	}
	return 0
}

// reduces reports whether some fold reduces axis a.
func (w *cellWalk) reduces(a int) bool {
	for _, x := range w.axes {
		if x == a {
			return true
		}
	}
	return false
}
