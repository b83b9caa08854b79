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
