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

// atan64 has three ranges, bounded by tan(pi/8) and tan(3*pi/8): atan(x) is atan(x), pi/4 + atan((x-1)/(x+1)) and pi/2 + atan(-1/x).
func atan64(m mb, x Reg) Reg {
	a := m.abs(x)
	one := m.c(1)
	middle, far := m.lt(m.c(math.Sqrt2-1), a), m.lt(m.c(math.Sqrt2+1), a)
	num := m.sel(far, m.c(-1), m.sel(middle, m.sub(a, one), a))
	den := m.sel(far, a, m.sel(middle, m.add(a, one), one))
	hi := m.sel(far, m.c(pio2hi), m.sel(middle, m.c(pio2hi/2), m.c(0)))
	t := m.div(num, den)
	z := m.mul(t, t)
	p := m.poly(z, -0x1.5555555555543p-2, 0x1.99999999963a9p-3, -0x1.24924922e9431p-3, 0x1.c71c70fa8eeadp-4, -0x1.745cfaecd1903p-4, 0x1.3b113a8e19114p-4,
		-0x1.10ed16b30b907p-4, 0x1.df21d2cca7432p-5, -0x1.9d20f7274f627p-5, 0x1.3890f62909476p-5, -0x1.26eee7a547302p-6)
	r := m.fma(m.mul(t, z), p, m.mul(hi, m.c(pio2lo/pio2hi)))
	return m.withSign(m.add(hi, m.add(t, r)), m.signOf(x))
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

// tanh64 is e/(e + 2) with e = expm1(2a) = 2^n*expm1(r) + (2^n - 1).
func tanh64(m mb, x Reg) Reg {
	a := m.abs(x)
	rest, t := m.expm1Rest(m.min(m.add(a, a), m.c(40)), biasedShifter) // where results are 1
	by := m.f64(m.shl(t, 52))
	e := m.fma(by, rest, m.sub(by, m.c(1)))
	return m.withSign(m.div(e, m.add(e, m.c(2))), m.signOf(x))
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
	return m.add(m.log1pIn(m.sel(huge, a, arg)), m.sel(huge, m.c(math.Ln2), m.c(0)))
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
