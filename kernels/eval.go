// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// ErrDomain is wrapped when elements have no result at all: a negative integer
// power of an integer.
var ErrDomain = errors.New("kernels: value outside an operation's domain")

// evaluator computes one element of a primitive: in holds the operands' dtypes,
// a their bits as a Const has them. The result has out's dtype. It is the meaning of the
// primitive: constant folding and the ref device use it, every other device must agree bit for bit
// (two NaNs are equal).
type evaluator func(out dtype.DType, in [3]dtype.DType, a [3]uint64) (uint64, error)

// signedOf returns the value of an integer or bool of dtype d.
func signedOf(d dtype.DType, b uint64) int64 {
	if d.Kind() == dtype.KindInt {
		s := 64 - 8*uint(d.Size())
		return int64(b<<s) >> s
	}
	return int64(b)
}

// trim cuts bits to the width of d.
func trim(d dtype.DType, b uint64) uint64 {
	s := 64 - 8*uint(d.Size())
	return b << s >> s
}

// floatOfBits returns the value of a real float of dtype d.
func floatOfBits(d dtype.DType, b uint64) float64 {
	switch d {
	case dtype.Float16:
		return dtype.F16{Bits: uint16(b)}.Float64()
	case dtype.BFloat16:
		return dtype.BF16{Bits: uint16(b)}.Float64()
	case dtype.Float32:
		return float64(math.Float32frombits(uint32(b)))
	}
	return math.Float64frombits(b)
}

// bitsOfFloat rounds x once to the float dtype d.
func bitsOfFloat(d dtype.DType, x float64) uint64 {
	switch d {
	case dtype.Float16:
		return uint64(dtype.F16Of(x).Bits)
	case dtype.BFloat16:
		return uint64(dtype.BF16Of(x).Bits)
	case dtype.Float32:
		return uint64(math.Float32bits(float32(x)))
	}
	return math.Float64bits(x)
}

func bit(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}

// arith builds the evaluator of an operation whose result has its operands'
// dtype. Integer results wrap. bw is the width in bits.
func arith(i func(a, b int64) int64, u func(a, b uint64) uint64, f4 func(a, b float32) float32, f8 func(a, b float64) float64) evaluator {
	return func(out dtype.DType, in [3]dtype.DType, a [3]uint64) (uint64, error) {
		switch {
		case in[0] == dtype.Float32:
			return uint64(math.Float32bits(f4(math.Float32frombits(uint32(a[0])), math.Float32frombits(uint32(a[1]))))), nil
		case in[0] == dtype.Float64:
			return math.Float64bits(f8(math.Float64frombits(a[0]), math.Float64frombits(a[1]))), nil
		case in[0].Kind() == dtype.KindInt:
			return trim(out, uint64(i(signedOf(in[0], a[0]), signedOf(in[1], a[1])))), nil
		}
		return trim(out, u(a[0], a[1])), nil
	}
}

// compare builds the evaluator of a comparison.
func compare(i func(a, b int64) bool, u func(a, b uint64) bool, f func(a, b float64) bool) evaluator {
	return func(_ dtype.DType, in [3]dtype.DType, a [3]uint64) (uint64, error) {
		switch in[0].Kind() {
		case dtype.KindFloat:
			return bit(f(floatOfBits(in[0], a[0]), floatOfBits(in[1], a[1]))), nil
		case dtype.KindInt:
			return bit(i(signedOf(in[0], a[0]), signedOf(in[1], a[1]))), nil
		}
		return bit(u(a[0], a[1])), nil
	}
}

// bitwise builds the evaluator of an operation on bit patterns.
func bitwise(f func(a, b uint64) uint64) evaluator {
	return func(out dtype.DType, _ [3]dtype.DType, a [3]uint64) (uint64, error) {
		return trim(out, f(a[0], a[1])), nil
	}
}

func evalWhere(_ dtype.DType, _ [3]dtype.DType, a [3]uint64) (uint64, error) {
	if a[0] != 0 {
		return a[1], nil
	}
	return a[2], nil
}

func evalInvert(out dtype.DType, _ [3]dtype.DType, a [3]uint64) (uint64, error) {
	if out == dtype.Bool {
		return a[0] ^ 1, nil
	}
	return trim(out, ^a[0]), nil
}

func evalShiftLeft(out dtype.DType, in [3]dtype.DType, a [3]uint64) (uint64, error) {
	n := uint64(signedOf(in[1], a[1]))
	if n >= uint64(8*out.Size()) {
		return 0, nil
	}
	return trim(out, a[0]<<n), nil
}

func evalShiftRight(out dtype.DType, in [3]dtype.DType, a [3]uint64) (uint64, error) {
	n := uint64(signedOf(in[1], a[1]))
	if in[0].Kind() == dtype.KindInt {
		return trim(out, uint64(signedOf(in[0], a[0])>>min(n, 63))), nil
	}
	return a[0] >> n, nil // Go shifts by the width or more give 0
}

func evalCount(_ dtype.DType, in [3]dtype.DType, a [3]uint64) (uint64, error) {
	if in[0].Kind() == dtype.KindInt { // NumPy counts the bits of the absolute value
		v := signedOf(in[0], a[0])
		if v < 0 {
			v = -v
		}
		return uint64(bits.OnesCount64(uint64(v))), nil
	}
	return uint64(bits.OnesCount64(a[0])), nil
}

