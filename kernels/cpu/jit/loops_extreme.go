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
	w.vex(&opcodes[vmovupsLoad], 1, r, 0, operand{kind: inPool, disp: int32(len(w.pool)) * poolBytes})
	w.pool = append(w.pool, b)
}

// extremes emits a loop of a minimum or maximum.
func (w *writer) extremes(name, form string, d dtype.DType) bool {
	x, ok := extremesOf[name]
	if !ok || lane(d) == 0 || d.IsFloat() && d.Size() < 4 || x.skip && !d.IsFloat() {
		return false
	}
	s := d.Size()
	begin := func() {
		if d == dtype.Uint64 {
			w.constant(ySign, 8, 1<<63)
		}
	}
	switch form {
	case "lanes":
		begin()
		w.load(rAcc, memAt(rArgs, argAcc))
		w.load(rX, memAt(rArgs, argX))
		w.load(rCount, memAt(rArgs, argWidth))
		for k := range 4 {
			w.op(vmovupsLoad, k, 0, memAt(rAcc, int32(32*k)))
		}
		w.op(vpxor, ySeen, ySeen, reg(ySeen))
		w.align(32)
		top := len(w.b)
		for k := range 4 {
			w.op(vmovupsLoad, yX, 0, memAt(rX, int32(32*k)))
			if x.skip { // NaN becomes the accumulator
				w.vex(&opcodes[cmpFloat[s]], 1, yMask, yX, reg(yX), isOrdered)
				w.op(vorps, ySeen, ySeen, reg(yMask))
				w.vex(&opcodes[blends[s]], 1, yX, k, reg(yX), yMask<<4)
			}
			w.extreme(x, d, k)
		}
		w.lea(rX, memAt(rX, 128))
		w.sub(rCount, 1)
		w.to(w.jump(ifNotZero), top)
		for k := range 4 {
			w.vex(&opcodes[vmovupsStore], 1, k, 0, memAt(rAcc, int32(32*k)))
		}
		// RAX: whether something was seen.
		w.zero(rTemp)
		w.op(vptest, ySeen, 0, reg(ySeen))
		none := w.jump(ifZero)
		w.lea(rTemp, memAt(rTemp, 1))
		w.land(none)
		w.ret()
	case "rows":
		begin()
		w.rows(func(n int) {
			w.columns(s, n, func(_ int, row operand) {
				w.op(vmovupsLoad, yX, 0, row)
				if x.skip { // NaN becomes the other side, in the accumulator first
					w.vex(&opcodes[cmpFloat[s]], 1, yMask, 0, reg(0), isUnordered)
					w.vex(&opcodes[blends[s]], 1, 0, 0, reg(yX), yMask<<4)
					w.vex(&opcodes[cmpFloat[s]], 1, yMask, yX, reg(yX), isUnordered)
					w.vex(&opcodes[blends[s]], 1, yX, yX, reg(0), yMask<<4)
				}
				w.extreme(x, d, 0)
			})
		})
	default:
		return false
	}
	return true
}

// extreme joins yX into register acc. Of floats the two orders of the operands differ for zeros of both signs and for
// NaN: or (for the maximum and) makes -0 (+0) of the zeros, and NaN is put in where there is one.
func (w *writer) extreme(x extreme, d dtype.DType, acc int) {
	s := d.Size()
	switch {
	case d.IsFloat():
		w.op(x.float[s], yT, acc, reg(yX))
		w.op(x.float[s], yU, yX, reg(acc))
		if !x.skip {
			w.vex(&opcodes[cmpFloat[s]], 1, yMask, acc, reg(yX), isUnordered)
		}
		w.op(x.join[s], acc, yT, reg(yU))
		if !x.skip {
			w.op(orFloat[s], acc, acc, reg(yMask))
		}
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
		w.vex(&opcodes[vblendvpd], 1, acc, acc, reg(yX), yMask<<4)
	case isSigned(d):
		w.op(x.signed[s], acc, acc, reg(yX))
	default:
		w.op(x.uns[s], acc, acc, reg(yX))
	}
}

