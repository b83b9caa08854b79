// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// castNeed: half precision floats go through float32, 64-bit integers through float64.
func castNeed(in, out dtype.DType) int {
	n := max(lane(in), lane(out))
	if n == 0 {
		return 0
	}
	if in.IsFloat() || out.IsFloat() {
		n = max(n, 4)
	}
	return n
}

func (l *lowerer) cast(in kernels.Inst) (val, int) {
	from, to := l.argType(in, 0), in.DType
	switch {
	case from == to:
		return l.arg(in, 0), 0
	case to == dtype.Bool:
		return l.nonzero(l.arg(in, 0), from), from.Size()
	case from == dtype.Bool:
		// The mask of the result's lanes lets one through.
		one, err := kernels.ConstOf(to, 1)
		if err != nil {
			one.Bits = 1
		}
		s := to.Size()
		return l.bin(vpand, s, l.truth(in.Args[0], s), l.splat(s, one.Bits)), 0
	}
	x := l.arg(in, 0)
	switch {
	case from.IsFloat() && to.IsFloat():
		return l.floatToFloat(x, from, to), 0
	case from.IsFloat():
		return l.floatToInt(x, from, to), 0
	case to.IsFloat():
		return l.intToFloat(x, from, to), 0
	}
	return l.intToInt(x, from, to), 0
}

// nonzero is the mask of what is not 0; NaN is not.
func (l *lowerer) nonzero(x val, d dtype.DType) val {
	s := d.Size()
	switch {
	case s == 2 && d.IsFloat():
		return l.not(2, l.bin(vpcmpeqw, 2, l.bin(vpand, 2, x, l.splat(2, 0x7fff)), l.zero()))
	case d.IsFloat():
		return l.binImm(cmpFloat[s], s, x, l.zero(), isNotEqual)
	}
	return l.not(s, l.bin(equalInt[s], s, x, l.zero()))
}

// ends are the lowest and highest values of an integer dtype.
func ends(d dtype.DType) (lo int64, hi uint64) {
	n := uint(8 * d.Size())
	if isSigned(d) {
		return -1 << (n - 1), 1<<(n-1) - 1
	}
	return 0, 1<<n - 1
}

// intToInt saturates: the value is brought into the target's range before its lanes change.
func (l *lowerer) intToInt(x val, from, to dtype.DType) val {
	s := from.Size()
	lo, hi := ends(to)
	least, most := ends(from)
	if least < lo {
		x = l.most(from, x, l.splat(s, uint64(lo)))
	}
	if most > hi {
		x = l.least(from, x, l.splat(s, hi))
	}
	return l.resize(x, s, to.Size(), isSigned(from))
}

// intToFloat rounds once.
func (l *lowerer) intToFloat(x val, from, to dtype.DType) val {
	signed := isSigned(from)
	s := from.Size()
	if s == 8 {
		if to == dtype.Float64 {
			return l.wide(x, signed)
		}
		return l.floatToFloat(l.wide(l.sticky(x, signed), signed), dtype.Float64, to)
	}
	if s == 4 && to.Size() != 8 {
		if to != dtype.Float32 { // float16, bfloat16: all 32 bits count
			return l.halfOfInt(x, signed, to)
		}
		if !signed {
			// Both halves are exact as float32, and so is the upper one times 2^16: their sum rounds once.
			upper := l.bin(vmulps, 4, l.un(vcvtdq2ps, 4, l.shift(vpsrld, 4, x, 16)), l.splat(4, uint64(math.Float32bits(65536))))
			lower := l.un(vcvtdq2ps, 4, l.bin(vpand, 4, x, l.splat(4, 0xffff)))
			return l.bin(vaddps, 4, upper, lower)
		}
		return l.un(vcvtdq2ps, 4, x)
	}
	x = l.resize(x, s, 4, signed)
	if to == dtype.Float64 {
		return l.floatOf(x, 8, signed || s < 4)
	}
	return l.floatToFloat(l.un(vcvtdq2ps, 4, x), dtype.Float32, to)
}

// halfOfInt rounds 32-bit integers to a half precision float: bits that only say "more" are joined to
// one, so that float32 holds the rest exactly.
func (l *lowerer) halfOfInt(x val, signed bool, to dtype.DType) val {
	sign := l.zero()
	if signed {
		sign = l.bin(vpand, 4, x, l.signBit(4))
		x = l.un(vpabsd, 4, x)
	}
	// From 2^24 on the lowest 8 bits are below what float16 (infinite there) and bfloat16 keep.
	rest := l.bin(vpand, 4, x, l.splat(4, 0xff))
	joined := l.bin(vpor, 4, l.bin(vpandn, 4, l.splat(4, 0xff), x), l.bin(vpandn, 4, l.bin(vpcmpeqd, 4, rest, l.zero()), l.splat(4, 1<<8)))
	small := l.bin(vpcmpeqd, 4, l.shift(vpsrld, 4, x, 24), l.zero())
	x = l.blend(4, small, x, joined)
	upper := l.bin(vmulps, 4, l.un(vcvtdq2ps, 4, l.shift(vpsrld, 4, x, 8)), l.splat(4, uint64(math.Float32bits(256))))
	f := l.bin(vaddps, 4, upper, l.un(vcvtdq2ps, 4, l.bin(vpand, 4, x, l.splat(4, 0xff))))
	return l.floatToFloat(l.bin(vorps, 4, f, sign), dtype.Float32, to)
}

