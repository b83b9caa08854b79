// SPDX-License-Identifier: BSD-3-Clause

package arrow

// list calls f for each struct of a list.
func (t *thrift) list(f func()) {
	h := t.byte()
	n := uint64(h >> 4)
	if n == 15 {
		n = t.uvarint()
	}
	if n > 0 && h&15 != thriftStruct || n > uint64(len(t.b)-t.pos) {
		t.bad = true
	}
	for i := uint64(0); i < n && !t.bad; i++ {
		f()
	}
}

func (t *thrift) text() string {
	n := t.uvarint()
	at := t.pos
	t.bytes(n)
	if t.bad {
		return ""
	}
	return string(t.b[at:t.pos])
}

func (t *thrift) pair() (p pair) {
	t.fields(1, func(id int16, typ byte) bool {
		switch {
		case id == 1 && typ == thriftBinary:
			p.key = t.text()
		case id == 2 && typ == thriftBinary:
			p.value = t.text()
		default:
			return false
		}
		return true
	})
	return p
}

// schemaElement reads one entry of the schema.
func (t *thrift) schemaElement() element {
	e := element{phys: -1, converted: -1}
	t.fields(1, func(id int16, typ byte) bool {
		switch {
		case id == 4 && typ == thriftBinary:
			e.name = t.text()
		case id == 10 && typ == thriftStruct:
			t.logical(&e)
		case typ == thriftI32 && (id <= 3 || id == 5 || id == 6):
			v := t.varint()
			switch id {
			case 1:
				e.phys = int(v)
			case 2:
				e.length = int(v)
			case 3:
				e.repetition = int(v)
			case 5:
				e.children = int(v)
			case 6:
				e.converted = int(v)
			}
		default:
			return false
		}
		return true
	})
	return e
}

// Logical types by their field in the union.
const (
	logicalString    = 1
	logicalEnum      = 4
	logicalDecimal   = 5
	logicalDate      = 6
	logicalTime      = 7
	logicalTimestamp = 8
	logicalInteger   = 10
	logicalUnknown   = 11
	logicalJSON      = 12
	logicalFloat16   = 15
)

func (t *thrift) logical(e *element) {
	t.fields(2, func(id int16, typ byte) bool {
		e.logical = int(id)
		if typ != thriftStruct {
			return false
		}
		t.fields(3, func(k int16, typ byte) bool {
			switch {
			case id == logicalInteger && k == 1 && typ == thriftByte:
				e.bits = int(t.byte())
			case id == logicalInteger && k == 2:
				e.signed = typ == thriftTrue
				return false
			case (id == logicalTime || id == logicalTimestamp) && k == 1:
				e.utc = typ == thriftTrue
				return false
			case (id == logicalTime || id == logicalTimestamp) && k == 2 && typ == thriftStruct:
				t.fields(4, func(u int16, _ byte) bool { e.unit = int(u); return false })
			default:
				return false
			}
			return true
		})
		return true
	})
}

func (t *thrift) rowGroup() (g rowGroup) {
	t.fields(1, func(id int16, typ byte) bool {
		switch {
		case id == 1 && typ == thriftList:
			t.list(func() { g.chunks = append(g.chunks, t.chunk()) })
		case id == 3 && typ == thriftI64:
			g.rows = t.varint()
		default:
			return false
		}
		return true
	})
	return g
}

func (t *thrift) chunk() chunkMeta {
	c := chunkMeta{nulls: -1, off: -1}
	dict := int64(0)
	t.fields(2, func(id int16, typ byte) bool {
		switch {
		case id == 1 && typ == thriftBinary:
			c.elsewhere = t.text() != ""
			return true
		case id == 8:
			c.secret = true
		case id == 3 && typ == thriftStruct:
			t.fields(3, func(k int16, typ byte) bool {
				switch {
				case k == 4 && typ == thriftI32:
					c.codec = int(t.varint())
				case k == 12 && typ == thriftStruct:
					t.fields(4, func(s int16, typ byte) bool {
						if s != 3 || typ != thriftI64 {
							return false
						}
						c.nulls = t.varint()
						return true
					})
				case typ == thriftI64:
					switch v := t.varint(); k {
					case 5:
						c.values = v
					case 6:
						c.uncompressed = v
					case 7:
						c.size = v
					case 9:
						c.off = v
					case 11:
						dict = v
					}
				default:
					return false
				}
				return true
			})
			return true
		}
		return false
	})
	if dict > 0 && dict < c.off {
		c.off = dict
	}
	return c
}
