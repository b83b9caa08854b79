// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// bySize names an instruction for lanes of 1, 2, 4 and 8 bytes; byFloat for float32 and float64.
type (
	bySize  [9]vop
	byFloat [9]vop
)

var (
	addInt    = bySize{1: vpaddb, 2: vpaddw, 4: vpaddd, 8: vpaddq}
	subInt    = bySize{1: vpsubb, 2: vpsubw, 4: vpsubd, 8: vpsubq}
	equalInt  = bySize{1: vpcmpeqb, 2: vpcmpeqw, 4: vpcmpeqd, 8: vpcmpeqq}
	aboveInt  = bySize{1: vpcmpgtb, 2: vpcmpgtw, 4: vpcmpgtd, 8: vpcmpgtq}
	minSigned = bySize{1: vpminsb, 2: vpminsw, 4: vpminsd}
	maxSigned = bySize{1: vpmaxsb, 2: vpmaxsw, 4: vpmaxsd}
	minUns    = bySize{1: vpminub, 2: vpminuw, 4: vpminud}
	maxUns    = bySize{1: vpmaxub, 2: vpmaxuw, 4: vpmaxud}

	addFloat   = byFloat{4: vaddps, 8: vaddpd}
	subFloat   = byFloat{4: vsubps, 8: vsubpd}
	mulFloat   = byFloat{4: vmulps, 8: vmulpd}
	divFloat   = byFloat{4: vdivps, 8: vdivpd}
	minFloat   = byFloat{4: vminps, 8: vminpd}
	maxFloat   = byFloat{4: vmaxps, 8: vmaxpd}
	sqrtFloat  = byFloat{4: vsqrtps, 8: vsqrtpd}
	andFloat   = byFloat{4: vandps, 8: vandpd}
	orFloat    = byFloat{4: vorps, 8: vorpd}
	xorFloat   = byFloat{4: vxorps, 8: vxorpd}
	cmpFloat   = byFloat{4: vcmpps, 8: vcmppd}
	roundFloat = byFloat{4: vroundps, 8: vroundpd}
)

// Predicates of the float comparisons; none of them signals.
const (
	isEqual         = 0x00
	isUnordered     = 0x03
	isNotEqual      = 0x04 // true for NaN
	isOrdered       = 0x07
	isOtherNumber   = 0x0C // not equal, false for NaN
	isLess          = 0x11
	isLessEqual     = 0x12
	isGreaterEqual  = 0x1D
	isGreater       = 0x1E
	notLessEqual    = 0x16
	notGreaterEqual = 0x19
)

// Modes of the rounding instructions.
const (
	roundEven  = 8
	roundDown  = 9
	roundUp    = 10
	roundToCut = 11
)

// lowerings is the table of operations with a form in machine code.
var lowerings map[kernels.OpID]*lowering

