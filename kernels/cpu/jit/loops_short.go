// SPDX-License-Identifier: BSD-3-Clause

package jit

import "github.com/arrayrun/arrayrun/chunk/dtype"

// shortForms are the loops over runs of at most so many vectors of 32 bytes.
var shortForms = map[string]int{"short1": 1, "short2": 2, "short3": 3, "short4": 4}

// yShort is the first of the registers with a short run's elements, up to four; the last one's mask and what it is filled with.
const (
	yShort     = 8
	yShortMask = 13
	yShortFill = 14
)

// ShortMask describes the last vector of short runs.
type ShortMask struct {
	Keep [vectorBytes]byte // ones where there are elements
	Fill [vectorBytes]byte // elsewhere, what changes nothing
}

// shorts emits
//
//	for r := range rows { fold x[0:n]; x = x[stride:] }
//
// for runs that take n vectors, the last of which Mask, a ShortMask, describes. They are read whole. end gets the extreme in the lowest lane
// of register 0, and the elements.
func (w *writer) shorts(x extreme, d dtype.DType, n int, end func()) {
	w.load(rAcc, memAt(rArgs, argAcc))
	w.load(rCnt, memAt(rArgs, argCount))
	w.load(rX, memAt(rArgs, argX))
	w.load(rStep, memAt(rArgs, argStride))
	w.load(rCount, memAt(rArgs, argRows))
	w.load(rMask, memAt(rArgs, argMask))
	w.op(vmovupsLoad, yShortMask, 0, memAt(rMask, 0))
	w.op(vmovupsLoad, yShortFill, 0, memAt(rMask, vectorBytes))
	w.align(32)
	top := len(w.b)
	for k := range n {
		w.op(vmovupsLoad, yShort+k, 0, memAt(rX, int32(vectorBytes*k)))
		if k == n-1 {
			w.op(vpand, yShort+k, yShort+k, reg(yShortMask))
			w.op(vpor, yShort+k, yShort+k, reg(yShortFill))
		}
	}
	if x.skip {
		w.constant(0, d.Size(), neutral(d, x.least))
		w.op(vpxor, ySeen, ySeen, reg(ySeen))
		for k := range n {
			w.op(cmpFloat[d.Size()], yMask, yShort+k, reg(yShort+k), isOrdered)
			w.op(blends[d.Size()], yX, 0, reg(yShort+k), yMask<<4)
			if k == n-1 {
				w.op(vpand, yMask, yMask, reg(yShortMask))
			}
			w.op(vpor, ySeen, ySeen, reg(yMask))
			w.extreme(x, d, 0)
		}
	} else {
		w.op(vmovaps, 0, 0, reg(yShort))
		for k := 1; k < n; k++ {
			w.op(vmovaps, yX, 0, reg(yShort+k))
			w.extreme(x, d, 0)
		}
	}
	w.acrossLanes(x, d)
	end()
	w.lea(rX, memIndexed(rX, rStep, 0, 0))
	w.sub(rCount, 1)
	w.to(w.jump(ifNotZero), top)
	w.ret()
}

// acrossLanes leaves the extreme of register 0's lanes in the lowest one.
func (w *writer) acrossLanes(x extreme, d dtype.DType) {
	wide := w.width
	if w.bytes > vectorBytes {
		w.op(vextractf64x4, 0, 0, reg(yX), 1)
		w.width = widthOf(vectorBytes)
		w.extreme(x, d, 0)
	}
	w.op(vextracti128, 0, 0, reg(yX), 1)
	w.extreme(x, d, 0)
	w.op(vpshufd, yX, 0, reg(0), 0x4E)
	w.extreme(x, d, 0)
	for h := 4; h >= d.Size(); h /= 2 {
		w.op(vpsrlq, int(opcodes[vpsrlq].ext), yX, reg(0), byte(8*h))
		w.extreme(x, d, 0)
	}
	w.width = wide
}

// runExtreme leaves the extreme of the run at rX in the lowest lane of register 0; see extremeRuns.
func (w *writer) runExtreme(x extreme, d dtype.DType, last int) {
	s := d.Size()
	w.constant(0, s, neutral(d, x.least))
	for k := 1; k < groupBytes/w.bytes; k++ {
		w.op(vmovaps, k, 0, reg(0))
	}
	w.beginSeen(x, d)
	w.lea(rRun, memAt(rX, 0))
	w.load(rGroups, memAt(rArgs, argWidth))
	w.extremeGroups(x, d, rRun, rGroups)
	w.load(rTemp, memAt(rArgs, argPart))
	w.test(rTemp, 1)
	even := w.jump(ifZero)
	w.lea(rRun, memIndexed(rX, last, 0, 0))
	w.extremeGroup(x, d, rRun)
	w.land(even)
	w.endSeen(x, d)
	for k := 1; k < groupBytes/w.bytes; k++ {
		w.op(vmovaps, yX, 0, reg(k))
		w.extreme(x, d, 0)
	}
	w.acrossLanes(x, d)
}

// storeExtreme writes the lowest lane of register 0 to the next accumulator: NaN where it leaves NaN out and has seen nothing else.
func (w *writer) storeExtreme(x extreme, s int) {
	if x.skip {
		none := w.unlessSeen()
		seen := w.jump(always)
		w.land(none)
		w.vex(&opcodes[vpcmpeqd], 0, 0, 0, reg(0)) // NaN
		w.land(seen)
	}
	switch s {
	case 8:
		w.vex(&opcodes[vmovqStore], 0, 0, 0, memAt(rAcc, 0))
	case 4:
		w.vex(&opcodes[vmovdStore], 0, 0, 0, memAt(rAcc, 0))
	case 2:
		w.vex(&opcodes[vmovdStore], 0, 0, 0, reg(rTemp))
		w.b = append(w.b, 0x66, 0x89, 0x03) // mov [rbx], ax
	default:
		w.vex(&opcodes[vmovdStore], 0, 0, 0, reg(rTemp))
		w.b = append(w.b, 0x88, 0x03) // mov [rbx], al
	}
	w.lea(rAcc, memAt(rAcc, int32(s)))
}
