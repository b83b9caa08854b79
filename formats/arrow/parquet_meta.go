// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"bytes"
	"encoding/base64"
	"io"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

const (
	parquetMagic = "PAR1"
	maxFooter    = 256 << 20
)

// Physical types, repetitions and compressions. Specification: parquet.thrift.
const (
	physBool = iota
	physInt32
	physInt64
	physInt96
	physFloat
	physDouble
	physBytes
	physFixed
)

const (
	required = iota
	optional
	repeated
)

// element is one entry of the schema: a column or a group of them.
type element struct {
	phys, length, repetition int
	name                     string
	children                 int
	converted                int // -1: none
	logical                  int // number of the logical type, 0: none
	unit                     int // of a time, as in timeUnits
	utc                      bool
	bits                     int
	signed                   bool
}

// chunkMeta is where the values of a column in one row group lie.
type chunkMeta struct {
	codec                   int
	values                  int64
	uncompressed, size, off int64
	nulls                   int64 // -1: not said
	elsewhere, secret       bool
}

// rowGroup is the rows that lie together.
type rowGroup struct {
	rows   int64
	chunks []chunkMeta
}

// parquetColumn is a leaf of the schema.
type parquetColumn struct {
	column
	phys, length int
	levels       int // the definition level of a value that is there
	nested       bool
}

// parquetFile is an open file: its footer, no values.
type parquetFile struct {
	r      io.ReaderAt
	size   int64
	rows   int64
	elems  []element
	groups []rowGroup
	meta   []pair
	cols   []*parquetColumn
}

// openParquet reads a file's footer.
func openParquet(r io.ReaderAt, size int64) (*parquetFile, error) {
	tail := make([]byte, 8)
	if size < 12 {
		return nil, corrupt("a file of %d bytes", size)
	}
	if err := readAt(r, tail, size-8); err != nil {
		return nil, err
	}
	n := int64(le.Uint32(tail))
	switch {
	case string(tail[4:]) == "PARE":
		return nil, refused("the file is encrypted")
	case string(tail[4:]) != parquetMagic || n > size-12 || n > maxFooter:
		return nil, corrupt("the file does not end with a footer: it was cut off or not finished")
	}
	b := make([]byte, n)
	if err := readAt(r, b, size-8-n); err != nil {
		return nil, err
	}
	f := &parquetFile{r: r, size: size}
	t := &thrift{b: b}
	t.fields(0, func(id int16, typ byte) bool {
		switch {
		case id == 2 && typ == thriftList:
			t.list(func() { f.elems = append(f.elems, t.schemaElement()) })
		case id == 3 && typ == thriftI64:
			f.rows = t.varint()
		case id == 4 && typ == thriftList:
			t.list(func() { f.groups = append(f.groups, t.rowGroup()) })
		case id == 5 && typ == thriftList:
			t.list(func() { f.meta = append(f.meta, t.pair()) })
		default:
			return false
		}
		return true
	})
	if t.bad {
		return nil, corrupt("the footer of %d bytes breaks off at byte %d", n, t.pos)
	}
	if err := f.schema(); err != nil {
		return nil, err
	}
	f.embedded()
	return f, f.check()
}

// schema makes the columns: the leaves, in order.
func (f *parquetFile) schema() error {
	if len(f.elems) == 0 || len(f.elems) > maxFields {
		return corrupt("a schema of %d elements", len(f.elems))
	}
	pos := 1
	var walk func(n int, path []string, levels int, rep bool) error
	walk = func(n int, path []string, levels int, rep bool) error {
		if len(path) > maxDepth {
			return corrupt("the schema nests deeper than %d", maxDepth)
		}
		for range n {
			if pos >= len(f.elems) {
				return corrupt("the schema of %d elements breaks off", len(f.elems))
			}
			e := &f.elems[pos]
			pos++
			l, r := levels, rep || e.repetition == repeated
			if e.repetition != required {
				l++
			}
			p := append(path[:len(path):len(path)], e.name)
			if e.phys < 0 || e.children > 0 {
				if e.children < 0 || e.children > len(f.elems)-pos {
					return corrupt("the schema's group %q has %d members", e.name, e.children)
				}
				if err := walk(e.children, p, l, r); err != nil {
					return err
				}
				continue
			}
			c := &parquetColumn{column: column{name: strings.Join(p, ".")}, phys: e.phys, length: e.length, levels: l, nested: len(p) > 1}
			if c.typ, c.err = e.columnType(); r && c.err == nil {
				c.err = refused("a column of lists; cast it to numbers or texts")
			}
			f.cols = append(f.cols, c)
		}
		return nil
	}
	return walk(f.elems[0].children, nil, 0, false)
}