func init() {
	lowerings = map[kernels.OpID]*lowering{
		kernels.OpAdd:          {anyNumber, both(&addInt, &addFloat)},
		kernels.OpSubtract:     {anyNumber, both(&subInt, &subFloat)},
		kernels.OpMultiply:     {multiplyNeed, (*lowerer).multiply},
		kernels.OpDivide:       {floats, both(nil, &divFloat)},
		kernels.OpFloorDivide:  {divisionNeed, division(true, false)},
		kernels.OpRemainder:    {divisionNeed, division(false, true)},
		kernels.OpFmod:         {fmodNeed, (*lowerer).fmod},
		kernels.OpNegative:     {anyNumber, (*lowerer).negative},
		kernels.OpAbsolute:     {anyNumber, (*lowerer).absolute},
		kernels.OpSqrt:         {floats, func(l *lowerer, in kernels.Inst) (val, int) { return l.float1(in, &sqrtFloat, -1), 0 }},
		kernels.OpFma:          {floats, (*lowerer).fmaOp},
		kernels.OpMinimum:      {anyNumber, (*lowerer).minimum},
		kernels.OpMaximum:      {anyNumber, (*lowerer).maximum},
		kernels.OpEqual:        {comparable, compare(isEqual)},
		kernels.OpNotEqual:     {comparable, compare(isNotEqual)},
		kernels.OpLess:         {comparable, compare(isLess)},
		kernels.OpLessEqual:    {comparable, compare(isLessEqual)},
		kernels.OpBitwiseAnd:   {intsOrBool, bitwise(vpand)},
		kernels.OpBitwiseOr:    {intsOrBool, bitwise(vpor)},
		kernels.OpBitwiseXor:   {intsOrBool, bitwise(vpxor)},
		kernels.OpInvert:       {intsOrBool, (*lowerer).invert},
		kernels.OpLeftShift:    {shiftNeed, (*lowerer).leftShift},
		kernels.OpRightShift:   {shiftNeed, (*lowerer).rightShift},
		kernels.OpBitwiseCount: {ints, (*lowerer).count},
		kernels.OpWhere:        {whatever, (*lowerer).where},
		kernels.OpCast:         {castNeed, (*lowerer).cast},
		kernels.OpBitcast:      {whatever, func(l *lowerer, in kernels.Inst) (val, int) { return l.arg(in, 0), 0 }},
		kernels.OpFloor:        {floats, rounding(roundDown)},
		kernels.OpCeil:         {floats, rounding(roundUp)},
		kernels.OpTrunc:        {floats, rounding(roundToCut)},
		kernels.OpRint:         {floats, rounding(roundEven)},
		kernels.OpReal:         {complexNeed, (*lowerer).real},
		kernels.OpImag:         {complexNeed, (*lowerer).imag},
		kernels.OpComplex:      {complexNeed, (*lowerer).complex},
		kernels.OpCold:         {whatever, (*lowerer).coldOp},
		kernels.OpLookup:       {whatever, (*lowerer).lookup},
		kernels.OpExponent:     {floats, (*lowerer).exponent},
		kernels.OpSignificand:  {floats, (*lowerer).significand},
	}
}

// What operations take: the needed lane size for an operand's dtype, 0 for what has no form.
func whatever(in, _ dtype.DType) int { return lane(in) }

func floats(in, _ dtype.DType) int {
	if in == dtype.Float32 || in == dtype.Float64 {
		return in.Size()
	}
	return 0
}

func ints(in, _ dtype.DType) int {
	if in.IsInteger() {
		return in.Size()
	}
	return 0
}

func anyNumber(in, out dtype.DType) int  { return max(floats(in, out), ints(in, out)) }
func intsOrBool(in, out dtype.DType) int { return max(ints(in, out), bools(in)) }
func comparable(in, out dtype.DType) int { return max(anyNumber(in, out), bools(in)) }

func bools(in dtype.DType) int {
	if in == dtype.Bool {
		return 1
	}
	return 0
}

// both is an operation that is one instruction, on integers and on floats.
func both(i *bySize, f *byFloat) func(*lowerer, kernels.Inst) (val, int) {
	return func(l *lowerer, in kernels.Inst) (val, int) {
		d := in.DType
		if d.IsFloat() {
			return l.bin(f[d.Size()], d.Size(), l.arg(in, 0), l.arg(in, 1)), 0
		}
		return l.bin(i[d.Size()], d.Size(), l.arg(in, 0), l.arg(in, 1)), 0
	}
}

func (l *lowerer) float1(in kernels.Inst, ops *byFloat, imm int) val {
	s := in.DType.Size()
	return l.unImm(ops[s], s, l.arg(in, 0), imm)
}

func rounding(mode int) func(*lowerer, kernels.Inst) (val, int) {
	return func(l *lowerer, in kernels.Inst) (val, int) { return l.float1(in, &roundFloat, mode), 0 }
}

func (l *lowerer) fmaOp(in kernels.Inst) (val, int) {
	return l.fma(in.DType.Size(), l.arg(in, 0), l.arg(in, 1), l.arg(in, 2)), 0
}

// signBit has the highest bit of every lane set.
func (l *lowerer) signBit(size int) val { return l.splat(size, 1<<(8*size-1)) }

