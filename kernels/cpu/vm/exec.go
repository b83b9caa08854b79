// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// exec is a code at work on one call: it computes boxes of the loop, one after another.
//
// Use: append its operands to those the geometry is set for, set the geometry with whole, bind,
// then box for each box; value tells where a register's elements of the last box are.
type exec struct {
	code *code
	call *kernels.Call
	geo  *geometry
	in   []source // one for each input, strides along the geometry's axes
	out  []source // one for each result
	ptr  []unsafe.Pointer
	none [][2]uint64 // what a missing element of each input reads
	uni  []bool      // by register: one value for all elements
	mode []uniform   // by step
	slot []byte      // scratch: slots, then cells
	slow []*exec
	pos  []int64 // origin of each index step's axis and ...
	axis []int   // ... its axis in the geometry, -1: length 1
	err  error

	fused  fusedRun
	turner turner
}

// newExec returns an exec of c.
func newExec(c *code) *exec {
	e := &exec{code: c, in: make([]source, len(c.p.In)), out: make([]source, len(c.p.Ret)), ptr: make([]unsafe.Pointer, c.regs), none: make([][2]uint64, len(c.p.In)),
		turner: turner{tiles: c.turns}, uni: make([]bool, c.regs), mode: make([]uniform, len(c.steps)), pos: make([]int64, len(c.steps)), axis: make([]int, len(c.steps))}
	for i, p := range c.p.In {
		e.in[i].dt, e.in[i].size, e.none[i] = p.DType, p.DType.Size(), missing(p.DType)
	}
	for i, r := range c.p.Ret {
		e.out[i].dt = c.p.RegType(r)
		e.out[i].size = e.out[i].dt.Size()
	}
	for _, s := range c.slow {
		e.slow = append(e.slow, newExec(s))
	}
	return e
}

// operands appends the inputs the code reads and, when results are stored, the outputs.
func (e *exec) operands(ops []operand, c *kernels.Call, store bool) []operand {
	for i, used := range e.code.used {
		if used {
			ops = append(ops, operand{&e.in[i], c.In[i].Strides})
			if k := e.code.p.In[i].Gather; k >= 0 {
				ids := e.code.p.In[i].GatherIDs
				ops = append(ops, operand{&e.in[ids], c.In[ids].Strides})
			}
		}
	}
	if store {
		for i := range e.out {
			ops = append(ops, operand{&e.out[i], c.Out[i].Strides})
		}
	}
	return ops
}

// axisOf returns the axis of g that is axis i of the call, -1 for one of length 1 that g left out.
func (g *geometry) axisOf(i int) int {
	for k := range g.n {
		if g.from[k] == i {
			return k
		}
	}
	return -1
}

// bind starts a call whose axes are g's; scratch holds code.scratch() bytes. Uniform values are computed here.
func (e *exec) bind(c *kernels.Call, g *geometry, scratch []byte, store bool) error {
	e.call, e.geo, e.slot, e.err = c, g, scratch, nil
	for k := range g.n {
		if g.dim[k] == 0 { // no boxes follow, and there may be no memory to read
			return nil
		}
	}
	p := e.code.p
	for i := range e.in {
		e.in[i].base = c.In[i].Base()
		e.uni[i] = false
		if e.code.used[i] && p.In[i].Gather < 0 && e.in[i].still(g) {
			e.uni[i] = true
			e.ptr[i] = e.in[i].base
		}
	}
	if store {
		for i := range e.out {
			e.out[i].base = c.Out[i].Base()
		}
	}
	e.bindConsts()
	e.bindSteps()
	if e.code.fused != nil {
		e.bindFused(store)
	}
	return e.err
}

// still reports whether the source has one element for the whole loop.
func (s *source) still(g *geometry) bool {
	for k := range g.n {
		if g.dim[k] > 1 && s.stride[k] != 0 {
			return false
		}
	}
	return true
}

func (e *exec) cell(r int) unsafe.Pointer {
	at := int64(e.code.slots)*e.code.slotBytes() + int64(r)*cellBytes
	return unsafe.Pointer(&e.slot[at])
}

func (e *exec) slotPtr(i int) unsafe.Pointer {
	return unsafe.Pointer(&e.slot[int64(i)*e.code.slotBytes()])
}

func (e *exec) bindConsts() {
	n := len(e.code.p.In)
	for i, c := range e.code.p.Consts {
		p := e.cell(n + i)
		binary.NativeEndian.PutUint64(unsafe.Slice((*byte)(p), 8), nativeBits(c))
		e.ptr[n+i], e.uni[n+i] = p, true
	}
}

