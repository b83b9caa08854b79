// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

// commitTypes gives names to the types of variables and attributes: those of the specification, else new ones in the root group.
func (w *writer) commitTypes(root []formats.Type) error {
	for _, g := range append([]formats.GroupSpec{{Types: root}}, w.groups...) {
		for _, x := range g.Types {
			if err := checkName("type", x.Name); err != nil {
				return err
			}
			t, err := newType(x.Stored, 0)
			if err != nil {
				return fmt.Errorf("type %q: %w", x.Name, err)
			}
			if t.committed() && w.findType(t) == nil {
				w.commitParts(t, x.Name)
				t.name, t.group = x.Name, g.Path
				w.types = append(w.types, t)
			}
		}
	}
	for _, s := range w.vars {
		if s.user != nil {
			s.user = w.commit(s.user, s.name)
		}
		if err := w.commitAttrs(s.attrs); err != nil {
			return fmt.Errorf("variable %q: %w", s.name, err)
		}
	}
	for _, g := range w.groups {
		if err := w.commitAttrs(g.Attrs); err != nil {
			return fmt.Errorf("group %q: %w", g.Path, err)
		}
	}
	return w.commitAttrs(w.attrs)
}

func (w *writer) commitAttrs(attrs formats.Attrs) error {
	for _, a := range attrs {
		if a.Type == nil {
			continue
		}
		t, err := newType(a.Type, 0)
		if err != nil {
			return fmt.Errorf("attribute %q: %w", a.Name, err)
		}
		w.commit(t, a.Name)
	}
	return nil
}

// findType returns the committed type that is equal to t, nil where there is none.
func (w *writer) findType(t *userType) *userType {
	message := t.message()
	for _, x := range w.types {
		if bytes.Equal(x.message(), message) {
			return x
		}
	}
	return nil
}

// commit returns the committed type that is equal to t, a new one named after a variable or attribute where there is none, and t
// itself where it needs no name.
func (w *writer) commit(t *userType, after string) *userType {
	if !t.committed() {
		return t
	}
	if old := w.findType(t); old != nil {
		return old
	}
	_, after = splitName(after)
	w.commitParts(t, after)
	t.name = w.freeName(after + "_t")
	w.types = append(w.types, t)
	return t
}

// commitParts commits the types that t is made of.
func (w *writer) commitParts(t *userType, after string) {
	if t.family == familySequence {
		w.commit(t.base, after+"_item")
	}
	for _, f := range t.fields {
		w.commit(f.typ, after+"_"+strings.ReplaceAll(f.name, "/", "_"))
	}
}

// freeName returns a name that nothing in the root group has.
func (w *writer) freeName(name string) string {
	taken := func(name string) bool {
		if w.dimIn("", name) != nil {
			return true
		}
		for _, s := range w.vars {
			if first, _, _ := strings.Cut(s.name, "/"); first == name {
				return true
			}
		}
		for _, g := range w.groups {
			if first, _, _ := strings.Cut(g.Path, "/"); first == name {
				return true
			}
		}
		for _, t := range w.types {
			if t.group == "" && t.name == name {
				return true
			}
		}
		return false
	}
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s%d", name, n)
		}
		if !taken(try) {
			return try
		}
	}
}

// use is typeRef with the flags of its message, counted.
func (t *userType) use(flags int) ([]byte, int) {
	const shared = 2
	body, isShared := t.typeRef()
	if isShared {
		t.uses++
		flags |= shared
	}
	return body, flags
}

// messages lays out the header of a committed type: how many refer to it, its link among them, and what it is.
func (t *userType) messages() []message {
	const msgUses, dontShare = 0x16, 4
	return []message{{msgType, t.message(), constant | dontShare}, {msgUses, (&buf{}).u(1, 0).u(4, uint64(t.uses+1)).b, 0}}
}

// userFill takes the fill value of a variable of a type of the user's.
func (s *sink) userFill(fill []byte) error {
	if len(fill) == s.item && !s.user.variable() {
		s.fill = bytes.Clone(fill)
		s.user.narrow(s.fill)
	}
	v, ok := s.attrs.Get("_FillValue")
	if !ok || s.user.family == familyChars {
		return nil
	}
	if s.dtype.IsComplex() {
		v = complexRecord(v)
		s.attrs = s.attrs.With("_FillValue", v)
	}
	values := s.user.elements(v)
	if len(values) != 1 {
		return fmt.Errorf("attribute _FillValue: %d values, want one: %w", len(values), formats.ErrFormat)
	}
	b, err := s.user.encode(nil, values[0], (&metaHeap{}).put)
	if err != nil {
		return fmt.Errorf("attribute _FillValue: %w", err)
	}
	if !s.user.variable() {
		s.fill = b
	}
	s.attrs = typedFill(s.attrs, s.user)
	return nil
}

// typedFill says that _FillValue has the type of its variable.
func typedFill(attrs formats.Attrs, t *userType) formats.Attrs {
	out := append(formats.Attrs(nil), attrs...)
	for i := range out {
		if out[i].Name == "_FillValue" {
			out[i].Type = t.stored
		}
	}
	return out
}

// typedAttr is the message of an attribute whose value has a type of the user's.
func (w *writer) typedAttr(heap *metaHeap, a formats.Attr) (message, error) {
	t, err := newType(a.Type, 0)
	if err != nil {
		return message{}, fmt.Errorf("attribute %q: %w", a.Name, err)
	}
	if old := w.findType(t); old != nil {
		t = old
	}
	values := t.elements(a.Value)
	var data []byte
	for _, v := range values {
		if data, err = t.encode(data, v, heap.put); err != nil {
			return message{}, fmt.Errorf("attribute %q: %w", a.Name, err)
		}
	}
	space := list(len(values))
	if len(values) == 0 {
		space = spaceNull()
	}
	body, flags := t.use(0)
	m, err := attribute(a.Name, body, space, data)
	if err == nil && flags != 0 {
		m.body[1] |= 1 // the type is shared
	}
	return m, err
}

// records writes the parts of variable length of a chunk whose texts stand for elements of s's type as collections of the
// global heap, and returns the chunk of the elements with the bytes written.
func (s *sink) records(c *chunk.Chunk) (*chunk.Chunk, int64, error) {
	n := c.Shape.Size()
	own := &chunk.Chunk{DType: dtype.String, ItemBytes: 16, Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: mem.Wrap(make([]byte, 16*n))}
	formats.CopyElems(own, c)
	heap, out := &metaHeap{}, make([]byte, 0, n*int64(s.item))
	encode := func() error {
		out = out[:0]
		for i := range n {
			t := formats.Text(own, i)
			if len(t) == 0 { // what no one has written
				out = append(out, make([]byte, s.item)...)
				continue
			}
			v, err := zarr.ParseJSON(t)
			if err == nil {
				out, err = s.user.encode(out, v, heap.put)
			}
			if err != nil {
				return fmt.Errorf("element %d of the chunk, %.80q: %w", i, t, err)
			}
		}
		return nil
	}
	if err := encode(); err != nil { // the first time says what the heap will hold
		return nil, 0, err
	}
	heap.place(s.w.alloc)
	if err := encode(); err != nil {
		return nil, 0, err
	}
	written := int64(0)
	for i, p := range heap.parts() {
		b := collection(p)
		if err := s.w.writeAt(heap.addrs[i], b); err != nil {
			return nil, written, err
		}
		written += int64(len(b))
	}
	return &chunk.Chunk{DType: dtype.Raw, ItemBytes: int32(s.item), Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: mem.Wrap(out)}, written, nil
}
