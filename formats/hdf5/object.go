// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"fmt"
	"sort"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
)

// Link is an entry of a group. Addr is Undef for a soft link (Target is its path)
// and for an external one (File is not empty).
type Link struct {
	Name         string
	Addr         uint64
	Target, File string
	order        int64
}

// Filter is one entry of a filter pipeline, with its client values.
type Filter struct {
	ID     int
	Name   string
	Values []uint32
}

// Object is a parsed object header: a group when Links or Group say so, a dataset
// when Dataset reports it, else a committed datatype.
type Object struct {
	Path    string // for messages: set by who knows it, else empty
	Addr    uint64
	Type    *Type
	Space   *Space
	Filters []Filter
	Attrs   []Attr
	Fill    []byte // one element as the file has it; nil when the library's zero
	FillSet bool   // the writer has set Fill itself
	Links   []Link // in creation order where the group tracks it, else by name
	Group   bool

	f       *File
	layout  *layout
	ordered bool // creation order of links is tracked
	refuse  error
	parts   []*mapping // of a virtual dataset, once they are completed
	grown   error      // what came of completing them
	resolve sync.Once
}

// Root returns the root group.
func (f *File) Root() (*Object, error) { return f.Object(f.root) }

// Dataset reports whether o holds an array (or could, were its features known).
func (o *Object) Dataset() bool { return o.layout != nil && o.Type != nil && o.Space != nil }

// Err says why o's data cannot be read, or nil: it is stored in another file, or
// a header message that a reader must know is not known here.
func (o *Object) Err() error { return o.refuse }

// Attr returns the attribute with the name.
func (o *Object) Attr(name string) (*Attr, bool) {
	for i := range o.Attrs {
		if o.Attrs[i].Name == name {
			return &o.Attrs[i], true
		}
	}
	return nil, false
}

// Object reads the object header at addr.
func (f *File) Object(addr uint64) (*Object, error) {
	ms, err := f.messages(addr)
	if err != nil {
		return nil, err
	}
	o := &Object{Addr: addr, f: f}
	for _, m := range ms {
		if err := o.message(m); err != nil {
			return nil, err
		}
	}
	sort.SliceStable(o.Links, func(i, j int) bool {
		if o.ordered {
			return o.Links[i].order < o.Links[j].order
		}
		return o.Links[i].Name < o.Links[j].Name
	})
	return o, nil
}

// message adds what one header message says.
func (o *Object) message(m message) error {
	f := o.f
	switch m.kind {
	case msgSpace, msgType, msgFill, msgFilters, msgAttr:
		b, err := f.shared(m, 0)
		if err != nil {
			return err
		}
		return o.sharable(m.kind, b)
	case msgOldFill:
		if o.Fill == nil {
			c := f.over(m.body)
			o.Fill = c.keep(c.u4())
			o.FillSet = len(o.Fill) > 0
			return c.err
		}
	case msgLink:
		o.Group = true
		return o.link(m.body)
	case msgLinkInfo:
		o.Group = true
		return o.denseLinks(m.body)
	case msgSymbols:
		o.Group = true
		c := f.over(m.body)
		tree, heap := c.o(), c.o()
		if c.err != nil {
			return c.err
		}
		return o.symbols(tree, heap)
	case msgLayout:
		l, err := f.layout(m.body)
		o.layout = l
		return err
	case msgAttrInfo:
		return o.denseAttrs(m.body)
	case msgExternal:
		o.refuse = fmt.Errorf("hdf5: the data lie in an external file, which is not read here: %w", formats.ErrFormat)
	default:
		if m.kind > msgLast && m.flags&flagMustKnow != 0 {
			o.refuse = fmt.Errorf("hdf5: header message of type %#x is not known and says that a reader must know it: %w", m.kind, formats.ErrFormat)
		}
	}
	return nil
}

// sharable adds a message that may have been stored elsewhere.
func (o *Object) sharable(kind int, b []byte) error {
	switch kind {
	case msgSpace:
		s, err := o.f.dataspace(b)
		o.Space = &s
		return err
	case msgType:
		c := o.f.over(b)
		o.Type = c.datatype(0)
		return c.err
	case msgFill:
		return o.fill(b)
	case msgFilters:
		var err error
		o.Filters, err = o.f.filters(b)
		return err
	}
	a, err := o.f.attr(b)
	o.Attrs = append(o.Attrs, a)
	return err
}

// fill parses a fill value message, versions 1 to 3.
func (o *Object) fill(b []byte) error {
	c := o.f.over(b)
	v := c.u1()
	defined := false
	if v < 3 {
		c.n(2)
		d := c.u1()
		defined = (d == 1 || v == 1) && len(b) >= 8
	} else {
		defined = c.u1()&0x20 != 0
	}
	if defined && c.err == nil {
		// 0 is the library's default, -1 "undefined"
		if n := int(int32(c.u(4))); n > 0 {
			o.Fill, o.FillSet = c.keep(n), true
		}
	}
	return c.err
}

// link parses a link message.
func (o *Object) link(b []byte) error {
	c := o.f.over(b)
	c.u1()
	flags, kind := c.u1(), 0
	if flags&8 != 0 {
		kind = c.u1()
	}
	l := Link{Addr: Undef}
	if flags&4 != 0 {
		l.order = int64(c.u(8))
	}
	if flags&16 != 0 {
		c.u1()
	}
	l.Name = string(c.n(c.count(1<<(flags&3), uint64(len(b)), "length of a link name")))
	switch kind {
	case 0:
		l.Addr = c.o()
	case 1:
		l.Target = string(c.n(c.u2()))
	case 64:
		l.File = "?"
		c = o.f.over(c.n(c.u2()))
		c.u1()
		l.File, l.Target = c.cstr(), c.cstr()
	}
	if c.err != nil {
		return c.err
	}
	o.Links = append(o.Links, l)
	return nil
}

