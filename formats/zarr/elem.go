// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// elem is an element type as the metadata states it.
type elem struct {
	dt     dtype.DType
	item   int          // bytes of an element, stored and in memory; 16 for texts
	units  []codec.Unit // the multi-byte numbers inside, for the byte order
	big    bool         // v2: stored big endian
	stored any          // as arrayrun info prints it
	kind   byte         // NumPy's kind: b i u f c S U V M m O, and r for structs
	fields []field      // of a struct
}

type field struct {
	name  string
	off   int
	el    elem
	of    *elem // of an array: the type of its elements
	shape []any // and its shape
}

// maxItem bounds the size of one element.
const maxItem = 1 << 26

func numeric(dt dtype.DType) elem {
	e := elem{dt: dt, item: dt.Size(), stored: dt.String(), kind: "xbiufc"[dt.Kind()]}
	w := e.item
	if dt.IsComplex() {
		w /= 2
	}
	if w > 1 {
		e.units = []codec.Unit{{Width: w, Count: e.item / w}}
	}
	return e
}

// fixed returns a fixed-size type of NumPy's kinds S, U and V with n bytes, characters or bytes.
func fixed(kind byte, n int) elem {
	switch kind {
	case 'U':
		return elem{dt: dtype.Raw, item: 4 * n, units: []codec.Unit{{Width: 4, Count: n}}, stored: "U" + strconv.Itoa(n), kind: 'U'}
	case 'S':
		return elem{dt: dtype.Raw, item: n, stored: "S" + strconv.Itoa(n), kind: 'S'}
	}
	return elem{dt: dtype.Raw, item: n, stored: "opaque" + strconv.Itoa(n), kind: 'V'}
}

// moment returns datetime64 (kind M) or timedelta64 (m): int64 in memory, the unit is in stored.
func moment(kind byte, unit string, factor int64) elem {
	e := numeric(dtype.Int64)
	e.kind = kind
	name := map[byte]string{'M': "datetime64", 'm': "timedelta64"}[kind]
	switch {
	case unit == "" || unit == "generic":
	case factor > 1:
		name += fmt.Sprintf("[%d%s]", factor, unit)
	default:
		name += "[" + unit + "]"
	}
	e.stored = name
	return e
}

func vlen(name string) elem { return elem{dt: dtype.String, item: 16, stored: name, kind: 'O'} }

func badType(v any, why string) error {
	return fmt.Errorf("data type %s%s: %w", typeText(v), why, formats.ErrFormat)
}

// typeText spells a type for messages, the beginning of one of many members.
func typeText(v any) string {
	const most = 200
	text := fmt.Sprint(plain(v))
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " ..."
	}
	return text
}

// structOf lays out the fields one behind another.
func structOf(fields []field, list []any) (elem, error) {
	e := elem{dt: dtype.Raw, kind: 'r', fields: fields, stored: map[string]any{"fields": list}}
	for i := range fields {
		f := &fields[i]
		if f.el.dt == dtype.String {
			return e, badType(f.name, " is a field of variable length; such structs are not supported")
		}
		f.off = e.item
		for _, u := range f.el.units {
			u.Off += f.off
			e.units = append(e.units, u)
		}
		if e.item += f.el.item; e.item > maxItem {
			return e, badType("struct", " is too large")
		}
	}
	return e, nil
}

// parseV2 reads a v2 dtype: a NumPy type string or a list of fields.
func parseV2(v any, depth int) (elem, error) {
	switch x := v.(type) {
	case string:
		return parseNumPy(x)
	case []any:
		if depth > 8 || len(x) == 0 {
			return elem{}, badType(v, " is nested too deeply or empty")
		}
		var fields []field
		var list []any
		big, little := false, false
		for _, y := range x {
			f, ok := y.([]any)
			if !ok || len(f) < 2 || len(f) > 3 {
				return elem{}, badType(v, ": want fields of a name, a type and a shape")
			}
			name, ok := f[0].(string)
			if !ok {
				return elem{}, badType(v, ": a field's name is not text")
			}
			el, err := parseV2(f[1], depth+1)
			if err != nil {
				return elem{}, err
			}
			if len(el.units) > 0 {
				big, little = big || el.big, little || !el.big
			}
			entry := []any{name, el.stored}
			one := el
			var shape []any
			if len(f) == 3 {
				shape, _ = f[2].([]any)
				n := 1
				for _, d := range shape {
					k, ok := d.(int64)
					if !ok || k < 0 || k > maxItem || int(k)*n > maxItem {
						return elem{}, badType(v, ": bad shape of a field")
					}
					n *= int(k)
				}
				if el, err = repeat(el, n); err != nil {
					return elem{}, err
				}
				entry = append(entry, shape)
			}
			fields = append(fields, field{name: name, el: el, of: &one, shape: shape})
			list = append(list, entry)
		}
		e, err := structOf(fields, list)
		if err == nil && big && little {
			err = badType(v, " mixes byte orders")
		}
		e.big = big
		return e, err
	}
	return elem{}, badType(v, " is not known")
}

// repeat returns n elements as one.
func repeat(el elem, n int) (elem, error) {
	one := el.item
	out := elem{dt: dtype.Raw, item: one * n, stored: el.stored, kind: 'V', big: el.big}
	if out.item > maxItem || len(el.units)*n > 1<<16 {
		return out, badType(el.stored, " is repeated too often in a field")
	}
	for i := range n {
		for _, u := range el.units {
			u.Off += i * one
			out.units = append(out.units, u)
		}
	}
	return out, nil
}

