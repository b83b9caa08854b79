// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/linalg"
)

// products are sums of products and what linear algebra makes without decompositions, those of NumPy's sub-module linalg too.
var products = map[string]function{
	"matmul":                  {"a b", paired(ndarray.MatMul)},
	"linalg.matmul":           {"a b", paired(ndarray.MatMul)},
	"dot":                     {"a b", dot},
	"inner":                   {"a b", inner},
	"vecdot":                  {"a b axis=", vecdot},
	"linalg.vecdot":           {"a b axis=", vecdot},
	"tensordot":               {"a b axes=", tensordot},
	"linalg.tensordot":        {"a b axes=", tensordot},
	"einsum":                  {"subscripts *operands", einsum},
	"outer":                   {"a b", paired(func(a, b ndarray.Array) ndarray.Array { return ndarray.Outer(a.Ravel(), b.Ravel()) })},
	"linalg.outer":            {"a b", paired(ndarray.Outer)},
	"kron":                    {"a b", paired(ndarray.Kron)},
	"cross":                   {"a b axisa= axisb= axisc= axis=", cross},
	"linalg.cross":            {"a b axis=", cross},
	"diagonal":                {"a offset= axis1= axis2=", plainly(diagonalOf(0, 1, ndarray.Array.Diagonal))},
	"linalg.diagonal":         {"a offset=", plainly(diagonalOf(-2, -1, ndarray.Array.Diagonal))},
	"trace":                   {"a offset= axis1= axis2= dtype=", plainly(diagonalOf(0, 1, ndarray.Array.Trace))},
	"linalg.trace":            {"a offset= dtype=", plainly(diagonalOf(-2, -1, ndarray.Array.Trace))},
	"diag":                    {"a k=", plainly(onDiagonal(ndarray.Array.Diag))},
	"diagflat":                {"a k=", plainly(onDiagonal(func(a ndarray.Array, k int64) ndarray.Array { return a.Ravel().Diag(k) }))},
	"tril":                    {"a k=", plainly(onDiagonal(ndarray.Array.TriL))},
	"triu":                    {"a k=", plainly(onDiagonal(ndarray.Array.TriU))},
	"tri":                     {"n_rows n_cols= k= dtype=", tri},
	"linalg.matrix_transpose": shaping["matrix_transpose"],
	"linalg.norm":             {"a ord= axis= keepdims=", plainly(norm)},
	"linalg.vector_norm":      {"a axis= keepdims= ord=", plainly(vectorNorm)},
	"linalg.matrix_norm":      {"a keepdims= ord=", plainly(matrixNorm)},
}

// paired is a function of two arrays without names.
func paired(f func(a, b ndarray.Array) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		x, y, err := pair(b)
		if err != nil {
			return nil, err
		}
		return f(x, y), nil
	}
}

// pair returns the arguments a and b.
func pair(b params) (x, y ndarray.Array, err error) {
	if x, err = asPlain(b.vals["a"], b.fn); err == nil {
		err = x.Err()
	}
	if err != nil {
		return x, y, err
	}
	if y, err = asPlain(b.vals["b"], b.fn); err == nil {
		err = y.Err()
	}
	return x, y, err
}

// matmul is the operator @.
func matmul(x, y value) (value, error) {
	return paired(ndarray.MatMul)(params{fn: "matmul", vals: map[string]value{"a": x, "b": y}})
}

// dot is NumPy's: of two vectors a number, of matrices their product, with a number the product; else the sum along the last axis of the first and
// the last but one of the second.
func dot(b params) (value, error) {
	x, y, err := pair(b)
	switch {
	case err != nil:
		return nil, err
	case x.Rank() == 0 || y.Rank() == 0:
		return elementwise("multiply", b.vals["a"], b.vals["b"])
	case y.Rank() > 2 || x.Rank() > 2:
		return ndarray.TensorDot(x, y, []int{-1}, []int{max(-2, -y.Rank())}), nil
	}
	return ndarray.MatMul(x, y), nil
}

