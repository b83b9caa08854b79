// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"
	"sort"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Chain is a run of stages that take turns, band by band: all of them compute what they make of one band of their sources, which is decoded
// once and kept for them, before the first goes on to the next band. It is for sources that stages need one after
// another and that do not fit in memory whole: x - x.mean(0) needs of the mean what its own band makes.
type Chain struct {
	First, Last int          // stages
	Axes        []chunk.Axis // the bands, along some axes of the sources
	loops       [][]int      // by stage from First on: the loop axis that each of Axes is
}

// Chains says which stages take turns.
type Chains uint8

const (
	ChainsSave   Chains = iota // those that then decode a source once, whose whole has no room
	NoChains                   // none
	ChainsAlways               // all that can, in the narrowest bands
)

// grid returns the bands as chunks.
func (c *Chain) grid() chunk.Grid {
	g := chunk.Grid{Axes: c.Axes}
	for _, a := range c.Axes {
		g.Shape = append(g.Shape, a.Len)
	}
	return g
}

// Len returns the number of bands.
func (c *Chain) Len() int64 { return c.grid().Len() }

// key returns the place of band b along each axis.
func (c *Chain) key(b int64) chunk.Key {
	k := make(chunk.Key, len(c.Axes))
	for i := len(k) - 1; i >= 0; i-- {
		n := c.Axes[i].Count()
		k[i] = b % n
		b /= n
	}
	return k
}

// Box returns what band b has of a source of the chain.
func (c *Chain) Box(b int64, src *Source) chunk.Region {
	box := src.Box.Clone()
	for i, k := range c.key(b) {
		a := src.band[i]
		lo, hi := c.Axes[i].Bounds(k)
		box.Lo[a], box.Hi[a] = max(lo, box.Lo[a]), min(hi, box.Hi[a])
	}
	return box
}

// Largest returns a shape that no band of a source of the chain exceeds.
func (c *Chain) Largest(src *Source) chunk.Shape {
	shape := src.Box.Shape()
	for i, a := range src.band {
		shape[a] = min(shape[a], c.Axes[i].Max())
	}
	return shape
}

// boxBytes bounds what a band of a source takes in memory.
func (c *Chain) boxBytes(src *Source) int64 {
	return mem.ClassBytes(c.Largest(src).Size() * int64(src.Node.ItemBytes))
}

// Chain returns the chain that begins with stage i, nil if there is none.
func (p *Plan) Chain(i int) *Chain {
	for _, c := range p.Chains {
		if c.First == i {
			return c
		}
	}
	return nil
}

// chainOf returns the chain that stage i is in, nil if there is none.
func (p *Plan) chainOf(i int) *Chain {
	for _, c := range p.Chains {
		if c.First <= i && i <= c.Last {
			return c
		}
	}
	return nil
}

// bands numbers the tasks of a stage band by band.
type bands struct {
	first []int64     // by band: its first task; and the number of all
	lo    []chunk.Key // by band: its first tile along each loop axis
	count []chunk.Key // and how many there are
}

// Tasks returns the tasks of stage s in band b: first and behind the last.
func (s *Stage) Tasks(b int64) (from, to int64) {
	if s.bands == nil {
		return 0, s.Len()
	}
	return s.bands.first[b], s.bands.first[b+1]
}

// number sets bands from tiles that lie in one band each.
func (s *Stage) number(c *Chain) {
	loops := c.loops[s.ID-c.First]
	n := c.Len()
	s.bands = &bands{first: make([]int64, n+1)}
	for b := range n {
		lo, count := make(chunk.Key, len(s.Tiles.Axes)), make(chunk.Key, len(s.Tiles.Axes))
		for i, a := range s.Tiles.Axes {
			count[i] = a.Count()
		}
		for i, k := range c.key(b) {
			t := s.Tiles.Axes[loops[i]]
			from, to := c.Axes[i].Bounds(k)
			lo[loops[i]] = t.Find(from)
			count[loops[i]] = t.Find(to-1) + 1 - lo[loops[i]]
		}
		tasks := int64(1)
		for _, m := range count {
			tasks *= m
		}
		s.bands.first[b+1] = s.bands.first[b] + tasks
		s.bands.lo, s.bands.count = append(s.bands.lo, lo), append(s.bands.count, count)
	}
}

// find returns the band of task i, and its number in there.
func (b *bands) find(i int64) (band int, j int64) {
	band = sort.Search(len(b.lo), func(k int) bool { return b.first[k+1] > i })
	return band, i - b.first[band]
}

