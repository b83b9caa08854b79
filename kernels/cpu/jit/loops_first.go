// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"math/bits"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// firsts emits a loop of argmin or argmax that finds numbers of elements instead of reading positions: NaN wins, or where it is left
// out stands for nothing; of equal elements the first one wins.
//
//	runs          count[r] = the number of the winner of x[0:n], -1 where there is none; see extremeRuns
//	short1, ...   the same for runs of at most so many vectors of 32 bytes: see shorts; what is not below n stands for none
//	panel         acc[i], count[i] = the winner of column i, its row's number, in as many bits; of 1 byte there are at most 256 rows
func (w *writer) firsts(name, form string, d dtype.DType) bool {
	x, ok := extremesOf[strings.Replace(name, "arg", "", 1)]
	if !ok || !strings.Contains(name, "arg") || !x.takes(d) {
		return false
	}
	if n, ok := shortForms[form]; ok {
		w.width = widthOf(vectorBytes)
		w.beginExtremes(d)
		w.shorts(x, d, n, func() { w.firstShort(x, d, n) })
		return true
	}
	switch form {
	case "runs":
		w.beginExtremes(d)
		w.firstRuns(x, d)
	case "panel":
		w.width = widthOf(vectorBytes)
		w.beginExtremes(d)
		w.firstPanel(x, d)
	default:
		return false
	}
	return true
}

// broadcasts spread the lowest lane.
var broadcasts = bySize{1: vpbroadcastb, 2: vpbroadcastw, 4: vpbroadcastd, 8: vpbroadcastq}

// firstRuns emits the loop over runs: the extreme by whole vectors, then a search for it, which finds the elements in the cache next to
// the processor. Of bool nothing
// is above true: the search is all there is, and where it finds none all are alike.
func (w *writer) firstRuns(x extreme, d dtype.DType) {
	const last = r13
	s, wide := d.Size(), w.width
	w.load(rCnt, memAt(rArgs, argCount))
	w.load(rX, memAt(rArgs, argX))
	w.load(rStep, memAt(rArgs, argStride))
	w.load(rCount, memAt(rArgs, argRows))
	w.load(last, memAt(rArgs, argQuads))
	top := len(w.b)
	if d == dtype.Bool {
		w.width = widthOf(vectorBytes)
		w.constant(0, 1, oneUnless(x.least))
	} else {
		w.runExtreme(x, d, last)
		w.width = widthOf(vectorBytes)
		w.op(broadcasts[s], 0, 0, reg(0))
	}
	var stored []int
	if d.IsFloat() && !x.skip {
		w.op(cmpFloat[s], yMask, 0, reg(0), isUnordered)
		w.op(vptest, yMask, 0, reg(yMask))
		number := w.jump(ifZero)
		stored = append(stored, w.search(s, last, func(r int, at operand) {
			w.op(vmovupsLoad, r, 0, at)
			w.op(cmpFloat[s], r, r, reg(r), isUnordered)
		}))
		w.land(number)
	}
	w.search(s, last, func(r int, at operand) { w.same(d, r, 0, at) })
	for _, at := range stored {
		w.land(at)
	}
	w.gpr(0x89, rTemp, memAt(rCnt, 0))
	w.lea(rCnt, memAt(rCnt, 8))
	w.lea(rX, memIndexed(rX, rStep, 0, 0))
	w.width = wide
	w.sub(rCount, 1)
	w.to(w.jump(ifNotZero), top)
	w.ret()
}

// oneUnless is 0 or 1.
func oneUnless(c bool) uint64 {
	if c {
		return 0
	}
	return 1
}

// same compares the elements at x with register a.
func (w *writer) same(d dtype.DType, r, a int, x operand) {
	if d.IsFloat() {
		w.op(cmpFloat[d.Size()], r, a, x, isEqual)
	} else {
		w.op(equalInt[d.Size()], r, a, x)
	}
}

// search puts the number of the first element of a run that compare finds into RAX, -1 for none, and returns a jump that leaves.
func (w *writer) search(size, last int, compare func(r int, at operand)) (done int) {
	group := func() (found int) {
		for k := range 4 {
			compare(yX+k, memAt(rRun, int32(vectorBytes*k)))
		}
		w.op(vpor, 8, yX, reg(yX+1))
		w.op(vpor, 9, yX+2, reg(yX+3))
		w.op(vpor, 8, 8, reg(9))
		w.op(vptest, 8, 0, reg(8))
		return w.jump(ifNotZero)
	}
	w.lea(rRun, memAt(rX, 0))
	w.load(rGroups, memAt(rArgs, argWidth))
	w.align(32)
	top := len(w.b)
	found := group()
	w.lea(rRun, memAt(rRun, groupBytes))
	w.sub(rGroups, 1)
	w.to(w.jump(ifNotZero), top)
	w.load(rTemp, memAt(rArgs, argPart))
	w.test(rTemp, 1)
	none := w.jump(ifZero)
	w.lea(rRun, memIndexed(rX, last, 0, 0))
	late := group()
	w.land(none)
	w.zero(rTemp)
	w.lea(rTemp, memAt(rTemp, -1))
	left := w.jump(always)
	w.land(found)
	w.land(late)
	w.firstLane(4, yX)
	w.lea(rTemp, memIndexed(rRun, rTemp, 0, 0))
	w.gpr(0x29, rX, reg(rTemp)) // sub
	w.shift(size)
	w.land(left)
	return w.jump(always)
}

