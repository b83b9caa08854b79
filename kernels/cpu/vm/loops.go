// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"math"
	"math/bits"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

//go:generate go run gen_loops.go

// loop computes n elements of an instruction. d is the result, a, b and c are
// the operands in order: n elements each, or one where u says uniform. The result may be
// an operand's memory when their elements have one size.
type loop func(d, a, b, c unsafe.Pointer, n int, u uniform)

// uniform says which operands have one value for all elements.
type uniform uint8

const (
	uniformA uniform = 1 << iota
	uniformB
	uniformC
)

type signed interface {
	int8 | int16 | int32 | int64
}

type unsigned interface {
	uint8 | uint16 | uint32 | uint64
}

type integer interface{ signed | unsigned }

type float interface{ float32 | float64 }

type realNumber interface{ integer | float }

func floorDiv[T signed](x, y T) T {
	if y == 0 {
		return 0
	}
	q := x / y
	if q*y != x && (x < 0) != (y < 0) {
		q--
	}
	return q
}

func floorMod[T signed](x, y T) T {
	if y == 0 {
		return 0
	}
	m := x % y
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m
}

// fmod is the exact remainder; math.Mod goes bit by bit, so the common small quotients are
// done by fma: for a quotient below 2^52 x - q*y is exact up to one y.
func fmod(x, y float64) float64 {
	a, b := math.Abs(x), math.Abs(y)
	if !(a < 0x1p1000 && b > 0x1p-900 && b < 0x1p1000 && a < b*0x1p50) {
		return math.Mod(x, y)
	}
	q := float64(int64(a / b))
	r := math.FMA(-q, b, a)
	if r < 0 {
		r += b
	}
	return math.Copysign(r, x)
}

// shift makes a count of 64 or more of one that is negative or large: Go then gives 0 or the sign.
func shift[T integer](n T) uint64 {
	if n < 0 {
		return 64
	}
	return uint64(n)
}

func power[T integer](x, n T) T {
	r := T(1)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			r *= x
		}
		x *= x
	}
	return r
}

func magnitude[T integer](x T) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

