// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// Coding says how a stored variable decodes. It is a decision only: Decode makes the nodes.
type Coding struct {
	Stored  dtype.DType // what the file holds
	Integer dtype.DType // Stored, or the type of other signedness that _Unsigned asks for
	Decoded dtype.DType // what the variable is after decoding
	Missing []Number    // values that mean missing, in Integer's (or the stored float's) range
	Scale   *float64    // nil: no scale
	Offset  *float64    // nil: no offset
	Bool    bool        // stored 0 and 1 are a bool
}

// Number is an attribute's number without loss: an integer, an unsigned integer above
// int64, or a float.
type Number struct {
	Int     int64
	Uint    uint64 // when IsUint
	Float   float64
	IsFloat bool
	IsUint  bool
}

// packing lists the attributes that Decide uses up: a decoded variable lacks them.
var packing = []string{"_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned"}

// Decide returns how a variable of a stored dtype and attributes decodes, and the attributes that remain.
//
// Missing values make integers of 8 and 16 bits float32, wider ones float64. Scale and
// offset of one float type give that type (32- and 64-bit integers float64); a scale alone gives
// its own; an offset alone, differing types or an integer scale give float64. A missing
// value that the stored dtype cannot hold is ignored. What is neither a number nor a bool is left alone.
func Decide(stored dtype.DType, attrs formats.Attrs) (Coding, formats.Attrs) {
	c := Coding{Stored: stored, Integer: stored, Decoded: stored}
	if !stored.IsNumeric() || stored.IsComplex() {
		return c, attrs
	}
	if v, ok := attrs.Get("dtype"); ok && v == "bool" && stored.IsInteger() {
		c.Bool, c.Decoded = true, dtype.Bool
		return c, attrs.Without("dtype", "_FillValue", "missing_value")
	}
	if stored == dtype.Bool {
		return c, attrs.Without("_FillValue", "missing_value")
	}
	if v, ok := attrs.Get("_Unsigned"); ok && stored.IsInteger() {
		c.Integer = withSign(stored, isTrue(v))
		c.Decoded = c.Integer
	}
	hasMissing := false
	for _, name := range []string{"_FillValue", "missing_value"} {
		v, ok := attrs.Get(name)
		if !ok {
			continue
		}
		for _, n := range numbers(v) {
			n, ok := n.as(c.Integer, c.Stored)
			if !ok {
				continue
			}
			hasMissing = true
			if !(n.IsFloat && math.IsNaN(n.Float)) && !contains(c.Missing, n) {
				c.Missing = append(c.Missing, n)
			}
		}
	}
	scale, scaleType := floatAttr(attrs, "scale_factor")
	offset, offsetType := floatAttr(attrs, "add_offset")
	c.Scale, c.Offset = scale, offset
	c.Decoded = decodedType(c.Integer, hasMissing, scale != nil, offset != nil, scaleType, offsetType)
	return c, attrs.Without(packing...)
}

// decodedType is the table of decoded dtypes.
func decodedType(stored dtype.DType, missing, scale, offset bool, scaleType, offsetType dtype.DType) dtype.DType {
	small := stored.Size() <= 2
	switch {
	case !scale && !offset:
		switch {
		case !missing || !stored.IsInteger():
			return stored
		case small:
			return dtype.Float32
		}
		return dtype.Float64
	case stored == dtype.Float64:
		return dtype.Float64
	case scale && offset && scaleType == offsetType && scaleType.IsFloat():
		if stored.IsInteger() && !small {
			return dtype.Float64
		}
		return scaleType
	case scale && !offset && scaleType.IsFloat():
		if stored.IsInteger() && stored.Size() == 8 {
			return dtype.Float64
		}
		return scaleType
	}
	return dtype.Float64
}

// IsPlain reports whether decoding changes nothing.
func (c Coding) IsPlain() bool {
	return !c.Bool && c.Stored == c.Decoded && len(c.Missing) == 0 && c.Scale == nil && c.Offset == nil
}

