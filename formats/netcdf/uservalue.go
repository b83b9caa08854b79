// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"reflect"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// elements returns the elements of an attribute's value, as package hdf5 gives them: for sequences, a list of lists is several
// elements, and a list of plain values is one.
func (t *userType) elements(v any) []any {
	switch x := v.(type) {
	case nil:
		return nil
	case []any:
		if t.family != familySequence || len(x) == 0 {
			return x
		}
		for _, e := range x {
			if _, record := e.(map[string]any); record {
				return []any{v}
			}
		}
		return x
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && t.family != familySequence {
		return items(r)
	}
	return []any{v}
}

func items(r reflect.Value) []any {
	out := make([]any, r.Len())
	for i := range out {
		out[i] = r.Index(i).Interface()
	}
	return out
}

// encode appends one element. put keeps what is of variable length and says where it lies.
func (t *userType) encode(b []byte, v any, put func([]byte) (uint64, int)) ([]byte, error) {
	bad := func() ([]byte, error) {
		return b, fmt.Errorf("a value of type %T is not a %v: %w", v, t.stored, formats.ErrFormat)
	}
	switch t.family {
	case familyNumber, familyEnum:
		if x, ok := v.(bool); ok {
			v = int8(0)
			if x {
				v = int8(1)
			}
		}
		c, err := convert(v, t.dtype)
		if err != nil {
			return bad()
		}
		_, n, _, _ := numbers.Encode(c)
		return append(b, n...), nil
	case familyChars:
		s, ok := v.(string)
		if !ok || len(s) > t.size {
			return bad()
		}
		return append(b, nul(s, t.size)...), nil
	case familyText:
		s, ok := v.(string)
		if !ok {
			return bad()
		}
		addr, i := put([]byte(s)) // of an empty text too: no place would be a null pointer to C programs
		return vlenRef(b, len(s), addr, i), nil
	case familyOpaque:
		s, ok := v.(string)
		raw, err := hex.DecodeString(s)
		if !ok || err != nil || len(raw) != t.size {
			if raw, err = base64.StdEncoding.DecodeString(s); !ok || err != nil || len(raw) != t.size {
				return bad()
			}
		}
		return append(b, raw...), nil
	case familySequence:
		var list []any
		if x, ok := v.([]any); ok {
			list = x
		} else if r := reflect.ValueOf(v); r.IsValid() && r.Kind() == reflect.Slice {
			list = items(r)
		} else if v != nil {
			list = []any{v} // one item stands for itself
		}
		var body []byte
		for _, x := range list {
			var err error
			if body, err = t.base.encode(body, x, put); err != nil {
				return b, err
			}
		}
		return t.reference(b, len(list), body, put), nil
	}
	if _, ok := t.stored.(string); ok {
		v = complexRecord(v)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return bad()
	}
	for _, f := range t.fields {
		var err error
		if b, err = f.encode(b, m[f.name], put); err != nil {
			return b, fmt.Errorf("field %q: %w", f.name, err)
		}
	}
	return b, nil
}

// reference appends the place of n items whose bytes are body.
func (t *userType) reference(b []byte, n int, body []byte, put func([]byte) (uint64, int)) []byte {
	if n == 0 {
		return vlenRef(b, 0, 0, 0)
	}
	addr, i := put(body)
	return vlenRef(b, n, addr, i)
}

// encode appends a field. The characters of a text field may be one text.
func (f *userField) encode(b []byte, v any, put func([]byte) (uint64, int)) ([]byte, error) {
	if f.dims == nil {
		return f.typ.encode(b, v, put)
	}
	if s, ok := v.(string); ok && f.typ.family == familyChars && len(s) <= f.count() {
		return append(b, nul(s, f.count())...), nil
	}
	var list []any
	flatten(v, &list)
	if n := f.count(); f.typ.family == familyChars && len(list) > 0 && n%len(list) == 0 {
		// texts of a fixed size have become characters along one more axis
		for _, x := range list {
			s, ok := x.(string)
			if !ok || len(s) > n/len(list) {
				return b, fmt.Errorf("%v does not fit %d characters: %w", x, n/len(list), formats.ErrFormat)
			}
			b = append(b, nul(s, n/len(list))...)
		}
		return b, nil
	}
	if len(list) != f.count() {
		return b, fmt.Errorf("%d values, want %d: %w", len(list), f.count(), formats.ErrFormat)
	}
	for _, x := range list {
		var err error
		if b, err = f.typ.encode(b, x, put); err != nil {
			return b, err
		}
	}
	return b, nil
}

// flatten appends the values of nested lists.
func flatten(v any, out *[]any) {
	if r := reflect.ValueOf(v); r.IsValid() && r.Kind() == reflect.Slice {
		for i := range r.Len() {
			flatten(r.Index(i).Interface(), out)
		}
		return
	}
	*out = append(*out, v)
}