func gcdBits(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func gcd[T integer](x, y T) T { return T(gcdBits(magnitude(x), magnitude(y))) }

func lcm[T integer](x, y T) T {
	a, b := magnitude(x), magnitude(y)
	g := gcdBits(a, b)
	if g == 0 {
		return 0
	}
	return T(a / g * b)
}

// unaryLoops holds the loops of one operand by operation and dtype of the operand. A uniform
// operand is computed with n = 1.
var unaryLoops = map[kernels.OpID]map[dtype.DType]loop{
	kernels.OpNegative: {
		dtype.Int8: negLoop[int8], dtype.Int16: negLoop[int16], dtype.Int32: negLoop[int32], dtype.Int64: negLoop[int64],
		dtype.Uint8: negLoop[uint8], dtype.Uint16: negLoop[uint16], dtype.Uint32: negLoop[uint32], dtype.Uint64: negLoop[uint64],
		dtype.Float32: negLoop[float32], dtype.Float64: negLoop[float64],
	},
	kernels.OpAbsolute: {
		dtype.Int8: absLoop[int8], dtype.Int16: absLoop[int16], dtype.Int32: absLoop[int32], dtype.Int64: absLoop[int64],
		dtype.Float32: absFloat32, dtype.Float64: absFloat64,
	},
	kernels.OpInvert: {
		dtype.Int8: notLoop[int8], dtype.Int16: notLoop[int16], dtype.Int32: notLoop[int32], dtype.Int64: notLoop[int64],
		dtype.Uint8: notLoop[uint8], dtype.Uint16: notLoop[uint16], dtype.Uint32: notLoop[uint32], dtype.Uint64: notLoop[uint64],
		dtype.Bool: notBool,
	},
	kernels.OpBitwiseCount: {
		dtype.Int8: countLoop[int8], dtype.Int16: countLoop[int16], dtype.Int32: countLoop[int32], dtype.Int64: countLoop[int64],
		dtype.Uint8: countLoop[uint8], dtype.Uint16: countLoop[uint16], dtype.Uint32: countLoop[uint32], dtype.Uint64: countLoop[uint64],
	},
	kernels.OpSqrt:  {dtype.Float32: sqrtLoop[float32], dtype.Float64: sqrtLoop[float64]},
	kernels.OpFloor: {dtype.Float32: floorFloat32, dtype.Float64: floorFloat64},
	kernels.OpCeil:  {dtype.Float32: ceilFloat32, dtype.Float64: ceilFloat64},
	kernels.OpTrunc: {dtype.Float32: truncFloat32, dtype.Float64: truncFloat64},
	kernels.OpRint:  {dtype.Float32: rintFloat32, dtype.Float64: rintFloat64},

	kernels.OpExponent:    {dtype.Float32: exponentLoop[float32], dtype.Float64: exponentLoop[float64]},
	kernels.OpSignificand: {dtype.Float32: significandLoop[float32], dtype.Float64: significandLoop[float64]},
}

func negLoop[T realNumber](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[T](d, n), values[T](a, n)
	for i := range z {
		z[i] = -x[i]
	}
}

func absLoop[T signed](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[T](d, n), values[T](a, n)
	for i := range z {
		z[i] = max(x[i], -x[i])
	}
}

func absFloat32(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[uint32](d, n), values[uint32](a, n)
	for i := range z {
		z[i] = x[i] &^ (1 << 31)
	}
}

func absFloat64(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[uint64](d, n), values[uint64](a, n)
	for i := range z {
		z[i] = x[i] &^ (1 << 63)
	}
}

func notLoop[T integer](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[T](d, n), values[T](a, n)
	for i := range z {
		z[i] = ^x[i]
	}
}

func notBool(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[uint8](d, n), values[uint8](a, n)
	for i := range z {
		z[i] = x[i] ^ 1
	}
}

func countLoop[T integer](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[uint8](d, n), values[T](a, n)
	for i := range z {
		// The magnitude in the dtype's own width: the lowest integer is its own.
		z[i] = uint8(bits.OnesCount64(magnitude(x[i])))
	}
}

func sqrtLoop[T float](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[T](d, n), values[T](a, n)
	for i := range z {
		z[i] = T(math.Sqrt(float64(x[i])))
	}
}

// The rounding loops avoid the rounding instruction, whose false dependency on its
// target costs 2 ns per element in Go's code, and branches on the data. Adding and taking away
// 2^52 (2^23) rounds to the nearest whole number, ties to even.

func rint64(x float64) float64 {
	b := math.Float64bits(x)
	a := math.Float64frombits(b &^ (1 << 63))
	if !(a < 0x1p52) {
		return x
	}
	return math.Float64frombits(math.Float64bits((a+0x1p52)-0x1p52) | b&(1<<63))
}

func rint32(x float32) float32 {
	b := math.Float32bits(x)
	a := math.Float32frombits(b &^ (1 << 31))
	if !(a < 0x1p23) {
		return x
	}
	return math.Float32frombits(math.Float32bits((a+0x1p23)-0x1p23) | b&(1<<31))
}

// one64 and one32 are 1 when the condition's byte is 1, else +0.
func one64(m uint8) float64 { return math.Float64frombits(-uint64(m) & 0x3ff0000000000000) }
func one32(m uint8) float32 { return math.Float32frombits(-uint32(m) & 0x3f800000) }

func rintFloat64(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[float64](d, n), values[float64](a, n)
	for i := range z {
		z[i] = rint64(x[i])
	}
}

func rintFloat32(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[float32](d, n), values[float32](a, n)
	for i := range z {
		z[i] = rint32(x[i])
	}
}

func floorFloat64(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[float64](d, n), values[float64](a, n)
	for i := range z {
		v := x[i]
		t := rint64(v)
		var m uint8
		if t > v {
			m = 1
		}
		z[i] = t - one64(m)
	}
}

func floorFloat32(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[float32](d, n), values[float32](a, n)
	for i := range z {
		v := x[i]
		t := rint32(v)
		var m uint8
		if t > v {
			m = 1
		}
		z[i] = t - one32(m)
	}
}

func ceilFloat64(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[float64](d, n), values[float64](a, n)
	for i := range z {
		v := -x[i]
		t := rint64(v)
		var m uint8
		if t > v {
			m = 1
		}
		z[i] = -(t - one64(m))
	}
}

func ceilFloat32(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[float32](d, n), values[float32](a, n)
	for i := range z {
		v := -x[i]
		t := rint32(v)
		var m uint8
		if t > v {
			m = 1
		}
		z[i] = -(t - one32(m))
	}
}

func truncFloat64(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[float64](d, n), values[float64](a, n)
	for i := range z {
		v := math.Abs(x[i])
		t := rint64(v)
		var m uint8
		if t > v {
			m = 1
		}
		z[i] = math.Copysign(t-one64(m), x[i])
	}
}

func truncFloat32(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[float32](d, n), values[float32](a, n)
	for i := range z {
		b := math.Float32bits(x[i])
		v := math.Float32frombits(b &^ (1 << 31))
		t := rint32(v)
		var m uint8
		if t > v {
			m = 1
		}
		z[i] = math.Float32frombits(math.Float32bits(t-one32(m)) | b&(1<<31))
	}
}
