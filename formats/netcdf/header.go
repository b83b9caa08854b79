// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"fmt"
	"unicode/utf8"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/hdf5"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// properties is what _NCProperties says: netCDF-C writes its own version there.
const properties = "version=2,arrayrun=1"

const (
	maxReferences = 4000       // of a REFERENCE_LIST, which must fit one message; readers do without
	maxText       = 60000      // of a text attribute in a header; a longer one goes to the heap
	layoutUndef   = hdf5.Undef // data not yet there
)

// object is a dataset whose header is written: a variable, or a dimension without one.
type object struct {
	name string
	v    *sink
	dim  *outDim // of which it is the scale
	addr uint64
	tree uint64 // of a chunked variable
}

// objects lists the datasets: dimensions without a coordinate first, as netCDF-C has them.
func (w *writer) objects() []*object {
	var out []*object
	for _, d := range w.dims {
		if d.coord == nil {
			out = append(out, &object{name: joinName(d.group, d.Name), dim: d, tree: layoutUndef})
		}
	}
	for _, s := range w.vars {
		o := &object{name: s.name, v: s, tree: layoutUndef}
		for _, d := range s.dims {
			if d.coord == s {
				o.dim = d
			}
		}
		if group, base := splitName(s.name); o.dim == nil && w.dimIn(group, base) != nil {
			o.name = joinName(group, nonCoord+base) // it shares its name with a dimension that is not its own
		}
		out = append(out, o)
	}
	return out
}

// complete writes everything but the data.
func (w *writer) complete() error {
	objs := w.objects()
	for _, o := range objs {
		if o.v == nil {
			continue
		}
		if n, want := o.v.written.Load(), o.v.grid.Len(); n != want {
			return fmt.Errorf("variable %q: %d of its %d chunks were written", o.v.name, n, want)
		}
		if o.v.chunked {
			var err error
			if o.tree, err = w.chunkTree(o.v.grid, o.v.cell, o.v.places); err != nil {
				return err
			}
		}
	}
	groups, err := groupsOf(objs, w.types, w.groups)
	if err != nil {
		return err
	}
	// Sizes of headers do not depend on addresses: lay out, place, lay out again.
	heap := &metaHeap{}
	first, err := w.headers(heap, objs, groups)
	if err != nil {
		return err
	}
	for i, o := range objs {
		o.addr = w.alloc(int64(len(first[i])))
	}
	for i, g := range groups {
		g.addr = w.alloc(int64(len(first[len(objs)+i])))
	}
	for i, t := range w.types {
		t.addr = w.alloc(int64(len(first[len(objs)+len(groups)+i])))
	}
	root := groups[0].addr
	heap.place(w.alloc)
	final, err := w.headers(heap, objs, groups)
	if err != nil {
		return err
	}
	for i, o := range objs {
		if err := w.writeAt(o.addr, final[i]); err != nil {
			return err
		}
	}
	for i, g := range groups {
		if err := w.writeAt(g.addr, final[len(objs)+i]); err != nil {
			return err
		}
	}
	for i, t := range w.types {
		if err := w.writeAt(t.addr, final[len(objs)+len(groups)+i]); err != nil {
			return err
		}
	}
	for i, p := range heap.parts() {
		if err := w.writeAt(heap.addrs[i], collection(p)); err != nil {
			return err
		}
	}
	if err := w.f.Truncate(int64(w.end)); err != nil { // data may have ended in bytes never written
		return err
	}
	sb := (&buf{}).s("\x89HDF\r\n\x1a\n").u(1, 2).u(1, 8).u(1, 8).u(1, 0).u(8, 0).u(8, hdf5.Undef).u(8, w.end).u(8, root)
	sb.u(4, uint64(hdf5.Checksum(sb.b)))
	return w.writeAt(0, sb.b)
}

