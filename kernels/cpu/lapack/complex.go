// SPDX-License-Identifier: BSD-3-Clause

package lapack

import (
	"math"
	"math/cmplx"
)

// factor replaces a by its triangular factors, rows exchanged so that pivots are largest: row i with pivots[i]. ok is false where a pivot is 0.
func factor(a []complex128, n int, pivots []int) (ok bool) {
	ok = true
	for k := range n {
		p, most := k, -1.0
		for i := k; i < n; i++ {
			if v := math.Abs(real(a[i*n+k])) + math.Abs(imag(a[i*n+k])); v > most || math.IsNaN(v) && !math.IsNaN(most) {
				p, most = i, v
			}
		}
		if pivots[k] = p; most == 0 {
			ok = false
			continue
		}
		if p != k {
			for j := range n {
				a[p*n+j], a[k*n+j] = a[k*n+j], a[p*n+j]
			}
		}
		row := a[k*n+k+1 : (k+1)*n]
		for i := k + 1; i < n; i++ {
			f := a[i*n+k] / a[k*n+k]
			a[i*n+k] = f
			if f != 0 {
				subtract(a[i*n+k+1:(i+1)*n], f, row)
			}
		}
	}
	return ok
}

// subtract subtracts f times x from y.
func subtract(y []complex128, f complex128, x []complex128) {
	for j, v := range x {
		y[j] -= f * v
	}
}

// ComplexDeterminant is Determinant of complex matrices: the sign is a number of magnitude 1.
func ComplexDeterminant(n int, parts bool) *Routine[complex128] {
	out := 1
	if parts {
		out = 2
	}
	return &Routine[complex128]{In: []int{n * n}, Out: out, Bytes: 8 * int64(n), Run: func(w *Work[complex128], in [][]complex128, out []complex128) error {
		pivots := take(&w.ints, n)
		factor(in[0], n, pivots)
		sign, sum, det := complex(1, 0), 0.0, complex(1, 0)
		for i, p := range pivots {
			if p != i {
				sign, det = -sign, -det
			}
			d := in[0][i*n+i]
			det *= d
			size := cmplx.Abs(d)
			if sum += math.Log(size); size > 0 {
				sign *= complex(real(d)/size, imag(d)/size)
			}
		}
		if !parts {
			out[0] = det
			return nil
		}
		if math.IsInf(sum, -1) {
			sign = 0
		}
		out[0], out[1] = sign, complex(sum, 0)
		return nil
	}}
}

// ComplexSolve is Solve of complex matrices.
func ComplexSolve(n, k int, silent bool) *Routine[complex128] {
	return &Routine[complex128]{In: []int{n * n, n * k}, Out: n * k, Bytes: 8 * int64(n), Run: func(w *Work[complex128], in [][]complex128, out []complex128) error {
		copy(out, in[1])
		return complexSolve(w, n, k, in[0], out, silent)
	}}
}

// ComplexInverse is Inverse of complex matrices.
func ComplexInverse(n int, silent bool) *Routine[complex128] {
	return &Routine[complex128]{In: []int{n * n}, Out: n * n, Bytes: 8 * int64(n), Run: func(w *Work[complex128], in [][]complex128, out []complex128) error {
		clear(out)
		for i := range n {
			out[i*n+i] = 1
		}
		return complexSolve(w, n, n, in[0], out, silent)
	}}
}

// complexSolve replaces the n by k matrix b by that of the solutions.
func complexSolve(w *Work[complex128], n, k int, a, b []complex128, silent bool) error {
	pivots := take(&w.ints, n)
	if !factor(a, n, pivots) {
		if !silent {
			return ErrSingular
		}
		for i := range b {
			b[i] = cmplx.NaN()
		}
		return nil
	}
	row := func(i int) []complex128 { return b[i*k : (i+1)*k] }
	for i, p := range pivots {
		if x, y := row(i), row(p); p != i {
			for j := range x {
				x[j], y[j] = y[j], x[j]
			}
		}
	}
	for i := range n {
		for j := range i {
			subtract(row(i), a[i*n+j], row(j))
		}
	}
	for i := n - 1; i >= 0; i-- {
		for j := i + 1; j < n; j++ {
			subtract(row(i), a[i*n+j], row(j))
		}
		for l := range row(i) {
			row(i)[l] /= a[i*n+i]
		}
	}
	return nil
}

