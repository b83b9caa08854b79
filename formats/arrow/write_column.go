// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

var nativeEndian = binary.NativeEndian

// outColumn is a column of a table being written.
type outColumn struct {
	sink   *sink
	name   string
	field  arrow.Field
	moment bool // int64 whose lowest value is no time
	runes  bool // records of UTF-32

	elems, heap []byte // of the rows last read
}

var fieldTypes = map[dtype.DType]arrow.DataType{dtype.Bool: arrow.FixedWidthTypes.Boolean,
	dtype.Int8: arrow.PrimitiveTypes.Int8, dtype.Int16: arrow.PrimitiveTypes.Int16, dtype.Int32: arrow.PrimitiveTypes.Int32, dtype.Int64: arrow.PrimitiveTypes.Int64,
	dtype.Uint8: arrow.PrimitiveTypes.Uint8, dtype.Uint16: arrow.PrimitiveTypes.Uint16, dtype.Uint32: arrow.PrimitiveTypes.Uint32, dtype.Uint64: arrow.PrimitiveTypes.Uint64,
	dtype.Float16: arrow.FixedWidthTypes.Float16, dtype.Float32: arrow.PrimitiveTypes.Float32, dtype.Float64: arrow.PrimitiveTypes.Float64, dtype.String: arrow.BinaryTypes.String}

var units = map[string]arrow.TimeUnit{"s": arrow.Second, "ms": arrow.Millisecond, "us": arrow.Microsecond, "ns": arrow.Nanosecond}

// newOutColumn chooses how a variable is stored.
func newOutColumn(s *sink) (*outColumn, error) {
	v := &s.spec
	c := &outColumn{sink: s, name: v.Name}
	attrs := v.Attrs
	dims := append([]string{}, v.Dims...)
	n := note{Dims: &dims}
	if v.Dims == nil && len(v.Shape) > 0 {
		n.Dims = nil
	}
	stored, _ := v.Stored.(string)
	typ := fieldTypes[v.DType]
	switch {
	case v.DType == dtype.Raw && isRecord(stored, "U", v.ItemBytes):
		typ, c.runes = arrow.BinaryTypes.String, true
		n.Stored = stored
	case v.DType == dtype.Raw && (v.Stored == nil || strings.HasPrefix(stored, "S")):
		typ = arrow.BinaryTypes.String
		n.Stored = stored
	case v.DType == dtype.Raw && strings.HasPrefix(stored, "opaque"):
		typ = &arrow.FixedSizeBinaryType{ByteWidth: v.ItemBytes}
	case v.DType == dtype.String && stored == "bytes":
		typ = arrow.BinaryTypes.Binary
	case v.DType == dtype.Int8:
		if b, _ := attrs.Get("dtype"); b == "bool" {
			if _, filled := attrs.Get("_FillValue"); !filled {
				typ, attrs = arrow.FixedWidthTypes.Boolean, attrs.Without("dtype")
			}
		}
	case v.DType == dtype.Int64:
		// Parquet has no seconds: they stay numbers with units
		if u, zone, ok := momentOf(stored, attrs); ok && !(s.w.parquet && u == arrow.Second) {
			typ, c.moment = &arrow.TimestampType{Unit: u, TimeZone: zone}, true
			attrs = attrs.Without("units", "calendar", "timezone")
			if f, ok := attrs.Get("_FillValue"); ok && f == int64(math.MinInt64) {
				attrs = attrs.Without("_FillValue")
			}
		} else if u, ok := spanUnit(stored); ok {
			typ, c.moment = &arrow.DurationType{Unit: u}, true
		}
	}
	switch {
	case v.DType == dtype.Raw && typ == nil, v.DType == dtype.String && v.Stored != nil && stored != "str" && stored != "bytes":
		return nil, refused("tables have no columns of %v; write .nc", v.Stored)
	case typ == nil:
		return nil, refused("tables have no %v; convert it with astype, or write its real and imag", v.DType)
	}
	keys, values := []string{}, []string{}
	for _, p := range entries(attrs, n) {
		keys, values = append(keys, p.key), append(values, p.value)
	}
	c.field = arrow.Field{Name: v.Name, Type: typ, Nullable: c.moment, Metadata: arrow.NewMetadata(keys, values)}
	return c, nil
}

func isRecord(stored, prefix string, bytes int) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(stored, prefix))
	return err == nil && strings.HasPrefix(stored, prefix) && 4*n == bytes
}

// momentOf reports whether int64 values are times since 1970 in one of Arrow's units.
func momentOf(stored string, attrs formats.Attrs) (u arrow.TimeUnit, zone string, ok bool) {
	if unit, is := strings.CutPrefix(stored, "datetime64["); is {
		u, ok = units[strings.TrimSuffix(unit, "]")]
		return u, "", ok
	}
	text, _ := attrs.Get("units")
	cal, has := attrs.Get("calendar")
	if has && cal != "standard" && cal != "gregorian" && cal != "proleptic_gregorian" {
		return 0, "", false
	}
	for _, t := range timeUnits {
		for _, day := range []string{"", " 00:00:00", "T00:00:00", " 00:00:00.000000"} {
			if text == t.name+epoch+day {
				z, _ := attrs.Get("timezone")
				zone, _ = z.(string)
				return units[t.short], zone, true
			}
		}
	}
	return 0, "", false
}

