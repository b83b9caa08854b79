// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Weighted is a variable with a weight for each element; weights broadcast by dimension name.
type Weighted struct {
	v, w Variable
	bad  *Variable
}

// Weighted returns v with weights. A weight that is NaN is an error of the run; missing values of v
// count neither in sums nor in the sum of weights.
func (v Variable) Weighted(w Variable) Weighted {
	switch {
	case v.Err() != nil:
		return Weighted{bad: &v}
	case w.Err() != nil:
		return Weighted{bad: &w}
	}
	w.array = w.array.checkWeights(w.label())
	w.host = nil
	return Weighted{v: v, w: w}
}

// checkWeights returns a itself, computed with a check that no element is NaN.
func (a Array) checkWeights(name string) Array {
	if !a.DType().IsFloat() {
		return a.AsType(dtype.Float64)
	}
	if a.DType() != dtype.Float32 && a.DType() != dtype.Float64 {
		a = a.AsType(dtype.Float32)
	}
	arg := graph.OpaqueArg{
		Key:     "weights " + name,
		Need:    func(_ int, out chunk.Region) chunk.Region { return out.Clone() },
		Scratch: func(chunk.Shape) int64 { return 0 },
		Run: func(_ context.Context, c graph.OpaqueCall) error {
			formats.CopyElems(c.Out, c.In[0])
			if hasNaN(c.In[0]) {
				return fmt.Errorf("ndarray: weighted: the weights %s hold NaN in %v; replace them, for instance with fillna(0)", name, c.At)
			}
			return nil
		},
	}
	return Array{here().Opaque(arg, a.DType(), a.Grid(), a.Node())}
}

// hasNaN reports whether an element of a float32 or float64 chunk is NaN.
func hasNaN(c *chunk.Chunk) bool {
	shape := c.Shape
	if shape.Size() == 0 {
		return false
	}
	f32, f64 := []float32(nil), []float64(nil)
	if c.DType == dtype.Float32 {
		f32 = chunk.Elems[float32](c.Block)
	} else {
		f64 = chunk.Elems[float64](c.Block)
	}
	index := make([]int64, len(shape))
	for {
		at := c.Offset
		for i, x := range index {
			at += x * c.Strides[i]
		}
		if f32 != nil && f32[at] != f32[at] || f64 != nil && f64[at] != f64[at] {
			return true
		}
		k := len(shape) - 1
		for ; k >= 0; k-- {
			index[k]++
			if index[k] < shape[k] {
				break
			}
			index[k] = 0
		}
		if k < 0 {
			return false
		}
	}
}

// Err returns why the weights do not fit, nil when they do.
func (w Weighted) Err() error {
	if w.bad != nil {
		return w.bad.Err()
	}
	return nil
}

// parts returns v, the weights where v is not missing, and the products, 0 where v is missing.
func (w Weighted) parts() (weights, products Variable) {
	valid := w.v.NotNull()
	weights = Elementwise("where", valid, w.w, 0.0)
	products = Elementwise("multiply", w.v, w.w)
	return weights, products
}

// finish gives a result the name and attributes of a reduction of v.
func (w Weighted) finish(out Variable, op string, dims []string) Variable {
	if out.Err() != nil {
		return out
	}
	r, _ := kernels.ReductionByName(op)
	out.name, out.global, out.mappings = w.v.name, w.v.global, w.v.mappings
	out.attrs = reducedAttrs(w.v.attrs, r, dims)
	return out
}

// Sum returns the weighted sum over dims, of everything when none is named; 0 where all are missing.
func (w Weighted) Sum(dims ...string) Variable {
	if w.bad != nil {
		return *w.bad
	}
	_, p := w.parts()
	return w.finish(p.Sum(dims...), "sum", dims)
}

// SumOfWeights returns the sum of the weights of the values that are not missing; NaN where there are none.
func (w Weighted) SumOfWeights(dims ...string) Variable {
	if w.bad != nil {
		return *w.bad
	}
	s, _ := w.parts()
	out := s.Sum(dims...)
	out = out.Where(out.Op("not_equal", 0.0))
	return w.finish(out, "count", nil)
}

// Mean returns the weighted mean over dims; NaN where the weights add up to 0.
func (w Weighted) Mean(dims ...string) Variable {
	if w.bad != nil {
		return *w.bad
	}
	s, p := w.parts()
	sum := s.Sum(dims...)
	sum = sum.Where(sum.Op("not_equal", 0.0))
	return w.finish(p.Sum(dims...).Div(sum), "mean", dims)
}

// Var returns the weighted variance over dims: the weighted mean of squared distances from the weighted mean.
func (w Weighted) Var(dims ...string) Variable {
	if w.bad != nil {
		return *w.bad
	}
	mean := w.Mean(dims...)
	d := Weighted{v: w.v.Sub(mean).Square(), w: w.w}
	return w.finish(d.Mean(dims...), "var", dims)
}

// Std returns the weighted standard deviation over dims.
func (w Weighted) Std(dims ...string) Variable {
	if w.bad != nil {
		return *w.bad
	}
	return w.finish(w.Var(dims...).Sqrt(), "std", dims)
}