// copiesLast moves stages that only write results behind the stages that read a source which may have to be kept in bands.
func (pl *planner) copiesLast() {
	p := pl.plan
	for i, src := range p.Sources {
		if _, ok := src.Source.(Memory); ok || pl.opt.Chains == NoChains || src.Bytes() < pl.opt.Budget/2 && pl.opt.Chains == ChainsSave {
			continue
		}
		first, last, cut := len(p.Stages), -1, false
		for k, s := range p.Stages {
			if s.reads(func(l *Leaf) bool { return l.Kind == Stored && l.Store == i }) {
				first, last = min(first, k), k
			}
			if k == first {
				cut = s.keepsCut(i, src.Source.Meta().Grid)
			}
		}
		if !cut {
			continue
		}
		var moved []*Stage
		stay := p.Stages[:0:0]
		for k, s := range p.Stages {
			if first < k && k < last && len(s.Folds) == 0 && s.Scan == nil && !s.Reads() {
				moved = append(moved, s)
			} else {
				stay = append(stay, s)
			}
			if k == last {
				stay = append(stay, moved...)
			}
		}
		p.Stages = stay
	}
	for k, s := range p.Stages {
		s.ID = k
	}
}

// keepsCut reports whether the stage reads a source of several chunks along an axis that no fold of the stage reduces.
func (s *Stage) keepsCut(source int, grid chunk.Grid) bool {
	for _, l := range s.Body.Leaves {
		if l.Kind != Stored || l.Store != source {
			continue
		}
		for k, m := range l.Axes {
			if m.follows() && s.free[m.Loop] && grid.Axes[k].Count() > 1 {
				return true
			}
		}
	}
	return false
}

// chain tries to let the stages that want a source take turns, so that it is decoded once; false where they cannot, or no band fits.
func (pl *planner) chain(src *Source, index int, uses [][]use) bool {
	p := pl.plan
	if pl.opt.Chains == NoChains || pl.unchained || src.First == src.Last {
		return false
	}
	if c := p.chainOf(src.First); c != nil && src.Last <= c.Last {
		return pl.join(c, src, uses[index])
	}
	for i := src.First; i <= src.Last; i++ {
		if p.chainOf(i) != nil || p.Stages[i].Scan != nil { // the tiles of a scan have an order of their own
			return false
		}
	}
	c := &Chain{First: src.First, Last: src.Last, loops: make([][]int, src.Last-src.First+1)}
	meta := src.Source.Meta()
	for k := range src.Box.Lo {
		loops, ok := pl.loopsOf(c, index, k, uses[index])
		for i, l := range loops {
			ok = ok && !slices.Contains(c.loops[i], l)
		}
		if !ok {
			continue
		}
		// No chunk and no smallest tile lies in two bands.
		cut := meta.Grid.Axes[k]
		for i, l := range loops {
			s := p.Stages[c.First+i]
			cut = meet(cut, pl.cuts(s, s.items)[l].unit)
		}
		if cut.Count() <= 1 {
			continue
		}
		c.Axes = append(c.Axes, cut)
		src.band = append(src.band, k)
		for i, l := range loops {
			c.loops[i] = append(c.loops[i], l)
		}
	}
	room := p.Budget
	for i := c.First; i <= c.Last; i++ {
		room = min(room, p.Budget-pl.keptIn(c, i)-p.Stages[i].narrow)
	}
	if len(c.Axes) == 0 || c.boxBytes(src) > room {
		src.band = nil
		return false
	}
	if pl.opt.Chains != ChainsAlways {
		// Others that the stages read more than once want their bands too.
		rivals, tasks := int64(1), p.Stages[c.First].Len()
		for _, x := range p.Sources {
			if _, ok := x.Source.(Memory); !ok && x != src && !x.Keep && x.Reads > 1.01 && x.First <= c.Last && x.Last >= c.First {
				rivals++
			}
		}
		for _, s := range p.Stages[c.First : c.Last+1] {
			tasks = min(tasks, s.Len())
		}
		c.widen(src, room/rivals, tasks, int64(tilesEach*pl.opt.Workers))
	}
	p.Chains = append(p.Chains, c)
	pl.keepBands(c, src)
	for i := c.First; i <= c.Last; i++ {
		s := p.Stages[i]
		s.Kept = pl.keptIn(c, i) + c.boxBytes(src)
		s.cut = make([]chunk.Axis, len(s.Body.Shape))
		for j, l := range c.loops[i-c.First] {
			s.cut[l] = c.Axes[j]
		}
	}
	return true
}