// denseLinks adds the links of a group that keeps them in a fractal heap.
func (o *Object) denseLinks(b []byte) error {
	c := o.f.over(b)
	c.u1()
	flags := c.u1()
	if flags&1 != 0 {
		c.n(8)
		o.ordered = true
	}
	heap, tree := c.o(), c.o()
	if c.err != nil || heap == Undef {
		return c.err
	}
	h, err := o.f.heap(heap)
	if err != nil {
		return err
	}
	return o.f.btree2(tree, func(kind int, rec []byte) error {
		k := 4
		if kind == 6 { // indexed by creation order
			k = 8
		}
		if len(rec) < k+7 {
			return fmt.Errorf("hdf5: record of %d bytes in an index of links: %w", len(rec), formats.ErrCorrupt)
		}
		b, err := h.get(rec[k : k+7])
		if err != nil {
			return err
		}
		return o.link(b)
	})
}

// denseAttrs adds attributes kept in a fractal heap, in creation order where it is recorded.
func (o *Object) denseAttrs(b []byte) error {
	c := o.f.over(b)
	c.u1()
	if c.u1()&1 != 0 {
		c.n(2)
	}
	heap, tree := c.o(), c.o()
	if c.err != nil || heap == Undef {
		return c.err
	}
	h, err := o.f.heap(heap)
	if err != nil {
		return err
	}
	type placed struct {
		order uint64
		a     Attr
	}
	var all []placed
	err = o.f.btree2(tree, func(kind int, rec []byte) error {
		if len(rec) < 13 {
			return fmt.Errorf("hdf5: record of %d bytes in an index of attributes: %w", len(rec), formats.ErrCorrupt)
		}
		var b []byte
		var err error
		if rec[8]&flagShared != 0 {
			b, err = o.f.sharedMessage(msgAttr, rec[:8])
		} else {
			b, err = h.get(rec[:8])
		}
		if err != nil {
			return err
		}
		a, err := o.f.attr(b)
		all = append(all, placed{o.f.over(rec[9:13]).u(4), a})
		return err
	})
	sort.SliceStable(all, func(i, j int) bool { return all[i].order < all[j].order })
	for _, p := range all {
		o.Attrs = append(o.Attrs, p.a)
	}
	return err
}

// symbols lists an old-style group: a B-tree of symbol nodes and a local heap of names.
func (o *Object) symbols(tree, heap uint64) error {
	h := o.f.at(heap)
	h.sig("HEAP")
	h.n(4)
	h.l()
	h.l()
	names := h.o()
	if h.err != nil {
		return h.err
	}
	seen := map[uint64]bool{}
	var walk func(addr uint64, depth int) error
	walk = func(addr uint64, depth int) error {
		c := o.f.at(addr)
		if seen[addr] || depth > 64 {
			c.fail("B-tree of a group points to itself")
		}
		seen[addr] = true
		if kind := c.n(4); c.err == nil && string(kind) == "SNOD" {
			return o.symbolNode(c, names)
		}
		c = o.f.at(addr)
		c.sig("TREE")
		c.n(2)
		n := c.u2()
		c.o()
		c.o()
		for i := 0; i < n && c.err == nil; i++ {
			c.l()
			child := c.o()
			if c.err != nil {
				return c.err
			}
			if err := walk(child, depth+1); err != nil {
				return err
			}
		}
		return c.err
	}
	return walk(tree, 0)
}

// symbolNode adds the links of one symbol node.
func (o *Object) symbolNode(c *cursor, names uint64) error {
	c.n(2)
	n := c.u2()
	for i := 0; i < n && c.err == nil; i++ {
		name, addr, cache := c.o(), c.o(), c.u4()
		c.n(4) // reserved
		scratch := c.n(16)
		if c.err != nil {
			break
		}
		l := Link{Addr: addr}
		q := o.f.at(names + name)
		l.Name = q.cstr()
		if cache == 2 { // a soft link: the scratch pad holds the place of its path
			l.Addr = Undef
			p := o.f.at(names + o.f.over(scratch).u(4))
			l.Target = p.cstr()
			if p.err != nil {
				return p.err
			}
		}
		if q.err != nil {
			return q.err
		}
		o.Links = append(o.Links, l)
	}
	return c.err
}

// filters parses a filter pipeline message. Version 1 pads names and odd value counts.
func (f *File) filters(b []byte) (fs []Filter, err error) {
	c := f.over(b)
	v, n := c.u1(), c.count(1, 32, "number of filters")
	if v == 1 {
		c.n(6)
	}
	for i := 0; i < n && c.err == nil; i++ {
		x := Filter{ID: c.u2()}
		name := 0
		if v == 1 || x.ID >= 256 {
			name = c.u2()
		}
		c.u2()
		values := c.u2()
		if v == 1 {
			name = (name + 7) &^ 7
		}
		for _, ch := range c.n(name) {
			if ch == 0 {
				break
			}
			x.Name += string(rune(ch))
		}
		for k := 0; k < values && c.err == nil; k++ {
			x.Values = append(x.Values, uint32(c.u4()))
		}
		if v == 1 && values%2 == 1 {
			c.n(4)
		}
		fs = append(fs, x)
	}
	return fs, c.err
}
