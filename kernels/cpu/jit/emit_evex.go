// SPDX-License-Identifier: BSD-3-Clause

package jit

// yes is the mask register in which comparisons of 64-byte vectors arrive.
const yes = 1

// laneBytes are the comparisons, by the bytes of their lanes: with vectors of 64 bytes they have a mask register for a result, which
// becomes lanes of ones and zeros as everywhere else.
var laneBytes = [vopCount]uint8{
	vcmpps: 4, vcmppd: 8, vpcmpeqb: 1, vpcmpeqw: 2, vpcmpeqd: 4, vpcmpeqq: 8, vpcmpgtb: 1, vpcmpgtw: 2, vpcmpgtd: 4, vpcmpgtq: 8,
	vpcmpb: 1, vpcmpw: 2, vpcmpd: 4, vpcmpq: 8, vpcmpuq: 8,
}

// toLanes makes lanes of a mask register, by their bytes.
var toLanes = bySize{1: vpmovm2b, 2: vpmovm2w, 4: vpmovm2d, 8: vpmovm2q}

// masks tells which mask registers hold comparisons for those that use them so; k0 means no mask to most instructions, and yes is
// for what is used at once.
type masks struct {
	in [8]mask
}

// mask is a value in a mask register: lanes of ones and zeros of so many bytes.
type mask struct {
	k, size uint8 // k 0: none
	x       val
}

// inMask returns the mask register that holds x.
func (m *masks) inMask(x val) (mask, bool) {
	for _, h := range m.in {
		if h.k > 0 && h.x == x {
			return h, true
		}
	}
	return mask{}, false
}

// forget frees the mask register that holds x, if one does.
func (m *masks) forget(x val) {
	for k := range m.in {
		if m.in[k].x == x {
			m.in[k] = mask{}
		}
	}
}

// hold gives x a mask register, 0 if none is free.
func (m *masks) hold(x val, size uint8) uint8 {
	for k := uint8(yes + 1); k < 8; k++ {
		if m.in[k].k == 0 {
			m.in[k] = mask{k, size, x}
			return k
		}
	}
	return 0
}

// chooses reports whether node i is used where a mask register will do.
func (e *emitter) chooses(i int) bool {
	for _, u := range e.uses[i] {
		if n := &e.g.nodes[u]; n.kind == nodeCold || n.kind == nodeStore && n.c == val(i) || n.kind == nodeOp && (n.c == val(i) && opcodes[n.op].shape == shapeBlend || logic[n.op] != 0) {
			return true
		}
	}
	return false
}

// logic are the operations on lanes that mask registers have too, by their opcodes.
var logic = [vopCount]byte{vpand: 0x41, vandps: 0x41, vandpd: 0x41, vpor: 0x45, vorps: 0x45, vorpd: 0x45, vpxor: 0x47, vxorps: 0x47, vxorpd: 0x47}

// compare emits node i, a comparison: into a mask register where that is of use, else into lanes.
func (e *emitter) compare(i int, n *node, a int, x operand, imm []byte) {
	size := laneBytes[n.op]
	if e.chooses(i) {
		if k := e.hold(val(i), size); k > 0 {
			e.evex(n.op, n.l, int(k), a, x, all, imm...)
			return
		}
	}
	e.evex(n.op, n.l, yes, a, x, all, imm...)
	e.evex(toLanes[size], n.l, e.result(i), 0, reg(yes), all)
}

// maskLogic emits node i if its operands are in mask registers.
func (e *emitter) maskLogic(i int, n *node) bool {
	if logic[n.op] == 0 || e.bytes == vectorBytes || !e.chooses(i) {
		return false
	}
	a, ok1 := e.inMask(n.a)
	b, ok2 := e.inMask(n.b)
	if !ok1 || !ok2 {
		return false
	}
	e.used(i, n)
	k := e.hold(val(i), a.size)
	if k == 0 {
		k = yes
	}
	e.klogic(logic[n.op], k, a.k, b.k)
	if k == yes {
		e.evex(toLanes[a.size], n.l, e.result(i), 0, reg(yes), all)
	}
	return true
}

// testLanes sets the flags by whether what node n looks at is 0.
func (e *emitter) testLanes(n *node) {
	k := uint8(yes)
	if m, ok := e.inMask(n.a); ok {
		k = m.k
	} else {
		r := e.inRegister(n.a)
		if e.bytes == vectorBytes {
			e.vex(&opcodes[vptest], n.l, r, 0, reg(r))
			return
		}
		e.evex(vptestmd, n.l, yes, r, reg(r), all)
	}
	e.kortest(k)
}

// blendms are the blends by a mask register.
var blendms = [9]vop{1: vpblendmb, 2: vpblendmw, 4: vblendmps, 8: vblendmpd}

// What vpternlogd computes of its operands A, which it overwrites, B and C.
const (
	aChooses = 0xCA // A ? B : C
	bChooses = 0xB8 // B ? C : A
)

// permute emits an instruction that overwrites which element of two vectors it takes: the register of that if it dies, else a copy.
func (e *emitter) permute(i int, n *node) {
	d := e.inRegister(n.a)
	if !e.dies(n.a, i) {
		from := d
		d = e.take()
		e.evex(vmovaps, e.full, d, 0, reg(from), all)
	}
	v := e.inRegister(n.b)
	x := e.place(n.c, n.memory())
	e.used(i, n)
	e.claim(i, d)
	e.evex(n.op, n.l, d, v, x, all)
}

// choose emits a blend by a mask register, or by the bits of its mask. That instruction overwrites one operand: one that dies, else a copy of the mask.
func (e *emitter) choose(i int, n *node) {
	if m, ok := e.inMask(n.c); ok {
		a := e.inRegister(n.a)
		x := e.place(n.b, n.memory())
		e.used(i, n)
		e.evex(blendms[m.size], n.l, e.result(i), a, x, predicate{k: m.k})
		return
	}
	if e.dies(n.a, i) && n.a != n.b && n.a != n.c && e.reg[n.a] >= 0 {
		d := e.inRegister(n.a)
		m := e.inRegister(n.c)
		x := e.place(n.b, n.memory())
		e.used(i, n)
		e.claim(i, d)
		e.evex(vpternlogd, n.l, d, m, x, all, bChooses)
		return
	}
	m, x := e.inRegister(n.c), e.inRegister(n.b)
	d := m
	if !e.dies(n.c, i) || n.c == n.a || n.c == n.b {
		d = e.take()
		e.evex(vmovaps, e.full, d, 0, reg(m), all)
	}
	y := e.place(n.a, n.memory())
	e.used(i, n)
	e.claim(i, d)
	e.evex(vpternlogd, n.l, d, x, y, all, aChooses)
}
