// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
)

var nan = math.NaN()

// Reduction says how Reduce folds. The zero value folds over the dimensions given, leaves NaN out and
// drops the dimensions.
type Reduction struct {
	KeepNaN  bool // NumPy's rule: NaN gives NaN
	KeepDims bool
	DDof     float64
	Axes     []int // axes by number, beside the names
}

// Reduce returns the reduction of the kernels table over dimensions: all when none is named.
// NaN is left out unless o.KeepNaN: the sum of none is 0, mean, min and max of none are NaN, argmin and argmax
// of none are an error. Coordinates of the dimensions that go are dropped.
//
// Naming a dimension appends "dim: method" to cell_methods.
func (v Variable) Reduce(op string, o Reduction, dims ...string) Variable {
	if v.Err() != nil {
		return v
	}
	r, ok := kernels.ReductionByName(op)
	if !ok {
		return v.fail("ndarray: %q is not a reduction", op)
	}
	if !o.KeepNaN && !r.SkipNaN && v.DType().IsFloat() {
		r = r.TwinOf()
	} else if o.KeepNaN && r.SkipNaN && op == r.Name {
		r = r.TwinOf()
	}
	gone, axes, bad := v.reduced(op, o, dims)
	if bad != nil {
		return *bad
	}
	out := v
	out.array = v.array.Reduce(r.Name, ReduceOptions{Axes: axes, KeepDims: o.KeepDims, DDof: o.DDof})
	out.host = nil
	out.coords = dropCoords(v.coords, gone)
	if !o.KeepDims {
		out.dims = without(v.dims, gone...)
	}
	out.attrs = reducedAttrs(v.attrs, r, dims)
	return out
}

// reduced returns the dimensions a reduction folds and their axes, ascending.
func (v Variable) reduced(op string, o Reduction, dims []string) (gone []string, axes []int, bad *Variable) {
	set := map[int]bool{}
	for _, d := range dims {
		i := v.axis(d)
		if i < 0 {
			b := v.noDim(op, d)
			return nil, nil, &b
		}
		set[i] = true
	}
	for _, a := range o.Axes {
		k := a
		if k < 0 {
			k += len(v.dims)
		}
		if k < 0 || k >= len(v.dims) {
			b := v.fail("ndarray: %s: axis %d is outside rank %d", op, a, len(v.dims))
			return nil, nil, &b
		}
		set[k] = true
	}
	all := len(dims) == 0 && o.Axes == nil
	axes = []int{}
	for i, d := range v.dims {
		if all || set[i] {
			axes = append(axes, i)
			gone = append(gone, d)
		}
	}
	return gone, axes, nil
}

// dropCoords returns the coordinates that have none of the dimensions.
func dropCoords(list []*Coord, gone []string) []*Coord {
	return slices.DeleteFunc(slices.Clone(list), func(c *Coord) bool {
		return slices.ContainsFunc(c.dims, func(d string) bool { return slices.Contains(gone, d) })
	})
}

// reducedAttrs returns the attributes of a reduction's result.
func reducedAttrs(attrs formats.Attrs, r *kernels.Reduction, dims []string) formats.Attrs {
	out := attrs
	if !r.KeepsUnits {
		out = out.Without("units", "standard_name")
	}
	if r.CellMethod != "" && len(dims) > 0 {
		out = appendCellMethod(out, dims, r.CellMethod)
	}
	return out
}

// appendCellMethod adds "dim1: dim2: method" to cell_methods.
func appendCellMethod(attrs formats.Attrs, dims []string, method string) formats.Attrs {
	var b strings.Builder
	if old, ok := attrs.Get("cell_methods"); ok {
		if s, isText := old.(string); isText && strings.TrimSpace(s) != "" {
			b.WriteString(strings.TrimSpace(s) + " ")
		}
	}
	for _, d := range dims {
		fmt.Fprintf(&b, "%s: ", d)
	}
	b.WriteString(method)
	return attrs.With("cell_methods", b.String())
}

// Sum returns the sum over dims; 0 where all are missing.
func (v Variable) Sum(dims ...string) Variable { return v.Reduce("sum", Reduction{}, dims...) }

// Mean returns the mean over dims; NaN where all are missing.
func (v Variable) Mean(dims ...string) Variable { return v.Reduce("mean", Reduction{}, dims...) }

// Min returns the smallest value over dims.
func (v Variable) Min(dims ...string) Variable { return v.Reduce("min", Reduction{}, dims...) }

// Max returns the largest value over dims.
func (v Variable) Max(dims ...string) Variable { return v.Reduce("max", Reduction{}, dims...) }

// Std returns the standard deviation over dims, divided by the count of values.
func (v Variable) Std(dims ...string) Variable { return v.Reduce("std", Reduction{}, dims...) }

// Var returns the variance over dims, divided by the count of values.
func (v Variable) Var(dims ...string) Variable { return v.Reduce("var", Reduction{}, dims...) }

// Count returns the number of values over dims that are not missing.
func (v Variable) Count(dims ...string) Variable { return v.Reduce("count", Reduction{}, dims...) }

// Any returns whether a value over dims is true.
func (v Variable) Any(dims ...string) Variable { return v.Reduce("any", Reduction{}, dims...) }

// All returns whether every value over dims is true.
func (v Variable) All(dims ...string) Variable { return v.Reduce("all", Reduction{}, dims...) }
