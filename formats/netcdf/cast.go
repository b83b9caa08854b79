// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"math"
	"reflect"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// goTypes are the Go types of NetCDF's numbers.
var goTypes = map[dtype.DType]reflect.Type{
	dtype.Int8: reflect.TypeFor[int8](), dtype.Int16: reflect.TypeFor[int16](), dtype.Int32: reflect.TypeFor[int32](), dtype.Int64: reflect.TypeFor[int64](),
	dtype.Uint8: reflect.TypeFor[uint8](), dtype.Uint16: reflect.TypeFor[uint16](), dtype.Uint32: reflect.TypeFor[uint32](), dtype.Uint64: reflect.TypeFor[uint64](),
	dtype.Float32: reflect.TypeFor[float32](), dtype.Float64: reflect.TypeFor[float64](),
}

// castNumber returns the Go number v as one of dtype d. exact is false for a number that d
// cannot hold; a float is rounded to float32 without complaint.
func castNumber(v any, d dtype.DType) (out any, exact bool) {
	t, ok := goTypes[d]
	r := reflect.ValueOf(v)
	if !ok || !r.IsValid() || !r.CanConvert(t) {
		return nil, false
	}
	c := r.Convert(t)
	if d.IsFloat() {
		return c.Interface(), true
	}
	if r.CanFloat() {
		f := r.Float()
		// 2^64 and -2^63 are exact as floats; beyond them the conversion has no defined value
		if f != math.Trunc(f) || f < -1<<63 || f >= 1<<64 || c.CanUint() && f < 0 || c.CanInt() && f >= 1<<63 {
			return nil, false
		}
	}
	back := c.Convert(r.Type())
	if r.CanInt() && c.CanUint() && r.Int() < 0 || r.CanUint() && c.CanInt() && c.Int() < 0 {
		return nil, false
	}
	return c.Interface(), back.Interface() == v
}
