// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"math"
	"slices"
	"unsafe"

	"github.com/arrayrun/arrayrun/kernels"
)

// fusedRun is the state of an exec that runs machine code.
type fusedRun struct {
	variant *variant // nil: this call runs on the block machine
	alone   bool     // no folds: the exec chooses its boxes
	copies  bool     // some operands are copied to or from slots
	rows    bool     // boxes are rows along the last axis; what steps by none there has one value in each
	turn    int      // the axis along which a box has several rows, -1: one row
	same    []bool
	key     []byte
	step    []int // by register, bytes from row to row of a box
	ptrs    []unsafe.Pointer
	args    []unsafe.Pointer
	by      Rows
	spill   []byte // for variants that spill more than scratch has room for
}

// rowRun is the shortest run along the last axis that is computed in place, longRun the shortest that needs no
// others beside it; what is shorter than rowRun is copied together to blocks.
const (
	rowRun  = 32
	longRun = 4096
)

// bindFused chooses the machine code for a call; the exec is bound otherwise.
func (e *exec) bindFused(store bool) {
	f, c := &e.fused, e.code
	f.variant, f.rows, f.turn = nil, e.runs(store), -1
	if e.geo.n == 1 && e.geo.dim[0] == 1 { // one element: all is computed
		return
	}
	if f.same == nil {
		f.same, f.step = make([]bool, c.regs), make([]int, c.regs)
	}
	copy(f.same, e.uni)
	if f.rows {
		last := e.geo.n - 1
		for i := range e.in {
			if c.used[i] && e.in[i].stride[last] == 0 && c.p.In[i].Gather < 0 {
				f.same[i] = true
			}
		}
	}
	e.choose(false)
	if f.rows && (f.variant == nil || f.variant.mixed) { // loops know one value for the call only
		f.rows = false
		copy(f.same, e.uni)
		e.choose(false)
	}
	if f.rows {
		f.turn = e.turnAxis(store)
	}
	if v := f.variant; store && v != nil && v.direct && e.streams() {
		if e.choose(true); f.variant == nil {
			f.variant = v
		}
	}
}

// choose sets the variant for the registers in same.
func (e *exec) choose(stream bool) {
	f := &e.fused
	f.key = keyOf(f.same, stream, f.key)
	f.variant = e.code.variant(f.same, stream, f.key)
}

// streams reports whether results go past the caches: the call asks for it, and their rows are long.
func (e *exec) streams() bool {
	f, last := &e.fused, e.geo.n-1
	if !e.call.Stream || !f.alone || !f.rows || e.geo.dim[last] < longRun {
		return false
	}
	for i := range e.out {
		if e.out[i].stride[last] != 1 {
			return false
		}
	}
	return true
}

// turnAxis is the axis along which boxes may have several rows, or -1.
func (e *exec) turnAxis(store bool) int {
	f, g, c := &e.fused, e.geo, e.code
	if store {
		for i, r := range c.p.Ret { // what is copied from one place to another is packed, or one row
			if r = c.root[r]; !e.uni[r] && c.ret[r] != i {
				return -1
			}
		}
	}
	if !f.alone && !g.inner && len(g.order) > g.nkept {
		return g.order[len(g.order)-1]
	}
	return g.n - 2
}

// runs reports whether runs along the last axis are long enough for rows. Operands that step by one element or by none there are
// read and written in place, others, and gathered ones unless all of a run has one id, are copied.
func (e *exec) runs(store bool) bool {
	g, f, last := e.geo, &e.fused, e.geo.n-1
	f.copies = e.code.gathers
	if g.dim[last] < rowRun && g.n > 1 {
		return false
	}
	for i := range e.in {
		f.copies = f.copies || e.code.used[i] && !e.in[i].inPlace(last)
	}
	if store {
		for i := range e.out {
			f.copies = f.copies || e.out[i].stride[last] != 1
		}
	}
	return true
}

// inPlace reports whether rows along the last axis are read where they are.
func (s *source) inPlace(last int) bool { return s.stride[last] == 0 || s.stride[last] == 1 }

// runMost is the longest box of machine code that needs no slots, in elements.
const runMost = 1 << 16

// extent sets the extents of the boxes of an elementwise call.
func (e *exec) extent(dim *[kernels.MaxAxes + 1]int) {
	f, g := &e.fused, e.geo
	if k := e.turned(); k >= 0 && !(f.rows && f.turn < 0) {
		e.square(dim, k)
		f.turn = k
		return
	}
	if f.variant == nil || !f.rows {
		g.extent(dim, e.code.block, math.MaxInt)
		return
	}
	most := e.code.block
	if f.variant.direct && !f.copies {
		most = runMost
	}
	e.panel(dim, most, most)
}

