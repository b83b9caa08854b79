// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// Memory is implemented by sources whose elements are in memory already: Whole
// returns them as one chunk, borrowed, valid as long as the source is.
type Memory interface {
	Whole() *chunk.Chunk
}

// inMemory is why such a source is not kept.
const inMemory = "is in memory"

// use is what one stage asks of a source.
type use struct {
	stage int
	leaf  *Leaf
	loop  chunk.Shape
	reads float64 // how often each wanted element is decoded
}

// lifetimes finds how long results live and decides which sources are kept,
// then checks that every stage still fits.
func (pl *planner) lifetimes() error {
	pl.copiesLast()
	err := pl.lives()
	if len(pl.plan.Chains) == 0 || !errors.Is(err, ErrBudget) {
		return err
	}
	pl.unchained = true
	pl.plan.Chains = nil
	for _, s := range pl.plan.Stages {
		if s.cut != nil {
			s.cut, s.bands, s.Kept = nil, nil, 0
			if err := pl.tile(s, s.items); err != nil {
				return err
			}
		}
	}
	return pl.lives()
}

// lives is lifetimes, with chains unless they are ruled out.
func (pl *planner) lives() error {
	p := pl.plan
	p.Least, p.Peak = 0, 0
	for _, r := range p.Results {
		r.Last = -1
	}
	for _, src := range p.Sources {
		src.Keep, src.Chain, src.band, src.Box = false, nil, nil, chunk.Region{}
	}
	uses := make([][]use, len(p.Sources))
	for i, s := range p.Stages {
		for _, k := range s.Made() {
			r := p.Results[k]
			r.Made, r.Last = i, max(r.Last, i)
		}
		for _, w := range s.Writes {
			for _, sp := range p.Spills {
				if sp.Output == w.Output {
					p.Results[sp.Result].Made = i
				}
			}
		}
		visitCut(s.Body, s.cutting(), func(l *Leaf, b *Body, c cutting) {
			switch l.Kind {
			case Computed:
				p.Results[l.Store].Last = max(p.Results[l.Store].Last, i)
			case Stored:
				uses[l.Store] = append(uses[l.Store], use{i, l, b.Shape, p.decodesOf(l, c)})
			}
		})
	}
	for i, s := range p.Stages {
		s.Kept = 0
		for _, r := range p.Results {
			if r.Made <= i && i <= r.Last {
				s.Kept += mem.ClassBytes(r.Bytes())
			}
		}
	}
	pl.keep(uses)
	for i, s := range p.Stages {
		s.Run, s.Hold = pl.bill(s)
		kept := slices.ContainsFunc(p.Sources, func(src *Source) bool { return src.Keep && src.First <= i && i <= src.Last })
		if kept || s.Run+s.Hold+s.Kept > pl.opt.Budget {
			if err := pl.tile(s, s.items); err != nil {
				return err
			}
		}
	}
	if err := pl.chained(); err != nil {
		return err
	}
	for i, src := range p.Sources {
		src.Blocks = src.Chain != nil && !slices.ContainsFunc(uses[i], func(u use) bool { return !u.inChunks(p.Stages[u.stage], src) })
	}
	for _, s := range p.Stages {
		p.Least = max(p.Least, s.Kept+s.Hold+s.Run)
		n := min(s.Len(), int64(2*pl.opt.Workers))
		p.Peak = max(p.Peak, min(s.Kept+s.Hold+n*s.Run, max(pl.opt.Budget, s.Kept+s.Hold+s.Run)))
	}
	return nil
}

// inChunks reports whether each step of the stage asks for a part of one chunk of the source.
func (u use) inChunks(s *Stage, src *Source) bool {
	if !slices.Contains(s.Body.Leaves, u.leaf) {
		return false
	}
	for i, a := range src.Source.Meta().Grid.Axes {
		m := u.leaf.Axes[i]
		if m.Loop >= 0 && a.Count() > 1 && (!m.follows() || u.loop[m.Loop] != a.Len || !meet(s.Steps[m.Loop], a).Equal(a)) {
			return false
		}
	}
	return true
}

// visit calls f for every leaf of a body and of the parts inside it.
func visit(b *Body, f func(l *Leaf, b *Body)) {
	for _, l := range b.Leaves {
		f(l, b)
		if l.Kind == Inner {
			for _, in := range l.Part.In {
				visit(in, f)
			}
		}
	}
}

// keep marks the sources that are read more than once and fit beside everything
// else, those with the most to gain first.
func (pl *planner) keep(uses [][]use) {
	p := pl.plan
	var order []int
	for i, src := range p.Sources {
		if len(uses[i]) == 0 {
			continue
		}
		src.First, src.Last = uses[i][0].stage, uses[i][0].stage
		for _, u := range uses[i] {
			src.First, src.Last = min(src.First, u.stage), max(src.Last, u.stage)
			src.Box = grow(src.Box, u)
		}
		for k, lo := range src.Box.Lo {
			src.Box.Lo[k] = max(lo, 0)
		}
		src.Reads = 0
		for _, u := range uses[i] { // each of its part of the box
			src.Reads += u.reads * min(1, float64(u.leaf.Count(u.loop))/float64(max(src.Box.Size(), 1)))
		}
		if _, ok := src.Source.(Memory); ok {
			src.Why = inMemory
			continue
		}
		if src.Reads > 1.01 {
			order = append(order, i)
		} else {
			src.Why = "is read once"
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p.Sources[b].Reads, p.Sources[a].Reads) })
	for _, i := range order {
		src := p.Sources[i]
		if !src.Node.DType.IsNumeric() {
			src.Why = fmt.Sprintf("is read ×%.3g: its elements vary in length", src.Reads)
			continue
		}
		bytes := src.boxBytes()
		room := p.Budget
		for s := src.First; s <= src.Last; s++ {
			room = min(room, p.Budget-p.Stages[s].Kept-p.Stages[s].narrow)
		}
		if (bytes > room || pl.opt.Chains == ChainsAlways) && pl.chain(src, i, uses) {
			continue
		}
		if bytes > room {
			src.Why = fmt.Sprintf("is read ×%.3g: keeping %s decoded does not fit beside the rest (%s left)", src.Reads, Bytes(bytes), Bytes(max(room, 0)))
			continue
		}
		src.Keep = true
		src.Why = fmt.Sprintf("is decoded once and kept, %s: it is wanted ×%.3g", Bytes(bytes), src.Reads)
		for s := src.First; s <= src.Last; s++ {
			p.Stages[s].Kept += bytes
		}
	}
}

// grow returns the smallest box that holds box and what u reads.
func grow(box chunk.Region, u use) chunk.Region {
	if box.Lo == nil {
		box = chunk.Region{Lo: make(chunk.Shape, len(u.leaf.Axes)), Hi: make(chunk.Shape, len(u.leaf.Axes))}
		for i := range box.Lo {
			box.Lo[i] = -1
		}
	}
	for i, m := range u.leaf.Axes {
		n := int64(1)
		if m.Loop >= 0 {
			n = u.loop[m.Loop]
		}
		lo, hi := m.Span(0, n)
		if hi <= lo {
			continue
		}
		if box.Lo[i] < 0 || lo < box.Lo[i] {
			box.Lo[i] = lo
		}
		box.Hi[i] = max(box.Hi[i], hi)
	}
	return box
}
