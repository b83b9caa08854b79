// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"fmt"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// Sink is what becomes of a result of Columns: the numbers of a column are added to a float64 in the order of the rows, NaN left
// out with Skip, and then counted with Count.
type Sink struct{ Skip, Count bool }

// Columns is a program whose results, of float32 or float64, are not stored but summed by columns of rows. It stays valid until its
// compiler is closed.
type Columns struct {
	entry    uintptr
	operands int
	sinks    int
	lanes    int
}

// maxColumnOperands is how many inputs such a program may have: their pointers stay in registers.
const maxColumnOperands = 4

// CompileColumns returns the code of a program, as Compile, whose result i goes to sinks[i]. What takes too many registers, or has
// slow programs, gives an error wrapping kernels.ErrUnsupported.
func (c *Compiler) CompileColumns(p *kernels.Program, same []bool, sinks []Sink) (*Columns, error) {
	key := p.Key() + fmt.Sprint(same, sinks)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	if f := c.columns[key]; f != nil {
		return f, nil
	}
	refuse := func(why string) (*Columns, error) {
		return nil, fmt.Errorf("kernels/cpu/jit: sums by columns: %s: %w", why, kernels.ErrUnsupported)
	}
	for _, r := range p.Ret {
		if d := p.RegType(r); d != dtype.Float32 && d != dtype.Float64 {
			return refuse("a result is no float32 or float64")
		}
	}
	for _, in := range p.In {
		if in.DType == dtype.Complex128 {
			return refuse("an input takes two vectors")
		}
	}
	if len(p.In) > maxColumnOperands {
		return refuse("too many inputs")
	}
	g, err := lower(p, same, c.bytes)
	if err != nil {
		return nil, err
	}
	for i := range g.nodes {
		if g.nodes[i].kind == nodeCold {
			return refuse("a slow program")
		}
	}
	var w *columnWriter
	for copies := 2; ; copies-- {
		w = &columnWriter{emitter: &emitter{coder: coder{width: widthOf(c.bytes)}, ptrs: len(p.In)}, g: g}
		w.findSinks(p, sinks)
		enough := w.assign(copies)
		if enough {
			w.emit(copies)
			if w.most == 0 {
				break
			}
		}
		switch {
		case copies > 1:
			if g, err = lower(p, same, c.bytes); err != nil { // findSinks has changed it
				return nil, err
			}
		case enough:
			return refuse("too many values at a time")
		default:
			return refuse("too many accumulators")
		}
	}
	w.finish(w.g.pool)
	f := &Columns{operands: len(p.In), sinks: len(sinks), lanes: g.v}
	if f.entry, err = c.install(w.b); err != nil {
		return nil, err
	}
	c.columns[key] = f
	return f, nil
}

// Lanes is what the width of a call must be a multiple of.
func (f *Columns) Lanes() int { return f.lanes }

// Run folds rows of n elements, a multiple of Lanes. ptrs holds the addresses of the inputs' first rows, then room for one more, then for
// each sink those of its accumulators (float64), of its counts (int64; nil without), and of 4 bytes and 2 bytes for each column, that are 0
// before and after; Rows has the steps of the inputs.
func (f *Columns) Run(ptrs []unsafe.Pointer, n int, rows *Rows) {
	ptrs[f.operands] = unsafe.Pointer(rows)
	enter(f.entry, &ptrs[0], n, nil)
}

// sink is a Sink with its registers, for each copy of the body.
type sink struct {
	Sink
	size  int       // bytes of an element
	accs  [2][2]int // of the lower and the upper half of the lanes
	halfs int       // how many of accs
	count [2]int
	holes bool  // what is left out are the lanes of a mask, if there is one
	takes bool  // the mask has the other lanes, in a mask register
	fixed bool  // sums of so many rows as held says are whole numbers of a unit, of 32 bits, in the first of accs
	unit  int32 // its place in the pool
	held  int   // a power of 2

	known bool  // with fixed: holes are one value of an input, or none; values of the unit are added in their place, and taken off again
	input *node // that has them, a load; nil: there are none
	fill  int32 // the places in the pool of that value, and of what is added for each
	extra int32
	holed [2]int // registers of how many there are, in lanes of the input's, for all copies of the body; and of that value
}