// panel sets the extents of boxes of at most cells elements in rows of at most width.
func (e *exec) panel(dim *[kernels.MaxAxes + 1]int, cells, width int) {
	f, g := &e.fused, e.geo
	for i := range g.n {
		dim[i] = 1
	}
	dim[g.n-1] = min(g.dim[g.n-1], width)
	if n := dim[g.n-1]; f.turn >= 0 && n < longRun {
		dim[f.turn] = min(g.dim[f.turn], max(1, cells/max(n, 1)))
	}
}

// turned returns the axis along which an operand lies packed that steps far along the last axis, or -1. Boxes then are
// squares in both axes, so that its cache lines are read whole.
func (e *exec) turned() int {
	g, last := e.geo, e.geo.n-1
	far := func(s *source) int {
		if g.dim[last] < squareEdge || abs(s.stride[last]) < squareEdge {
			return -1
		}
		for k := range last {
			if abs(s.stride[k]) == 1 && g.dim[k] >= squareEdge/4 {
				return k
			}
		}
		return -1
	}
	for i := range e.in {
		if e.code.used[i] && e.code.p.In[i].Gather < 0 {
			if k := far(&e.in[i]); k >= 0 {
				return k
			}
		}
	}
	for i := range e.out {
		if k := far(&e.out[i]); k >= 0 {
			return k
		}
	}
	return -1
}

// squareEdge is the edge of square boxes: 32 cache lines of each operand at a time.
const squareEdge = 32

func (e *exec) square(dim *[kernels.MaxAxes + 1]int, k int) {
	g, last := e.geo, e.geo.n-1
	for i := range g.n {
		dim[i] = 1
	}
	dim[k] = min(g.dim[k], squareEdge)
	dim[last] = min(g.dim[last], e.code.block/dim[k])
}

// fusedBox computes and stores a box of n elements by machine code.
func (e *exec) fusedBox(b *box, n int, store bool) {
	if e.parts(b, n, store) {
		if store {
			e.storeAll(b, e.fused.same)
		}
		return
	}
	last := e.geo.n - 1
	if n <= e.code.block {
		e.plainBox(b, n, store)
		return
	}
	// A long run with a cold lane goes block by block, only blocks that have one without the machine code.
	part := *b
	turn, count := e.fused.turn, 1
	if !e.fused.rows {
		turn = -1
	}
	if turn >= 0 {
		count = b.dim[turn]
		part.dim[turn] = 1
	}
	for range count {
		for at := 0; at < b.dim[last]; at += e.code.block {
			part.lo[last], part.dim[last] = b.lo[last]+at, min(e.code.block, b.dim[last]-at)
			if e.parts(&part, part.dim[last], store) {
				e.storeAll(&part, e.fused.same)
			} else {
				e.plainBox(&part, part.dim[last], store)
			}
		}
		if turn >= 0 {
			part.lo[turn]++
		}
	}
}

// parts runs the variant's parts on a box; false means that a lane needs a slow program.
func (e *exec) parts(b *box, n int, store bool) bool {
	f := &e.fused
	last, turn := e.geo.n-1, max(f.turn, 0)
	width, count := n, 1
	if f.rows && f.turn >= 0 {
		width, count = b.dim[last], b.dim[f.turn]
	}
	for i := range e.in {
		s := &e.in[i]
		f.step[i] = width * s.size
		switch {
		case !e.code.used[i]:
		case e.uni[i]:
			f.step[i] = 0
		case f.rows && e.code.p.In[i].Gather >= 0:
			if count > 1 {
				e.load(i, b)
			} else if e.ptr[i] = e.gathered(i, b); e.ptr[i] == nil {
				e.load(i, b)
			}
		case f.rows && s.inPlace(last):
			e.ptr[i], f.step[i] = s.first(e.geo, b), s.stride[turn]*s.size
		default:
			e.load(i, b)
		}
	}
	for k := range f.variant.parts {
		p := &f.variant.parts[k]
		if p.run == nil {
			d := e.code.steps[p.step].d
			e.ptr[d] = e.fusedSlot(d)
			f.step[d] = width * e.code.size[d]
			e.run(p.step, e.ptr[d], n, b)
			continue
		}
		f.ptrs = f.ptrs[:0]
		for _, r := range p.outs {
			to, step := e.fusedSlot(r), width*e.code.size[r]
			if i := e.code.ret[r]; store && i >= 0 {
				switch o := &e.out[i]; {
				case o.packed(e.geo, b):
					to = o.first(e.geo, b)
				case f.rows && f.alone && o.stride[last] == 1:
					to, step = o.first(e.geo, b), o.stride[turn]*o.size
				}
			}
			e.ptr[r], f.step[r] = to, step
			f.ptrs = append(f.ptrs, to)
		}
		for _, r := range p.ins {
			if e.uni[r] {
				f.step[r] = 0
			}
			f.ptrs = append(f.ptrs, e.ptr[r])
		}
		if !e.calls(p, width, count) {
			return false
		}
	}
	return true
}

