// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Complex numbers exist at the edges of a program only: real and imag take an
// input apart, complex puts a result together, and everything between is arithmetic on
// the two parts. complex64 computes in float64 and rounds each part once.

// parts is a complex value as two float64 registers, or two of its own part dtype.
type parts struct{ re, im Reg }

// split takes a complex register apart.
func (b *Builder) split(r Reg) parts {
	return parts{b.part(OpReal, r), b.part(OpImag, r)}
}

func (b *Builder) part(op OpID, r Reg) Reg {
	if b.err != nil {
		return NoReg
	}
	if v := b.vals[r]; v.kind == valueInst && v.op == OpComplex {
		if op == OpReal {
			return v.args[0]
		}
		return v.args[1]
	}
	return b.emit(op, b.Type(r).Part(), r)
}

// join makes a complex register of a dtype from parts, rounding them to it.
func (b *Builder) join(d dtype.DType, p parts) Reg {
	f := d.Part()
	return b.emit(OpComplex, d, b.Cast(p.re, f), b.Cast(p.im, f))
}

// castComplex converts from or to a complex dtype: a real number has no imaginary
// part; to a real dtype the imaginary part is dropped, to bool both parts count.
func (b *Builder) castComplex(r Reg, to dtype.DType) Reg {
	if !b.Type(r).IsComplex() {
		re := b.Cast(r, to.Part())
		return b.join(to, parts{re, b.num(re, 0)})
	}
	p := b.split(r)
	switch {
	case to == dtype.Bool:
		return lowerOr(b, []Reg{b.Cast(p.re, to), b.Cast(p.im, to)})
	case to.IsComplex():
		return b.join(to, p)
	}
	return b.Cast(p.re, to)
}

// complexOf makes a lowering on complex operands: f gets the parts as float64 and
// gives those of the result, which has the operands' dtype.
func complexOf(f func(m mb, z ...parts) parts) func(*Builder, []Reg) Reg {
	return func(b *Builder, a []Reg) Reg {
		d := b.Type(a[0])
		defer b.shorten(d == dtype.Complex64)()
		return b.join(d, f(mb{b}, b.wideParts(a)...))
	}
}

// realOf is complexOf for real results, which are rounded to the operands' parts.
func realOf(f func(m mb, z ...parts) Reg) func(*Builder, []Reg) Reg {
	return func(b *Builder, a []Reg) Reg {
		d := b.Type(a[0]).Part()
		defer b.shorten(d == dtype.Float32)()
		r := f(mb{b}, b.wideParts(a)...)
		if b.Type(r) == dtype.Bool {
			return r
		}
		return b.Cast(r, d)
	}
}

// shorten tells macros whether their operands come from shorter floats; the function it returns takes that back.
func (b *Builder) shorten(short bool) func() {
	was := b.short
	b.short = short
	return func() { b.short = was }
}

func (b *Builder) wideParts(a []Reg) []parts {
	z := make([]parts, len(a))
	for i, r := range a {
		p := b.split(r)
		z[i] = parts{b.Cast(p.re, dtype.Float64), b.Cast(p.im, dtype.Float64)}
	}
	return z
}

// lowerComplex is complex(re, im) of shorter floats.
func lowerComplex(b *Builder, a []Reg) Reg {
	return b.join(dtype.Complex64, parts{b.Cast(a[0], dtype.Float32), b.Cast(a[1], dtype.Float32)})
}

// whereComplex selects both parts.
func whereComplex(b *Builder, a []Reg) Reg {
	x, y := b.split(a[1]), b.split(a[2])
	return b.join(b.Type(a[1]), parts{b.Apply(OpWhere, a[0], x.re, y.re), b.Apply(OpWhere, a[0], x.im, y.im)})
}

func addComplex(m mb, z ...parts) parts {
	return parts{m.add(z[0].re, z[1].re), m.add(z[0].im, z[1].im)}
}

func subComplex(m mb, z ...parts) parts {
	return parts{m.sub(z[0].re, z[1].re), m.sub(z[0].im, z[1].im)}
}

// cross is a*b - c*d to 1.5 ulp, cancellation included (Kahan).
func (m mb) cross(a, b, c, d Reg) Reg {
	p := m.mul(c, d)
	e := m.fma(m.neg(c), d, p)
	return m.add(m.fma(a, b, m.neg(p)), e)
}

func mulComplex(m mb, z ...parts) parts {
	x, y := z[0], z[1]
	return parts{m.cross(x.re, y.re, x.im, y.im), m.cross(x.re, y.im, m.neg(x.im), y.re)}
}

// exponent2 is the power of two at or below |x| (1 for 0 and what is not finite) and its inverse.
func (m mb) exponent2(x Reg) (down, up Reg) {
	e := m.min(m.max(m.f64(m.and(m.bits(x), m.u(0x7ff<<52))), m.c(0x1p-1000)), m.c(0x1p1000))
	e = m.sel(m.and(m.lt(m.c(0), m.abs(x)), m.finite(x)), e, m.c(1))
	return e, m.f64(m.sub(m.u(2046<<52), m.bits(e)))
}

