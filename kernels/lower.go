// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// The lowerings of operations that are not primitive for every dtype. Each gets
// operands of its signature's dtypes (float16 and bfloat16 arrive as float32 unless the row says half).

func lowerFirst(_ *Builder, a []Reg) Reg { return a[0] }

func lowerZero(b *Builder, a []Reg) Reg { return b.Const(Const{DType: b.Type(a[0])}) }

func lowerAnd(b *Builder, a []Reg) Reg { return b.emit(OpBitwiseAnd, dtype.Bool, a...) }
func lowerOr(b *Builder, a []Reg) Reg  { return b.emit(OpBitwiseOr, dtype.Bool, a...) }
func lowerXor(b *Builder, a []Reg) Reg { return b.emit(OpBitwiseXor, dtype.Bool, a...) }
func lowerNot(b *Builder, a []Reg) Reg { return b.emit(OpInvert, dtype.Bool, a...) }

// num returns the constant v in the dtype of r.
func (b *Builder) num(r Reg, v float64) Reg {
	d := b.Type(r)
	bits, err := evalCast(d, [3]dtype.DType{dtype.Float64}, [3]uint64{math.Float64bits(v)})
	if err != nil {
		return b.fail(err)
	}
	return b.Const(Const{DType: d, Bits: bits})
}

func (b *Builder) truth(v bool) Reg { return b.Const(Const{DType: dtype.Bool, Bits: bit(v)}) }

func lowerFabs(b *Builder, a []Reg) Reg { return b.Apply(OpAbsolute, a[0]) }

func lowerSign(b *Builder, a []Reg) Reg {
	x, zero := a[0], b.num(a[0], 0)
	rest := zero
	if b.Type(x).IsFloat() { // NaN stays NaN
		rest = b.Apply(OpWhere, b.Apply(OpEqual, x, zero), zero, x)
	}
	if b.Type(x).Kind() != dtype.KindUint {
		rest = b.Apply(OpWhere, b.Apply(OpLess, x, zero), b.num(x, -1), rest)
	}
	return b.Apply(OpWhere, b.Apply(OpLess, zero, x), b.num(x, 1), rest)
}

func lowerSquare(b *Builder, a []Reg) Reg { return b.Apply(OpMultiply, a[0], a[0]) }

func lowerReciprocal(b *Builder, a []Reg) Reg {
	one := b.num(a[0], 1)
	if b.Type(a[0]).IsFloat() {
		return b.Apply(OpDivide, one, a[0])
	}
	// The whole part of 1/x is x for 1 and -1, 0 beyond; 1/0 gives 0 as divisions do.
	return b.Apply(OpWhere, b.Apply(OpEqual, b.Apply(OpAbsolute, a[0]), one), a[0], b.num(a[0], 0))
}

// lowerFma rounds once in the shorter floats too: a product of two is exact in
// float64; for float16 so is the sum, for bfloat16 it is rounded to odd.
func lowerFma(b *Builder, a []Reg) Reg {
	d := b.Type(a[0])
	if d.IsInteger() {
		return b.Apply(OpAdd, b.Apply(OpMultiply, a[0], a[1]), a[2])
	}
	w := b.widen(dtype.Float64, a)
	p := b.Apply(OpMultiply, w[0], w[1])
	s := b.Apply(OpAdd, p, w[2])
	if d == dtype.Float16 {
		return b.Cast(s, d)
	}
	t := b.Apply(OpSubtract, s, p)
	e := b.Apply(OpAdd, b.Apply(OpSubtract, p, b.Apply(OpSubtract, s, t)), b.Apply(OpSubtract, w[2], t))
	zero := b.num(s, 0)
	u := b.Bitcast(s, dtype.Int64)
	one, none := b.Const(Const{dtype.Int64, 1}), b.Const(Const{dtype.Int64, 0})
	away := b.Apply(OpEqual, b.Apply(OpLess, zero, e), b.Apply(OpLess, zero, s))
	step := b.Apply(OpWhere, away, one, b.Apply(OpNegative, one))
	even := b.Apply(OpEqual, b.Apply(OpBitwiseAnd, u, one), none)
	inexact := lowerAnd(b, []Reg{even, b.Apply(OpIsFinite, e)})
	inexact = lowerAnd(b, []Reg{inexact, b.Apply(OpNotEqual, e, zero)})
	odd := b.Apply(OpAdd, u, b.Apply(OpWhere, inexact, step, none))
	return b.Cast(b.Bitcast(odd, dtype.Float64), d)
}

func lowerFmin(b *Builder, a []Reg) Reg { return b.skipNaN(OpMinimum, a) }
func lowerFmax(b *Builder, a []Reg) Reg { return b.skipNaN(OpMaximum, a) }

