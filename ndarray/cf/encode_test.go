// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"math"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// What is encoded decodes to what it was, and values without a stored form are found. The stored numbers are what xarray 2026.9 writes.
func TestEncode(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		stored dtype.DType
		attrs  formats.Attrs
		in     []float64
		bytes  string
		bad    int
	}{
		{"packed", dtype.Int16, formats.Attrs{{Name: "scale_factor", Value: 0.01}, {Name: "add_offset", Value: 273.15}, {Name: "_FillValue", Value: int16(-32768)}}, []float64{273.15, 273.16, 272.15, nan}, "\x00\x00\x01\x00\x9c\xff\x00\x80", -1},
		{"even", dtype.Int8, formats.Attrs{{Name: "scale_factor", Value: 1.0}}, []float64{0.5, 1.5, 2.5, -0.5}, "\x00\x02\x02\x00", -1},
		{"unsigned", dtype.Int8, formats.Attrs{{Name: "_Unsigned", Value: "true"}, {Name: "_FillValue", Value: int8(-1)}}, []float64{200, nan, 0}, "\xc8\xff\x00", -1},
		{"too large", dtype.Int8, formats.Attrs{{Name: "scale_factor", Value: 1.0}}, []float64{1, 128}, "", 1},
		{"too small", dtype.Uint16, formats.Attrs{{Name: "scale_factor", Value: 1.0}}, []float64{-1}, "", 0},
		{"missing without a fill value", dtype.Int16, formats.Attrs{{Name: "scale_factor", Value: 1.0}}, []float64{0, 0, nan}, "", 2},
		{"float", dtype.Float32, formats.Attrs{{Name: "_FillValue", Value: float32(1e20)}}, []float64{1, nan}, "\x00\x00\x80\x3f\xec\x78\xad\x60", -1},
		{"float too large", dtype.Float32, formats.Attrs{{Name: "_FillValue", Value: float32(1e20)}}, []float64{1e39}, "", 0},
		{"top of uint64", dtype.Uint64, formats.Attrs{{Name: "scale_factor", Value: 1.0}}, []float64{math.Ldexp(1, 63)}, "\x00\x00\x00\x00\x00\x00\x00\x80", -1},
		{"above uint64", dtype.Uint64, formats.Attrs{{Name: "scale_factor", Value: 1.0}}, []float64{math.Ldexp(1, 64)}, "", 0},
	} {
		coding, _ := Decide(c.stored, c.attrs)
		out := make([]byte, len(c.in)*c.stored.Size())
		bad := coding.Encode(out, c.in)
		if bad != c.bad || bad < 0 && string(out) != c.bytes {
			t.Errorf("%s: Encode(%v) = %q, %d, want %q, %d", c.name, c.in, out, bad, c.bytes, c.bad)
		}
		if again, _ := Decide(c.stored, c.attrs); !coding.Same(again) {
			t.Errorf("%s: %v is not the same as itself", c.name, coding)
		}
		if plain, _ := Decide(c.stored, nil); coding.Same(plain) {
			t.Errorf("%s: %v is the same as %v", c.name, coding, plain)
		}
	}
}
