// SPDX-License-Identifier: BSD-3-Clause

package jit

import "github.com/arrayrun/arrayrun/chunk/dtype"

// ProductTile returns the rows and columns of the tile of "product tile": its sums take all registers but those of two vectors of a row
// of columns and of two elements.
func (c *Compiler) ProductTile(d dtype.DType) (rows, cols int) {
	return productTile(widthOf(c.bytes), d)
}

func productTile(w width, d dtype.DType) (rows, cols int) {
	return (w.vectors - 4) / 2, 2 * w.bytes / d.Size()
}

// product emits
//
//	for i := range rows { for j := range cols { sum[i][j] = 0 } }
//	for ; Rows > 0; Rows-- { sum[i][j] = fma(x[i], mean[j], sum[i][j]) for all i and j; x, mean = x[rows:], mean[cols:] }
//	acc[i][j] += sum[i][j]
//
// for the rows and columns of ProductTile. Rows of acc are Stride bytes apart.
func (w *writer) product(name, form string, d dtype.DType) bool {
	if name != "product" || form != "tile" || d != dtype.Float32 && d != dtype.Float64 {
		return false
	}
	fma, add, splat := vfmadd231ps, vaddps, vbroadcastss
	if d == dtype.Float64 {
		fma, add, splat = vfmadd231pd, vaddpd, vbroadcastsd
	}
	rows, cols := productTile(w.width, d)
	b, element := 2*rows, 2*rows+2 // registers behind the sums
	rCols := rMean
	w.load(rX, memAt(rArgs, argX))
	w.load(rCols, memAt(rArgs, argMean))
	w.load(rLeft, memAt(rArgs, argRows))
	for r := range 2 * rows {
		w.op(vxorps, r, r, reg(r))
	}
	w.align(32)
	top := len(w.b)
	for half := range 2 {
		w.op(vmovupsLoad, b+half, 0, memAt(rCols, int32(half*w.bytes)))
	}
	for i := range rows {
		x := element + i%2
		w.op(splat, x, 0, memAt(rX, int32(i*d.Size())))
		for half := range 2 {
			w.op(fma, 2*i+half, b+half, reg(x))
		}
	}
	w.lea(rX, memAt(rX, int32(rows*d.Size())))
	w.lea(rCols, memAt(rCols, int32(cols*d.Size())))
	w.sub(rLeft, 1)
	w.to(w.jump(ifNotZero), top)
	w.load(rAcc, memAt(rArgs, argAcc))
	w.load(rStep, memAt(rArgs, argStride))
	for i := range rows {
		for half := range 2 {
			at := memAt(rAcc, int32(half*w.bytes))
			w.op(add, 2*i+half, 2*i+half, at)
			w.op(vmovupsStore, 2*i+half, 0, at)
		}
		w.gpr(0x03, rAcc, reg(rStep)) // add
	}
	w.ret()
	return true
}
