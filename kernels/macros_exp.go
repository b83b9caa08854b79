// SPDX-License-Identifier: BSD-3-Clause

package kernels

import "math"

// ln2 in pieces: ln2hi has 33 bits, so that k*ln2hi is exact for exponents k; ln2tail is ln2 - math.Ln2.
const (
	ln2hi   = 6.93147180369123816490e-01
	ln2lo   = 1.90821492927058770002e-10
	ln2tail = 2.3190468138462996e-17
)

// expTail are the coefficients of (exp(r) - 1 - r)/r^2 for |r| <= 0.35, error of exp(r) below 2^-57.
var expTail = []float64{0x1.000000000000ap-1, 0x1.55555555554f1p-3, 0x1.555555555029ep-5, 0x1.1111111129957p-7, 0x1.6c16c1858dc76p-10,
	0x1.a01a01232564ep-13, 0x1.a019960f4bc28p-16, 0x1.71df2f05e73a1p-19, 0x1.28b14ca9f6c36p-22, 0x1.ad7a3fe72a759p-26}

// biasedShifter is shifter with the bias of exponents.
const biasedShifter = shifter + 1023

// expWide are the coefficients of (exp(r) - 1 - r)/r^2 for |r| <= ln2, error of exp(r) below 2^-55.
var expWide = []float64{0x1.fffffffffffebp-2, 0x1.555555555554bp-3, 0x1.5555555557003p-5, 0x1.11111111122ffp-7, 0x1.6c16c16946676p-10, 0x1.a01a019d39b43p-13,
	0x1.a01a05fc9595dp-16, 0x1.71de3df0b88bfp-19, 0x1.27e1914d1d735p-22, 0x1.ae5f94e09b697p-26, 0x1.218e4126349cdp-29, 0x1.644fe87a371cap-33}

// exp64 reduces by even multiples of ln2: the polynomial has two terms more, and 2^n is the square of one number.
func exp64(m mb, x Reg) Reg {
	x = m.min(m.max(x, m.c(-746)), m.c(712))
	t := m.fma(x, m.c(0.5/math.Ln2), m.c(biasedShifter))
	n := m.sub(t, m.c(biasedShifter))
	r := m.fma(n, m.c(-2*ln2lo), m.fma(n, m.c(-2*ln2hi), x))
	return m.scaleTwice(m.add(m.fma(m.mul(r, r), m.poly(r, expWide...), r), m.c(1)), m.bits(t))
}

// expOf is exp(x + lo), |lo| < 2^-40, where x is in the range of results, else of x alone: 2^(n/16) from a table times exp of a rest below ln2/32.
func (m mb) expOf(x, lo Reg) Reg {
	const shift = shifter + 16*2*1023
	in := m.min(m.max(x, m.c(-746)), m.c(712))
	lo = m.sel(m.eq(in, x), lo, m.c(0))
	t := m.fma(in, m.c(16/math.Ln2), m.c(shift))
	n := m.sub(t, m.c(shift))
	r := m.add(m.fma(n, m.c(-ln2hi/16), in), m.fma(n, m.c(-ln2lo/16), lo))
	sq := m.mul(r, r)
	p := m.fma(sq, m.poly(r, 0x1.0000000000005p-1, 0x1.555555548fbefp-3, 0x1.555555545d3d7p-5, 0x1.11123a9298e97p-7, 0x1.6c185eec3192ap-10), r)
	k := m.bits(t)
	h := m.shr(k, 5) // the exponent fields of two factors are the halves of the sum's; the table's entries have none of their own
	s := m.f64(m.add(m.lookup(k, tablePower), m.shl(h, 52)))
	return m.mul(m.fma(s, p, s), m.f64(m.shl(m.sub(m.shr(k, 4), h), 52)))
}