// join lets a chain keep the bands of another source of its stages.
func (pl *planner) join(c *Chain, src *Source, uses []use) bool {
	p := pl.plan
	for j, a := range c.Axes {
		for k, g := range src.Source.Meta().Grid.Axes {
			other := func(u use) bool {
				m := u.leaf.Axes[k]
				return !m.follows() || m.Loop != c.loops[u.stage-c.First][j] || u.leaf.Gather == m.Loop || !slices.Contains(p.Stages[u.stage].Body.Leaves, u.leaf)
			}
			if g.Len == a.Len && !slices.ContainsFunc(uses, other) && meet(g, a).Equal(a) {
				src.band = append(src.band, k)
				break
			}
		}
	}
	fits := len(src.band) == len(c.Axes)
	for i := c.First; i <= c.Last && fits; i++ {
		fits = p.Stages[i].Kept+p.Stages[i].narrow+c.boxBytes(src) <= p.Budget
	}
	if !fits {
		src.band = nil
		return false
	}
	pl.keepBands(c, src)
	for i := c.First; i <= c.Last; i++ {
		p.Stages[i].Kept += c.boxBytes(src)
	}
	return true
}

// keepBands has the bands of a source kept.
func (pl *planner) keepBands(c *Chain, src *Source) {
	src.Keep, src.Chain = true, c
	src.Why = fmt.Sprintf("is decoded once, in bands of %v, %s each: stages %d to %d take turns on each of them", c.Largest(src), Bytes(c.boxBytes(src)), c.First, c.Last)
}

// widen makes the bands so large that each has enough of the tasks, if that fits: pages of wider ones would have to be cleared for nothing.
func (c *Chain) widen(src *Source, room, tasks, enough int64) {
	for j := len(c.Axes) - 1; j >= 0; j-- {
		unit := c.Axes[j]
		best := unit
		for n := unit.Count() - 1; n >= 1; n-- { // bands along the axis
			if c.Axes[j] = best; tasks/c.Len() >= enough {
				return
			}
			c.Axes[j] = widen(unit, (unit.Count()+n-1)/n)
			if c.boxBytes(src) > room {
				break
			}
			best = c.Axes[j]
		}
		c.Axes[j] = best
		if best.Count() > 1 {
			return
		}
	}
}

// keptIn returns the bytes that live while stage i of the chain runs, those that the others make included.
func (pl *planner) keptIn(c *Chain, i int) int64 {
	total := pl.plan.Stages[i].Kept
	for _, r := range pl.plan.Results {
		if alive := r.Made <= i && i <= r.Last; !alive && r.Made <= c.Last && r.Last >= c.First {
			total += mem.ClassBytes(r.Bytes())
		}
	}
	return total
}

// loopsOf returns the loop axis of each stage of the chain that axis k of the source is; false where bands along it would not do:
// some stage reads the source, or what others make of it, not position by position along the axis, or not only in its own band.
func (pl *planner) loopsOf(c *Chain, source, k int, uses []use) ([]int, bool) {
	p := pl.plan
	loops := make([]int, len(c.loops))
	for i := range loops {
		loops[i] = -1
	}
	size := p.Sources[source].Node.Shape()[k]
	for _, u := range uses {
		m := u.leaf.Axes[k]
		at := &loops[u.stage-c.First]
		if !m.follows() || u.leaf.Gather == m.Loop || u.loop[m.Loop] != size || *at >= 0 && *at != m.Loop || !slices.Contains(p.Stages[u.stage].Body.Leaves, u.leaf) {
			return nil, false
		}
		*at = m.Loop
	}
	for i := len(loops) - 1; i >= 0; i-- {
		if loops[i] < 0 {
			loops[i] = pl.loopOfMaker(c, i, loops)
		}
		if l := loops[i]; l < 0 || p.Stages[c.First+i].Body.Shape[l] != size {
			return nil, false
		}
	}
	for i, l := range loops {
		s, ok := p.Stages[c.First+i], true
		if s.Len() == 0 {
			return nil, false
		}
		for _, f := range s.Folds {
			ok = ok && (f.Groups == 0 || !f.Cells.Set.Has(l))
		}
		for _, leaf := range s.Body.Leaves {
			ok = ok && pl.ownBand(c, loops, leaf, l)
		}
		if !ok {
			return nil, false
		}
	}
	return loops, true
}

