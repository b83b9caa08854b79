// SPDX-License-Identifier: BSD-3-Clause

package jit

// emitter turns a graph into machine code. Vector registers are given out while walking along the nodes; when
// none is free, the value whose next use is farthest leaves its register: to its place in the spill area, or to
// nowhere when it can be made again.
type emitter struct {
	coder
	g     *graph
	ptrs  int               // pointers of the argument block: results, then operands
	outs  int               // how many of them are results
	uses  [][]int           // of each value, the nodes that use it, ascending
	next  []int             // of each value, how many uses lie behind
	reg   []int8            // of each value, its register or -1
	spill []int32           // of each value, its place in the spill area or -1
	held  [mostVectors]val  // of each register, its value or none
	keep  [mostVectors]bool // registers that the node at work needs
	slots int32             // places of the spill area in use
	most  int32             // places of the spill area ever needed
	moves int               // stores to the spill area and loads from it
	frees []int32           // places whose values are dead
	dying []int32           // places whose values die with the node at work, which may still read them
	exits []int             // jumps that leave for a cold lane
	past  bool              // the body at work stores past the caches
	pins  []val             // constants that stay in registers

	masks // of vectors of 64 bytes

	taken  int                    // the last registers, which bodies leave alone
	toSink func(n *node, reg int) // where results go instead of memory, or nil
}

// width is how long vectors are and how many registers hold them.
type width struct {
	bytes   int   // 32, or 64: encoded as EVEX
	full    uint8 // such a vector's length in an instruction
	vectors int   // registers
}

// widthOf returns the width for vectors of so many bytes.
func widthOf(bytes int) width {
	if bytes == vectorBytes {
		return width{bytes, 1, 16}
	}
	return width{bytes, 2, 32}
}

// mostVectors is the largest number of vector registers, nodeRegisters how many a node needs: three operands and the result.
const (
	mostVectors   = 32
	nodeRegisters = 4
)

// coder is an assembler for vectors of a width.
type coder struct {
	assembler
	width
}

// ins emits an instruction.
func (c *coder) ins(op vop, l uint8, r, v int, x operand, imm ...byte) {
	if c.bytes == vectorBytes {
		c.vex(&opcodes[op], l, r, v, x, imm...)
	} else {
		c.evex(op, l, r, v, x, all, imm...)
	}
}

// Registers of the code: the argument block, the number of elements, the index of the vector at work, the spill area.
const (
	rArgs  = rDI
	rCount = rDX
	rIndex = rCX
	rSpill = rSI
	rTemp  = rAX
	rTurn  = r15 // rows that are done
)

// pointerRegs hold the first pointers of the argument block; others are loaded where they are used.
var pointerRegs = [...]int{rBX, r8, r9, r10, r11, r12, r13}

// findUses notes who uses which value, and which nodes nobody needs.
func (e *emitter) findUses(g *graph) {
	e.g = g
	e.uses = make([][]int, len(g.nodes))
	e.next = make([]int, len(g.nodes))
	e.reg = make([]int8, len(g.nodes))
	e.spill = make([]int32, len(g.nodes))
	live := make([]bool, len(g.nodes))
	for i := len(g.nodes) - 1; i >= 0; i-- {
		n := &g.nodes[i]
		if live[i] = live[i] || n.kind >= nodeStore; !live[i] {
			continue
		}
		for _, x := range [3]val{n.a, n.b, n.c} {
			if x != none {
				live[x] = true
			}
		}
	}
	for i := range g.nodes {
		n := &g.nodes[i]
		if !live[i] {
			n.kind = nodeDead
			continue
		}
		for _, x := range [3]val{n.a, n.b, n.c} {
			if x != none && (len(e.uses[x]) == 0 || e.uses[x][len(e.uses[x])-1] != i) {
				e.uses[x] = append(e.uses[x], i)
			}
		}
	}
}

// body emits the nodes of a graph.
func (e *emitter) body(g *graph) {
	e.findUses(g)
	e.slots, e.frees, e.dying = 0, e.frees[:0], e.dying[:0]
	for i := range e.reg {
		e.reg[i], e.spill[i], e.next[i] = -1, -1, 0
	}
	e.masks = masks{}
	for r := range e.held {
		e.held[r] = none
	}
	for k, x := range e.pins {
		e.claim(int(x), e.pin(k))
	}
	for i := range e.g.nodes {
		n := &e.g.nodes[i]
		if n.free() || n.kind == nodeDead {
			continue
		}
		e.keep = [mostVectors]bool{}
		e.frees, e.dying = append(e.frees, e.dying...), e.dying[:0]
		switch n.kind {
		case nodeStore:
			if r := e.inRegister(n.a); e.toSink != nil {
				e.toSink(n, r)
			} else {
				e.store(n, r)
			}
			e.used(i, n)
		case nodeCold:
			e.testLanes(n)
			e.exits = append(e.exits, e.jump(ifNotZero))
			e.used(i, n)
		default:
			e.node(i, n)
		}
	}
}

