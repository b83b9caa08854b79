// SPDX-License-Identifier: BSD-3-Clause

package jit

import "github.com/arrayrun/arrayrun/chunk/dtype"

// Registers of runs loops.
const (
	rRun    = r11 // what is left of the run
	rGroups = rCX
	rQuads  = r13
	rMask   = rSI
	rSum    = r15
	yPart   = 12 // the lanes of the last, partial quad, 64 bits each
	yLoad   = 15 // the same as a mask of its elements
	yJoin   = 8
	kPart   = 2 // the first of four mask registers: the elements behind the groups of 32
)

// maskedLoads are the loads of a partial quad by element size.
var maskedLoads = [9]vop{4: vmaskmovps, 8: vmaskmovpd}

// runs emits
//
//	for r := range rows { acc[r] = the block fold of x[0:n]; x = x[stride:] }
//
// where element i goes to accumulator i mod 32 and the accumulators join by halving. Where numbers are counted count[r] gets how many
// there were. Of var, acc gets the sums of squared differences from the means, mean the means and sum the sums.
func (w *writer) runs(s step, q quad, d dtype.DType) {
	size := d.Size()
	w.load(rAcc, memAt(rArgs, argAcc))
	w.load(rX, memAt(rArgs, argX))
	w.load(rCnt, memAt(rArgs, argCount))
	w.load(rMean, memAt(rArgs, argMean))
	w.load(rStep, memAt(rArgs, argStride))
	w.load(rCount, memAt(rArgs, argRows))
	w.load(rMask, memAt(rArgs, argMask))
	w.load(rSum, memAt(rArgs, argSum))
	w.begin(s)
	if w.bytes > vectorBytes {
		for k := range 4 {
			w.kload(kPart+k, memAt(rMask, int32(maskBits+k)))
		}
	}
	top := len(w.b)
	moments := s.square
	s.square = false
	w.run(s, q, size, moments)
	if s.count {
		w.total()
		w.gpr(0x89, rTemp, memAt(rCnt, 0))
		w.lea(rCnt, memAt(rCnt, 8))
	}
	if moments {
		w.vex(&opcodes[vmovqStore], 0, 0, 0, memAt(rSum, 0))
		w.lea(rSum, memAt(rSum, 8))
		if s.skip { // the count as float64
			w.vex(&opcodes[vpxor], 0, 1, 1, reg(1))
			w.vex(&opcodes[vpsubd], 0, 8, 1, reg(8))
			w.vex(&opcodes[vcvtdq2pd], 0, 1, 0, reg(8))
		} else {
			w.vex(&opcodes[vmovqLoad], 0, 1, 0, memAt(rMask, maskNumber))
		}
		w.vex(&opcodes[vdivpd], 0, 0, 0, reg(1))
		w.vex(&opcodes[vmovqStore], 0, 0, 0, memAt(rMean, 0))
		w.lea(rMean, memAt(rMean, 8))
		w.op(vbroadcastsd, yMean, 0, reg(0))
		s.square = true
		w.run(s, q, size, moments)
	}
	w.vex(&opcodes[vmovqStore], 0, 0, 0, memAt(rAcc, 0))
	w.lea(rAcc, memAt(rAcc, 8))
	w.lea(rX, memIndexed(rX, rStep, 0, 0))
	w.sub(rCount, 1)
	w.to(w.jump(ifNotZero), top)
	w.ret()
}

