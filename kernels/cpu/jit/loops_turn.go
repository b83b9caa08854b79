// SPDX-License-Identifier: BSD-3-Clause

package jit

import "github.com/arrayrun/arrayrun/chunk/dtype"

// Registers of the loop that turns tiles: the tile at work, what lies between its rows, once and three times.
const (
	rFrom    = r11
	rInto    = r9
	rFromBy  = r12
	rFromBy3 = r13
	rIntoBy  = r10
	rIntoBy3 = rSI
)

// turn emits
//
//	for j := range edge*rows { for i := range edge*width { acc[i][j] = x[j][i] } }
//
// for elements of 4 or 8 bytes, whose tiles have edges of 8 or 4. Rows of x are Stride bytes apart, those of acc Quads.
func (w *writer) turn(name, form string, d dtype.DType) bool {
	if name != "turn" || form != "tiles" || d != dtype.Float32 && d != dtype.Float64 {
		return false
	}
	w.width = widthOf(vectorBytes)
	edge := vectorBytes / d.Size()
	w.load(rX, memAt(rArgs, argX))
	w.load(rAcc, memAt(rArgs, argAcc))
	w.load(rFromBy, memAt(rArgs, argStride))
	w.load(rIntoBy, memAt(rArgs, argQuads))
	w.load(rLeft, memAt(rArgs, argRows))
	w.lea(rFromBy3, memIndexed(rFromBy, rFromBy, 1, 0))
	w.lea(rIntoBy3, memIndexed(rIntoBy, rIntoBy, 1, 0))
	rows := len(w.b)
	w.load(rCount, memAt(rArgs, argWidth))
	w.lea(rFrom, memAt(rX, 0))
	w.lea(rInto, memAt(rAcc, 0))
	w.align(32)
	tiles := len(w.b)
	w.readHalves(edge)
	// Of a pair of rows the first elements of both, then the second ones, and so on.
	if edge == 8 {
		for k := 0; k < 8; k += 2 {
			w.op(vunpcklps, 8+k, k, reg(k+1))
			w.op(vunpckhps, 9+k, k, reg(k+1))
		}
		for k := 0; k < 8; k += 4 {
			w.op(vunpcklpd, k, 8+k, reg(10+k))
			w.op(vunpckhpd, k+1, 8+k, reg(10+k))
			w.op(vunpcklpd, k+2, 9+k, reg(11+k))
			w.op(vunpckhpd, k+3, 9+k, reg(11+k))
		}
	} else {
		for k := 0; k < 4; k += 2 {
			w.op(vunpcklpd, 8+k, k, reg(k+1))
			w.op(vunpckhpd, 9+k, k, reg(k+1))
		}
	}
	for k := range edge {
		r := k
		if edge == 4 {
			r += 8
		}
		if k == 4 {
			w.lea(rInto, memIndexed(rInto, rIntoBy, 2, 0))
		}
		w.vex(&opcodes[vmovupsStore], 1, r, 0, rowOf(rInto, rIntoBy, rIntoBy3, k%4, 0))
	}
	w.lea(rInto, memIndexed(rInto, rIntoBy, 2, 0))
	w.lea(rFrom, memAt(rFrom, vectorBytes))
	w.sub(rCount, 1)
	w.to(w.jump(ifNotZero), tiles)
	w.lea(rAcc, memAt(rAcc, vectorBytes))
	for range edge / 4 {
		w.lea(rX, memIndexed(rX, rFromBy, 2, 0))
	}
	w.sub(rLeft, 1)
	w.to(w.jump(ifNotZero), rows)
	w.ret()
	return true
}

// readHalves reads a tile: register k holds the left half of row k beside that of the row edge/2 further down, the
// registers behind those the right halves.
func (w *writer) readHalves(edge int) {
	half := edge / 2
	lower := rFrom
	if edge == 8 {
		lower = rTemp
		w.lea(rTemp, memIndexed(rFrom, rFromBy, 2, 0))
	}
	for side := range 2 {
		for k := range half {
			r := side*half + k
			w.vex(&opcodes[vmovupsLoad], 0, r, 0, rowOf(rFrom, rFromBy, rFromBy3, k, int32(16*side)))
			w.vex(&opcodes[vinsertf128], 1, r, r, rowOf(lower, rFromBy, rFromBy3, (half+k)%4, int32(16*side)), 1)
		}
	}
}

// rowOf is the memory of row k, 0 to 3, behind a register.
func rowOf(base, by, by3, k int, disp int32) operand {
	switch k {
	case 1:
		return memIndexed(base, by, 0, disp)
	case 2:
		return memIndexed(base, by, 1, disp)
	case 3:
		return memIndexed(base, by3, 0, disp)
	}
	return memAt(base, disp)
}
