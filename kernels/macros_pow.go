// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// simplePower replaces powers with a constant exponent of 0, 1, 2, -1 or 1/2, as NumPy does.
func simplePower(b *Builder, a []Reg) (Reg, bool) {
	c, ok := b.ConstValue(a[1])
	if !ok {
		return NoReg, false
	}
	if _, ok := b.ConstValue(a[0]); ok && b.Type(a[0]).IsInteger() && c.Float64() < 0 {
		return NoReg, false
	}
	switch v := c.Float64(); {
	case v == 0:
		return b.num(a[0], 1), true
	case v == 1:
		return a[0], true
	case v == 2:
		return b.Apply(OpMultiply, a[0], a[0]), true
	case v == -1 && c.DType.IsFloat():
		return b.Apply(OpReciprocal, a[0]), true
	case v == 0.5 && c.DType.IsFloat():
		return b.Apply(OpSqrt, a[0]), true
	}
	return NoReg, false
}

// hypot64 adds the exact squares of scaled sides in two pieces each.
func hypot64(m mb, x, y Reg) Reg {
	ax, ay := m.abs(x), m.abs(y)
	inf := m.c(math.Inf(1))
	infinite := m.or(m.eq(ax, inf), m.eq(ay, inf))
	if m.short { // the squares are exact in float64
		return m.sel(infinite, inf, m.sqrt(m.add(m.mul(ax, ax), m.mul(ay, ay))))
	}
	a, b := m.max(ax, ay), m.min(ax, ay)
	big, tiny := m.lt(m.c(0x1p510), a), m.lt(a, m.c(0x1p-450))
	up := m.sel(big, m.c(0x1p-600), m.sel(tiny, m.c(0x1p600), m.c(1)))
	down := m.sel(big, m.c(0x1p600), m.sel(tiny, m.c(0x1p-600), m.c(1)))
	a, b = m.mul(a, up), m.mul(b, up)
	p, q := m.twoProd(a, a), m.twoProd(b, b)
	s := m.add(m.add(m.add(q.lo, p.lo), q.hi), p.hi)
	return m.sel(infinite, inf, m.mul(m.sqrt(s), down))
}

// logPair is the logarithm of a finite x > 0 in two pieces, to about 2^-65 of it: log(1+f) = 2 atanh(s),
// s = f/(2+f), with the first terms of the series in two pieces.
func (m mb) logPair(x Reg) dd {
	k, f := m.logSplit(x)
	s := m.ddDiv(dd{f, m.c(0)}, m.twoSum(m.c(2), f))
	z := m.ddMul(s, s)
	var tail []float64 // 2/5, 2/7, ...: s*s <= 0.0295, so 13 terms reach 2^-70
	for i := 5; i <= 27; i += 2 {
		tail = append(tail, 2/float64(i))
	}
	rest := m.mul(z.hi, m.poly(z.hi, tail...))
	w := m.quickSum(m.c(0.6666666666666666), m.add(m.c(3.700743415417188e-17), rest))
	v := m.ddMul(z, w)
	l := m.ddMul(s, m.ddAdd(dd{m.c(2), m.c(0)}, v))
	e := m.twoSum(m.mul(k, m.c(ln2hi)), m.mul(k, m.c(ln2lo)))
	return m.ddAdd(e, l)
}

// pow64 is exp(y*log(x)) with the product in two pieces, then IEEE 754's special cases.
func pow64(m mb, x, y Reg) Reg {
	zero, one, inf := m.c(0), m.c(1), m.c(math.Inf(1))
	ax := m.abs(x)
	l := m.logPair(ax)
	// An exponent beyond 2^64 gives 0, 1 or infinity like 2^64 does.
	yc := m.min(m.max(y, m.c(-0x1p64)), m.c(0x1p64))
	e := m.ddMulF(l, yc)
	lo := m.sel(m.lt(m.abs(e.hi), m.c(800)), e.lo, zero)
	_, n, hi, klo := m.expSplit(e.hi)
	klo = m.sub(klo, lo)
	rc := m.expKernel(hi, klo)
	r := m.scale(m.sub(one, m.sub(m.sub(klo, rc), hi)), n)

	rise := m.lt(zero, y)
	r = m.sel(m.eq(ax, zero), m.sel(rise, zero, inf), r)
	r = m.sel(m.eq(ax, inf), m.sel(rise, inf, zero), r)
	whole := m.eq(m.rint(y), y)
	half := m.mul(y, m.c(0.5))
	odd := m.and(whole, m.ne(m.rint(half), half))
	negative := m.ne(m.signOf(x), m.u(0))
	flip := m.shl(m.Cast(m.and(odd, negative), dtype.Uint64), 63)
	r = m.f64(m.xor(m.bits(r), flip))
	root := m.and(m.and(m.lt(x, zero), m.finite(x)), m.not(whole)) // a negative number's fractional power
	r = m.sel(m.or(m.or(m.nan(x), m.nan(y)), root), m.c(math.NaN()), r)
	return m.sel(m.or(m.eq(y, zero), m.eq(x, one)), one, r)
}
