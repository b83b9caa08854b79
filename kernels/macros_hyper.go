// SPDX-License-Identifier: BSD-3-Clause

package kernels

import "math"

// pi/2 as msun has it: the nearest float64 and what is left.
const (
	pio2hi = 1.57079632679489655800e+00
	pio2lo = 6.12323399573676603587e-17
)

// asinParts gives asin(a) for a up to 1/2; beyond, where big is true, asin(sqrt((1-a)/2)), half of what a lacks of a right angle.
func (m mb) asinParts(a Reg) (big, p Reg) {
	big = m.lt(m.c(0.5), a)
	z := m.sel(big, m.fma(a, m.c(-0.5), m.c(0.5)), m.mul(a, a))
	s := m.sel(big, m.sqrt(z), a)
	r := m.poly(z, 0x1.555555555556fp-3, 0x1.333333332eea2p-4, 0x1.6db6db718cec9p-5, 0x1.f1c71ac05a7f8p-6, 0x1.6e8bda9f3e22fp-6, 0x1.1c4a35a7ab1d6p-6,
		0x1.ca1996a2cb20dp-7, 0x1.75b2d98c4395cp-7, 0x1.604ec46ccad19p-7, 0x1.f32ff3d6fe603p-9, 0x1.5fcc237847ab6p-6, -0x1.52d98a8239d69p-6, 0x1.09bd3a59302f0p-5)
	return big, m.fma(m.mul(s, z), r, s)
}

func asin64(m mb, x Reg) Reg {
	big, p := m.asinParts(m.abs(x))
	far := m.add(m.fma(p, m.c(-2), m.c(pio2lo)), m.c(pio2hi))
	return m.withSign(m.sel(big, far, p), m.signOf(x))
}

func acos64(m mb, x Reg) Reg {
	big, p := m.asinParts(m.abs(x))
	far := m.sel(m.lt(x, m.c(0)), m.add(m.fma(p, m.c(-2), m.c(2*pio2lo)), m.c(2*pio2hi)), m.add(p, p))
	near := m.sub(m.c(pio2hi), m.sub(m.withSign(p, m.signOf(x)), m.c(pio2lo)))
	return m.sel(big, far, near)
}

// atanRanges are msun's: where |x| is at least from, atan(x) = hi + lo + atan((x*n1 - n0) / (x*d1 + d0)).
var atanRanges = []struct{ from, n1, n0, d1, d0, hi, lo float64 }{
	{7.0 / 16, 2, 1, 1, 2, 4.63647609000806093515e-01, 2.26987774529616870924e-17},
	{11.0 / 16, 1, 1, 1, 1, 7.85398163397448278999e-01, 3.06161699786838301793e-17},
	{19.0 / 16, 1, 1.5, 1.5, 1, 9.82793723247329054082e-01, 1.39033110312309984516e-17},
	{39.0 / 16, 0, 1, 1, 0, 1.57079632679489655800e+00, 6.12323399573676603587e-17},
}

func atan64(m mb, x Reg) Reg {
	a := m.abs(x)
	num, den := a, m.c(1)
	hi, lo := m.c(0), m.c(0)
	for _, r := range atanRanges {
		in := m.le(m.c(r.from), a)
		num = m.sel(in, m.atanLine(a, r.n1, -r.n0), num)
		den = m.sel(in, m.atanLine(a, r.d1, r.d0), den)
		hi = m.sel(in, m.c(r.hi), hi)
		lo = m.sel(in, m.c(r.lo), lo)
	}
	t := m.div(num, den)
	z := m.mul(t, t)
	s := m.mul(z, m.poly(z, 3.33333333333329318027e-01, -1.99999999998764832476e-01, 1.42857142725034663711e-01,
		-1.11111104054623557880e-01, 9.09088713343650656196e-02, -7.69187620504482999495e-02, 6.66107313738753120669e-02,
		-5.83357013379057348645e-02, 4.97687799461593236017e-02, -3.65315727442169155270e-02, 1.62858201153657823623e-02))
	r := m.sub(hi, m.sub(m.sub(m.mul(t, s), lo), t))
	return m.f64(m.or(m.bits(r), m.signOf(x)))
}

// atanLine is a*k + d.
func (m mb) atanLine(a Reg, k, d float64) Reg {
	switch {
	case k == 0:
		return m.c(d)
	case k != 1:
		a = m.mul(a, m.c(k))
	}
	if d == 0 {
		return a
	}
	return m.add(a, m.c(d))
}

