// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Hyperbolic functions, their inverses and what they are made of in float32, and the cube root.

// hyperParts gives, for a >= 0, sinh(a) and cosh(a) times 2^(1-n), and 2^(n-2): with a = n*ln2 + r they are made of sinh(r) and cosh(r), polynomials,
// and 1/4^n, without a division. Nothing cancels: where n is 0 sinh(a) is sinh(r).
func (m ms) hyperParts(a Reg) (sinh, cosh, scale Reg) {
	const shift = shifter32 + 127 - 2
	in := m.min(a, m.c(90)) // where results are infinite
	t := m.fma(in, m.c(1/math.Ln2), m.c(shift))
	n := m.sub(t, m.c(shift))
	r := m.fma(n, m.c(-ln2b32), m.fma(n, m.c(-ln2a32), in))
	z := m.mul(r, r)
	c := m.mul(z, m.poly(z, 0.5, 0.04166627, 0.0013946064)) // less 1
	s := m.fma(m.mul(r, z), m.poly(z, 0.16666667, 0.008333289, 0.0001990497), r)
	inv := m.float(m.shl(m.bits(m.fma(m.min(n, m.c(30)), m.c(-2), m.c(shifter32+127))), 23))
	more, less := m.add(m.c(1), inv), m.sub(m.c(1), inv)
	return m.fma(s, more, m.fma(c, less, less)), m.fma(s, less, m.fma(c, more, more)), m.float(m.shl(m.bits(t), 23))
}

func sinh32(m ms, x Reg) Reg {
	s, _, scale := m.hyperParts(m.abs(x))
	return m.signed32(m.mul(m.add(s, s), scale), x)
}

func cosh32(m ms, x Reg) Reg {
	_, c, scale := m.hyperParts(m.abs(x))
	return m.mul(m.add(c, c), scale)
}

// tanh32 is e/(e + 2) with e = expm1(2a).
func tanh32(m ms, x Reg) Reg {
	const shift = shifter32 + 127
	a := m.abs(x)
	rest, t := m.expm1Rest(m.min(m.add(a, a), m.c(20)), shift)
	by := m.float(m.shl(t, 23))
	e := m.fma(by, rest, m.sub(by, m.c(1)))
	return m.signed32(m.div(e, m.add(e, m.c(2))), x)
}

// expm1Rest is expm1(r) with x = n*ln2 + r, and the bits of n + shift.
func (m ms) expm1Rest(x Reg, shift float64) (e, k Reg) {
	t := m.fma(x, m.c(1/math.Ln2), m.c(shift))
	n := m.sub(t, m.c(shift))
	r := m.fma(n, m.c(-ln2b32), m.fma(n, m.c(-ln2a32), x))
	return m.fma(m.mul(r, r), m.poly(r, 0.5, 0.16666666, 0.041666348, 0.0083333915, 0.0013941625, 0.0001984616), r), m.bits(t)
}

// expm1of32 is 2^n*expm1(r) + (2^n - 1), in halves: 2^n may be infinite where the sum is not.
func expm1of32(m ms, x Reg) Reg {
	e, t := m.expm1Rest(m.min(m.max(x, m.c(-18)), m.c(maxExp32)), shifter32+126)
	half := m.float(m.shl(t, 23))
	y := m.fma(half, e, m.sub(half, m.c(0.5)))
	return m.sel(m.lt(m.abs(x), m.c(0x1p-26)), x, m.add(y, y))
}

func log1pOf32(m ms, x Reg) Reg { return m.log1pEdges(x, m.log1pIn(x)) }

// log1pIn is log1p(x) for x > -1. It takes the exponent k from 1 + x and its rest from x itself: f = x/2^k + (1/2^k - 1), with 4 times the factor, which may be
// too small. It is k*ln2 + log(1+f).
func (m ms) log1pIn(x Reg) Reg {
	u := m.shr(m.add(m.bits(m.add(x, m.c(1))), m.u(0x3f800000-0x3f3504f3)), 23)
	k := m.sub(m.float(m.or(u, m.u(0x4b000000))), m.c(0x1p23+127))
	by := m.float(m.shl(m.sub(m.u(2*127+2), u), 23))
	f := m.fma(m.mul(x, m.c(0.25)), by, m.fma(by, m.c(0.25), m.c(-1)))
	y := m.fma(m.mul(f, f), m.poly(f, -0.4999999, 0.33333945, -0.25001776, 0.19962206, -0.16570035, 0.14916411, -0.14310539, 0.08742538), f)
	r := m.sel(m.lt(m.abs(x), m.c(0x1p-26)), x, m.fma(k, m.c(ln2a32), m.fma(k, m.c(ln2b32), y)))
	return m.sel(m.lt(x, m.c(math.Inf(1))), r, x)
}

// asinh32 is log1p(a + a*a/(1 + sqrt(1 + a*a))); from 2^30 on, log(a) + ln(2).
func asinh32(m ms, x Reg) Reg {
	a := m.abs(x)
	sq := m.mul(a, a)
	arg := m.add(a, m.div(sq, m.add(m.sqrt(m.add(sq, m.c(1))), m.c(1))))
	return m.signed32(m.logTwice(a, arg), x)
}

func acosh32(m ms, x Reg) Reg {
	t := m.sub(x, m.c(1))
	r := m.logTwice(x, m.add(t, m.sqrt(m.fma(t, t, m.add(t, t)))))
	return m.sel(m.lt(x, m.c(1)), m.c(math.NaN()), r)
}

// logTwice is log1p(arg), of huge a log(2a).
func (m ms) logTwice(a, arg Reg) Reg {
	huge := m.le(m.c(0x1p30), a)
	return m.add(m.log1pIn(m.sel(huge, a, arg)), m.sel(huge, m.c(math.Ln2), m.c(0)))
}

func atanh32(m ms, x Reg) Reg {
	a := m.abs(x)
	r := log1pOf32(m, m.div(m.add(a, a), m.sub(m.c(1), a)))
	return m.signed32(m.mul(m.c(0.5), r), x)
}

// cbrt32 starts from a line in the bits, which are nearly a logarithm, for the inverse of the root (off by 1/29 at most), has three terms of
// 1/cbrt(1-h) make 18 bits of that right, and corrects the root by what its cube is off.
func cbrt32(m ms, x Reg) Reg {
	// A third of the bits in units of 2^8, by the sum with a number whose last place that is, and what its bits are moved up.
	const third, moved = 0x1.8p31, 0x40000000
	a := m.abs(x)
	small := m.lt(a, m.c(0x1p-126))
	v := m.sel(small, m.mul(a, m.c(0x1p24)), a)
	t := m.fma(m.Cast(m.signed(m.bits(v)), dtype.Float32), m.c(1.0/3), m.c(third))
	y := m.float(m.sub(m.u(0x54a24000+moved), m.shl(m.bits(t), 8)))
	h := m.fma(m.neg(v), m.mul(m.mul(y, y), y), m.c(1))
	y = m.fma(m.mul(y, h), m.poly(h, 0.3333356, 0.2235181, 0.17288934), y)
	sq := m.mul(y, y)
	r := m.mul(v, sq)
	off := m.fma(m.neg(m.mul(r, r)), r, v)
	r = m.fma(m.mul(off, sq), m.c(1.0/3), r)
	r = m.sel(small, m.mul(r, m.c(0x1p-8)), r)
	return m.sel(m.and(m.lt(m.c(0), a), m.lt(a, m.c(math.Inf(1)))), m.signed32(r, x), x)
}
