// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/arrayrun/arrayrun/formats"
)

// maxTexts bounds the texts of one read: a hostile file lets many elements share one long text.
const maxTexts = 1 << 30

// variable reports whether elements of t have parts of variable length, which lie in the global heap.
func (t *Type) variable() bool {
	switch t.Class {
	case ClassVlen:
		return true
	case ClassArray:
		return t.Base.variable()
	case ClassCompound:
		for _, m := range t.Members {
			if m.Type.variable() {
				return true
			}
		}
	}
	return false
}

// appendText appends what one element of variable length is as a text: a string itself, anything else as JSON.
func (f *File) appendText(b []byte, t *Type, e []byte) ([]byte, error) {
	if t.Class == ClassVlen && t.Bits&15 == 1 {
		s, err := f.vlen(e, 1)
		return append(b, cutText(s)...), err
	}
	return f.appendJSON(b, t, e, 0)
}

// appendJSON appends an element as JSON: sequences and arrays as lists, compounds as objects in the order of
// their fields, complex numbers as pairs, bytes in base64. NaN and infinities are the bare words of Python's json.
func (f *File) appendJSON(b []byte, t *Type, e []byte, depth int) ([]byte, error) {
	if depth > maxTypeDepth || len(b) > maxTexts {
		return b, fmt.Errorf("hdf5: values nested deeper than %d or longer than %d bytes: %w", maxTypeDepth, maxTexts, formats.ErrCorrupt)
	}
	list := func(t *Type, e []byte) (err error) {
		b = append(b, '[')
		for i := 0; len(e) >= t.Size && err == nil; e = e[t.Size:] {
			if i++; i > 1 {
				b = append(b, ", "...)
			}
			b, err = f.appendJSON(b, t, e[:t.Size], depth+1)
		}
		b = append(b, ']')
		return err
	}
	switch t.Class {
	case ClassString:
		return appendQuoted(b, t.Text(e)), nil
	case ClassVlen:
		if t.Bits&15 == 1 {
			s, err := f.vlen(e, 1)
			return appendQuoted(b, cutText(s)), err
		}
		s, err := f.vlen(e, t.Base.Size)
		if err != nil {
			return b, err
		}
		err = list(t.Base, s)
		return b, err
	case ClassArray:
		if row, ok := t.characters(); ok {
			if len(t.Dims) == 1 {
				return appendQuoted(b, row.Text(e)), nil
			}
			err := list(row, e)
			return b, err
		}
		err := list(t.Base, e)
		return b, err
	}
	if s := t.storage(); s.ok {
		v, err := s.values(e[:t.Size])
		if err != nil {
			return b, err
		}
		return appendNumber(b, v), nil
	}
	if t.Class == ClassCompound {
		b = append(b, '{')
		for i, m := range t.Members {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(appendQuoted(b, m.Name), ": "...)
			var err error
			if b, err = f.appendJSON(b, m.Type, e[m.Offset:m.Offset+m.Type.Size], depth+1); err != nil {
				return b, err
			}
		}
		return append(b, '}'), nil
	}
	return appendQuoted(b, base64.StdEncoding.EncodeToString(e)), nil
}

// characters returns the text type that the rows of an array of characters are: NetCDF has no other texts of a fixed size in compounds.
func (t *Type) characters() (*Type, bool) {
	n := len(t.Dims) - 1
	if t.Class != ClassArray || n < 0 || t.Base.Class != ClassString || t.Base.Size != 1 || t.Dims[n] == 0 {
		return nil, false
	}
	return &Type{Class: ClassString, Size: t.Dims[n], Bits: t.Base.Bits}, true
}

// appendNumber appends a number that numbers.Decode has made.
func appendNumber(b []byte, v any) []byte {
	float := func(x float64, bits int) {
		switch {
		case x != x:
			b = append(b, "NaN"...)
		case x > 0 && x*2 == x:
			b = append(b, "Infinity"...)
		case x < 0 && x*2 == x:
			b = append(b, "-Infinity"...)
		default:
			b = strconv.AppendFloat(b, x, 'g', -1, bits)
		}
	}
	pair := func(re, im float64, bits int) {
		b = append(b, '[')
		float(re, bits)
		b = append(b, ", "...)
		float(im, bits)
		b = append(b, ']')
	}
	switch x := v.(type) {
	case bool:
		return strconv.AppendBool(b, x)
	case float32:
		float(float64(x), 32)
	case float64:
		float(x, 64)
	case complex64:
		pair(float64(real(x)), float64(imag(x)), 32)
	case complex128:
		pair(real(x), imag(x), 64)
	default:
		return fmt.Append(b, v)
	}
	return b
}

// appendQuoted appends a JSON string; bytes that are no UTF-8 become U+FFFD.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20:
			b = fmt.Appendf(b, "\\u%04x", r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
