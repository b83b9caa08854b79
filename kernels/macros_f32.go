// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"
	"sync"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// ms builds functions in float32: half the bytes of mb's float64, twice the lanes. Operands are float32, what m.u and m.bits
// give uint32. What a function of mb and one of ms have in common is said there.
type ms struct{ mb }

// unary32 and binary32 make a macro the float32 lowering of a row.
func unary32(f func(m ms, x Reg) Reg) func(*Builder, []Reg) Reg {
	return func(b *Builder, a []Reg) Reg { return f(ms{mb{b}}, a[0]) }
}

func binary32(f func(m ms, x, y Reg) Reg) func(*Builder, []Reg) Reg {
	return func(b *Builder, a []Reg) Reg { return f(ms{mb{b}}, a[0], a[1]) }
}

func (m ms) c(v float64) Reg {
	return m.Const(Const{dtype.Float32, uint64(math.Float32bits(float32(v)))})
}
func (m ms) u(v uint32) Reg   { return m.Const(Const{dtype.Uint32, uint64(v)}) }
func (m ms) bits(x Reg) Reg   { return m.Bitcast(x, dtype.Uint32) }
func (m ms) float(u Reg) Reg  { return m.Bitcast(u, dtype.Float32) }
func (m ms) signed(x Reg) Reg { return m.Bitcast(x, dtype.Int32) }

func (m ms) poly(x Reg, k ...float64) Reg {
	r := make([]Reg, len(k))
	for i, v := range k {
		r[i] = m.c(v)
	}
	return m.estrin(x, r)
}

// shifter32 is 1.5 * 2^23, biased32 the same with the bias of exponents.
const (
	shifter32 = 0x1.8p23
	biased32  = shifter32 + 127
)

// ln2 and pi as sums of float32.
const (
	ln2a32   = 0x1.62e430p-1
	ln2b32   = -0x1.05c610p-29
	pia32    = 0x1.921fb4p+1
	pib32    = 0x1.4442d0p-23
	pic32    = 0x1.84698ap-47
	large32  = 0x1p18 // where they no longer suffice
	minExp32 = -104
	maxExp32 = 89
)

// scaleTwice is y * 2^(2k) for k + 127, of which the 8 lowest bits count.
func (m ms) scaleTwice(y, k Reg) Reg {
	s := m.float(m.shl(k, 23))
	return m.mul(m.mul(y, s), s)
}

// exp32 and exp2of32 reduce by even multiples of ln2 and of 1, see exp64.
func exp32(m ms, x Reg) Reg {
	r, t := m.expRest(m.min(m.max(x, m.c(minExp32)), m.c(maxExp32)))
	return m.scaleTwice(m.add(r, m.c(1)), t)
}

// expRest is exp(x) as 1 + rest, to be scaled twice.
func (m ms) expRest(x Reg) (rest, k Reg) {
	t := m.fma(x, m.c(0.5/math.Ln2), m.c(biased32))
	n := m.sub(t, m.c(biased32))
	r := m.fma(n, m.c(-2*ln2b32), m.fma(n, m.c(-2*ln2a32), x))
	return m.expPoly(r), m.bits(t)
}

// expPoly is expm1(r) for |r| <= ln2.
func (m ms) expPoly(r Reg) Reg {
	return m.fma(m.mul(r, r), m.poly(r, 0x1.00001p-1, 0x1.555566p-3, 0x1.55483ap-5, 0x1.1107c8p-7, 0x1.7211a8p-10, 0x1.a69818p-13), r)
}

func exp2of32(m ms, x Reg) Reg {
	x = m.min(m.max(x, m.c(-151)), m.c(129))
	t := m.fma(x, m.c(0.5), m.c(biased32))
	r := m.fma(m.sub(t, m.c(biased32)), m.c(-2), x)
	p := m.poly(r, 0x1.62e432p-1, 0x1.ebfbfcp-3, 0x1.c6af9p-5, 0x1.3b1f36p-7, 0x1.5dc28p-10, 0x1.483a58p-13, 0x1.f36802p-17)
	return m.scaleTwice(m.fma(r, p, m.c(1)), m.bits(t))
}

// logParts returns, for x > 0, k, the part i of the octave and r with x = 2^k * c(i) * (1+r), -0.0372 <= r <= 0.0625, where r is exact. Around 1 c(i) is 1.
// At 0 and at infinity k is the logarithm, for what is below 0 it is NaN.
func (m ms) logParts(x Reg) (k, i, r Reg) {
	z := m.op(OpSignificand, x)
	i = m.shr(m.bits(z), 19)
	return m.op(OpExponent, x), i, m.fma(z, m.entry(i, tableInverse32), m.c(-1))
}

// entry is a table's float32 at i.
func (m ms) entry(i Reg, table int32) Reg { return m.float(m.lookup(i, table)) }

// log32 is k*ln2 + (log(c) + log(1+r)): the long sum last. One float32 is ln2 to 28 bits.
func log32(m ms, x Reg) Reg {
	k, i, r := m.logParts(x)
	y := m.fma(m.mul(r, r), m.poly(r, -0x1.fffffap-2, 0x1.55586ap-2, -0x1.004094p-2, 0x1.870b82p-3), r)
	return m.fma(k, m.c(math.Ln2), m.add(m.entry(i, tableLog32), y))
}

// log2of32 and log10of32 have polynomials of their own, for log(1+r)/r, and log10of32 two pieces of log10(2): powers of the base have whole numbers.
func log2of32(m ms, x Reg) Reg {
	k, i, r := m.logParts(x)
	p := m.poly(r, 0x1.715476p+0, -0x1.715472p-1, 0x1.ec7656p-2, -0x1.71b5bcp-2, 0x1.192ea2p-2)
	return m.add(k, m.fma(r, p, m.entry(i, tableLog2of32)))
}