// columnType returns what a column holds.
func (e *element) columnType() (valueType, error) {
	switch e.phys {
	case physBool:
		return valueType{kind: kindBits, dt: dtype.Bool}, nil
	case physInt32, physInt64:
		return e.intColumn()
	case physInt96:
		return momentType(3, "")
	case physFloat:
		return floatType(dtype.Float32), nil
	case physDouble:
		return floatType(dtype.Float64), nil
	case physBytes, physFixed:
		switch {
		case e.logical == logicalDecimal || e.converted == 5:
			return valueType{}, refused("a column of decimals; cast it to numbers")
		case e.phys == physFixed && e.logical == logicalFloat16 && e.length == 2:
			return floatType(dtype.Float16), nil
		case e.phys == physFixed:
			return recordType(e.length)
		}
		text := e.logical == logicalString || e.logical == logicalEnum || e.logical == logicalJSON || e.converted == 0 || e.converted == 4 || e.converted == 19
		return textType(4, !text), nil
	}
	return valueType{}, corrupt("the physical type %d", e.phys)
}

func (e *element) intColumn() (valueType, error) {
	width := 4
	if e.phys == physInt64 {
		width = 8
	}
	unit, moment, span := 0, false, false
	switch c := e.converted; {
	case e.logical == logicalUnknown:
		return valueType{kind: kindNone, dt: dtype.Float64}, nil
	case e.logical == logicalDecimal || c == 5:
		return valueType{}, refused("a column of decimals; cast it to numbers")
	case e.logical == logicalInteger:
		if e.bits > 8*width {
			return valueType{}, corrupt("integers of %d bits in %d bytes", e.bits, width)
		}
		return intType(e.bits, e.signed)
	case e.logical == logicalDate || c == 6:
		return dayType(4), nil
	case e.logical == logicalTimestamp:
		unit, moment = e.unit, true
	case e.logical == logicalTime:
		unit, span = e.unit, true
	case c == 9 || c == 10:
		unit, moment = c-8, true
	case c == 7 || c == 8:
		unit, span = c-6, true
	case c >= 11 && c <= 18:
		bits := 8 << ((c - 11) % 4)
		if bits > 8*width {
			return valueType{}, corrupt("integers of %d bits in %d bytes", bits, width)
		}
		return intType(bits, c >= 15)
	}
	switch {
	case moment && width == 8 && e.utc:
		return momentType(unit, "UTC")
	case moment && width == 8:
		return momentType(unit, "")
	case span:
		return spanType(unit, width)
	}
	return intType(8*width, true)
}

// embedded takes what Arrow's schema says of the columns, where a file carries one: metadata, time zones, durations.
func (f *parquetFile) embedded() {
	var text string
	for _, p := range f.meta {
		if p.key == "ARROW:schema" {
			text = p.value
		}
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) < 16 {
		return
	}
	if bytes.HasPrefix(b, []byte{0xff, 0xff, 0xff, 0xff}) {
		b = b[4:]
	}
	fb := &flatbuf{b: b[4:]}
	m := fb.root()
	t, ok := m.table(2)
	if !ok || m.u8(1) != messageSchema || fb.bad {
		return
	}
	s, err := parseSchema(t, m.i16(0, 0))
	if err != nil { // Parquet's own schema is the one that counts
		return
	}
	byName := map[string]*ipcColumn{}
	for _, c := range s.cols {
		byName[c.name] = c
	}
	for _, c := range f.cols {
		a := byName[c.name]
		if a == nil || c.nested {
			continue
		}
		c.meta = a.meta
		zone, zoned := a.typ.attrs.Get("timezone")
		switch {
		case a.err != nil || a.dict != nil || c.typ.dt != dtype.Int64 || a.typ.dt != dtype.Int64:
		case c.typ.attrs == nil && c.typ.stored == nil && a.typ.stored == nil:
			c.typ.attrs = a.typ.attrs // a duration
		case zoned && c.typ.stored != nil:
			c.typ.attrs = append(formats.Attrs(nil), c.typ.attrs...).With("timezone", zone)
		}
	}
}

// check compares what the parts of the footer say with each other and the file's size.
func (f *parquetFile) check() error {
	total := int64(0)
	for i := range f.groups {
		g := &f.groups[i]
		if g.rows < 0 || g.rows > 1<<48 || total > 1<<48 || len(g.chunks) != len(f.cols) {
			return corrupt("row group %d has %d rows and %d columns, want %d", i, g.rows, len(g.chunks), len(f.cols))
		}
		total += g.rows
		for j, c := range f.cols {
			m := &g.chunks[j]
			switch {
			case c.err != nil || g.rows == 0:
			case m.elsewhere:
				c.err = refused("its values are in another file")
			case m.secret:
				c.err = refused("it is encrypted")
			case m.off < 4 || m.size < 0 || m.uncompressed < 0 || m.off > f.size || m.size > f.size-m.off || m.values != g.rows:
				c.err = corrupt("row group %d: %d values in %d bytes at %d", i, m.values, m.size, m.off)
			case c.levels > 0 && m.nulls != 0 && g.rows > 0:
				c.nulls = true
			}
			if c.typ.kind == kindNone {
				c.nulls = true
			}
		}
	}
	// tables without rows have one without anything, whatever it says of places
	f.groups = slices.DeleteFunc(f.groups, func(g rowGroup) bool { return g.rows == 0 })
	if total != f.rows {
		return corrupt("the row groups have %d rows, the file says %d", total, f.rows)
	}
	return nil
}
