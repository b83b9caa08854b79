// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// extreme tells how a minimum or maximum is made.
type extreme struct {
	signed, uns *bySize
	float, join *byFloat
	least       bool
	skip        bool // NaN stands for nothing
}

var extremesOf = map[string]extreme{
	"min":    {&minSigned, &minUns, &minFloat, &orFloat, true, false},
	"max":    {&maxSigned, &maxUns, &maxFloat, &andFloat, false, false},
	"nanmin": {&minSigned, &minUns, &minFloat, &orFloat, true, true},
	"nanmax": {&maxSigned, &maxUns, &maxFloat, &andFloat, false, true},
}

// Registers of these loops: accumulators 0 to 3, temporaries, what was seen, the sign bits of uint64.
const (
	yX    = 4
	yT    = 5
	yU    = 6
	yMask = 7
	ySeen = 12
	ySign = 15
)

// constant puts a constant's bits into all lanes of register r.
func (w *writer) constant(r, size int, bits uint64) {
	var b [poolBytes]byte
	for i := range b {
		b[i] = byte(bits >> (8 * (i % size)))
	}
	w.op(vmovupsLoad, r, 0, operand{kind: inPool, disp: int32(len(w.pool)) * poolBytes})
	w.pool = append(w.pool, b)
}

// groupBytes is what a step of the loops over runs takes: four vectors of 32 bytes or two of 64.
const groupBytes = 128

// extremes emits a loop of a minimum or maximum.
func (w *writer) extremes(name, form string, d dtype.DType) bool {
	x, ok := extremesOf[name]
	if !ok || !x.takes(d) {
		return false
	}
	if n, ok := shortForms[form]; ok {
		w.width = widthOf(vectorBytes)
		w.beginExtremes(d)
		w.shorts(x, d, n, func() { w.storeExtreme(x, d.Size()) })
		return true
	}
	w.beginExtremes(d)
	s := d.Size()
	switch form {
	case "lanes":
		w.load(rAcc, memAt(rArgs, argAcc))
		w.load(rX, memAt(rArgs, argX))
		w.load(rCount, memAt(rArgs, argWidth))
		for k := range groupBytes / w.bytes {
			w.op(vmovupsLoad, k, 0, memAt(rAcc, int32(w.bytes*k)))
		}
		w.beginSeen(x, d)
		w.extremeGroups(x, d, rX, rCount)
		w.endSeen(x, d)
		for k := range groupBytes / w.bytes {
			w.op(vmovupsStore, k, 0, memAt(rAcc, int32(w.bytes*k)))
		}
		// RAX: whether something was seen.
		w.zero(rTemp)
		none := w.unlessSeen()
		w.lea(rTemp, memAt(rTemp, 1))
		w.land(none)
		w.ret()
	case "runs":
		w.extremeRuns(x, d)
	case "rows":
		w.rows(func(n int) {
			w.load(rAcc, memAt(rArgs, argAcc))
			w.columns(s, n, []cursor{{rAcc, s}}, func() int { return w.bytes / s }, func(first int) {
				to := memAt(rAcc, int32(first*s))
				w.op(vmovupsLoad, 0, 0, to)
				for k := range n {
					w.op(vmovupsLoad, yX, 0, rowAt(k, first*s))
					w.extremeRow(x, d)
				}
				w.op(vmovupsStore, 0, 0, to)
			})
		})
	default:
		return false
	}
	return true
}

// takes reports whether there are loops for a dtype.
func (x extreme) takes(d dtype.DType) bool {
	return lane(d) > 0 && (!d.IsFloat() || d.Size() >= 4) && (!x.skip || d.IsFloat())
}

// beginExtremes sets registers that the joins count on.
func (w *writer) beginExtremes(d dtype.DType) {
	if d == dtype.Uint64 {
		w.constant(ySign, 8, 1<<63)
	}
	if w.bytes > vectorBytes {
		w.evex(vpternlogd, w.full, yOnes, yOnes, reg(yOnes), all, 0xFF)
	}
}

