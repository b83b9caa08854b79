// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// cplx is what complex folds read; they accumulate in complex128.
type cplx interface{ complex64 | complex128 }

// mulComplex returns a*b with every product and sum rounded, never fused.
func mulComplex(a, b complex128) complex128 {
	return complex(float64(real(a)*real(b))-float64(imag(a)*imag(b)), float64(real(a)*imag(b))+float64(imag(a)*real(b)))
}

func isNaN[T cplx](v T) bool { z := complex128(v); return math.IsNaN(real(z)) || math.IsNaN(imag(z)) }

// complexOps returns the loops of a complex sum (mul false) or product. One step function is enough: complex
// folds are rare, and what they do in an element outweighs the call.
func complexOps[T cplx](step func(a, b complex128) complex128) *sumOps[T, complex128] {
	laneStep := func(acc *[lanes]complex128, lane int, x []T, skip bool) (skipped int) {
		for i, v := range x {
			if skip && isNaN(v) {
				skipped++
				continue
			}
			k := (lane + i) % lanes
			acc[k] = step(acc[k], complex128(v))
		}
		return skipped
	}
	rowStep := func(acc []complex128, cnt []int64, x []T, skip bool) {
		for j, v := range x {
			if skip && isNaN(v) {
				continue
			}
			acc[j] = step(acc[j], complex128(v))
			if cnt != nil {
				cnt[j]++
			}
		}
	}
	return &sumOps[T, complex128]{
		lanes:     func(acc *[lanes]complex128, lane int, x []T) { laneStep(acc, lane, x, false) },
		lanesSkip: func(acc *[lanes]complex128, lane int, x []T) int { return laneStep(acc, lane, x, true) },
		join: func(acc *[lanes]complex128) complex128 {
			for h := lanes / 2; h > 0; h /= 2 {
				for i := range h {
					acc[i] = step(acc[i], acc[i+h])
				}
			}
			return acc[0]
		},
		rows: func(acc []complex128, x []T, stride, count int) {
			for r := range count {
				rowStep(acc, nil, x[r*stride:r*stride+len(acc)], false)
			}
		},
		rowSkip: func(acc []complex128, cnt []int64, x []T) { rowStep(acc, cnt, x, true) },
		scatter: func(acc []complex128, cnt []int64, dst []int, x []T, skip bool) {
			for i, d := range dst {
				if d < 0 || skip && isNaN(x[i]) {
					continue
				}
				acc[d] = step(acc[d], complex128(x[i]))
				if cnt != nil {
					cnt[d]++
				}
			}
		},
	}
}

func addComplex(a, b complex128) complex128 { return a + b }

// pairs is the machine code of sums and products of rows of complex numbers. Rows to sum are rows of twice as many floats, real and imaginary
// parts in turn, and so are their accumulators.
type pairs struct {
	native
	columns int // of the loop for each number
}

func (p *pairs) find(asm Assembler, product bool, in dtype.DType) {
	if product {
		p.rows, p.size, p.columns = asm.Loop("prod rows", in), in.Size(), 1
		return
	}
	part := in.Part()
	p.rows, p.size, p.columns = asm.Loop("sum rows", part), part.Size(), 2
}

// addShortComplex is addShort.
func addShortComplex[T cplx](x []T) complex128 {
	var acc [lanes]complex128
	n := min(len(x), lanes)
	for i, v := range x[:n] {
		acc[i] = complex128(v) + 0
	}
	for i, v := range x[n:] {
		acc[i%lanes] += complex128(v)
	}
	return joinFirst(&acc, n)
}
