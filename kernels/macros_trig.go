// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"
	"sync"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// pi/2 as the sum of two float64.
const (
	pio2a = 0x1.921fb54442d18p+0
	pio2b = 0x1.1a62633145c07p-54
)

// angle is x less a multiple of pi/2: quadrant q (uint64, its two lowest bits
// count) and the rest hi + lo in [-pi/4, pi/4] (a little beyond for large x).
type angle struct{ q, hi, lo Reg }

// largeAngle is where the three pieces of pi no longer suffice.
const largeAngle = 0x1p40

func (m mb) sinKernel(a angle) Reg {
	z := m.mul(a.hi, a.hi)
	v := m.mul(z, a.hi)
	r := m.poly(z, 8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06,
		-2.50507602534068634195e-08, 1.58969099521155010221e-10)
	t := m.sub(m.mul(z, m.sub(m.mul(m.c(0.5), a.lo), m.mul(v, r))), a.lo)
	return m.sub(a.hi, m.sub(t, m.mul(v, m.c(-1.66666666666666324348e-01))))
}

func (m mb) cosKernel(a angle) Reg {
	z := m.mul(a.hi, a.hi)
	r := m.mul(z, m.poly(z, 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05,
		-2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11))
	hz := m.mul(m.c(0.5), z)
	one := m.c(1)
	w := m.sub(one, hz)
	return m.add(w, m.add(m.sub(m.sub(one, w), hz), m.sub(m.mul(z, r), m.mul(a.hi, a.lo))))
}

// sinOf is the sine of an angle, the cosine when its quadrant is moved by one.
func sinOf(m mb, a angle) Reg {
	odd := m.ne(m.and(a.q, m.u(1)), m.u(0))
	r := m.sel(odd, m.cosKernel(a), m.sinKernel(a))
	return m.f64(m.xor(m.bits(r), m.shl(m.and(a.q, m.u(2)), 62)))
}

func cosOf(m mb, a angle) Reg {
	a.q = m.add(a.q, m.u(1))
	return sinOf(m, a)
}

func tanOf(m mb, a angle) Reg {
	odd := m.ne(m.and(a.q, m.u(1)), m.u(0))
	s, c := m.sinKernel(a), m.cosKernel(a)
	r := m.div(m.sel(odd, c, s), m.sel(odd, s, c))
	return m.f64(m.xor(m.bits(r), m.shl(m.and(a.q, m.u(1)), 63)))
}

// The functions of angles with their slow programs.
var (
	sines    = trig{of: sinOf}
	cosines  = trig{of: cosOf}
	tangents = trig{of: tanOf}
)

func sin64(m mb, x Reg) Reg {
	return m.cold(m.large(x), m.sinQuick(m.reduceQuick(x, 0)), x, m.slowProgram(&sines))
}

func cos64(m mb, x Reg) Reg {
	return m.cold(m.large(x), m.sinQuick(m.reduceQuick(x, 0.5)), x, m.slowProgram(&cosines))
}

func tan64(m mb, x Reg) Reg {
	return m.cold(m.large(x), m.tanQuick(x), x, m.slowProgram(&tangents))
}

// tanQuick reduces by multiples of pi/2 with two roundings. For odd ones sine and cosine change places.
func (m mb) tanQuick(x Reg) Reg {
	t := m.fma(x, m.c(2/math.Pi), m.c(shifter))
	n := m.sub(t, m.c(shifter))
	r := m.fma(n, m.c(-pic/2), m.fma(n, m.c(-pib/2), m.fma(n, m.c(-pia/2), x)))
	z := m.mul(r, r)
	s := m.fma(m.mul(r, z), m.poly(z, -0x1.5555555555549p-3, 0x1.111111110f81cp-7, -0x1.a01a019c05662p-13, 0x1.71de356d2effbp-19, -0x1.ae5e5e255f2d7p-26,
		0x1.5d90b8cc91669p-33), r)
	c := m.fma(z, m.poly(z, -0x1.0000000000000p-1, 0x1.555555555553cp-5, -0x1.6c16c16c13f95p-10, 0x1.a01a019b77ce9p-16, -0x1.27e4f7580891bp-22, 0x1.1ee9872f58c74p-29,
		-0x1.8f8186d75b411p-37), m.c(1))
	odd := m.ne(m.and(m.bits(t), m.u(1)), m.u(0))
	y := m.div(m.sel(odd, c, s), m.sel(odd, s, c))
	return m.f64(m.xor(m.bits(y), m.shl(m.bits(t), 63)))
}