// extremeRow joins yX into register 0, of which NaN may stand for nothing.
func (w *writer) extremeRow(x extreme, d dtype.DType) {
	s := d.Size()
	switch {
	case !x.skip:
		w.extreme(x, d, 0)
	case w.bytes > vectorBytes:
		w.op(cmpFloat[s], yes, yX, reg(yX), isOrdered)
		w.some(rangeFloat[s], w.full, 0, 0, reg(yX), predicate{k: yes}, x.side())
	default: // NaN becomes the other side, in the accumulator first
		w.op(cmpFloat[s], yMask, 0, reg(0), isUnordered)
		w.op(blends[s], 0, 0, reg(yX), yMask<<4)
		w.op(cmpFloat[s], yMask, yX, reg(yX), isUnordered)
		w.op(blends[s], yX, yX, reg(0), yMask<<4)
		w.extreme(x, d, 0)
	}
}

// rangeFloat are the instructions that give the lesser or the greater of two floats, -0 below +0, and of a number and a quiet NaN the
// number.
var rangeFloat = byFloat{4: vrangeps, 8: vrangepd}

// side is the operand that makes rangeFloat give this extreme.
func (x extreme) side() byte {
	if x.least {
		return 4
	}
	return 5
}

// kSeen is the mask register in which loops over runs note NaN, or with NaN left out, numbers; of vectors of 32 bytes ySeen
// has the numbers.
const kSeen = 2

// beginSeen forgets what was seen but what the accumulators hold.
func (w *writer) beginSeen(x extreme, d dtype.DType) {
	if w.bytes == vectorBytes {
		w.op(vpxor, ySeen, ySeen, reg(ySeen))
		return
	}
	w.klogic(0x47, kSeen, kSeen, kSeen) // kxor
	if d.IsFloat() && !x.skip {
		for k := range groupBytes / w.bytes {
			w.op(cmpFloat[d.Size()], yes, k, reg(k), isUnordered)
			w.klogic(0x45, kSeen, kSeen, yes) // kor
		}
	}
}

// extremeGroups joins groups of elements from register at on, as many as register left says, into the accumulators.
func (w *writer) extremeGroups(x extreme, d dtype.DType, at, left int) {
	w.align(32)
	top := len(w.b)
	w.extremeGroup(x, d, at)
	w.lea(at, memAt(at, groupBytes))
	w.sub(left, 1)
	w.to(w.jump(ifNotZero), top)
}

func (w *writer) extremeGroup(x extreme, d dtype.DType, at int) {
	s := d.Size()
	for k := 0; k < groupBytes; k += cacheLine {
		w.prefetch(2, memAt(at, int32(k+farAhead)))
	}
	for k := range groupBytes / w.bytes {
		w.op(vmovupsLoad, yX, 0, memAt(at, int32(w.bytes*k)))
		switch {
		case !d.IsFloat():
			w.extreme(x, d, k)
		case w.bytes > vectorBytes:
			test, p := byte(isUnordered), all
			if x.skip {
				test, p.k = isOrdered, yes
			}
			w.op(cmpFloat[s], yes, yX, reg(yX), test)
			w.klogic(0x45, kSeen, kSeen, yes)
			w.some(rangeFloat[s], w.full, k, k, reg(yX), p, x.side())
		default:
			if x.skip { // NaN becomes the accumulator
				w.op(cmpFloat[s], yMask, yX, reg(yX), isOrdered)
				w.op(vorps, ySeen, ySeen, reg(yMask))
				w.op(blends[s], yX, k, reg(yX), yMask<<4)
			}
			w.extreme(x, d, k)
		}
	}
}

// endSeen puts NaN where NaN was seen.
func (w *writer) endSeen(x extreme, d dtype.DType) {
	if w.bytes > vectorBytes && d.IsFloat() && !x.skip {
		w.some(orFloat[d.Size()], w.full, 0, 0, reg(yOnes), predicate{k: kSeen})
	}
}

// unlessSeen jumps unless something was seen.
func (w *writer) unlessSeen() int {
	if w.bytes > vectorBytes {
		w.kortest(kSeen)
	} else {
		w.op(vptest, ySeen, 0, reg(ySeen))
	}
	return w.jump(ifZero)
}

