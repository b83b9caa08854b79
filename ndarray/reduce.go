// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// ReduceOptions says what a reduction folds. The zero value folds everything to one element.
type ReduceOptions struct {
	Axes     []int   // axes to fold, negative ones count from the end; nil folds all, an empty list none
	KeepDims bool    // folded axes stay with length 1
	DDof     float64 // var and std divide by the count less DDof
}

// Reduce returns the reduction of the table with the name op ("sum", "nanmean",
// "argmax" ...) along axes. dtypes are NumPy's: sums of integers are int64 or uint64, means of
// them float64, float32 stays. NaN propagates, except in the reductions named nan...; positions count in
// C order over the folded axes. The grid a has now fixes the order in which floats are added.
//
// An unknown op, an axis outside the rank or twice, and a minimum of nothing are errors.
func (a Array) Reduce(op string, opt ReduceOptions) Array {
	r, ok := kernels.ReductionByName(op)
	if !ok {
		return failf("ndarray: %s: no such reduction", op)
	}
	if a.Err() != nil {
		return a
	}
	axes, err := reduceAxes(opt.Axes, a.Rank())
	if err != nil {
		return failf("ndarray: %s: %w", r.Name, err)
	}
	if root, ok := spreads[r.Name]; ok && a.DType().IsComplex() {
		return a.complexSpread(r.Name, root, opt)
	}
	arg := graph.ReduceArg{Op: r.ID, Axes: axes, KeepDims: opt.KeepDims, Params: kernels.Params{DDof: opt.DDof}}
	return Array{here().Reduce(arg, a.Node())}
}

// spreads are the names of variances, and whether each is the root of one.
var spreads = map[string]bool{"var": false, "nanvar": false, "std": true, "nanstd": true}

// complexSpread returns a variance of complex numbers, or its root: the mean squared distance from the mean, which is that of the real parts and that
// of the imaginary ones. A number with a NaN in either part is one.
func (a Array) complexSpread(op string, root bool, opt ReduceOptions) Array {
	re, im := Apply("real", a), Apply("imag", a)
	if bad := Apply("isnan", a); op[0] == 'n' {
		re, im = Where(bad, math.NaN(), re), Where(bad, math.NaN(), im)
	}
	of := map[bool]string{true: "nanvar", false: "var"}[op[0] == 'n']
	v := Apply("add", re.Reduce(of, opt), im.Reduce(of, opt))
	if root {
		v = Apply("sqrt", v)
	}
	return v
}

// reduceAxes returns axes counted from the front, ascending.
func reduceAxes(list []int, rank int) ([]int, error) {
	if list == nil {
		all := make([]int, rank)
		for i := range all {
			all[i] = i
		}
		return all, nil
	}
	axes := make([]int, len(list))
	for i, x := range list {
		k, err := axisOf(x, rank)
		if err != nil {
			return nil, err
		}
		axes[i] = k
	}
	slices.Sort(axes)
	for i := 1; i < len(axes); i++ {
		if axes[i] == axes[i-1] {
			return nil, fmt.Errorf("axis %d is given twice: got %v, want each axis once: %w", axes[i], list, chunk.ErrShape)
		}
	}
	return axes, nil
}

// axisOf returns an axis counted from the front.
func axisOf(axis, rank int) (int, error) {
	k := axis
	if k < 0 {
		k += rank
	}
	if k < 0 || k >= rank {
		return 0, fmt.Errorf("axis %d is outside rank %d: want %d to %d: %w", axis, rank, -rank, rank-1, chunk.ErrShape)
	}
	return k, nil
}

// over returns the options of the methods below: no axes fold all.
func over(axes []int) ReduceOptions {
	if len(axes) == 0 {
		axes = nil
	}
	return ReduceOptions{Axes: axes}
}

// Sum returns the sum along axes, of everything when none is given; 0 for no elements.
func (a Array) Sum(axes ...int) Array { return a.Reduce("sum", over(axes)) }