func spanUnit(stored string) (arrow.TimeUnit, bool) {
	unit, ok := strings.CutPrefix(stored, "timedelta64[")
	u, known := units[strings.TrimSuffix(unit, "]")]
	return u, ok && known
}

// schema returns Arrow's schema of the table.
func (w *writer) schema() *arrow.Schema {
	var fields []arrow.Field
	for _, c := range w.cols {
		fields = append(fields, c.field)
	}
	keys, values := []string{}, []string{}
	for _, p := range entries(w.spec.Attrs, note{}) {
		keys, values = append(keys, p.key), append(values, p.value)
	}
	m := arrow.NewMetadata(keys, values)
	return arrow.NewSchema(fields, &m)
}

// rowsOf returns n rows from lo on of a column, read back from the stage: elements as they lie in memory, and texts where
// they are of variable length. A scalar repeats. They are valid until the next call.
func (c *outColumn) rowsOf(lo, n int64) (elems, heap []byte, base int64, err error) {
	s := c.sink
	item := int64(s.item)
	c.elems = codec.Grow(c.elems, int(n*item))
	elems = c.elems
	if len(s.spec.Shape) == 0 {
		if err := readAt(s.w.stage, elems[:min(item, int64(len(elems)))], s.start); err != nil {
			return nil, nil, 0, err
		}
		for i := item; i < int64(len(elems)); i += item {
			copy(elems[i:i+item], elems[:item])
		}
	} else if err := readAt(s.w.stage, elems, s.start+lo*item); err != nil {
		return nil, nil, 0, err
	}
	if s.spec.DType != dtype.String {
		return elems, nil, 0, nil
	}
	base, end := int64(math.MaxInt64), int64(0)
	for o := 0; o < len(elems); o += 16 {
		if size := int64(nativeEndian.Uint64(elems[o+8:])); size > 0 {
			at := int64(nativeEndian.Uint64(elems[o:]))
			base, end = min(base, at), max(end, at+size)
		}
	}
	if end == 0 {
		return elems, nil, 0, nil
	}
	c.heap = codec.Grow(c.heap, int(end-base))
	heap = c.heap
	return elems, heap, base, readAt(s.w.stage, heap, base)
}

// text returns the text of element i of elems, whose texts lie in heap from base on.
func (c *outColumn) text(elems, heap []byte, base int64, i int64) []byte {
	item := int64(c.sink.item)
	e := elems[i*item : (i+1)*item]
	switch {
	case c.sink.spec.DType == dtype.String:
		size := int64(nativeEndian.Uint64(e[8:]))
		if size == 0 {
			return nil
		}
		at := int64(nativeEndian.Uint64(e)) - base
		return heap[at : at+size]
	case c.runes:
		var r []rune
		for ; len(e) >= 4; e = e[4:] {
			r = append(r, rune(nativeEndian.Uint32(e)))
		}
		return []byte(strings.TrimRight(string(r), "\x00"))
	}
	for len(e) > 0 && e[len(e)-1] == 0 {
		e = e[:len(e)-1]
	}
	return e
}

// array returns n rows from lo on as Arrow has them.
func (c *outColumn) array(lo, n int64) (arrow.Array, error) {
	elems, heap, base, err := c.rowsOf(lo, n)
	if err != nil {
		return nil, fmt.Errorf("column %s: %w", c.name, err)
	}
	switch t := c.field.Type.(type) {
	case *arrow.StringType, *arrow.BinaryType:
		offsets := make([]byte, 4*(n+1))
		var data []byte
		for i := range n {
			data = append(data, c.text(elems, heap, base, i)...)
			if len(data) > math.MaxInt32 {
				return nil, refused("column %s: more than 2 GiB of texts in %d rows; ask for smaller chunks", c.name, n)
			}
			nativeEndian.PutUint32(offsets[4*(i+1):], uint32(len(data)))
		}
		return array.MakeFromData(array.NewData(t, int(n), []*memory.Buffer{nil, memory.NewBufferBytes(offsets), memory.NewBufferBytes(data)}, nil, 0, 0)), nil
	case *arrow.BooleanType:
		bits := make([]byte, (n+7)/8)
		for i, x := range elems {
			if x != 0 {
				bits[i/8] |= 1 << (i % 8)
			}
		}
		return array.MakeFromData(array.NewData(t, int(n), []*memory.Buffer{nil, memory.NewBufferBytes(bits)}, nil, 0, 0)), nil
	}
	var valid *memory.Buffer
	nulls := 0
	if c.moment {
		bits := make([]byte, (n+7)/8)
		for i := range n {
			if int64(nativeEndian.Uint64(elems[8*i:])) == math.MinInt64 {
				nulls++
			} else {
				bits[i/8] |= 1 << (i % 8)
			}
		}
		if nulls > 0 {
			valid = memory.NewBufferBytes(bits)
		}
	}
	return array.MakeFromData(array.NewData(c.field.Type, int(n), []*memory.Buffer{valid, memory.NewBufferBytes(elems)}, nil, nulls, 0)), nil
}
