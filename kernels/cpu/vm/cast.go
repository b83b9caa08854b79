// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"math"
	"math/bits"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// castOf returns the loop that casts between real dtypes: floats round once; to integers values
// are cut towards 0, NaN gives 0, what is out of range the nearest end; to bool is "not zero".
func castOf(from, to dtype.DType) loop {
	switch {
	case to == dtype.Bool:
		return toBool[from]
	case from == dtype.Bool: // a byte of 0 or 1
		from = dtype.Uint8
	}
	if from == to {
		return moves[to.Size()]
	}
	if f := castsFrom[from]; f != nil {
		return f(to)
	}
	return nil
}

// moves copy elements by size.
var moves = [9]loop{1: move[uint8], 2: move[uint16], 4: move[uint32], 8: move[uint64]}

func move[T unsigned](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	copy(values[T](d, n), values[T](a, n))
}

// toBool is indexed by the operand's dtype.
var toBool = [dtype.Count]loop{
	dtype.Bool: move[uint8], dtype.Int8: nonzero[int8], dtype.Int16: nonzero[int16], dtype.Int32: nonzero[int32], dtype.Int64: nonzero[int64],
	dtype.Uint8: nonzero[uint8], dtype.Uint16: nonzero[uint16], dtype.Uint32: nonzero[uint32], dtype.Uint64: nonzero[uint64],
	dtype.Float16: nonzeroHalf, dtype.BFloat16: nonzeroHalf, dtype.Float32: nonzero[float32], dtype.Float64: nonzero[float64],
}

func nonzero[T realNumber](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[uint8](d, n), values[T](a, n)
	for i := range z {
		var m uint8
		if x[i] != 0 {
			m = 1
		}
		z[i] = m
	}
}

func nonzeroHalf(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[uint8](d, n), values[uint16](a, n)
	for i := range z {
		var m uint8
		if x[i]&0x7fff != 0 {
			m = 1
		}
		z[i] = m
	}
}

// castsFrom gives, for an operand's dtype, the loop for a target.
var castsFrom = [dtype.Count]func(to dtype.DType) loop{
	dtype.Int8: fromSigned[int8], dtype.Int16: fromSigned[int16], dtype.Int32: fromSigned[int32], dtype.Int64: fromSigned[int64],
	dtype.Uint8: fromUnsigned[uint8], dtype.Uint16: fromUnsigned[uint16], dtype.Uint32: fromUnsigned[uint32], dtype.Uint64: fromUnsigned[uint64],
	dtype.Float16: fromHalf[dtype.F16], dtype.BFloat16: fromHalf[dtype.BF16],
	dtype.Float32: fromFloat[float32], dtype.Float64: fromFloat[float64],
}

func fromSigned[S signed](to dtype.DType) loop {
	switch to {
	case dtype.Int8:
		return signedTo[S, int8]
	case dtype.Int16:
		return signedTo[S, int16]
	case dtype.Int32:
		return signedTo[S, int32]
	case dtype.Int64:
		return widen[S, int64]
	case dtype.Uint8:
		return signedTo[S, uint8]
	case dtype.Uint16:
		return signedTo[S, uint16]
	case dtype.Uint32:
		return signedTo[S, uint32]
	case dtype.Uint64:
		return signedTo[S, uint64]
	case dtype.Float16, dtype.BFloat16:
		return toHalf(to, func(p unsafe.Pointer, i int) float64 { return oddInt(int64(*(*S)(element[S](p, i)))) })
	case dtype.Float32:
		return widen[S, float32]
	case dtype.Float64:
		return widen[S, float64]
	}
	return nil
}

func fromUnsigned[S unsigned](to dtype.DType) loop {
	switch to {
	case dtype.Int8:
		return unsignedTo[S, int8]
	case dtype.Int16:
		return unsignedTo[S, int16]
	case dtype.Int32:
		return unsignedTo[S, int32]
	case dtype.Int64:
		return unsignedTo[S, int64]
	case dtype.Uint8:
		return unsignedTo[S, uint8]
	case dtype.Uint16:
		return unsignedTo[S, uint16]
	case dtype.Uint32:
		return unsignedTo[S, uint32]
	case dtype.Uint64:
		return widen[S, uint64]
	case dtype.Float16, dtype.BFloat16:
		return toHalf(to, func(p unsafe.Pointer, i int) float64 { return oddUint(uint64(*(*S)(element[S](p, i)))) })
	case dtype.Float32:
		return widen[S, float32]
	case dtype.Float64:
		return widen[S, float64]
	}
	return nil
}