// Pointers of a sink in the argument block, behind the operands' and that of Rows.
const (
	ptrAcc = iota
	ptrCount
	ptrSums  // of 32 bits: a fixed sink's sums that are not in the accumulators yet
	ptrHoles // of 16 bits: how many holes those have
	sinkPtrs
)

// columnWriter emits the loop:
//
//	for panels of rows { for columns, 2*v or v at a time { load accumulators; for rows { body, add }; store } }
type columnWriter struct {
	*emitter
	g     *graph
	n     int // copies of the body at work
	sinks []sink
	t, u  int // registers for what lies between
	ones  int // with vectors of 64 bytes a register of ones
}

// Registers beside the emitter's, whose pointers take the first of pointerRegs: rows of a panel, and what is left of them.
const (
	rRows     = rSI // *Rows: nothing is spilled
	rPanel    = r11
	rPanelRow = r12
	rFlush    = r13 // how many rows' sums of 32 bits go to the accumulators with this panel, or 0
)

// panelRows is how many rows a panel has at most: as many as lines of a column that lie a power of two apart fit in a set of the caches,
// beside those that are asked for. Where what is kept of a column is short, half as many.
func (w *columnWriter) panelRows() int {
	if w.held() > 0 {
		return 4
	}
	return 8
}

// findSinks notes what becomes of the results.
func (w *columnWriter) findSinks(p *kernels.Program, sinks []Sink) {
	for i, s := range sinks {
		w.sinks = append(w.sinks, sink{Sink: s, size: p.RegType(p.Ret[i]).Size(), halfs: max(1, w.g.v*8/w.bytes)})
	}
	w.findHoles()
	w.findFixed()
	if w.bytes > vectorBytes {
		w.invertHoles()
	}
}

// assign gives the sinks registers for so many copies of the body, or reports false where there are too few.
func (w *columnWriter) assign(copies int) bool {
	next := w.vectors - 1
	take := func() int { next--; return next + 1 }
	w.t, w.u = take(), take()
	if w.bytes > vectorBytes {
		w.ones = take()
	}
	for i := range w.sinks {
		s := &w.sinks[i]
		for k := range copies {
			for h := range s.halfs {
				if h == 0 || !s.fixed {
					s.accs[k][h] = take()
				}
			}
			if s.counted() {
				s.count[k] = take()
			}
		}
		if s.input != nil {
			s.holed = [2]int{take(), take()}
		}
	}
	w.taken = w.vectors - 1 - next
	w.toSink = func(n *node, r int) { w.add(&w.sinks[n.arg], n, r, int(n.shift)/w.g.v) }
	return w.taken <= w.vectors/2 && w.taken+w.counted(copies) <= w.vectors
}

// counted is how many vectors of counts so many copies of the body have.
func (w *columnWriter) counted(copies int) (n int) {
	for _, s := range w.sinks {
		if s.counted() {
			n += copies * s.halfs
		}
	}
	return n
}

// counted reports whether a vector of counts goes along with each vector of columns.
func (s *sink) counted() bool { return s.Count && !s.known }

// point sets rTemp to one of a sink's pointers.
func (w *columnWriter) point(sink, which int) {
	w.load(rTemp, memAt(rArgs, int32(8*(w.ptrs+1+sinkPtrs*sink+which))))
}

// each calls do for each sink that is not fixed and each copy of the body at work with the memory of its accumulators of the columns at work.
func (w *columnWriter) each(do func(s *sink, k int, acc func(half int) operand)) {
	for i := range w.sinks {
		if w.sinks[i].fixed {
			continue
		}
		w.point(i, ptrAcc)
		for k := range w.n {
			do(&w.sinks[i], k, func(half int) operand { return memIndexed(rTemp, rIndex, 3, int32(w.bytes*half+8*w.g.v*k)) })
		}
	}
}

