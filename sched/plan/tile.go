// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// Sizes of tiles. A task of a MiB or two costs far more than its dispatch and
// leaves room for several in flight.
const (
	mapBytes     = 2 << 20  // a task's bill grows to this, where the budget allows: what it reads and writes is in the second-level cache
	tileBytes    = 8 << 20  // the same where it folds, which it writes little of, or a GPU is there, which every task crosses a bus to
	copyBytes    = 64 << 20 // the same where it reads parts of many chunks of copies on disk: larger ones are longer
	tileElements = 1 << 21  // and its loop to this many elements
	tileCells    = 1 << 12  // and no task has more fold cells
	smallBytes   = 1 << 18  // below this, tiles grow without regard to the number of workers
	tilesEach    = 4        // tiles wanted for each worker
	groupedBytes = 2 << 20  // the partials of a task's grouped cells
)

// axisCut is how tiles, and the steps inside a tile, cut one axis while they are being chosen.
type axisCut struct {
	unit  chunk.Axis // the smallest tile: whole cells and whole chunks of sinks
	hard  chunk.Axis // what unit may be exchanged for when it is too large
	split bool       // no constraint: the unit may be cut anywhere
	whole bool       // a fold needs steps as they are
	times int64      // units in a tile
	fine  chunk.Axis // the smallest step
	steps int64      // of those in a step
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
	s.slabs = slabs(items[0].loop.Grid)
	for i := range cuts {
		c := &cuts[i]
		natural := items[0].loop.Grid.Axes[i]
		c.split, c.times, c.steps = true, 1, 1
		demand := func(a chunk.Axis) {
			if !c.split {
				a = meet(c.hard, a)
			}
			c.hard, c.split = a, false
		}
		if s.Body.whole(i) {
			n := s.Body.Shape[i]
			demand(chunk.Axis{Len: n, Step: max(n, 1)})
		}
		for _, f := range s.Folds {
			if f.Cells.Set.Has(i) {
				demand(f.Cells.Axes[i])
			}
		}
		for _, f := range s.Folds {
			for _, o := range f.Direct {
				if sink := pl.plan.Outputs[o].Sink; sink != nil && !f.Cells.Set.Has(i) {
					demand(sink.Grid().Axes[f.ResultAxis(i)])
				}
			}
		}
		for _, a := range s.Body.blocks(i) {
			if c.split || meet(c.hard, a).Max() == max(c.hard.Max(), a.Max()) {
				demand(a)
			}
		}
		// Steps need whole cells, unless folds go on in the next one, and whole chunks of what a fold writes itself.
		c.fine = natural
		if !c.split && i != s.Within {
			c.fine = c.hard
		}
		c.whole = !c.split
		for _, w := range s.Writes {
			if sink := pl.plan.Outputs[w.Output].Sink; sink != nil && pl.plan.free(s, w) == nil {
				demand(sink.Grid().Axes[i])
			}
		}
		c.unit = natural
		if c.split {
			c.hard = natural
		} else {
			c.unit = meet(c.hard, natural)
		}
	}
	return cuts
}

// whole reports whether a function computes its regions whole along a loop axis: parts of one would each compute all of it.
func (b *Body) whole(axis int) bool {
	for _, l := range b.Leaves {
		if l.Part == nil || l.Part.Opaque == nil {
			continue
		}
		for i, m := range l.Axes {
			if m.Loop == axis && l.Part.Opaque.Whole.Has(i) {
				return true
			}
		}
	}
	return false
}

// gridOf returns the grid of the cuts.
func gridOf(shape chunk.Shape, cuts []axisCut) chunk.Grid {
	g := chunk.Grid{Shape: shape, Axes: make([]chunk.Axis, len(cuts))}
	for i := range cuts {
		g.Axes[i] = cuts[i].axis()
	}
	return g
}

// tiler chooses the tiles and steps of one stage.
type tiler struct {
	pl      *planner
	s       *Stage
	cuts    []axisCut
	stepped bool
	cut     bool  // tiles or steps are cut, and may be cut further
	fixed   int64 // bytes of a task that do not depend on its tile
}

// set computes what follows from the cuts.
func (t *tiler) set() {
	t.s.Tiles = gridOf(t.s.Body.Shape, t.cuts)
	t.s.Steps = t.s.Tiles.Axes
	if t.stepped {
		t.s.Steps = make([]chunk.Axis, len(t.cuts))
		for i := range t.cuts {
			t.s.Steps[i] = widen(t.cuts[i].fine, t.cuts[i].steps)
		}
	}
	t.s.Run, t.s.Hold = t.pl.bill(t.s)
}

// room returns the bytes there are for tasks.
func (t *tiler) room() int64 { return t.pl.opt.Budget - t.s.Hold - t.pl.floor(t.s) }

