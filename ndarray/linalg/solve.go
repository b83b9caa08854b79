// SPDX-License-Identifier: BSD-3-Clause

package linalg

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels/cpu/lapack"
	"github.com/arrayrun/arrayrun/ndarray"
)

// Cholesky returns the lower triangular L with a = L L^H, or the upper triangular U with a = U^H U. The triangle of a that is asked for is read.
func Cholesky(a ndarray.Array, upper bool) ndarray.Array {
	x := squares("cholesky", a)
	if x.Err() != nil {
		return x.Array
	}
	options, core := fmt.Sprint(upper), []int64{x.n, x.n}
	if x.DType().IsComplex() {
		return apply("cholesky", options, lapack.ComplexCholesky(int(x.n), upper), x.DType(), core, x)
	}
	return apply("cholesky", options, lapack.Cholesky(int(x.n), upper), x.DType(), core, x)
}

// Det returns the determinants of a's matrices: 1 for those of no rows.
func Det(a ndarray.Array) ndarray.Array {
	x := squares("det", a)
	if x.Err() != nil {
		return x.Array
	}
	if x.DType().IsComplex() {
		return apply("det", "", lapack.ComplexDeterminant(int(x.n), false), x.DType(), nil, x)
	}
	return apply("det", "", lapack.Determinant(int(x.n), false), x.DType(), nil, x)
}

// SlogDet returns the determinants of a's matrices as signs (of a's dtype; 0 for singular ones, numbers of magnitude 1 for complex ones) and natural
// logarithms of magnitudes (-Inf for singular ones).
func SlogDet(a ndarray.Array) (sign, logabsdet ndarray.Array) {
	x := squares("slogdet", a)
	if x.Err() != nil {
		return x.Array, x.Array
	}
	var packed ndarray.Array
	if x.DType().IsComplex() {
		packed = apply("slogdet", "", lapack.ComplexDeterminant(int(x.n), true), x.DType(), []int64{2}, x)
	} else {
		packed = apply("slogdet", "", lapack.Determinant(int(x.n), true), x.DType(), []int64{2}, x)
	}
	packed = packed.Once()
	return packed.Index(ndarray.Ellipsis(), ndarray.At(0)), packed.Index(ndarray.Ellipsis(), ndarray.At(1)).AsType(x.DType().Part())
}

// Inv returns the inverses of a's matrices. A singular one ends the run with an error that names it.
func Inv(a ndarray.Array) ndarray.Array { return inverse("inv", a, false) }

// inverse is Inv; with silent, NaN for matrices that have none.
func inverse(fn string, a ndarray.Array, silent bool) ndarray.Array {
	x := squares(fn, a)
	if x.Err() != nil {
		return x.Array
	}
	options, core := fmt.Sprint(silent), []int64{x.n, x.n}
	if x.DType().IsComplex() {
		return apply(fn, options, lapack.ComplexInverse(int(x.n), silent), x.DType(), core, x)
	}
	return apply(fn, options, lapack.Inverse(int(x.n), silent), x.DType(), core, x)
}

// Solve returns x with a x = b: for each matrix of a the solutions for the columns of b's matrix, or for the vector b of one axis. Axes before the last two broadcast.
// DType: promoted. A singular matrix ends the run with an error that names it.
func Solve(a, b ndarray.Array) ndarray.Array {
	if b.Err() != nil {
		return b
	}
	vector := b.Rank() == 1
	if vector {
		b = b.ExpandDims(1)
	}
	x, y := squares("solve", a), matricesOf("solve", b)
	for _, z := range []matrices{x, y} {
		if z.Err() != nil {
			return z.Array
		}
	}
	if x.n != y.m {
		return failed("solve", "shapes %v and %v do not fit: got %d rows on the right side, want %d: %w", a.Shape(), b.Shape(), y.m, x.n, chunk.ErrShape)
	}
	batch, err := chunk.Broadcast(x.batch(), y.batch())
	if err != nil {
		return failed("solve", "axes before the last two: %w", err)
	}
	dt, err := dtype.Promote(x.DType(), y.DType())
	if err != nil {
		return failed("solve", "%w", err)
	}
	spread := func(z matrices) matrices {
		z.Array = z.AsType(dt).BroadcastTo(append(batch.Clone(), z.m, z.n)...)
		return z
	}
	x, y = spread(x), spread(y)
	core := []int64{y.m, y.n}
	var out ndarray.Array
	if dt.IsComplex() {
		out = apply("solve", "", lapack.ComplexSolve(int(x.n), int(y.n), false), dt, core, x, y)
	} else {
		out = apply("solve", "", lapack.Solve(int(x.n), int(y.n), false), dt, core, x, y)
	}
	if vector {
		out = out.Squeeze(-1)
	}
	return out
}