// Pi in pieces that are all above 0, so that what they are subtracted from keeps its sign when it is 0.
const (
	pia = 0x1.921fb54442d18p+1
	pib = 0x1.1a62633145c06p-53
	pic = 0x1.c1cd129024e09p-106
)

// reduceQuick subtracts a multiple n of pi, more of them than whole ones: x + turn*pi is q*pi + r, |r| <= pi/2. Of q the lowest bit counts. x - n*pia
// is exact, the other two steps round, so that r has an error of 1 ulp at most.
func (m mb) reduceQuick(x Reg, turn float64) (q, r Reg) {
	t := m.fma(x, m.c(1/math.Pi), m.c(shifter))
	n := m.sub(t, m.c(shifter))
	if turn != 0 {
		t = m.add(m.fma(x, m.c(1/math.Pi), m.c(turn)), m.c(shifter))
		n = m.sub(m.sub(t, m.c(shifter)), m.c(turn))
	}
	r = m.fma(n, m.c(-pia), x)
	return m.bits(t), m.fma(n, m.c(-pic), m.fma(n, m.c(-pib), r))
}

// sinQuick is the sine of q*pi + r. One polynomial for half a period takes fewer steps than two for a quarter and a choice between them;
// what it is off at its end must not make more than 1 of it.
func (m mb) sinQuick(q, r Reg) Reg {
	z := m.mul(r, r)
	p := m.poly(z, -0x1.5555555555555p-3, 0x1.11111111110c9p-7, -0x1.a01a01a014eb4p-13, 0x1.71de3a52aa9abp-19, -0x1.ae6454d94abc6p-26,
		0x1.6123ce49d0d2cp-33, -0x1.ae43da36da269p-41, 0x1.883bd0166d823p-49)
	y := m.mul(r, m.fma(z, p, m.c(1)))
	y = m.min(m.max(y, m.c(-1)), m.c(1))
	return m.f64(m.xor(m.bits(y), m.shl(q, 63)))
}

// large tells where the quick reductions do not hold: for infinities too, where the slow programs give NaN.
func (m mb) large(x Reg) Reg { return m.le(m.c(largeAngle), m.abs(x)) }

// trig is a function of an angle; its slow program is made once.
type trig struct {
	of   func(mb, angle) Reg
	once sync.Once
	slow *Program
	err  error
}

// slowProgram returns the function for |x| >= largeAngle by the exact reduction, NaN for infinities.
func (m mb) slowProgram(t *trig) *Program {
	t.once.Do(func() {
		s := mb{NewBuilder(0)}
		x := s.Input(In(dtype.Float64))
		y := t.of(s, s.reduceLarge(x))
		s.Ret(s.sel(s.finite(x), y, s.c(math.NaN())))
		t.slow, t.err = s.Build()
	})
	if t.err != nil {
		m.fail(t.err)
	}
	return t.slow
}

// twoOverPi holds a word of zeros and the first 1216 bits of 2/pi.
var twoOverPi = [20]uint64{
	0, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
	0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
	0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
	0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
	0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
}