// run folds one run into the lowest lane of register 0, and how many numbers it held into register 8's lanes by total.
func (w *writer) run(s step, q quad, size int, moments bool) {
	n := w.lanes64()
	for k := range 32 / n {
		if s.unit() {
			w.op(vmovaps, k, 0, reg(yUnit))
		} else {
			w.op(vpxor, k, k, reg(k))
		}
	}
	if s.count && !s.square {
		w.op(vpxor, yTake, yTake, reg(yTake))
	}
	if moments {
		if s.square {
			w.lea(rTemp, memAt(rRun, 0))
			w.gpr(0x29, rX, reg(rTemp))         // sub
			w.b = append(w.b, 0x48, 0xD1, 0xE8) // shr rax, 1
			w.lea(rTemp, memIndexed(rTemp, rX, 0, 0))
			w.lea(rTemp, memIndexed(rTemp, rStep, 0, 0))
		} else {
			w.lea(rTemp, memIndexed(rX, rStep, 0, 0))
		}
	}
	w.lea(rRun, memAt(rX, 0))
	w.load(rGroups, memAt(rArgs, argWidth))
	w.load(rQuads, memAt(rArgs, argQuads))
	w.b = append(w.b, 0x48, 0x85, 0xC9) // test rcx, rcx
	none := w.jump(ifZero)
	w.align(32)
	top := len(w.b)
	for k := range 32 / n {
		t := 8 + k%2*2
		at := memAt(rRun, int32(n*k*size))
		if !moments {
			w.ahead(n*k, n, size, at)
		} else if at.disp%cacheLine == 0 && int(at.disp) < max(16*size, cacheLine) {
			// The next run, of which either pass asks for half: too many lines at a time would wait for each other.
			w.prefetch(2, memAt(rTemp, at.disp))
		}
		w.quadStep(s, q, k, t, t+1, at)
	}
	w.lea(rRun, memAt(rRun, int32(32*size)))
	if moments {
		w.lea(rTemp, memAt(rTemp, int32(16*size)))
	}
	w.sub(rGroups, 1)
	w.to(w.jump(ifNotZero), top)
	w.land(none)
	if w.bytes > vectorBytes {
		w.maskedRest(s, q, size)
	} else {
		w.rest(s, q, size)
	}
	// i with i+16, i+8, i+4, then inside the register i+2 and i+1.
	for h := 16 / n; h > 0; h /= 2 {
		for k := range h {
			w.op(s.add, k, k, reg(k+h))
		}
	}
	if w.bytes > vectorBytes {
		w.op(vextractf64x4, 0, 0, reg(yJoin), 1)
		w.vex(&opcodes[s.add], 1, 0, 0, reg(yJoin))
	}
	w.vex(&opcodes[vextracti128], 1, 0, 0, reg(yJoin), 1)
	w.vex(&opcodes[s.add], 0, 0, 0, reg(yJoin))
	w.vex(&opcodes[vpshufd], 0, yJoin, 0, reg(0), 0x4E)
	w.vex(&opcodes[s.add], 0, 0, 0, reg(yJoin))
}

// rest adds the elements behind the groups of 32: up to seven quads, then part of one.
func (w *writer) rest(s step, q quad, size int) {
	var ends []int
	for k := range 8 {
		w.b = append(w.b, 0x49, 0x83, 0xFD, byte(k)) // cmp r13, k
		more := w.jump(ifNotZero)
		if size >= 4 {
			w.load(rTemp, memAt(rArgs, argPart))
			w.b = append(w.b, 0x48, 0x85, 0xC0) // test rax, rax
			ends = append(ends, w.jump(ifZero))
			w.partStep(s, q, k, size, memAt(rRun, int32(4*k*size)))
		}
		ends = append(ends, w.jump(always))
		w.land(more)
		if k < 7 {
			w.quadStep(s, q, k, 8, 9, memAt(rRun, int32(4*k*size)))
		}
	}
	for _, e := range ends {
		w.land(e)
	}
}

// maskedRest is rest with vectors of 64 bytes.
func (w *writer) maskedRest(s step, q quad, size int) {
	w.load(rQuads, memAt(rMask, maskBits))
	var ends []int
	for k := range 4 {
		w.test(rQuads, 0xFF<<(8*k))
		ends = append(ends, w.jump(ifZero))
		w.maskedStep(s, q, k, 8, memAt(rRun, int32(8*k*size)), uint8(kPart+k))
	}
	for _, e := range ends {
		w.land(e)
	}
}

// partStep is quadStep of a partial quad: the lanes beyond it change nothing and are not counted.
func (w *writer) partStep(s step, q quad, acc, size int, x operand) {
	const t, m = 8, 9
	w.op(vmovupsLoad, yLoad, 0, memAt(rMask, 0))
	w.op(vmovupsLoad, yPart, 0, memAt(rMask, maskLanes))
	l := uint8(0)
	if size == 8 {
		l = 1
	}
	w.vex(&opcodes[maskedLoads[size]], l, t, yLoad, x)
	if q.first != vmovupsLoad {
		w.op(q.first, t, 0, reg(t))
	}
	if s.skip {
		w.vex(&opcodes[vcmppd], 1, m, t, reg(t), isOrdered)
		w.op(vandpd, m, m, reg(yPart))
	} else {
		w.op(vmovaps, m, 0, reg(yPart))
	}
	if s.square {
		w.op(vsubpd, t, t, reg(yMean))
		w.op(vmulpd, t, t, reg(t))
	}
	if s.count && !s.square {
		w.op(vpaddq, yTake, yTake, reg(m))
	}
	w.only(s, t, m)
	w.op(s.add, acc, acc, reg(t))
}