func exp2of64(m mb, x Reg) Reg {
	x = m.min(m.max(x, m.c(-1080)), m.c(1026))
	t := m.fma(x, m.c(0.5), m.c(biasedShifter))
	r := m.fma(m.sub(t, m.c(biasedShifter)), m.c(-2), x)
	// (2^r - 1)/r for |r| <= 1
	p := m.poly(r, 0x1.62e42fefa39efp-1, 0x1.ebfbdff82c57cp-3, 0x1.c6b08d704a15fp-5, 0x1.3b2ab6fba6572p-7, 0x1.5d87fe789ad81p-10, 0x1.430912f60eef2p-13,
		0x1.ffcbfc6d8d75bp-17, 0x1.62c025ce726e3p-20, 0x1.b5252bd2f8ec9p-24, 0x1.e4c9db00e7d7fp-28, 0x1.e8d765bed556ap-32, 0x1.c7d4a49863d2ep-36, 0x1.7f2297d15e8a7p-40)
	return m.scaleTwice(m.fma(r, p, m.c(1)), m.bits(t))
}

// expm1of64 is 2^n*expm1(r) + (2^n - 1), in halves: 2^n may be infinite where the sum is not.
func expm1of64(m mb, x Reg) Reg {
	e, t := m.expm1Rest(m.min(m.max(x, m.c(-40)), m.c(710)), shifter+1022)
	half := m.f64(m.shl(t, 52))
	y := m.fma(half, e, m.sub(half, m.c(0.5)))
	return m.sel(m.lt(m.abs(x), m.c(0x1p-54)), x, m.add(y, y))
}

// expm1Rest is expm1(r) with x = n*ln2 + r, and the bits of n + shift.
func (m mb) expm1Rest(x Reg, shift float64) (e, k Reg) {
	t := m.fma(x, m.c(1/math.Ln2), m.c(shift))
	n := m.sub(t, m.c(shift))
	r := m.fma(n, m.c(-ln2lo), m.fma(n, m.c(-ln2hi), x))
	return m.fma(m.mul(r, r), m.poly(r, expTail...), r), m.bits(t)
}

// logSplit returns, for x > 0, k and f with x = 2^k * (1+f), 3/4 <= 1+f < 3/2. At 0 and at infinity k is the logarithm, for what is below 0 it is NaN.
func (m mb) logSplit(x Reg) (k, f Reg) {
	return m.op(OpExponent, x), m.sub(m.op(OpSignificand, x), m.c(1))
}

// logRest is log(1+f) for 0.7 < 1+f < 1.5: 2 atanh(s) with s = f/(2+f).
func (m mb) logRest(f Reg) Reg {
	s := m.div(f, m.add(f, m.c(2)))
	z := m.mul(s, s)
	p := m.poly(z, 0x1.5555555555766p-1, 0x1.99999998f2f7ap-2, 0x1.249249b15583cp-2, 0x1.c71c0199cb316p-3, 0x1.7474e2b582774p-3, 0x1.38525aabff133p-3, 0x1.3ac4d35fe774ep-3)
	return m.fma(m.mul(s, z), p, m.add(s, s))
}

// logSum is k*ln2 + log(1+f).
func (m mb) logSum(k, f Reg) Reg {
	return m.add(m.mul(k, m.c(ln2hi)), m.fma(k, m.c(ln2lo), m.logRest(f)))
}

func log64(m mb, x Reg) Reg { return m.logSum(m.logSplit(x)) }

func log1pOf64(m mb, x Reg) Reg { return m.log1pEdges(x, m.log1pIn(x)) }

// log1pIn is log1p(x) for x > -1. It takes the exponent k from 1 + x and its rest from x itself: f = x/2^k + (1/2^k - 1), with 4 times the factor, which may be
// too small.
func (m mb) log1pIn(x Reg) Reg {
	u := m.shr(m.add(m.bits(m.add(x, m.c(1))), m.u(0x3ff0000000000000-0x3fe6a09e00000000)), 52)
	k := m.sub(m.f64(m.or(u, m.u(0x4330000000000000))), m.c(0x1p52+1023))
	by := m.f64(m.shl(m.sub(m.u(2*1023+2), u), 52))
	r := m.logSum(k, m.fma(m.mul(x, m.c(0.25)), by, m.fma(by, m.c(0.25), m.c(-1))))
	r = m.sel(m.lt(m.abs(x), m.c(0x1p-54)), x, r)
	return m.sel(m.lt(x, m.c(math.Inf(1))), r, x) // inf and NaN
}

