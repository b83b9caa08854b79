// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Hyperbolic functions, their inverses and what they are made of in float32, and the cube root.

// halfExp is exp(a)/2 for a >= 0: finite as far as the hyperbolic functions are.
func (m ms) halfExp(a Reg) Reg {
	r, t := m.expRest(m.min(a, m.c(91)))
	return m.scaleTwice(m.fma(r, m.c(0.5), m.c(0.5)), t)
}

// sinh32 is a polynomial below 1, where the exponentials cancel.
func sinh32(m ms, x Reg) Reg {
	a := m.abs(x)
	z := m.mul(x, x)
	small := m.fma(m.mul(a, z), m.poly(z, 0.16666667, 0.00833335, 0.00019836161, 2.8169466e-06), a)
	e := m.halfExp(a)
	return m.signed32(m.sel(m.lt(a, m.c(1)), small, m.sub(e, m.div(m.c(0.25), e))), x)
}

func cosh32(m ms, x Reg) Reg {
	e := m.halfExp(m.abs(x))
	return m.add(e, m.div(m.c(0.25), e))
}

// expm1of32 is 2^n*expm1(r) + (2^n - 1), in halves: 2^n may be infinite where the sum is not.
func expm1of32(m ms, x Reg) Reg {
	const shift = shifter32 + 126
	in := m.min(m.max(x, m.c(-18)), m.c(maxExp32))
	t := m.fma(in, m.c(1/math.Ln2), m.c(shift))
	n := m.sub(t, m.c(shift))
	r := m.fma(n, m.c(-ln2b32), m.fma(n, m.c(-ln2a32), in))
	e := m.fma(m.mul(r, r), m.poly(r, 0.5, 0.16666666, 0.041666348, 0.0083333915, 0.0013941625, 0.0001984616), r)
	half := m.float(m.shl(m.bits(t), 23))
	y := m.fma(half, e, m.sub(half, m.c(0.5)))
	return m.sel(m.lt(m.abs(x), m.c(0x1p-26)), x, m.add(y, y))
}

// log1pOf32 takes the exponent k from 1 + x and its rest from x itself: f = x/2^k + (1/2^k - 1), with 4 times the factor, which may be
// too small.
func log1pOf32(m ms, x Reg) Reg {
	u := m.shr(m.add(m.bits(m.add(x, m.c(1))), m.u(0x3f800000-0x3f3504f3)), 23)
	k := m.sub(m.float(m.or(u, m.u(0x4b000000))), m.c(0x1p23+127))
	by := m.float(m.shl(m.sub(m.u(2*127+2), u), 23))
	f := m.fma(m.mul(x, m.c(0.25)), by, m.fma(by, m.c(0.25), m.c(-1)))
	hfsq, p := m.logRest(f)
	r := m.fma(k, m.c(ln2a32), m.sub(f, m.sub(hfsq, m.fma(k, m.c(ln2b32), p))))
	r = m.sel(m.lt(m.abs(x), m.c(0x1p-26)), x, r)
	return m.logEdges(x, r, m.c(-1))
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
	return m.add(log1pOf32(m, m.sel(huge, a, arg)), m.sel(huge, m.c(math.Ln2), m.c(0)))
}

func atanh32(m ms, x Reg) Reg {
	a := m.abs(x)
	r := log1pOf32(m, m.div(m.add(a, a), m.sub(m.c(1), a)))
	return m.signed32(m.mul(m.c(0.5), r), x)
}

// cbrt32 starts from a line in the bits, which are nearly a logarithm, for the inverse of the root (off by 1/29 at most), has Newton's
// rule with two terms more and then without make that exact enough, and corrects the root by what its cube is off.
func cbrt32(m ms, x Reg) Reg {
	// A third of the bits in units of 2^8, by the sum with a number whose last place that is, and what its bits are moved up.
	const third, moved = 0x1.8p31, 0x40000000
	a := m.abs(x)
	small := m.lt(a, m.c(0x1p-126))
	v := m.sel(small, m.mul(a, m.c(0x1p24)), a)
	t := m.fma(m.Cast(m.signed(m.bits(v)), dtype.Float32), m.c(1.0/3), m.c(third))
	y := m.float(m.sub(m.u(0x54a24000+moved), m.shl(m.bits(t), 8)))
	h := m.fma(m.neg(v), m.mul(m.mul(y, y), y), m.c(1))
	y = m.fma(m.mul(y, h), m.fma(h, m.fma(h, m.c(14.0/81), m.c(2.0/9)), m.c(1.0/3)), y)
	h = m.fma(m.neg(v), m.mul(m.mul(y, y), y), m.c(1))
	y = m.fma(m.mul(y, h), m.c(1.0/3), y)
	sq := m.mul(y, y)
	r := m.mul(v, sq)
	off := m.fma(m.neg(m.mul(r, r)), r, v)
	r = m.fma(m.mul(off, sq), m.c(1.0/3), r)
	r = m.sel(small, m.mul(r, m.c(0x1p-8)), r)
	return m.sel(m.and(m.lt(m.c(0), a), m.lt(a, m.c(math.Inf(1)))), m.signed32(r, x), x)
}
