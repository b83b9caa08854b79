// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// magnitudes returns the absolute values of a as floats.
func (a Array) magnitudes() Array {
	a = a.Abs()
	if !a.DType().IsFloat() {
		return a.AsType(dtype.Float64)
	}
	return a
}

// VectorNorm returns the norm of order ord of the vectors along axes, all when none is given: the root of the sum of squares for 2, the sum of magnitudes for
// 1, the largest and the smallest for +Inf and -Inf, the number of elements that are not 0 for 0, and (sum |x|^ord)^(1/ord) for others.
// DType: float32 and float16 stay, complex numbers give their parts' dtype, others float64.
func (a Array) VectorNorm(ord float64, keepDims bool, axes ...int) Array {
	if a.Err() != nil {
		return a
	}
	o := over(axes)
	o.KeepDims = keepDims
	x := a.magnitudes()
	switch {
	case math.IsInf(ord, 1):
		return x.Reduce("max", o)
	case math.IsInf(ord, -1):
		return x.Reduce("min", o)
	case ord == 0:
		return x.NotEqual(0).Reduce("sum", o).AsType(x.DType())
	case ord == 1:
		return x.Reduce("sum", o)
	case ord == 2:
		return x.Square().Reduce("sum", o).Sqrt()
	}
	return x.Pow(ord).Reduce("sum", o).Pow(1 / ord)
}

// MatrixNorm returns a norm of the matrices in axes i and j: "fro", the root of the sum of squares; "1" and "-1", the largest and
// smallest sum of magnitudes of a column; "inf" and "-inf", of a row. Those made of singular values are linalg.MatrixNorm's.
// DType: that of VectorNorm.
func (a Array) MatrixNorm(ord string, keepDims bool, i, j int) Array {
	if a.Err() != nil {
		return a
	}
	row, err := axisOf(i, a.Rank())
	col := 0
	if err == nil {
		col, err = axisOf(j, a.Rank())
	}
	switch {
	case err != nil:
		return failf("ndarray: matrix norm: shape %v: %w", a.Shape(), err)
	case row == col:
		return failf("ndarray: matrix norm: axes %d and %d of shape %v are one: want two: %w", i, j, a.Shape(), chunk.ErrShape)
	}
	if ord == "fro" {
		return a.VectorNorm(2, keepDims, row, col)
	}
	rules := map[string]struct {
		sum, keep int
		pick      string
	}{"1": {row, col, "max"}, "-1": {row, col, "min"}, "inf": {col, row, "max"}, "-inf": {col, row, "min"}}
	r, ok := rules[ord]
	if !ok {
		return failf("ndarray: matrix norm: order: got %q, want fro, 1, -1, inf or -inf", ord)
	}
	sums := a.magnitudes().Reduce("sum", ReduceOptions{Axes: []int{r.sum}, KeepDims: true}).Reduce(r.pick, ReduceOptions{Axes: []int{r.keep}, KeepDims: true})
	if keepDims {
		return sums
	}
	return sums.Squeeze(row, col)
}

// Cov returns the covariances of the rows of a, which are variables (of its columns unless rows): a matrix, or a number for a vector. The
// products of differences from the means are summed and divided by their count less ddof. DType: float64, complex128 for complex numbers.
// More than two axes are an error.
func (a Array) Cov(rows bool, ddof float64) Array {
	if a.Err() != nil {
		return a
	}
	if a.Rank() > 2 {
		return failf("ndarray: cov: got shape %v, want at most two axes: %w", a.Shape(), chunk.ErrShape)
	}
	vector := a.Rank() < 2
	a = a.atLeast(2)
	if !rows && !vector {
		a = a.Transpose()
	}
	dt, err := dtype.Promote(a.DType(), dtype.Float64)
	if err != nil {
		return failf("ndarray: cov: %w", err)
	}
	a = a.AsType(dt)
	x := a.Sub(a.Reduce("mean", ReduceOptions{Axes: []int{1}, KeepDims: true}))
	y := x.Transpose()
	if dt.IsComplex() {
		y = Apply("conjugate", y)
	}
	out := MatMul(x, y).Div(max(float64(a.Shape()[1])-ddof, 0))
	if out.Err() == nil && out.Shape().Size() == 1 {
		return out.Squeeze()
	}
	return out
}

// CorrCoef returns the coefficients of correlation of the rows of a (of its columns unless rows), as Cov's: real parts and imaginary parts lie
// from -1 to 1.
func (a Array) CorrCoef(rows bool) Array {
	c := a.Cov(rows, 1)
	if c.Err() != nil {
		return c
	}
	if c.Rank() == 0 {
		return c.Div(c)
	}
	d := c.Diagonal(0, 0, 1)
	if d.DType().IsComplex() {
		d = Apply("real", d)
	}
	d = d.Sqrt()
	c = c.Div(d.ExpandDims(1)).Div(d)
	if c.DType().IsComplex() {
		return c
	}
	return c.Clip(-1.0, 1.0)
}

// PolyVal returns the polynomial whose coefficients are p, that of the highest power first, at a. Coefficients are strong: a and p are promoted.
func (a Array) PolyVal(p Array) Array {
	if a.Err() != nil {
		return a
	}
	parts := p.Unstack(0)
	if p.Err() == nil && p.Rank() != 1 {
		return failf("ndarray: polyval: coefficients: got shape %v, want one axis: %w", p.Shape(), chunk.ErrShape)
	}
	out := Zeros(a.Shape(), a.DType()).onGrid(a.Grid())
	for _, c := range parts {
		out = out.Mul(a).Add(c)
	}
	return out
}
