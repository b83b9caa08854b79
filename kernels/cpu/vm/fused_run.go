// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"math"
	"unsafe"

	"github.com/arrayrun/arrayrun/kernels"
)

// fusedRun is the state of an exec that runs machine code.
type fusedRun struct {
	variant *variant // nil: this call runs on the block machine
	alone   bool     // no folds: the exec chooses its boxes
	rows    bool     // boxes are single runs along the last axis; what steps by none there has one value in each
	same    []bool
	key     []byte
	ptrs    []unsafe.Pointer
	args    []unsafe.Pointer
	spill   []byte // for variants that spill more than scratch has room for
}

// rowRun is the shortest run along the last axis for which single runs are computed in place; shorter ones
// are copied together to blocks.
const rowRun = 128

// bindFused chooses the machine code for a call; the exec is bound otherwise.
func (e *exec) bindFused(store bool) {
	f, c := &e.fused, e.code
	f.variant, f.rows = nil, f.alone && e.runs(store)
	if e.geo.n == 1 && e.geo.dim[0] == 1 { // one element: all is computed
		return
	}
	if f.same == nil {
		f.same = make([]bool, c.regs)
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
	f.key = keyOf(f.same, f.key)
	f.variant = c.variant(f.same, f.key)
	if f.rows && (f.variant == nil || f.variant.mixed) { // loops know one value for the call only
		f.rows = false
		copy(f.same, e.uni)
		f.key = keyOf(f.same, f.key)
		f.variant = c.variant(f.same, f.key)
	}
}

// runs reports whether every operand steps by one element or none along the last axis and the runs are long. Gathered
// operands are copied, or read in place where all of a run has one id.
func (e *exec) runs(store bool) bool {
	g, last := e.geo, e.geo.n-1
	if g.dim[last] < rowRun && g.n > 1 {
		return false
	}
	for i := range e.in {
		if e.code.used[i] && e.code.p.In[i].Gather < 0 && e.in[i].stride[last] != 0 && e.in[i].stride[last] != 1 {
			return false
		}
	}
	if store {
		for i := range e.out {
			if e.out[i].stride[last] != 1 {
				return false
			}
		}
	}
	return true
}

// runMost is the longest box of machine code that needs no slots, in elements.
const runMost = 1 << 16

// extent sets the extents of the boxes of an elementwise call.
func (e *exec) extent(dim *[kernels.MaxAxes + 1]int) {
	f, g := &e.fused, e.geo
	if k := e.turned(); k >= 0 {
		e.square(dim, k)
		return
	}
	if f.variant == nil || !f.rows {
		g.extent(dim, e.code.block, math.MaxInt)
		return
	}
	for i := range g.n {
		dim[i] = 1
	}
	most := e.code.block
	if f.variant.direct && !e.code.gathers {
		most = runMost
	}
	dim[g.n-1] = min(g.dim[g.n-1], most)
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
	for at := 0; at < n; at += e.code.block {
		part.lo[last], part.dim[last] = b.lo[last]+at, min(e.code.block, n-at)
		if e.parts(&part, part.dim[last], store) {
			e.storeAll(&part, e.fused.same)
		} else {
			e.plainBox(&part, part.dim[last], store)
		}
	}
}

// parts runs the variant's parts on a box; false means that a lane needs a slow program.
func (e *exec) parts(b *box, n int, store bool) bool {
	f := &e.fused
	last := e.geo.n - 1
	for i := range e.in {
		switch {
		case !e.code.used[i] || e.uni[i]:
		case f.rows && e.code.p.In[i].Gather >= 0:
			if e.ptr[i] = e.gathered(i, b); e.ptr[i] == nil {
				e.load(i, b)
			}
		case f.rows && e.in[i].stride[last] == 0:
			e.ptr[i] = e.in[i].first(e.geo, b)
		default:
			e.load(i, b)
		}
	}
	for k := range f.variant.parts {
		p := &f.variant.parts[k]
		if p.run == nil {
			d := e.code.steps[p.step].d
			e.ptr[d] = e.fusedSlot(d)
			e.run(p.step, e.ptr[d], n, b)
			continue
		}
		f.ptrs = f.ptrs[:0]
		for _, r := range p.outs {
			to := e.fusedSlot(r)
			if i := e.code.ret[r]; store && i >= 0 && e.out[i].packed(e.geo, b) {
				to = e.out[i].first(e.geo, b)
			}
			e.ptr[r] = to
			f.ptrs = append(f.ptrs, to)
		}
		for _, r := range p.ins {
			f.ptrs = append(f.ptrs, e.ptr[r])
		}
		if !e.calls(p, n) {
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

// calls runs a part in calls of a length that holds nobody up.
func (e *exec) calls(p *part, n int) bool {
	f := &e.fused
	spill := e.spillArea()
	most := p.run.Longest()
	if n <= most {
		return p.run.Run(f.ptrs, n, spill) == n
	}
	f.args = append(f.args[:0], f.ptrs...)
	for at := 0; at < n; at += most {
		for i, s := range p.size {
			f.args[i] = unsafe.Add(f.ptrs[i], at*s)
		}
		if k := min(most, n-at); p.run.Run(f.args, k, spill) != k {
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
