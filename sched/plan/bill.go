// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"math/bits"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// bill returns upper bounds: the bytes one task of s needs while it runs, and
// the bytes that live across its tasks.
func (pl *planner) bill(s *Stage) (run, hold int64) {
	t := s.Tiles.MaxChunk()
	if t.Size() == 0 {
		t = ones(len(t))
	}
	step := s.stepShape(t)
	run = pl.bodyBytes(s.Body, step, s.Tiles.Axes, s.Steps, s.callShape(step), s.Crew)
	for i, r := range s.Body.Roots {
		if pl.plan.Place(s, i) < 0 && (r.Ret >= 0 || !step.Equal(t)) {
			run += mem.ClassBytes(t.Size() * int64(max(r.Node.ItemBytes, r.Node.DType.Size())))
		}
	}
	encode := int64(0)
	for _, w := range s.Writes {
		if sink := pl.plan.Outputs[w.Output].Sink; sink != nil {
			encode = max(encode, sink.ScratchBytes())
		}
	}
	for _, f := range s.Folds {
		r, h := pl.foldBytes(s, f, t)
		run += r
		hold += h
		for _, o := range f.Direct {
			if sink := pl.plan.Outputs[o].Sink; sink != nil {
				encode = max(encode, sink.ScratchBytes())
			}
		}
	}
	if s.Scan != nil {
		r, h := pl.scanBytes(s)
		run += r
		hold += h
	}
	return run + encode*int64(s.Crew), hold
}

func ones(rank int) chunk.Shape {
	s := make(chunk.Shape, rank)
	for i := range s {
		s[i] = 1
	}
	return s
}

// callShape returns the shape of the largest kernel call in a tile of shape t:
// one cell along every axis that a fold reduces.
func (s *Stage) callShape(t chunk.Shape) chunk.Shape {
	c := t.Clone()
	for i := range c {
		for _, f := range s.Folds {
			if f.Cells.Set.Has(i) {
				c[i] = min(c[i], f.Cells.Axes[i].Max())
			}
		}
	}
	return c
}

// stepShape returns the shape of the largest step inside a tile of shape t.
func (s *Stage) stepShape(t chunk.Shape) chunk.Shape {
	c := t.Clone()
	for i := range c {
		c[i] = max(min(c[i], s.Steps[i].Max()), 1)
	}
	return c
}

// bodyBytes bounds the blocks a body holds, beside its results, while it is computed over a region of
// shape t by so many threads. The region is cut by both tiles and steps; nil where that is not known.
func (pl *planner) bodyBytes(b *Body, t chunk.Shape, tiles, steps []chunk.Axis, call chunk.Shape, crew int) int64 {
	total, extra := int64(0), int64(0)
	for _, l := range b.Leaves {
		buf, temp := pl.leafBytes(l, t, tiles, steps)
		total += buf
		if l.Kind == Stored {
			temp *= int64(crew)
		}
		extra = max(extra, temp)
	}
	if b.Kernel != nil {
		total += mem.ClassBytes(b.Kernel.Scratch(call)) * int64(crew)
	}
	return total + extra
}

// leafBytes bounds the bytes of a leaf's own buffer, and what is needed beside it while the buffer is filled.
func (pl *planner) leafBytes(l *Leaf, t chunk.Shape, tiles, steps []chunk.Axis) (buf, temp int64) {
	own := mem.ClassBytes(l.Count(t) * l.ItemBytes)
	switch l.Kind {
	case Position, Absent, Group, Picks:
		return own, 0
	case Computed:
		if l.copies() {
			return own, 0
		}
		return 0, 0
	case Stored:
		src := pl.plan.Sources[l.Store]
		if src.Keep {
			if !l.copies() {
				own = 0
			}
			return own, src.Source.ScratchBytes()
		}
		if _, ok := src.Source.(Memory); ok {
			if !l.copies() {
				own = 0
			}
			return own, 0
		}
		temp = l.decodes(src, tiles, steps)
		if !l.aligned(src.Source, tiles) || !l.aligned(src.Source, steps) {
			temp += mem.ClassBytes(src.Source.Meta().Grid.MaxChunk().Size() * l.ItemBytes)
		}
		return own, temp
	}
	region := pl.regionShape(l, t)
	whole := mem.ClassBytes(region.Size() * l.ItemBytes)
	temp = pl.partBytes(l.Part, region)
	if l.copies() {
		return own, whole + temp
	}
	return whole, temp
}

