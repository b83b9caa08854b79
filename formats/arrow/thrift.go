// SPDX-License-Identifier: BSD-3-Clause

package arrow

// The compact protocol's types of values.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// maxThriftDepth is far beyond what Parquet's structures nest.
const maxThriftDepth = 24

// thrift walks a message in Thrift's compact protocol that is not trusted. After bad is set everything is zero.
type thrift struct {
	b   []byte
	pos int
	bad bool
}

func (t *thrift) byte() byte {
	if t.pos >= len(t.b) {
		t.bad = true
		return 0
	}
	t.pos++
	return t.b[t.pos-1]
}

func (t *thrift) uvarint() uint64 {
	var x uint64
	for shift := 0; shift < 70; shift += 7 {
		c := t.byte()
		if t.bad {
			return 0
		}
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x
		}
	}
	t.bad = true
	return 0
}

func (t *thrift) varint() int64 {
	u := t.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// bytes skips n bytes.
func (t *thrift) bytes(n uint64) {
	if n > uint64(len(t.b)-t.pos) {
		t.bad = true
		return
	}
	t.pos += int(n)
}

// fields calls f with the number and type of each field of a struct; f consumes the value, or returns false to have it skipped.
func (t *thrift) fields(depth int, f func(id int16, typ byte) bool) {
	if depth > maxThriftDepth {
		t.bad = true
	}
	id := int16(0)
	for !t.bad {
		h := t.byte()
		if h == 0 || t.bad {
			return
		}
		if d := int16(h >> 4); d != 0 {
			id += d
		} else {
			id = int16(t.varint())
		}
		if typ := h & 15; !f(id, typ) {
			t.skip(typ, depth)
		}
	}
}

// skip walks over a value. Every element of a list takes at least a byte, so that no count is believed that the
// message cannot hold.
func (t *thrift) skip(typ byte, depth int) {
	if t.bad || depth > maxThriftDepth {
		t.bad = true
		return
	}
	switch typ {
	case thriftTrue, thriftFalse:
	case thriftByte:
		t.byte()
	case thriftI16, thriftI32, thriftI64:
		t.uvarint()
	case thriftDouble:
		t.bytes(8)
	case thriftBinary:
		t.bytes(t.uvarint())
	case thriftList, thriftSet:
		h := t.byte()
		n := uint64(h >> 4)
		if n == 15 {
			n = t.uvarint()
		}
		elem := h & 15
		if n > uint64(len(t.b)-t.pos) {
			t.bad = true
		}
		for range n {
			if t.bad {
				return
			}
			t.element(elem, depth)
		}
	case thriftMap:
		n := t.uvarint()
		if n == 0 {
			return
		}
		kv := t.byte()
		if n > uint64(len(t.b)-t.pos) {
			t.bad = true
		}
		for range n {
			if t.bad {
				return
			}
			t.element(kv>>4, depth)
			t.element(kv&15, depth)
		}
	case thriftStruct:
		t.fields(depth+1, func(int16, byte) bool { return false })
	default:
		t.bad = true
	}
}

// element skips a value in a list, where a bool takes a byte.
func (t *thrift) element(typ byte, depth int) {
	if typ == thriftTrue || typ == thriftFalse {
		typ = thriftByte
	}
	t.skip(typ, depth+1)
}