// columns emits a panel of n rows whose accumulators, register 0 in row, are as wide as the elements.
func (w *writer) columns(size, n int, row func(k int, x operand)) {
	w.load(rAcc, memAt(rArgs, argAcc))
	w.lea(rX, memAt(rHere, 0))
	w.load(rStep, memAt(rArgs, argStride))
	w.load(rCount, memAt(rArgs, argWidth))
	w.lea(rTrip, memIndexed(rStep, rStep, 1, 0))
	w.lea(rRow, memIndexed(rX, rStep, 2, 0))
	w.align(32)
	top := len(w.b)
	w.op(vmovupsLoad, 0, 0, memAt(rAcc, 0))
	for k := range n {
		row(k, rowAt(k))
	}
	w.vex(&opcodes[vmovupsStore], 1, 0, 0, memAt(rAcc, 0))
	w.lea(rAcc, memAt(rAcc, 32))
	w.lea(rX, memAt(rX, 32))
	w.lea(rRow, memAt(rRow, 32))
	w.sub(rCount, vectorBytes/size)
	w.to(w.jump(ifNotZero), top)
}

// counts emits a loop that counts, or of any and all.
func (w *writer) counts(name, form string, d dtype.DType) bool {
	s := lane(d)
	switch {
	case s == 0 || d.IsFloat() && s < 4:
		return false
	case (name == "any" || name == "all") && form == "rows" && d == dtype.Bool:
		op := vpor
		if name == "all" {
			op = vpand
		}
		w.rows(func(n int) { w.columns(1, n, func(_ int, x operand) { w.op(op, 0, 0, x) }) })
		return true
	case name == "count" && d.IsFloat():
	case name == "nonzero":
	default:
		return false
	}
	predicate := byte(isOrdered)
	if name == "nonzero" {
		predicate = isNotEqual
	}
	switch form {
	case "lanes":
		w.countLanes(d, predicate)
	case "rows":
		q := toWide[d]
		w.rows(func(n int) {
			w.op(vpxor, ySeen, ySeen, reg(ySeen))
			w.constant(ySign, 8, uint64(n))
			w.quads(d.Size(), n, func(x operand) {
				w.quad(q, yX, x)
				if d.IsFloat() {
					w.vex(&opcodes[vcmppd], 1, yX, yX, reg(w.other(predicate)), predicate)
					w.op(vpsubq, 0, 0, reg(yX))
				} else { // takes the zeros off; all rows are added below
					w.op(vpcmpeqq, yX, yX, reg(ySeen))
					w.op(vpaddq, 0, 0, reg(yX))
				}
			}, !d.IsFloat())
		})
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

// quads emits a panel of n rows whose accumulators are 64-bit lanes in register 0; with all set, n is added to each.
func (w *writer) quads(size, n int, row func(x operand), all bool) {
	w.load(rAcc, memAt(rArgs, argAcc))
	w.lea(rX, memAt(rHere, 0))
	w.load(rStep, memAt(rArgs, argStride))
	w.load(rCount, memAt(rArgs, argWidth))
	w.lea(rTrip, memIndexed(rStep, rStep, 1, 0))
	w.lea(rRow, memIndexed(rX, rStep, 2, 0))
	w.align(32)
	top := len(w.b)
	w.op(vmovupsLoad, 0, 0, memAt(rAcc, 0))
	for k := range n {
		row(rowAt(k))
	}
	if all {
		w.op(vpaddq, 0, 0, reg(ySign))
	}
	w.vex(&opcodes[vmovupsStore], 1, 0, 0, memAt(rAcc, 0))
	w.lea(rAcc, memAt(rAcc, 32))
	w.lea(rX, memAt(rX, int32(4*size)))
	w.lea(rRow, memAt(rRow, int32(4*size)))
	w.sub(rCount, 4)
	w.to(w.jump(ifNotZero), top)
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
