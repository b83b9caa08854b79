// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Aggregate appends to b what makes the result of a fold from its joined state, and returns its
// register. state holds one register for each component of State(in), in
// is the dtype of the folded values. The result has dtype Result(in). Floats round once, here.
func (r *Reduction) Aggregate(b *Builder, state []Reg, in dtype.DType, p Params) Reg {
	out, err := r.Result(in)
	if err != nil {
		return b.fail(err)
	}
	v := state[0]
	if f := algebras[r.Algebra].aggregate; f != nil {
		v = f(r, b, state, p)
	}
	return b.Cast(v, out)
}

// aggregateMean is sum / count: NaN for none.
func aggregateMean(_ *Reduction, b *Builder, s []Reg, _ Params) Reg {
	return b.Apply(OpDivide, s[0], b.Cast(s[1], dtype.Float64))
}

// aggregateMoments is m2 / (count - ddof), or its root. Without a degree of freedom
// NumPy's plain form divides by 0, the form that leaves NaN out gives NaN.
func aggregateMoments(r *Reduction, b *Builder, s []Reg, p Params) Reg {
	zero := b.Const(constFloat(dtype.Float64, 0))
	free := b.Apply(OpSubtract, b.Cast(s[0], dtype.Float64), b.Const(constFloat(dtype.Float64, p.DDof)))
	var v Reg
	if r.SkipNaN {
		nan := b.Const(constFloat(dtype.Float64, math.NaN()))
		v = b.Apply(OpWhere, b.Apply(OpLessEqual, free, zero), nan, b.Apply(OpDivide, s[2], free))
	} else {
		v = b.Apply(OpDivide, s[2], b.Apply(OpMaximum, free, zero))
	}
	if r.Sqrt {
		v = b.Apply(OpSqrt, v)
	}
	return v
}

// aggregatePosition is the position of an argmin or argmax.
func aggregatePosition(_ *Reduction, _ *Builder, s []Reg, _ Params) Reg { return s[1] }