func fromFloat[S float](to dtype.DType) loop {
	switch to {
	case dtype.Int8:
		return floatTo[S, int8]
	case dtype.Int16:
		return floatTo[S, int16]
	case dtype.Int32:
		return floatTo[S, int32]
	case dtype.Int64:
		return floatTo[S, int64]
	case dtype.Uint8:
		return floatTo[S, uint8]
	case dtype.Uint16:
		return floatTo[S, uint16]
	case dtype.Uint32:
		return floatTo[S, uint32]
	case dtype.Uint64:
		return floatTo[S, uint64]
	case dtype.Float16, dtype.BFloat16:
		return toHalf(to, func(p unsafe.Pointer, i int) float64 { return float64(*(*S)(element[S](p, i))) })
	case dtype.Float32:
		return widen[S, float32]
	case dtype.Float64:
		return widen[S, float64]
	}
	return nil
}

// widen converts as Go does: exactly, or rounding once.
func widen[S, D realNumber](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[D](d, n), values[S](a, n)
	for i := range z {
		z[i] = D(x[i])
	}
}

// limits returns the range of D.
func limits[D integer]() (lo int64, hi uint64) {
	var z D
	w := 8 * uint(unsafe.Sizeof(z))
	if z--; z < 0 {
		return -1 << (w - 1), 1<<(w-1) - 1
	}
	return 0, 1<<w - 1
}

func signedTo[S signed, D integer](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[D](d, n), values[S](a, n)
	lo, top := limits[D]()
	hi := int64(min(top, math.MaxInt64))
	for i := range z {
		z[i] = D(min(max(int64(x[i]), lo), hi))
	}
}

func unsignedTo[S unsigned, D integer](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[D](d, n), values[S](a, n)
	_, hi := limits[D]()
	for i := range z {
		z[i] = D(min(uint64(x[i]), hi))
	}
}

// saturate cuts v towards 0; what is out of D's range is its nearest end, NaN is 0.
func saturate[D integer](v, least, most float64, lo int64, hi uint64) D {
	switch {
	case v > least && v < most:
		if v < 0 {
			return D(int64(v))
		}
		return D(uint64(v))
	case v >= most:
		return D(hi)
	case v <= least:
		return D(lo)
	}
	return 0
}

func floatTo[S float, D integer](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[D](d, n), values[S](a, n)
	lo, hi := limits[D]()
	least, most := float64(lo), float64(hi) // most may be hi+1, which saturates too
	for i := range z {
		z[i] = saturate[D](float64(x[i]), least, most, lo, hi)
	}
}

func halfTo[S half, D integer](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[D](d, n), values[S](a, n)
	lo, hi := limits[D]()
	least, most := float64(lo), float64(hi)
	for i := range z {
		z[i] = saturate[D](x[i].Float64(), least, most, lo, hi)
	}
}

// oddInt and oddUint give an integer as a float64 rounded to odd, so that rounding
// to a half precision float afterwards is one rounding.
func oddInt(v int64) float64 {
	if v < 0 {
		return -oddUint(-uint64(v))
	}
	return oddUint(uint64(v))
}

func oddUint(v uint64) float64 {
	if n := bits.Len64(v); n > 53 {
		s := uint(n - 53)
		t := v >> s
		if v&(1<<s-1) != 0 {
			t |= 1
		}
		return math.Ldexp(float64(t), int(s))
	}
	return float64(v)
}

// toHalf rounds what get reads to float16 or bfloat16.
func toHalf(to dtype.DType, get func(p unsafe.Pointer, i int) float64) loop {
	if to == dtype.Float16 {
		return func(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
			z := values[dtype.F16](d, n)
			for i := range z {
				z[i] = dtype.F16Of(get(a, i))
			}
		}
	}
	return func(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
		z := values[dtype.BF16](d, n)
		for i := range z {
			z[i] = dtype.BF16Of(get(a, i))
		}
	}
}

// half is what the half precision types share.
type half interface {
	dtype.F16 | dtype.BF16
	Float32() float32
	Float64() float64
}

func fromHalf[S half](to dtype.DType) loop {
	switch to {
	case dtype.Float32:
		return func(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
			z, x := values[float32](d, n), values[S](a, n)
			for i := range z {
				z[i] = x[i].Float32()
			}
		}
	case dtype.Float64:
		return func(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
			z, x := values[float64](d, n), values[S](a, n)
			for i := range z {
				z[i] = x[i].Float64()
			}
		}
	case dtype.Float16, dtype.BFloat16:
		return toHalf(to, func(p unsafe.Pointer, i int) float64 { return (*(*S)(element[S](p, i))).Float64() })
	}
	return halfToInt[S](to)
}

func halfToInt[S half](to dtype.DType) loop {
	switch to {
	case dtype.Int8:
		return halfTo[S, int8]
	case dtype.Int16:
		return halfTo[S, int16]
	case dtype.Int32:
		return halfTo[S, int32]
	case dtype.Int64:
		return halfTo[S, int64]
	case dtype.Uint8:
		return halfTo[S, uint8]
	case dtype.Uint16:
		return halfTo[S, uint16]
	case dtype.Uint32:
		return halfTo[S, uint32]
	case dtype.Uint64:
		return halfTo[S, uint64]
	}
	return nil
}
