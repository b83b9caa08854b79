// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// maker makes the sweep of a reduction over values of a dtype; skip: leave NaN out.
type maker func(r *kernels.Reduction, in dtype.DType, skip bool) sweep

// makers holds the sweeps by algebra, one table for each Go type that is folded.
type makers [kernels.FoldLast + 1]maker

// realMakers is the table of T, whose sums accumulate in A.
func realMakers[T ordered, A total]() *makers {
	add, mul, mean := addOps[T, A](), mulOps[T, A](), addOps[T, float64]()
	least, most := minOps[T](), maxOps[T]()
	arg := func(r *kernels.Reduction, in dtype.DType, skip bool) sweep { return newArg[T](r, in, skip) }
	m := &makers{
		kernels.FoldSum:  func(r *kernels.Reduction, in dtype.DType, skip bool) sweep { return newSum(r, in, skip, add) },
		kernels.FoldProd: func(r *kernels.Reduction, in dtype.DType, skip bool) sweep { return newSum(r, in, skip, mul) },
		kernels.FoldMean: func(r *kernels.Reduction, in dtype.DType, skip bool) sweep { return newSum(r, in, skip, mean) },
		kernels.FoldMoments: func(_ *kernels.Reduction, _ dtype.DType, skip bool) sweep {
			return newMoments[T](skip)
		},
		kernels.FoldMin:    func(r *kernels.Reduction, in dtype.DType, skip bool) sweep { return newExtreme(r, in, skip, least) },
		kernels.FoldMax:    func(r *kernels.Reduction, in dtype.DType, skip bool) sweep { return newExtreme(r, in, skip, most) },
		kernels.FoldArgMin: arg,
		kernels.FoldArgMax: arg,
		kernels.FoldFirst:  arg,
		kernels.FoldLast:   arg,
	}
	countMakers[T](m)
	return m
}

func complexMakers[T cplx]() *makers {
	add, mul := complexOps[T](addComplex), complexOps[T](mulComplex)
	add.short, add.join = addShortComplex[T], joinLanes[complex128]
	m := &makers{
		kernels.FoldSum:  func(r *kernels.Reduction, in dtype.DType, skip bool) sweep { return newSum(r, in, skip, add) },
		kernels.FoldProd: func(r *kernels.Reduction, in dtype.DType, skip bool) sweep { return newSum(r, in, skip, mul) },
		kernels.FoldMean: func(r *kernels.Reduction, in dtype.DType, skip bool) sweep { return newSum(r, in, skip, add) },
	}
	countMakers[T](m)
	return m
}

func countMakers[T number](m *makers) {
	m[kernels.FoldAny] = func(r *kernels.Reduction, _ dtype.DType, _ bool) sweep { return newTruth[T](r) }
	m[kernels.FoldAll] = m[kernels.FoldAny]
	m[kernels.FoldCount] = func(*kernels.Reduction, dtype.DType, bool) sweep { return &countSweep[T]{} }
	m[kernels.FoldNonzero] = func(*kernels.Reduction, dtype.DType, bool) sweep { return &countSweep[T]{nonzero: true} }
}

// sweepMakers is indexed by dtype. Bool is folded as uint8 0 and 1; float16 and bfloat16 as float32.
var sweepMakers = [dtype.Count]*makers{
	dtype.Bool:       realMakers[uint8, int64](),
	dtype.Int8:       realMakers[int8, int64](),
	dtype.Int16:      realMakers[int16, int64](),
	dtype.Int32:      realMakers[int32, int64](),
	dtype.Int64:      realMakers[int64, int64](),
	dtype.Uint8:      realMakers[uint8, uint64](),
	dtype.Uint16:     realMakers[uint16, uint64](),
	dtype.Uint32:     realMakers[uint32, uint64](),
	dtype.Uint64:     realMakers[uint64, uint64](),
	dtype.Float16:    realMakers[float32, float64](),
	dtype.BFloat16:   realMakers[float32, float64](),
	dtype.Float32:    realMakers[float32, float64](),
	dtype.Float64:    realMakers[float64, float64](),
	dtype.Complex64:  complexMakers[complex64](),
	dtype.Complex128: complexMakers[complex128](),
}

// newSweep returns a sweep of a fold over values of dtype in, or an error wrapping ErrUnsupported.
func newSweep(op kernels.ReductionID, in dtype.DType) (sweep, error) {
	r := kernels.ReductionOf(op)
	if r == nil {
		return nil, fmt.Errorf("kernels/cpu: fold: reduction %d is not in the table: %w", op, kernels.ErrUnsupported)
	}
	if !in.IsNumeric() || sweepMakers[in][r.Algebra] == nil {
		return nil, fmt.Errorf("kernels/cpu: fold: %s of %v: %w", r.Name, in, kernels.ErrUnsupported)
	}
	return sweepMakers[in][r.Algebra](r, in, r.SkipNaN && (in.IsFloat() || in.IsComplex())), nil
}