// headers lays out the objects' headers, then the groups', then the committed types'.
func (w *writer) headers(heap *metaHeap, objs []*object, groups []*outGroup) ([][]byte, error) {
	for _, t := range w.types {
		t.uses = 0
	}
	scales := map[*outDim]*object{}
	for _, o := range objs {
		if o.dim != nil {
			scales[o.dim] = o
		}
	}
	var out [][]byte
	for _, o := range objs {
		ms, err := w.messages(o, heap, objs, scales)
		if err != nil {
			return nil, fmt.Errorf("variable %q: %w", o.name, err)
		}
		out = append(out, objectHeader(ms))
	}
	for i, g := range groups {
		own := g.attrs.Without(hiddenOfGroups...)
		if i == 0 {
			own = w.attrs.Without(hiddenOfGroups...).With(attrProps, properties)
		}
		attrs, err := w.userAttrs(heap, own)
		if err != nil {
			return nil, err
		}
		out = append(out, objectHeader(append(g.messages(), attrs...)))
	}
	for _, t := range w.types {
		out = append(out, objectHeader(t.messages()))
	}
	return out, nil
}

// messages lays out the header of a dataset.
func (w *writer) messages(o *object, heap *metaHeap, objs []*object, scales map[*outDim]*object) ([]message, error) {
	t, kind := typeFloat(4), constant
	var dims []*outDim
	shape := []uint64{}
	if o.v != nil {
		switch {
		case o.v.user != nil:
			t, kind = o.v.user.use(kind)
		case o.v.dtype == dtype.String:
			t = typeVlenText()
		case o.v.dtype == dtype.Raw:
			t = typeChar()
		default:
			t = numberType(o.v.dtype)
		}
		dims = o.v.dims
		for _, n := range o.v.shape {
			shape = append(shape, uint64(n))
		}
	} else {
		dims = []*outDim{o.dim}
		shape = append(shape, uint64(o.dim.Size))
	}
	most := append([]uint64{}, shape...)
	for i, d := range dims {
		if d.Unlimited {
			most[i] = hdf5.Undef
		}
	}
	space := spaceScalar()
	if len(shape) > 0 {
		space = spaceSimple(shape, most)
	}
	ms := []message{{msgSpace, space, 0}, {msgType, t, kind}, {msgFill, o.fillMessage(), constant}, {msgLayout, o.layout(shape), 0}}
	if o.v != nil && o.v.filters != nil {
		ms = append(ms, message{msgFilters, o.v.pipeline(), constant})
	}
	add := func(m message, err error) error {
		ms = append(ms, m)
		return err
	}
	if o.dim != nil {
		for _, m := range o.scaleAttrs(objs) {
			if err := add(m.m, m.err); err != nil {
				return nil, err
			}
		}
	}
	if o.dim == nil && len(dims) > 0 {
		var refs []byte
		for _, d := range dims {
			addr, i := heap.put((&buf{}).u(8, scales[d].addr).b)
			refs = vlenRef(refs, 1, addr, i)
		}
		if err := add(attribute(attrDims, typeDimensionList(), list(len(dims)), refs)); err != nil {
			return nil, err
		}
	}
	if o.v != nil {
		attrs, err := w.userAttrs(heap, o.v.attrs.Without(hidden...))
		if err != nil {
			return nil, err
		}
		ms = append(ms, attrs...)
	}
	return ms, nil
}

// made is a message or why there is none.
type made struct {
	m   message
	err error
}

// scaleAttrs makes the attributes of a dimension scale.
func (o *object) scaleAttrs(objs []*object) (out []made) {
	_, name := splitName(o.name)
	if o.v == nil {
		name = fmt.Sprintf("%s%10d", onlyDimension, o.dim.Size)
	}
	add := func(m message, err error) { out = append(out, made{m, err}) }
	add(textAttr(attrClass, scaleClass+"\x00")) // the library insists on the NUL here
	add(textAttr(attrName, name+"\x00"))
	add(attribute(attrDimID, typeInt(4, true), spaceScalar(), (&buf{}).u(4, uint64(o.dim.id)).b))
	refs, n := &buf{}, 0
	for _, x := range objs {
		if x == o || x.v == nil {
			continue
		}
		for axis, d := range x.v.dims {
			if d == o.dim {
				refs.u(8, x.addr).u(4, uint64(axis)).u(4, 0)
				n++
			}
		}
	}
	if n > 0 && n <= maxReferences {
		add(attribute(attrRefs, typeReferenceList(), list(n), refs.b))
	}
	return out
}

