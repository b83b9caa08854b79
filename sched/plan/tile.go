// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
)

// Sizes of tiles. A task of a few MiB costs far more than its dispatch and
// leaves room for several in flight.
const (
	tileBytes    = 8 << 20 // a task's bill grows to this, where the budget allows
	tileElements = 1 << 21 // and its loop to this many elements
	tileCells    = 1 << 12 // and no task has more fold cells
	smallBytes   = 1 << 18 // below this, tiles grow without regard to the number of workers
	tilesEach    = 4       // tiles wanted for each worker
)

// axisCut is how tiles cut one axis while they are being chosen.
type axisCut struct {
	unit  chunk.Axis // the smallest tile: whole cells and whole chunks of sinks
	hard  chunk.Axis // what unit may be exchanged for when it is too large
	split bool       // no constraint: the unit may be cut anywhere
	times int64      // units in a tile
}

// axis returns the tiles' cut.
func (c *axisCut) axis() chunk.Axis { return widen(c.unit, c.times) }

// widen joins times consecutive chunks of a.
func widen(a chunk.Axis, times int64) chunk.Axis {
	if times <= 1 || a.Count() <= 1 {
		return a
	}
	if a.Edges == nil {
		return chunk.Axis{Len: a.Len, Step: min(a.Step*times, a.Len)}
	}
	edges := []int64{0}
	for k := times; k < a.Count(); k += times {
		edges = append(edges, a.Edges[k])
	}
	return chunk.Axis{Len: a.Len, Edges: append(edges, a.Len)}
}

