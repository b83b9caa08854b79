// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"encoding/binary"
	"math"

	"github.com/arrayrun/arrayrun/kernels"
)

// lookup reads a table of 16 at the four lowest bits of each lane, without a load by address: from one or two vectors of 64 bytes, or from
// several of 32 bytes at the lowest bits, of which the others choose.
func (l *lowerer) lookup(in kernels.Inst) (val, int) {
	x, t, size := l.arg(in, 0), kernels.Table(in.Aux), in.DType.Size()
	part := func(k, n int) val { return l.entries(size, t[n*k:n*k+n]) }
	if l.bytes > vectorBytes {
		if size == 4 && l.length(4) == 2 {
			return l.bin(vpermps, 4, x, part(0, 16)), 0
		}
		op := bySize{4: vpermi2ps, 8: vpermi2pd}[size]
		return l.add(node{kind: nodeOp, op: op, l: l.length(size), imm: -1, a: x, b: part(0, 8), c: part(1, 8)}), 0
	}
	// Of the lanes of a mask, a blend looks at the highest bit.
	permute := func(at, from val) val {
		return l.add(node{kind: nodeOp, op: vpermps, l: 1, imm: -1, a: at, b: from, c: none})
	}
	if size == 4 {
		return l.blend(4, l.shift(vpslld, 4, x, 28), permute(x, part(1, 8)), permute(x, part(0, 8))), 0
	}
	// A lane's number of 64 bits is two of 32 bits: 2x and 2x+1.
	twice := l.bin(vpaddq, 8, x, x)
	pairs := l.bin(vpor, 8, l.unImm(vpshufd, 8, twice, 0xA0), l.splat(8, 1<<32))
	two, three := l.shift(vpsllq, 8, x, 61), l.shift(vpsllq, 8, x, 60)
	entry := func(k int) val { return permute(pairs, part(k, 4)) }
	return l.blend(8, three, l.blend(8, two, entry(3), entry(2)), l.blend(8, two, entry(1), entry(0))), 0
}

// entries is a constant of different lanes of so many bytes, repeated to the end.
func (g *graph) entries(size int, t []uint64) val {
	var b [poolBytes]byte
	for i := range len(b) / size {
		if size == 4 {
			binary.LittleEndian.PutUint32(b[4*i:], uint32(t[i%len(t)]))
		} else {
			binary.LittleEndian.PutUint64(b[8*i:], t[i%len(t)])
		}
	}
	return g.vector(b)
}

// Instructions that take floats apart. The mode of the second puts significands into [3/4, 3/2), and NaN below 0.
var (
	getExponent    = byFloat{4: vgetexpps, 8: vgetexppd}
	getSignificand = byFloat{4: vgetmantps, 8: vgetmantpd}
)

const threeQuarters = 0x0F

// floatParts are what a float's bits are taken apart with where there are no instructions for it.
type floatParts struct {
	mantissa      int    // bits
	smallest      uint64 // normal number
	up            uint64 // 2^mantissa: whole numbers below it are its lowest bits
	normal, small uint64 // 2^mantissa with the bias of exponents, and with mantissa more
	threeQuarters uint64
	inf           uint64
	shift         [2]vop // right, left
}

var partsOf = map[int]floatParts{
	4: newParts(23, 127, func(v float64) uint64 { return uint64(math.Float32bits(float32(v))) }, vpsrld, vpslld),
	8: newParts(52, 1023, math.Float64bits, vpsrlq, vpsllq),
}

func newParts(mantissa, bias int, bits func(float64) uint64, right, left vop) floatParts {
	up := math.Ldexp(1, mantissa)
	return floatParts{mantissa: mantissa, smallest: bits(math.Ldexp(1, 1-bias)), up: bits(up), normal: bits(up + float64(bias)),
		small: bits(up + float64(bias+mantissa)), threeQuarters: bits(0.75), inf: bits(math.Inf(1)), shift: [2]vop{right, left}}
}

// moved are the bits of x, as far as it is below the normal numbers of 2^mantissa x, and half a step of the exponent: the exponent's field is then
// that of the part that begins with 3/4. small tells where x was multiplied, bad where it is below 0 or NaN.
func (l *lowerer) moved(s int, x val) (u, small, bad val) {
	f := partsOf[s]
	small = l.binImm(cmpFloat[s], s, x, l.splat(s, f.smallest), isLess)
	v := l.blend(s, small, l.bin(mulFloat[s], s, x, l.splat(s, f.up)), x)
	return l.bin(addInt[s], s, v, l.splat(s, 1<<(f.mantissa-1))), small, l.binImm(cmpFloat[s], s, x, l.zero(), notGreaterEqual)
}

func (l *lowerer) exponent(in kernels.Inst) (val, int) {
	s, x := in.DType.Size(), l.arg(in, 0)
	if l.bytes > vectorBytes {
		z := l.unImm(getSignificand[s], s, x, threeQuarters)
		return l.bin(subFloat[s], s, l.un(getExponent[s], s, x), l.un(getExponent[s], s, z)), 0
	}
	f := partsOf[s]
	u, small, bad := l.moved(s, x)
	k := l.bin(orFloat[s], s, l.shift(f.shift[0], s, u, f.mantissa), l.splat(s, f.up))
	k = l.bin(subFloat[s], s, k, l.blend(s, small, l.splat(s, f.small), l.splat(s, f.normal)))
	k = l.blend(s, l.binImm(cmpFloat[s], s, x, l.splat(s, f.inf), isEqual), l.splat(s, f.inf), k)
	k = l.blend(s, l.binImm(cmpFloat[s], s, x, l.zero(), isEqual), l.splat(s, f.inf|1<<(8*s-1)), k)
	return l.bin(orFloat[s], s, k, bad), 0
}

func (l *lowerer) significand(in kernels.Inst) (val, int) {
	s, x := in.DType.Size(), l.arg(in, 0)
	if l.bytes > vectorBytes {
		return l.unImm(getSignificand[s], s, x, threeQuarters), 0
	}
	f := partsOf[s]
	u, _, bad := l.moved(s, x)
	z := l.bin(addInt[s], s, l.bin(vpand, s, u, l.splat(s, 1<<f.mantissa-1)), l.splat(s, f.threeQuarters))
	return l.bin(orFloat[s], s, z, bad), 0
}
