// SPDX-License-Identifier: BSD-3-Clause

package jit

import "github.com/arrayrun/arrayrun/chunk/dtype"

// widen emits
//
//	for ; width > 0; width-- { for i := range 32 { acc[i] = float32(x[i]) }; acc, x = acc[32:], x[32:] }
//
// for float16 and bfloat16.
func (w *writer) widen(name, form string, d dtype.DType) bool {
	if name != "widen" || form != "lanes" || d != dtype.Float16 && d != dtype.BFloat16 {
		return false
	}
	n := w.bytes / 4
	w.load(rAcc, memAt(rArgs, argAcc))
	w.load(rX, memAt(rArgs, argX))
	w.load(rCount, memAt(rArgs, argWidth))
	w.align(32)
	top := len(w.b)
	w.prefetch(2, memAt(rX, farAhead))
	for k := 0; k < 32; k += n {
		if d == dtype.Float16 {
			w.op(vcvtph2ps, 0, 0, memAt(rX, int32(2*k)))
		} else { // the upper half of float32
			w.op(vpmovzxwd, 0, 0, memAt(rX, int32(2*k)))
			w.op(vpslld, int(opcodes[vpslld].ext), 0, reg(0), 16)
		}
		w.op(vmovupsStore, 0, 0, memAt(rAcc, int32(4*k)))
	}
	w.lea(rX, memAt(rX, 64))
	w.lea(rAcc, memAt(rAcc, 128))
	w.sub(rCount, 1)
	w.to(w.jump(ifNotZero), top)
	w.ret()
	return true
}