// wide is a 64-bit integer as float64, rounded once: both halves are exact, their sum rounds.
func (l *lowerer) wide(x val, signed bool) val {
	if l.bytes > vectorBytes {
		if signed {
			return l.un(vcvtqq2pd, 8, x)
		}
		return l.un(vcvtuqq2pd, 8, x)
	}
	magic := math.Float64bits(0x1p52)
	low := l.bin(vsubpd, 8, l.bin(vorpd, 8, l.bin(vpand, 8, x, l.splat(8, 1<<32-1)), l.splat(8, magic)), l.splat(8, magic))
	upper := l.shift(vpsrlq, 8, x, 32)
	offset := 0x1p52
	if signed { // 2^31 added, to be taken away
		upper = l.bin(vpxor, 8, upper, l.splat(8, 1<<31))
		offset += 0x1p31
	}
	high := l.bin(vsubpd, 8, l.bin(vorpd, 8, upper, l.splat(8, magic)), l.splat(8, math.Float64bits(offset)))
	return l.bin(vaddpd, 8, l.bin(vmulpd, 8, high, l.splat(8, math.Float64bits(0x1p32))), low)
}

// sticky joins the lowest 11 bits of 64-bit integers beyond 2^53 to one, so that float64 holds them
// exactly and rounding to a shorter float afterwards is rounding once.
func (l *lowerer) sticky(x val, signed bool) val {
	rest := l.bin(vpcmpeqq, 8, l.bin(vpand, 8, x, l.splat(8, 1<<11-1)), l.zero())
	joined := l.bin(vpor, 8, l.bin(vpandn, 8, l.splat(8, 1<<11-1), x), l.bin(vpandn, 8, rest, l.splat(8, 1<<11)))
	top := l.shift(vpsrlq, 8, x, 53)
	small := l.bin(vpcmpeqq, 8, top, l.zero())
	if signed {
		small = l.bin(vpor, 8, small, l.bin(vpcmpeqq, 8, top, l.splat(8, 1<<11-1)))
	}
	return l.blend(8, small, x, joined)
}

// floatToFloat rounds once.
func (l *lowerer) floatToFloat(x val, from, to dtype.DType) val {
	switch from {
	case dtype.Float16:
		x, from = l.un(vcvtph2ps, 4, x), dtype.Float32
	case dtype.BFloat16:
		x, from = l.shift(vpslld, 4, l.un(vpmovzxwd, 4, x), 16), dtype.Float32
	case dtype.Float64:
		switch to {
		case dtype.Float64:
			return x
		case dtype.Float32:
			return l.un(vcvtpd2ps, 8, x)
		}
		x, from = l.oddFloat32(x), dtype.Float32
	}
	switch to {
	case dtype.Float64:
		return l.un(vcvtps2pd, 8, x)
	case dtype.Float16:
		return l.add(node{kind: nodeOp, op: vcvtps2ph, l: l.length(4), imm: 0, a: none, b: x, c: none})
	case dtype.BFloat16:
		// Nearest, ties to even: add half of what is cut off less one, and one more if the last bit kept is odd.
		odd := l.bin(vpand, 4, l.shift(vpsrld, 4, x, 16), l.splat(4, 1))
		r := l.shift(vpsrld, 4, l.bin(vpaddd, 4, l.bin(vpaddd, 4, x, l.splat(4, 0x7fff)), odd), 16)
		nan := l.bin(vpor, 4, l.shift(vpsrld, 4, x, 16), l.splat(4, 0x40))
		return l.narrow(l.blend(4, l.binImm(vcmpps, 4, x, x, isUnordered), nan, r), 4)
	}
	return x
}

// oddFloat32 rounds float64 to float32 so that what is inexact has an odd last bit: rounding to a shorter
// float afterwards is then rounding once.
func (l *lowerer) oddFloat32(x val) val {
	y := l.un(vcvtpd2ps, 8, x)
	back := l.un(vcvtps2pd, 8, y)
	magnitude := l.splat(8, 1<<63-1)
	inexact := l.narrowMask(l.binImm(vcmppd, 8, x, back, isOtherNumber), 8)
	// -1 where |y| must grow to reach x's other side, 0 where it must shrink.
	grow := l.narrowMask(l.binImm(vcmppd, 8, l.bin(vandpd, 8, back, magnitude), l.bin(vandpd, 8, x, magnitude), isLess), 8)
	even := l.bin(vpcmpeqd, 4, l.bin(vpand, 4, y, l.splat(4, 1)), l.zero())
	// y - 1 or y + 1 is y + (grow ? 1 : -1) = y - grow*2 - 1 with grow as -1 or 0.
	step := l.bin(vpsubd, 4, l.bin(vpsubd, 4, l.bin(vpsubd, 4, y, grow), grow), l.splat(4, 1))
	return l.blend(4, l.bin(vpand, 4, inexact, even), step, y)
}

