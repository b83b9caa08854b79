// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats/hdf5"
)

// Types of object header messages that are written.
const (
	msgSpace     = 0x01
	msgLinkInfo  = 0x02
	msgType      = 0x03
	msgFill      = 0x05
	msgLink      = 0x06
	msgLayout    = 0x08
	msgGroupInfo = 0x0a
	msgFilters   = 0x0b
	msgAttr      = 0x0c
	msgAttrInfo  = 0x15
)

const (
	maxMessage = 65535 // its length is a 16-bit number
	constant   = 1     // flag: the message never changes
)

// buf builds little-endian structures by chained calls.
type buf struct{ b []byte }

// u appends v as n bytes.
func (w *buf) u(n int, v uint64) *buf {
	for i := range n {
		w.b = append(w.b, byte(v>>(8*i)))
	}
	return w
}

func (w *buf) s(x string) *buf     { w.b = append(w.b, x...); return w }
func (w *buf) bytes(x []byte) *buf { w.b = append(w.b, x...); return w }

// message is an object header message.
type message struct {
	kind  int
	body  []byte
	flags int
}

// objectHeader assembles a version 2 object header. It tracks and indexes the
// creation order of attributes, as netCDF-C does: each attribute has its number.
func objectHeader(ms []message) []byte {
	attrs := uint64(0)
	for _, m := range ms {
		if m.kind == msgAttr {
			attrs++
		}
	}
	info := (&buf{}).u(1, 0).u(1, 3).u(2, attrs).u(8, hdf5.Undef).u(8, hdf5.Undef).u(8, hdf5.Undef).b
	body, order := &buf{}, uint64(0)
	put := func(m message) {
		n := uint64(0)
		if m.kind == msgAttr {
			n = order
			order++
		}
		body.u(1, uint64(m.kind)).u(2, uint64(len(m.body))).u(1, uint64(m.flags)).u(2, n).bytes(m.body)
	}
	placed := false
	for _, m := range ms {
		if m.kind == msgAttr && !placed {
			put(message{msgAttrInfo, info, 0})
			placed = true
		}
		put(m)
	}
	if !placed {
		put(message{msgAttrInfo, info, 0})
	}
	// flags: the size has 4 bytes, order of attributes tracked and indexed
	w := (&buf{}).s("OHDR").u(1, 2).u(1, 2|4|8).u(4, uint64(len(body.b))).bytes(body.b)
	return w.u(4, uint64(hdf5.Checksum(w.b))).b
}

// Datatype messages: class and version, bit field, size, properties.
func typeInt(size int, signed bool) []byte {
	sign := uint64(0)
	if signed {
		sign = 8
	}
	return (&buf{}).u(1, 0x10).u(3, sign).u(4, uint64(size)).u(2, 0).u(2, uint64(8*size)).b
}

func typeFloat(size int) []byte {
	w := (&buf{}).u(1, 0x11)
	if size == 4 {
		return w.u(3, 0x1f20).u(4, 4).u(2, 0).u(2, 32).u(1, 23).u(1, 8).u(1, 0).u(1, 23).u(4, 127).b
	}
	return w.u(3, 0x3f20).u(4, 8).u(2, 0).u(2, 64).u(1, 52).u(1, 11).u(1, 0).u(1, 52).u(4, 1023).b
}

// typeText is a fixed-size UTF-8 string that ends with NUL or its size.
func typeText(n int) []byte { return (&buf{}).u(1, 0x13).u(3, 0x10).u(4, uint64(n)).b }

// typeChar is netCDF's char.
func typeChar() []byte { return (&buf{}).u(1, 0x13).u(3, 0).u(4, 1).b }

func typeReference() []byte { return (&buf{}).u(1, 0x17).u(3, 0).u(4, 8).b }

// typeVlenText is a variable-length UTF-8 string.
func typeVlenText() []byte {
	return (&buf{}).u(1, 0x19).u(3, 0x0101).u(4, vlenBytes).bytes(typeInt(1, false)).b
}

// typeDimensionList is a sequence of object references.
func typeDimensionList() []byte {
	return (&buf{}).u(1, 0x19).u(3, 0).u(4, vlenBytes).bytes(typeReference()).b
}

// typeReferenceList is the compound {dataset: reference, dimension: uint32} of 16 bytes.
func typeReferenceList() []byte {
	member := func(name string, off uint64, t []byte) []byte {
		w := (&buf{}).s(name).u(1, 0)
		for len(w.b)%8 != 0 {
			w.u(1, 0)
		}
		return w.u(4, off).u(1, 0).u(3, 0).u(4, 0).u(4, 0).u(8, 0).u(8, 0).bytes(t).b
	}
	return (&buf{}).u(1, 0x16).u(3, 2).u(4, 16).bytes(member("dataset", 0, typeReference())).bytes(member("dimension", 8, typeInt(4, false))).b
}

// vlenBytes is the size of a variable-length element: count, address, object number.
const vlenBytes = 16

// numberType returns the datatype message of d, nil when NetCDF-4 has none.
func numberType(d dtype.DType) []byte {
	switch d.Kind() {
	case dtype.KindInt, dtype.KindUint:
		return typeInt(d.Size(), d.Kind() == dtype.KindInt)
	case dtype.KindFloat:
		if d.Size() >= 4 {
			return typeFloat(d.Size())
		}
	}
	return nil
}

// spaceScalar, spaceNull and spaceSimple are version 2 dataspace messages.
func spaceScalar() []byte { return (&buf{}).u(1, 2).u(1, 0).u(1, 0).u(1, 0).b }

func spaceNull() []byte { return (&buf{}).u(1, 2).u(1, 0).u(1, 0).u(1, 2).b }

func spaceSimple(dims, most []uint64) []byte {
	w := (&buf{}).u(1, 2).u(1, uint64(len(dims))).u(1, 1).u(1, 1)
	for _, d := range dims {
		w.u(8, d)
	}
	for _, d := range most {
		w.u(8, d)
	}
	return w.b
}

// attribute is a version 3 attribute message.
func attribute(name string, t, space, data []byte) (message, error) {
	w := (&buf{}).u(1, 3).u(1, 0).u(2, uint64(len(name)+1)).u(2, uint64(len(t))).u(2, uint64(len(space))).u(1, 1)
	w.s(name).u(1, 0).bytes(t).bytes(space).bytes(data)
	if len(w.b) > maxMessage || name == "" {
		return message{}, fmt.Errorf("attribute %q of %d bytes, want a name and at most %d", name, len(w.b), maxMessage)
	}
	return message{kind: msgAttr, body: w.b}, nil
}

// list is a one-dimensional dataspace of n elements.
func list(n int) []byte { return spaceSimple([]uint64{uint64(n)}, []uint64{uint64(n)}) }
