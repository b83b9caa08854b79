// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/arrayrun/arrayrun/formats"
)

// appendJSON appends v as JSON, indented below the given level; short lists of numbers stay on one
// line. NaN and infinities are bare words, as every Zarr writer writes them in attributes.
func appendJSON(b []byte, v any, level int) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, x), nil
	case string:
		return appendText(b, x), nil
	case float64:
		return appendFloat(b, x, 64), nil
	case float32:
		return appendFloat(b, float64(x), 64), nil // its exact value: JSON has one kind of float
	case object:
		return appendObject(b, x, level)
	case map[string]any:
		names := make([]string, 0, len(x))
		for n := range x {
			names = append(names, n)
		}
		slices.Sort(names)
		o := make(object, len(names))
		for i, n := range names {
			o[i] = member{n, x[n]}
		}
		return appendObject(b, o, level)
	}
	r := reflect.ValueOf(v)
	switch k := r.Kind(); {
	case r.CanInt():
		return strconv.AppendInt(b, r.Int(), 10), nil
	case r.CanUint():
		return strconv.AppendUint(b, r.Uint(), 10), nil
	case r.CanComplex():
		return appendJSON(b, []any{real(r.Complex()), imag(r.Complex())}, level)
	case k == reflect.Slice || k == reflect.Array:
		return appendList(b, r, level)
	}
	return nil, fmt.Errorf("zarr: write a %T to JSON: there is no such value in JSON; remove the attribute: %w", v, formats.ErrFormat)
}

// oneLine is a level that breaks no lines.
const oneLine = -1 << 30

// AppendJSON appends v as ParseJSON reads it, on one line.
func AppendJSON(b []byte, v any) ([]byte, error) { return appendJSON(b, v, oneLine) }

func newline(b []byte, level int) []byte {
	if level < 0 {
		return b
	}
	b = append(b, '\n')
	for range level {
		b = append(b, "  "...)
	}
	return b
}

func appendObject(b []byte, o object, level int) ([]byte, error) {
	if len(o) == 0 {
		return append(b, "{}"...), nil
	}
	b = append(b, '{')
	for i, e := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(newline(b, level+1), e.name), ": "...)
		var err error
		if b, err = appendJSON(b, e.value, level+1); err != nil {
			return nil, err
		}
	}
	return append(newline(b, level), '}'), nil
}

func appendList(b []byte, r reflect.Value, level int) ([]byte, error) {
	b = append(b, '[')
	for i := range r.Len() {
		v := r.Index(i).Interface()
		_, isObject := v.(object)
		if i > 0 {
			b = append(b, ',')
			if !isObject {
				b = append(b, ' ')
			}
		}
		if isObject {
			b = newline(b, level+1)
		}
		var err error
		if b, err = appendJSON(b, v, level+1); err != nil {
			return nil, err
		}
		if isObject && i == r.Len()-1 {
			b = newline(b, level)
		}
	}
	return append(b, ']'), nil
}

func appendFloat(b []byte, x float64, bits int) []byte {
	switch {
	case math.IsNaN(x):
		return append(b, "NaN"...)
	case math.IsInf(x, 1):
		return append(b, "Infinity"...)
	case math.IsInf(x, -1):
		return append(b, "-Infinity"...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, x, 'g', -1, bits)
	for _, c := range b[start:] {
		if c == '.' || c == 'e' {
			return b
		}
	}
	return append(b, ".0"...) // a float stays a float for readers that tell them apart
}

func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < 0x20 || r == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
