// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Same reports whether two codings give stored values the same meaning.
func (c Coding) Same(o Coding) bool {
	number := func(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }
	if c.Stored != o.Stored || c.Integer != o.Integer || c.Bool != o.Bool || !number(c.Scale, o.Scale) || !number(c.Offset, o.Offset) || len(c.Missing) != len(o.Missing) {
		return false
	}
	for _, n := range c.Missing {
		if !contains(o.Missing, n) {
			return false
		}
	}
	return true
}

// String says how values are stored, for messages: "int16, scale 0.01, offset 273.15, missing -32768".
func (c Coding) String() string {
	s := c.Integer.String()
	if c.Integer != c.Stored {
		s = fmt.Sprintf("%v as %v", c.Integer, c.Stored)
	}
	if c.Bool {
		s = "bool as " + s
	}
	if c.Scale != nil {
		s += fmt.Sprintf(", scale %v", *c.Scale)
	}
	if c.Offset != nil {
		s += fmt.Sprintf(", offset %v", *c.Offset)
	}
	for _, n := range c.Missing {
		s += fmt.Sprintf(", missing %v", n.Value())
	}
	return s
}

// Encode stores decoded values, the reverse of Decode: NaN is the first missing value, everything else (x - offset) / scale,
// integers of it the nearest, even ones where two are. dst takes len(src) elements of c.Stored in native byte order. It returns
// the position of the first value that has no stored form, -1 when all have one.
func (c Coding) Encode(dst []byte, src []float64) int {
	size := c.Stored.Size()
	scale, offset := 1.0, 0.0
	if c.Scale != nil {
		scale = *c.Scale
	}
	if c.Offset != nil {
		offset = *c.Offset
	}
	lo, hi := limits(c.Integer)
	isFloat := c.Stored.IsFloat()
	for i, x := range src {
		out := dst[i*size : (i+1)*size]
		if math.IsNaN(x) && len(c.Missing) > 0 {
			n := c.Missing[0]
			switch {
			case isFloat:
				putFloat(out, n.Value())
			case n.IsUint:
				putInt(out, n.Uint)
			case n.IsFloat:
				putInt(out, uint64(int64(n.Float)))
			default:
				putInt(out, uint64(n.Int))
			}
			continue
		}
		y := x
		if offset != 0 {
			y -= offset
		}
		if scale != 1 {
			y /= scale
		}
		if isFloat {
			if size == 4 && math.IsInf(float64(float32(y)), 0) && !math.IsInf(x, 0) {
				return i
			}
			putFloat(out, y)
			continue
		}
		y = math.RoundToEven(y)
		if !(y >= lo && y < hi) { // NaN too
			return i
		}
		if y < 0 {
			putInt(out, uint64(int64(y)))
		} else {
			putInt(out, uint64(y))
		}
	}
	return -1
}

// limits are the least value of an integer type and the one above its greatest.
func limits(d dtype.DType) (lo, hi float64) {
	bits := 8 * d.Size()
	if d.Kind() == dtype.KindInt {
		return -math.Ldexp(1, bits-1), math.Ldexp(1, bits-1)
	}
	return 0, math.Ldexp(1, bits)
}

func putFloat(b []byte, x float64) {
	if len(b) == 4 {
		binary.NativeEndian.PutUint32(b, math.Float32bits(float32(x)))
		return
	}
	binary.NativeEndian.PutUint64(b, math.Float64bits(x))
}

func putInt(b []byte, x uint64) {
	switch len(b) {
	case 1:
		b[0] = byte(x)
	case 2:
		binary.NativeEndian.PutUint16(b, uint16(x))
	case 4:
		binary.NativeEndian.PutUint32(b, uint32(x))
	default:
		binary.NativeEndian.PutUint64(b, x)
	}
}