// signs pairs the integer types that differ in sign.
var signs = [][2]dtype.DType{{dtype.Int8, dtype.Uint8}, {dtype.Int16, dtype.Uint16}, {dtype.Int32, dtype.Uint32}, {dtype.Int64, dtype.Uint64}}

func withSign(d dtype.DType, unsigned bool) dtype.DType {
	for _, p := range signs {
		if d == p[0] || d == p[1] {
			if unsigned {
				return p[1]
			}
			return p[0]
		}
	}
	return d
}

func isTrue(v any) bool {
	switch x := v.(type) {
	case string:
		return strings.EqualFold(strings.TrimSpace(x), "true")
	case bool:
		return x
	}
	return false
}

func contains(list []Number, n Number) bool {
	for _, x := range list {
		if x == n {
			return true
		}
	}
	return false
}

// as returns n as a value of dtype to; stored is the dtype with the file's own sign. An integer that only the other
// sign can hold (-1 for an unsigned byte) is its bit pattern. ok is false when to cannot hold n.
func (n Number) as(to, stored dtype.DType) (Number, bool) {
	if to.IsFloat() {
		f := n.Value()
		switch {
		case math.IsNaN(f), math.IsInf(f, 0):
		case to == dtype.Float32:
			if f = float64(float32(f)); math.IsInf(f, 0) {
				return n, false
			}
		case to == dtype.Float16:
			if math.Abs(f) >= 65520 {
				return n, false
			}
		}
		return Number{Float: f, IsFloat: true}, true
	}
	if n.IsFloat {
		switch f := n.Float; {
		case f != math.Trunc(f) || math.IsNaN(f):
			return n, false
		case f >= -(1<<63) && f < 1<<63:
			n = Number{Int: int64(f)}
		case f >= 1<<63 && f < 1<<64:
			n = Number{Uint: uint64(f), IsUint: true}
		default:
			return n, false
		}
	}
	bits := uint(to.Size() * 8)
	if to.Kind() == dtype.KindUint {
		switch {
		case n.IsUint:
			return n, bits == 64
		case n.Int >= 0:
			return n, bits == 64 || n.Int < 1<<bits
		case to != stored && n.Int >= -(1<<(bits-1)):
			if bits == 64 {
				return Number{Uint: uint64(n.Int), IsUint: true}, true
			}
			return Number{Int: n.Int + 1<<bits}, true
		}
		return n, false
	}
	if n.IsUint {
		return Number{Int: int64(n.Uint)}, bits == 64 && to != stored
	}
	half := int64(math.MaxInt64)
	if bits < 64 {
		half = 1<<(bits-1) - 1
	}
	switch {
	case n.Int >= -half-1 && n.Int <= half:
		return n, true
	case to != stored && bits < 64 && n.Int > half && n.Int < 1<<bits:
		return Number{Int: n.Int - 1<<bits}, true
	}
	return n, false
}

// Value returns n as the nearest float64.
func (n Number) Value() float64 {
	switch {
	case n.IsFloat:
		return n.Float
	case n.IsUint:
		return float64(n.Uint)
	}
	return float64(n.Int)
}

// numbers returns the numbers of an attribute's value: a number, a slice of them, the text of one, or
// the base64 of a little-endian float64, as xarray writes floats to Zarr v3.
func numbers(v any) []Number {
	switch x := v.(type) {
	case nil:
		return nil
	case string:
		return textNumber(x)
	case []any:
		var out []Number
		for _, e := range x {
			out = append(out, numbers(e)...)
		}
		return out
	case []string:
		var out []Number
		for _, e := range x {
			out = append(out, textNumber(e)...)
		}
		return out
	}
	if n, _, ok := oneNumber(v); ok {
		return []Number{n}
	}
	return sliceNumbers(v)
}

func textNumber(s string) []Number {
	if b, err := base64.StdEncoding.DecodeString(s); err == nil && len(b) == 8 {
		return []Number{{Float: math.Float64frombits(binary.LittleEndian.Uint64(b)), IsFloat: true}}
	}
	s = strings.TrimSpace(s)
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return []Number{{Int: i}}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return []Number{{Float: f, IsFloat: true}}
	}
	return nil
}