// fillMessage is a version 3 fill value message.
func (o *object) fillMessage() []byte {
	when := uint64(2) // space is taken late,
	if o.v != nil && o.v.chunked || o.v == nil && o.dim.Unlimited {
		when = 3 // or chunk by chunk
	}
	const ifSet = 2 << 2
	if o.v == nil || o.v.fill == nil {
		return (&buf{}).u(1, 3).u(1, when|ifSet).b
	}
	return (&buf{}).u(1, 3).u(1, when|ifSet|0x20).u(4, uint64(len(o.v.fill))).bytes(o.v.fill).b
}

// layout is a version 3 layout message. The dataset of a dimension without a variable has no data.
func (o *object) layout(shape []uint64) []byte {
	w := (&buf{}).u(1, 3)
	switch {
	case o.v != nil && o.v.chunked:
		w.u(1, 2).u(1, uint64(len(shape)+1)).u(8, o.tree)
		for _, c := range o.v.cell {
			w.u(4, uint64(c))
		}
		return w.u(4, uint64(o.v.item)).b
	case o.v != nil:
		addr := o.v.addr
		if o.v.bytes() == 0 {
			addr = layoutUndef
		}
		return w.u(1, 1).u(8, addr).u(8, uint64(o.v.bytes())).b
	case o.dim.Unlimited:
		return w.u(1, 2).u(1, 2).u(8, layoutUndef).u(4, 1024).u(4, 4).b
	}
	return w.u(1, 1).u(8, layoutUndef).u(8, 4*uint64(o.dim.Size)).b
}

// pipeline is a version 2 filter pipeline message.
func (s *sink) pipeline() []byte {
	w := (&buf{}).u(1, 2).u(1, uint64(len(s.filters)))
	for _, f := range s.filters {
		w.u(2, uint64(f.id))
		if f.id >= 256 {
			w.u(2, 0) // no name
		}
		optional := uint64(1)
		if f.id == filterFletcher {
			optional = 0
		}
		w.u(2, optional).u(2, uint64(len(f.values)))
		for _, v := range f.values {
			w.u(4, v)
		}
	}
	return w.b
}

// textAttr is a text attribute, as netCDF-C writes those of type char.
func textAttr(name, text string) (message, error) {
	if text == "" {
		return attribute(name, typeText(1), spaceNull(), nil)
	}
	return attribute(name, typeText(len(text)), spaceScalar(), []byte(text))
}

// userAttrs makes the messages of attributes.
func (w *writer) userAttrs(heap *metaHeap, attrs formats.Attrs) ([]message, error) {
	var out []message
	for _, a := range attrs {
		m, err := w.userAttr(heap, a)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func (w *writer) userAttr(heap *metaHeap, a formats.Attr) (message, error) {
	if m, ok, err := w.plainHDF5Attr(heap, a); ok || err != nil {
		return m, err
	}
	if a.Type != nil {
		return w.typedAttr(heap, a)
	}
	texts, isList := a.Value.([]string)
	switch v := a.Value.(type) {
	case string:
		if !utf8.ValidString(v) {
			return attribute(a.Name, typeChars(len(v)), spaceScalar(), []byte(v))
		}
		if len(v) <= maxText {
			return textAttr(a.Name, v)
		}
		texts, isList = []string{v}, true
	case []any:
		for _, x := range v {
			t, ok := x.(string)
			if isList = ok; !ok {
				break
			}
			texts = append(texts, t)
		}
	}
	if isList {
		var refs []byte
		for _, t := range texts {
			addr, i := heap.put([]byte(t))
			refs = vlenRef(refs, len(t), addr, i)
		}
		return attribute(a.Name, typeVlenText(), list(len(texts)), refs)
	}
	d, b, n, ok := numbers.Encode(a.Value)
	if !ok || numberType(d) == nil {
		return message{}, fmt.Errorf("attribute %q: a value of type %T is not NetCDF's: %w", a.Name, a.Value, formats.ErrFormat)
	}
	if n == 0 {
		return attribute(a.Name, numberType(d), spaceNull(), nil)
	}
	return attribute(a.Name, numberType(d), list(n), b)
}

// typeChars is typeText without the claim to be UTF-8.
func typeChars(n int) []byte { return (&buf{}).u(1, 0x13).u(3, 0).u(4, uint64(n)).b }
