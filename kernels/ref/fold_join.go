// SPDX-License-Identifier: BSD-3-Clause

package ref

import (
	"context"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// foldBlock returns the state of a block: element i goes to accumulator i mod width, all of which begin with the state from,
// the accumulators join by halving. Moments take two passes: the mean, then the deviations from it.
func foldBlock(r *kernels.Reduction, in dtype.DType, es []element, width int, from state) state {
	if r.Algebra != kernels.FoldMoments {
		return halve(es, width, from, func(e element) state { return stateOf(r, in, e) }, func(a, b state) state { return join(r, a, b) })
	}
	// The state of a mean is (sum, count), that of the deviations (sum).
	mean, _ := kernels.ReductionByName("mean")
	if r.SkipNaN {
		mean = mean.TwinOf()
	}
	m := foldBlock(mean, in, es, width, mean.Identity(in))
	count := m[1].Int64()
	if count == 0 {
		return r.Identity(in)
	}
	mu := m[0].Float64() / float64(count)
	sum, _ := kernels.ReductionByName("sum")
	d := halve(es, width, sum.Identity(dtype.Float64), func(e element) state {
		x := e[0].Float64() - mu
		if r.SkipNaN && e[0].IsNaN() {
			x = 0
		}
		return state{f64(x * x)}
	}, func(a, b state) state { return join(sum, a, b) })
	return state{i64(count), f64(mu), d[0]}
}

// halve folds the elements in the lane order, all accumulators beginning with the state from.
func halve(es []element, width int, from state, one func(element) state, join func(a, b state) state) state {
	acc := make([]state, width)
	for i := range acc {
		acc[i] = from
	}
	for i, e := range es {
		acc[i%width] = join(acc[i%width], one(e))
	}
	for h := width / 2; h > 0; h /= 2 {
		for i := range h {
			acc[i] = join(acc[i], acc[i+h])
		}
	}
	return acc[0]
}

func f64(x float64) kernels.Const {
	return kernels.Const{DType: dtype.Float64, Bits: math.Float64bits(x)}
}
func i64(x int64) kernels.Const { return kernels.Const{DType: dtype.Int64, Bits: uint64(x)} }

func truth(c bool, dt dtype.DType) kernels.Const {
	k := kernels.Const{DType: dt}
	if c {
		k.Bits = 1
	}
	return k
}

// nonzero reports whether c is not 0; NaN is not.
func nonzero(c kernels.Const) bool {
	if c.DType.IsFloat() {
		return c.Float64() != 0
	}
	return c.Bits != 0
}

// stateOf returns the state of one element. NaN that is left out has the identity's.
func stateOf(r *kernels.Reduction, in dtype.DType, e element) state {
	v := e[0]
	id := r.Identity(in)
	if r.SkipNaN && v.IsNaN() {
		return id
	}
	switch r.Algebra {
	case kernels.FoldMean:
		return state{f64(v.Float64()), i64(1)}
	case kernels.FoldSum, kernels.FoldProd:
		if in.IsFloat() {
			return state{f64(v.Float64())}
		}
		return state{{DType: id[0].DType, Bits: wide(v)}}
	case kernels.FoldAny, kernels.FoldAll:
		return state{truth(nonzero(v), dtype.Bool)}
	case kernels.FoldCount:
		return state{i64(1)}
	case kernels.FoldNonzero:
		return state{truth(nonzero(v), dtype.Int64)}
	case kernels.FoldMin, kernels.FoldMax:
		return state{v}
	}
	return state{v, e[1]} // argmin, argmax, first, last
}

// wide returns an integer's value as 64 bits.
func wide(c kernels.Const) uint64 {
	if c.DType == dtype.Uint64 {
		return c.Bits
	}
	return uint64(c.Int64())
}

// join returns the state of a followed by b: the definition of Combine.
func join(r *kernels.Reduction, a, b state) state {
	switch r.Algebra {
	case kernels.FoldSum, kernels.FoldCount, kernels.FoldNonzero:
		return state{plus(a[0], b[0])}
	case kernels.FoldMean:
		return state{plus(a[0], b[0]), plus(a[1], b[1])}
	case kernels.FoldProd:
		if a[0].DType == dtype.Float64 {
			return state{f64(a[0].Float64() * b[0].Float64())}
		}
		return state{{DType: a[0].DType, Bits: a[0].Bits * b[0].Bits}}
	case kernels.FoldAny:
		return state{{DType: dtype.Bool, Bits: a[0].Bits | b[0].Bits}}
	case kernels.FoldAll:
		return state{{DType: dtype.Bool, Bits: a[0].Bits & b[0].Bits}}
	case kernels.FoldMoments:
		return chan3(a, b)
	case kernels.FoldMin, kernels.FoldMax:
		return joinExtreme(r, a, b)
	}
	return joinPosition(r, a, b)
}

func plus(a, b kernels.Const) kernels.Const {
	if a.DType == dtype.Float64 {
		return f64(a.Float64() + b.Float64())
	}
	return kernels.Const{DType: a.DType, Bits: a.Bits + b.Bits}
}

// chan3 joins (count, mean, m2) by Chan's formula, every product and sum rounded.
func chan3(a, b state) state {
	na, nb := a[0].Int64(), b[0].Int64()
	if nb == 0 {
		return a
	}
	if na == 0 {
		return b
	}
	d := b[1].Float64() - a[1].Float64()
	f := float64(nb) / float64(na+nb)
	step := d * f
	dd := d * d
	weight := float64(na) * f
	spread := dd * weight
	m2 := a[2].Float64() + b[2].Float64()
	return state{i64(na + nb), f64(a[1].Float64() + float64(step)), f64(m2 + float64(spread))}
}

// less orders two real values of one dtype, -0 below +0; neither is NaN.
func less(a, b kernels.Const) bool {
	switch a.DType.Kind() {
	case dtype.KindFloat:
		x, y := a.Float64(), b.Float64()
		return x < y || x == y && math.Signbit(x) && !math.Signbit(y)
	case dtype.KindInt:
		return a.Int64() < b.Int64()
	}
	return a.Bits < b.Bits
}

func joinExtreme(r *kernels.Reduction, a, b state) state {
	x, y := a[0], b[0]
	switch {
	case x.IsNaN() && r.SkipNaN, y.IsNaN() && !r.SkipNaN:
		return b
	case x.IsNaN(), y.IsNaN():
		return a
	case r.Algebra == kernels.FoldMin && less(y, x), r.Algebra == kernels.FoldMax && less(x, y):
		return b
	}
	return a
}

// joinPosition joins (value, position); a position below 0 is nothing.
func joinPosition(r *kernels.Reduction, a, b state) state {
	p, q := a[1].Int64(), b[1].Int64()
	earlier := a
	if q < p {
		earlier = b
	}
	switch {
	case q < 0:
		return a
	case p < 0:
		return b
	case r.Algebra == kernels.FoldFirst:
		return earlier
	case r.Algebra == kernels.FoldLast && q > p:
		return b
	case r.Algebra == kernels.FoldLast:
		return a
	}
	x, y := a[0], b[0]
	switch {
	case x.IsNaN() && y.IsNaN():
		return earlier
	case x.IsNaN():
		return a
	case y.IsNaN():
		return b
	case x.DType.IsFloat() && x.Float64() == y.Float64(), x.Bits == y.Bits:
		return earlier
	case (r.Algebra == kernels.FoldArgMin) == less(y, x):
		return b
	}
	return a
}

// combineKernel joins states element by element.
type combineKernel struct {
	r  *kernels.Reduction
	in []kernels.StateType
}

// newCombine returns the kernel of a Combine.
func newCombine(c *kernels.Combine) (kernels.Kernel, error) {
	r := kernels.ReductionOf(c.Op)
	if r == nil || len(c.In) == 0 || c.In[0].DType.IsComplex() {
		return nil, fmt.Errorf("kernels/ref: compile %v: %w", c, kernels.ErrUnsupported)
	}
	return combineKernel{r, c.In}, nil
}

// Scratch returns 0.
func (k combineKernel) Scratch(chunk.Shape) int64 { return 0 }

// Run joins the call's In into its Out.
func (k combineKernel) Run(_ context.Context, c *kernels.Call) error {
	if len(c.Out) != len(k.in) || len(c.In) != len(k.in) {
		return fmt.Errorf("kernels/ref: combine %s: got %d and %d state components, want %d", k.r.Name, len(c.Out), len(c.In), len(k.in))
	}
	for i := range c.Out[0].Shape.Size() {
		a, b := make(state, len(k.in)), make(state, len(k.in))
		for j := range k.in {
			a[j], b[j] = getConst(c.Out[j], i), getConst(c.In[j], i)
		}
		writeState(c.Out, i, join(k.r, a, b))
	}
	return nil
}
