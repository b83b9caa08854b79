// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// mb builds the elementary functions: float64 instructions with short names, so
// that a macro reads as the formula it is. Functions of shorter floats run the
// float64 macro and round once, or have one of their own (ms). Nothing in a macro branches: both sides are
// computed and selected, so that every device does the same arithmetic.
//
// Many algorithms and the coefficients with names like lg1 are those of FreeBSD's msun library
// (Copyright 1993 Sun Microsystems, freely granted), rearranged without branches. Polynomials written in
// hexadecimal are our own minimax fits.
type mb struct{ *Builder }

// unary and binary make a macro the lowering of a row.
func unary(f func(m mb, x Reg) Reg) func(*Builder, []Reg) Reg {
	return func(b *Builder, a []Reg) Reg { return f(mb{b}, a[0]) }
}

func binary(f func(m mb, x, y Reg) Reg) func(*Builder, []Reg) Reg {
	return func(b *Builder, a []Reg) Reg { return f(mb{b}, a[0], a[1]) }
}

// c is a float64 constant, u a uint64 one.
func (m mb) c(v float64) Reg { return m.Const(Const{dtype.Float64, math.Float64bits(v)}) }
func (m mb) u(v uint64) Reg  { return m.Const(Const{dtype.Uint64, v}) }

func (m mb) op(op OpID, a ...Reg) Reg { return m.emit(op, m.Type(a[0]), a...) }

func (m mb) add(x, y Reg) Reg    { return m.op(OpAdd, x, y) }
func (m mb) sub(x, y Reg) Reg    { return m.op(OpSubtract, x, y) }
func (m mb) mul(x, y Reg) Reg    { return m.op(OpMultiply, x, y) }
func (m mb) div(x, y Reg) Reg    { return m.op(OpDivide, x, y) }
func (m mb) fma(x, y, z Reg) Reg { return m.op(OpFma, x, y, z) }
func (m mb) neg(x Reg) Reg       { return m.op(OpNegative, x) }
func (m mb) abs(x Reg) Reg       { return m.op(OpAbsolute, x) }
func (m mb) sqrt(x Reg) Reg      { return m.op(OpSqrt, x) }
func (m mb) rint(x Reg) Reg      { return m.op(OpRint, x) }
func (m mb) min(x, y Reg) Reg    { return m.op(OpMinimum, x, y) }
func (m mb) max(x, y Reg) Reg    { return m.op(OpMaximum, x, y) }
func (m mb) and(x, y Reg) Reg    { return m.op(OpBitwiseAnd, x, y) }
func (m mb) or(x, y Reg) Reg     { return m.op(OpBitwiseOr, x, y) }
func (m mb) xor(x, y Reg) Reg    { return m.op(OpBitwiseXor, x, y) }
func (m mb) not(x Reg) Reg       { return m.op(OpInvert, x) }

// shl and shr shift by a constant.
func (m mb) shl(x Reg, n uint64) Reg {
	return m.op(OpLeftShift, x, m.Const(Const{m.Type(x), n}))
}

func (m mb) shr(x Reg, n uint64) Reg {
	return m.op(OpRightShift, x, m.Const(Const{m.Type(x), n}))
}

func (m mb) lt(x, y Reg) Reg  { return m.emit(OpLess, dtype.Bool, x, y) }
func (m mb) le(x, y Reg) Reg  { return m.emit(OpLessEqual, dtype.Bool, x, y) }
func (m mb) eq(x, y Reg) Reg  { return m.emit(OpEqual, dtype.Bool, x, y) }
func (m mb) ne(x, y Reg) Reg  { return m.emit(OpNotEqual, dtype.Bool, x, y) }
func (m mb) finite(x Reg) Reg { return m.lt(m.abs(x), m.c(math.Inf(1))) }
func (m mb) sel(c, x, y Reg) Reg {
	return m.emit(OpWhere, m.Type(x), c, x, y)
}