// emit emits the loop, with so many copies of the body as long as there are columns for them.
func (w *columnWriter) emit(copies int) {
	if w.bytes > vectorBytes {
		w.evex(vpternlogd, w.full, w.ones, w.ones, reg(w.ones), all, 0xFF)
	}
	w.b = append(w.b, 0x45, 0x31, 0xFF) // xor r15d, r15d
	w.load(rRows, memAt(rArgs, int32(8*w.ptrs)))
	panel := len(w.b)
	w.load(rPanel, memAt(rRows, 0))
	w.gpr(0x2B, rPanel, reg(rTurn)) // sub
	w.cmpImm(rPanel, w.panelRows())
	few := w.jump(ifNotAbove)
	w.b = append(w.b, 0x49, 0xC7, 0xC3, byte(w.panelRows()), 0, 0, 0) // mov r11, rows
	w.land(few)
	w.findFlush()
	w.zero(rIndex)
	for n := copies; n > 0; n-- {
		end := w.jumpUnlessRoom(n * w.g.v)
		w.columns(n)
		w.land(end)
	}
	w.gpr(0x03, rTurn, reg(rPanel))
	w.gpr(0x3B, rTurn, memAt(rRows, 0)) // cmp
	w.to(w.jump(ifBelow), panel)
	w.ret()
}

// columns folds a panel's columns, as many at a time as n copies of the body have, as long as there are so many.
func (w *columnWriter) columns(n int) {
	w.n = n
	g := w.g
	if n > 1 {
		g = g.times(n)
	}
	w.remakePins(g, min(w.vectors/2, w.vectors-w.taken-max(w.counted(n), nodeRegisters)))
	column := len(w.b)
	for k := range w.ptrs {
		w.load(pointerRegs[k], memAt(rRows, int32(8+8*k)))
		w.imul(pointerRegs[k], rTurn)
		w.gpr(0x03, pointerRegs[k], memAt(rArgs, int32(8*k))) // add
	}
	w.each(func(s *sink, k int, acc func(int) operand) {
		for h := range s.halfs {
			w.ins(vmovupsLoad, w.full, s.accs[k][h], 0, acc(h))
		}
	})
	w.takeHeld()
	for i := range w.sinks {
		for k := range w.n {
			switch s := &w.sinks[i]; {
			case s.counted() && s.holes && !s.takes: // as many as rows, less the holes
				w.ins(vmovdLoad, 0, s.count[k], 0, reg(rPanel))
				w.ins([9]vop{4: vpbroadcastd, 8: vpbroadcastq}[s.size], w.full, s.count[k], 0, reg(s.count[k]))
			case s.counted():
				w.ins(vpxor, w.full, s.count[k], s.count[k], reg(s.count[k]))
			}
		}
	}
	w.lea(rPanelRow, memAt(rPanel, 0))
	w.align(32)
	row := len(w.b)
	w.askBelow(g)
	w.body(g)
	for k := range w.ptrs {
		w.gpr(0x03, pointerRegs[k], memAt(rRows, int32(8+8*k)))
	}
	w.b = append(w.b, 0x49, 0x83, 0xEC, 1) // sub r12, 1
	w.to(w.jump(ifNotZero), row)
	w.counts(w.loadCount)
	w.each(func(s *sink, k int, acc func(int) operand) {
		for h := range s.halfs {
			w.ins(vmovupsStore, w.full, s.accs[k][h], 0, acc(h))
		}
	})
	w.counts(func(_ *sink, _, _, r int, at operand) { w.ins(vmovupsStore, w.full, r, 0, at) })
	w.hold()
	w.lea(rIndex, memAt(rIndex, int32(n*w.g.v)))
	w.lea(rTemp, memAt(rIndex, int32(n*w.g.v)))
	w.cmp(rTemp, rCount)
	w.to(w.jump(ifNotAbove), column)
}