// log1pEdges puts in the values of log1p, in x's own dtype, from -1 on: -inf, NaN below it.
func (m mb) log1pEdges(x, r Reg) Reg {
	least := m.num(x, -1)
	return m.sel(m.le(x, least), m.sel(m.eq(x, least), m.num(x, math.Inf(-1)), m.num(x, math.NaN())), r)
}

// log2of64 is k + log(1+f)/log(2).
func log2of64(m mb, x Reg) Reg {
	k, f := m.logSplit(x)
	return m.fma(m.logRest(f), m.c(1/math.Ln2), k)
}

// log10of64 has log10(2) in two pieces, so that powers of 10 have whole numbers. Both are above 0, as their multiples meet where k is infinite.
func log10of64(m mb, x Reg) Reg {
	k, f := m.logSplit(x)
	return m.fma(k, m.c(0x1.34413509f79fep-2), m.fma(m.logRest(f), m.c(1/math.Ln10), m.mul(k, m.c(0x1.e623e2566b02ep-55))))
}

func logaddexp64(m mb, x, y Reg) Reg {
	d := m.abs(m.sub(x, y))
	r := m.add(m.max(x, y), m.log1pIn(exp64(m, m.neg(d))))
	return m.sel(m.eq(x, y), m.add(x, m.c(math.Ln2)), r)
}

func logaddexp2of64(m mb, x, y Reg) Reg {
	d := m.abs(m.sub(x, y))
	r := m.mul(m.log1pIn(exp2of64(m, m.neg(d))), m.c(1/math.Ln2))
	return m.sel(m.eq(x, y), m.add(x, m.c(1)), m.add(m.max(x, y), r))
}

// cbrt64 starts from a line in the bits, which are nearly a logarithm, for the inverse of the root (off by 1/29 at most), has six terms of 1/cbrt(1-h)
// make 32 bits of that right, and corrects the root by what its cube, in two pieces, is off.
func cbrt64(m mb, x Reg) Reg {
	a := m.abs(x)
	small := m.lt(a, m.c(0x1p-1022))
	v := m.sel(small, m.mul(a, m.c(0x1p54)), a)
	// A third of the bits in units of 2^12, with a third of 2^52 that comes from making a number of them.
	t := m.fma(m.f64(m.or(m.shr(m.bits(v), 12), m.u(0x433<<52))), m.c(1.0/3), m.c(0x1p52))
	y := m.f64(m.sub(m.u(rootBits), m.shl(m.bits(t), 12)))
	h := m.fma(m.neg(v), m.mul(m.mul(y, y), y), m.c(1))
	y = m.fma(m.mul(y, h), m.poly(h, 0x1.55555636b6330p-2, 0x1.c71c6c0bf26ccp-3, 0x1.61f466b992520p-3, 0x1.2700eee0bbcabp-3, 0x1.0385b514200f5p-3, 0x1.c68ea79bb0fc0p-4), y)
	sq := m.mul(y, y)
	r := m.mul(v, sq)
	r2 := m.twoProd(r, r)
	off := m.sub(m.fma(m.neg(r2.hi), r, v), m.mul(r2.lo, r))
	r = m.fma(m.mul(off, sq), m.c(1.0/3), r)
	r = m.sel(small, m.mul(r, m.c(0x1p-18)), r)
	return m.sel(m.and(m.lt(m.c(0), a), m.finite(x)), m.withSign(r, m.signOf(x)), x)
}

// rootBits is what a third of a number's bits is subtracted from, with the third of 2^52 moved up by 12 bits.
const rootBits = 0xaa9447ffffffffff
