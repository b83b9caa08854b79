// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// foldItem is one fold of a program.
type foldItem struct {
	fold kernels.Fold
	out  int   // its first output in the call
	n    int   // its outputs
	line *line // where positions are, which are then no argument, or nil
}

// sharedItem is a sum or mean of values whose moments are folded as well: the sum is what the moments' first pass makes.
type sharedItem struct {
	foldItem
	of int // the item of the group with the moments
}

// foldGroup holds folds over the same axes and groups: they share their boxes.
type foldGroup struct {
	axes   kernels.AxisSet
	group  int // the input with the group ids, or -1
	items  []foldItem
	shared []sharedItem
	eval   bool // an operand must be computed
	twice  bool // holds moments, which keep the numbers of a block
	passes int
}

// groupFolds cuts a program's folds into groups, or returns an error wrapping ErrUnsupported.
func groupFolds(p *kernels.Program) ([]foldGroup, error) {
	var gs []foldGroup
	out := len(p.Ret)
	for i, f := range p.Folds {
		r := kernels.ReductionOf(f.Op)
		in := p.RegType(f.Args[0])
		if _, err := newSweep(f.Op, in); err != nil {
			return nil, fmt.Errorf("%w (fold %d of the program)", err, i)
		}
		it := foldItem{fold: f, out: out, n: len(r.State(in))}
		if r.Indexed && f.Group < 0 {
			if l, ok := lineOf(p, f.Args[1]); ok {
				it.line, it.fold.Args = &l, f.Args[:1]
			}
		}
		out += it.n
		k := 0
		for k < len(gs) && (gs[k].axes != f.Axes || gs[k].group != int(f.Group) || len(gs[k].items) == maxFolds) {
			k++
		}
		if k == len(gs) {
			gs = append(gs, foldGroup{axes: f.Axes, group: int(f.Group), passes: 1})
		}
		g := &gs[k]
		g.items = append(g.items, it)
		for _, a := range it.fold.Args {
			g.eval = g.eval || computed(p, a)
		}
		if r.Algebra == kernels.FoldMoments {
			g.twice = true
			if f.Group >= 0 {
				g.passes = 2
			}
		}
	}
	for i := range gs {
		gs[i].share(p)
	}
	return gs, nil
}

// share moves the items whose result other items make to shared.
func (g *foldGroup) share(p *kernels.Program) {
	if g.group >= 0 || !g.twice {
		return
	}
	rule := func(it foldItem) *kernels.Reduction { return kernels.ReductionOf(it.fold.Op) }
	moments := func(it foldItem) int { // which item of kept has it
		r, a := rule(it), it.fold.Args[0]
		if r.Algebra == kernels.FoldMean || r.Algebra == kernels.FoldSum && p.RegType(a).IsFloat() {
			return slices.IndexFunc(g.items, func(o foldItem) bool {
				m := rule(o)
				return m.Algebra == kernels.FoldMoments && o.fold.Args[0] == a && (m.SkipNaN == r.SkipNaN || !p.RegType(a).IsFloat())
			})
		}
		return -1
	}
	var kept []foldItem
	place := make([]int, len(g.items)) // of an item in kept
	for i, it := range g.items {
		if place[i] = -1; moments(it) < 0 {
			place[i] = len(kept)
			kept = append(kept, it)
		}
	}
	for _, it := range g.items {
		if m := moments(it); m >= 0 {
			g.shared = append(g.shared, sharedItem{it, place[m]})
		}
	}
	g.items = kept
}

// computed reports whether a register must be computed before it can be folded.
func computed(p *kernels.Program, r kernels.Reg) bool {
	if int(r) < len(p.In) {
		return p.In[r].Gather >= 0
	}
	return int(r) >= len(p.In)+len(p.Consts)
}

// foldRun is the state of one group's run; it is reused between runs.
type foldRun struct {
	geo    geometry
	folds  []folding // one for each item, then one for the ids
	ops    []operand
	dst    []int
	dim    [kernels.MaxAxes + 1]int
	consts [maxFolds][2]uint64             // constants that are folded
	base   [maxFolds + 1][2]unsafe.Pointer // the first element of each source
	zero   [kernels.MaxAxes]int64

	packing packing
	column  columnRun
}

// newFoldRun returns the state of runs of group g, with machine code from asm unless it is nil.
func newFoldRun(p *kernels.Program, g *foldGroup, asm Assembler) *foldRun {
	r := &foldRun{folds: make([]folding, len(g.items), len(g.items)+1)}
	r.packing.turner.tiles = findTurns(asm)
	for i, it := range g.items {
		f := &r.folds[i]
		f.sweep, _ = newSweep(it.fold.Op, p.RegType(it.fold.Args[0])) // groupFolds has seen the error
		if a, ok := f.sweep.(accelerated); ok && asm != nil {
			a.accelerate(asm, kernels.ReductionOf(it.fold.Op), p.RegType(it.fold.Args[0]))
		}
		f.nargs = len(it.fold.Args)
		if it.line != nil {
			f.spots = f.sweep.(placed)
		}
		for k, a := range it.fold.Args {
			f.src[k].dt = p.RegType(a)
			f.src[k].size = f.src[k].dt.Size()
			if asm != nil {
				f.src[k].find(asm, f.src[k].dt)
			}
		}
	}
	if g.group >= 0 {
		r.folds = append(r.folds, folding{nargs: 1})
		r.folds[len(g.items)].src[0].size = 4
	}
	return r
}