// inner is the sum of products along the last axes.
func inner(b params) (value, error) {
	x, y, err := pair(b)
	switch {
	case err != nil:
		return nil, err
	case x.Rank() == 0 || y.Rank() == 0:
		return elementwise("multiply", b.vals["a"], b.vals["b"])
	}
	return ndarray.TensorDot(x, y, []int{-1}, []int{-1}), nil
}

// axis returns an axis argument or its default.
func (b params) axis(name string, def int) (int, error) {
	n, err := b.int(name, int64(def))
	if err == nil && (n > math.MaxInt32 || n < math.MinInt32) {
		err = fmt.Errorf("%s: %s: axis %d is out of range", b.fn, name, n)
	}
	return int(n), err
}

func vecdot(b params) (value, error) {
	x, y, err := pair(b)
	if err != nil {
		return nil, err
	}
	axis, err := b.axis("axis", -1)
	if err != nil {
		return nil, err
	}
	return ndarray.VecDot(x, y, axis), nil
}

// tensordot takes axes as a number of axes, the last of a with the first of b, or as a pair of lists.
func tensordot(b params) (value, error) {
	x, y, err := pair(b)
	if err != nil {
		return nil, err
	}
	var items []value
	switch v := b.vals["axes"].(type) {
	case tuple:
		items = v
	case list:
		items = v
	default:
		n, err := b.axis("axes", 2)
		if err != nil {
			return nil, err
		}
		if n < 0 || n > x.Rank() || n > y.Rank() {
			return nil, fmt.Errorf("%s: axes: got %d for shapes %v and %v, want a number of axes that both have", b.fn, n, x.Shape(), y.Shape())
		}
		left, right := make([]int, n), make([]int, n)
		for i := range n {
			left[i], right[i] = x.Rank()-n+i, i
		}
		return ndarray.TensorDot(x, y, left, right), nil
	}
	if len(items) != 2 {
		return nil, fmt.Errorf("%s: axes: got %d lists, want those of a and of b", b.fn, len(items))
	}
	left, err := axesOf(items[0], b.fn+": axes")
	if err != nil {
		return nil, err
	}
	right, err := axesOf(items[1], b.fn+": axes")
	if err != nil {
		return nil, err
	}
	return ndarray.TensorDot(x, y, left, right), nil
}

func einsum(b params) (value, error) {
	s, ok := b.vals["subscripts"].(string)
	if !ok {
		return nil, fmt.Errorf("einsum: subscripts: got %s, want a text such as 'ij,jk->ik'", describe(b.vals["subscripts"]))
	}
	arrays, err := plainArrays(b.rest, b.fn)
	if err != nil {
		return nil, err
	}
	return ndarray.Einsum(s, arrays...), nil
}

// cross moves the vectors' axes to the end, and that of the result to its place.
func cross(b params) (value, error) {
	x, y, err := pair(b)
	if err != nil {
		return nil, err
	}
	if b.has("axis") {
		for _, n := range []string{"axisa", "axisb", "axisc"} {
			b.vals[n] = b.vals["axis"]
		}
	}
	var at [3]int
	for i, n := range []string{"axisa", "axisb", "axisc"} {
		if at[i], err = b.axis(n, -1); err != nil {
			return nil, err
		}
	}
	if x, y = x.MoveAxis(at[0], -1), y.MoveAxis(at[1], -1); x.Err() != nil {
		return x, nil
	}
	out := ndarray.Cross(x, y, -1)
	return out.MoveAxis(-1, at[2]), nil
}