// nativeBits puts a constant's bits where its element is in the first bytes of a native uint64.
func nativeBits(c kernels.Const) uint64 {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return c.Bits
	}
	return c.Bits << (64 - 8*uint(c.DType.Size()))
}

// bindSteps finds which steps are uniform and computes them.
func (e *exec) bindSteps() {
	for _, s := range e.slow {
		s.slot = nil
	}
	for i := range e.code.steps {
		s := &e.code.steps[i]
		e.mode[i] = 0
		all := true
		for k, r := range s.args {
			if r < 0 {
				break
			}
			if e.uni[r] {
				e.mode[i] |= 1 << k
			} else {
				all = false
			}
		}
		if s.op == kernels.OpIndex {
			e.axis[i] = e.geo.axisOf(s.aux)
			e.pos[i] = 0
			if s.aux < len(e.call.Origin) {
				e.pos[i] = e.call.Origin[s.aux]
			}
			all = e.axis[i] < 0
		}
		if e.uni[s.d] = all; !all {
			continue
		}
		e.ptr[s.d] = e.cell(int(s.d))
		e.run(i, e.ptr[s.d], 1, nil)
	}
	for r, root := range e.code.root {
		e.uni[r], e.ptr[r] = e.uni[root], e.ptr[root]
	}
}

// slowExec returns the exec of slow program k, prepared for this call: few calls need one.
func (e *exec) slowExec(k int) *exec {
	s := e.slow[k]
	if s.slot == nil {
		at := int64(e.code.slots)*e.code.slotBytes() + int64(e.code.regs)*cellBytes
		for _, c := range e.code.slow[:k] {
			at += c.scratch()
		}
		s.lanes(e.slot[at : at+e.code.slow[k].scratch()])
	}
	return s
}

// lanes prepares a slow program's exec, whose one input comes packed.
func (e *exec) lanes(scratch []byte) {
	e.slot = scratch
	e.uni[0] = false
	e.bindConsts()
	e.bindSteps()
}

// forget drops every address: the memory may be unmapped before the next call.
func (e *exec) forget() {
	clear(e.ptr)
	for i := range e.in {
		e.in[i].base = nil
	}
	for i := range e.out {
		e.out[i].base = nil
	}
	clear(e.fused.ptrs)
	clear(e.fused.args)
	e.call, e.slot = nil, nil
	for _, s := range e.slow {
		s.forget()
	}
}

// box computes the box and stores the results if store says so. It holds at most code.block elements, or what extent chose.
func (e *exec) box(b *box, store bool) error {
	n := 1
	for k := range e.geo.n {
		n *= b.dim[k]
	}
	if n == 0 {
		return nil
	}
	if e.fused.variant != nil {
		e.fusedBox(b, n, store)
	} else {
		e.plainBox(b, n, store)
	}
	return e.err
}

// plainBox computes a box of n elements step by step.
func (e *exec) plainBox(b *box, n int, store bool) {
	for i := range e.in {
		if e.code.used[i] && !e.uni[i] {
			e.load(i, b)
		}
	}
	for i := range e.code.steps {
		d := e.code.steps[i].d
		if e.uni[d] {
			continue
		}
		to := e.slotPtr(e.code.slotAt[d])
		if r := e.code.ret[d]; store && r >= 0 && e.out[r].packed(e.geo, b) {
			to = e.out[r].first(e.geo, b)
		}
		e.ptr[d] = to
		e.run(i, to, n, b)
	}
	if store {
		e.storeAll(b, e.uni)
	}
}

// storeAll writes the results of a box; same tells which registers have one value.
func (e *exec) storeAll(b *box, same []bool) {
	for i, r := range e.code.p.Ret {
		root := e.code.root[r]
		e.out[i].store(&e.turner, e.geo, b, e.ptr[root], same[root])
	}
}

// value returns where the elements of register r of the last box are: packed row-major, or
// one for all. They may change with the next box.
func (e *exec) value(r kernels.Reg) (p unsafe.Pointer, same bool) {
	r = e.code.root[r]
	return e.ptr[r], e.uni[r]
}

// run computes step i for n elements.
func (e *exec) run(i int, d unsafe.Pointer, n int, b *box) {
	s := &e.code.steps[i]
	var a [3]unsafe.Pointer
	for k, r := range s.args {
		if r < 0 {
			break
		}
		a[k] = e.ptr[r]
	}
	switch {
	case s.loop != nil:
		if s.powSign != dtype.Invalid {
			e.checkPower(s.powSign, a[1], n, e.mode[i]&uniformB != 0)
		}
		s.loop(d, a[0], a[1], a[2], n, e.mode[i])
	case s.op == kernels.OpIndex:
		e.index(i, values[int64](d, n), b)
	default:
		e.runCold(i, d, a, n)
	}
}

