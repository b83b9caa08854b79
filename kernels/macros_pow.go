// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"
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

// logPair is the logarithm of a finite x > 0 in two pieces, to about 2^-64 of it: log(1+f) = 2 atanh(s) =
// 2s + s*(2/3*z + z*z*q(z)), z = s*s, where all but q is in two pieces. The second piece has s*z*z*q, which is below 2^-12 of the first one
// and known later.
func (m mb) logPair(x Reg) dd {
	k, f := m.logSplit(x)
	two := m.c(2)
	den := m.add(f, two)
	inv := m.div(m.c(1), den)
	s := dd{hi: m.mul(f, inv)}
	rest := m.fma(m.neg(s.hi), m.sub(f, m.sub(den, two)), m.fma(m.neg(s.hi), den, f)) // what s.hi leaves of f
	s.lo = m.mul(rest, inv)

	twice := m.add(s.hi, s.hi)
	z := m.mul(s.hi, s.hi)
	zlo := m.fma(twice, s.lo, m.fma(s.hi, s.hi, m.neg(z)))
	const third, thirdLo = 0x1.5555555555555p-1, 0x1.5555555555555p-55 // 2/3
	q := m.poly(z, 0x1.999999999999ap-2, 0x1.2492492492481p-2, 0x1.c71c71c720423p-3, 0x1.745d1742aa5ddp-3, 0x1.3b13b2b4bc7f0p-3,
		0x1.1110a5d508543p-3, 0x1.e2078eb333ad1p-4, 0x1.ab2a6d6834c20p-4, 0x1.c1785b89baf0ap-4)
	u := m.mul(z, m.c(third))
	ulo := m.fma(m.mul(z, z), q, m.fma(zlo, m.c(third), m.fma(z, m.c(thirdLo), m.fma(z, m.c(third), m.neg(u)))))
	v := m.mul(s.hi, u)
	vlo := m.fma(s.lo, u, m.fma(s.hi, u, m.neg(v))) // without s.hi*ulo

	// The parts by size: k*ln2, 2s, v and the rest, s.hi*ulo last.
	l := m.quickSum(twice, v)
	e := m.quickSum(m.mul(k, m.c(ln2hi)), l.hi)
	lo := m.add(m.fma(two, s.lo, vlo), l.lo)
	lo = m.add(m.fma(k, m.c(ln2lo), lo), e.lo)
	return dd{e.hi, m.fma(s.hi, ulo, lo)}
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
	// An exponent beyond 2^64 gives 0, 1 or infinity like 2^64 does.
	yc := m.min(m.max(y, m.c(-0x1p64)), m.c(0x1p64))
	e := m.mul(l.hi, yc)
	lo := m.fma(l.lo, yc, m.fma(l.hi, yc, m.neg(e)))
	lo = m.sel(m.lt(m.abs(e), m.c(800)), lo, m.c(0))
	return m.expOf(e, lo)
}

// powShort is powWide to about 2^-28 for operands that were float32: 40 bits of the logarithm do.
func (m mb) powShort(x, y Reg) Reg {
	u := m.add(m.bits(x), m.u(0x3ff0000000000000-0x3fe6a09e00000000))
	k := m.sub(m.f64(m.or(m.shr(u, 52), m.u(0x4330000000000000))), m.c(0x1p52+1023))
	f := m.sub(m.f64(m.add(m.and(u, m.u(1<<52-1)), m.u(0x3fe6a09e00000000))), m.c(1))
	s := m.div(f, m.add(f, m.c(2)))
	z := m.mul(s, s)
	l := m.fma(m.mul(s, z), m.poly(z, 0x1.555554fc95b41p-1, 0x1.999a7cb862c3fp-2, 0x1.24383bc5d3415p-2, 0x1.e30fa87b64744p-3), m.add(s, s))
	l = m.powLog(x, m.fma(k, m.c(math.Ln2), l))
	y = m.min(m.max(y, m.c(-0x1p64)), m.c(0x1p64)) // see powWide
	e := m.min(m.max(m.mul(l, y), m.c(-200)), m.c(200))
	t := m.fma(e, m.c(1/math.Ln2), m.c(shifter+1023))
	r := m.fma(m.sub(t, m.c(shifter+1023)), m.c(-math.Ln2), e)
	p := m.fma(m.mul(r, r), m.poly(r, 0.5, 0.1666666567325592, 0.04166628047823906, 0.00833350419998169, 0.0013945727841928601, 0.00019789139332715422), r)
	return m.mul(m.add(p, m.c(1)), m.f64(m.shl(m.bits(t), 52)))
}

// pow64 is exp(y*log|x|) with IEEE 754's signs and special cases.
func pow64(m mb, x, y Reg) Reg {
	zero, one, inf := m.c(0), m.c(1), m.c(math.Inf(1))
	ax := m.abs(x)
	var r Reg
	if m.short {
		r = m.powShort(ax, y)
	} else {
		r = m.powWide(ax, y)
	}
	near := m.rint(y)
	whole, broken := m.eq(near, y), m.ne(near, y) // two comparisons cost less than what it takes to invert one
	half := m.mul(y, m.c(0.5))
	odd := m.and(whole, m.ne(m.rint(half), half))
	r = m.f64(m.xor(m.bits(r), m.sel(odd, m.signOf(x), m.u(0))))
	root := m.and(m.and(m.lt(x, zero), m.lt(ax, inf)), broken) // a negative number's fractional power
	r = m.sel(root, m.c(math.NaN()), r)
	return m.sel(m.or(m.eq(y, zero), m.eq(x, one)), one, r)
}
