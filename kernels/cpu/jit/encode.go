// SPDX-License-Identifier: BSD-3-Clause

package jit

import "encoding/binary"

// General registers. RSP, RBP and R14 (the goroutine) are never touched.
const (
	rAX = iota
	rCX
	rDX
	rBX
	_ // RSP
	_ // RBP
	rSI
	rDI
	r8
	r9
	r10
	r11
	r12
	r13
	_ // R14
	r15
)

// operand is what stands in an instruction's last source place: a vector register, or
// memory at [base + index*scale + disp] or at [the constants + disp].
type operand struct {
	kind  operandKind
	reg   int8 // register, or the base
	index int8
	scale uint8 // log2
	disp  int32
}

type operandKind uint8

const (
	inReg operandKind = iota
	inMem
	inMemIndexed
	inPool // disp counts from the start of the pool, which follows the code
)

func reg(r int) operand                  { return operand{reg: int8(r)} }
func memAt(base int, disp int32) operand { return operand{kind: inMem, reg: int8(base), disp: disp} }
func memIndexed(base, index int, scale uint8, disp int32) operand {
	return operand{kind: inMemIndexed, reg: int8(base), index: int8(index), scale: scale, disp: disp}
}

// assembler collects machine code. References into the pool are filled in by finish.
type assembler struct {
	b     []byte
	fixes []fix
}

// fix is a 32-bit displacement at byte at that counts from byte end to place disp of the pool.
type fix struct {
	at, end int
	disp    int32
}

// vex emits a VEX instruction. r is the register field, v the first source (0 when there is none), l the
// vector length (0: 128 bits, 1: 256 bits), imm what follows.
func (a *assembler) vex(o *opcode, l uint8, r, v int, x operand, imm ...byte) {
	rBit := byte(r>>3) & 1
	var xBit, bBit byte
	switch x.kind {
	case inReg, inMem:
		bBit = byte(x.reg>>3) & 1
	case inMemIndexed:
		bBit, xBit = byte(x.reg>>3)&1, byte(x.index>>3)&1
	}
	last := (^byte(v)&15)<<3 | l<<2 | o.prefix
	if o.space == map0F && o.w == 0 && xBit == 0 && bBit == 0 {
		a.b = append(a.b, 0xC5, (rBit^1)<<7|last, o.code)
	} else {
		a.b = append(a.b, 0xC4, (rBit^1)<<7|(xBit^1)<<6|(bBit^1)<<5|o.space, o.w<<7|last, o.code)
	}
	a.modrm(r, x, len(imm), true)
	a.b = append(a.b, imm...)
}

// modrm emits ModRM, SIB and displacement; without short none but 0 is of one byte. The form without displacement is not used: it
// would need an exception for RBP and R13.
func (a *assembler) modrm(r int, x operand, after int, short bool) {
	field := byte(r&7) << 3
	switch x.kind {
	case inReg:
		a.b = append(a.b, 0xC0|field|byte(x.reg&7))
		return
	case inPool:
		a.b = append(a.b, field|5)
		a.fixes = append(a.fixes, fix{len(a.b), len(a.b) + 4 + after, x.disp})
		a.b = append(a.b, 0, 0, 0, 0)
		return
	}
	mod, small := byte(0x80), x.disp == 0 || short && x.disp >= -128 && x.disp < 128
	if small {
		mod = 0x40
	}
	switch {
	case x.kind == inMemIndexed:
		a.b = append(a.b, mod|field|4, x.scale<<6|byte(x.index&7)<<3|byte(x.reg&7))
	case x.reg&7 == 4:
		a.b = append(a.b, mod|field|4, 0x24)
	default:
		a.b = append(a.b, mod|field|byte(x.reg&7))
	}
	if small {
		a.b = append(a.b, byte(x.disp))
		return
	}
	a.b = binary.LittleEndian.AppendUint32(a.b, uint32(x.disp))
}

// gpr emits a 64-bit instruction on general registers: opcode op, register r, operand x.
func (a *assembler) gpr(op byte, r int, x operand) {
	rex := byte(0x48) | byte(r>>3)&1<<2 | byte(x.reg>>3)&1
	if x.kind == inMemIndexed {
		rex |= byte(x.index>>3) & 1 << 1
	}
	a.b = append(a.b, rex, op)
	a.modrm(r, x, 0, true)
}

