// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Registers of these loops: the element at work and its position's, what lies between rows.
const (
	rElem    = r11
	rPlace   = r12
	rElemBy  = r13
	rPlaceBy = rSI

	yBest  = 0 // the best values so far as float64, and where they are
	yWhere = 1
	yWins  = 4
)

// args emits a loop of argmin or argmax: for columns of rows, rows in order,
//
//	if x beats acc { acc, pos = x, place }
//
// where the smaller (larger) value wins, NaN over numbers, of equal ones the one with the lower place, and any over a pos
// below 0. Where NaN is left out it beats nothing. pos and places are int64.
func (w *writer) args(name, form string, d dtype.DType) bool {
	name, skip := strings.CutPrefix(name, "nan")
	if form != "rows" || name != "argmin" && name != "argmax" {
		return false
	}
	if w.bytes > vectorBytes {
		return w.argColumns(name == "argmin", skip, d)
	}
	if d != dtype.Float32 && d != dtype.Float64 {
		return false
	}
	better := byte(isLess)
	if name == "argmax" {
		better = isGreater
	}
	q, size := toFloat[d], d.Size()
	w.argLoads()
	columns := len(w.b)
	w.quad(q, yBest, memAt(rAcc, 0), all)
	w.op(vmovupsLoad, yWhere, 0, memAt(rCnt, 0))
	w.argRowLoop(func() { w.argStep(q, better, skip) })
	if d == dtype.Float32 {
		w.vex(&opcodes[vcvtpd2ps], 1, yBest, 0, reg(yBest))
		w.vex(&opcodes[vmovupsStore], 0, yBest, 0, memAt(rAcc, 0))
	} else {
		w.vex(&opcodes[vmovupsStore], 1, yBest, 0, memAt(rAcc, 0))
	}
	w.vex(&opcodes[vmovupsStore], 1, yWhere, 0, memAt(rCnt, 0))
	w.lea(rAcc, memAt(rAcc, int32(4*size)))
	w.lea(rCnt, memAt(rCnt, 32))
	w.lea(rX, memAt(rX, int32(4*size)))
	w.lea(rMean, memAt(rMean, 32))
	w.sub(rCount, 4)
	w.to(w.jump(ifNotZero), columns)
	w.ret()
	return true
}

// argLoads loads what a loop of argmin or argmax works with.
func (w *writer) argLoads() {
	w.load(rX, memAt(rArgs, argX))
	w.load(rMean, memAt(rArgs, argMean))
	w.load(rAcc, memAt(rArgs, argAcc))
	w.load(rCnt, memAt(rArgs, argCount))
	w.load(rElemBy, memAt(rArgs, argStride))
	w.load(rPlaceBy, memAt(rArgs, argQuads))
	w.load(rCount, memAt(rArgs, argWidth))
}

// argRowLoop emits a loop over the rows of some columns: step compares those of the row at rElem and rPlace.
func (w *writer) argRowLoop(step func()) {
	w.lea(rElem, memAt(rX, 0))
	w.lea(rPlace, memAt(rMean, 0))
	w.load(rLeft, memAt(rArgs, argRows))
	w.align(32)
	rows := len(w.b)
	step()
	w.lea(rElem, memIndexed(rElem, rElemBy, 0, 0))
	w.lea(rPlace, memIndexed(rPlace, rPlaceBy, 0, 0))
	w.sub(rLeft, 1)
	w.to(w.jump(ifNotZero), rows)
}

// argStep compares four elements with the best so far.
func (w *writer) argStep(q quad, better byte, skip bool) {
	const x, place, tie, low, xNaN, bestNaN, both = 2, 3, 5, 6, 7, 8, 9
	compare := func(d, a, b int, predicate byte) { w.vex(&opcodes[vcmppd], 1, d, a, reg(b), predicate) }
	w.quad(q, x, memAt(rElem, 0), all)
	w.op(vmovupsLoad, place, 0, memAt(rPlace, 0))
	compare(yWins, x, yBest, better)
	compare(tie, x, yBest, isEqual)
	compare(xNaN, x, x, isUnordered)
	w.op(vpcmpgtq, low, yWhere, reg(place))
	if skip {
		w.op(vandpd, tie, tie, reg(low))
		w.op(vorpd, yWins, yWins, reg(tie))
		w.op(vandnpd, low, xNaN, reg(yWhere)) // nothing so far
		w.op(vorpd, yWins, yWins, reg(low))
	} else {
		compare(bestNaN, yBest, yBest, isUnordered)
		w.op(vandpd, both, xNaN, reg(bestNaN))
		w.op(vorpd, tie, tie, reg(both))
		w.op(vandpd, tie, tie, reg(low))
		w.op(vandnpd, xNaN, bestNaN, reg(xNaN))
		w.op(vorpd, yWins, yWins, reg(tie))
		w.op(vorpd, yWins, yWins, reg(xNaN))
		w.op(vorpd, yWins, yWins, reg(yWhere)) // below 0: its sign decides
	}
	w.vex(&opcodes[vblendvpd], 1, yBest, yBest, reg(x), yWins<<4)
	w.vex(&opcodes[vblendvpd], 1, yWhere, yWhere, reg(place), yWins<<4)
}
