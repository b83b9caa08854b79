// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"math/bits"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Registers of these loops beside up to eight vectors of elements.
const (
	yZero  = 8
	yTruth = 9
	yTest  = 10
)

// truths emits a loop that looks at whether elements are 0, or NaN:
//
//	any, all rows           acc[i] |= x[i] != 0, acc[i] &= x[i] != 0: bytes of 0 and 1; Width is a multiple of 32; x may be complex
//	nonzero, count short1   and so on, see shorts: acc[r] (int64) is how many of x[0:n] are not 0 (of integers: are 0), not NaN
func (w *writer) truths(name, form string, d dtype.DType) bool {
	if laneOf(d) == 0 || d.IsFloat() && d.Size() < 4 {
		return false
	}
	w.width = widthOf(vectorBytes)
	n, short := shortForms[form]
	switch {
	case short && !d.IsComplex() && (name == "nonzero" || name == "count" && d.IsFloat()):
		w.countShorts(d, n, name == "count")
	case form == "rows" && (name == "any" || name == "all"):
		w.op(vpxor, yZero, yZero, reg(yZero))
		w.constant(yTruth, 1, 1)
		w.rows(func(n int) { w.truthRows(d, n, name == "all") })
	default:
		return false
	}
	return true
}

// truthRows emits a panel of n rows.
func (w *writer) truthRows(d dtype.DType, n int, every bool) {
	s := d.Size()
	w.load(rAcc, memAt(rArgs, argAcc))
	w.columns(s, n, []cursor{{rAcc, 1}}, func() int { return vectorBytes }, func(first int) {
		if d.IsComplex() {
			for v := range vectorBytes / 4 {
				w.pairTruth(d, v, n, first+4*v, every)
			}
			w.packTruth(8)
		} else {
			w.truthLanes(d, n, first, every)
			w.packTruth(s)
		}
		to := memAt(rAcc, int32(first))
		if every {
			w.op(vpandn, 0, 0, to)
		} else {
			w.op(vpandn, 0, 0, reg(yTruth))
			w.op(vpor, 0, 0, to)
		}
		w.op(vmovupsStore, 0, 0, to)
	})
}

// truthLanes sets the lanes of the registers from 0 on, of n rows, of which an element is 0, or all are.
func (w *writer) truthLanes(d dtype.DType, n, first int, every bool) {
	s := d.Size()
	for v := range s {
		at := func(k int) operand { return rowAt(k, first*s+vectorBytes*v) }
		if every {
			w.anyZero(d, v, n, at)
		} else {
			w.allZero(d, v, n, at)
		}
	}
}

// allZero sets the lanes of register r whose elements in all rows are 0.
func (w *writer) allZero(d dtype.DType, r, n int, at func(k int) operand) {
	w.op(vmovupsLoad, r, 0, at(0))
	for k := 1; k < n; k++ {
		w.op(vpor, r, r, at(k))
	}
	if d.IsFloat() { // -0 is 0
		shift := vpslld
		if d.Size() == 8 {
			shift = vpsllq
		}
		w.op(shift, int(opcodes[shift].ext), r, reg(r), 1)
	}
	w.op(equalInt[d.Size()], r, r, reg(yZero))
}

// anyZero sets the lanes of register r of which an element is 0.
func (w *writer) anyZero(d dtype.DType, r, n int, at func(k int) operand) {
	s := d.Size()
	if !d.IsFloat() && s < 8 { // the least one is 0
		w.op(vmovupsLoad, r, 0, at(0))
		for k := 1; k < n; k++ {
			w.op(minUns[s], r, r, at(k))
		}
		w.op(equalInt[s], r, r, reg(yZero))
		return
	}
	w.same(d, r, yZero, at(0))
	for k := 1; k < n; k++ {
		w.same(d, yTest, yZero, at(k))
		w.op(vpor, r, r, reg(yTest))
	}
}

// inOrder is the permutation of quarters that puts packed halves of two vectors in order.
const inOrder = 0xD8

// packTruth makes one vector of bytes of the lanes of s vectors, from register 0 on.
func (w *writer) packTruth(s int) {
	step := 1
	if s == 8 {
		for k := 0; k < 8; k += 2 {
			w.op(vshufps, k, k, reg(k+1), 0x88)
			w.op(vpermq, k, 0, reg(k), inOrder)
		}
		s, step = 4, 2
	}
	if s == 4 {
		for k := 0; k < 4; k += 2 {
			w.op(vpackssdw, k*step, k*step, reg((k+1)*step))
			w.op(vpermq, k*step, 0, reg(k*step), inOrder)
		}
		s, step = 2, 2*step
	}
	if s == 2 {
		w.op(vpacksswb, 0, 0, reg(step))
		w.op(vpermq, 0, 0, reg(0), inOrder)
	}
}

// countShorts emits the loop that counts in short runs.
func (w *writer) countShorts(d dtype.DType, n int, numbers bool) {
	s := d.Size()
	w.op(vpxor, yZero, yZero, reg(yZero))
	w.load(rAcc, memAt(rArgs, argAcc))
	w.load(rX, memAt(rArgs, argX))
	w.load(rStep, memAt(rArgs, argStride))
	w.load(rCount, memAt(rArgs, argRows))
	w.load(rMask, memAt(rArgs, argMask))
	w.op(vmovupsLoad, yTruth, 0, memAt(rMask, 0))
	w.align(32)
	top := len(w.b)
	w.zero(rLeft)
	for k := range n {
		at := memAt(rX, int32(vectorBytes*k))
		switch {
		case numbers:
			w.op(vmovupsLoad, 0, 0, at)
			w.op(cmpFloat[s], 0, 0, reg(0), isOrdered)
		case d.IsFloat():
			w.op(cmpFloat[s], 0, yZero, at, isNotEqual)
		default:
			w.op(equalInt[s], 0, yZero, at)
		}
		if k == n-1 {
			w.op(vpand, 0, 0, reg(yTruth))
		}
		w.op(vpmovmskb, rTemp, 0, reg(0))
		w.b = append(w.b, 0xF3, 0x0F, 0xB8, 0xC0) // popcnt eax, eax
		w.lea(rLeft, memIndexed(rLeft, rTemp, 0, 0))
	}
	if s > 1 {
		w.b = append(w.b, 0x48, 0xC1, 0xE9, byte(bits.TrailingZeros(uint(s)))) // shr rcx
	}
	w.gpr(0x89, rLeft, memAt(rAcc, 0))
	w.lea(rAcc, memAt(rAcc, 8))
	w.lea(rX, memIndexed(rX, rStep, 0, 0))
	w.sub(rCount, 1)
	w.to(w.jump(ifNotZero), top)
	w.ret()
}
