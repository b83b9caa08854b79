// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

func badFill(e *elem, v any) error {
	return fmt.Errorf("fill value %v is not a %v: %w", plain(v), e.stored, formats.ErrCorrupt)
}

// fill returns the bytes of a fill value in native order, or nil for null. For texts it is the text.
func (e *elem) fill(v any, v2 bool) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	out := make([]byte, e.item)
	switch e.kind {
	case 'O':
		s, ok := v.(string)
		switch {
		case v2 && v == int64(0):
			return nil, nil // what old writers of version 2 put for every object array
		case !ok:
			return nil, badFill(e, v)
		case e.stored == "bytes":
			b, err := base64.StdEncoding.DecodeString(s)
			if err != nil {
				return nil, badFill(e, v)
			}
			return b, nil
		}
		return []byte(s), nil
	case 'r':
		return e.fillStruct(out, v, v2)
	case 'S', 'V':
		return e.fillBytes(out, v)
	case 'U':
		s, ok := v.(string)
		if n, isInt := v.(int64); isInt && n == 0 {
			ok = true
		}
		runes := []rune(s)
		if !ok || 4*len(runes) > len(out) {
			return nil, badFill(e, v)
		}
		for i, r := range runes {
			binary.NativeEndian.PutUint32(out[4*i:], uint32(r))
		}
		return out, nil
	case 'c':
		pair, ok := v.([]any)
		if !ok || len(pair) != 2 {
			pair = []any{v, int64(0)}
		}
		half := numeric(map[dtype.DType]dtype.DType{dtype.Complex64: dtype.Float32, dtype.Complex128: dtype.Float64}[e.dt])
		for i, x := range pair {
			if err := half.number(out[i*half.item:], x); err != nil {
				return nil, badFill(e, v)
			}
		}
		return out, nil
	}
	if err := e.number(out, v); err != nil {
		return nil, err
	}
	return out, nil
}

// fillStruct reads an object of fields, or base64 of the element in little-endian (v3) or stored (v2) order.
func (e *elem) fillStruct(out []byte, v any, v2 bool) ([]byte, error) {
	switch x := v.(type) {
	case string:
		b, err := base64.StdEncoding.DecodeString(x)
		if err != nil || len(b) != len(out) {
			return nil, badFill(e, v)
		}
		if v2 && e.big {
			codec.Swap(b, e.item, e.units)
		}
		return b, nil
	case object:
		for _, f := range e.fields {
			if val, ok := x.get(f.name); ok {
				b, err := f.el.fill(val, v2)
				if err != nil {
					return nil, err
				}
				copy(out[f.off:], b)
			}
		}
		return out, nil
	case int64:
		if x == 0 {
			return out, nil
		}
	}
	return nil, badFill(e, v)
}

// fillBytes reads a list of bytes or base64; 0 stands for zeros.
func (e *elem) fillBytes(out []byte, v any) ([]byte, error) {
	switch x := v.(type) {
	case string:
		b, err := base64.StdEncoding.DecodeString(x)
		if err != nil || len(b) > len(out) {
			return nil, badFill(e, v)
		}
		copy(out, b)
		return out, nil
	case []any:
		if len(x) != len(out) {
			return nil, badFill(e, v)
		}
		for i, y := range x {
			n, ok := y.(int64)
			if !ok || n < 0 || n > 255 {
				return nil, badFill(e, v)
			}
			out[i] = byte(n)
		}
		return out, nil
	case int64:
		if x == 0 {
			return out, nil
		}
	}
	return nil, badFill(e, v)
}

// quietNaN is the NaN every other writer means: math.NaN has a payload.
var quietNaN = math.Float64frombits(0x7ff8000000000000)

// floatWords are the texts that stand for floats.
var floatWords = map[string]float64{"NaN": quietNaN, "nan": quietNaN, "Infinity": math.Inf(1), "+Infinity": math.Inf(1), "inf": math.Inf(1),
	"-Infinity": math.Inf(-1), "-inf": math.Inf(-1)}

// number stores a numeric fill value at the start of out.
func (e *elem) number(out []byte, v any) error {
	if s, ok := v.(string); ok {
		if h, isHex := strings.CutPrefix(s, "0x"); isHex && e.kind == 'f' {
			bits, err := strconv.ParseUint(h, 16, 8*e.item)
			if err != nil {
				return badFill(e, v)
			}
			putUint(out, e.item, bits)
			return nil
		}
		switch f, isWord := floatWords[s]; {
		case isWord && e.kind == 'f':
			v = f
		case s == "NaT" && (e.kind == 'M' || e.kind == 'm'):
			v = int64(math.MinInt64)
		default:
			n, err := strconv.ParseInt(s, 10, 64) // some writers quote integers
			if err != nil {
				return badFill(e, v)
			}
			v = n
		}
	}
	switch e.kind {
	case 'f':
		f, ok := toFloat(v)
		if !ok {
			return badFill(e, v)
		}
		putFloat(out, e.dt, f)
		return nil
	case 'b':
		switch x := v.(type) {
		case bool:
			if x {
				out[0] = 1
			}
			return nil
		}
	}
	if f, ok := v.(float64); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		v = int64(f)
	}
	bits := 8 * e.item
	switch x := v.(type) {
	case bool:
		if x {
			putUint(out, e.item, 1)
		}
		return nil
	case int64:
		signed := e.kind == 'i' || e.kind == 'M' || e.kind == 'm'
		switch {
		case e.kind == 'b' && x != 0 && x != 1,
			signed && bits < 64 && (x < -1<<(bits-1) || x >= 1<<(bits-1)),
			!signed && (x < 0 || bits < 64 && x >= 1<<bits):
			return badFill(e, v)
		}
		putUint(out, e.item, uint64(x))
		return nil
	case uint64:
		if e.kind == 'u' && bits == 64 {
			putUint(out, e.item, x)
			return nil
		}
	}
	return badFill(e, v)
}

func toFloat(v any) (float64, bool) {
	switch x := v.(type) {
	case float64:
		return x, true
	case int64:
		return float64(x), true
	case uint64:
		return float64(x), true
	}
	return 0, false
}

func putUint(out []byte, item int, x uint64) {
	var b [8]byte
	binary.NativeEndian.PutUint64(b[:], x)
	copy(out[:item], b[:item]) // the low bytes: machines we run on are little endian
}

func putFloat(out []byte, dt dtype.DType, f float64) {
	switch dt {
	case dtype.Float64:
		binary.NativeEndian.PutUint64(out, math.Float64bits(f))
	case dtype.Float32:
		binary.NativeEndian.PutUint32(out, math.Float32bits(float32(f)))
	case dtype.Float16:
		binary.NativeEndian.PutUint16(out, dtype.F16Of(f).Bits)
	default:
		binary.NativeEndian.PutUint16(out, dtype.BF16Of(f).Bits)
	}
}
