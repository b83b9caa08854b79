// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

const (
	maxFields = 1 << 16 // of a schema, nested ones counted
	maxDepth  = 64      // of nested fields
)

// Arrow's numbers of types. Specification: Schema.fbs, union Type.
const (
	typeNull = iota + 1
	typeInt
	typeFloatingPoint
	typeBinary
	typeUtf8
	typeBoolean
	typeDecimal
	typeDate
	typeTime
	typeTimestamp
	typeInterval
	typeList
	typeStruct
	typeUnion
	typeFixedSizeBinary
	typeFixedSizeList
	typeMap
	typeDuration
	typeLargeBinary
	typeLargeUtf8
	typeLargeList
	typeRunEndEncoded
	typeBinaryView
	typeUtf8View
	typeListView
	typeLargeListView
)

// ipcColumn is a column of an IPC file with its place in every batch.
type ipcColumn struct {
	column
	node, buffer, views int // how many nodes, buffers and columns of views lie before it
	dict                *dictionary
}

// dictionary is the values that a column's indices stand for.
type dictionary struct {
	id     int64
	values valueType
	err    error
	index  valueType
}

// ipcSchema is what a schema message says.
type ipcSchema struct {
	cols   []*ipcColumn
	meta   []pair
	unions int // buffers a union has before its children, less those of a sparse one
	total  int
	node   int
	buffer int
	views  int
}

// parseSchema reads the columns of a schema table.
func parseSchema(t table, version int16) (*ipcSchema, error) {
	s := &ipcSchema{meta: t.pairs(2)}
	if version < 4 { // up to metadata version V4 unions have a validity buffer
		s.unions = 1
	}
	if t.i16(0, 0) != 0 {
		return nil, refused("the file is big endian")
	}
	p, n := t.vector(1, 4)
	for i := range n {
		f := t.f.tableAt(t.f.ref(p + 4*i))
		c := &ipcColumn{column: column{name: f.text(0), meta: f.pairs(6)}, node: s.node, buffer: s.buffer, views: s.views}
		if err := s.field(f, c, 0); err != nil {
			return nil, err
		}
		if t.f.bad {
			return nil, corrupt("the schema's message")
		}
		s.cols = append(s.cols, c)
	}
	if t.f.bad {
		return nil, corrupt("the schema's message")
	}
	return s, nil
}

// field counts the nodes and buffers of a field and, for a column itself, reads its type.
func (s *ipcSchema) field(f table, c *ipcColumn, depth int) error {
	if s.total++; s.total > maxFields || depth > maxDepth {
		return corrupt("more than %d fields, or deeper than %d", maxFields, maxDepth)
	}
	id := int(f.u8(2))
	t, _ := f.table(3)
	var typ valueType
	var err error
	if c != nil {
		typ, err = columnType(id, t)
	}
	s.node++
	if d, ok := f.table(4); ok { // indices lie in its place
		s.buffer += 2
		if c != nil {
			x, _ := d.table(1)
			bits := x.i32(0, 32)
			c.dict = &dictionary{id: d.i64(0), values: typ, err: err}
			c.dict.index, err = intType(int(bits), x.f == nil || x.u8(1) != 0)
			c.typ, c.err = typ, err
			if c.dict.err != nil {
				c.err = c.dict.err
			}
		}
		return nil
	}
	if c != nil {
		c.typ, c.err = typ, err
	}
	children := true
	switch id {
	case typeNull:
		children = false
	case typeBinary, typeUtf8, typeLargeBinary, typeLargeUtf8:
		s.buffer += 3
		children = false
	case typeBinaryView, typeUtf8View:
		s.buffer += 2
		s.views++
		children = false
	case typeList, typeLargeList, typeMap:
		s.buffer += 2
	case typeListView, typeLargeListView:
		s.buffer += 3
	case typeStruct, typeFixedSizeList:
		s.buffer++
	case typeUnion:
		s.buffer += 1 + s.unions
		if t.i16(0, 0) == 1 {
			s.buffer++
		}
	case typeRunEndEncoded:
	case typeInt, typeFloatingPoint, typeBoolean, typeDecimal, typeDate, typeTime, typeTimestamp, typeInterval, typeFixedSizeBinary, typeDuration:
		s.buffer += 2
		children = false
	default:
		return refused("column %q has the unknown type %d: what lies behind it cannot be found", f.text(0), id)
	}
	if !children {
		return nil
	}
	p, n := f.vector(5, 4)
	for i := range n {
		if f.f.bad {
			return corrupt("the schema's message")
		}
		if err := s.field(f.f.tableAt(f.f.ref(p+4*i)), nil, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// columnType returns the type of a column by its number and table.
func columnType(id int, t table) (valueType, error) {
	switch id {
	case typeNull:
		return valueType{kind: kindNone, dt: dtype.Float64}, nil
	case typeInt:
		return intType(int(t.i32(0, 0)), t.u8(1) != 0)
	case typeFloatingPoint:
		switch p := t.i16(0, 0); p {
		case 0, 1, 2:
			return floatType([]dtype.DType{dtype.Float16, dtype.Float32, dtype.Float64}[p]), nil
		default:
			return valueType{}, corrupt("float precision %d", p)
		}
	case typeBinary, typeUtf8:
		return textType(4, id == typeBinary), nil
	case typeLargeBinary, typeLargeUtf8:
		return textType(8, id == typeLargeBinary), nil
	case typeBinaryView, typeUtf8View:
		return viewType(id == typeBinaryView), nil
	case typeBoolean:
		return valueType{kind: kindBits, dt: dtype.Bool}, nil
	case typeDate:
		if t.i16(0, 1) == 0 {
			return dayType(4), nil
		}
		return dayType(8), nil
	case typeTime:
		return spanType(int(t.i16(0, 1)), int(t.i32(1, 32))/8)
	case typeTimestamp:
		return momentType(int(t.i16(0, 0)), t.text(1))
	case typeDuration:
		return spanType(int(t.i16(0, 1)), 8)
	case typeFixedSizeBinary:
		return recordType(int(t.i32(0, 0)))
	}
	names := map[int]string{typeDecimal: "decimals", typeInterval: "intervals", typeList: "lists", typeStruct: "structs", typeUnion: "unions",
		typeFixedSizeList: "lists", typeMap: "maps", typeLargeList: "lists", typeRunEndEncoded: "runs",
		typeListView: "lists", typeLargeListView: "lists"}
	what := names[id]
	if what == "" {
		what = "unknown type"
	}
	return valueType{}, refused("a column of %s; cast it to numbers or texts", what)
}
