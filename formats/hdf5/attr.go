// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
)

// maxAttrBytes bounds the value of one attribute.
const maxAttrBytes = 64 << 20

// Attr is an attribute with its bytes as the file has them.
type Attr struct {
	Name  string
	Type  *Type
	Space Space
	Data  []byte
}

// attr parses an attribute message. Version 1 pads name, type and space to 8
// bytes, versions 2 and 3 do not; version 3 adds a byte for the character set.
func (f *File) attr(b []byte) (a Attr, err error) {
	c := f.over(b)
	v, flags := c.u1(), c.u1()
	nameLen, typeLen, spaceLen := c.u2(), c.u2(), c.u2()
	if v < 1 || v > 3 {
		c.fail("attribute version %d, want 1 to 3", v)
	}
	if v == 3 {
		c.u1()
	}
	take := func(n int) []byte {
		b := c.n(n)
		if v == 1 {
			c.n((8 - n%8) % 8)
		}
		return b
	}
	name, typ, space := take(nameLen), take(typeLen), take(spaceLen)
	if c.err != nil {
		return a, c.err
	}
	if i := bytes.IndexByte(name, 0); i >= 0 {
		name = name[:i]
	}
	a.Name = string(name)
	if v > 1 && flags&1 != 0 {
		if typ, err = f.shared(message{msgType, flagShared, typ}, 0); err != nil {
			return a, err
		}
	}
	if v > 1 && flags&2 != 0 {
		if space, err = f.shared(message{msgSpace, flagShared, space}, 0); err != nil {
			return a, err
		}
	}
	t := f.over(typ)
	if a.Type = t.datatype(0); t.err != nil {
		return a, fmt.Errorf("attribute %q: %w", a.Name, t.err)
	}
	if a.Space, err = f.dataspace(space); err != nil {
		return a, fmt.Errorf("attribute %q: %w", a.Name, err)
	}
	n, err := a.Space.size(a.Type.Size)
	if err == nil && n > maxAttrBytes {
		err = fmt.Errorf("hdf5: %d bytes: %w", n, formats.ErrCorrupt)
	}
	if err == nil {
		a.Data = c.keep(int(n))
		err = c.err
	}
	if err != nil {
		return a, fmt.Errorf("attribute %q: %w", a.Name, err)
	}
	return a, nil
}

// Value returns the attribute as formats.Attr has it: text as string or []string,
// numbers as a Go scalar or slice of the stored type, an empty one as nil. What has several axes is a list of lists, unless it
// is one element. Compounds are maps, variable-length sequences lists, references the text "reference".
func (f *File) Value(a *Attr) (any, error) {
	v, err := f.value(a.Type, a.Data, len(a.Space.Dims) > 0 || a.Space.Null, 0)
	if err != nil {
		return nil, fmt.Errorf("attribute %q: %w", a.Name, err)
	}
	if a.Type.Class == ClassVlen && a.Type.Bits&15 != 1 {
		return v, nil // a list of sequences
	}
	dims := make([]int, 0, len(a.Space.Dims))
	for _, d := range a.Space.Dims {
		dims = append(dims, int(d)) // their product has been checked
	}
	return nest(v, append(dims, a.Type.axes()...)), nil
}

// axes returns the lengths of the axes of an array type; characters are texts.
func (t *Type) axes() (dims []int) {
	for ; t.Class == ClassArray; t = t.Base {
		dims = append(dims, t.Dims...)
		if _, ok := t.characters(); ok {
			return dims[:len(dims)-1]
		}
	}
	return dims
}

// nest makes a list of elements lists of lists, of axes with the lengths.
func nest(v any, dims []int) any {
	r := reflect.ValueOf(v)
	if len(dims) < 2 || r.Kind() != reflect.Slice || r.Len() == 0 || dims[0] < 1 || r.Len()%dims[0] != 0 {
		return v
	}
	out, step := make([]any, dims[0]), r.Len()/dims[0]
	for i := range out {
		out[i] = nest(r.Slice(i*step, (i+1)*step).Interface(), dims[1:])
	}
	return out
}