// oneNumber returns a Go number with the dtype it is of.
func oneNumber(v any) (Number, dtype.DType, bool) {
	switch x := v.(type) {
	case int8:
		return Number{Int: int64(x)}, dtype.Int8, true
	case int16:
		return Number{Int: int64(x)}, dtype.Int16, true
	case int32:
		return Number{Int: int64(x)}, dtype.Int32, true
	case int64:
		return Number{Int: x}, dtype.Int64, true
	case int:
		return Number{Int: int64(x)}, dtype.Int64, true
	case uint8:
		return Number{Int: int64(x)}, dtype.Uint8, true
	case uint16:
		return Number{Int: int64(x)}, dtype.Uint16, true
	case uint32:
		return Number{Int: int64(x)}, dtype.Uint32, true
	case uint64:
		if x > math.MaxInt64 {
			return Number{Uint: x, IsUint: true}, dtype.Uint64, true
		}
		return Number{Int: int64(x)}, dtype.Uint64, true
	case float32:
		return Number{Float: float64(x), IsFloat: true}, dtype.Float32, true
	case float64:
		return Number{Float: x, IsFloat: true}, dtype.Float64, true
	}
	return Number{}, dtype.Invalid, false
}

func sliceNumbers(v any) []Number {
	switch x := v.(type) {
	case []int8:
		return each(x)
	case []int16:
		return each(x)
	case []int32:
		return each(x)
	case []int64:
		return each(x)
	case []uint8:
		return each(x)
	case []uint16:
		return each(x)
	case []uint32:
		return each(x)
	case []uint64:
		return each(x)
	case []float32:
		return each(x)
	case []float64:
		return each(x)
	}
	return nil
}

func each[T any](x []T) []Number {
	out := make([]Number, 0, len(x))
	for _, e := range x {
		if n, _, ok := oneNumber(any(e)); ok {
			out = append(out, n)
		}
	}
	return out
}

// floatAttr returns an attribute that is one number, with its dtype; nil when there is none.
func floatAttr(attrs formats.Attrs, name string) (*float64, dtype.DType) {
	v, ok := attrs.Get(name)
	if !ok {
		return nil, dtype.Invalid
	}
	if n, dt, ok := oneNumber(v); ok {
		f := n.Value()
		return &f, dt
	}
	if ns := numbers(v); len(ns) == 1 {
		f := ns[0].Value()
		return &f, dtype.Float64
	}
	return nil, dtype.Invalid
}

// Numbers returns the numbers of an attribute's value as float64, in order; nil for text that is none.
func Numbers(v any) []float64 {
	var out []float64
	for _, n := range numbers(v) {
		out = append(out, n.Value())
	}
	return out
}

// DecodeValues decodes values in host memory, given as integers or floats (one of the two), as Decode
// does arrays; the results are exact in float64 for every dtype but 64-bit integers beyond 2**53.
func DecodeValues(c Coding, ints []int64, floats []float64) []float64 {
	n := max(len(ints), len(floats))
	out := make([]float64, n)
	for i := range n {
		var x Number
		if ints != nil {
			if y, ok := (Number{Int: ints[i]}).as(c.Integer, c.Stored); ok {
				x = y
			} else {
				x = Number{Int: ints[i]}
			}
		} else {
			x = Number{Float: floats[i], IsFloat: true}
		}
		f := x.Value()
		switch {
		case c.Bool:
			if f != 0 {
				f = 1
			}
		case contains(c.Missing, x):
			f = math.NaN()
		}
		f = round(f, c.Decoded)
		if c.Scale != nil {
			f = round(f*round(*c.Scale, c.Decoded), c.Decoded)
		}
		if c.Offset != nil {
			f = round(f+round(*c.Offset, c.Decoded), c.Decoded)
		}
		out[i] = f
	}
	return out
}

// round returns f rounded to a float dtype.
func round(f float64, dt dtype.DType) float64 {
	if dt == dtype.Float32 {
		return float64(float32(f))
	}
	return f
}
