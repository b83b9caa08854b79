// SPDX-License-Identifier: BSD-3-Clause

package lapack

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// products is gonum's BLAS.
var products gonum.Implementation

// PseudoInverse returns the n by m matrix that inverts A where singular values are above rtol times the largest, and is 0 on the rest.
func PseudoInverse(m, n int, rtol float64) *Routine[float64] {
	svd, k := SVD(m, n, true, false), min(m, n)
	return &Routine[float64]{In: []int{m * n}, Out: n * m, Bytes: svd.Bytes + 8*int64(svd.Out), Run: func(w *Work[float64], in [][]float64, out []float64) error {
		found := take(&w.found, svd.Out)
		if err := svd.Run(w, in, found); err != nil {
			return err
		}
		clear(out)
		s, u, v := found[:k], found[k:k+m*k], found[k+m*k:]
		divide(v, s, n, rtol)
		if k > 0 {
			products.Dgemm(blas.Trans, blas.Trans, n, m, k, 1, v, n, u, k, 0, out, m)
		}
		return nil
	}}
}

// divide divides the rows of v, of n elements, by singular values; those of values that are not above rtol times the largest become 0. It returns how many do not.
func divide(v, s []float64, n int, rtol float64) (rank int) {
	for i, x := range s {
		row := v[i*n : (i+1)*n]
		if !(x > rtol*s[0]) {
			clear(row)
			continue
		}
		rank++
		for j := range row {
			row[j] /= x
		}
	}
	return rank
}

// LeastSquares returns, for A of m by n and B of m by k, X, n by k, that makes the sum of squares of B - A X least, the shortest of them where there are several;
// then those sums, k of them, NaN where the rank is less than n or m is not more than n; the rank, which is the number of singular values above rtol
// times the largest; and the singular values.
func LeastSquares(m, n, k int, rtol float64) *Routine[float64] {
	svd, r := SVD(m, n, true, false), min(m, n)
	return &Routine[float64]{In: []int{m * n, m * k}, Out: n*k + k + 1 + r, Bytes: svd.Bytes + 8*int64(svd.Out+r*k+m*n), Run: func(w *Work[float64], in [][]float64, out []float64) error {
		room := take(&w.found, svd.Out+r*k+m*n)
		found, part, a := room[:svd.Out], room[svd.Out:svd.Out+r*k], room[svd.Out+r*k:]
		copy(a, in[0])
		if !finite(in[1]) {
			return ErrNotFinite
		}
		if err := svd.Run(w, in[:1], found); err != nil {
			return err
		}
		s, u, v := found[:r], found[r:r+m*r], found[r+m*r:]
		copy(out[n*k+k+1:], s)
		rank := divide(v, s, n, rtol)
		x, sums := out[:n*k], out[n*k:n*k+k]
		out[n*k+k] = float64(rank)
		clear(x)
		if r > 0 && k > 0 {
			products.Dgemm(blas.Trans, blas.NoTrans, r, k, m, 1, u, r, in[1], k, 0, part, k)
			products.Dgemm(blas.Trans, blas.NoTrans, n, k, r, 1, v, n, part, k, 0, x, k)
			products.Dgemm(blas.NoTrans, blas.NoTrans, m, k, n, -1, a, n, x, k, 1, in[1], k)
		}
		for j := range sums {
			sums[j] = nan
			if rank == n && m > n {
				sums[j] = 0
				for i := range m {
					sums[j] += in[1][i*k+j] * in[1][i*k+j]
				}
			}
		}
		return nil
	}}
}

// Orthonormal returns Q C, m by n, of the decomposition A = Q R of a matrix of m by n; of C, which has n columns, the first min(m, n) rows are read.
func Orthonormal(m, n int) *Routine[float64] {
	k := min(m, n)
	lwork := asked(func(work []float64, l int) { lib.Dgeqrf(m, n, nil, max(n, 1), nil, work, l) })
	lwork = max(lwork, asked(func(work []float64, l int) {
		lib.Dormqr(blas.Left, blas.NoTrans, m, n, k, nil, max(n, 1), nil, nil, max(n, 1), work, l)
	}))
	return &Routine[float64]{In: []int{m * n, n * n}, Out: m * n, Bytes: 8 * int64(lwork+k), Run: func(w *Work[float64], in [][]float64, out []float64) error {
		room := take(&w.floats, lwork+k)
		tau, work := room[:k], room[k:]
		lib.Dgeqrf(m, n, in[0], max(n, 1), tau, work, lwork)
		clear(out[copy(out, in[1][:k*n]):])
		lib.Dormqr(blas.Left, blas.NoTrans, m, n, k, in[0], max(n, 1), tau, out, max(n, 1), work, lwork)
		return nil
	}}
}