// ComplexCholesky is Cholesky of Hermitian matrices: A = L L^H. Imaginary parts of the diagonal are not read.
func ComplexCholesky(n int, upper bool) *Routine[complex128] {
	return &Routine[complex128]{In: []int{n * n}, Out: n * n, Run: func(_ *Work[complex128], in [][]complex128, out []complex128) error {
		a := in[0]
		clear(out)
		at := func(i, j int) complex128 { // of the lower triangle
			if upper {
				return cmplx.Conj(a[j*n+i])
			}
			return a[i*n+j]
		}
		// Row by row into the lower triangle of out; for upper it is turned over at the end.
		for i := range n {
			for j := range i + 1 {
				sum := at(i, j)
				for l := range j {
					sum -= out[i*n+l] * cmplx.Conj(out[j*n+l])
				}
				if i > j {
					out[i*n+j] = sum / out[j*n+j]
					continue
				}
				if d := real(sum); d > 0 {
					out[i*n+i] = complex(math.Sqrt(d), 0)
				} else {
					return ErrDefinite
				}
			}
		}
		for i := range n {
			for j := 0; upper && j < i; j++ {
				out[j*n+i], out[i*n+j] = cmplx.Conj(out[i*n+j]), 0
			}
		}
		return nil
	}}
}

// embed writes the real matrix [[re, -im], [im, re]] of an m by n complex one.
func embed(to []float64, a []complex128, m, n int) {
	for i := range m {
		for j := range n {
			v := a[i*n+j]
			top, bottom := to[i*2*n:], to[(m+i)*2*n:]
			top[j], top[n+j] = real(v), -imag(v)
			bottom[j], bottom[n+j] = imag(v), real(v)
		}
	}
}

// embedded makes a routine of complex matrices of one of the real ones that stand for them: what it finds, pick turns into the result.
func embedded(r *Routine[float64], m, n, out int, pick func(found []float64, out []complex128)) *Routine[complex128] {
	size := 4*m*n + r.Out
	return &Routine[complex128]{In: []int{m * n}, Out: out, Bytes: r.Bytes + 8*int64(size), Run: func(w *Work[complex128], in [][]complex128, out []complex128) error {
		room := take(&w.floats, size)
		embed(room, in[0], m, n)
		if w.real == nil {
			w.real = new(Work[float64])
		}
		if err := r.Run(w.real, [][]float64{room[:4*m*n]}, room[4*m*n:]); err != nil {
			return err
		}
		pick(room[4*m*n:], out)
		return nil
	}}
}

// every second of the values that the real matrix has twice.
func every2nd(found []float64, out []complex128) {
	for i := range out {
		out[i] = complex(found[2*i], 0)
	}
}

// ComplexSingular returns the singular values of complex matrices, largest first.
func ComplexSingular(m, n int) *Routine[complex128] {
	return embedded(SVD(2*m, 2*n, false, false), m, n, min(m, n), every2nd)
}

// Hermitian returns the eigenvalues of Hermitian matrices, smallest first. Of A one triangle is read, and no imaginary part of the diagonal.
func Hermitian(n int, upper bool) *Routine[complex128] {
	r := embedded(Symmetric(2*n, false, false), n, n, n, every2nd)
	run := r.Run
	r.Run = func(w *Work[complex128], in [][]complex128, out []complex128) error {
		a := in[0]
		for i := range n {
			a[i*n+i] = complex(real(a[i*n+i]), 0)
			for j := range i {
				if upper {
					a[i*n+j] = cmplx.Conj(a[j*n+i])
				} else {
					a[j*n+i] = cmplx.Conj(a[i*n+j])
				}
			}
		}
		return run(w, in, out)
	}
	return r
}

// ComplexPseudoInverse is PseudoInverse of complex matrices.
func ComplexPseudoInverse(m, n int, rtol float64) *Routine[complex128] {
	return embedded(PseudoInverse(2*m, 2*n, rtol), m, n, n*m, func(found []float64, out []complex128) {
		for i := range n {
			for j := range m {
				out[i*m+j] = complex(found[i*2*m+j], found[(n+i)*2*m+j])
			}
		}
	})
}