func (b *Builder) skipNaN(op OpID, a []Reg) Reg {
	m := b.Apply(op, a[0], a[1])
	if !b.Type(a[0]).IsFloat() {
		return m
	}
	// minimum gives NaN where one is: then the other operand is the answer.
	m = b.Apply(OpWhere, b.Apply(OpIsNaN, a[1]), a[0], m)
	return b.Apply(OpWhere, b.Apply(OpIsNaN, a[0]), a[1], m)
}

func lowerClip(b *Builder, a []Reg) Reg {
	return b.Apply(OpMinimum, b.Apply(OpMaximum, a[0], a[1]), a[2])
}

func lowerHeaviside(b *Builder, a []Reg) Reg {
	x, zero := a[0], b.num(a[0], 0)
	r := b.Apply(OpWhere, b.Apply(OpEqual, x, zero), a[1], x) // NaN
	r = b.Apply(OpWhere, b.Apply(OpLess, x, zero), zero, r)
	return b.Apply(OpWhere, b.Apply(OpLess, zero, x), b.num(x, 1), r)
}

func lowerGreater(b *Builder, a []Reg) Reg      { return b.Apply(OpLess, a[1], a[0]) }
func lowerGreaterEqual(b *Builder, a []Reg) Reg { return b.Apply(OpLessEqual, a[1], a[0]) }

// lowerMixed compares int64 with uint64 by value: a negative number is below
// every unsigned one, the rest compares as uint64.
func lowerMixed(b *Builder, op OpID, a []Reg) Reg {
	x, y := a[0], a[1]
	signed := x
	if b.Type(y) == dtype.Int64 {
		signed = y
	}
	negative := b.Apply(OpLess, signed, b.Const(Const{DType: dtype.Int64}))
	r := b.Apply(op, b.Bitcast(x, dtype.Uint64), b.Bitcast(y, dtype.Uint64))
	switch op {
	case OpEqual:
		return lowerAnd(b, []Reg{r, lowerNot(b, []Reg{negative})})
	case OpNotEqual:
		return lowerOr(b, []Reg{r, negative})
	}
	if signed == x {
		return lowerOr(b, []Reg{r, negative})
	}
	return lowerAnd(b, []Reg{r, lowerNot(b, []Reg{negative})})
}

func lowerIsNaN(b *Builder, a []Reg) Reg {
	if !b.Type(a[0]).IsFloat() {
		return b.truth(false)
	}
	return b.emit(OpNotEqual, dtype.Bool, a[0], a[0])
}

func lowerNotNull(b *Builder, a []Reg) Reg {
	if !b.Type(a[0]).IsFloat() {
		return b.truth(true)
	}
	return b.emit(OpEqual, dtype.Bool, a[0], a[0])
}

func lowerIsInf(b *Builder, a []Reg) Reg {
	if !b.Type(a[0]).IsFloat() {
		return b.truth(false)
	}
	return b.Apply(OpEqual, b.Apply(OpAbsolute, a[0]), b.num(a[0], math.Inf(1)))
}

func lowerIsFinite(b *Builder, a []Reg) Reg {
	if !b.Type(a[0]).IsFloat() {
		return b.truth(true)
	}
	return b.Apply(OpLess, b.Apply(OpAbsolute, a[0]), b.num(a[0], math.Inf(1)))
}

func lowerIsPosInf(b *Builder, a []Reg) Reg { return b.isValue(a[0], math.Inf(1)) }
func lowerIsNegInf(b *Builder, a []Reg) Reg { return b.isValue(a[0], math.Inf(-1)) }

func (b *Builder) isValue(x Reg, v float64) Reg {
	if !b.Type(x).IsFloat() {
		return b.truth(false)
	}
	return b.Apply(OpEqual, x, b.num(x, v))
}

func lowerRound(b *Builder, a []Reg) Reg {
	if !b.Type(a[0]).IsFloat() {
		return a[0]
	}
	return b.Apply(OpRint, a[0])
}

// floatMod returns C's fmod and what NumPy's npy_divmod makes of it: the exact
// remainder with y's sign, and whether a whole step was added.
func (b *Builder) floatMod(x, y Reg) (fmod, mod, moved Reg) {
	zero := b.num(x, 0)
	fmod = b.Apply(OpFmod, x, y)
	nonzero := b.Apply(OpNotEqual, fmod, zero)
	signs := lowerXor(b, []Reg{b.Apply(OpLess, fmod, zero), b.Apply(OpLess, y, zero)})
	moved = lowerAnd(b, []Reg{nonzero, signs})
	mod = b.Apply(OpWhere, moved, b.Apply(OpAdd, fmod, y), fmod)
	return fmod, b.Apply(OpWhere, nonzero, mod, b.Apply(OpCopysign, zero, y)), moved
}

