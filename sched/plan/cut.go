// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
)

// mostSteps bounds the steps in a tile that cannot be as small as chunks: each may decode them all.
const mostSteps = 64

// mostDecodes bounds how often a stage decodes each chunk for want of memory: beyond it a plan is refused, for it would look as
// if it stood still.
const mostDecodes = 256

// blocks returns the cuts along axis i of a body's loop that functions which compute whole axes or whole blocks, however little is asked of one, want
// tiles to follow.
func (b *Body) blocks(i int) (list []chunk.Axis) {
	for _, l := range b.Leaves {
		if l.Kind != Inner || l.Part.Opaque == nil {
			continue
		}
		for k, m := range l.Axes {
			if m.Loop == i && l.Part.Opaque.Whole.Has(k) {
				list = append(list, chunk.Axis{Len: b.Shape[i], Step: max(b.Shape[i], 1)})
			}
			n := l.Node.Shape()[k]
			if m.Loop != i || m.IDs != nil || m.Step != 1 || m.Start != 0 || n != b.Shape[i] {
				continue
			}
			if l.Part.Opaque.Blocks != nil {
				list = append(list, l.Part.Opaque.Blocks[k])
			}
			for _, in := range l.Part.In {
				if len(in.Shape) == len(l.Axes) && in.Shape[k] == n {
					list = append(list, in.blocks(k)...)
				}
			}
		}
	}
	return list
}

// decodes returns how often the stage, cut as it is, decodes the source that it decodes most often.
func (t *tiler) decodes() float64 {
	most := 0.0
	visitCut(t.s.Body, t.s.cutting(), func(l *Leaf, _ *Body, c cutting) {
		if l.Kind != Stored {
			return
		}
		src := t.pl.plan.Sources[l.Store]
		if _, memory := src.Source.(Memory); !memory && !src.Keep {
			most = max(most, t.pl.plan.decodesOf(l, c))
		}
	})
	return most
}

// shorten takes the cut that f makes of axis i, unless chunks would be decoded too often.
func (t *tiler) shorten(i int, f func(c *axisCut)) bool {
	old, stepped, before := t.cuts[i], t.stepped, t.decodes()
	f(&t.cuts[i])
	t.set()
	if now := t.decodes(); now > mostDecodes && now > before {
		t.cuts[i], t.stepped = old, stepped
		t.set()
		return false
	}
	t.cut = true
	return true
}

// cutTile shortens the outermost axis that can still be cut by a quarter; false when there is none.
func (t *tiler) cutTile() bool {
	for i := range t.cuts {
		c := &t.cuts[i]
		if !c.split || c.unit.Max() <= 1 || t.s.banded(i) {
			continue
		}
		n := c.unit.Max()
		if t.shorten(i, func(c *axisCut) {
			c.unit = chunk.Axis{Len: c.unit.Len, Step: min(n-1, (3*n+3)/4)}
			if c.fine.Max() > c.unit.Step {
				c.fine = c.unit
			}
		}) {
			return true
		}
	}
	return false
}

// cutStep shortens the steps inside tiles that cannot be cut; false when they are as short as they may be.
func (t *tiler) cutStep() bool {
	if t.stepped && t.stepShape().Size() <= t.s.Tiles.MaxChunk().Size()/mostSteps {
		return false
	}
	for i := range t.cuts {
		c := &t.cuts[i]
		if c.whole || c.fine.Edges != nil || c.fine.Max() <= 1 {
			continue
		}
		// No step crosses the end of a tile.
		n := c.fine.Step / leastFactor(c.fine.Step)
		if c.unit.Count() <= 1 {
			n = (c.fine.Step + 1) / 2
		}
		if t.shorten(i, func(c *axisCut) { c.fine, c.steps, t.stepped = chunk.Axis{Len: c.fine.Len, Step: n}, 1, true }) {
			return true
		}
	}
	return false
}

// narrower finds what a stage without folds needs at least where parts of chunks are enough: room for sources that are then
// decoded once is worth it.
func (t *tiler) narrower() {
	if !t.cut || len(t.s.Folds) > 0 {
		return
	}
	cuts, stepped := slices.Clone(t.cuts), t.stepped
	for range 5 {
		if t.cutTile() || t.cutStep() {
			t.s.narrow = min(t.s.narrow, t.s.Hold+t.s.Run*min(t.s.Len(), int64(t.pl.opt.Workers)))
		}
	}
	t.cuts, t.stepped = cuts, stepped
	t.set()
}
