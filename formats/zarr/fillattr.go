// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// FillAttr returns the fill value of an array of records, opaque bytes or texts of a fixed size as an attribute _FillValue has it:
// records are a list of one map, opaque bytes a list of one text in hexadecimal digits, texts themselves. ok is false for other
// arrays, for no text at all, and where the metadata does not say what a record is made of.
func FillAttr(m *formats.ArrayMeta) (a formats.Attr, ok bool) {
	e, ok := storedElem(m.Stored, 0)
	if !ok || !m.FillSet || e.item != m.ItemBytes {
		return a, false
	}
	b := m.Fill
	if b == nil {
		b = make([]byte, e.item)
	}
	if len(b) != e.item {
		return a, false
	}
	a = formats.Attr{Name: "_FillValue", Value: e.attr(b)}
	switch e.kind {
	case 'S', 'U':
		return a, a.Value != ""
	case 'r', 'V':
		a.Value, a.Type = []any{a.Value}, m.Stored
		return a, true
	}
	return a, false
}

// attr returns an element as attributes have it.
func (e *elem) attr(b []byte) any {
	switch e.kind {
	case 'S':
		return string(bytes.TrimRight(b, "\x00"))
	case 'U':
		var s strings.Builder
		for ; len(b) >= 4; b = b[4:] {
			if r := binary.NativeEndian.Uint32(b); r != 0 {
				s.WriteRune(rune(r))
			}
		}
		return s.String()
	case 'V':
		return hex.EncodeToString(b)
	case 'r':
		out := map[string]any{}
		for i := range e.fields {
			f := &e.fields[i]
			out[f.name] = f.attr(b[f.off : f.off+f.el.item])
		}
		return out
	}
	v, _ := numbers.Decode(e.dt, b)
	return v
}

// attr returns a field, the elements of an array as a list. Characters are a text.
func (f *field) attr(b []byte) any {
	switch {
	case len(f.shape) == 0:
		return f.el.attr(b)
	case f.of.kind == 'S' && f.of.item == 1 && len(f.shape) == 1:
		return string(bytes.TrimRight(b, "\x00"))
	}
	list := make([]any, 0, len(b)/max(f.of.item, 1))
	for ; len(b) >= f.of.item && f.of.item > 0; b = b[f.of.item:] {
		list = append(list, f.of.attr(b[:f.of.item]))
	}
	return list
}

// ofAttr returns the bytes of an element that attribute _FillValue has, in native order. It is the inverse of attr.
func (e *elem) ofAttr(v any) ([]byte, error) {
	if list, ok := v.([]any); ok && len(list) == 1 && e.dt.Size() == 0 {
		v = list[0] // attributes of types of the user's are lists of them
	}
	if list, ok := v.([]string); ok && len(list) == 1 {
		v = list[0]
	}
	text, isText := v.(string)
	switch e.kind {
	case 'S':
		if isText && len(text) <= e.item {
			return append([]byte(text), make([]byte, e.item-len(text))...), nil
		}
		return nil, badFill(e, v)
	case 'V':
		b, err := hex.DecodeString(text)
		if !isText || err != nil || len(b) != e.item {
			if b, err = base64.StdEncoding.DecodeString(text); !isText || err != nil || len(b) != e.item {
				return nil, badFill(e, v)
			}
		}
		return b, nil
	case 'r':
		record, ok := v.(map[string]any)
		if !ok {
			return nil, badFill(e, v)
		}
		out := make([]byte, e.item)
		for i := range e.fields {
			f := &e.fields[i]
			x, ok := record[f.name]
			if !ok {
				continue // zeros, as in the metadata
			}
			b, err := f.ofAttr(x)
			if err != nil {
				return nil, fmt.Errorf("field %q: %w", f.name, err)
			}
			copy(out[f.off:], b)
		}
		return out, nil
	}
	return e.fill(fillJSON(v), true)
}

// ofAttr returns the bytes of a field; the elements of an array are a list, of lists where it has more axes, and characters may be a text.
func (f *field) ofAttr(v any) ([]byte, error) {
	if len(f.shape) == 0 {
		return f.el.ofAttr(v)
	}
	if text, ok := v.(string); ok && f.of.kind == 'S' && len(text) <= f.el.item {
		return append([]byte(text), make([]byte, f.el.item-len(text))...), nil
	}
	var out []byte
	var add func(v any) error
	add = func(v any) error {
		if r := reflect.ValueOf(v); r.IsValid() && r.Kind() == reflect.Slice {
			for i := range r.Len() {
				if err := add(r.Index(i).Interface()); err != nil {
					return err
				}
			}
			return nil
		}
		b, err := f.of.ofAttr(v)
		out = append(out, b...)
		return err
	}
	if err := add(v); err != nil {
		return nil, err
	}
	if len(out) != f.el.item {
		return nil, badFill(&f.el, v)
	}
	return out, nil
}