// node emits an instruction.
func (e *emitter) node(i int, n *node) {
	o := &opcodes[n.op]
	var imm []byte
	if n.imm >= 0 {
		imm = []byte{byte(n.imm)}
	}
	switch o.shape {
	case shapeFMA:
		e.fma(i, n)
		return
	case shapePermute:
		e.permute(i, n)
		return
	case shapeBinary:
		if e.maskLogic(i, n) {
			return
		}
		a := e.inRegister(n.a)
		x := e.place(n.b, n.memory())
		e.used(i, n)
		if laneBytes[n.op] > 0 && e.bytes > vectorBytes {
			e.compare(i, n, a, x, imm)
			return
		}
		e.ins(n.op, n.l, e.result(i), a, x, imm...)
	case shapeUnary:
		x := e.place(n.b, n.memory())
		e.used(i, n)
		e.ins(n.op, n.l, e.result(i), 0, x, imm...)
	case shapeShift:
		x := e.inRegister(n.b)
		e.used(i, n)
		e.ins(n.op, n.l, int(o.ext), e.result(i), reg(x), imm...)
	case shapeToMem:
		x := e.inRegister(n.b)
		e.used(i, n)
		e.ins(n.op, n.l, x, 0, reg(e.result(i)), imm...)
	case shapeBlend:
		if e.bytes > vectorBytes {
			e.choose(i, n)
			return
		}
		a, m := e.inRegister(n.a), e.inRegister(n.c)
		x := e.place(n.b, n.memory())
		e.used(i, n)
		e.vex(o, n.l, e.result(i), a, x, byte(m<<4))
	}
}

// fma emits x*y + z. The instruction overwrites one operand: one that dies, else a copy of z or x.
func (e *emitter) fma(i int, n *node) {
	first := n.op - 1 // 132, 213, 231 follow each other
	x, y, z := n.a, n.b, n.c
	if e.g.nodes[x].free() && !e.g.nodes[y].free() || e.reg[x] < 0 && e.reg[y] >= 0 {
		x, y = y, x
	}
	form := func(k vop) vop { return first + k }
	switch {
	case e.dies(z, i) && z != x && z != y && e.reg[z] >= 0: // z = x*y + z
		d := e.inRegister(z)
		v := e.inRegister(x)
		m := e.place(y, n.memory())
		e.used(i, n)
		e.claim(i, d)
		e.ins(form(2), n.l, d, v, m)
	case e.dies(x, i) && x != y && x != z: // x = y*x + z
		d := e.inRegister(x)
		v := e.inRegister(y)
		m := e.place(z, n.memory())
		e.used(i, n)
		e.claim(i, d)
		e.ins(form(1), n.l, d, v, m)
	case e.dies(y, i) && y != x && y != z && !e.g.nodes[y].free(): // y = x*y + z
		d := e.inRegister(y)
		v := e.inRegister(x)
		m := e.place(z, n.memory())
		e.used(i, n)
		e.claim(i, d)
		e.ins(form(1), n.l, d, v, m)
	case e.g.nodes[z].free() && e.reg[z] < 0: // a new register takes z and then x*y + z
		d := e.take()
		e.remake(z, d)
		v := e.inRegister(x)
		m := e.place(y, n.memory()) // last: it may count on rTemp
		e.used(i, n)
		e.claim(i, d)
		e.ins(form(2), n.l, d, v, m)
	default:
		v := e.inRegister(x)
		w := e.place(z, e.bytes)
		d := e.take()
		if w.kind == inReg {
			e.ins(vmovaps, e.full, d, 0, w)
		} else {
			e.ins(vmovupsLoad, e.full, d, 0, w)
		}
		m := e.place(y, n.memory()) // last: it may count on rTemp
		e.used(i, n)
		e.claim(i, d)
		e.ins(form(2), n.l, d, v, m)
	}
}

// dies reports whether node i is the last to use x.
func (e *emitter) dies(x val, i int) bool {
	u := e.uses[x]
	return u[len(u)-1] == i && !(e.reg[x] >= 0 && e.isPinned(int(e.reg[x])))
}

// place returns where an instruction that reads bytes of memory finds x: in its register, or in memory
// when x is a constant, lies in the spill area, or is a load of that very length that nothing else needs.
func (e *emitter) place(x val, bytes int) operand {
	if r := e.reg[x]; r >= 0 {
		e.keep[r] = true
		return reg(int(r))
	}
	n := &e.g.nodes[x]
	switch {
	case n.kind == nodeConst:
		return operand{kind: inPool, disp: n.arg * poolBytes}
	case n.kind == nodeLoad && n.stored(e.g.v) == bytes && e.next[x] == len(e.uses[x])-1:
		return e.element(e.outs+int(n.arg), n)
	case e.spill[x] >= 0 && e.next[x] == len(e.uses[x])-1:
		e.moves++
		return memAt(rSpill, e.spill[x]*int32(e.bytes))
	}
	return reg(e.inRegister(x))
}