// floatToInt cuts towards 0; NaN gives 0, what is out of range the nearest end.
func (l *lowerer) floatToInt(x val, from, to dtype.DType) val {
	if from.Size() == 2 {
		x, from = l.floatToFloat(x, from, dtype.Float32), dtype.Float32
	}
	if to.Size() == 8 {
		if from == dtype.Float32 {
			x = l.un(vcvtps2pd, 8, x)
		}
		return l.floatToInt64(x, isSigned(to))
	}
	s := from.Size()
	lo, hi := ends(to)
	bits := func(v float64) val {
		if s == 4 {
			return l.splat(4, uint64(math.Float32bits(float32(v))))
		}
		return l.splat(8, math.Float64bits(v))
	}
	if s == 4 && to.Size() == 4 {
		return l.float32ToInt32(x, isSigned(to))
	}
	// The ends are exact in the float: clamp, then convert. For unsigned ones the clamp takes NaN to 0: the
	// instruction gives its second operand.
	if isSigned(to) {
		x = l.bin(andFloat[s], s, x, l.binImm(cmpFloat[s], s, x, x, isOrdered))
	}
	x = l.bin(minFloat[s], s, l.bin(maxFloat[s], s, x, bits(float64(lo))), bits(float64(hi)))
	switch {
	case s == 4:
		return l.resize(l.un(vcvttps2dq, 4, x), 4, to.Size(), true)
	case to == dtype.Uint32:
		return l.narrow(l.bin(vaddpd, 8, l.unImm(vroundpd, 8, x, roundToCut), l.splat(8, math.Float64bits(0x1p52))), 8)
	}
	return l.resize(l.un(vcvttpd2dq, 8, x), 4, to.Size(), true)
}

// float32ToInt32: the ends are not exact in float32.
func (l *lowerer) float32ToInt32(x val, signed bool) val {
	f := func(v float32) val { return l.splat(4, uint64(math.Float32bits(v))) }
	if signed {
		// What is too large converts to 0x80000000; flipped it is the highest. NaN does too, and is cleared.
		r := l.bin(vxorps, 4, l.un(vcvttps2dq, 4, x), l.binImm(vcmpps, 4, x, f(0x1p31), isGreaterEqual))
		return l.bin(vandps, 4, r, l.binImm(vcmpps, 4, x, x, isOrdered))
	}
	x = l.bin(vmaxps, 4, x, l.zero())
	big := l.binImm(vcmpps, 4, x, f(0x1p31), isGreaterEqual)
	r := l.un(vcvttps2dq, 4, l.bin(vsubps, 4, x, l.bin(vandps, 4, big, f(0x1p31))))
	r = l.bin(vxorps, 4, r, l.bin(vandps, 4, big, l.signBit(4)))
	return l.bin(vorps, 4, r, l.binImm(vcmpps, 4, x, f(0x1p32), isGreaterEqual))
}

// floatToInt64 splits a whole number into two halves of 32 bits, whose bits appear in the lowest places of a
// float64 when 2^52 (for the signed one 1.5 * 2^52) is added.
func (l *lowerer) floatToInt64(x val, signed bool) val {
	f := func(v float64) val { return l.splat(8, math.Float64bits(v)) }
	orig := x
	if !signed {
		x = l.bin(vmaxpd, 8, x, l.zero())
	}
	t := l.unImm(vroundpd, 8, x, roundToCut)
	high := l.unImm(vroundpd, 8, l.bin(vmulpd, 8, t, f(0x1p-32)), roundDown)
	low := l.fma(8, high, f(-0x1p32), t)
	shifter := 0x1p52
	if signed {
		shifter = 0x1.8p52
	}
	upper := l.shift(vpsllq, 8, l.bin(vaddpd, 8, high, f(shifter)), 32)
	lower := l.bin(vpxor, 8, l.bin(vaddpd, 8, low, f(0x1p52)), f(0x1p52))
	r := l.bin(vpor, 8, upper, lower)
	if !signed {
		return l.bin(vorpd, 8, r, l.binImm(vcmppd, 8, x, f(0x1p64), isGreaterEqual))
	}
	r = l.blend(8, l.binImm(vcmppd, 8, orig, f(-0x1p63), isLess), l.splat(8, 1<<63), r)
	r = l.blend(8, l.binImm(vcmppd, 8, orig, f(0x1p63), isGreaterEqual), l.splat(8, 1<<63-1), r)
	return l.bin(vandpd, 8, r, l.binImm(vcmppd, 8, orig, orig, isOrdered))
}
