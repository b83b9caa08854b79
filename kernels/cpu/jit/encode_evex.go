// SPDX-License-Identifier: BSD-3-Clause

package jit

// Predication of an instruction with vectors of 64 bytes: the mask register, and what the other lanes become.
type predicate struct {
	k    uint8 // 0: all lanes
	zero bool  // 0 in the other lanes; else they stay
}

// all is no predicate.
var all predicate

// evexWide are the instructions whose W bit is 1 as EVEX but not as VEX: those on 64-bit lanes.
var evexWide = [vopCount]bool{
	vaddpd: true, vmulpd: true, vsubpd: true, vminpd: true, vdivpd: true, vmaxpd: true, vsqrtpd: true, vandpd: true, vandnpd: true, vorpd: true, vxorpd: true,
	vcmppd: true, vroundpd: true, vcvttpd2dq: true, vcvtpd2ps: true, vpaddq: true, vpsubq: true, vpmuludq: true, vpcmpeqq: true, vpcmpgtq: true,
	vpsrlq: true, vpsllq: true, vbroadcastsd: true, vunpcklpd: true, vunpckhpd: true, vpbroadcastq: true, vmovqLoad: true, vmovqStore: true,
}

// evex emits an instruction as EVEX: 32 registers, vectors of up to 64 bytes (l 2), predicates. The operands are those of vex.
func (a *assembler) evex(op vop, l uint8, r, v int, x operand, p predicate, imm ...byte) {
	o := &opcodes[op]
	bit := func(n, k int) byte { return byte(n>>k) & 1 }
	xBit, bBit := byte(0), byte(0)
	switch x.kind {
	case inReg:
		xBit, bBit = bit(int(x.reg), 4), bit(int(x.reg), 3)
	case inMem:
		bBit = bit(int(x.reg), 3)
	case inMemIndexed:
		xBit, bBit = bit(int(x.index), 3), bit(int(x.reg), 3)
	}
	w := o.w
	if evexWide[op] {
		w = 1
	}
	z := byte(0)
	if p.zero {
		z = 0x80
	}
	a.b = append(a.b, 0x62,
		(bit(r, 3)^1)<<7|(xBit^1)<<6|(bBit^1)<<5|(bit(r, 4)^1)<<4|o.space,
		w<<7|(^byte(v)&15)<<3|4|o.prefix,
		z|l<<5|(bit(v, 4)^1)<<3|p.k,
		o.code)
	a.modrm(r, x, len(imm), false)
	a.b = append(a.b, imm...)
}

// kortest compares the 64 bits of a mask register with 0.
func (a *assembler) kortest(k uint8) { a.b = append(a.b, 0xC4, 0xE1, 0xF8, 0x98, 0xC0|k<<3|k) }

// klogic emits an operation on 64 bits of mask registers: 0x41 and, 0x42 y and not x, 0x45 or, 0x47 exclusive or.
func (a *assembler) klogic(op byte, d, x, y uint8) {
	a.b = append(a.b, 0xC4, 0xE1, 0x84|(^x&7|8)<<3, op, 0xC0|d<<3|y)
}

// kload loads 8 bits at x, whose base is one of the first eight registers, into a mask register.
func (a *assembler) kload(k int, x operand) {
	a.b = append(a.b, 0xC5, 0xF9, 0x90)
	a.modrm(k, x, 0, true)
}