// element is the memory of node n's vector behind pointer k; it may count on rTemp.
func (e *emitter) element(k int, n *node) operand {
	if n.size == pairSize {
		e.lea(rTemp, memIndexed(e.pointer(k), rIndex, 3, 0))
		return memIndexed(rTemp, rIndex, 3, n.shift*pairSize+int32(int(n.half)*n.stored(e.g.v)))
	}
	return memIndexed(e.pointer(k), rIndex, uint8(log2[n.size]), n.shift*int32(n.size))
}

// pointer returns the register that holds pointer k.
func (e *emitter) pointer(k int) int {
	if k < len(pointerRegs) {
		return pointerRegs[k]
	}
	e.load(rTemp, memAt(rArgs, int32(8*k)))
	return rTemp
}

// inRegister returns x's register, brought there if need be.
func (e *emitter) inRegister(x val) int {
	if r := e.reg[x]; r >= 0 {
		e.keep[r] = true
		return int(r)
	}
	r := e.take()
	e.remake(x, r)
	e.reg[x], e.held[r] = int8(r), x
	return r
}

// remake makes x in register r: from the pool, its memory or the spill area.
func (e *emitter) remake(x val, r int) {
	n := &e.g.nodes[x]
	switch n.kind {
	case nodeConst:
		e.ins(vmovupsLoad, e.full, r, 0, operand{kind: inPool, disp: n.arg * poolBytes})
	case nodeLoad:
		k := e.outs + int(n.arg)
		switch m := e.element(k, n); n.stored(e.g.v) {
		case 64:
			e.ins(vmovupsLoad, 2, r, 0, m)
		case 32:
			e.ins(vmovupsLoad, 1, r, 0, m)
		case 16:
			e.ins(vmovupsLoad, 0, r, 0, m)
		case 8:
			e.ins(vmovqLoad, 0, r, 0, m)
		default:
			e.ins(vmovdLoad, 0, r, 0, m)
		}
	case nodeSplat:
		op := [9]vop{1: vpbroadcastb, 2: vpbroadcastw, 4: vbroadcastss, 8: vbroadcastsd}[min(n.size, 8)]
		e.ins(op, e.full, r, 0, memAt(e.pointer(e.outs+int(n.arg)), 8*int32(n.half)))
	default:
		if m, ok := e.inMask(x); ok {
			e.evex(toLanes[m.size], n.l, r, 0, reg(int(m.k)), all)
			return
		}
		e.moves++
		e.ins(vmovupsLoad, e.full, r, 0, memAt(rSpill, e.spill[x]*int32(e.bytes)))
	}
}

// store writes register r to its result.
func (e *emitter) store(n *node, r int) {
	m := e.element(int(n.arg), n)
	op, l := vmovupsStore, uint8(0)
	switch n.stored(e.g.v) {
	case 64:
		l = 2
	case 32:
		l = 1
	case 16:
	case 8:
		op = vmovqStore
	default:
		op = vmovdStore
	}
	if e.past && op == vmovupsStore {
		op = vmovntps
	}
	e.ins(op, l, r, 0, m)
}

// used notes that node i has used its operands; registers and places of those that die are free.
func (e *emitter) used(i int, n *node) {
	for _, x := range [3]val{n.a, n.b, n.c} {
		if x == none || e.next[x] >= len(e.uses[x]) || e.uses[x][e.next[x]] != i {
			continue
		}
		e.next[x]++
		if e.next[x] < len(e.uses[x]) {
			continue
		}
		if r := e.reg[x]; r >= 0 && !e.isPinned(int(r)) {
			e.held[r], e.reg[x] = none, -1
			e.keep[r] = false // the result may go there
		}
		if e.spill[x] >= 0 {
			e.dying = append(e.dying, e.spill[x])
			e.spill[x] = -1
		}
		e.forget(x)
	}
}

// result gives node i a register; its operands have been used.
func (e *emitter) result(i int) int {
	r := e.take()
	e.claim(i, r)
	return r
}

func (e *emitter) claim(i, r int) {
	e.reg[i], e.held[r] = int8(r), val(i)
}

// take returns a register for the node at work, emptied if none is free.
func (e *emitter) take() int {
	best, far := -1, -1
	for r, x := range e.held[:e.vectors-e.taken] {
		switch {
		case x == none && !e.keep[r]:
			e.keep[r] = true
			return r
		case x == none || e.keep[r] || e.isPinned(r):
		case e.uses[x][e.next[x]] > far:
			best, far = r, e.uses[x][e.next[x]]
		}
	}
	x := e.held[best]
	if _, ok := e.inMask(x); !ok && !e.g.nodes[x].free() && e.spill[x] < 0 {
		e.moves++
		e.spill[x] = e.room()
		e.ins(vmovupsStore, e.full, best, 0, memAt(rSpill, e.spill[x]*int32(e.bytes)))
	}
	e.reg[x], e.held[best] = -1, none
	e.keep[best] = true
	return best
}

// room returns a free place of the spill area.
func (e *emitter) room() int32 {
	if n := len(e.frees); n > 0 {
		s := e.frees[n-1]
		e.frees = e.frees[:n-1]
		return s
	}
	e.slots++
	e.most = max(e.most, e.slots)
	return e.slots - 1
}