// reduceLarge is Payne and Hanek's reduction for finite |x| >= largeAngle. With x = n * 2^e, n of
// 53 bits, the bits of 2/pi that only add multiples of 4 quadrants are left out; the product of
// n with the next 192 bits, modulo 2^192, is the quadrant (2 bits) and its fraction.
func (m mb) reduceLarge(x Reg) angle {
	u := m.bits(m.abs(x))
	n := m.or(m.and(u, m.u(1<<52-1)), m.u(1<<52))
	at := m.sub(m.shr(u, 52), m.u(1075-62)) // e + 62: the first bit to take, after the word of zeros
	w := m.window(at)
	mid1, low1 := m.mulWide(n, w[1])
	mid2, _ := m.mulWide(n, w[2])
	lo := m.add(low1, mid2)
	carry := m.Cast(m.lt(lo, low1), dtype.Uint64)
	hi := m.add(m.add(m.mul(n, w[0]), mid1), carry)

	q := m.shr(m.add(hi, m.u(1<<61)), 62)
	hi = m.sub(hi, m.shl(q, 62)) // the fraction, two's complement
	minus := m.lt(m.u(1<<63-1), hi)
	carry = m.Cast(m.eq(lo, m.u(0)), dtype.Uint64)
	hi = m.sel(minus, m.add(m.not(hi), carry), hi)
	lo = m.sel(minus, m.sub(m.u(0), lo), lo)

	part := func(v Reg, scale float64) Reg { return m.mul(m.toF(v), m.c(scale)) }
	t := m.add(part(m.shr(lo, 32), 0x1p-94), part(m.and(lo, m.u(1<<32-1)), 0x1p-126))
	b := m.quickSum(part(m.and(hi, m.u(1<<32-1)), 0x1p-62), t)
	f := m.quickSum(part(m.shr(hi, 32), 0x1p-30), b.hi)
	f.lo = m.add(f.lo, b.lo)
	r := m.ddMul(m.quickSum(f.hi, f.lo), dd{m.c(pio2a), m.c(pio2b)})

	negative := m.lt(x, m.c(0))
	sign := m.shl(m.Cast(m.xor(negative, minus), dtype.Uint64), 63)
	flip := func(v Reg) Reg { return m.f64(m.xor(m.bits(v), sign)) }
	q = m.sel(negative, m.sub(m.u(0), q), q)
	return angle{q, flip(r.hi), flip(r.lo)}
}

// window returns the 192 bits of twoOverPi that start at bit at.
func (m mb) window(at Reg) [3]Reg {
	words := make([]Reg, len(twoOverPi))
	for i, w := range twoOverPi {
		words[i] = m.u(w)
	}
	word := m.shr(at, 6)
	for _, step := range []int{16, 8, 4, 2, 1} { // shift by the bits of the word's number
		set := m.ne(m.and(word, m.u(uint64(step))), m.u(0))
		next := make([]Reg, min(len(words), step+3))
		for i := range next {
			next[i] = words[i]
			if i+step < len(words) {
				next[i] = m.sel(set, words[i+step], words[i])
			}
		}
		words = next
	}
	s := m.and(at, m.u(63))
	back := m.sub(m.u(64), s)
	var out [3]Reg
	for i := range out {
		out[i] = m.or(m.op(OpLeftShift, words[i], s), m.op(OpRightShift, words[i+1], back))
	}
	return out
}

// mulWide is the 128-bit product of two uint64.
func (m mb) mulWide(x, y Reg) (hi, lo Reg) {
	mask := m.u(1<<32 - 1)
	xl, xh := m.and(x, mask), m.shr(x, 32)
	yl, yh := m.and(y, mask), m.shr(y, 32)
	ll, lh, hl := m.mul(xl, yl), m.mul(xl, yh), m.mul(xh, yl)
	t := m.add(m.add(lh, m.shr(ll, 32)), m.and(hl, mask))
	hi = m.add(m.add(m.mul(xh, yh), m.shr(hl, 32)), m.shr(t, 32))
	return hi, m.mul(x, y)
}

func deg2rad64(m mb, x Reg) Reg { return m.mul(x, m.c(math.Pi/180)) }
func rad2deg64(m mb, x Reg) Reg { return m.mul(x, m.c(180/math.Pi)) }

// sinc64 is sin(pi*x) / (pi*x). The reductions of x are exact, so whole numbers give 0, where the sine of the rounded
// product would leave its rounding error. NaN for infinities, as in NumPy.
func sinc64(m mb, x Reg) Reg {
	two := m.c(2)
	y := m.sub(x, m.mul(two, m.rint(m.mul(m.c(0.5), x)))) // less the nearest even number
	t := m.mul(two, y)
	n, q := m.whole(t)
	f := m.sub(t, n)
	p := m.twoProd(f, m.c(pio2a))
	d := m.quickSum(p.hi, m.fma(f, m.c(pio2b), p.lo))
	r := m.div(sinOf(m, angle{q, d.hi, d.lo}), m.mul(m.c(math.Pi), x))
	return m.sel(m.lt(m.abs(x), m.c(0x1p-28)), m.c(1), r)
}
