// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
)

// reduceSig are the parameters of every reduction. dim is xarray's name of axis.
const reduceSig = "a axis= dim= keepdims= dtype= ddof= correction= skipna= out="

// folding is what a reduction's arguments say.
type folding struct {
	dims []string
	axes []int // nil: all, unless dims names some
	all  bool  // "...": every dimension, of groups too
	keep bool
	ddof float64
	skip *bool
	conv value // dtype= or nil
}

// foldingOf reads axis, dim and the rest.
func foldingOf(b params) (f folding, err error) {
	ax, hasAxis := b.vals["axis"]
	if d, ok := b.vals["dim"]; ok {
		if hasAxis && b.has("axis") {
			return f, fmt.Errorf("%s: got axis and dim, want one of them", b.fn)
		}
		ax = d
	}
	switch x := ax.(type) {
	case nil, none:
	case ellipsis:
		f.all = true
	default:
		if names, ok := textsOf(x); ok {
			f.dims = names
		} else if f.axes, err = axesOf(x, b.fn+": axis"); err != nil {
			return f, err
		} else if f.axes == nil {
			f.axes = []int{}
		}
	}
	if f.keep, err = b.bool("keepdims", false); err != nil {
		return f, err
	}
	if b.has("ddof") && b.has("correction") {
		return f, fmt.Errorf("%s: got ddof and correction, which mean the same; want one of them", b.fn)
	}
	if f.ddof, err = b.float("ddof", 0); err != nil {
		return f, err
	}
	if b.has("correction") {
		if f.ddof, err = b.float("correction", 0); err != nil {
			return f, err
		}
	}
	if b.has("skipna") {
		s, err := b.bool("skipna", true)
		if err != nil {
			return f, err
		}
		f.skip = &s
	}
	if b.has("out") {
		return f, fmt.Errorf("%s: out is not supported: arrays do not change", b.fn)
	}
	if b.has("dtype") {
		f.conv = b.vals["dtype"]
	}
	return f, nil
}

// operand returns the first argument of a call, in dtype= where that is given.
func (f folding) operand(b params) (value, error) {
	v := b.vals["a"]
	if f.conv == nil {
		return v, nil
	}
	d, err := dtypeOf(f.conv, b.fn+": dtype")
	if err != nil {
		return nil, err
	}
	return astype(v, d)
}

// result returns what a call of fn makes of it, in dtype= where that is given.
func (f folding) result(fn string, x ndarray.Array) ndarray.Array {
	if f.conv == nil || x.Err() != nil {
		return x
	}
	d, _ := dtypeOf(f.conv, fn) // operand has read it
	return x.AsType(d)
}

// reduction returns the folding of a labelled array.
func (f folding) reduction() ndarray.Reduction {
	return ndarray.Reduction{KeepNaN: f.skip != nil && !*f.skip, KeepDims: f.keep, DDof: f.ddof, Axes: f.axes}
}

// spreads are the reductions for which ddof has a meaning.
var spreads = map[string]bool{"var": true, "std": true, "nanvar": true, "nanstd": true}

// callReduction calls a reduction of the kernels table on an array, a variable, a data set or groups.
func callReduction(r *kernels.Reduction, a args) (value, error) {
	b, err := a.bind(reduceSig)
	if err != nil {
		return nil, err
	}
	f, err := foldingOf(b)
	if err != nil {
		return nil, err
	}
	if (b.has("ddof") || b.has("correction")) && !spreads[r.Name] {
		return nil, fmt.Errorf("%s: takes no ddof", a.fn)
	}
	v, err := f.operand(b)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case ndarray.Variable:
		return x.Reduce(r.Name, f.reduction(), f.dims...), nil
	case ndarray.GroupBy:
		if f.all {
			f.dims = x.Variable().Dims()
		}
		return x.Reduce(r.Name, f.reduction(), f.dims...), nil
	case *ndarray.Dataset:
		out := x.Reduce(r.Name, f.reduction(), f.dims...)
		return out, datasetErr(out)
	case ndarray.Weighted:
		return reduceWeighted(x, r.Name, f)
	case ndarray.Rolling, ndarray.Coarsen:
		return reduceWindows(x, r.Name, f)
	}
	if f.dims != nil {
		return nil, fmt.Errorf("%s: the array has no dimension names; give axis a number", a.fn)
	}
	x, err := asArray(v, a.fn)
	if err != nil {
		return nil, err
	}
	if f.skip != nil && *f.skip != r.SkipNaN && x.DType().IsFloat() {
		r = r.TwinOf()
	}
	res := x.Reduce(r.Name, ndarray.ReduceOptions{Axes: f.axes, KeepDims: f.keep, DDof: f.ddof})
	return f.result(a.fn, res), nil
}

// overVariables maps a reduction over the variables that have one of dims, all when none is named.
func overVariables(ds *ndarray.Dataset, fn string, dims []string, run func(v ndarray.Variable, dims []string) ndarray.Variable) (value, error) {
	if err := someHas(ds, fn, dims); err != nil {
		return nil, err
	}
	out := ds.Map(func(v ndarray.Variable) (ndarray.Variable, bool) {
		has := ownDims(v, dims)
		if len(dims) > 0 && len(has) == 0 {
			return v, true
		}
		return run(v, has), true
	})
	return out, datasetErr(out)
}