// evalFma rounds a*b + c once. In float32 the product is exact in float64; the
// sum is rounded to odd there, so that the second rounding does no harm.
func evalFma(out dtype.DType, _ [3]dtype.DType, a [3]uint64) (uint64, error) {
	if out == dtype.Float64 {
		return math.Float64bits(math.FMA(math.Float64frombits(a[0]), math.Float64frombits(a[1]), math.Float64frombits(a[2]))), nil
	}
	f := func(b uint64) float64 { return float64(math.Float32frombits(uint32(b))) }
	return uint64(math.Float32bits(float32(OddSum(float64(f(a[0])*f(a[1])), f(a[2]))))), nil
}

// OddSum returns a + b rounded to odd: what is inexact gets an odd last bit, so
// that rounding it to a shorter float is the same as rounding the exact sum.
func OddSum(a, b float64) float64 {
	s := a + b
	if s-s != 0 { // NaN or infinity
		return s
	}
	t := s - a
	e := (a - (s - t)) + (b - t) // the exact error of s
	if e == 0 {
		return s
	}
	u := math.Float64bits(s)
	if u&1 == 0 {
		if (e > 0) == (s > 0) {
			u++
		} else {
			u--
		}
	}
	return math.Float64frombits(u)
}

// ipow returns a to the power of b, wrapping, by squaring.
func ipow(a, b uint64) uint64 {
	r := uint64(1)
	for ; b != 0; b >>= 1 {
		if b&1 == 1 {
			r *= a
		}
		a *= a
	}
	return r
}

func evalPower(out dtype.DType, in [3]dtype.DType, a [3]uint64) (uint64, error) {
	if in[0].Kind() == dtype.KindInt {
		n := signedOf(in[1], a[1])
		if n < 0 {
			return 0, fmt.Errorf("kernels: power: an integer to the power of %d is not an integer; cast one operand to float64: %w", n, ErrDomain)
		}
		return trim(out, ipow(uint64(signedOf(in[0], a[0])), uint64(n))), nil
	}
	return trim(out, ipow(a[0], a[1])), nil
}

func evalBitcast(_ dtype.DType, _ [3]dtype.DType, a [3]uint64) (uint64, error) { return a[0], nil }

// evalCast converts between real dtypes: floats round once; to an integer
// truncates, NaN gives 0 and what is out of range the nearest end; to bool is "not zero".
func evalCast(out dtype.DType, in [3]dtype.DType, a [3]uint64) (uint64, error) {
	from := in[0]
	switch {
	case out == from:
		return a[0], nil
	case out == dtype.Bool:
		if from.IsFloat() {
			return bit(floatOfBits(from, a[0]) != 0), nil
		}
		return bit(a[0] != 0), nil
	case out.IsFloat():
		return castToFloat(out, from, a[0]), nil
	}
	return castToInt(out, from, a[0]), nil
}

func castToFloat(out, from dtype.DType, a uint64) uint64 {
	switch {
	case from.IsFloat():
		return bitsOfFloat(out, floatOfBits(from, a))
	case from.Kind() == dtype.KindInt:
		v := signedOf(from, a)
		switch out {
		case dtype.Float32:
			return uint64(math.Float32bits(float32(v)))
		case dtype.Float64:
			return math.Float64bits(float64(v))
		}
		if v < 0 {
			return bitsOfFloat(out, -oddFloat(-uint64(v)))
		}
		return bitsOfFloat(out, oddFloat(uint64(v)))
	}
	switch out {
	case dtype.Float32:
		return uint64(math.Float32bits(float32(a)))
	case dtype.Float64:
		return math.Float64bits(float64(a))
	}
	return bitsOfFloat(out, oddFloat(a))
}

// oddFloat returns v as a float64, rounded to odd.
func oddFloat(v uint64) float64 {
	if n := bits.Len64(v); n > 53 {
		s := uint(n - 53)
		return math.Ldexp(float64(v>>s|bit(v&(1<<s-1) != 0)), int(s))
	}
	return float64(v)
}

// intRange holds the ends of an integer dtype's range.
func intRange(d dtype.DType) (lo int64, hi uint64) {
	n := uint(8 * d.Size())
	if d.Kind() == dtype.KindInt {
		return -1 << (n - 1), 1<<(n-1) - 1
	}
	return 0, 1<<n - 1
}

func castToInt(out, from dtype.DType, a uint64) uint64 {
	lo, hi := intRange(out)
	if from.IsFloat() {
		x := math.Trunc(floatOfBits(from, a))
		switch {
		case x != x:
			return 0
		case x <= float64(lo):
			return trim(out, uint64(lo))
		case x >= float64(hi): // float64(hi) may be hi+1, which saturates too
			return hi
		case x < 0:
			return trim(out, uint64(int64(x)))
		}
		return uint64(x)
	}
	if from.Kind() == dtype.KindInt {
		v := signedOf(from, a)
		if v < 0 {
			return trim(out, uint64(max(v, lo)))
		}
		a = uint64(v)
	}
	return min(a, hi)
}

// Parts returns the exponent k and the significand z of x as OpExponent and OpSignificand have them: x = z * 2^k with 3/4 <= z < 3/2.
func Parts(x float64) (k, z float64) {
	switch {
	case !(x >= 0):
		return math.NaN(), math.NaN()
	case x == 0:
		return math.Inf(-1), 1
	case math.IsInf(x, 1):
		return x, 1
	}
	z, e := math.Frexp(x) // 1/2 <= z < 1
	if z < 0.75 {
		z, e = 2*z, e-1
	}
	return float64(e), z
}

// takenApart builds the evaluator of one of a float's parts, which are exact in its dtype.
func takenApart(f func(k, z float64) float64) evaluator {
	return func(out dtype.DType, in [3]dtype.DType, a [3]uint64) (uint64, error) {
		return bitsOfFloat(out, f(Parts(floatOfBits(in[0], a[0])))), nil
	}
}