// firstLane puts the number of the first byte with a sign bit in n vectors from register r on into RAX; 64 or more for none.
func (w *writer) firstLane(n, r int) {
	var found []int
	for k := range n {
		w.op(vpmovmskb, rTemp, 0, reg(r+k))
		if k < n-1 {
			w.b = append(w.b, 0x85, 0xC0) // test eax, eax
			next := w.jump(ifZero)
			w.lowestBit()
			w.lea(rTemp, memAt(rTemp, int32(vectorBytes*k)))
			found = append(found, w.jump(always))
			w.land(next)
			continue
		}
		w.lowestBit()
		w.lea(rTemp, memAt(rTemp, int32(vectorBytes*k)))
	}
	for _, f := range found {
		w.land(f)
	}
}

// lowestBit is rax = the number of the lowest bit of rax, 64 for none.
func (w *writer) lowestBit() { w.b = append(w.b, 0xF3, 0x48, 0x0F, 0xBC, 0xC0) }

// shift divides RAX by an element's size.
func (w *writer) shift(size int) {
	if size > 1 {
		w.b = append(w.b, 0x48, 0xC1, 0xE8, byte(bits.TrailingZeros(uint(size))))
	}
}

// firstShort finds the winner of a short run.
func (w *writer) firstShort(x extreme, d dtype.DType, n int) {
	s := d.Size()
	w.op(broadcasts[s], 0, 0, reg(0))
	for k := range n {
		if d.IsFloat() && !x.skip { // of NaN and a number only one is in sight: NaN wins
			w.op(cmpFloat[s], yX+k, yShort+k, reg(yShort+k), isUnordered)
			w.same(d, yShort+k, 0, reg(yShort+k))
			w.op(vpor, yX+k, yX+k, reg(yShort+k))
			continue
		}
		w.same(d, yX+k, 0, reg(yShort+k))
	}
	w.firstLane(n, yX)
	w.shift(s)
	w.gpr(0x89, rTemp, memAt(rCnt, 0))
	w.lea(rCnt, memAt(rCnt, 8))
}

// Registers of panels beside those of extremes: the number of the panel's first row, and of the row at work, and ones.
const (
	yPlace = 1
	yFirst = 8
	yRow   = 9
	yOne   = 10
)

// firstPanel emits the loop over columns.
func (w *writer) firstPanel(x extreme, d dtype.DType) {
	s := d.Size()
	w.op(vpxor, yFirst, yFirst, reg(yFirst))
	w.constant(yOne, s, 1)
	w.rows(func(n int) {
		w.load(rAcc, memAt(rArgs, argAcc))
		w.load(rCnt, memAt(rArgs, argCount))
		w.columns(s, n, []cursor{{rAcc, s}, {rCnt, s}}, func() int { return vectorBytes / s }, func(first int) {
			best, place := memAt(rAcc, int32(first*s)), memAt(rCnt, int32(first*s))
			w.op(vmovupsLoad, 0, 0, best)
			w.op(vmovupsLoad, yPlace, 0, place)
			w.op(vmovaps, yRow, 0, reg(yFirst))
			for k := range n {
				w.op(vmovupsLoad, yX, 0, rowAt(k, first*s))
				w.firstStep(x, d)
				if k < n-1 {
					w.op(addInt[s], yRow, yRow, reg(yOne))
				}
			}
			w.op(vmovupsStore, 0, 0, best)
			w.op(vmovupsStore, yPlace, 0, place)
		})
		for range n {
			w.op(addInt[s], yFirst, yFirst, reg(yOne))
		}
	})
}

// firstStep compares yX with the best so far, register 0, and puts what wins there.
func (w *writer) firstStep(x extreme, d dtype.DType) {
	s := d.Size()
	beats, toBe := byte(isLess), byte(notLessEqual)
	if !x.least {
		beats, toBe = isGreater, notGreaterEqual
	}
	switch {
	case d.IsFloat():
		if x.skip { // NaN is nothing, in register 0 too
			w.op(cmpFloat[s], yMask, yX, reg(0), beats)
			w.op(cmpFloat[s], yT, 0, reg(0), isUnordered)
			w.op(vpor, yMask, yMask, reg(yT))
		} else { // what wins is beyond the best or NaN, and the best is not NaN
			w.op(cmpFloat[s], yMask, 0, reg(yX), toBe)
			w.op(cmpFloat[s], yT, 0, reg(0), isOrdered)
			w.op(vpand, yMask, yMask, reg(yT))
		}
	case s == 8:
		a, b := 0, yX
		if d == dtype.Uint64 {
			w.op(vpxor, yT, 0, reg(ySign))
			w.op(vpxor, yU, yX, reg(ySign))
			a, b = yT, yU
		}
		if x.least {
			w.op(vpcmpgtq, yMask, a, reg(b))
		} else {
			w.op(vpcmpgtq, yMask, b, reg(a))
		}
	default:
		o := x.uns[s]
		if isSigned(d) {
			o = x.signed[s]
		}
		w.op(o, yT, 0, reg(yX))
		w.op(equalInt[s], yMask, yT, reg(0)) // the old one stays
		w.op(vmovaps, 0, 0, reg(yT))
		w.op(vpblendvb, yPlace, yRow, reg(yPlace), yMask<<4)
		return
	}
	w.op(vpblendvb, 0, 0, reg(yX), yMask<<4)
	w.op(vpblendvb, yPlace, yPlace, reg(yRow), yMask<<4)
}