// Prod returns the product along axes; 1 for no elements.
func (a Array) Prod(axes ...int) Array { return a.Reduce("prod", over(axes)) }

// Mean returns the mean along axes; NaN for no elements.
func (a Array) Mean(axes ...int) Array { return a.Reduce("mean", over(axes)) }

// Var returns the variance (divided by the count) along axes.
func (a Array) Var(axes ...int) Array { return a.Reduce("var", over(axes)) }

// Std returns the standard deviation (divided by the count) along axes.
func (a Array) Std(axes ...int) Array { return a.Reduce("std", over(axes)) }

// Min returns the smallest element along axes; an error for no elements.
func (a Array) Min(axes ...int) Array { return a.Reduce("min", over(axes)) }

// Max returns the largest element along axes; an error for no elements.
func (a Array) Max(axes ...int) Array { return a.Reduce("max", over(axes)) }

// Any returns whether an element along axes is not zero.
func (a Array) Any(axes ...int) Array { return a.Reduce("any", over(axes)) }

// All returns whether every element along axes is not zero.
func (a Array) All(axes ...int) Array { return a.Reduce("all", over(axes)) }

// ArgMin returns the position of the smallest element along axes, the first of several.
func (a Array) ArgMin(axes ...int) Array { return a.Reduce("argmin", over(axes)) }

// ArgMax returns the position of the largest element along axes, the first of several.
func (a Array) ArgMax(axes ...int) Array { return a.Reduce("argmax", over(axes)) }

// NanSum returns the sum along axes of what is not NaN.
func (a Array) NanSum(axes ...int) Array { return a.Reduce("nansum", over(axes)) }

// NanMean returns the mean along axes of what is not NaN; NaN where nothing is.
func (a Array) NanMean(axes ...int) Array { return a.Reduce("nanmean", over(axes)) }

// GroupReduce folds along one axis by group: ids holds the group of each position,
// 0 to groups-1, or -1 for none. An axis of length groups takes the axis's place. Groups without
// elements hold what the reduction gives for none.
func (a Array) GroupReduce(op string, axis int, ids []int32, groups int64, opt ReduceOptions) Array {
	r, ok := kernels.ReductionByName(op)
	if !ok {
		return failf("ndarray: %s: no such reduction", op)
	}
	if a.Err() != nil {
		return a
	}
	k, err := axisOf(axis, a.Rank())
	if err != nil {
		return failf("ndarray: %s: %w", r.Name, err)
	}
	if ids == nil {
		ids = []int32{}
	}
	arg := graph.ReduceArg{Op: r.ID, Axes: []int{k}, Groups: groups, IDs: slices.Clone(ids), Params: kernels.Params{DDof: opt.DDof}}
	return Array{here().Reduce(arg, a.Node())}
}

// GroupReduceBy folds along opt.Axes by the group of each element: labels, of int32 and
// broadcasting to a, holds groups 0 to groups-1; elements of others are left out. The result has a first axis of
// length groups, then the axes that are kept.
func (a Array) GroupReduceBy(op string, labels Array, groups int64, opt ReduceOptions) Array {
	r, ok := kernels.ReductionByName(op)
	if !ok {
		return failf("ndarray: %s: no such reduction", op)
	}
	if a.Err() != nil {
		return a
	}
	axes, err := reduceAxes(opt.Axes, a.Rank())
	if err != nil {
		return failf("ndarray: %s: %w", r.Name, err)
	}
	if groups <= 0 {
		return failf("ndarray: %s: groups: got %d, want 1 or more", r.Name, groups)
	}
	if labels.DType() != dtype.Int32 && labels.DType().IsInteger() {
		labels = labels.AsType(dtype.Int32)
	}
	arg := graph.ReduceArg{Op: r.ID, Axes: axes, Groups: groups, Params: kernels.Params{DDof: opt.DDof}}
	return Array{here().Reduce(arg, a.Node(), labels.Node())}
}