func (m mb) bits(x Reg) Reg { return m.Bitcast(x, dtype.Uint64) }
func (m mb) f64(u Reg) Reg  { return m.Bitcast(u, dtype.Float64) }
func (m mb) toF(x Reg) Reg  { return m.Cast(x, dtype.Float64) }

// signOf is the sign bit of x alone, NaN's too; withSign gives |x|'s bits that sign.
func (m mb) signOf(x Reg) Reg           { return m.and(m.bits(x), m.u(1<<63)) }
func (m mb) withSign(mag, sign Reg) Reg { return m.f64(m.or(m.bits(mag), sign)) }

// poly is k[0] + k[1]*x + ... with fma: neighbours are joined by Estrin's rule to pairs, of long ones to fours, and these by Horner's,
// so that the chain of instructions that wait for each other is short and few powers of x are needed.
func (m mb) poly(x Reg, k ...float64) Reg {
	r := make([]Reg, len(k))
	for i, v := range k {
		r[i] = m.c(v)
	}
	return m.estrin(x, r)
}

// estrin is r[0] + r[1]*x + ...
func (m mb) estrin(x Reg, r []Reg) Reg {
	powers := []Reg{x} // x, x^2, x^4
	for _, above := range []int{4, 9} {
		if len(r) > above {
			p := powers[len(powers)-1]
			powers = append(powers, m.mul(p, p))
		}
	}
	k := len(powers) - 1
	last := (len(r) - 1) >> k << k
	y := m.join(powers[:k], r[last:])
	for i := last - 1<<k; i >= 0; i -= 1 << k {
		y = m.fma(y, powers[k], m.join(powers[:k], r[i:i+1<<k]))
	}
	return y
}

// join is estrin of at most twice as many terms as the last power, by all of them.
func (m mb) join(powers, r []Reg) Reg {
	if len(r) == 1 {
		return r[0]
	}
	k := len(powers) - 1
	if len(r) <= 1<<k {
		return m.join(powers[:k], r)
	}
	return m.fma(m.join(powers[:k], r[1<<k:]), powers[k], m.join(powers[:k], r[:1<<k]))
}

// shifter is 1.5 * 2^52: a sum with it has the nearest whole number in its lowest bits.
const shifter = 0x1.8p52

// whole is x rounded to the nearest whole number, ties to even, as a float64 and as
// a uint64 in two's complement, for |x| < 2^51. Adding is what every vector unit can do; rounding and converting to
// 64-bit integers are not.
func (m mb) whole(x Reg) (f, n Reg) {
	t := m.add(x, m.c(shifter))
	return m.sub(t, m.c(shifter)), m.sub(m.bits(t), m.bits(m.c(shifter)))
}

// scaleTwice is y * 2^(2k) for k + 1023, of which the 11 lowest bits count. In two steps results may be subnormal and round once; even exponents make
// the factors one number.
func (m mb) scaleTwice(y, k Reg) Reg {
	s := m.f64(m.shl(k, 52))
	return m.mul(m.mul(y, s), s)
}

// dd is a number as the unevaluated sum of two float64, |lo| <= ulp(hi)/2.
type dd struct{ hi, lo Reg }

// quickSum is x + y exactly, for |x| >= |y| or x = 0.
func (m mb) quickSum(x, y Reg) dd {
	s := m.add(x, y)
	return dd{s, m.sub(y, m.sub(s, x))}
}

// twoProd is x * y exactly.
func (m mb) twoProd(x, y Reg) dd {
	p := m.mul(x, y)
	return dd{p, m.fma(x, y, m.neg(p))}
}

// ddMul is x * y to about 2^-104.
func (m mb) ddMul(x, y dd) dd {
	p := m.twoProd(x.hi, y.hi)
	lo := m.fma(x.hi, y.lo, m.fma(x.lo, y.hi, p.lo))
	return m.quickSum(p.hi, lo)
}