// regionShape bounds the shape of the region of an Inner leaf that a loop region of shape t reads.
func (pl *planner) regionShape(l *Leaf, t chunk.Shape) chunk.Shape {
	shape := l.Node.Shape()
	out := make(chunk.Shape, len(shape))
	for i, m := range l.Axes {
		switch {
		case l.Part.Opaque != nil && l.Part.Opaque.Whole.Has(i):
			out[i] = shape[i]
		case m.Loop < 0:
			out[i] = 1
		case m.IDs != nil:
			out[i] = min(shape[i], pl.span(m.IDs, t[m.Loop]))
		default:
			out[i] = min(shape[i], (t[m.Loop]-1)*max(m.Step, -m.Step)+1)
		}
	}
	return out
}

// spanKey names a list of positions by its memory: lists of leaves do not change.
type spanKey struct {
	first *int64
	len   int
	n     int64
}

// span is widest, remembered: lists are long, and tiles are tried one after another.
func (pl *planner) span(ids []int64, n int64) int64 {
	if len(ids) == 0 {
		return 0
	}
	k := spanKey{&ids[0], len(ids), n}
	w, ok := pl.spans[k]
	if !ok {
		w = widest(ids, n)
		pl.spans[k] = w
	}
	return w
}

// needShape bounds the shape of what a part reads of input i for a region of the shape, wherever that lies.
func (p *Part) needShape(i int, region chunk.Shape) chunk.Shape {
	need := p.Opaque.Need(i, chunk.Whole(region)).Shape()
	for k, n := range p.In[i].Shape {
		need[k] = min(need[k], n)
	}
	if p.Opaque.Near == 0 {
		return need
	}
	// At the origin a region lies best: elsewhere it may need up to Near times its size, and what needs more is halved.
	most := p.Opaque.Near * max(1, region.Size())
	for k, n := range p.In[i].Shape {
		if size := max(1, need.Size()); size < most {
			need[k] = min(n, need[k]*(most/size))
		} else if size > most {
			need[k] = max(1, need[k]/((size+most-1)/most))
		}
	}
	return need
}

// partBytes bounds what computing a part over a region of the shape needs beside its result.
func (pl *planner) partBytes(p *Part, region chunk.Shape) int64 {
	most := int64(0)
	switch {
	case p.Opaque != nil:
		for i, b := range p.In {
			need := p.needShape(i, region)
			most += pl.bodyBytes(b, need, nil, nil, need, 1)
			if !pl.plan.Viewed(p, i) {
				most += mem.ClassBytes(need.Size() * int64(b.Roots[0].Node.ItemBytes))
			}
		}
		if p.Opaque.Scratch != nil {
			most += p.Opaque.Scratch(region)
		}
	case p.Node.Kind == graph.Stack:
		for _, i := range p.Kinds {
			b := p.In[i]
			r := region.Clone()
			r[p.Axis] = min(r[p.Axis], b.Shape[p.Axis])
			most = max(most, pl.bodyBytes(b, r, nil, nil, r, 1))
		}
	default:
		most = pl.bodyBytes(p.In[0], region, nil, nil, region, 1)
	}
	return most
}

// aligned reports whether tiles cut the loop so that every chunk of the source
// lies inside one tile and is decoded straight into its buffer. Tiles of nil: not known.
func (l *Leaf) aligned(src formats.Source, tiles []chunk.Axis) bool {
	m := src.Meta()
	if _, ok := src.(formats.RegionReader); ok && !l.gathers() && !l.skips() {
		return true
	}
	if tiles == nil {
		return false
	}
	for i, x := range l.Axes {
		a := m.Grid.Axes[i]
		switch {
		case a.Max() <= 1 && x.IDs == nil && x.Step*x.Step <= 1:
		case x.Loop < 0 || x.IDs != nil || x.Step != 1:
			return false
		case !l.alignedAxis(i, tiles[x.Loop], a):
			return false
		}
	}
	return true
}

