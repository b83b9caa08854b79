// SPDX-License-Identifier: BSD-3-Clause

package linalg

import (
	"fmt"

	"github.com/arrayrun/arrayrun/kernels/cpu/lapack"
	"github.com/arrayrun/arrayrun/ndarray"
)

// Mode says how large the factors of a QR decomposition of m by n matrices are.
type Mode uint8

// The modes.
const (
	Reduced  Mode = iota // Q is m by min(m, n)
	Complete             // Q is m by m
)

// QR returns Q with orthonormal columns and the upper triangular R with a = Q R.
func QR(a ndarray.Array, mode Mode) (q, r ndarray.Array) {
	x := reals("qr", matricesOf("qr", a), "")
	if x.Err() != nil {
		return x.Array, x.Array
	}
	if t, ok := tallOf(x); ok && mode == Reduced {
		return t.qr()
	}
	k := min(x.m, x.n)
	if mode == Complete {
		k = x.m
	}
	f := lapack.QR(int(x.m), int(x.n), mode == Complete, true)
	p := parts(apply("qr", fmt.Sprint(mode), f, x.DType(), []int64{int64(f.Out)}, x), []int64{x.m, k}, []int64{k, x.n})
	return p[0], p[1]
}

// QRFactor returns the R of QR alone.
func QRFactor(a ndarray.Array) ndarray.Array {
	x := reals("qr", matricesOf("qr", a), "")
	if x.Err() != nil {
		return x.Array
	}
	if t, ok := tallOf(x); ok {
		return t.factor()
	}
	return apply("qr", "r", lapack.QR(int(x.m), int(x.n), false, false), x.DType(), []int64{min(x.m, x.n), x.n}, x)
}

// SVD returns U, the singular values S, largest first, and Vh with a = U diag(S) Vh: U is m by min(m, n) and Vh min(m, n) by n, or, for full, m by m and n by n.
func SVD(a ndarray.Array, full bool) (u, s, vh ndarray.Array) {
	x := reals("svd", matricesOf("svd", a), "; svdvals takes them")
	if x.Err() != nil {
		return x.Array, x.Array, x.Array
	}
	if t, ok := tallOf(x); ok && !full {
		return t.svd()
	}
	k, rows, cols := min(x.m, x.n), x.m, x.n
	if !full {
		rows, cols = k, k
	}
	f := lapack.SVD(int(x.m), int(x.n), true, full)
	p := parts(apply("svd", fmt.Sprint(full), f, x.DType(), []int64{int64(f.Out)}, x), []int64{k}, []int64{x.m, rows}, []int64{cols, x.n})
	return p[1], p[0], p[2]
}

// SVDVals returns the singular values of a's matrices, largest first; real.
func SVDVals(a ndarray.Array) ndarray.Array { return singular("svdvals", a) }

func singular(fn string, a ndarray.Array) ndarray.Array {
	x := matricesOf(fn, a)
	if x.Err() != nil {
		return x.Array
	}
	core := []int64{min(x.m, x.n)}
	if x.DType().IsComplex() {
		return apply(fn, "", lapack.ComplexSingular(int(x.m), int(x.n)), x.DType(), core, x).AsType(x.DType().Part())
	}
	if t, ok := tallOf(x); ok {
		x = matrices{t.factor(), x.n, x.n}
	}
	return apply(fn, "", lapack.SVD(int(x.m), int(x.n), false, false), x.DType(), core, x)
}

// EigH returns the eigenvalues of a's symmetric matrices, smallest first, and the matrices whose columns are the eigenvectors. The lower triangle is read, or
// the upper one.
func EigH(a ndarray.Array, upper bool) (w, v ndarray.Array) {
	x := reals("eigh", squares("eigh", a), "; eigvalsh takes them")
	if x.Err() != nil {
		return x.Array, x.Array
	}
	f := lapack.Symmetric(int(x.n), true, upper)
	p := parts(apply("eigh", fmt.Sprint(upper), f, x.DType(), []int64{int64(f.Out)}, x), []int64{x.n}, []int64{x.n, x.n})
	return p[0], p[1]
}

// EigValsH returns the eigenvalues of a's symmetric or Hermitian matrices, smallest first; real. The lower triangle is read, or the upper one.
func EigValsH(a ndarray.Array, upper bool) ndarray.Array {
	x := squares("eigvalsh", a)
	if x.Err() != nil {
		return x.Array
	}
	if x.DType().IsComplex() {
		return apply("eigvalsh", fmt.Sprint(upper), lapack.Hermitian(int(x.n), upper), x.DType(), []int64{x.n}, x).AsType(x.DType().Part())
	}
	return apply("eigvalsh", fmt.Sprint(upper), lapack.Symmetric(int(x.n), false, upper), x.DType(), []int64{x.n}, x)
}

// Eig returns the eigenvalues of a's matrices, complex, in no order, and the matrices whose columns are the right eigenvectors, of length 1.
func Eig(a ndarray.Array) (w, v ndarray.Array) {
	x := reals("eig", squares("eig", a), "")
	if x.Err() != nil {
		return x.Array, x.Array
	}
	p := parts(general("eig", x, true), []int64{x.n}, []int64{x.n, x.n})
	return p[0], p[1]
}

// EigVals returns the eigenvalues of a's matrices, complex, in no order.
func EigVals(a ndarray.Array) ndarray.Array {
	x := reals("eigvals", squares("eigvals", a), "")
	if x.Err() != nil {
		return x.Array
	}
	return general("eigvals", x, false)
}

// general returns eigenvalues and perhaps vectors, packed.
func general(fn string, x matrices, vectors bool) ndarray.Array {
	f := lapack.General(int(x.n), vectors)
	return apply(fn, "", f, x.DType().Complex(), []int64{int64(f.Out) / 2}, x)
}