// extremeRuns emits
//
//	for r := range rows { acc[r] = the extreme of x[0:n]; x = x[stride:] }
//
// for n of at least a group: Quads is where the last group of a run begins, in bytes, and Part whether it is none of the whole ones.
// Elements that two groups share count once.
func (w *writer) extremeRuns(x extreme, d dtype.DType) {
	const last = r13
	s := d.Size()
	w.load(rAcc, memAt(rArgs, argAcc))
	w.load(rX, memAt(rArgs, argX))
	w.load(rStep, memAt(rArgs, argStride))
	w.load(rCount, memAt(rArgs, argRows))
	w.load(last, memAt(rArgs, argQuads))
	top := len(w.b)
	w.runExtreme(x, d, last)
	w.storeExtreme(x, s)
	w.lea(rX, memIndexed(rX, rStep, 0, 0))
	w.sub(rCount, 1)
	w.to(w.jump(ifNotZero), top)
	w.ret()
}

// neutral are the bits of what no value of a dtype is above (with least set), or below.
func neutral(d dtype.DType, least bool) uint64 {
	bits := 8 * d.Size()
	switch {
	case d.IsFloat():
		v := math.Inf(1)
		if !least {
			v = math.Inf(-1)
		}
		if d == dtype.Float32 {
			return uint64(math.Float32bits(float32(v)))
		}
		return math.Float64bits(v)
	case isSigned(d) == least:
		if least {
			return 1<<(bits-1) - 1
		}
		return 0
	case least:
		return 1<<bits - 1
	}
	return 1 << (bits - 1)
}

// extreme joins yX into register acc. Of floats the two orders of the operands differ for zeros of both signs and for
// NaN: or (for the maximum and) makes -0 (+0) of the zeros, and NaN is put in where there is one.
func (w *writer) extreme(x extreme, d dtype.DType, acc int) {
	s, wide := d.Size(), w.bytes > vectorBytes
	switch {
	case d.IsFloat() && wide:
		if !x.skip {
			w.op(cmpFloat[s], yes, acc, reg(yX), isUnordered)
		}
		w.op(rangeFloat[s], acc, acc, reg(yX), x.side())
		if !x.skip {
			w.some(orFloat[s], w.full, acc, acc, reg(yOnes), predicate{k: yes})
		}
	case d.IsFloat():
		w.op(x.float[s], yT, acc, reg(yX))
		w.op(x.float[s], yU, yX, reg(acc))
		if !x.skip {
			w.op(cmpFloat[s], yMask, acc, reg(yX), isUnordered)
		}
		w.op(x.join[s], acc, yT, reg(yU))
		if !x.skip {
			w.op(orFloat[s], acc, acc, reg(yMask))
		}
	case s == 8 && wide:
		w.op(x.long(isSigned(d)), acc, acc, reg(yX))
	case s == 8:
		a, b := acc, yX
		if d == dtype.Uint64 {
			w.op(vpxor, yT, acc, reg(ySign))
			w.op(vpxor, yU, yX, reg(ySign))
			a, b = yT, yU
		}
		if x.least { // the new one where the old one is above it
			w.op(vpcmpgtq, yMask, a, reg(b))
		} else {
			w.op(vpcmpgtq, yMask, b, reg(a))
		}
		w.op(vblendvpd, acc, acc, reg(yX), yMask<<4)
	case isSigned(d):
		w.op(x.signed[s], acc, acc, reg(yX))
	default:
		w.op(x.uns[s], acc, acc, reg(yX))
	}
}

// long is the instruction on 64-bit lanes that vectors of 64 bytes have.
func (x extreme) long(signed bool) vop {
	switch {
	case x.least && signed:
		return vpminsq
	case x.least:
		return vpminuq
	case signed:
		return vpmaxsq
	}
	return vpmaxuq
}