// load is r = [x]; lea is r = address of x; cmp compares a with b.
func (a *assembler) load(r int, x operand) { a.gpr(0x8B, r, x) }
func (a *assembler) lea(r int, x operand)  { a.gpr(0x8D, r, x) }
func (a *assembler) cmp(r, with int)       { a.gpr(0x39, with, reg(r)) }
func (a *assembler) zero(r int)            { a.b = append(a.b, 0x31, 0xC0|byte(r)<<3|byte(r)) } // RAX to RDI
func (a *assembler) imul(r, by int) {
	a.b = append(a.b, 0x48|byte(r>>3)<<2|byte(by>>3), 0x0F, 0xAF, 0xC0|byte(r&7)<<3|byte(by&7))
}

// cmpImm compares a general register with n.
func (a *assembler) cmpImm(r, n int) {
	a.b = append(a.b, 0x48|byte(r>>3), 0x83, 0xF8|byte(r&7), byte(n))
}

// prefetch asks for the cache line at x, into the cache of a level, 1 or 2; prefetchToWrite for the right to write it. An address
// outside all memory is legal.
func (a *assembler) prefetch(level int, x operand) { a.ask(0x18, level, x) }
func (a *assembler) prefetchToWrite(x operand)     { a.ask(0x0D, 1, x) }

func (a *assembler) ask(op byte, field int, x operand) {
	rex := byte(0x40) | byte(x.reg>>3)&1
	if x.kind == inMemIndexed {
		rex |= byte(x.index>>3) & 1 << 1
	}
	a.b = append(a.b, rex, 0x0F, op)
	a.modrm(field, x, 0, true)
}

func (a *assembler) ret() { a.b = append(a.b, 0xC3) }

// test compares the bits of r that mask has with 0; sfence orders what was stored past the caches before all later stores.
func (a *assembler) test(r int, mask uint32) {
	a.gpr(0xF7, 0, reg(r))
	a.b = binary.LittleEndian.AppendUint32(a.b, mask)
}
func (a *assembler) sfence() { a.b = append(a.b, 0x0F, 0xAE, 0xF8) }

// Conditions of jumps after an unsigned comparison, or a test.
const (
	ifBelow     = 0x82
	ifNotBelow  = 0x83
	ifZero      = 0x84
	ifNotZero   = 0x85
	ifNotAbove  = 0x86
	ifAbove     = 0x87
	always      = 0xE9
	pageBytes   = 4096
	vectorBytes = 32
	poolBytes   = 64 // of a constant: the longest vector
)

// jump emits a jump and returns where its displacement is; land or a target fills it in.
func (a *assembler) jump(condition byte) int {
	if condition != always {
		a.b = append(a.b, 0x0F)
	}
	a.b = append(a.b, condition, 0, 0, 0, 0)
	return len(a.b) - 4
}

// to sets the jump at a displacement to a target.
func (a *assembler) to(at, target int) {
	binary.LittleEndian.PutUint32(a.b[at:], uint32(int32(target-(at+4))))
}

// land sets the jump to what is emitted next.
func (a *assembler) land(at int) { a.to(at, len(a.b)) }

// nops are the recommended fillers of 1 to 8 bytes.
var nops = [...][]byte{
	{0x90}, {0x66, 0x90}, {0x0F, 0x1F, 0x00}, {0x0F, 0x1F, 0x40, 0x00}, {0x0F, 0x1F, 0x44, 0x00, 0x00},
	{0x66, 0x0F, 0x1F, 0x44, 0x00, 0x00}, {0x0F, 0x1F, 0x80, 0, 0, 0, 0}, {0x0F, 0x1F, 0x84, 0, 0, 0, 0, 0},
}

// align pads with instructions that do nothing.
func (a *assembler) align(n int) {
	for gap := -len(a.b) & (n - 1); gap > 0; {
		k := min(gap, len(nops))
		a.b = append(a.b, nops[k-1]...)
		gap -= k
	}
}

// finish appends the pool behind the code and fills in what points into it. It returns the length of the code alone.
func (a *assembler) finish(pool [][poolBytes]byte) (code int) {
	code = len(a.b)
	for len(a.b)%64 != 0 {
		a.b = append(a.b, 0xCC)
	}
	at := len(a.b)
	for _, c := range pool {
		a.b = append(a.b, c[:]...)
	}
	for _, f := range a.fixes {
		binary.LittleEndian.PutUint32(a.b[f.at:], uint32(int32(at)+f.disp-int32(f.end)))
	}
	return code
}
