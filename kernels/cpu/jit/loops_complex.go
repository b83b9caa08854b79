// SPDX-License-Identifier: BSD-3-Clause

package jit

import "github.com/arrayrun/arrayrun/chunk/dtype"

// complexProd emits
//
//	for r := range rows { for i := range width { acc[i] *= x[r*stride+i] } }
//
// for complex numbers, with every product and sum rounded in float64; acc is complex128 and Width is even.
func (w *writer) complexProd(name, form string, d dtype.DType) bool {
	if name != "prod" || form != "rows" || !d.IsComplex() {
		return false
	}
	w.width = widthOf(vectorBytes)
	load, s := vmovupsLoad, d.Size()
	if d == dtype.Complex64 {
		load = vcvtps2pd
	}
	const both, swapped, first, second = 1, 2, 0x0, 0xF
	w.rows(func(n int) {
		w.load(rAcc, memAt(rArgs, argAcc))
		w.columns(s, n, []cursor{{rAcc, 16}}, func() int { return 2 }, func(at int) {
			to := memAt(rAcc, int32(16*at))
			w.op(vmovupsLoad, 0, 0, to)
			for k := range n {
				w.op(load, both, 0, rowAt(k, at*s))
				w.op(vshufpd, swapped, 0, reg(0), 0x5)
				w.op(vshufpd, yX, both, reg(both), first)
				w.op(vshufpd, both, both, reg(both), second)
				w.op(vmulpd, 0, 0, reg(yX))
				w.op(vmulpd, swapped, swapped, reg(both))
				w.op(vaddsubpd, 0, 0, reg(swapped))
			}
			w.op(vmovupsStore, 0, 0, to)
		})
	})
	return true
}

// What pairBits tells of a complex number.
type pairTest int

const (
	notZero pairTest = iota
	notNumber
)

// pairBits puts into each of the four 64-bit lanes of register r something else than 0 where a complex number of those in column c to c+3 of row k is not 0,
// or has a part that is NaN. Numbers of complex128 come in the order 0, 2, 1, 3. t is a free register.
func (w *writer) pairBits(test pairTest, d dtype.DType, r, t, k, c int) {
	shift := vpslld // -0 is 0
	if d == dtype.Complex64 {
		w.op(vmovupsLoad, r, 0, rowAt(k, c*d.Size()))
		if test == notNumber {
			w.op(vcmpps, r, r, reg(r), isUnordered)
			return
		}
	} else {
		shift = vpsllq
		w.op(vmovupsLoad, t, 0, rowAt(k, c*d.Size()))
		w.op(vunpcklpd, r, t, rowAt(k, c*d.Size()+vectorBytes))
		w.op(vunpckhpd, t, t, rowAt(k, c*d.Size()+vectorBytes))
		if test == notNumber {
			w.op(vcmppd, r, r, reg(t), isUnordered)
			return
		}
		w.op(vorpd, r, r, reg(t))
	}
	w.op(shift, int(opcodes[shift].ext), r, reg(r), 1)
}

// pairTruth sets the lanes of register r, for columns c to c+3 of n rows, of which a number is 0, or all are.
func (w *writer) pairTruth(d dtype.DType, r, n, c int, every bool) {
	const t = 11
	for k := range n {
		x := r
		if k > 0 {
			x = yTest
		}
		w.pairBits(notZero, d, x, t, k, c)
		if every {
			w.op(vpcmpeqq, x, x, reg(yZero))
		}
		if k > 0 {
			w.op(vpor, r, r, reg(x))
		}
	}
	if !every {
		w.op(vpcmpeqq, r, r, reg(yZero))
	}
	if d == dtype.Complex128 {
		w.op(vpermq, r, 0, reg(r), inOrder)
	}
}

// countPairs emits a panel of n rows of complex numbers whose accumulators are int64: how many are not 0, or have no NaN.
func (w *writer) countPairs(test pairTest, d dtype.DType, n int) {
	w.op(vpxor, ySeen, ySeen, reg(ySeen))
	w.constant(ySign, 8, uint64(n))
	w.load(rAcc, memAt(rArgs, argAcc))
	w.columns(d.Size(), n, []cursor{{rAcc, 8}}, w.lanes64, func(first int) {
		to := memAt(rAcc, int32(8*first))
		w.op(vpxor, 0, 0, reg(0)) // minus how many are 0, or numbers
		for k := range n {
			w.pairBits(test, d, yX, yT, k, first)
			w.op(vpcmpeqq, yX, yX, reg(ySeen))
			w.op(vpaddq, 0, 0, reg(yX))
		}
		if d == dtype.Complex128 {
			w.op(vpermq, 0, 0, reg(0), inOrder)
		}
		w.op(vmovupsLoad, yX, 0, to)
		if test == notNumber {
			w.op(vpsubq, 0, yX, reg(0))
		} else {
			w.op(vpaddq, 0, 0, reg(ySign))
			w.op(vpaddq, 0, 0, reg(yX))
		}
		w.op(vmovupsStore, 0, 0, to)
	})
}
