// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"

	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
)

// scanSig are the parameters of every scan. dim is xarray's name of axis.
const scanSig = "a axis= dim= dtype= skipna= include_initial= out="

// scanByName returns the row of a scan that is called as reductions are, with an axis; fills are methods.
func scanByName(name string) (o *kernels.ScanOp, skip, ok bool) {
	if o, skip, ok = kernels.ScanByName(name); ok && o.Twin == "" {
		return nil, false, false
	}
	return o, skip, ok
}

// callScan calls a scan of the kernels table on an array, a variable or a data set.
func callScan(o *kernels.ScanOp, skip bool, a args) (value, error) {
	b, err := a.bind(scanSig)
	if err != nil {
		return nil, err
	}
	f, err := foldingOf(b)
	if err != nil {
		return nil, err
	}
	v, err := f.operand(b)
	if err != nil {
		return nil, err
	}
	initial, err := b.bool("include_initial", false)
	if err != nil {
		return nil, err
	}
	name := o.Name
	if skip {
		name = o.Twin
	}
	switch x := v.(type) {
	case ndarray.Variable:
		if initial {
			return nil, fmt.Errorf("%s: include_initial makes the dimension longer than its coordinate; take the values without names", a.fn)
		}
		return x.Scan(name, f.reduction(), f.dims...), nil
	case *ndarray.Dataset:
		return overVariables(x, a.fn, f.dims, func(v ndarray.Variable, dims []string) ndarray.Variable { return v.Scan(name, f.reduction(), dims...) })
	}
	if f.dims != nil {
		return nil, fmt.Errorf("%s: the array has no dimension names; give axis a number", a.fn)
	}
	x, err := asArray(v, a.fn)
	if err != nil || x.Err() != nil {
		return x, err
	}
	if f.skip != nil && *f.skip && o.Twin != "" {
		name = o.Twin
	}
	axis := 0
	switch {
	case len(f.axes) == 1:
		axis = f.axes[0]
	case f.axes != nil:
		return nil, fmt.Errorf("%s: axis: got %v, want one axis", a.fn, f.axes)
	case x.Rank() == 1:
	case a.fn == o.Name:
		return nil, fmt.Errorf("%s: got an array of rank %d and no axis: name one", a.fn, x.Rank())
	default:
		x = x.Ravel() // as NumPy does for its own names
	}
	out := x.Scan(name, axis)
	if initial && out.Err() == nil {
		first := out.Shape().Clone()
		k := axis
		if k < 0 {
			k += len(first)
		}
		first[k] = 1
		out = ndarray.Concat(k, ndarray.Full(first, o.Missing, out.DType()), out)
	}
	return f.result(a.fn, out), nil
}

// fillAlong is ffill and bfill: missing values take the last value before them, or the first behind them, along a dimension.
func fillAlong(backwards bool) func(recv value, a args, b params) (value, error) {
	return func(recv value, a args, b params) (value, error) {
		limit, err := b.int("limit", 0)
		if err != nil {
			return nil, err
		}
		if b.has("limit") && limit < 1 {
			return nil, fmt.Errorf("%s: limit: got %d, want 1 or more, or None", a.fn, limit)
		}
		dim, ok := b.vals["dim"].(string)
		if ok {
			return onVariables(recv, a.fn, []string{dim}, func(v ndarray.Variable) (ndarray.Variable, error) { return v.Fill(dim, backwards, limit), nil })
		}
		axes, err := axesOf(b.vals["dim"], a.fn+": dim")
		if err != nil || len(axes) != 1 {
			return nil, fmt.Errorf("%s: dim: got %s, want the name of one dimension, or a number for arrays without names", a.fn, describe(b.vals["dim"]))
		}
		if v, ok := recv.(ndarray.Variable); ok {
			return v.WithArray(v.Array().Fill(axes[0], backwards, limit)), nil
		}
		x, err := asArray(recv, a.fn)
		if err != nil {
			return nil, err
		}
		return x.Fill(axes[0], backwards, limit), nil
	}
}