func (l *lowerer) negative(in kernels.Inst) (val, int) {
	s, x := in.DType.Size(), l.arg(in, 0)
	if in.DType.IsFloat() {
		return l.bin(xorFloat[s], s, x, l.signBit(s)), 0
	}
	return l.bin(subInt[s], s, l.zero(), x), 0
}

func (l *lowerer) absolute(in kernels.Inst) (val, int) {
	s, x := in.DType.Size(), l.arg(in, 0)
	if in.DType.IsFloat() {
		return l.bin(andFloat[s], s, x, l.splat(s, 1<<(8*s-1)-1)), 0
	}
	return l.magnitude(x, in.DType), 0
}

// magnitude is |x| of an integer; the lowest one stays.
func (l *lowerer) magnitude(x val, d dtype.DType) val {
	if !isSigned(d) {
		return x
	}
	switch s := d.Size(); s {
	case 1:
		return l.un(vpabsb, s, x)
	case 2:
		return l.un(vpabsw, s, x)
	case 4:
		return l.un(vpabsd, s, x)
	}
	sign := l.bin(vpcmpgtq, 8, l.zero(), x)
	return l.bin(vpsubq, 8, l.bin(vpxor, 8, x, sign), sign)
}

func multiplyNeed(in, out dtype.DType) int {
	if in.Size() == 1 {
		return min(ints(in, out), 1) * 2
	}
	return anyNumber(in, out)
}

func (l *lowerer) multiply(in kernels.Inst) (val, int) {
	s, x, y := in.DType.Size(), l.arg(in, 0), l.arg(in, 1)
	if in.DType.IsFloat() {
		return l.bin(mulFloat[s], s, x, y), 0
	}
	return l.product(s, x, y), 0
}

// product is the wrapping product of integers.
func (l *lowerer) product(s int, x, y val) val {
	switch s {
	case 1:
		p := l.bin(vpmullw, 2, l.un(vpmovzxbw, 2, x), l.un(vpmovzxbw, 2, y))
		return l.narrow(p, 2)
	case 2:
		return l.bin(vpmullw, 2, x, y)
	case 4:
		return l.bin(vpmulld, 4, x, y)
	}
	cross := l.bin(vpaddq, 8, l.bin(vpmuludq, 8, l.high(x), y), l.bin(vpmuludq, 8, l.high(y), x))
	return l.bin(vpaddq, 8, l.bin(vpmuludq, 8, x, y), l.shift(vpsllq, 8, cross, 32))
}

// high is the upper half of each 64-bit lane.
func (l *lowerer) high(x val) val {
	if b, ok := l.constant(x); ok {
		for i := range len(b) / 8 {
			copy(b[8*i:], b[8*i+4:8*i+8])
			clear(b[8*i+4 : 8*i+8])
		}
		return l.vector(b)
	}
	return l.shift(vpsrlq, 8, x, 32)
}

// less is x < y of integers, as a mask.
func (l *lowerer) less(d dtype.DType, x, y val) val {
	s := d.Size()
	if !isSigned(d) {
		x, y = l.bin(vpxor, s, x, l.signBit(s)), l.bin(vpxor, s, y, l.signBit(s))
	}
	return l.bin(aboveInt[s], s, y, x)
}

// least and most are the smaller and the larger of integers.
func (l *lowerer) least(d dtype.DType, x, y val) val { return l.extreme(d, x, y, &minSigned, &minUns) }
func (l *lowerer) most(d dtype.DType, x, y val) val  { return l.extreme(d, x, y, &maxSigned, &maxUns) }

func (l *lowerer) extreme(d dtype.DType, x, y val, signed, uns *bySize) val {
	s := d.Size()
	if s == 8 {
		smaller := l.less(d, x, y)
		if signed == &maxSigned {
			x, y = y, x
		}
		return l.blend(8, smaller, x, y)
	}
	if isSigned(d) {
		return l.bin(signed[s], s, x, y)
	}
	return l.bin(uns[s], s, x, y)
}

func (l *lowerer) minimum(in kernels.Inst) (val, int) {
	if !in.DType.IsFloat() {
		return l.least(in.DType, l.arg(in, 0), l.arg(in, 1)), 0
	}
	return l.nanFirst(in, &minFloat), 0
}

