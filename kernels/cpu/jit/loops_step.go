// SPDX-License-Identifier: BSD-3-Clause

package jit

import "github.com/arrayrun/arrayrun/chunk/dtype"

// strided emits
//
//	for i := range width*vector { acc[i] = x[-i] }   "reverse row"
//	for i := range width*vector { acc[i] = x[2*i] }  "second row"
//
// for unsigned integers of any size and vectors of 32 bytes. The second one reads x[2*i+1] too.
func (w *writer) strided(name, form string, d dtype.DType) bool {
	s := d.Size()
	if form != "row" || name != "reverse" && name != "second" || lane(d) == 0 || d.Kind() != dtype.KindUint {
		return false
	}
	w.width = widthOf(vectorBytes)
	w.load(rX, memAt(rArgs, argX))
	w.load(rAcc, memAt(rArgs, argAcc))
	w.load(rCount, memAt(rArgs, argWidth))
	const a, b, table = 0, 1, 2
	if name == "reverse" {
		var order [poolBytes]byte // within 16 bytes
		for i := range order {
			order[i] = byte(15&^(s-1) - i%16&^(s-1) + i%s)
		}
		w.op(vmovupsLoad, table, 0, operand{kind: inPool, disp: int32(len(w.pool)) * poolBytes})
		w.pool = append(w.pool, order)
	} else {
		w.constant(table, 2*s, 1<<(8*s)-1) // used for bytes and words
	}
	w.align(32)
	top := len(w.b)
	if name == "reverse" {
		w.op(vmovupsLoad, a, 0, memAt(rX, int32(s-vectorBytes)))
		w.op(vpshufb, a, a, reg(table))
		w.op(vpermq, a, 0, reg(a), 0x4E)
		w.lea(rX, memAt(rX, -vectorBytes))
	} else {
		w.op(vmovupsLoad, a, 0, memAt(rX, 0))
		w.op(vmovupsLoad, b, 0, memAt(rX, vectorBytes))
		switch s {
		case 8:
			w.op(vunpcklpd, a, a, reg(b))
		case 4:
			w.op(vshufps, a, a, reg(b), 0x88)
		default:
			w.op(vpand, a, a, reg(table))
			w.op(vpand, b, b, reg(table))
			w.op(bySize{1: vpackuswb, 2: vpackusdw}[s], a, a, reg(b))
		}
		w.op(vpermq, a, 0, reg(a), 0xD8)
		w.lea(rX, memAt(rX, 2*vectorBytes))
	}
	w.op(vmovupsStore, a, 0, memAt(rAcc, 0))
	w.lea(rAcc, memAt(rAcc, vectorBytes))
	w.sub(rCount, 1)
	w.to(w.jump(ifNotZero), top)
	w.ret()
	return true
}
