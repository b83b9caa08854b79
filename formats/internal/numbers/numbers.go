// SPDX-License-Identifier: BSD-3-Clause

package numbers

import (
	"encoding/binary"
	"math"
	"reflect"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

var le = binary.LittleEndian

// Decode returns the elements of dtype d in b (little endian): a Go
// scalar for one, else a slice, an empty one for none. Float16 and bfloat16 become float32. ok is false for Raw and String.
func Decode(d dtype.DType, b []byte) (v any, ok bool) {
	switch d {
	case dtype.Bool:
		return each(b, 1, func(b []byte) bool { return b[0] != 0 }), true
	case dtype.Int8:
		return each(b, 1, func(b []byte) int8 { return int8(b[0]) }), true
	case dtype.Int16:
		return each(b, 2, func(b []byte) int16 { return int16(le.Uint16(b)) }), true
	case dtype.Int32:
		return each(b, 4, func(b []byte) int32 { return int32(le.Uint32(b)) }), true
	case dtype.Int64:
		return each(b, 8, func(b []byte) int64 { return int64(le.Uint64(b)) }), true
	case dtype.Uint8:
		return each(b, 1, func(b []byte) uint8 { return b[0] }), true
	case dtype.Uint16:
		return each(b, 2, func(b []byte) uint16 { return le.Uint16(b) }), true
	case dtype.Uint32:
		return each(b, 4, func(b []byte) uint32 { return le.Uint32(b) }), true
	case dtype.Uint64:
		return each(b, 8, func(b []byte) uint64 { return le.Uint64(b) }), true
	case dtype.Float16:
		return each(b, 2, func(b []byte) float32 { return dtype.F16{Bits: le.Uint16(b)}.Float32() }), true
	case dtype.BFloat16:
		return each(b, 2, func(b []byte) float32 { return dtype.BF16{Bits: le.Uint16(b)}.Float32() }), true
	case dtype.Float32:
		return each(b, 4, f32), true
	case dtype.Float64:
		return each(b, 8, f64), true
	case dtype.Complex64:
		return each(b, 8, func(b []byte) complex64 { return complex(f32(b), f32(b[4:])) }), true
	case dtype.Complex128:
		return each(b, 16, func(b []byte) complex128 { return complex(f64(b), f64(b[8:])) }), true
	}
	return nil, false
}

func f32(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) }
func f64(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }

func each[T any](b []byte, size int, get func([]byte) T) any {
	n := len(b) / size
	if n == 1 {
		return get(b)
	}
	out := make([]T, n)
	for i := range out {
		out[i] = get(b[i*size:])
	}
	return out
}

// kinds are the dtypes of Go's kinds; int and uint are written as 64 bits.
var kinds = map[reflect.Kind]dtype.DType{
	reflect.Bool: dtype.Bool, reflect.Int: dtype.Int64, reflect.Int8: dtype.Int8, reflect.Int16: dtype.Int16,
	reflect.Int32: dtype.Int32, reflect.Int64: dtype.Int64, reflect.Uint: dtype.Uint64, reflect.Uint8: dtype.Uint8,
	reflect.Uint16: dtype.Uint16, reflect.Uint32: dtype.Uint32, reflect.Uint64: dtype.Uint64,
	reflect.Float32: dtype.Float32, reflect.Float64: dtype.Float64,
}

// Encode is the inverse of Decode: the dtype, the elements as little-endian bytes
// and their number. A []any is numbers of one kind, integers and floats mixed
// being floats. ok is false for what is no number, bool among it.
func Encode(v any) (d dtype.DType, b []byte, n int, ok bool) {
	if l, is := v.([]any); is {
		return encodeAny(l)
	}
	r := reflect.ValueOf(v)
	if !r.IsValid() {
		return 0, nil, 0, false
	}
	if r.Kind() != reflect.Slice {
		d, ok = kinds[r.Kind()]
		return d, put(nil, r), 1, ok && d != dtype.Bool
	}
	if d, ok = kinds[r.Type().Elem().Kind()]; !ok || d == dtype.Bool {
		return 0, nil, 0, false
	}
	for i := range r.Len() {
		b = put(b, r.Index(i))
	}
	return d, b, r.Len(), true
}

// encodeAny encodes a list whose elements may be of several types, as JSON has them.
func encodeAny(l []any) (d dtype.DType, b []byte, n int, ok bool) {
	floats := make([]float64, len(l))
	same, first := true, dtype.Invalid
	for i, x := range l {
		t, eb, k, good := Encode(x)
		if !good || k != 1 || reflect.ValueOf(x).Kind() == reflect.Slice {
			return 0, nil, 0, false
		}
		if i == 0 {
			first = t
		}
		same = same && t == first
		b = append(b, eb...)
		switch r := reflect.ValueOf(x); {
		case r.CanInt():
			floats[i] = float64(r.Int())
		case r.CanUint():
			floats[i] = float64(r.Uint())
		default:
			floats[i] = r.Float()
		}
	}
	if !same {
		return Encode(floats)
	}
	return first, b, len(l), len(l) > 0
}

// put appends one number.
func put(b []byte, r reflect.Value) []byte {
	switch r.Kind() {
	case reflect.Int8:
		return append(b, byte(r.Int()))
	case reflect.Uint8:
		return append(b, byte(r.Uint()))
	case reflect.Int16:
		return le.AppendUint16(b, uint16(r.Int()))
	case reflect.Uint16:
		return le.AppendUint16(b, uint16(r.Uint()))
	case reflect.Int32:
		return le.AppendUint32(b, uint32(r.Int()))
	case reflect.Uint32:
		return le.AppendUint32(b, uint32(r.Uint()))
	case reflect.Int, reflect.Int64:
		return le.AppendUint64(b, uint64(r.Int()))
	case reflect.Uint, reflect.Uint64:
		return le.AppendUint64(b, r.Uint())
	case reflect.Float32:
		return le.AppendUint32(b, math.Float32bits(float32(r.Float())))
	case reflect.Float64:
		return le.AppendUint64(b, math.Float64bits(r.Float()))
	}
	return b
}
