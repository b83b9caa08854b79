// SPDX-License-Identifier: BSD-3-Clause

package kernels

import "math"

// Tangent and inverse functions of angles in float32; polynomials are of z, the square of what they are about.

// tan32 reduces by multiples of pi/2, for odd ones of which it is -1/tan(r).
func tan32(m ms, x Reg) Reg {
	t := m.fma(x, m.c(2/math.Pi), m.c(shifter32))
	n := m.sub(t, m.c(shifter32))
	r := m.fma(n, m.c(-pic32/2), m.fma(n, m.c(-pib32/2), m.fma(n, m.c(-pia32/2), x)))
	z := m.mul(r, r)
	y := m.fma(m.mul(r, z), m.poly(z, 0.3333335, 0.13332659, 0.054060373, 0.021279635, 0.010842837, 8.017954e-05, 0.00438109), r)
	odd := m.ne(m.and(m.bits(t), m.u(1)), m.u(0))
	y = m.div(m.sel(odd, m.c(-1), y), m.sel(odd, y, m.c(1)))
	return m.largeAngles(x, y, tangents32)
}

// atanIn is atan(t) for |t| <= 1.
func (m ms) atanIn(t Reg) Reg {
	z := m.mul(t, t)
	p := m.poly(z, -0.333333, 0.1999855, -0.14264266, 0.10952303, -0.084037684, 0.057962712, -0.031182684, 0.010917089, -0.0017941557)
	return m.fma(m.mul(t, z), p, t)
}

// atan32 is pi/2 - atan(1/|x|) beyond 1.
func atan32(m ms, x Reg) Reg {
	a := m.abs(x)
	big := m.lt(m.c(1), a)
	r := m.atanIn(m.div(m.sel(big, m.c(-1), a), m.sel(big, a, m.c(1))))
	return m.signed32(m.add(r, m.sel(big, m.c(math.Pi/2), m.c(0))), x)
}

// atan2of32 divides the shorter side by the longer one. Sides of one length give 1, infinite ones too, 0 where there is none.
func atan2of32(m ms, y, x Reg) Reg {
	ay, ax := m.abs(y), m.abs(x)
	zero := m.c(0)
	t := m.sel(m.eq(ax, ay), m.sel(m.eq(ax, zero), zero, m.c(1)), m.div(m.min(ax, ay), m.max(ax, ay)))
	r := m.atanIn(t)
	r = m.sel(m.lt(ax, ay), m.sub(m.c(math.Pi/2), r), r)
	left := m.ne(m.and(m.bits(x), m.u(1<<31)), m.u(0))
	return m.signed32(m.sel(left, m.sub(m.c(math.Pi), r), r), y)
}

// asinParts gives asin(a) for a up to 1/2; beyond, where big is true, asin(sqrt((1-a)/2)), half of what a lacks of a right angle.
func (m ms) asinParts(a Reg) (big, p Reg) {
	big = m.lt(m.c(0.5), a)
	z := m.sel(big, m.fma(a, m.c(-0.5), m.c(0.5)), m.mul(a, a))
	s := m.sel(big, m.sqrt(z), a)
	return big, m.fma(m.mul(s, z), m.poly(z, 0.16666752, 0.07495308, 0.045469284, 0.02418427, 0.042158995), s)
}

func asin32(m ms, x Reg) Reg {
	big, p := m.asinParts(m.abs(x))
	return m.signed32(m.sel(big, m.fma(p, m.c(-2), m.c(math.Pi/2)), p), x)
}

func acos32(m ms, x Reg) Reg {
	big, p := m.asinParts(m.abs(x))
	far := m.sel(m.lt(x, m.c(0)), m.fma(p, m.c(-2), m.c(math.Pi)), m.add(p, p))
	return m.sel(big, far, m.sub(m.c(math.Pi/2), m.signed32(p, x)))
}

// signed32 is y, which is not negative, with the sign of x.
func (m ms) signed32(y, x Reg) Reg {
	return m.float(m.or(m.bits(y), m.and(m.bits(x), m.u(1<<31))))
}