// counts emits a loop that counts.
func (w *writer) counts(name, form string, d dtype.DType) bool {
	s := lane(d)
	switch {
	case d.IsComplex() && form == "rows" && (name == "count" || name == "nonzero"):
		test := notZero
		if name == "count" {
			test = notNumber
		}
		w.width = widthOf(vectorBytes)
		w.rows(func(n int) { w.countPairs(test, d, n) })
		return true
	case s == 0 || d.IsFloat() && s < 4:
		return false
	case name == "count" && d.IsFloat():
	case name == "nonzero":
	default:
		return false
	}
	w.width = widthOf(vectorBytes)
	predicate := byte(isOrdered)
	if name == "nonzero" {
		predicate = isNotEqual
	}
	switch form {
	case "lanes":
		w.countLanes(d, predicate)
	case "rows":
		q := toWide[d]
		w.rows(func(n int) { w.countRows(q, d, n, predicate) })
	default:
		return false
	}
	return true
}

// other is what a predicate compares yX with: itself, or zero.
func (w *writer) other(predicate byte) int {
	if predicate == isOrdered {
		return yX
	}
	return ySeen
}

// countRows emits a panel of n rows whose accumulators are int64.
func (w *writer) countRows(q quad, d dtype.DType, n int, predicate byte) {
	size := d.Size()
	w.op(vpxor, ySeen, ySeen, reg(ySeen))
	w.constant(ySign, 8, uint64(n))
	w.load(rAcc, memAt(rArgs, argAcc))
	w.columns(size, n, []cursor{{rAcc, 8}}, w.lanes64, func(first int) {
		w.op(vmovupsLoad, 0, 0, memAt(rAcc, int32(8*first)))
		for k := range n {
			w.quad(q, yX, rowAt(k, first*size), all)
			if d.IsFloat() {
				w.op(vcmppd, yX, yX, reg(w.other(predicate)), predicate)
				w.op(vpsubq, 0, 0, reg(yX))
			} else { // takes the zeros off; all rows are added below
				w.op(vpcmpeqq, yX, yX, reg(ySeen))
				w.op(vpaddq, 0, 0, reg(yX))
			}
		}
		if !d.IsFloat() {
			w.op(vpaddq, 0, 0, reg(ySign))
		}
		w.op(vmovupsStore, 0, 0, memAt(rAcc, int32(8*first)))
	})
}

// countLanes returns how many elements of groups of 128 bytes satisfy the predicate; of integers, how many are 0.
func (w *writer) countLanes(d dtype.DType, predicate byte) {
	s := d.Size()
	w.load(rX, memAt(rArgs, argX))
	w.load(rCount, memAt(rArgs, argWidth))
	for _, r := range []int{0, 1, 2, 3, ySeen} {
		w.op(vpxor, r, r, reg(r))
	}
	w.align(32)
	top := len(w.b)
	for k := range 4 {
		t := yX + k
		if d.IsFloat() {
			w.op(vmovupsLoad, t, 0, memAt(rX, int32(32*k)))
			other := ySeen
			if predicate == isOrdered {
				other = t
			}
			w.vex(&opcodes[cmpFloat[s]], 1, t, t, reg(other), predicate)
		} else {
			w.op(equalInt[s], t, ySeen, memAt(rX, int32(32*k)))
		}
		w.op(subInt[s], k, k, reg(t))
	}
	w.lea(rX, memAt(rX, 128))
	w.sub(rCount, 1)
	w.to(w.jump(ifNotZero), top)
	for k := 1; k < 4; k++ {
		w.op(addInt[s], 0, 0, reg(k))
	}
	// Widen to 64 bits.
	switch s {
	case 1:
		w.op(vpsadbw, 0, 0, reg(ySeen))
	case 2:
		w.constant(1, 2, 1)
		w.op(vpmaddwd, 0, 0, reg(1))
	}
	if s == 2 || s == 4 {
		w.vex(&opcodes[vpsrlq], 1, int(opcodes[vpsrlq].ext), 1, reg(0), 32)
		w.constant(2, 8, math.MaxUint32)
		w.op(vpand, 0, 0, reg(2))
		w.op(vpaddq, 0, 0, reg(1))
	}
	w.op(vpsubq, yTake, ySeen, reg(0))
	w.total()
	w.ret()
}