// tolerance returns rtol, or where it is below 0 the default: the larger length of a matrix times the distance of 1 to the next number of its dtype.
func (x matrices) tolerance(rtol float64) float64 {
	if rtol >= 0 {
		return rtol
	}
	eps := 0x1p-52
	if x.DType().Part() == dtype.Float32 {
		eps = 0x1p-23
	}
	return eps * float64(max(x.m, x.n))
}

// PInv returns the pseudo-inverses of a's matrices, n by m. Singular values up to rtol times the largest count as 0; rtol below 0: max(m, n) eps.
func PInv(a ndarray.Array, rtol float64) ndarray.Array {
	x := matricesOf("pinv", a)
	if x.Err() != nil {
		return x.Array
	}
	rtol = x.tolerance(rtol)
	options, core := fmt.Sprint(rtol), []int64{x.n, x.m}
	if x.DType().IsComplex() {
		return apply("pinv", options, lapack.ComplexPseudoInverse(int(x.m), int(x.n), rtol), x.DType(), core, x)
	}
	return apply("pinv", options, lapack.PseudoInverse(int(x.m), int(x.n), rtol), x.DType(), core, x)
}

// Fit is what LstSq finds. Residuals are the sums of squares of b - a x, one for each column of b: NaN where NumPy gives none (the rank is less than n, or m is not more
// than n). Rank is int64.
type Fit struct{ X, Residuals, Rank, SingularValues ndarray.Array }

// LstSq returns the x, the shortest where there are several, that makes |b - a x| least, for the matrix a of m by n and the columns of b or the vector b. Singular
// values up to rcond times the largest count as 0; rcond below 0: max(m, n) eps.
func LstSq(a, b ndarray.Array, rcond float64) Fit {
	bad := func(a ndarray.Array) Fit { return Fit{a, a, a, a} }
	if b.Err() != nil {
		return bad(b)
	}
	vector := b.Rank() == 1
	if vector {
		b = b.ExpandDims(1)
	}
	x, y := reals("lstsq", matricesOf("lstsq", a), ""), reals("lstsq", matricesOf("lstsq", b), "")
	for _, z := range []matrices{x, y} {
		switch {
		case z.Err() != nil:
			return bad(z.Array)
		case z.Rank() != 2:
			return bad(failed("lstsq", "operand: got shape %v, want two axes: %w", z.Shape(), chunk.ErrShape))
		}
	}
	if x.m != y.m {
		return bad(failed("lstsq", "shapes %v and %v do not fit: got %d rows on the right side, want %d: %w", a.Shape(), b.Shape(), y.m, x.m, chunk.ErrShape))
	}
	dt, err := dtype.Promote(x.DType(), y.DType())
	if err != nil {
		return bad(failed("lstsq", "%w", err))
	}
	x.Array, y.Array = x.AsType(dt), y.AsType(dt)
	r := lapack.LeastSquares(int(x.m), int(x.n), int(y.n), x.tolerance(rcond))
	packed := apply("lstsq", fmt.Sprint(x.tolerance(rcond)), r, dt, []int64{int64(r.Out)}, x, y)
	k := y.n
	p := parts(packed, []int64{x.n, k}, []int64{k}, nil, []int64{min(x.m, x.n)})
	if vector {
		p[0] = p[0].Squeeze(-1)
	}
	return Fit{p[0], p[1], p[2].AsType(dtype.Int64), p[3]}
}

// MatrixPower returns the n-th powers of a's square matrices: products for n above 0, unit matrices for 0, powers of the inverses below. Integers stay where n is 0 or more.
func MatrixPower(a ndarray.Array, n int64) ndarray.Array {
	if a.Err() != nil {
		return a
	}
	if s := a.Shape(); len(s) < 2 || s[len(s)-1] != s[len(s)-2] {
		return failed("matrix_power", "operand: got shape %v, want square matrices in the last two axes: %w", s, chunk.ErrShape)
	}
	if n < 0 {
		a, n = inverse("matrix_power", a, false).Once(), -n
	}
	s := a.Shape()
	if n == 0 {
		return ndarray.Eye(s[len(s)-1], -1, 0, a.DType()).BroadcastTo(s...)
	}
	var out ndarray.Array
	for first := true; n > 0; n >>= 1 {
		if n&1 == 1 {
			if first {
				out, first = a, false
			} else {
				out = ndarray.MatMul(out, a)
			}
		}
		if n > 1 {
			a = ndarray.MatMul(a, a)
		}
	}
	return out
}