// value decodes elements of t; many says that they are an array (of any length).
func (f *File) value(t *Type, b []byte, many bool, depth int) (any, error) {
	if depth > maxTypeDepth {
		return nil, fmt.Errorf("hdf5: values nested deeper than %d: %w", maxTypeDepth, formats.ErrCorrupt)
	}
	n := len(b) / t.Size
	switch t.Class {
	case ClassString:
		if n == 0 {
			return "", nil // how netCDF-C stores an empty text
		}
		return list(n, many, func(i int) (string, error) { return t.Text(b[i*t.Size : (i+1)*t.Size]), nil })
	case ClassVlen:
		if t.Bits&15 == 1 {
			return list(n, many, func(i int) (string, error) {
				s, err := f.vlen(b[i*t.Size:(i+1)*t.Size], 1)
				return cutText(s), err
			})
		}
		return list(n, many, func(i int) (any, error) {
			s, err := f.vlen(b[i*t.Size:(i+1)*t.Size], t.Base.Size)
			if err != nil {
				return nil, err
			}
			return f.value(t.Base, s, true, depth+1)
		})
	case ClassArray:
		if row, ok := t.characters(); ok {
			return f.value(row, b, len(t.Dims) > 1, depth+1)
		}
		return f.value(t.Base, b, true, depth+1)
	}
	if s := t.storage(); s.ok {
		return s.values(b[:n*t.Size])
	}
	return list(n, many, func(i int) (any, error) { return f.opaque(t, b[i*t.Size:(i+1)*t.Size], depth) })
}

// opaque decodes one element of a type that no Go number holds.
func (f *File) opaque(t *Type, e []byte, depth int) (any, error) {
	switch t.Class {
	case ClassCompound:
		m := map[string]any{}
		for _, x := range t.Members {
			v, err := f.value(x.Type, e[x.Offset:x.Offset+x.Type.Size], false, depth+1)
			if err != nil {
				return nil, err
			}
			m[x.Name] = v
		}
		return m, nil
	case ClassReference:
		return "reference", nil
	}
	return hex.EncodeToString(e), nil
}

// list makes a scalar or a slice; an attribute of no elements is nil, of one string that string.
func list[T any](n int, many bool, get func(i int) (T, error)) (any, error) {
	out := make([]T, n)
	for i := range out {
		var err error
		if out[i], err = get(i); err != nil {
			return nil, err
		}
	}
	switch {
	case n == 0:
		return nil, nil
	case n == 1 && !many:
		return out[0], nil
	}
	if s, ok := any(out).([]string); ok && n == 1 {
		return s[0], nil
	}
	return out, nil
}

// Text returns the text of one fixed-size string element, without its padding.
func (t *Type) Text(b []byte) string {
	switch t.Bits & 15 {
	case 0: // ends with NUL
		return cutText(b)
	case 2: // padded with spaces
		return strings.TrimRight(string(b), " ")
	}
	return strings.TrimRight(string(b), "\x00")
}

// cutText cuts b at its first NUL.
func cutText(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// References returns the addresses of the objects an attribute refers to: one list
// for each element, of one address where it is no sequence.
func (f *File) References(a *Attr) ([][]uint64, error) {
	t := a.Type
	n := len(a.Data) / t.Size
	ref := t
	if t.Class == ClassVlen {
		ref = t.Base
	}
	if ref.Class != ClassReference || ref.Size < f.so {
		return nil, fmt.Errorf("attribute %q: not object references: %w", a.Name, formats.ErrCorrupt)
	}
	out := make([][]uint64, n)
	for i := range out {
		b := a.Data[i*t.Size : (i+1)*t.Size]
		if t.Class == ClassVlen {
			var err error
			if b, err = f.vlen(b, ref.Size); err != nil {
				return nil, fmt.Errorf("attribute %q: %w", a.Name, err)
			}
		}
		for ; len(b) >= ref.Size; b = b[ref.Size:] {
			c := f.over(b)
			out[i] = append(out[i], c.o())
		}
	}
	return out, nil
}
