// SPDX-License-Identifier: BSD-3-Clause

package lapack

import (
	"math"

	"gonum.org/v1/gonum/blas"
	impl "gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/gonum"
)

// lib is gonum's LAPACK.
var lib gonum.Implementation

// asked returns the room a routine wants at best: what it answers when it is asked with lwork = -1.
func asked(f func(work []float64, lwork int)) int {
	var one [1]float64
	f(one[:], -1)
	return max(1, int(one[0]))
}

// Cholesky returns L, for upper its transpose U, with A = L L^T. Of A the triangle that is returned is read.
func Cholesky(n int, upper bool) *Routine[float64] {
	side := blas.Lower
	if upper {
		side = blas.Upper
	}
	return &Routine[float64]{In: []int{n * n}, Out: n * n, Run: func(_ *Work[float64], in [][]float64, out []float64) error {
		copy(out, in[0])
		if !lib.Dpotrf(side, n, out, max(n, 1)) {
			return ErrDefinite
		}
		for i := range n {
			if upper {
				clear(out[i*n : i*n+i])
			} else {
				clear(out[i*n+i+1 : (i+1)*n])
			}
		}
		return nil
	}}
}

// Determinant returns the sign and the logarithm of the magnitude of the determinant, or, without parts, the determinant.
func Determinant(n int, parts bool) *Routine[float64] {
	out := 1
	if parts {
		out = 2
	}
	return &Routine[float64]{In: []int{n * n}, Out: out, Bytes: 8 * int64(n), Run: func(w *Work[float64], in [][]float64, out []float64) error {
		pivots := take(&w.ints, n)
		lib.Dgetrf(n, n, in[0], max(n, 1), pivots)
		sign, sum, det := 1.0, 0.0, 1.0
		for i, p := range pivots {
			if p != i {
				sign, det = -sign, -det
			}
			d := in[0][i*n+i]
			det *= d
			if d < 0 {
				sign = -sign
			}
			sum += math.Log(math.Abs(d))
		}
		if !parts {
			out[0] = det
			return nil
		}
		if math.IsInf(sum, -1) {
			sign = 0
		}
		out[0], out[1] = sign, sum
		return nil
	}}
}

// Solve returns X, n by k, with A X = B; with silent, NaN where A is singular.
func Solve(n, k int, silent bool) *Routine[float64] {
	return &Routine[float64]{In: []int{n * n, n * k}, Out: n * k, Bytes: 8 * int64(n), Run: func(w *Work[float64], in [][]float64, out []float64) error {
		copy(out, in[1])
		return solve(w, n, k, in[0], out, silent)
	}}
}

// Inverse returns the inverse; with silent, NaN where there is none.
func Inverse(n int, silent bool) *Routine[float64] {
	return &Routine[float64]{In: []int{n * n}, Out: n * n, Bytes: 8 * int64(n), Run: func(w *Work[float64], in [][]float64, out []float64) error {
		clear(out)
		for i := range n {
			out[i*n+i] = 1
		}
		return solve(w, n, n, in[0], out, silent)
	}}
}

// solve replaces the n by k matrix b by that of the solutions.
func solve(w *Work[float64], n, k int, a, b []float64, silent bool) error {
	pivots := take(&w.ints, n)
	if !lib.Dgetrf(n, n, a, max(n, 1), pivots) {
		if !silent {
			return ErrSingular
		}
		for i := range b {
			b[i] = math.NaN()
		}
		return nil
	}
	lib.Dgetrs(blas.NoTrans, n, k, a, max(n, 1), pivots, b, max(k, 1))
	return nil
}

// QR returns Q, m by q, followed by R, q by n, with A = Q R: q is m for complete, else the smaller of m and n. Without Q only R.
func QR(m, n int, complete, q bool) *Routine[float64] {
	k := min(m, n)
	cols := k
	if complete {
		cols = m
	}
	size := cols * n
	if q {
		size += m * cols
	}
	lwork := asked(func(work []float64, l int) { lib.Dgeqrf(m, n, nil, max(n, 1), nil, work, l) })
	if q && cols > 0 {
		lwork = max(lwork, asked(func(work []float64, l int) { lib.Dorgqr(m, cols, k, nil, max(cols, 1), nil, work, l) }))
	}
	return &Routine[float64]{In: []int{m * n}, Out: size, Bytes: 8 * int64(lwork+k), Run: func(w *Work[float64], in [][]float64, out []float64) error {
		room := take(&w.floats, lwork+k)
		a, tau, work := in[0], room[:k], room[k:]
		lib.Dgeqrf(m, n, a, max(n, 1), tau, work, lwork)
		r := out
		if q {
			r = out[m*cols:]
		}
		for i := range cols {
			clear(r[i*n : i*n+min(i, n)])
			if i < n {
				copy(r[i*n+i:(i+1)*n], a[i*n+i:(i+1)*n])
			}
		}
		if !q || cols == 0 {
			return nil
		}
		for i := range m {
			row := out[i*cols : (i+1)*cols]
			clear(row[copy(row, a[i*n:i*n+min(n, cols)]):])
		}
		lib.Dorgqr(m, cols, k, out[:m*cols], cols, tau, work, lwork)
		return nil
	}}
}