// inBand reports whether no tile crosses bands along axis i.
func (t *tiler) inBand(i int) bool { return t.s.inBand(i, t.cuts[i].axis()) }

// target returns the bytes a task should have: enough to be worth its dispatch, few enough for all in flight.
func (t *tiler) target() int64 {
	return min(t.worth()+t.fixed, t.room()*3/4/int64(2*t.pl.opt.Workers))
}

// worth returns the bytes beside codecs' from which larger tasks gain nothing.
func (t *tiler) worth() int64 {
	switch {
	case t.pl.readsCopies(t.s):
		return copyBytes
	case len(t.s.Folds) > 0 || t.pl.opt.Far:
		return tileBytes
	}
	return mapBytes
}

// broad returns the bytes a task may have when larger tasks save work.
func (t *tiler) broad() int64 { return t.room() * 3 / 4 / int64(t.pl.opt.Workers) }

// tile chooses the execution tiles of s: whole fold cells and whole chunks of
// sinks, as large as is useful, small enough that 2 tasks for each worker fit. A tile
// that has to be larger than is useful is computed in steps.
func (pl *planner) tile(s *Stage, items []*item) error {
	cost, err := pl.tileAs(s, items, false)
	if !s.reduces() || err == nil && cost*float64(pl.opt.Workers) < 1.1 {
		return err
	}
	// Tiles as long as the folded axes need no partials of other tasks.
	first := *s
	if long, errLong := pl.tileAs(s, items, true); errLong == nil && (err != nil || long < 0.95*cost) {
		return nil
	}
	*s = first
	return err
}

// reduces reports whether the stage has folds, none of them with groups.
func (s *Stage) reduces() bool {
	return len(s.Folds) > 0 && !slices.ContainsFunc(s.Folds, func(f *Fold) bool { return f.Groups > 0 })
}

// tileAs chooses tiles, those that are as long as the folded axes if long, and returns their cost.
func (pl *planner) tileAs(s *Stage, items []*item, long bool) (float64, error) {
	s.Crew = 1
	t := &tiler{pl: pl, s: s, cuts: pl.cuts(s, items), fixed: pl.codecs(s)}
	if long {
		for i := range t.cuts {
			if !s.free[i] {
				t.cuts[i].times = max(t.cuts[i].unit.Count(), 1)
				if !t.inBand(i) {
					t.cuts[i].times = 1
				}
			}
		}
	}
	t.set()
	if s.Tiles.Shape.Size() == 0 {
		return 0, nil
	}
	for i := range t.cuts {
		c := &t.cuts[i]
		if (s.Run > t.target() || !pl.worthIt(s)) && !c.unit.Equal(c.hard) && !c.split {
			c.unit = c.hard
			t.set()
		}
	}
	if s.Run > t.target() {
		t.step()
	}
	// Chunks that must be decoded whole are cut only when not even two tasks fit.
	whole := pl.decodes(s.Body)
	for {
		enough := t.target()
		switch {
		case whole && long:
			enough = max(enough, t.room())
		case whole:
			enough = max(enough, t.room()/2)
		}
		if s.Run <= enough || !t.cutTile() && (s.Run <= t.room() || !t.cutStep()) {
			break
		}
	}
	if s.Run > t.room() {
		return 0, pl.refuse(s)
	}
	t.grow()
	s.narrow = s.Hold + s.Run*min(s.Len(), int64(pl.opt.Workers))
	t.narrower()
	t.widenToSave()
	return t.cost(), nil
}

// share lets the workers that find no room for a task of their own work at those of others.
func (t *tiler) share() {
	t.s.Crew = 1
	t.set()
	if t.s.Run <= smallBytes {
		return
	}
	atOnce := min(t.s.Len(), t.room()/t.s.Run)
	if crew := int64(t.pl.opt.Workers) / max(atOnce, 1); crew > 1 {
		t.s.Crew = int(crew)
		if t.set(); t.s.Run > t.room() {
			t.s.Crew = 1
			t.set()
		}
	}
}

// step computes tiles in steps where that makes tasks smaller.
func (t *tiler) step() {
	finer := false
	for i := range t.cuts {
		finer = finer || t.cuts[i].fine.Max() < t.cuts[i].unit.Max()
	}
	if !finer {
		return
	}
	t.stepped = true
	t.set()
	limit := min(t.s.Run+t.worth(), max(t.broad(), t.s.Run))
	for i := len(t.cuts) - 1; i >= 0; i-- {
		c := &t.cuts[i]
		for c.steps < c.fine.Count() && widen(c.fine, c.steps).Max() < c.axis().Max() {
			old := c.steps
			c.steps = min(2*old, c.fine.Count())
			t.set()
			if s := t.stepShape(); t.s.Run > limit || s.Size() > t.pl.opt.TileElements {
				c.steps = old
				t.set()
				return
			}
		}
	}
}

