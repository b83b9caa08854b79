// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// splat64 is a float64 constant.
func (l *lowerer) splat64(v float64) val { return l.splat(8, math.Float64bits(v)) }

// quotient64 divides float64 a >= 0 by b > 0, both whole or a < b*2^50: the whole part and the exact rest. The
// rounded quotient may reach the next whole number; the rest is then negative, and one is taken back.
func (l *lowerer) quotient64(a, b val) (q, rest val) {
	q = l.unImm(vroundpd, 8, l.bin(vdivpd, 8, a, b), roundToCut)
	rest = l.fma(8, l.bin(vxorpd, 8, q, l.signBit(8)), b, a)
	less := l.binImm(vcmppd, 8, rest, l.zero(), isLess)
	q = l.bin(vsubpd, 8, q, l.bin(vandpd, 8, less, l.splat64(1)))
	return q, l.bin(vaddpd, 8, rest, l.bin(vandpd, 8, less, b))
}

// modulo is fmod of floats. Quotients of 2^50 and more and numbers near the ends of float64 are left to the loop of the block
// machine; NaN, infinities and division by 0 come out of the arithmetic but for x / inf, which leaves x.
func (l *lowerer) modulo(in kernels.Inst) (val, int) {
	x, y := l.arg(in, 0), l.arg(in, 1)
	if in.DType == dtype.Float32 {
		x, y = l.un(vcvtps2pd, 8, x), l.un(vcvtps2pd, 8, y)
	}
	size := l.splat(8, 1<<63-1)
	a, b := l.bin(vandpd, 8, x, size), l.bin(vandpd, 8, y, size)
	inf := l.splat64(math.Inf(1))
	test := func(p int, x, y val) val { return l.binImm(vcmppd, 8, x, y, p) }
	hard := l.bin(vorpd, 8,
		l.bin(vorpd, 8, test(isLessEqual, l.bin(vmulpd, 8, b, l.splat64(0x1p50)), a), test(isLessEqual, b, l.splat64(0x1p-900))),
		test(isGreaterEqual, l.bin(vmaxpd, 8, a, b), l.splat64(0x1p1000)))
	plain := l.bin(vandpd, 8, test(isLess, a, inf), l.bin(vandpd, 8, test(isLess, b, inf), test(isLess, l.zero(), b)))
	l.cold(8, l.bin(vandpd, 8, hard, plain))
	_, r := l.quotient64(a, b)
	r = l.bin(vorpd, 8, r, l.bin(vandpd, 8, x, l.signBit(8)))
	r = l.blend(8, l.bin(vandpd, 8, test(isEqual, b, inf), test(isLess, a, inf)), x, r)
	if in.DType == dtype.Float32 {
		r = l.un(vcvtpd2ps, 8, r)
	}
	return r, 0
}

// division64 is division of 64-bit integers below 2^51 in magnitude; others are left to the loop of the block machine.
func (l *lowerer) division64(in kernels.Inst, quotient, follow bool) val {
	signed := isSigned(in.DType)
	x, y := l.wide(l.arg(in, 0), signed), l.wide(l.arg(in, 1), signed)
	sign := l.signBit(8)
	a, b := x, y
	if signed {
		a, b = l.bin(vandpd, 8, x, l.splat(8, 1<<63-1)), l.bin(vandpd, 8, y, l.splat(8, 1<<63-1))
	}
	l.cold(8, l.binImm(vcmppd, 8, l.bin(vmaxpd, 8, a, b), l.splat64(0x1p51), isGreaterEqual))
	r, rest := l.quotient64(a, b)
	if !signed || !quotient && !follow { // of x's sign
		if !quotient {
			r = rest
			if signed {
				r = l.bin(vorpd, 8, r, l.bin(vandpd, 8, x, sign))
			}
		}
	} else {
		differ := l.bin(vandpd, 8, l.bin(vxorpd, 8, x, y), sign)
		// -1 as a mask where the floor is one below, that is where signs differ and something is left.
		off := l.bin(vandpd, 8, l.binImm(vcmppd, 8, rest, l.zero(), isNotEqual), l.bin(vpcmpgtq, 8, l.zero(), differ))
		if quotient {
			r = l.bin(vxorpd, 8, l.bin(vaddpd, 8, r, l.bin(vandpd, 8, off, l.splat64(1))), differ)
		} else {
			r = l.blend(8, off, l.bin(vsubpd, 8, b, rest), rest)
			r = l.bin(vorpd, 8, r, l.bin(vandpd, 8, y, sign))
		}
	}
	magic := l.splat64(0x1.8p52)
	n := l.bin(vpsubq, 8, l.bin(vaddpd, 8, r, magic), magic)
	return l.bin(vpandn, 8, l.binImm(vcmppd, 8, b, l.zero(), isEqual), n)
}

func (l *lowerer) fmod(in kernels.Inst) (val, int) {
	if in.DType.IsFloat() {
		return l.modulo(in)
	}
	return division(false, false)(l, in)
}