// add adds the elements in register r, those of node n, to a sink's registers of copy k.
func (w *columnWriter) add(s *sink, n *node, r, k int) {
	l := w.g.length(s.size) // of the value
	if s.fixed {
		w.addUnits(s, n, r, k, l)
		return
	}
	accs, count := s.accs[k], s.count[k]
	x := r
	if s.Skip {
		x = w.t
		switch {
		case s.takes && s.size == 8:
			w.evex(vaddpd, w.full, accs[0], accs[0], reg(r), w.taking(s, n, k, l))
			return
		case s.takes:
			p := w.taking(s, n, k, l)
			p.zero = true
			w.evex(vmovaps, l, w.t, 0, reg(r), p)
		case s.holes:
			w.ins(vmovaps, l, w.t, 0, reg(r))
			w.leaveOut(s, n, k, l)
		case w.bytes > vectorBytes:
			w.evex(cmpFloat[s.size], l, yes, r, reg(r), all, isOrdered)
			if s.Count {
				w.evex(subInt[s.size], l, count, count, reg(w.ones), predicate{k: yes})
			}
			if s.size == 8 {
				w.evex(vaddpd, w.full, accs[0], accs[0], reg(r), predicate{k: yes})
				return
			}
			w.evex(vmovaps, l, w.t, 0, reg(r), predicate{yes, true})
		default:
			w.vex(&opcodes[cmpFloat[s.size]], l, w.t, r, reg(r), isOrdered)
			if s.Count {
				w.vex(&opcodes[subInt[s.size]], l, count, count, reg(w.t))
			}
			w.vex(&opcodes[vandps], l, w.t, w.t, reg(r))
		}
	}
	if s.size == 8 {
		w.ins(vaddpd, w.full, accs[0], accs[0], reg(x))
		return
	}
	if s.halfs == 2 {
		w.upperHalf(w.u, x)
		w.ins(vcvtps2pd, w.full, w.u, 0, reg(w.u))
		w.ins(vaddpd, w.full, accs[1], accs[1], reg(w.u))
	}
	w.ins(vcvtps2pd, w.full, w.t, 0, reg(x))
	w.ins(vaddpd, w.full, accs[0], accs[0], reg(w.t))
}

// leaveOut makes 0 of the holes in register t, and counts them.
func (w *columnWriter) leaveOut(s *sink, n *node, k int, l uint8) {
	count := s.count[k]
	if n.c == none {
		return
	}
	if m, ok := w.inMask(n.c); ok {
		if s.Count {
			w.evex(addInt[s.size], l, count, count, reg(w.ones), predicate{k: m.k})
		}
		w.evex(xorFloat[s.size], l, w.t, w.t, reg(w.t), predicate{k: m.k})
		return
	}
	m := w.inRegister(n.c)
	if s.Count {
		w.ins(addInt[s.size], l, count, count, reg(m))
	}
	w.ins(vandnps, l, w.t, m, reg(w.t))
}

// upperHalf puts the upper half of register x into r.
func (w *columnWriter) upperHalf(r, x int) {
	op := vextracti128
	if w.bytes > vectorBytes {
		op = vextractf64x4
	}
	w.ins(op, w.full, x, 0, reg(r), 1)
}

// counts adds the int64 counts in memory to what the sinks have counted, into registers that the body has left: all loads
// come before the stores, which would hold up loads from memory that lies alike in its page.
func (w *columnWriter) counts(do func(s *sink, k, half, r int, at operand)) {
	r := 0
	for i := range w.sinks {
		s := &w.sinks[i]
		if !s.counted() {
			continue
		}
		w.point(i, ptrCount)
		for k := range w.n {
			for h := range s.halfs {
				do(s, k, h, r, memIndexed(rTemp, rIndex, 3, int32(w.bytes*h+8*w.g.v*k)))
				r++
			}
		}
	}
}

// loadCount puts half of a sink's counts of copy k into register r.
func (w *columnWriter) loadCount(s *sink, k, half, r int, at operand) {
	n := s.count[k]
	if s.size == 4 {
		if half == 1 {
			w.upperHalf(w.t, n)
			n = w.t
		}
		w.ins(vpmovsxdq, w.full, r, 0, reg(n))
		n = r
	}
	w.ins(vpaddq, w.full, r, n, at)
}
