// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/linalg"
)

// decompositions are what NumPy's sub-module linalg solves and decomposes; products and norms are among the products.
var decompositions = map[string]function{
	"linalg.cholesky":     {"a upper=", plainly(oneSided(linalg.Cholesky))},
	"linalg.det":          {"a", plainly(alone(linalg.Det))},
	"linalg.slogdet":      {"a", plainly(slogDet)},
	"linalg.inv":          {"a", plainly(alone(linalg.Inv))},
	"linalg.solve":        {"a b", paired(linalg.Solve)},
	"linalg.lstsq":        {"a b rcond=", leastSquares},
	"linalg.pinv":         {"a rcond= rtol=", plainly(pseudoInverse)},
	"linalg.matrix_power": {"a n", plainly(matrixPower)},
	"linalg.matrix_rank":  {"a tol= rtol=", plainly(matrixRank)},
	"linalg.cond":         {"a p=", plainly(condition)},
	"linalg.qr":           {"a mode=", plainly(qr)},
	"linalg.svd":          {"a full_matrices= compute_uv=", plainly(svd)},
	"linalg.svdvals":      {"a", plainly(alone(linalg.SVDVals))},
	"linalg.eigh":         {"a UPLO=", plainly(eigH)},
	"linalg.eigvalsh":     {"a UPLO=", plainly(oneSidedBy(linalg.EigValsH))},
	"linalg.eig":          {"a", plainly(eig)},
	"linalg.eigvals":      {"a", plainly(alone(linalg.EigVals))},
	"linalg.multi_dot":    {"arrays", multiDot},
}

// alone is a function of an array and nothing else.
func alone(f func(a ndarray.Array) ndarray.Array) func(a ndarray.Array, b params) (value, error) {
	return func(a ndarray.Array, _ params) (value, error) { return f(a), nil }
}

// named returns results that have names, or the first that is an error.
func named(names []string, list ...ndarray.Array) (value, error) {
	for _, x := range list {
		if x.Err() != nil {
			return x, nil
		}
	}
	return record{arrayTuple(list), names}, nil
}

// oneSided is a function of an array and of which triangle.
func oneSided(f func(a ndarray.Array, upper bool) ndarray.Array) func(a ndarray.Array, b params) (value, error) {
	return func(a ndarray.Array, b params) (value, error) {
		upper, err := b.bool("upper", false)
		return f(a, upper), err
	}
}

// triangle reads UPLO.
func (b params) triangle() (upper bool, err error) {
	if !b.has("UPLO") {
		return false, nil
	}
	switch b.vals["UPLO"] {
	case "L", "l":
		return false, nil
	case "U", "u":
		return true, nil
	}
	return false, fmt.Errorf("%s: UPLO: got %s, want 'L' or 'U'", b.fn, describe(b.vals["UPLO"]))
}

func oneSidedBy(f func(a ndarray.Array, upper bool) ndarray.Array) func(a ndarray.Array, b params) (value, error) {
	return func(a ndarray.Array, b params) (value, error) {
		upper, err := b.triangle()
		if err != nil {
			return nil, err
		}
		return f(a, upper), nil
	}
}

func eigH(a ndarray.Array, b params) (value, error) {
	upper, err := b.triangle()
	if err != nil {
		return nil, err
	}
	w, v := linalg.EigH(a, upper)
	return named([]string{"eigenvalues", "eigenvectors"}, w, v)
}

func eig(a ndarray.Array, _ params) (value, error) {
	w, v := linalg.Eig(a)
	return named([]string{"eigenvalues", "eigenvectors"}, w, v)
}

func slogDet(a ndarray.Array, _ params) (value, error) {
	sign, log := linalg.SlogDet(a)
	return named([]string{"sign", "logabsdet"}, sign, log)
}

func qr(a ndarray.Array, b params) (value, error) {
	mode := "reduced"
	if b.has("mode") {
		mode, _ = b.vals["mode"].(string)
	}
	switch mode {
	case "r":
		return linalg.QRFactor(a), nil
	case "reduced", "complete":
		q, r := linalg.QR(a, map[string]linalg.Mode{"reduced": linalg.Reduced, "complete": linalg.Complete}[mode])
		return named([]string{"Q", "R"}, q, r)
	}
	return nil, fmt.Errorf("%s: mode: got %s, want 'reduced', 'complete' or 'r'", b.fn, describe(b.vals["mode"]))
}

func svd(a ndarray.Array, b params) (value, error) {
	full, err := b.bool("full_matrices", true)
	if err != nil {
		return nil, err
	}
	vectors, err := b.bool("compute_uv", true)
	if err != nil {
		return nil, err
	}
	if !vectors {
		return linalg.SVDVals(a), nil
	}
	u, s, vh := linalg.SVD(a, full)
	return named([]string{"U", "S", "Vh"}, u, s, vh)
}

// relative reads a bound that singular values are compared with, -1 for the default.
func (b params) relative(names ...string) (float64, error) {
	for _, n := range names {
		if !b.has(n) {
			continue
		}
		x, err := b.float(n, 0)
		if err == nil && !(x >= 0) {
			err = fmt.Errorf("%s: %s: got %v, want 0 or more", b.fn, n, x)
		}
		return x, err
	}
	return -1, nil
}

func pseudoInverse(a ndarray.Array, b params) (value, error) {
	rtol, err := b.relative("rtol", "rcond")
	if err != nil {
		return nil, err
	}
	return linalg.PInv(a, rtol), nil
}

func leastSquares(b params) (value, error) {
	x, y, err := pair(b)
	if err != nil {
		return nil, err
	}
	rcond, err := b.relative("rcond")
	if err != nil {
		return nil, err
	}
	f := linalg.LstSq(x, y, rcond)
	return named([]string{"x", "residuals", "rank", "s"}, f.X, f.Residuals, f.Rank, f.SingularValues)
}

func matrixPower(a ndarray.Array, b params) (value, error) {
	n, err := b.int("n", 1)
	if err != nil {
		return nil, err
	}
	return linalg.MatrixPower(a, n), nil
}

// matrixRank takes rtol, the array API's bound relative to the largest singular value, or NumPy's tol, a number.
func matrixRank(a ndarray.Array, b params) (value, error) {
	if b.has("tol") {
		tol, err := b.float("tol", 0)
		if err != nil {
			return nil, err
		}
		return linalg.SVDVals(a).Greater(tol).Reduce("count_nonzero", ndarray.ReduceOptions{Axes: []int{-1}}), nil
	}
	rtol, err := b.relative("rtol")
	if err != nil {
		return nil, err
	}
	return linalg.MatrixRank(a, rtol), nil
}

func condition(a ndarray.Array, b params) (value, error) {
	ord := "2"
	if b.has("p") {
		var err error
		if ord, err = matrixOrder(params{fn: b.fn, vals: map[string]value{"ord": b.vals["p"]}}); err != nil {
			return nil, err
		}
	}
	return linalg.Cond(a, ord), nil
}

// multiDot is the product of several matrices, of which the first and the last may be vectors.
func multiDot(b params) (value, error) {
	items, err := sequenceOf(b.vals["arrays"], b.fn)
	if err != nil {
		return nil, err
	}
	list, err := plainArrays(items, b.fn)
	if err != nil {
		return nil, err
	}
	if len(list) < 2 {
		return nil, fmt.Errorf("%s: got %d arrays, want two at least", b.fn, len(list))
	}
	out := list[0]
	for _, x := range list[1:] {
		out = ndarray.MatMul(out, x)
	}
	return out, nil
}
