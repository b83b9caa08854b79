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

// logPair is the logarithm of a finite x > 0 in two pieces, to about 2^-65 of it. With x = 2^k * z and c from tables such that r = z/c - 1 is
// exact and |r| < 0.035, it is k*ln2 + log(c) + r - r*r/2 + r*r*r*q(r), where all but q is in two pieces. Around 1 k and log(c) are 0.
func (m mb) logPair(x Reg) dd {
	small := m.lt(x, m.c(0x1p-1022))
	u := m.sel(small, m.sub(m.bits(m.mul(x, m.c(0x1p54))), m.u(54<<52)), m.bits(x))
	t := m.sub(u, m.u(oneBits-1<<47))
	k := m.and(t, m.u(0xfff<<52)) // as an int64: exponent * 2^52
	z := m.f64(m.sub(u, k))
	kf := m.toF(m.Bitcast(k, dtype.Int64))
	i := m.shr(t, 48)
	r := m.fma(z, m.f64(m.lookup(i, tableInverse)), m.c(-1))
	head := m.fma(kf, m.c(ln2hi*0x1p-52), m.f64(m.lookup(i, tableLog)))
	rest := m.fma(kf, m.c(ln2lo*0x1p-52), m.f64(m.lookup(i, tableLogRest)))

	half := m.mul(r, m.c(-0.5))
	sq := m.mul(r, half)
	q := m.c(-0x1.7583759ed7028p+1) // times -1/2, in powers of sq
	for _, k := range [][2]float64{{0x1.c71c0b93dce7fp+0, -0x1.9aa2494391e8dp+0}, {-0x1.2492492c95fecp+0, 0x1.ffffb7de50675p-1},
		{0x1.99999999990fbp-1, -0x1.5555555956c50p-1}, {-0x1.5555555555555p-1, 0x1.ffffffffffda5p-2}} {
		q = m.fma(q, sq, m.fma(m.c(k[1]), r, m.c(k[0])))
	}
	one := m.quickSum(head, r)
	two := m.quickSum(one.hi, sq)
	rest = m.add(m.add(one.lo, rest), m.add(m.fma(half, r, m.neg(sq)), two.lo))
	return m.quickSum(two.hi, m.fma(m.mul(r, sq), q, rest))
}

// powLog is the logarithm l of x >= 0, with what it is at the edges.
func (m mb) powLog(x, l Reg) Reg {
	l = m.sel(m.lt(x, m.c(math.Inf(1))), l, x) // infinity and NaN
	return m.sel(m.eq(x, m.c(0)), m.c(math.Inf(-1)), l)
}

// powWide is exp(y*log(x)) for x >= 0 with the product in two pieces, NaN for x of 0 or infinity and y of 0.
func (m mb) powWide(x, y Reg) Reg {
	l := m.logPair(x)
	l.hi = m.powLog(x, l.hi)
	e := m.mul(l.hi, y)
	lo := m.fma(l.lo, y, m.fma(l.hi, y, m.neg(e)))
	return m.expOf(e, lo)
}

// pow64 is exp(y*log|x|) with IEEE 754's signs and special cases.
func pow64(m mb, x, y Reg) Reg {
	zero, one, inf := m.c(0), m.c(1), m.c(math.Inf(1))
	ax := m.abs(x)
	r := m.sel(m.or(m.eq(y, zero), m.eq(ax, one)), one, m.powWide(ax, y))
	// Two comparisons of near cost less than what it takes to invert one. Few truth values are needed at a time.
	near := m.rint(y)
	root := m.and(m.and(m.lt(x, zero), m.lt(ax, inf)), m.ne(near, y)) // a negative number's fractional power
	half := m.mul(y, m.c(0.5))
	odd := m.and(m.ne(m.rint(half), half), m.eq(near, y))
	r = m.f64(m.xor(m.bits(r), m.sel(odd, m.signOf(x), m.u(0))))
	return m.sel(root, m.c(math.NaN()), r)
}

// powPair is the logarithm of x >= 0 in two pieces, to about 2^-34 of it, as logPair has it, but for a last sum; NaN for the second piece at the edges.
func (m ms) powPair(x Reg) dd {
	const ln2head, ln2rest = 0x1.62e4p-1, 0x1.7f7d1cp-20 // the first of 16 places: k times it and what tables hold add up exactly
	k, i, r := m.logParts(x)
	head := m.fma(k, m.c(ln2head), m.entry(i, tableHead32))
	rest := m.fma(k, m.c(ln2rest), m.entry(i, tableRest32))
	half := m.mul(r, m.c(-0.5))
	sq := m.mul(r, half)
	q := m.fma(m.fma(r, m.c(-0x1.433a24p-1), m.c(0x1.99f5d6p-1)), sq, m.fma(r, m.c(0x1.000332p-1), m.c(-0x1.555552p-1)))
	one := m.quickSum(head, r)
	two := m.quickSum(one.hi, sq)
	rest = m.add(m.add(one.lo, rest), m.add(m.fma(half, r, m.neg(sq)), two.lo))
	return dd{two.hi, m.fma(m.mul(r, sq), q, rest)}
}

// powRest is exp(y*log(x)) for x >= 0, NaN for x of 0 or infinity and y of 0.
func (m ms) powRest(x, y Reg) Reg {
	l := m.powPair(x)
	e := m.mul(l.hi, y)
	lo := m.fma(l.lo, y, m.fma(l.hi, y, m.neg(e)))
	in := m.min(m.max(e, m.c(-140)), m.c(140))
	lo = m.sel(m.eq(in, e), lo, m.c(0))
	t := m.fma(m.add(in, lo), m.c(0.5/math.Ln2), m.c(biased32)) // lo may be a thousandth of it
	n := m.sub(t, m.c(biased32))
	r := m.add(m.fma(n, m.c(-2*ln2a32), in), m.fma(n, m.c(-2*ln2b32), lo))
	return m.scaleTwice(m.add(m.expPoly(r), m.c(1)), m.bits(t))
}

// pow32 is pow64 in float32.
func pow32(m ms, x, y Reg) Reg {
	zero, one := m.c(0), m.c(1)
	ax := m.abs(x)
	r := m.sel(m.or(m.eq(y, zero), m.eq(ax, one)), one, m.powRest(ax, y))
	near := m.rint(y)
	below := m.lt(m.signed(m.sub(m.bits(x), m.u(1))), m.Const(Const{dtype.Int32, 0xff7fffff})) // -inf < x < 0
	root := m.and(below, m.ne(near, y))
	half := m.mul(y, m.c(0.5))
	odd := m.and(m.ne(m.rint(half), half), m.eq(near, y))
	r = m.float(m.xor(m.bits(r), m.sel(odd, m.and(m.bits(x), m.u(1<<31)), m.u(0))))
	return m.sel(root, m.c(math.NaN()), r)
}
