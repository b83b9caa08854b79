// SPDX-License-Identifier: BSD-3-Clause

package linalg

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// MatrixNorm returns a norm of the matrices in axes i and j: "2", "-2" and "nuc", the largest, the smallest and the sum of the singular values, and
// those of ndarray.Array.MatrixNorm. DType: float32 and float64 stay, of complex numbers that of their parts, others give float64.
func MatrixNorm(a ndarray.Array, ord string, keepDims bool, i, j int) ndarray.Array {
	pick, ok := map[string]string{"2": "max", "-2": "min", "nuc": "sum"}[ord]
	if a.Err() != nil || !ok {
		return a.MatrixNorm(ord, keepDims, i, j)
	}
	rank := a.Rank()
	if i < -rank || i >= rank || j < -rank || j >= rank || (i+rank)%rank == (j+rank)%rank {
		return a.MatrixNorm("fro", keepDims, i, j) // which says what is wrong
	}
	i, j = (i+rank)%rank, (j+rank)%rank
	a = a.MoveAxis(i, -1)
	if j > i {
		a = a.MoveAxis(j-1, -2)
	} else {
		a = a.MoveAxis(j, -2)
	}
	out := singular("matrix_norm", a).Reduce(pick, ndarray.ReduceOptions{Axes: []int{-1}})
	if keepDims {
		out = out.ExpandDims(min(i, j), max(i, j))
	}
	return out
}

// MatrixRank returns how many singular values of each matrix are above rtol times the largest (int64); rtol below 0: max(m, n) eps. Of arrays of less than two axes it
// is whether any element is not 0.
func MatrixRank(a ndarray.Array, rtol float64) ndarray.Array {
	if a.Err() == nil && a.Rank() < 2 {
		return a.NotEqual(0).Any().AsType(dtype.Int64)
	}
	x := matricesOf("matrix_rank", a)
	if x.Err() != nil {
		return x.Array
	}
	s := singular("matrix_rank", a).Once()
	least := s.Reduce("max", ndarray.ReduceOptions{Axes: []int{-1}, KeepDims: true}).Mul(x.tolerance(rtol))
	return s.Greater(least).Reduce("count_nonzero", ndarray.ReduceOptions{Axes: []int{-1}}).AsType(dtype.Int64)
}

// Cond returns the condition numbers of a's matrices: the norm of each times that of its inverse, Inf for singular ones. ord "2" and "-2" are ratios of singular values, which
// matrices that are not square have too; the others are those of MatrixNorm.
func Cond(a ndarray.Array, ord string) ndarray.Array {
	if ord == "2" || ord == "-2" {
		s := singular("cond", a).Once()
		if s.Err() != nil {
			return s
		}
		axes := ndarray.ReduceOptions{Axes: []int{-1}}
		if n := s.Shape()[s.Rank()-1]; n == 0 {
			return failed("cond", "operand: got shape %v, want matrices that are not empty", a.Shape())
		}
		up, down := s.Reduce("max", axes), s.Reduce("min", axes)
		if ord == "-2" {
			up, down = down, up
		}
		return quotient(up, down)
	}
	x := squares("cond", a)
	if x.Err() != nil {
		return x.Array
	}
	inv := inverse("cond", x.Array, true).Once()
	out := MatrixNorm(x.Array, ord, false, -2, -1).Mul(MatrixNorm(inv, ord, false, -2, -1))
	// NaN that the operand did not have is that of a matrix without an inverse.
	had := ndarray.Apply("isnan", x.Array).Reduce("any", ndarray.ReduceOptions{Axes: []int{-2, -1}})
	return ndarray.Where(out.IsNaN().And(had.Not()), math.Inf(1), out)
}

// quotient is Inf where 0 is divided by 0, as the condition of a matrix of zeros is.
func quotient(up, down ndarray.Array) ndarray.Array {
	out := up.Div(down)
	return ndarray.Where(out.IsNaN().And(up.IsNaN().Not()), math.Inf(1), out)
}
