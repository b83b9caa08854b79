// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// shiftNeed: there is no shift of 8- and 16-bit lanes by a vector; they go through 32 bits.
func shiftNeed(in, out dtype.DType) int {
	if s := ints(in, out); s > 0 {
		return max(s, 4)
	}
	return 0
}

// Shifts by a vector; a count of the width or more, negative ones included, gives 0 or the sign.
func (l *lowerer) leftShift(in kernels.Inst) (val, int) {
	s, x, n := in.DType.Size(), l.arg(in, 0), l.arg(in, 1)
	if k, ok := l.uniform(n, s); ok && s > 1 {
		return l.shift(bySize{2: vpsllw, 4: vpslld, 8: vpsllq}[s], s, x, k), 0
	}
	if s == 8 {
		return l.bin(vpsllvq, 8, x, n), 0
	}
	signed := isSigned(in.DType)
	y := l.bin(vpsllvd, 4, l.resize(x, s, 4, signed), l.resize(n, s, 4, signed))
	return l.resize(y, 4, s, signed), 0
}

func (l *lowerer) rightShift(in kernels.Inst) (val, int) {
	s, x, n := in.DType.Size(), l.arg(in, 0), l.arg(in, 1)
	signed := isSigned(in.DType)
	k, fixed := l.uniform(n, s)
	switch {
	case fixed && s > 1 && !signed:
		return l.shift(bySize{2: vpsrlw, 4: vpsrld, 8: vpsrlq}[s], s, x, k), 0
	case fixed && s > 1 && s < 8:
		return l.shift(bySize{2: vpsraw, 4: vpsrad}[s], s, x, k), 0
	case s == 8 && !signed:
		return l.bin(vpsrlvq, 8, x, n), 0
	case s == 8: // ^(^x >> n) for negative x
		sign := l.bin(vpcmpgtq, 8, l.zero(), x)
		return l.bin(vpxor, 8, l.bin(vpsrlvq, 8, l.bin(vpxor, 8, x, sign), n), sign), 0
	}
	op := vpsrlvd
	if signed {
		op = vpsravd
	}
	y := l.bin(op, 4, l.resize(x, s, 4, signed), l.resize(n, s, 4, signed))
	return l.resize(y, 4, s, signed), 0
}

// uniform returns the count of a shift by a constant, at most 255.
func (l *lowerer) uniform(n val, size int) (int, bool) {
	b, ok := l.constant(n)
	if !ok {
		return 0, false
	}
	return int(min(littleEndian(b[:size]), 255)), true
}

// count is the number of bits of |x|, as bytes: those of the nibbles from a table, added up.
func (l *lowerer) count(in kernels.Inst) (val, int) {
	d := l.argType(in, 0)
	s := d.Size()
	x := l.magnitude(l.arg(in, 0), d)
	var table [poolBytes]byte
	for i := range table {
		for n := i % 16; n > 0; n /= 2 {
			table[i] += byte(n % 2)
		}
	}
	t, low := l.vector(table), l.splat(1, 15)
	c := l.bin(vpaddb, s, l.bin(vpshufb, s, t, l.bin(vpand, s, x, low)),
		l.bin(vpshufb, s, t, l.bin(vpand, s, l.shift(vpsrlw, s, x, 4), low)))
	switch s {
	case 2:
		c = l.bin(vpmaddubsw, s, c, l.splat(1, 1))
	case 4:
		c = l.bin(vpmaddwd, s, l.bin(vpmaddubsw, s, c, l.splat(1, 1)), l.splat(2, 1))
	case 8:
		c = l.bin(vpsadbw, s, c, l.zero())
	}
	return l.resize(c, s, 1, false), 0
}

// divisionNeed: integers divide as floats that hold their quotients exactly.
func divisionNeed(in, out dtype.DType) int {
	switch ints(in, out) {
	case 1, 2:
		return 4
	case 4, 8:
		return 8
	}
	return 0
}

// fmodNeed: floats go through float64.
func fmodNeed(in, out dtype.DType) int {
	if floats(in, out) > 0 {
		return 8
	}
	return divisionNeed(in, out)
}

// division is the quotient (floored) or a remainder of integers: of x's sign, or with follow of y's. Dividing
// by 0 gives 0. The float quotient of numbers of n bits differs from a whole number by more than its rounding,
// as a divisor of n bits leaves a fraction of at least 2^-n.
func division(quotient, follow bool) func(*lowerer, kernels.Inst) (val, int) {
	return func(l *lowerer, in kernels.Inst) (val, int) {
		s, signed := in.DType.Size(), isSigned(in.DType)
		if s == 8 {
			return l.division64(in, quotient, follow), 0
		}
		x, y := l.resize(l.arg(in, 0), s, 4, signed), l.resize(l.arg(in, 1), s, 4, signed)
		f := 2 * s // lanes of the floats
		if s < 4 {
			f = 4
		}
		q := l.bin(divFloat[f], f, l.floatOf(x, f, signed), l.floatOf(y, f, signed))
		switch {
		case f == 4:
			q = l.un(vcvttps2dq, 4, q)
		case signed:
			q = l.un(vcvttpd2dq, 8, q)
		default:
			q = l.narrow(l.bin(vaddpd, 8, l.unImm(vroundpd, 8, q, roundToCut), l.splat(8, math.Float64bits(0x1p52))), 8)
		}
		r := l.bin(vpsubd, 4, x, l.bin(vpmulld, 4, q, y))
		byZero := l.bin(vpcmpeqd, 4, y, l.zero())
		result := r
		if signed && (quotient || follow) {
			// Where the signs differ and something is left, the floor is one below.
			off := l.bin(vpand, 4, l.shift(vpsrad, 4, l.bin(vpxor, 4, r, y), 31), l.not(4, l.bin(vpcmpeqd, 4, r, l.zero())))
			if quotient {
				result = l.bin(vpaddd, 4, q, off)
			} else {
				result = l.bin(vpaddd, 4, r, l.bin(vpand, 4, y, off))
			}
		} else if quotient {
			result = q
		}
		return l.resize(l.bin(vpandn, 4, byZero, result), 4, s, signed), 0
	}
}

// floatOf converts 32-bit integers to floats of f bytes, exactly (for f = 4: below 2^24).
func (l *lowerer) floatOf(x val, f int, signed bool) val {
	switch {
	case f == 4:
		return l.un(vcvtdq2ps, 4, x)
	case signed:
		return l.un(vcvtdq2pd, 8, x)
	}
	// The bits of 2^52 + x.
	magic := l.splat(8, math.Float64bits(0x1p52))
	return l.bin(vsubpd, 8, l.bin(vorpd, 8, l.un(vpmovzxdq, 8, x), magic), magic)
}
