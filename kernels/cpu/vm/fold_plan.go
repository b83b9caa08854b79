// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"sync"

	"github.com/arrayrun/arrayrun/kernels"
)

// foldPlan is the compiled fold part of a program: groups that each sweep the
// loop once. The first group that computes anything stores the program's results too.
type foldPlan struct {
	groups []foldGroup
	parts  []*kernels.Program // the part of the program each group needs
	codes  []*code            // of the groups that compute, else nil
	stores int                // the group that stores the results, or -1
	column []*columnCode      // of the groups that are summed while they are computed, else nil
	pool   sync.Pool          // of []foldUnit
}

// foldUnit is the state of one group's run.
type foldUnit struct {
	run  *foldRun
	exec *exec
}

// planFolds compiles the folds of p, which has some, with machine code from asm unless it is nil.
func planFolds(p *kernels.Program, asm Assembler) (*foldPlan, error) {
	gs, err := groupFolds(p)
	if err != nil {
		return nil, err
	}
	f := &foldPlan{groups: gs, stores: -1}
	for i := range gs {
		g := &gs[i]
		if !g.eval {
			f.parts, f.codes, f.column = append(f.parts, p), append(f.codes, nil), append(f.column, nil)
			continue
		}
		var ret []kernels.Reg
		if f.stores < 0 && len(p.Ret) > 0 {
			f.stores, ret = i, p.Ret
		}
		part := prune(p, ret, g)
		c, err := compile(part)
		if err != nil {
			return nil, err
		}
		c.fuse(asm)
		f.parts, f.codes, f.column = append(f.parts, part), append(f.codes, c), append(f.column, newColumnCode(part, g, asm))
	}
	f.pool.New = func() any {
		us := make([]foldUnit, len(f.groups))
		for i := range us {
			us[i].run = newFoldRun(f.parts[i], &f.groups[i], asm)
			if f.codes[i] != nil {
				us[i].exec = newExec(f.codes[i])
			}
		}
		return &us
	}
	return f, nil
}

// prune returns the program with the results ret and the folds of g, without instructions that neither
// needs, and makes g's folds those of the new program. Inputs and constants stay.
func prune(p *kernels.Program, ret []kernels.Reg, g *foldGroup) *kernels.Program {
	first := len(p.In) + len(p.Consts)
	live := make([]bool, first+len(p.Body))
	for _, r := range ret {
		live[r] = true
	}
	for _, it := range g.items {
		for _, a := range it.fold.Args {
			live[a] = true
		}
	}
	for i := len(p.Body) - 1; i >= 0; i-- {
		if live[first+i] {
			for _, a := range p.Body[i].Args {
				if a >= 0 {
					live[a] = true
				}
			}
		}
	}
	to := make([]kernels.Reg, len(live))
	q := &kernels.Program{Rank: p.Rank, In: p.In, Consts: p.Consts, Slow: p.Slow}
	for r := range to {
		switch {
		case r < first:
			to[r] = kernels.Reg(r)
		case live[r]:
			to[r] = kernels.Reg(first + len(q.Body))
			in := p.Body[r-first]
			for k, a := range in.Args {
				if a >= 0 {
					in.Args[k] = to[a]
				}
			}
			q.Body = append(q.Body, in)
		}
	}
	for _, r := range ret {
		q.Ret = append(q.Ret, to[r])
	}
	for i := range g.items {
		f := g.items[i].fold
		args := make([]kernels.Reg, len(f.Args))
		for k, a := range f.Args {
			args[k] = to[a]
		}
		f.Args = args
		g.items[i].fold = f
		q.Folds = append(q.Folds, f)
	}
	return q
}

// storesResults reports whether run writes the program's results beside its folds.
func (f *foldPlan) storesResults() bool { return f.stores >= 0 }

// scratch returns the bytes of scratch run needs.
func (f *foldPlan) scratch() int64 {
	n := int64(0)
	for _, c := range f.codes {
		if c != nil {
			n = max(n, c.scratch())
		}
	}
	return n
}

// run computes the folds of a call. scratch holds scratch() bytes.
func (f *foldPlan) run(c *kernels.Call, scratch []byte) error {
	us := f.pool.Get().(*[]foldUnit)
	defer f.pool.Put(us)
	for i := range f.groups {
		u, g := (*us)[i], &f.groups[i]
		if u.exec == nil {
			if err := u.run.direct(f.parts[i], g, c); err != nil {
				return err
			}
			continue
		}
		if err := u.run.computed(f.parts[i], g, c, u.exec, f.column[i], scratch, f.stores == i); err != nil {
			return err
		}
	}
	return nil
}

// momentTile and momentSlots bound what moments copy of a computed block.
const (
	momentTile  = 256
	momentSlots = 32
)

// computed runs a group some of whose operands e computes, box by box, or by fused where that is not nil and the operands lie for it.
func (r *foldRun) computed(p *kernels.Program, g *foldGroup, c *kernels.Call, e *exec, fused *columnCode, scratch []byte, store bool) error {
	r.operands(p, g, c)
	defer r.done(g)
	defer e.forget()
	r.ops = e.operands(r.ops, c, store)
	r.geo.set(c.Shape, g.axes, r.ops, e.code.whole)
	if err := e.bind(c, &r.geo, scratch, store); err != nil {
		return err
	}
	if fused != nil && r.columns(g, c, e, fused) {
		return nil
	}
	slots := e.code.block
	if g.twice {
		slots = momentSlots
	}
	spread := e.foldExtent(&r.dim, slots)
	last := r.geo.n - 1
	if g.twice && g.group < 0 && !r.geo.inner {
		r.dim[last] = min(r.dim[last], momentTile)
	}
	slots = 1
	for k := range last {
		if spread && r.geo.kept[k] {
			slots *= r.dim[k]
		}
	}
	r.bind(g, c, slots)
	r.mark()
	for pass := range g.passes {
		if pass == 1 {
			r.between(g)
		}
		err := r.geo.boxes(&r.dim, func(b *box) error {
			if err := e.box(b, store && pass == 0); err != nil {
				return err
			}
			r.move(b)
			r.take(p, g, e, b)
			r.feed(g, b, c, pass, spread)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// foldRows is how many rows of kept elements a computed block has if it can: folds keep the accumulators of
// a column in registers over so many.
const foldRows = 8

// foldExtent sets the extents of boxes that are folded; see geometry.extent.
func (e *exec) foldExtent(dim *[kernels.MaxAxes + 1]int, slots int) (spread bool) {
	f, g := &e.fused, e.geo
	if f.variant == nil || !f.rows {
		return g.extent(dim, e.code.block, slots)
	}
	width := e.code.block
	if !g.inner && f.turn >= 0 && !g.kept[f.turn] {
		width /= min(foldRows, g.dim[f.turn])
	}
	e.panel(dim, e.code.block, width)
	if f.turn >= 0 && g.kept[f.turn] {
		dim[f.turn] = min(dim[f.turn], max(slots, 1))
	}
	for i := range g.n {
		spread = spread || !g.kept[i] && dim[i] < g.dim[i]
	}
	return spread
}

// take points the computed operands at what e computed for a box.
func (r *foldRun) take(p *kernels.Program, g *foldGroup, e *exec, b *box) {
	for i, it := range g.items {
		for k, a := range it.fold.Args {
			if !computed(p, a) {
				continue
			}
			s := &r.folds[i].src[k]
			v, same := e.value(a)
			s.base, s.stable = v, false
			step := 1
			if same {
				step = 0
			}
			for x := r.geo.n - 1; x >= 0; x-- {
				s.stride[x] = step
				step *= b.dim[x]
			}
		}
	}
}