func divComplex(m mb, z ...parts) parts {
	x, y := z[0], z[1]
	// Both numbers are brought near 1, so that no square overflows or vanishes.
	se, si := m.exponent2(m.max(m.abs(y.re), m.abs(y.im)))
	te, ti := m.exponent2(m.max(m.abs(x.re), m.abs(x.im)))
	c, d := m.mul(y.re, si), m.mul(y.im, si)
	a, b := m.mul(x.re, ti), m.mul(x.im, ti)
	den := m.cross(c, c, m.neg(d), d)
	re := m.div(m.cross(a, c, m.neg(b), d), den)
	im := m.div(m.cross(b, c, a, d), den)
	back := func(v Reg) Reg { return m.mul(m.div(v, se), te) }
	if !m.short {
		// te/se itself may overflow; the larger of the steps comes last.
		back = func(v Reg) Reg {
			return m.sel(m.lt(te, m.c(1)), m.mul(m.mul(v, si), te), m.mul(m.mul(v, te), si))
		}
	}
	zero := m.and(m.eq(y.re, m.c(0)), m.eq(y.im, m.c(0)))
	whole := m.abs(y.re)
	return parts{m.sel(zero, m.div(x.re, whole), back(re)), m.sel(zero, m.div(x.im, whole), back(im))}
}

func negComplex(m mb, z ...parts) parts  { return parts{m.neg(z[0].re), m.neg(z[0].im)} }
func conjComplex(m mb, z ...parts) parts { return parts{z[0].re, m.neg(z[0].im)} }

func squareComplex(m mb, z ...parts) parts { return mulComplex(m, z[0], z[0]) }

func reciprocalComplex(m mb, z ...parts) parts {
	return divComplex(m, parts{m.c(1), m.c(0)}, z[0])
}

func absComplex(m mb, z ...parts) Reg { return hypot64(m, z[0].re, z[0].im) }

func angleComplex(m mb, z ...parts) Reg { return atan2of64(m, z[0].im, z[0].re) }

// signComplex is z / |z|, 0 for 0.
func signComplex(m mb, z ...parts) parts {
	r := hypot64(m, z[0].re, z[0].im)
	r = m.sel(m.eq(r, m.c(0)), m.c(1), r)
	return parts{m.div(z[0].re, r), m.div(z[0].im, r)}
}

// sqrtComplex takes the root of the larger of (|z| + |re|)/2 and gets the other part from the product of both.
func sqrtComplex(m mb, z ...parts) parts {
	x, y := z[0].re, z[0].im
	ax, ay := m.abs(x), m.abs(y)
	quarter, big := m.c(0.25), m.lt(m.c(0x1p1000), m.max(ax, ay))
	s := m.sel(big, quarter, m.c(1))
	r := hypot64(m, m.mul(x, s), m.mul(y, s))
	t := m.sqrt(m.mul(m.c(0.5), m.add(r, m.mul(ax, s))))
	t = m.mul(t, m.sel(big, m.c(2), m.c(1)))
	other := m.div(ay, m.mul(m.c(2), t))
	other = m.sel(m.eq(t, m.c(0)), ay, other)
	other = m.sel(m.eq(ay, m.c(math.Inf(1))), ay, other)
	right := m.le(m.c(0), x)
	sign := m.signOf(y)
	re, im := m.sel(right, t, other), m.sel(right, other, t)
	return parts{re, m.f64(m.or(m.bits(im), sign))}
}

func expComplex(m mb, z ...parts) parts {
	r := exp64(m, z[0].re)
	y := z[0].im
	im := m.mul(r, sin64(m, y))
	return parts{m.mul(r, cos64(m, y)), m.sel(m.eq(y, m.c(0)), y, im)}
}

// logComplex has log|z| near |z| = 1 from |z|^2 - 1.
func logComplex(m mb, z ...parts) parts {
	x, y := z[0].re, z[0].im
	ax, ay := m.abs(x), m.abs(y)
	hi, lo := m.max(ax, ay), m.min(ax, ay)
	r := hypot64(m, x, y)
	d := m.fma(m.sub(hi, m.c(1)), m.add(hi, m.c(1)), m.mul(lo, lo))
	near := m.mul(m.c(0.5), log1pOf64(m, d))
	in := m.and(m.lt(m.c(0.5), r), m.lt(r, m.c(2)))
	return parts{m.sel(in, near, log64(m, r)), atan2of64(m, y, x)}
}

// either and both join a test of the parts.
func either(f func(b *Builder, a []Reg) Reg) func(m mb, z ...parts) Reg {
	return func(m mb, z ...parts) Reg { return m.or(f(m.Builder, []Reg{z[0].re}), f(m.Builder, []Reg{z[0].im})) }
}

func finiteComplex(m mb, z ...parts) Reg { return m.and(m.finite(z[0].re), m.finite(z[0].im)) }

func equalComplex(m mb, z ...parts) Reg {
	return m.and(m.eq(z[0].re, z[1].re), m.eq(z[0].im, z[1].im))
}

func notEqualComplex(m mb, z ...parts) Reg { return m.not(equalComplex(m, z...)) }

func notNullComplex(m mb, z ...parts) Reg { return m.not(either(lowerIsNaN)(m, z...)) }

// lowerAngle is pi for negative real numbers.
func lowerAngle(m mb, x Reg) Reg { return atan2of64(m, m.c(0), x) }
