// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

func wrap(b []byte) *mem.Block { return mem.Wrap(b) }

// unitOf splits the unit and the factor of datetime64[25s].
func (e *elem) unitOf() (unit string, factor int64) {
	_, rest, ok := strings.Cut(e.stored.(string), "[")
	if !ok {
		return "generic", 1
	}
	unit = strings.TrimSuffix(rest, "]")
	bare := strings.TrimLeft(unit, "0123456789")
	factor, err := strconv.ParseInt(strings.TrimSuffix(unit, bare), 10, 64)
	if err != nil {
		factor = 1
	}
	return bare, factor
}

// name3 spells the type as a v3 data_type.
func (e *elem) name3() any {
	sized := func(name string) any {
		return object{{"name", name}, {"configuration", object{{"length_bytes", e.item}}}}
	}
	switch e.kind {
	case 'O':
		if e.stored == "bytes" {
			return "variable_length_bytes"
		}
		return "string"
	case 'S':
		return sized("null_terminated_bytes")
	case 'U':
		return sized("fixed_length_utf32")
	case 'V':
		return sized("raw_bytes")
	case 'r':
		fields := make([]any, len(e.fields))
		for i, f := range e.fields {
			fields[i] = object{{"name", f.name}, {"data_type", f.el.name3()}}
		}
		return object{{"name", "struct"}, {"configuration", object{{"fields", fields}}}}
	case 'M', 'm':
		unit, factor := e.unitOf()
		name := map[byte]string{'M': "numpy.datetime64", 'm': "numpy.timedelta64"}[e.kind]
		return object{{"name", name}, {"configuration", object{{"unit", unit}, {"scale_factor", factor}}}}
	}
	return e.dt.String()
}

// name2 spells the type as a v2 dtype.
func (e *elem) name2() any {
	n := strconv.Itoa(e.item)
	switch e.kind {
	case 'O':
		return "|O"
	case 'S':
		return "|S" + n
	case 'V':
		return "|V" + n
	case 'r':
		fields := make([]any, len(e.fields))
		for i, f := range e.fields {
			fields[i] = []any{f.name, f.el.name2()}
			if len(f.shape) > 0 {
				fields[i] = []any{f.name, f.of.name2(), f.shape}
			}
		}
		return fields
	case 'U':
		return "<U" + strconv.Itoa(e.item/4)
	case 'M', 'm':
		_, unit, ok := strings.Cut(e.stored.(string), "[")
		if !ok {
			return "<" + string(e.kind) + "8"
		}
		return "<" + string(e.kind) + "8[" + unit
	}
	if e.dt == dtype.BFloat16 {
		return "bfloat16"
	}
	order := "<"
	if e.item == 1 {
		order = "|"
	}
	return order + string(e.kind) + n
}

// fillValue spells a fill value, nil for zeros, for the metadata of the version.
func (e *elem) fillValue(b []byte, version int) any {
	if e.kind == 'O' {
		if e.stored == "bytes" {
			return base64.StdEncoding.EncodeToString(b)
		}
		return string(b)
	}
	if b == nil {
		b = make([]byte, e.item)
	}
	var bits [8]byte
	copy(bits[:], b)
	u := binary.NativeEndian.Uint64(bits[:])
	switch e.kind {
	case 'b':
		return b[0] != 0
	case 'i', 'M', 'm':
		shift := 64 - 8*e.item
		return int64(u<<shift) >> shift
	case 'u':
		return u
	case 'f':
		return e.spellFloat(u)
	case 'c':
		half := numeric(dtype.Float32)
		if e.dt == dtype.Complex128 {
			half = numeric(dtype.Float64)
		}
		return []any{half.fillValue(b[:half.item], version), half.fillValue(b[half.item:], version)}
	case 'r':
		if version == 3 {
			o := object{}
			for _, f := range e.fields {
				o = append(o, member{f.name, f.el.fillValue(b[f.off:f.off+f.el.item], version)})
			}
			return o
		}
	case 'U':
		var s []rune
		for i := 0; i < len(b); i += 4 {
			if r := binary.NativeEndian.Uint32(b[i:]); r != 0 {
				s = append(s, rune(r))
			}
		}
		return string(s)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// spellFloat returns a number, or a text for what JSON has no number for.
func (e *elem) spellFloat(bits uint64) any {
	var f float64
	switch e.dt {
	case dtype.Float64:
		f = math.Float64frombits(bits)
	case dtype.Float32:
		f = float64(math.Float32frombits(uint32(bits)))
	case dtype.Float16:
		f = dtype.F16{Bits: uint16(bits)}.Float64()
	default:
		f = dtype.BF16{Bits: uint16(bits)}.Float64()
	}
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return f
}