func (l *lowerer) maximum(in kernels.Inst) (val, int) {
	if !in.DType.IsFloat() {
		return l.most(in.DType, l.arg(in, 0), l.arg(in, 1)), 0
	}
	return l.nanFirst(in, &maxFloat), 0
}

// nanFirst is minimum or maximum of floats. The instruction gives its second operand for NaN on
// either side and for equal ones; where the first is NaN that is the answer. A second operand that is
// a constant other than 0 and NaN needs no blend: with the operands exchanged NaN passes.
func (l *lowerer) nanFirst(in kernels.Inst, ops *byFloat) val {
	s, x, y := in.DType.Size(), l.arg(in, 0), l.arg(in, 1)
	if c, ok := l.constant(y); ok {
		if v := floatOf(s, c); v != 0 && v == v {
			return l.bin(ops[s], s, y, x)
		}
	}
	m := l.bin(ops[s], s, x, y)
	return l.blend(s, l.binImm(cmpFloat[s], s, x, x, isUnordered), x, m)
}

func littleEndian(b []byte) (v uint64) {
	for i, c := range b {
		v |= uint64(c) << (8 * i)
	}
	return v
}

// compare is a comparison: of floats by a predicate, of integers and truth values by what that means.
func compare(predicate int) func(*lowerer, kernels.Inst) (val, int) {
	return func(l *lowerer, in kernels.Inst) (val, int) {
		d := l.argType(in, 0)
		s := d.Size()
		switch {
		case d.IsFloat():
			return l.binImm(cmpFloat[s], s, l.arg(in, 0), l.arg(in, 1), predicate), s
		case d == dtype.Bool:
			s = l.natural(in.Args[0], in.Args[1])
			x, y := l.truth(in.Args[0], s), l.truth(in.Args[1], s)
			switch predicate {
			case isEqual:
				return l.not(s, l.bin(vpxor, s, x, y)), s
			case isNotEqual:
				return l.bin(vpxor, s, x, y), s
			case isLess:
				return l.bin(vpandn, s, x, y), s
			}
			return l.not(s, l.bin(vpandn, s, y, x)), s
		}
		x, y := l.arg(in, 0), l.arg(in, 1)
		switch predicate {
		case isEqual:
			return l.bin(equalInt[s], s, x, y), s
		case isNotEqual:
			return l.not(s, l.bin(equalInt[s], s, x, y)), s
		case isLess:
			return l.less(d, x, y), s
		}
		return l.not(s, l.less(d, y, x)), s
	}
}

func bitwise(op vop) func(*lowerer, kernels.Inst) (val, int) {
	return func(l *lowerer, in kernels.Inst) (val, int) {
		if in.DType == dtype.Bool {
			s := l.natural(in.Args[0], in.Args[1])
			return l.bin(op, s, l.truth(in.Args[0], s), l.truth(in.Args[1], s)), s
		}
		return l.bin(op, in.DType.Size(), l.arg(in, 0), l.arg(in, 1)), 0
	}
}

func (l *lowerer) invert(in kernels.Inst) (val, int) {
	if in.DType == dtype.Bool {
		s := l.natural(in.Args[0])
		return l.not(s, l.truth(in.Args[0], s)), s
	}
	return l.not(in.DType.Size(), l.arg(in, 0)), 0
}

func (l *lowerer) where(in kernels.Inst) (val, int) {
	if in.DType == dtype.Bool {
		s := l.natural(in.Args[0], in.Args[1], in.Args[2])
		return l.blend(s, l.truth(in.Args[0], s), l.truth(in.Args[1], s), l.truth(in.Args[2], s)), s
	}
	s := in.DType.Size()
	return l.blend(s, l.truth(in.Args[0], s), l.arg(in, 1), l.arg(in, 2)), 0
}

func (l *lowerer) coldOp(in kernels.Inst) (val, int) {
	s := l.natural(in.Args[0])
	l.cold(s, l.truth(in.Args[0], s))
	if in.DType == dtype.Bool {
		s = l.natural(in.Args[1])
		return l.truth(in.Args[1], s), s
	}
	return l.arg(in, 1), 0
}