// someHas returns an error for a dimension that no variable of a data set has.
func someHas(ds *ndarray.Dataset, fn string, dims []string) error {
	for _, d := range dims {
		if !slices.ContainsFunc(ds.Vars(), func(n string) bool { return slices.Contains(ds.Var(n).Dims(), d) }) {
			return fmt.Errorf("%s: no variable of the data set has dimension %q", fn, d)
		}
	}
	return nil
}

// ownDims returns those of dims that the variable has.
func ownDims(v ndarray.Variable, dims []string) []string {
	var own []string
	for _, d := range dims {
		if slices.Contains(v.Dims(), d) {
			own = append(own, d)
		}
	}
	return own
}

// datasetErr returns the first error of a data set's variables.
func datasetErr(ds *ndarray.Dataset) error {
	for _, n := range ds.Vars() {
		if err := ds.Var(n).Err(); err != nil {
			return err
		}
	}
	return nil
}

func reduceWeighted(w ndarray.Weighted, op string, f folding) (value, error) {
	if f.axes != nil {
		return nil, fmt.Errorf("%s of a weighted variable takes dimension names, not axis numbers", op)
	}
	switch op {
	case "mean":
		return w.Mean(f.dims...), nil
	case "sum":
		return w.Sum(f.dims...), nil
	case "var":
		return w.Var(f.dims...), nil
	case "std":
		return w.Std(f.dims...), nil
	}
	return nil, fmt.Errorf("a weighted variable has mean, sum, var, std and sum_of_weights, not %s", op)
}

// reduceWindows folds each window: always along the windows' own dimensions.
func reduceWindows(w value, op string, f folding) (value, error) {
	if f.axes != nil || f.dims != nil || f.keep {
		return nil, fmt.Errorf("%s of windows folds each window: it takes no dimensions and no keepdims", op)
	}
	switch x := w.(type) {
	case ndarray.Rolling:
		return x.Reduce(op, f.reduction()), nil
	case ndarray.Coarsen:
		if op == "median" {
			return x.MedianOf(f.reduction()), nil
		}
		return x.Reduce(op, f.reduction()), nil
	}
	return nil, fmt.Errorf("%s: %s are not windows", op, describe(w))
}

// quantileOf is quantile, percentile and median with their nan forms.
func quantileOf(b params, q value, percent, skip bool) (value, error) {
	f, err := foldingOf(b)
	if err != nil {
		return nil, err
	}
	if b.has("method") && b.vals["method"] != "linear" || b.has("interpolation") && b.vals["interpolation"] != "linear" {
		return nil, fmt.Errorf("%s: got method %s, want 'linear'", b.fn, describe(b.vals["method"]))
	}
	qs, isList, err := floatsOf(q, b.fn+": q")
	if err != nil {
		return nil, err
	}
	if percent {
		for i := range qs {
			qs[i] /= 100
		}
	}
	switch x := b.vals["a"].(type) {
	case ndarray.Variable:
		return x.Quantile(qs, isList, f.reduction(), f.dims...), nil
	case ndarray.GroupBy:
		return x.Quantile(qs, isList, f.reduction(), f.dims...), nil
	case *ndarray.Dataset:
		return overVariables(x, b.fn, f.dims, func(v ndarray.Variable, dims []string) ndarray.Variable {
			return v.Quantile(qs, isList, f.reduction(), dims...)
		})
	}
	if f.dims != nil {
		return nil, fmt.Errorf("%s: the array has no dimension names; give axis a number", b.fn)
	}
	x, err := asArray(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	if f.skip != nil {
		skip = *f.skip
	}
	return x.Quantile(qs, isList, ndarray.QuantileOptions{Axes: f.axes, KeepDims: f.keep, SkipNaN: skip}), nil
}

// medianOf is the quantile 0.5 without a quantile coordinate.
func medianOf(b params, skip bool) (value, error) {
	f, err := foldingOf(b)
	if err != nil {
		return nil, err
	}
	switch x := b.vals["a"].(type) {
	case ndarray.Variable:
		return x.MedianOf(f.reduction(), f.dims...), nil
	case ndarray.GroupBy:
		return x.MedianOf(f.reduction(), f.dims...), nil
	case ndarray.Rolling, ndarray.Coarsen:
		return reduceWindows(x, "median", f)
	case *ndarray.Dataset:
		return overVariables(x, b.fn, f.dims, func(v ndarray.Variable, dims []string) ndarray.Variable { return v.MedianOf(f.reduction(), dims...) })
	}
	if f.dims != nil {
		return nil, fmt.Errorf("%s: the array has no dimension names; give axis a number", b.fn)
	}
	x, err := asArray(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	if f.skip != nil {
		skip = *f.skip
	}
	return x.Median(ndarray.QuantileOptions{Axes: f.axes, KeepDims: f.keep, SkipNaN: skip}), nil
}