func lowerRemainder(b *Builder, a []Reg) Reg {
	fmod, mod, _ := b.floatMod(a[0], a[1])
	// y of 0: fmod's NaN.
	return b.Apply(OpWhere, b.Apply(OpEqual, a[1], b.num(a[1], 0)), fmod, mod)
}

func lowerFloorDivide(b *Builder, a []Reg) Reg {
	x, y := a[0], a[1]
	zero, one := b.num(x, 0), b.num(x, 1)
	fmod, _, moved := b.floatMod(x, y)
	quotient := b.Apply(OpDivide, x, y)
	d := b.Apply(OpDivide, b.Apply(OpSubtract, x, fmod), y)
	d = b.Apply(OpWhere, moved, b.Apply(OpSubtract, d, one), d)
	f := b.Apply(OpFloor, d)
	up := b.Apply(OpLess, b.num(x, 0.5), b.Apply(OpSubtract, d, f))
	f = b.Apply(OpWhere, up, b.Apply(OpAdd, f, one), f)
	f = b.Apply(OpWhere, b.Apply(OpEqual, d, zero), b.Apply(OpCopysign, zero, quotient), f)
	return b.Apply(OpWhere, b.Apply(OpEqual, y, zero), quotient, f)
}

// bitsType is the unsigned integer of a float's size; its sign bit and infinity.
func bitsType(d dtype.DType) (u dtype.DType, sign, inf uint64) {
	switch d {
	case dtype.Float16:
		return dtype.Uint16, 1 << 15, 0x7c00
	case dtype.BFloat16:
		return dtype.Uint16, 1 << 15, 0x7f80
	case dtype.Float32:
		return dtype.Uint32, 1 << 31, 0x7f800000
	}
	return dtype.Uint64, 1 << 63, 0x7ff << 52
}

func lowerSignbit(b *Builder, a []Reg) Reg {
	u, sign, inf := bitsType(b.Type(a[0]))
	// Above -0's bits lie the negative numbers up to -inf, then the NaNs.
	v := b.Bitcast(a[0], u)
	return lowerAnd(b, []Reg{
		b.Apply(OpLessEqual, b.Const(Const{u, sign}), v),
		b.Apply(OpLessEqual, v, b.Const(Const{u, sign | inf})),
	})
}

func lowerCopysign(b *Builder, a []Reg) Reg {
	d := b.Type(a[0])
	u, sign, _ := bitsType(d)
	size := b.Apply(OpBitwiseAnd, b.Bitcast(a[0], u), b.Const(Const{u, sign - 1}))
	minus := b.Apply(OpWhere, lowerSignbit(b, a[1:]), b.Const(Const{u, sign}), b.Const(Const{u, 0}))
	return b.Bitcast(b.Apply(OpBitwiseOr, size, minus), d)
}

func lowerNextafter(b *Builder, a []Reg) Reg {
	d := b.Type(a[0])
	u, sign, _ := bitsType(d)
	x, y := a[0], a[1]
	zero := b.Const(Const{DType: d})
	v := b.Bitcast(x, u)
	one := b.Const(Const{u, 1})
	// Away from 0 the bits count up.
	grows := b.Apply(OpEqual, b.Apply(OpLess, x, y), b.Apply(OpLess, zero, x))
	step := b.Apply(OpWhere, grows, b.Apply(OpAdd, v, one), b.Apply(OpSubtract, v, one))
	least := b.Apply(OpWhere, b.Apply(OpLess, y, zero), b.Const(Const{u, sign | 1}), one)
	step = b.Apply(OpWhere, b.Apply(OpEqual, x, zero), least, step)
	r := b.Apply(OpWhere, b.Apply(OpEqual, x, y), y, b.Bitcast(step, d))
	r = b.Apply(OpWhere, b.Apply(OpIsNaN, y), y, r)
	return b.Apply(OpWhere, b.Apply(OpIsNaN, x), x, r)
}

func lowerSpacing(b *Builder, a []Reg) Reg {
	d := b.Type(a[0])
	far := b.Apply(OpCopysign, b.Const(Const{d, infBits(d)}), a[0])
	gap := b.Apply(OpSubtract, lowerNextafter(b, []Reg{a[0], far}), a[0])
	// inf - inf is NaN, as NumPy has it; so is the positive gap at -0.
	return b.Apply(OpWhere, b.Apply(OpEqual, a[0], b.Const(Const{DType: d})), b.Const(Const{d, 1}), gap)
}

func infBits(d dtype.DType) uint64 {
	_, _, inf := bitsType(d)
	return inf
}