// direct reports whether every chunk of the source is decoded into one stretch of the leaf's buffer: the chunks are
// as long as the array along all axes behind the first along which they are longer than 1.
func (l *Leaf) direct(src formats.Source, tiles []chunk.Axis) bool {
	if tiles == nil || !l.aligned(src, tiles) {
		return false
	}
	long := false
	for i, x := range l.Axes {
		a := src.Meta().Grid.Axes[i]
		if long && (a.Count() > 1 || x.Loop < 0 || x.IDs != nil || x.Step != 1 || !l.alignedAxis(i, tiles[x.Loop], a)) {
			return false
		}
		long = long || a.Max() > 1
	}
	return true
}

// alignedAxis reports whether every chunk of a, read whole along axis i of the leaf, lies in one tile of t.
func (l *Leaf) alignedAxis(i int, t, a chunk.Axis) bool {
	x := l.Axes[i]
	if x.Start != 0 || t.Len != a.Len {
		return false
	}
	return t.Count() <= 1 || t.Equal(a) || a.Edges == nil && t.Edges == nil && t.Step%a.Step == 0
}

// skips reports whether an axis is read with a step other than 1 and -1.
func (l *Leaf) skips() bool {
	return slices.ContainsFunc(l.Axes, func(m AxisMap) bool { return m.Loop >= 0 && m.IDs == nil && m.Step != 1 && m.Step != -1 })
}

// Window returns how many tasks of a stage with folds may be between the oldest
// unfinished one and the newest admitted one. It bounds the partials that wait for a slow task.
func Window(workers int) int64 { return 3 * int64(workers) }

// foldBytes bounds a fold's partials: those of one task, and those that wait for their neighbours.
func (pl *planner) foldBytes(s *Stage, f *Fold, t chunk.Shape) (run, hold int64) {
	kept, tiles := int64(1), int64(1)
	open := int64(1) // kept tiles that may be unfinished at once
	major := true    // tasks finish one kept tile after another
	seenReduced := false
	for _, i := range s.Order {
		if f.Cells.Set.Has(i) {
			seenReduced = seenReduced || s.Tiles.Axes[i].Count() > 1
			continue
		}
		kept *= t[i]
		tiles *= max(s.Tiles.Axes[i].Count(), 1)
		if s.Tiles.Axes[i].Count() > 1 {
			major = major && !seenReduced
		}
	}
	ahead := Window(pl.opt.Workers)
	open = min(tiles, (ahead+s.tasksFor(f)-1)/s.tasksFor(f)+1)
	if !major {
		open = tiles
	}
	// The finished part of the result, where it does not have a place already.
	part := int64(0)
	if f.Direct != nil {
		part = mem.ClassBytes(max(f.Groups, 1) * kept * int64(f.Node.ItemBytes))
	}
	// Blocks of all cells in one tile.
	cells, cell := int64(1), f.cellShape(t)
	for i := range t {
		if f.Cells.Set.Has(i) {
			cells *= cellsIn(t[i], f.Cells.Axes[i])
		}
	}
	if f.Groups > 0 {
		one := pl.groupBytes(s, f, t)
		waits := (ahead - 1) * cells * one
		if s.InOrder(f) {
			waits = 0
		}
		return one + part + pl.finishScratch(f, f.Groups*kept), open*f.classes(f.Groups*kept) + waits
	}
	run = f.classes(s.Slots(f, cells, f.Cells.blocks(reduced(cell, f)))*kept) + part + pl.finishScratch(f, kept)
	if s.tasksFor(f) <= 1 {
		return run, 0
	}
	nodes := int64(bits.Len64(uint64(f.Cells.Total()))) + ahead + 1
	if s.splitsBands(f) {
		// What is beside a band in the order of cells waits for other bands.
		nodes = s.tasksFor(f) * int64(2*bits.Len64(uint64(cells*f.Cells.blocks(reduced(cell, f)))))
	}
	return run, open * nodes * f.classes(kept)
}

// Slots bounds the states of a fold that a task holds for each kept element of its tile, which has so many cells of so many blocks: the
// new blocks of a cell beside what is left of those before. That is at most two on each level of the tree, if they follow each other.
func (s *Stage) Slots(f *Fold, cells, blocks int64) int64 {
	n := cells * blocks
	if !f.Cells.consecutive(s.Tiles.Axes) || !f.Cells.consecutive(s.Steps) {
		return n
	}
	return min(n, int64(2*bits.Len64(uint64(n)))+blocks)
}

