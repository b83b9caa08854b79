// SPDX-License-Identifier: BSD-3-Clause

package jit

import "github.com/arrayrun/arrayrun/chunk/dtype"

// argGroups is how many vectors of columns are worked on in step: the rows of one wait for each other.
const argGroups = 4

// The first of the registers of a group: the best values so far in 64 bits, where they are, the element and its position.
const (
	zBest  = 0
	zWhere = argGroups
	zElem  = 2 * argGroups
	zPlace = 3 * argGroups
	zZero  = 30
)

// argColumns is args with vectors of 64 bytes, for values of any dtype. Width is a multiple of 8.
func (w *writer) argColumns(least, skip bool, d dtype.DType) bool {
	if lane(d) == 0 || d.IsFloat() && d.Size() < 4 {
		return false
	}
	w.argLoads()
	w.op(vpxor, zZero, zZero, reg(zZero))
	for _, groups := range []int{argGroups, 1} {
		w.cmpImm(rCount, 8*groups)
		narrow := w.jump(ifBelow)
		top := len(w.b)
		w.argGroup(groups, least, skip, d)
		w.cmpImm(rCount, 8*groups)
		w.to(w.jump(ifNotBelow), top)
		w.land(narrow)
	}
	w.ret()
	return true
}

// argGroup emits the rows of some groups of eight columns.
func (w *writer) argGroup(groups int, least, skip bool, d dtype.DType) {
	q, s := toWide[d], d.Size()
	for k := range groups {
		w.quad(q, zBest+k, memAt(rAcc, int32(8*k*s)), all)
		w.op(vmovupsLoad, zWhere+k, 0, memAt(rCnt, int32(64*k)))
	}
	w.argRowLoop(func() {
		for k := range groups {
			w.quad(q, zElem+k, memAt(rElem, int32(8*k*s)), all)
			w.op(vmovupsLoad, zPlace+k, 0, memAt(rPlace, int32(64*k)))
			w.argWins(k, least, skip, d)
			w.some(vblendmpd, w.full, zBest+k, zBest+k, reg(zElem+k), predicate{k: yes})
			w.some(vblendmpd, w.full, zWhere+k, zWhere+k, reg(zPlace+k), predicate{k: yes})
		}
	})
	for k := range groups {
		to := memAt(rAcc, int32(8*k*s))
		switch {
		case d == dtype.Float32:
			w.op(vcvtpd2ps, zBest+k, 0, reg(zBest+k))
			w.ins(vmovupsStore, 1, zBest+k, 0, to)
		case s == 8:
			w.op(vmovupsStore, zBest+k, 0, to)
		default:
			w.op(bySize{1: vpmovqb, 2: vpmovqw, 4: vpmovqd}[s], zBest+k, 0, to)
		}
		w.op(vmovupsStore, zWhere+k, 0, memAt(rCnt, int32(64*k)))
	}
	for _, c := range []cursor{{rAcc, s}, {rCnt, 8}, {rX, s}, {rMean, 8}} {
		w.lea(c.at, memAt(c.at, int32(8*groups*c.bytes)))
	}
	w.sub(rCount, 8*groups)
}

// argWins puts the lanes of group k whose element beats the best so far into mask register yes.
func (w *writer) argWins(k int, least, skip bool, d dtype.DType) {
	const (
		tie, low, elemNaN, bestNaN = 2, 3, 4, 5
		and, andNot, or            = 0x41, 0x42, 0x45
		equal, less, greater       = 0, 1, 6 // of integers
	)
	x, best, where := zElem+k, zBest+k, zWhere+k
	if d.IsFloat() {
		better := byte(isLess)
		if !least {
			better = isGreater
		}
		w.op(vcmppd, yes, x, reg(best), better)
		w.op(vcmppd, tie, x, reg(best), isEqual)
		w.op(vcmppd, elemNaN, x, reg(x), isUnordered)
	} else {
		compare, better := vpcmpq, byte(less)
		if !isSigned(d) {
			compare = vpcmpuq
		}
		if !least {
			better = greater
		}
		w.op(compare, yes, x, reg(best), better)
		w.op(compare, tie, x, reg(best), equal)
	}
	w.op(vpcmpq, low, zPlace+k, reg(where), less)
	if d.IsFloat() && !skip {
		w.op(vcmppd, bestNaN, best, reg(best), isUnordered)
		w.klogic(andNot, 6, bestNaN, elemNaN)
		w.klogic(or, yes, yes, 6)
		w.klogic(and, 6, bestNaN, elemNaN)
		w.klogic(or, tie, tie, 6)
	}
	w.klogic(and, tie, tie, low)
	w.klogic(or, yes, yes, tie)
	w.op(vpcmpq, low, where, reg(zZero), less) // nothing so far
	if d.IsFloat() && skip {
		w.klogic(andNot, low, elemNaN, low)
	}
	w.klogic(or, yes, yes, low)
}