func log10of32(m ms, x Reg) Reg {
	k, i, r := m.logParts(x)
	p := m.poly(r, 0x1.bcb7b2p-2, -0x1.bcb7acp-3, 0x1.287de8p-3, -0x1.bd2cd2p-4, 0x1.5293bap-4)
	return m.fma(k, m.c(0x1.344134p-2), m.fma(r, p, m.fma(k, m.c(0x1.09f7ap-26), m.entry(i, tableLog10of32))))
}

// reduce is reduceQuick for angles below large32: x - n*pia32 is exact.
func (m ms) reduce(x Reg, turn float64) (q, r Reg) {
	t := m.fma(x, m.c(1/math.Pi), m.c(shifter32))
	n := m.sub(t, m.c(shifter32))
	if turn != 0 {
		t = m.add(m.fma(x, m.c(1/math.Pi), m.c(turn)), m.c(shifter32))
		n = m.sub(m.sub(t, m.c(shifter32)), m.c(turn))
	}
	r = m.fma(n, m.c(-pia32), x)
	return m.bits(t), m.fma(n, m.c(-pic32), m.fma(n, m.c(-pib32), r))
}

// sinIn is the sine of q*pi + r, |r| <= 1.59.
func (m ms) sinIn(q, r Reg) Reg {
	z := m.mul(r, r)
	p := m.poly(z, -0x1.55554cp-3, 0x1.110ed2p-7, -0x1.9f6e7cp-13, 0x1.5d9bd6p-19)
	y := m.mul(r, m.fma(z, p, m.c(1)))
	y = m.min(m.max(y, m.c(-1)), m.c(1))
	return m.float(m.xor(m.bits(y), m.shl(q, 31)))
}

func sin32(m ms, x Reg) Reg { return m.largeAngles(x, m.sinIn(m.reduce(x, 0)), sines32) }
func cos32(m ms, x Reg) Reg { return m.largeAngles(x, m.sinIn(m.reduce(x, 0.5)), cosines32) }

// largeAngles puts a function's values at large angles into y: from large32 on they are computed in float64, from
// largeAngle on with the exact reduction.
func (m ms) largeAngles(x, y Reg, t *wideTrig) Reg {
	if err := t.build(); err != nil {
		return m.fail(err)
	}
	a := m.abs(x)
	y = m.cold(m.le(m.c(large32), a), y, x, t.quick)
	return m.cold(m.le(m.c(largeAngle), a), y, x, t.exact)
}

// wideTrig is a function of an angle in float64 as slow programs of float32, made once.
type wideTrig struct {
	near, far    func(m mb, x Reg) Reg // below largeAngle and from there on, but for infinities
	once         sync.Once
	quick, exact *Program
	err          error
}

var (
	sines32    = turned(0)
	cosines32  = turned(0.5)
	tangents32 = &wideTrig{
		near: mb.tanQuick,
		far:  func(m mb, x Reg) Reg { return tanOf(m, m.reduceLarge(x)) },
	}
)

// turned is the sine of the angle and some half periods.
func turned(turn float64) *wideTrig {
	return &wideTrig{
		near: func(m mb, x Reg) Reg { return m.sinQuick(m.reduceQuick(x, turn)) },
		far: func(m mb, x Reg) Reg {
			a := m.reduceLarge(x)
			a.q = m.add(a.q, m.u(uint64(2*turn)))
			return sinOf(m, a)
		},
	}
}

func (t *wideTrig) build() error {
	t.once.Do(func() {
		t.quick, t.err = slow32(t.near)
		if t.err == nil {
			t.exact, t.err = slow32(func(m mb, x Reg) Reg { return m.sel(m.finite(x), t.far(m, x), m.c(math.NaN())) })
		}
	})
	return t.err
}

// slow32 is a function of float64 as a slow program of float32.
func slow32(f func(m mb, x Reg) Reg) (*Program, error) {
	s := mb{NewBuilder(0)}
	x := s.Input(In(dtype.Float32))
	s.Ret(s.Cast(f(s, s.Cast(x, dtype.Float64)), dtype.Float32))
	return s.Build()
}

// hypot32 scales both sides by a power of two where their squares could leave the range. Magnitudes
// compare like their bits.
func hypot32(m ms, x, y Reg) Reg {
	mask := m.u(1<<31 - 1)
	ax, ay := m.and(m.bits(x), mask), m.and(m.bits(y), mask)
	most := m.op(OpMaximum, m.signed(ax), m.signed(ay))
	bits := func(v float32) Reg { return m.Const(Const{dtype.Int32, uint64(math.Float32bits(v))}) }
	up := m.sel(m.lt(most, bits(0x1p-40)), m.u(math.Float32bits(0x1p80)), m.u(math.Float32bits(1)))
	up = m.sel(m.lt(bits(0x1p60), most), m.u(math.Float32bits(0x1p-70)), up)
	down := m.float(m.sub(m.u(2*math.Float32bits(1)), up))
	up = m.float(up)
	p, q := m.mul(x, up), m.mul(y, up)
	r := m.mul(m.sqrt(m.fma(p, p, m.mul(q, q))), down)
	inf := m.u(math.Float32bits(float32(math.Inf(1))))
	return m.sel(m.or(m.eq(ax, inf), m.eq(ay, inf)), m.c(math.Inf(1)), r)
}