// SVD returns the singular values, largest first; with vectors followed by U, m by u, and V^T, v by n, with A = U diag(S) V^T: u and v are m and n for
// full, else the smaller of them.
func SVD(m, n int, vectors, full bool) *Routine[float64] {
	k := min(m, n)
	job, u, v := impl.SVDNone, 0, 0
	switch {
	case vectors && full:
		job, u, v = impl.SVDAll, m, n
	case vectors:
		job, u, v = impl.SVDStore, k, k
	}
	lwork := 1
	if k > 0 {
		lwork = asked(func(work []float64, l int) {
			lib.Dgesvd(job, job, m, n, make([]float64, m*n), n, make([]float64, k), make([]float64, m*u), max(u, 1), make([]float64, v*n), n, work, l)
		})
	}
	return &Routine[float64]{In: []int{m * n}, Out: k + m*u + v*n, Bytes: 8 * int64(lwork), Run: func(w *Work[float64], in [][]float64, out []float64) error {
		s, left, right := out[:k], out[k:k+m*u], out[k+m*u:]
		if k == 0 {
			eye(left, u)
			eye(right, v)
			return nil
		}
		if !finite(in[0]) {
			return ErrNotFinite
		}
		if !lib.Dgesvd(job, job, m, n, in[0], n, s, left, max(u, 1), right, n, take(&w.floats, lwork), lwork) {
			return ErrConverge
		}
		return nil
	}}
}

// eye makes a square matrix the unit matrix.
func eye(a []float64, n int) {
	clear(a)
	for i := range n {
		if i*n+i < len(a) {
			a[i*n+i] = 1
		}
	}
}

// Symmetric returns the eigenvalues of symmetric matrices, smallest first; with vectors followed by the matrix whose columns are the eigenvectors. Of A one
// triangle is read.
func Symmetric(n int, vectors, upper bool) *Routine[float64] {
	side, job, size := blas.Lower, impl.EVNone, n
	if upper {
		side = blas.Upper
	}
	if vectors {
		job, size = impl.EVCompute, n+n*n
	}
	lwork := 1
	if n > 0 {
		lwork = asked(func(work []float64, l int) {
			lib.Dsyev(job, side, n, make([]float64, n*n), n, make([]float64, n), work, l)
		})
	}
	return &Routine[float64]{In: []int{n * n}, Out: size, Bytes: 8 * int64(lwork), Run: func(w *Work[float64], in [][]float64, out []float64) error {
		if n == 0 {
			return nil
		}
		for i := range n {
			row := in[0][i*n : i*n+i+1]
			if upper {
				row = in[0][i*n+i : (i+1)*n]
			}
			if !finite(row) {
				return ErrNotFinite
			}
		}
		if !lib.Dsyev(job, side, n, in[0], n, out[:n], take(&w.floats, lwork), lwork) {
			return ErrConverge
		}
		copy(out[n:], in[0])
		return nil
	}}
}

// General returns the eigenvalues of any real matrix; with vectors followed by the matrix whose columns are the right eigenvectors, of length 1 and with a
// real largest element. Real and imaginary parts take turns.
func General(n int, vectors bool) *Routine[float64] {
	job, ld, size := impl.RightEVNone, 1, 2*n
	if vectors {
		job, ld, size = impl.RightEVCompute, max(n, 1), 2*n+2*n*n
	}
	lwork := 1
	if n > 0 {
		lwork = asked(func(work []float64, l int) {
			lib.Dgeev(impl.LeftEVNone, job, n, make([]float64, n*n), n, make([]float64, n), make([]float64, n), nil, 1, make([]float64, n*ld), ld, work, l)
		})
	}
	return &Routine[float64]{In: []int{n * n}, Out: size, Bytes: 8 * int64(lwork+2*n+n*ld), Run: func(w *Work[float64], in [][]float64, out []float64) error {
		if n == 0 {
			return nil
		}
		if !finite(in[0]) {
			return ErrNotFinite
		}
		room := take(&w.floats, lwork+2*n+n*ld)
		re, im, v, work := room[:n], room[n:2*n], room[2*n:2*n+n*ld], room[2*n+n*ld:]
		if lib.Dgeev(impl.LeftEVNone, job, n, in[0], n, re, im, nil, 1, v, ld, work, lwork) != 0 {
			return ErrConverge
		}
		for j := range n {
			out[2*j], out[2*j+1] = re[j], im[j]
		}
		if !vectors {
			return nil
		}
		to := out[2*n:]
		for j := 0; j < n; j++ {
			pair := im[j] != 0 // with j+1, its conjugate
			for i := range n {
				x := to[2*(i*n+j):]
				x[0], x[1] = v[i*n+j], 0
				if pair {
					x[1] = v[i*n+j+1]
					x[2], x[3] = x[0], -x[1]
				}
			}
			if pair {
				j++
			}
		}
		return nil
	}}
}