// InOrder reports whether the cells of a grouped fold come to each kept element in their order when every task
// waits for those before it: a task's cells follow each other, and those of later tasks come later. Then no partial has to be
// kept until its turn, and the oldest task never waits.
func (s *Stage) InOrder(f *Fold) bool {
	last := -1
	for _, i := range s.Order {
		if f.Cells.Set.Has(i) {
			if i < last {
				return false
			}
			last = i
		}
	}
	return f.Cells.consecutive(s.Tiles.Axes) && f.Cells.consecutive(s.Steps)
}

// consecutive reports whether the cells in every piece of the cuts follow each other in the order of the cells, and
// those of later pieces, row-major, come after them: along one axis a piece may have some of several cells,
// along those before it has one, along those behind it all.
func (c *Cells) consecutive(cuts []chunk.Axis) bool {
	several := false
	for i, a := range c.Axes {
		if !c.Set.Has(i) || a.Count() <= 1 {
			continue
		}
		if several && cuts[i].Count() > 1 {
			return false
		}
		several = several || !cuts[i].Equal(a)
	}
	return true
}

// groupBytes bounds the partial of one cell of a grouped fold in a tile of shape t.
func (pl *planner) groupBytes(s *Stage, f *Fold, t chunk.Shape) int64 {
	kept, local := int64(1), f.Groups
	cell := f.cellShape(t)
	for i := range cell {
		if !f.Cells.Set.Has(i) {
			kept *= cell[i]
		}
	}
	if f.GroupLeaf >= 0 && s.Body.Leaves[f.GroupLeaf].IDs != nil {
		local = min(local, reduced(cell, f))
	}
	return f.classes(local * kept)
}

// finishScratch bounds the scratch of turning a state of n elements into a result.
func (pl *planner) finishScratch(f *Fold, n int64) int64 {
	if f.Finish == nil {
		return 0
	}
	rank := len(f.Kept)
	if f.Groups > 0 {
		rank++
	}
	shape := ones(rank)
	if rank > 0 {
		shape[rank-1] = n
	}
	return mem.ClassBytes(f.Finish.Scratch(shape))
}

// classes returns the pool's bytes for the state of n elements.
func (f *Fold) classes(n int64) int64 {
	total := int64(0)
	for _, c := range f.State {
		total += mem.ClassBytes(n * int64(c.DType.Size()))
	}
	return total
}

// cellShape returns the largest cell inside a tile of shape t.
func (f *Fold) cellShape(t chunk.Shape) chunk.Shape {
	c := t.Clone()
	for i := range c {
		if f.Cells.Set.Has(i) {
			c[i] = min(c[i], f.Cells.Axes[i].Max())
		}
	}
	return c
}

func reduced(shape chunk.Shape, f *Fold) int64 {
	n := int64(1)
	for i, d := range shape {
		if f.Cells.Set.Has(i) {
			n *= d
		}
	}
	return n
}

// tasksFor returns how many tasks contribute to one kept tile of the fold.
func (s *Stage) tasksFor(f *Fold) int64 {
	n := int64(1)
	for i, a := range s.Tiles.Axes {
		if f.Cells.Set.Has(i) {
			n *= a.Count()
		}
	}
	return max(n, 1) // an empty axis has no tasks, but an identity to finish
}

// floor returns the bytes of results that live while s runs, as far as they are known when it is tiled.
func (pl *planner) floor(s *Stage) int64 {
	if s.Kept > 0 {
		return s.Kept
	}
	total := int64(0)
	for _, r := range s.Made() {
		total += mem.ClassBytes(pl.plan.Results[r].Bytes())
	}
	for _, l := range s.Body.Leaves {
		if l.Kind == Computed {
			total += mem.ClassBytes(pl.plan.Results[l.Store].Bytes())
		}
	}
	return total
}

// decodes reports whether the body reads chunks that can only be had whole.
func (pl *planner) decodes(b *Body) bool {
	found := false
	visit(b, func(l *Leaf, _ *Body) {
		if l.Kind != Stored {
			return
		}
		_, region := pl.plan.Sources[l.Store].Source.(formats.RegionReader)
		found = found || !region
	})
	return found
}