// meet returns the finest cut whose edges are edges of both a and b.
func meet(a, b chunk.Axis) chunk.Axis {
	n := a.Len
	whole := chunk.Axis{Len: n, Step: max(n, 1)}
	if a.Count() <= 1 || b.Count() <= 1 {
		return whole
	}
	if a.Edges == nil && b.Edges == nil {
		step := a.Step / gcd(a.Step, b.Step) * b.Step
		if step >= n {
			return whole
		}
		return chunk.Axis{Len: n, Step: step}
	}
	if a.Edges == nil {
		a, b = b, a
	}
	edges := []int64{0}
	for _, e := range a.Edges[1 : len(a.Edges)-1] {
		if lo, _ := b.Bounds(b.Find(e)); lo == e {
			edges = append(edges, e)
		}
	}
	if len(edges) == 1 {
		return whole
	}
	return chunk.Axis{Len: n, Edges: append(edges, n)}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// cuts returns the cut of each loop axis to begin with.
func (pl *planner) cuts(s *Stage, items []*item) []axisCut {
	cuts := make([]axisCut, len(s.Body.Shape))
	for i := range cuts {
		c := &cuts[i]
		natural := items[0].loop.Grid.Axes[i]
		c.hard, c.split = chunk.Axis{Len: natural.Len, Step: 1}, true
		for _, f := range s.Folds {
			if f.Cells.Set.Has(i) {
				c.hard, c.split = pl.meets(c, f.Cells.Axes[i]), false
				continue
			}
			for _, o := range f.Direct {
				if sink := pl.plan.Outputs[o].Sink; sink != nil {
					c.hard, c.split = pl.meets(c, sink.Grid().Axes[f.ResultAxis(i)]), false
				}
			}
		}
		for _, w := range s.Writes {
			if sink := pl.plan.Outputs[w.Output].Sink; sink != nil {
				c.hard, c.split = pl.meets(c, sink.Grid().Axes[i]), false
			}
		}
		c.unit, c.times = natural, 1
		if !c.split {
			c.unit = meet(c.hard, natural)
		}
	}
	return cuts
}

func (pl *planner) meets(c *axisCut, a chunk.Axis) chunk.Axis {
	if c.split {
		return a
	}
	return meet(c.hard, a)
}

// gridOf returns the grid of the cuts.
func gridOf(shape chunk.Shape, cuts []axisCut) chunk.Grid {
	g := chunk.Grid{Shape: shape, Axes: make([]chunk.Axis, len(cuts))}
	for i := range cuts {
		g.Axes[i] = cuts[i].axis()
	}
	return g
}

// tile chooses the execution tiles of s: whole fold cells and whole chunks of
// sinks, as large as is useful, small enough that 2 tasks for each worker fit.
func (pl *planner) tile(s *Stage, items []*item) error {
	cuts := pl.cuts(s, items)
	set := func() {
		s.Tiles = gridOf(s.Body.Shape, cuts)
		s.Run, s.Hold = pl.bill(s)
	}
	set()
	if s.Tiles.Shape.Size() == 0 {
		return nil
	}
	room := func() int64 { return pl.opt.Budget - s.Hold - pl.floor(s) }
	fixed := pl.fixed(s)
	target := func() int64 { return min(tileBytes+fixed, room()*3/4/int64(2*pl.opt.Workers)) }
	// Chunks that must be decoded whole are cut only when not even two tasks fit.
	enough := target
	if pl.decodes(s.Body) {
		enough = func() int64 { return max(target(), room()/2) }
	}
	for i := range cuts {
		if s.Run > target() && !cuts[i].unit.Equal(cuts[i].hard) && !cuts[i].split {
			cuts[i].unit = cuts[i].hard
			set()
		}
	}
	for s.Run > enough() && halve(cuts) {
		set()
	}
	if s.Run > room() {
		return pl.refuse(s)
	}
	for i := len(cuts) - 1; i >= 0; i-- {
		for cuts[i].times < cuts[i].unit.Count() {
			old := cuts[i].times
			run, hold := s.Run, s.Hold
			cuts[i].times = min(2*old, cuts[i].unit.Count())
			set()
			if s.Run > max(target(), min(smallBytes, room())) || !pl.worthIt(s) {
				cuts[i].times = old
				s.Tiles = gridOf(s.Body.Shape, cuts)
				s.Run, s.Hold = run, hold
				return nil
			}
		}
	}
	return nil
}

// worthIt reports whether tiles as large as s has them still leave enough tasks, and tasks small enough.
func (pl *planner) worthIt(s *Stage) bool {
	t := s.Tiles.MaxChunk()
	if t.Size() > pl.opt.TileElements {
		return false
	}
	cells := int64(1)
	for i := range t {
		if s.free[i] {
			continue
		}
		for _, f := range s.Folds {
			if f.Cells.Set.Has(i) {
				cells *= cellsIn(t[i], f.Cells.Axes[i])
				break
			}
		}
	}
	if cells > tileCells {
		return false
	}
	work := t.Size() * 8
	return work <= smallBytes || s.Len() >= int64(tilesEach*pl.opt.Workers)
}

// cellsIn returns how many chunks of a a tile of length n has at most.
func cellsIn(n int64, a chunk.Axis) int64 {
	if a.Count() <= 1 {
		return 1
	}
	if a.Edges == nil {
		return (n + a.Step - 1) / a.Step
	}
	return min(n, a.Count())
}

// halve cuts the outermost axis that can still be cut; false when there is none.
func halve(cuts []axisCut) bool {
	for i := range cuts {
		c := &cuts[i]
		if !c.split || c.unit.Max() <= 1 {
			continue
		}
		c.unit = chunk.Axis{Len: c.unit.Len, Step: (c.unit.Max() + 1) / 2}
		return true
	}
	return false
}

// refuse returns the error of a stage whose smallest task does not fit.
func (pl *planner) refuse(s *Stage) error {
	need := s.Run + s.Hold + pl.floor(s)
	names := pl.plan.StageName(s)
	return fmt.Errorf("sched: %s stage %d needs %s of host memory for one task of shape %v, budget is %s; %sraise --memory to %s: %w",
		names, len(pl.plan.Stages), Bytes(need), s.Tiles.MaxChunk(), Bytes(pl.opt.Budget), pl.advice(s), Bytes(roundUp(need)), ErrBudget)
}

// advice names the axis whose chunks make the task large, where there is one.
func (pl *planner) advice(s *Stage) string {
	worst, most := -1, int64(1)
	t := s.Tiles.MaxChunk()
	for i, n := range t {
		if n > most {
			worst, most = i, n
		}
	}
	if worst < 0 {
		return ""
	}
	return fmt.Sprintf("rechunk axis %d from %d to %d or ", worst, most, max(1, most/2))
}

// roundUp rounds bytes up to a number people type: a multiple of 16 MiB, below that of 1 MiB.
func roundUp(n int64) int64 {
	step := int64(1 << 20)
	if n > 64<<20 {
		step = 16 << 20
	}
	return (n + step - 1) / step * step
}

// Bytes formats a number of bytes: 1.5 GiB.
func Bytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	v, u := float64(n), 0
	for v >= 1024 && u < len(units)-1 {
		v /= 1024
		u++
	}
	if u == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[u])
}