// point sets a source to where an input's elements are.
func (s *source) point(c *chunk.Chunk) {
	s.base, s.stable = c.Base(), true
}

// operands points the sources that lie in inputs and constants at them, and the ids'.
func (r *foldRun) operands(p *kernels.Program, g *foldGroup, c *kernels.Call) {
	r.ops = r.ops[:0]
	for i, it := range g.items {
		if l := it.line; l != nil {
			r.folds[i].origin = l.from(c.Origin)
			r.ops = append(r.ops, operand{&r.folds[i].src[1], l.step[:len(c.Shape)]})
		}
		for k, a := range it.fold.Args {
			s := &r.folds[i].src[k]
			switch {
			case computed(p, a):
				s.base = nil
			case int(a) < len(p.In):
				s.point(c.In[a])
				r.ops = append(r.ops, operand{s, c.In[a].Strides})
			default:
				r.consts[i][k] = p.Consts[int(a)-len(p.In)].Bits
				s.base, s.stable = unsafe.Pointer(&r.consts[i][k]), false
				r.ops = append(r.ops, operand{s, r.zero[:len(c.Shape)]})
			}
		}
	}
	r.idSource(g, c)
}

// idSource adds the ids of a grouped fold as the last source.
func (r *foldRun) idSource(g *foldGroup, c *kernels.Call) {
	if g.group >= 0 {
		s := &r.folds[len(g.items)].src[0]
		s.point(c.In[g.group])
		r.ops = append(r.ops, operand{s, c.In[g.group].Strides})
	}
}

// direct runs a group whose operands are inputs and constants.
func (r *foldRun) direct(p *kernels.Program, g *foldGroup, c *kernels.Call) error {
	r.operands(p, g, c)
	defer r.done(g)
	r.geo.set(c.Shape, g.axes, r.ops, 0)
	if k, turned, yes := r.packs(); yes && g.group < 0 {
		r.packed(g, c, k, turned)
		return nil
	}
	r.bind(g, c, 1)
	r.dim = r.geo.dim
	last := r.geo.n - 1
	switch {
	case g.group >= 0:
		r.dim[last] = min(r.dim[last], runMax)
	case !r.geo.inner:
		most := tileMax
		if g.twice {
			most = tileMaxMoment
		}
		r.dim[last] = evenTiles(r.dim[last], most)
	}
	r.mark()
	for pass := range g.passes {
		if pass == 1 {
			r.between(g)
		}
		_ = r.geo.boxes(&r.dim, func(b *box) error { // never fails
			r.move(b)
			r.feed(g, b, c, pass, false)
			return nil
		})
	}
	return nil
}

// bind gives the sweeps their outputs.
func (r *foldRun) bind(g *foldGroup, c *kernels.Call, slots int) {
	for i, it := range g.items {
		s := r.folds[i].sweep
		s.bind(c.Out[it.out:it.out+it.n], slots)
		if g.group >= 0 {
			s.fill()
		}
		if n, ok := s.(resumer); ok && c.Continue {
			n.resume()
		}
	}
	for _, it := range g.shared {
		r.folds[it.of].sweep.(sharer).share(c.Out[it.out : it.out+it.n])
	}
	r.geo.resumed = c.Continue
}

// mark notes where the sources' first elements are.
func (r *foldRun) mark() {
	for i := range r.folds {
		r.base[i] = [2]unsafe.Pointer{r.folds[i].src[0].base, r.folds[i].src[1].base}
	}
}

// move points the sources that lie in inputs at the first element of a box.
func (r *foldRun) move(b *box) {
	for i := range r.folds {
		if d := &r.folds[i]; d.spots != nil {
			d.here = d.origin
			for a := range r.geo.n {
				d.here += int64(b.lo[a] * d.src[1].stride[a])
			}
		}
		for k := range r.folds[i].nargs {
			s := &r.folds[i].src[k]
			if r.base[i][k] == nil {
				continue // computed
			}
			off := 0
			for a := range r.geo.n {
				off += b.lo[a] * s.stride[a]
			}
			s.base = unsafe.Add(r.base[i][k], off*s.size)
		}
	}
}

// feed hands a box to the sweeps.
func (r *foldRun) feed(g *foldGroup, b *box, c *kernels.Call, pass int, slots bool) {
	if g.group < 0 {
		r.geo.walk(b, r.folds, slots)
		return
	}
	if n := b.dim[r.geo.n-1]; len(r.dst) < n {
		r.dst = make([]int, max(n, runMax))
	}
	r.geo.walkGroups(b, r.folds, int(c.Out[g.items[0].out].Shape[0]), pass, r.dst)
}

func (r *foldRun) between(g *foldGroup) {
	for i := range g.items {
		if s := r.folds[i].sweep; s.passes() == 2 {
			s.between()
		}
	}
}

// done ends the sweeps and forgets every address.
func (r *foldRun) done(g *foldGroup) {
	for i := range g.items {
		r.folds[i].sweep.done()
	}
	for i := range r.folds {
		r.folds[i].src[0].base, r.folds[i].src[1].base = nil, nil
		r.base[i] = [2]unsafe.Pointer{}
	}
}
