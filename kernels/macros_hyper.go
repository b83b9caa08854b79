// SPDX-License-Identifier: BSD-3-Clause

package kernels

import "math"

// pi/2 as msun has it: the nearest float64 and what is left.
const (
	pio2hi = 1.57079632679489655800e+00
	pio2lo = 6.12323399573676603587e-17
)

// asinR is asin(x)/x - 1 as a function of z = x*x, |x| <= 1/2.
func (m mb) asinR(z Reg) Reg {
	p := m.mul(z, m.poly(z, 1.66666666666666657415e-01, -3.25565818622400915405e-01, 2.01212532134862925881e-01,
		-4.00555345006794114027e-02, 7.91534994289814532176e-04, 3.47933107596021167570e-05))
	q := m.poly(z, 1, -2.40339491173441421878e+00, 2.02094576023350569471e+00, -6.88283971605453293030e-01, 7.70381505559019352791e-02)
	return m.div(p, q)
}

// asinHalf gives, for |x| >= 1/2, s = sqrt(z) with z = (1-|x|)/2, its upper half df, the rest c, and R(z).
func (m mb) asinHalf(a Reg) (s, df, c, r Reg) {
	z := m.mul(m.sub(m.c(1), a), m.c(0.5))
	s = m.sqrt(z)
	df = m.f64(m.and(m.bits(s), m.u(0xffffffff00000000)))
	sum := m.add(s, df)
	c = m.div(m.fma(m.neg(df), df, z), m.sel(m.eq(sum, m.c(0)), m.c(1), sum))
	return s, df, c, m.asinR(z)
}

func asin64(m mb, x Reg) Reg {
	a := m.abs(x)
	small := m.fma(x, m.asinR(m.mul(x, x)), x)
	s, df, c, r := m.asinHalf(a)
	two := m.c(2)
	quarter := m.c(0.5 * pio2hi)
	t := m.sub(m.mul(two, m.mul(s, r)), m.sub(m.c(pio2lo), m.mul(two, c)))
	big := m.sub(quarter, m.sub(t, m.sub(quarter, m.mul(two, df))))
	return m.sel(m.lt(a, m.c(0.5)), small, m.f64(m.or(m.bits(big), m.signOf(x))))
}

func acos64(m mb, x Reg) Reg {
	a := m.abs(x)
	small := m.sub(m.c(pio2hi), m.sub(x, m.sub(m.c(pio2lo), m.mul(x, m.asinR(m.mul(x, x))))))
	s, df, c, r := m.asinHalf(a)
	two := m.c(2)
	right := m.mul(two, m.add(df, m.fma(r, s, c)))
	left := m.mul(two, m.sub(m.c(pio2hi), m.add(s, m.sub(m.mul(r, s), m.c(pio2lo)))))
	big := m.sel(m.lt(x, m.c(0)), left, right)
	return m.sel(m.lt(a, m.c(0.5)), small, big)
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

// expHalf is exp(a)/2 for a >= 0, finite as far as the result is.
func (m mb) expHalf(a Reg) Reg {
	y, k := m.expParts(a)
	return m.scale(y, m.sub(k, m.u(1)))
}

func sinh64(m mb, x Reg) Reg {
	a := m.abs(x)
	one := m.c(1)
	t := expm1of64(m, a)
	u := m.div(t, m.add(t, one))
	r := m.sel(m.lt(a, one), m.sub(m.mul(m.c(2), t), m.mul(t, u)), m.add(t, u))
	r = m.sel(m.lt(a, m.c(22)), m.mul(m.c(0.5), r), m.expHalf(a))
	return m.f64(m.or(m.bits(r), m.signOf(x)))
}

func cosh64(m mb, x Reg) Reg {
	a := m.abs(x)
	half := m.expHalf(a)
	return m.sel(m.lt(a, m.c(22)), m.add(half, m.div(m.c(0.25), half)), half)
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

func asinh64(m mb, x Reg) Reg {
	a := m.abs(x)
	one := m.c(1)
	sq := m.mul(a, a)
	root := m.sqrt(m.add(sq, one))
	small := log1pOf64(m, m.add(a, m.div(sq, m.add(root, one))))
	huge := m.le(m.c(0x1p28), a)
	arg := m.sel(huge, a, m.add(m.mul(m.c(2), a), m.div(one, m.add(root, a))))
	big := m.add(log64(m, arg), m.sel(huge, m.c(math.Ln2), m.c(0)))
	r := m.sel(m.lt(a, m.c(2)), small, big)
	return m.f64(m.or(m.bits(r), m.signOf(x)))
}

func acosh64(m mb, x Reg) Reg {
	one := m.c(1)
	t := m.sub(x, one)
	small := log1pOf64(m, m.add(t, m.sqrt(m.fma(t, t, m.mul(m.c(2), t)))))
	huge := m.le(m.c(0x1p28), x)
	root := m.sqrt(m.sub(m.mul(x, x), one))
	arg := m.sel(huge, x, m.sub(m.mul(m.c(2), x), m.div(one, m.add(x, root))))
	big := m.add(log64(m, arg), m.sel(huge, m.c(math.Ln2), m.c(0)))
	r := m.sel(m.lt(x, m.c(2)), small, big)
	return m.sel(m.lt(x, one), m.c(math.NaN()), r)
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