// loopOfMaker returns the loop axis of stage i of a chain, which does not read the source, that becomes the axis along which those who read what it
// folds have their bands; -1 where there is none.
func (pl *planner) loopOfMaker(c *Chain, i int, loops []int) int {
	p := pl.plan
	for k := i + 1; k < len(loops); k++ {
		for _, leaf := range p.Stages[c.First+k].Body.Leaves {
			for _, f := range p.Stages[c.First+i].Folds {
				if leaf.Kind != Computed || leaf.Store != f.Result {
					continue
				}
				for _, a := range f.Kept {
					if m := leaf.Axes[f.ResultAxis(a)]; m.follows() && m.Loop == loops[k] {
						return a
					}
				}
			}
		}
	}
	return -1
}

// follows reports whether the axis is a loop axis, position by position.
func (m AxisMap) follows() bool { return m.Loop >= 0 && m.IDs == nil && m.Step == 1 && m.Start == 0 }

// ownBand reports whether all that a leaf has of results of the chain is made by the band it is read for: along axis l of its loop, -1
// for an axis of a part that is not the loop's.
func (pl *planner) ownBand(c *Chain, loops []int, leaf *Leaf, l int) bool {
	p := pl.plan
	switch leaf.Kind {
	case Computed:
		made := p.Results[leaf.Store].Made
		return made < c.First || pl.sameBand(p.Stages[made], loops[made-c.First], leaf, l)
	case Stored:
		sp := p.Sources[leaf.Store].Spill
		return sp == nil || p.Results[sp.Result].Made < c.First
	case Inner:
		// The axis of the part that follows the loop's.
		inner := slices.IndexFunc(leaf.Axes, func(m AxisMap) bool { return m.follows() && m.Loop == l })
		if leaf.Gather == l || leaf.Part.Opaque != nil || leaf.Part.Node.Kind == graph.Stack && leaf.Part.Axis == inner {
			inner = -1
		}
		for _, b := range leaf.Part.In {
			for _, x := range b.Leaves {
				if !pl.ownBand(c, loops, x, inner) {
					return false
				}
			}
		}
	}
	return true
}

// sameBand reports whether a leaf reads of a fold's result, along axis l of its loop, what the band along axis from of the fold's loop made.
func (pl *planner) sameBand(maker *Stage, from int, leaf *Leaf, l int) bool {
	for _, f := range maker.Folds {
		if f.Result != leaf.Store {
			continue
		}
		if l < 0 || f.Cells.Set.Has(from) {
			return false
		}
		m := leaf.Axes[f.ResultAxis(from)]
		return m.follows() && m.Loop == l && leaf.Gather != l
	}
	return false
}

// inBand reports whether no tile along axis i crosses bands.
func (s *Stage) inBand(i int, a chunk.Axis) bool {
	return !s.banded(i) || meet(a, s.cut[i]).Equal(s.cut[i])
}

// banded reports whether axis i is cut in bands.
func (s *Stage) banded(i int) bool { return s.cut != nil && s.cut[i].Count() > 1 }

// splitsBands reports whether a fold reduces an axis of bands: its cells come in an order of their own.
func (s *Stage) splitsBands(f *Fold) bool {
	for i := range s.cut {
		if s.banded(i) && f.Cells.Set.Has(i) {
			return true
		}
	}
	return false
}

// chained numbers the tasks of chains and adds to each stage what the others hold, and what is kept for them, meanwhile.
func (pl *planner) chained() error {
	p := pl.plan
	for _, c := range p.Chains {
		for _, src := range p.Sources {
			if src.Keep && src.Chain == nil && src.First <= c.Last && src.Last >= c.First {
				bytes := src.boxBytes()
				for ; src.First > c.First; src.First-- {
					p.Stages[src.First-1].Kept += bytes
				}
				for ; src.Last < c.Last; src.Last++ {
					p.Stages[src.Last+1].Kept += bytes
				}
			}
		}
		hold := int64(0)
		for _, s := range p.Stages[c.First : c.Last+1] {
			s.number(c)
			hold += s.Hold
		}
		for _, s := range p.Stages[c.First : c.Last+1] {
			s.Kept += hold - s.Hold
			if s.Run+s.Hold+s.Kept > pl.opt.Budget {
				return pl.refuse(s)
			}
		}
	}
	return nil
}