// gathered returns where a gathered operand's elements of a run lie packed, nil where they do not.
func (e *exec) gathered(i int, b *box) unsafe.Pointer {
	port, s, g := e.code.p.In[i], &e.in[i], e.geo
	k, last := g.axisOf(int(port.Gather)), g.n-1
	if k == last || s.stride[last] != 1 {
		return nil
	}
	ids := &e.in[port.GatherIDs]
	at := 0
	if k >= 0 {
		at = b.lo[k] * ids.stride[k]
	}
	id := ids.id(at)
	if id < 0 {
		return nil
	}
	off := id * int(e.call.In[i].Strides[port.Gather])
	for a := range g.n {
		if a != k {
			off += b.lo[a] * s.stride[a]
		}
	}
	return s.at(off)
}

// calls runs a part on rows of width elements, in calls of a length that holds nobody up.
func (e *exec) calls(p *part, width, count int) bool {
	f := &e.fused
	spill := e.spillArea()
	flat := count > 1 // the rows make one
	for i, r := range p.regs {
		flat = flat && f.step[r] == width*p.size[i]
	}
	if flat {
		width, count = width*count, 1
	}
	if f.variant.stream && count == 1 {
		// What lies before the first whole cache line of a result is computed apart: what follows may go past the caches.
		if k := min(p.head(f.ptrs[0]), width); k > 0 {
			if p.run.Run(slices.Grow(f.ptrs, 1), k, spill, nil) != k {
				return false
			}
			for i := range f.ptrs {
				f.ptrs[i] = unsafe.Add(f.ptrs[i], k*p.size[i])
			}
			width -= k
		}
	}
	most := p.run.Longest()
	per, span := count, width // rows and elements of a call
	switch {
	case width > most:
		per, span = 1, most
	case !p.run.Rowed():
		per = 1
	case width*count > most:
		per = most / width
	}
	f.ptrs = slices.Grow(f.ptrs, 1)
	if count == 1 && span == width {
		return p.run.Run(f.ptrs, width, spill, nil) == width
	}
	f.args = slices.Grow(f.args[:0], len(f.ptrs)+1)[:len(f.ptrs)]
	var by *Rows
	if per > 1 {
		by = &f.by
		for i, r := range p.regs {
			by.Step[i] = f.step[r]
		}
	}
	for row := 0; row < count; row += per {
		if by != nil {
			by.Count = min(per, count-row)
		}
		for at := 0; at < width; at += span {
			for i, r := range p.regs {
				f.args[i] = unsafe.Add(f.ptrs[i], row*f.step[r]+at*p.size[i])
			}
			if k := min(span, width-at); p.run.Run(f.args, k, spill, by) != k {
				return false
			}
		}
	}
	return true
}

// head is how many elements of the first result, which is at a, lie before a whole cache line.
func (p *part) head(a unsafe.Pointer) int {
	return int(-uintptr(a)%cacheLine) / p.size[0]
}

const cacheLine = 64

// packedFused is packed by machine code; it reports false where that does not do all.
func (e *exec) packedFused(x, y unsafe.Pointer, n int) bool {
	f, v := &e.fused, e.code.fused.whole
	p := &v.parts[0]
	if len(v.parts) != 1 || p.run == nil || len(p.ins) != 1 || len(p.outs) != 1 || p.outs[0] != e.code.root[e.code.p.Ret[0]] {
		return false
	}
	if len(f.spill) < v.spill+1 {
		f.spill = make([]byte, v.spill+1)
	}
	most := p.run.Longest()
	for at := 0; at < n; at += most {
		f.ptrs = slices.Grow(append(f.ptrs[:0], unsafe.Add(y, at*p.size[0]), unsafe.Add(x, at*p.size[1])), 1)
		if k := min(most, n-at); p.run.Run(f.ptrs, k, unsafe.Pointer(&f.spill[0]), nil) != k {
			return false
		}
	}
	return true
}

// spillArea is the memory for what does not fit into registers.
func (e *exec) spillArea() unsafe.Pointer {
	f := &e.fused
	need := f.variant.spill
	if need == 0 {
		return nil
	}
	if need <= e.code.fused.spill {
		return unsafe.Pointer(&e.slot[e.code.fused.base])
	}
	if len(f.spill) < need {
		f.spill = make([]byte, need)
	}
	return unsafe.Pointer(&f.spill[0])
}

// fusedSlot is the memory of a register among machine code.
func (e *exec) fusedSlot(r kernels.Reg) unsafe.Pointer {
	f := e.code.fused
	return unsafe.Pointer(&e.slot[f.base+int64(f.spill)+int64(f.slot[r])*f.each])
}