func atan2of64(m mb, y, x Reg) Reg {
	ay, ax := m.abs(y), m.abs(x)
	inf := m.c(math.Inf(1))
	q := m.div(ay, ax)
	q = m.sel(m.and(m.eq(ay, inf), m.eq(ax, inf)), m.c(1), q)
	q = m.sel(m.and(m.eq(ay, m.c(0)), m.eq(ax, m.c(0))), m.c(0), q)
	z := atan64(m, q)
	left := m.sub(m.c(math.Pi), m.sub(z, m.c(2*pio2lo)))
	z = m.sel(m.ne(m.signOf(x), m.u(0)), left, z)
	return m.f64(m.or(m.bits(z), m.signOf(y)))
}

// hyperParts gives, for a >= 0, sinh(a) and cosh(a) times 2^(1-n), and 2^(n-2), as that of ms does.
func (m mb) hyperParts(a Reg) (sinh, cosh, scale Reg) {
	const shift = shifter + 1023 - 2
	in := m.min(a, m.c(711)) // where results are infinite
	t := m.fma(in, m.c(1/math.Ln2), m.c(shift))
	n := m.sub(t, m.c(shift))
	r := m.fma(n, m.c(-ln2lo), m.fma(n, m.c(-ln2hi), in))
	z := m.mul(r, r)
	c := m.mul(z, m.poly(z, 0x1.000000000000bp-1, 0x1.555555555033cp-5, 0x1.6c16c1851e216p-10, 0x1.a01997ce330a6p-16, 0x1.28af4ba55c8a8p-22)) // less 1
	s := m.fma(m.mul(r, z), m.poly(z, 0x1.5555555555559p-3, 0x1.111111110f7efp-7, 0x1.a01a01af737f9p-13, 0x1.71ddf959acb47p-19, 0x1.af5d167c10615p-26), r)
	inv := m.f64(m.shl(m.bits(m.fma(m.min(n, m.c(60)), m.c(-2), m.c(biasedShifter))), 52)) // 1/4^n
	more, less := m.add(m.c(1), inv), m.sub(m.c(1), inv)
	return m.fma(s, more, m.fma(c, less, less)), m.fma(s, less, m.fma(c, more, more)), m.f64(m.shl(m.bits(t), 52))
}

func sinh64(m mb, x Reg) Reg {
	s, _, scale := m.hyperParts(m.abs(x))
	return m.withSign(m.mul(m.add(s, s), scale), m.signOf(x))
}

func cosh64(m mb, x Reg) Reg {
	_, c, scale := m.hyperParts(m.abs(x))
	return m.mul(m.add(c, c), scale)
}

func tanh64(m mb, x Reg) Reg {
	a := m.abs(x)
	two := m.c(2)
	t := expm1of64(m, m.mul(two, a))
	small := m.div(t, m.add(t, two))
	big := m.sub(m.c(1), m.div(two, m.add(t, two)))
	r := m.sel(m.lt(a, m.c(0.5493061443340549)), small, big)
	return m.f64(m.or(m.bits(r), m.signOf(x)))
}

// asinh64 is log1p(a + a*a/(1 + sqrt(1 + a*a))); from 2^60 on, log(a) + ln(2).
func asinh64(m mb, x Reg) Reg {
	a := m.abs(x)
	one := m.c(1)
	sq := m.mul(a, a)
	arg := m.add(a, m.div(sq, m.add(m.sqrt(m.add(sq, one)), one)))
	return m.withSign(m.logTwice(a, arg), m.signOf(x))
}

func acosh64(m mb, x Reg) Reg {
	one := m.c(1)
	t := m.sub(x, one)
	r := m.logTwice(x, m.add(t, m.sqrt(m.fma(t, t, m.add(t, t)))))
	return m.sel(m.lt(x, one), m.c(math.NaN()), r)
}

// logTwice is log1p(arg), of huge a log(2a).
func (m mb) logTwice(a, arg Reg) Reg {
	huge := m.le(m.c(0x1p60), a)
	return m.add(log1pOf64(m, m.sel(huge, a, arg)), m.sel(huge, m.c(math.Ln2), m.c(0)))
}

func atanh64(m mb, x Reg) Reg {
	a := m.abs(x)
	one := m.c(1)
	q := m.div(a, m.sub(one, a))
	twice := m.add(a, a)
	arg := m.sel(m.lt(a, m.c(0.5)), m.fma(twice, q, twice), m.mul(m.c(2), q))
	r := m.mul(m.c(0.5), log1pOf64(m, arg))
	return m.f64(m.or(m.bits(r), m.signOf(x)))
}