// diagonalOf is a function of a diagonal of two axes, i and j where the call names none.
func diagonalOf(i, j int, f func(a ndarray.Array, offset int64, i, j int) ndarray.Array) func(a ndarray.Array, b params) (value, error) {
	return func(a ndarray.Array, b params) (value, error) {
		offset, err := b.int("offset", 0)
		if err != nil {
			return nil, err
		}
		x, err := b.axis("axis1", i)
		if err != nil {
			return nil, err
		}
		y, err := b.axis("axis2", j)
		if err != nil {
			return nil, err
		}
		d, err := b.dtype("dtype", dtype.Invalid)
		if err != nil {
			return nil, err
		}
		if d != dtype.Invalid {
			return f(a.AsType(d), offset, x, y).AsType(d), nil
		}
		return f(a, offset, x, y), nil
	}
}

// onDiagonal is a function of an array and the number of a diagonal.
func onDiagonal(f func(a ndarray.Array, k int64) ndarray.Array) func(a ndarray.Array, b params) (value, error) {
	return func(a ndarray.Array, b params) (value, error) {
		k, err := b.int("k", 0)
		if err != nil {
			return nil, err
		}
		return f(a, k), nil
	}
}

func tri(b params) (value, error) {
	n, m, k, d, err := matrixOf(b)
	if err != nil {
		return nil, err
	}
	return ndarray.Tri(n, m, k, d), nil
}

// normAxes returns the arguments axis and keepdims.
func normAxes(b params) (axes []int, keep bool, err error) {
	if axes, err = axesOf(b.vals["axis"], b.fn+": axis"); err != nil {
		return nil, false, err
	}
	keep, err = b.bool("keepdims", false)
	return axes, keep, err
}

// norm is NumPy's: of vectors along one axis, of matrices in two; without an axis, of all elements for no order, else of a vector or a matrix.
func norm(a ndarray.Array, b params) (value, error) {
	axes, keep, err := normAxes(b)
	if err != nil {
		return nil, err
	}
	if axes == nil {
		if !b.has("ord") {
			return a.VectorNorm(2, keep), nil
		}
		for k := range a.Rank() {
			axes = append(axes, k)
		}
	}
	switch len(axes) {
	case 1:
		ord, err := b.float("ord", 2)
		if err != nil {
			return nil, err
		}
		return a.VectorNorm(ord, keep, axes...), nil
	case 2:
		ord, err := matrixOrder(b)
		if err != nil {
			return nil, err
		}
		return linalg.MatrixNorm(a, ord, keep, axes[0], axes[1]), nil
	}
	return nil, fmt.Errorf("%s: got %d axes, want one for vectors or two for matrices", b.fn, len(axes))
}

func vectorNorm(a ndarray.Array, b params) (value, error) {
	axes, keep, err := normAxes(b)
	if err != nil {
		return nil, err
	}
	ord, err := b.float("ord", 2)
	if err != nil {
		return nil, err
	}
	return a.VectorNorm(ord, keep, axes...), nil
}

func matrixNorm(a ndarray.Array, b params) (value, error) {
	keep, err := b.bool("keepdims", false)
	if err != nil {
		return nil, err
	}
	ord, err := matrixOrder(b)
	if err != nil {
		return nil, err
	}
	return linalg.MatrixNorm(a, ord, keep, -2, -1), nil
}

// matrixOrder returns the argument ord of matrices as the array layer spells it.
func matrixOrder(b params) (string, error) {
	if !b.has("ord") {
		return "fro", nil
	}
	if s, ok := b.vals["ord"].(string); ok {
		if slices.Contains([]string{"fro", "nuc"}, s) {
			return s, nil
		}
		return "", fmt.Errorf("%s: ord: got %q, want 'fro', 'nuc', 1, -1, 2, -2, inf or -inf", b.fn, s)
	}
	f, err := b.float("ord", 0)
	if err != nil {
		return "", err
	}
	if math.IsInf(f, 0) {
		return map[bool]string{true: "inf", false: "-inf"}[f > 0], nil
	}
	if s := fmt.Sprint(f); slices.Contains([]string{"1", "-1", "2", "-2"}, s) {
		return s, nil
	}
	return "", fmt.Errorf("%s: ord: got %v, want 'fro', 'nuc', 1, -1, 2, -2, inf or -inf", b.fn, f)
}