func parseNumPy(s string) (elem, error) {
	if s == "bfloat16" {
		return numeric(dtype.BFloat16), nil
	}
	if len(s) < 2 {
		return elem{}, badType(s, " is not known")
	}
	order, rest := s[0], s
	if strings.IndexByte("<>|=", order) >= 0 {
		rest = s[1:]
	}
	if rest == "O" {
		return vlen("object"), nil
	}
	if dt, err := dtype.Parse(s); err == nil && len(rest) <= 3 {
		e := numeric(dt)
		e.big = order == '>'
		return e, nil
	}
	kind, arg := rest[0], rest[1:]
	switch kind {
	case 'M', 'm':
		unit, factor := "", int64(1)
		if a, ok := strings.CutPrefix(arg, "8"); ok {
			if a != "" {
				if len(a) < 3 || a[0] != '[' || a[len(a)-1] != ']' {
					return elem{}, badType(s, " is not known")
				}
				unit = strings.TrimLeft(a[1:len(a)-1], "0123456789")
				if f, err := strconv.ParseInt(strings.TrimSuffix(a[1:len(a)-1], unit), 10, 32); err == nil {
					factor = f
				}
			}
			e := moment(kind, unit, factor)
			e.big = order == '>'
			return e, nil
		}
	case 'S', 'a', 'U', 'V':
		if n, err := strconv.Atoi(arg); err == nil && n >= 0 && n <= maxItem/4 {
			if kind == 'a' {
				kind = 'S'
			}
			e := fixed(kind, n)
			e.big = order == '>' && kind == 'U'
			return e, nil
		}
	}
	return elem{}, badType(s, " is not known")
}

// parseV3 reads a v3 data type: a name or an object with a name and a configuration.
func parseV3(v any, depth int) (elem, error) {
	name, cfg, err := nameConfig(v)
	if err != nil {
		return elem{}, err
	}
	if dt, err := dtype.Parse(name); err == nil && dt.String() == name {
		return numeric(dt), nil
	}
	length, _ := cfg["length_bytes"].(int64)
	if length < 0 || length > maxItem {
		return elem{}, badType(v, ": bad length_bytes")
	}
	switch name {
	case "string", "variable_length_utf8":
		return vlen("str"), nil
	case "bytes", "variable_length_bytes":
		return vlen("bytes"), nil
	case "null_terminated_bytes":
		return fixed('S', int(length)), nil
	case "raw_bytes":
		return fixed('V', int(length)), nil
	case "fixed_length_utf32":
		if length%4 != 0 {
			return elem{}, badType(v, ": length_bytes is no multiple of 4")
		}
		return fixed('U', int(length)/4), nil
	case "numpy.datetime64", "numpy.timedelta64":
		unit, _ := cfg["unit"].(string)
		factor, _ := cfg["scale_factor"].(int64)
		return moment(map[bool]byte{true: 'M', false: 'm'}[name == "numpy.datetime64"], unit, factor), nil
	case "struct", "structured":
		return parseStruct(v, cfg, depth)
	}
	if bits, err := strconv.Atoi(strings.TrimPrefix(name, "r")); err == nil && name[0] == 'r' && bits > 0 && bits%8 == 0 && bits/8 <= maxItem {
		return fixed('V', bits/8), nil
	}
	return elem{}, badType(name, " is not known")
}

// parseStruct reads the fields of a v3 struct: pairs of name and type ("structured"), or
// objects with name and data_type ("struct").
func parseStruct(v any, cfg codec.Config, depth int) (elem, error) {
	raw, _ := cfg["fields"].([]any)
	if depth > 8 || len(raw) == 0 {
		return elem{}, badType(v, " is nested too deeply or empty")
	}
	var fields []field
	var list []any
	for _, x := range raw {
		var name, typ any
		switch f := x.(type) {
		case []any:
			if len(f) == 2 {
				name, typ = f[0], f[1]
			}
		case object:
			name, _ = f.get("name")
			typ, _ = f.get("data_type")
		}
		text, ok := name.(string)
		if !ok {
			return elem{}, badType(v, ": a field without a name")
		}
		el, err := parseV3(typ, depth+1)
		if err != nil {
			return elem{}, err
		}
		fields = append(fields, field{name: text, el: el})
		list = append(list, []any{text, el.stored})
	}
	return structOf(fields, list)
}

// nameConfig reads an extension point of v3: a name, or an object with name and configuration.
func nameConfig(v any) (string, codec.Config, error) {
	switch x := v.(type) {
	case string:
		return x, nil, nil
	case object:
		n, _ := x.get("name")
		name, ok := n.(string)
		if !ok || name == "" {
			break
		}
		c, _ := x.get("configuration")
		cfg, _ := c.(object)
		return name, config(cfg), nil
	}
	return "", nil, fmt.Errorf("%v is neither a name nor an object with a name: %w", plain(v), formats.ErrFormat)
}

// config returns an object as a codec's configuration; nested objects stay objects.
func config(o object) codec.Config {
	c := codec.Config{}
	for _, m := range o {
		c[m.name] = m.value
	}
	return c
}