// checkPower keeps an error when an exponent is negative.
func (e *exec) checkPower(dt dtype.DType, p unsafe.Pointer, n int, same bool) {
	if same {
		n = 1
	}
	if low := lowest[dt](p, n); low < 0 && e.err == nil {
		e.err = fmt.Errorf("kernels/cpu: power: an integer to the power of %d is not an integer; cast one operand to float64: %w", low, kernels.ErrDomain)
	}
}

// lowest gives the least of n signed integers, by dtype.
var lowest = [dtype.Count]func(p unsafe.Pointer, n int) int64{
	dtype.Int8: lowestOf[int8], dtype.Int16: lowestOf[int16], dtype.Int32: lowestOf[int32], dtype.Int64: lowestOf[int64],
}

func lowestOf[T signed](p unsafe.Pointer, n int) int64 {
	m := int64(math.MaxInt64)
	for _, x := range values[T](p, n) {
		m = min(m, int64(x))
	}
	return m
}

// index fills z with positions along the step's axis.
func (e *exec) index(i int, z []int64, b *box) {
	k := e.axis[i]
	if k < 0 || b == nil {
		for j := range z {
			z[j] = e.pos[i]
		}
		return
	}
	inner := 1
	for a := k + 1; a < e.geo.n; a++ {
		inner *= b.dim[a]
	}
	first := e.pos[i] + int64(b.lo[k])
	if inner == 1 {
		for j := 0; j < len(z); j += b.dim[k] {
			row := z[j : j+b.dim[k]]
			for q := range row {
				row[q] = first + int64(q)
			}
		}
		return
	}
	at, q := 0, 0
	for at < len(z) {
		row := z[at : at+inner]
		v := first + int64(q)
		for j := range row {
			row[j] = v
		}
		at += inner
		if q++; q == b.dim[k] {
			q = 0
		}
	}
}

// runCold copies the fast values and runs the slow program on the lanes of the mask.
func (e *exec) runCold(i int, d unsafe.Pointer, a [3]unsafe.Pointer, n int) {
	s := &e.code.steps[i]
	mode := e.mode[i]
	size, wide := e.code.size[s.d], e.code.size[s.args[2]]
	switch {
	case mode&uniformB != 0:
		fill[size](d, a[1], n)
	case d != a[1]:
		moves[size](d, a[1], nil, nil, n, 0)
	}
	mask := values[uint8](a[0], n)
	if mode&uniformA != 0 {
		if mask = mask[:1]; mask[0] == 0 {
			return
		}
	} else if !anyTrue(mask) {
		return
	}
	x, y := e.slotPtr(e.code.cold[2*s.aux]), e.slotPtr(e.code.cold[2*s.aux+1])
	lane := func(j int) int {
		if len(mask) < n {
			return 0
		}
		return j
	}
	count := 0
	for j := range n {
		if mask[lane(j)] == 0 {
			continue
		}
		from := a[2]
		if mode&uniformC == 0 {
			from = unsafe.Add(from, j*wide)
		}
		moves[wide](unsafe.Add(x, count*wide), from, nil, nil, 1, 0)
		count++
	}
	e.slowExec(s.aux).packed(x, y, count)
	count = 0
	for j := range n {
		if mask[lane(j)] != 0 {
			moves[size](unsafe.Add(d, j*size), unsafe.Add(y, count*size), nil, nil, 1, 0)
			count++
		}
	}
}

// anyTrue reports whether a byte is not 0.
func anyTrue(m []uint8) bool {
	for len(m) >= 8 {
		if binary.NativeEndian.Uint64(m) != 0 {
			return true
		}
		m = m[8:]
	}
	for _, v := range m {
		if v != 0 {
			return true
		}
	}
	return false
}

// packed runs a slow program on n packed values of its input; its one result goes to y.
func (e *exec) packed(x, y unsafe.Pointer, n int) {
	if e.code.fused != nil && e.packedFused(x, y, n) {
		return
	}
	e.ptr[0] = x
	for i := range e.code.steps {
		d := e.code.steps[i].d
		if e.uni[d] {
			continue
		}
		e.ptr[d] = e.slotPtr(e.code.slotAt[d])
		e.run(i, e.ptr[d], n, nil)
	}
	r := e.code.root[e.code.p.Ret[0]]
	if e.uni[r] {
		fill[e.code.size[r]](y, e.ptr[r], n)
		return
	}
	moves[e.code.size[r]](y, e.ptr[r], nil, nil, n, 0)
}
