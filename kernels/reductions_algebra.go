// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// component is one part of an algebra's state and its dtype rule.
type component struct {
	name  string
	dtype func(in dtype.DType) dtype.DType
}

// algebra holds what the reductions of one kind share.
type algebra struct {
	name     string
	state    []component
	result   func(in dtype.DType) dtype.DType
	identity func(r *Reduction, in dtype.DType, c []Const) // fills c, which is all zeros; nil: zeros
	// aggregate makes the value of the result; nil: it is the first component.
	aggregate func(r *Reduction, b *Builder, state []Reg, p Params) Reg
	complex   bool // defined for complex operands
	twice     bool // a block's numbers are read twice, so all of them must be at hand
}

// algebras is indexed by Algebra.
var algebras = [...]algebra{
	FoldSum:     {name: "sum", state: []component{{"sum", Accumulator}}, result: sumResult, complex: true},
	FoldProd:    {name: "prod", state: []component{{"prod", Accumulator}}, result: sumResult, identity: identityProd, complex: true},
	FoldMean:    {name: "mean", state: []component{{"sum", meanSum}, {"count", always(dtype.Int64)}}, result: meanResult, aggregate: aggregateMean, complex: true},
	FoldMoments: {name: "moments", state: []component{{"count", always(dtype.Int64)}, {"mean", always(dtype.Float64)}, {"m2", always(dtype.Float64)}}, result: meanResult, aggregate: aggregateMoments, twice: true},
	FoldMin:     {name: "min", state: []component{{"value", sameDType}}, result: sameDType, identity: identityMin},
	FoldMax:     {name: "max", state: []component{{"value", sameDType}}, result: sameDType, identity: identityMax},
	FoldAny:     {name: "any", state: []component{{"any", always(dtype.Bool)}}, result: always(dtype.Bool), complex: true},
	FoldAll:     {name: "all", state: []component{{"all", always(dtype.Bool)}}, result: always(dtype.Bool), identity: identityAll, complex: true},
	FoldCount:   {name: "count", state: []component{{"count", always(dtype.Int64)}}, result: always(dtype.Int64), complex: true},
	FoldNonzero: {name: "nonzero", state: []component{{"count", always(dtype.Int64)}}, result: always(dtype.Int64), complex: true},
	FoldArgMin:  {name: "argmin", state: []component{{"value", sameDType}, {"position", always(dtype.Int64)}}, result: always(dtype.Int64), identity: identityNone, aggregate: aggregatePosition},
	FoldArgMax:  {name: "argmax", state: []component{{"value", sameDType}, {"position", always(dtype.Int64)}}, result: always(dtype.Int64), identity: identityNone, aggregate: aggregatePosition},
	FoldFirst:   {name: "first", state: []component{{"value", sameDType}, {"position", always(dtype.Int64)}}, result: sameDType, identity: identityNone},
	FoldLast:    {name: "last", state: []component{{"value", sameDType}, {"position", always(dtype.Int64)}}, result: sameDType, identity: identityNone},
}

// String returns the algebra's name.
func (a Algebra) String() string { return algebras[a].name }

func sameDType(in dtype.DType) dtype.DType { return in }

func always(dt dtype.DType) func(dtype.DType) dtype.DType {
	return func(dtype.DType) dtype.DType { return dt }
}

// Accumulator returns the dtype in which values of dtype in are summed and
// multiplied: int64 for bool and signed integers, uint64 for unsigned ones,
// float64 for every float, complex128 for complex numbers.
func Accumulator(in dtype.DType) dtype.DType {
	switch in.Kind() {
	case dtype.KindBool, dtype.KindInt:
		return dtype.Int64
	case dtype.KindUint:
		return dtype.Uint64
	case dtype.KindComplex:
		return dtype.Complex128
	}
	return dtype.Float64
}

func meanSum(in dtype.DType) dtype.DType {
	if in.IsComplex() {
		return dtype.Complex128
	}
	return dtype.Float64
}

func sumResult(in dtype.DType) dtype.DType {
	if in.IsFloat() || in.IsComplex() {
		return in
	}
	return Accumulator(in)
}

func meanResult(in dtype.DType) dtype.DType {
	if in.IsFloat() || in.IsComplex() {
		return in
	}
	return dtype.Float64
}

func identityProd(_ *Reduction, in dtype.DType, c []Const) { c[0] = constFloat(c[0].DType, 1) }
func identityAll(_ *Reduction, _ dtype.DType, c []Const)   { c[0].Bits = 1 }

// identityNone marks a position of nothing; NaN, where there is one, is the value of nothing.
func identityNone(_ *Reduction, in dtype.DType, c []Const) {
	if in.IsFloat() {
		c[0] = constFloat(in, math.NaN())
	}
	c[1].Bits = math.MaxUint64
}

// identityMin is the largest value. The form that skips NaN has NaN for floats, so that a
// slice of only NaN is known by its state.
func identityMin(r *Reduction, in dtype.DType, c []Const) { c[0] = extreme(r, in, 1) }
func identityMax(r *Reduction, in dtype.DType, c []Const) { c[0] = extreme(r, in, -1) }

func extreme(r *Reduction, in dtype.DType, sign int) Const {
	bits := uint(in.Size()) * 8
	switch {
	case in.IsFloat() && r.SkipNaN:
		return constFloat(in, math.NaN())
	case in.IsFloat():
		return constFloat(in, math.Inf(sign))
	case in == dtype.Bool:
		return Const{in, uint64((1 + sign) / 2)}
	case in.Kind() == dtype.KindUint && sign > 0:
		return Const{in, math.MaxUint64 >> (64 - bits)}
	case in.Kind() == dtype.KindUint:
		return Const{in, 0}
	case sign > 0:
		return Const{in, math.MaxUint64 >> (65 - bits)}
	}
	return Const{in, 1 << (bits - 1)}
}

// constFloat returns v, a value every dtype given to it holds, as a constant.
func constFloat(dt dtype.DType, v float64) Const {
	switch dt {
	case dtype.Float64:
		return Const{dt, math.Float64bits(v)}
	case dtype.Float32, dtype.Complex64:
		return Const{dt, uint64(math.Float32bits(float32(v)))}
	case dtype.Float16:
		return Const{dt, uint64(dtype.F16Of(v).Bits)}
	case dtype.BFloat16:
		return Const{dt, uint64(dtype.BF16Of(v).Bits)}
	case dtype.Complex128:
		return Const{dt, math.Float64bits(v)}
	}
	return Const{dt, uint64(int64(v))}
}