func (t *tiler) stepShape() chunk.Shape { return t.s.stepShape(t.s.Tiles.MaxChunk()) }

// grow widens tiles from the last axis on until tasks are large enough.
func (t *tiler) grow() {
	s := t.s
	for i := len(t.cuts) - 1; i >= 0 && !t.stepped; i-- {
		c := &t.cuts[i]
		for c.times < c.unit.Count() {
			old, hold := c.times, s.Hold
			limit := max(t.target(), min(smallBytes, t.room()))
			c.times = min(2*old, c.unit.Count())
			t.set()
			if s.Run > limit || !t.inBand(i) || !t.pl.worthIt(s) || s.Hold > hold && s.Hold > t.pl.opt.Budget/4 {
				c.times = old
				t.set()
				return
			}
		}
	}
}

// widenToSave widens tiles further where chunks are then decoded less often: of all
// widths that fit, the one with the least cost.
func (t *tiler) widenToSave() {
	if t.pl.waste(t.s) <= 1.05 {
		return
	}
	best, cost := t.times(), t.cost()
	for i := len(t.cuts) - 1; i >= 0; i-- {
		c := &t.cuts[i]
		for c.times < c.unit.Count() {
			old := c.times
			c.times = min(2*old, c.unit.Count())
			t.s.Crew = 1
			if t.set(); t.s.Run > t.room() || !t.inBand(i) {
				c.times = old
				break
			}
			if now := t.cost(); now < 0.95*cost {
				best, cost = t.times(), now
			}
		}
	}
	for i := range t.cuts {
		t.cuts[i].times = best[i]
	}
	t.share()
}

// times returns the units in a tile along each axis.
func (t *tiler) times() []int64 {
	out := make([]int64, len(t.cuts))
	for i := range t.cuts {
		out[i] = t.cuts[i].times
	}
	return out
}

// cost estimates the time of the stage: how often it decodes, over how many threads are at work. It sets how many share a task.
func (t *tiler) cost() float64 {
	t.share()
	atOnce := max(1, min(t.s.Len(), t.room()/max(t.s.Run, 1))) * int64(t.s.Crew)
	return t.pl.waste(t.s) / float64(min(int64(t.pl.opt.Workers), atOnce))
}

// waste returns how many bytes a stage decodes for each byte it wants, of sources whose chunks can only be had whole and of those that
// read scattered elements with what lies between them.
func (pl *planner) waste(s *Stage) float64 {
	want, decoded := 0.0, 0.0
	for _, l := range s.Body.Leaves {
		if l.Kind != Stored || pl.plan.Sources[l.Store].Keep {
			continue
		}
		src := pl.plan.Sources[l.Store].Source
		n := float64(l.Count(s.Body.Shape) * l.ItemBytes)
		if _, regions := src.(formats.RegionReader); !regions {
			want += n
			decoded += n * pl.plan.decodesOf(l, s.cutting())
		} else if c, ok := src.(formats.RegionCoster); ok && !l.gathers() && !l.skips() {
			shape := make(chunk.Shape, len(l.Axes))
			for i, m := range l.Axes {
				shape[i] = 1
				if m.Loop >= 0 {
					lo, hi := m.Span(0, s.Tiles.Axes[m.Loop].Max())
					shape[i] = hi - lo
				}
			}
			if part := shape.Size() * l.ItemBytes; part > 0 {
				want += n
				decoded += n * float64(c.RegionBytes(shape)) / float64(part)
			}
		}
	}
	if want == 0 {
		return 1
	}
	return decoded / want
}

// worthIt reports whether tiles as large as s has them still leave enough tasks, and tasks small enough.
func (pl *planner) worthIt(s *Stage) bool {
	t := s.Tiles.MaxChunk()
	elements, tasks := pl.opt.TileElements, int64(tilesEach*pl.opt.Workers)
	if pl.readsCopies(s) {
		elements, tasks = elements*copyBytes/tileBytes, int64(pl.opt.Workers)
	}
	if t.Size() > elements {
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
	for _, f := range s.Folds {
		// Cells of groups wait for their turn one by one: more of them in a task gain nothing.
		if f.Groups > 0 && cells > 1 && cells*pl.groupBytes(s, f, t) > groupedBytes {
			return false
		}
	}
	work := t.Size() * 8
	for _, l := range s.Body.Leaves {
		if l.Kind == Inner && l.Part.Opaque != nil && l.Part.Opaque.Work != nil {
			work += int64(l.Part.Opaque.Work(pl.regionShape(l, t)))
		}
	}
	return work <= smallBytes || s.Len() >= tasks
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
