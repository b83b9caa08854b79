// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// kind is how the values of a column are stored.
type kind uint8

const (
	kindFixed  kind = iota // width bytes each, as they are in memory
	kindBits               // a bit each
	kindTexts              // bytes of any length: offsets of width bytes into them
	kindViews              // bytes of any length: 16 bytes each that hold them or say where they are
	kindRecord             // width opaque bytes each
	kindNone               // nothing is stored: all are null
)

// valueType is what a column holds.
type valueType struct {
	kind   kind
	dt     dtype.DType // in memory
	width  int
	stored any           // info's spelling; nil: the dtype's
	attrs  formats.Attrs // what the type says: units
}

// itemBytes is the size of an element in memory.
func (t *valueType) itemBytes() int {
	if t.dt == dtype.Raw {
		return t.width
	}
	return t.dt.Size()
}

// intTypes are the dtypes of integers by bits and sign.
var intTypes = map[int]dtype.DType{-8: dtype.Int8, -16: dtype.Int16, -32: dtype.Int32, -64: dtype.Int64,
	8: dtype.Uint8, 16: dtype.Uint16, 32: dtype.Uint32, 64: dtype.Uint64}

func intType(bits int, signed bool) (valueType, error) {
	key := bits
	if signed {
		key = -bits
	}
	dt, ok := intTypes[key]
	if !ok {
		return valueType{}, refused("integers of %d bits", bits)
	}
	return valueType{dt: dt, width: dt.Size()}, nil
}

func floatType(dt dtype.DType) valueType { return valueType{dt: dt, width: dt.Size()} }

func textType(offsets int, bytes bool) valueType {
	t := valueType{kind: kindTexts, dt: dtype.String, width: offsets, stored: "str"}
	if bytes {
		t.stored = "bytes"
	}
	return t
}

func viewType(bytes bool) valueType {
	t := textType(viewBytes, bytes)
	t.kind = kindViews
	return t
}

func recordType(width int) (valueType, error) {
	if width < 1 || width > 1<<20 {
		return valueType{}, refused("records of %d bytes, want 1 to %d", width, 1<<20)
	}
	return valueType{kind: kindRecord, dt: dtype.Raw, width: width, stored: "opaque" + strconv.Itoa(width)}, nil
}

// timeUnits are the units of times by Arrow's number, with NumPy's letters.
var timeUnits = [4]struct{ name, short string }{{"seconds", "s"}, {"milliseconds", "ms"}, {"microseconds", "us"}, {"nanoseconds", "ns"}}

const epoch = " since 1970-01-01"

// momentType is a timestamp: int64 with CF's units.
func momentType(unit int, zone string) (valueType, error) {
	if unit < 0 || unit >= len(timeUnits) {
		return valueType{}, corrupt("time unit %d", unit)
	}
	t := valueType{dt: dtype.Int64, width: 8, stored: "datetime64[" + timeUnits[unit].short + "]",
		attrs: formats.Attrs{{Name: "units", Value: timeUnits[unit].name + epoch}, {Name: "calendar", Value: "proleptic_gregorian"}}}
	if zone != "" {
		t.attrs = append(t.attrs, formats.Attr{Name: "timezone", Value: strings.ToValidUTF8(zone, "\ufffd")})
	}
	return t, nil
}

// spanType is a duration or a time of the day: an integer with its units.
func spanType(unit, width int) (valueType, error) {
	if unit < 0 || unit >= len(timeUnits) || width != 4 && width != 8 {
		return valueType{}, corrupt("time unit %d of %d bytes", unit, width)
	}
	return valueType{dt: intTypes[-8*width], width: width, attrs: formats.Attrs{{Name: "units", Value: timeUnits[unit].name}}}, nil
}

// dayType is a date: days in 4 bytes, or milliseconds in 8.
func dayType(width int) valueType {
	units := "days" + epoch
	if width == 8 {
		units = "milliseconds" + epoch
	}
	return valueType{dt: intTypes[-8*width], width: width,
		attrs: formats.Attrs{{Name: "units", Value: units}, {Name: "calendar", Value: "proleptic_gregorian"}}}
}

// column is one variable of a table.
type column struct {
	name  string
	err   error // why it cannot be read
	typ   valueType
	meta  []pair
	nulls bool // some values are null, or may be
}

// fill returns the element that stands for null, in native byte order, and its value as an attribute, nil for NaN and texts.
func (c *column) fill() (b []byte, attr any) {
	e := binary.NativeEndian
	b = make([]byte, c.typ.itemBytes())
	switch dt := c.typ.dt; {
	case dt == dtype.String:
		return nil, nil
	case dt == dtype.Float64:
		e.PutUint64(b, 0x7ff8000000000000)
	case dt == dtype.Float32:
		e.PutUint32(b, 0x7fc00000)
	case dt == dtype.Float16:
		e.PutUint16(b, 0x7e00)
	case c.typ.kind == kindBits:
		b[0] = 0xff
		return b, int8(-1)
	case dt == dtype.Int8:
		b[0] = 0x80
		return b, int8(math.MinInt8)
	case dt == dtype.Int16:
		e.PutUint16(b, 1<<15)
		return b, int16(math.MinInt16)
	case dt == dtype.Int32:
		e.PutUint32(b, 1<<31)
		return b, int32(math.MinInt32)
	case dt == dtype.Int64:
		e.PutUint64(b, 1<<63)
		return b, int64(math.MinInt64)
	case dt.Kind() == dtype.KindUint:
		for i := range b {
			b[i] = 0xff
		}
		return b, map[dtype.DType]any{dtype.Uint8: uint8(math.MaxUint8), dtype.Uint16: uint16(math.MaxUint16),
			dtype.Uint32: uint32(math.MaxUint32), dtype.Uint64: uint64(math.MaxUint64)}[dt]
	}
	return b, nil
}

// settle decides what the column is in memory once it is known whether it has nulls: bools with nulls are int8.
func (c *column) settle() {
	if c.typ.kind == kindBits && c.nulls {
		c.typ.dt, c.typ.stored = dtype.Int8, "bool"
	}
}

// frame is a table: its columns and the dimension they share.
type frame struct {
	format string
	meta   []pair
	cols   []*column
	rows   int64
}

// group makes the group of a table; source makes the source of column i for an array of the meta.
func (f *frame) group(source func(i int, m *formats.ArrayMeta, scalar bool) formats.Source) *formats.Group {
	attrs, _ := attributes(f.meta)
	g := &formats.Group{Format: f.format, Attrs: attrs.Without("pandas", "ARROW:schema")}
	dim := f.dimension()
	used := false
	seen := map[string]int{}
	for i, c := range f.cols {
		attrs, n := attributes(c.meta)
		name := strings.ToValidUTF8(c.name, "\ufffd")
		if seen[name]++; seen[name] > 1 { // a table may repeat a name, a group may not
			name = fmt.Sprintf("%s_%d", name, seen[name]-1)
		}
		v := formats.Var{Name: name, Dims: []string{dim}, Err: c.err}
		scalar := n.Dims != nil && len(*n.Dims) == 0 && f.rows > 0
		if scalar {
			v.Dims = []string{}
		}
		used = used || !scalar
		v.Attrs = attrs
		for _, a := range c.typ.attrs {
			if _, there := v.Attrs.Get(a.Name); !there {
				v.Attrs = append(v.Attrs, a)
			}
		}
		if c.err == nil {
			c.settle()
			m := &formats.ArrayMeta{Shape: chunk.Shape{f.rows}, DType: c.typ.dt, ItemBytes: c.typ.itemBytes(), Chunked: true, Stored: c.typ.stored, Bytes: -1}
			if c.typ.itemBytes() > 1 && c.typ.dt != dtype.Raw && c.typ.dt != dtype.String {
				m.ByteOrder = "little"
			}
			if c.nulls {
				fill, value := c.fill()
				if m.Fill = fill; value != nil {
					v.Attrs = v.Attrs.With("_FillValue", value)
					m.FillSet = true
				}
			}
			v.Source = source(i, m, scalar)
			if scalar {
				m.Shape, m.Grid = chunk.Shape{}, chunk.Regular(chunk.Shape{})
			}
		}
		g.Vars = append(g.Vars, v)
	}
	if used {
		g.Dims = []formats.Dim{{Name: dim, Size: f.rows}}
	}
	return g
}

// axis returns the axis of pieces of the given lengths, regular where it can be.
func axis(sizes []int64) (chunk.Axis, error) {
	if len(sizes) == 0 {
		return chunk.Axis{Step: 1}, nil
	}
	total, same := int64(0), true
	for i, n := range sizes {
		total += n
		same = same && (n == sizes[0] || i == len(sizes)-1 && n < sizes[0])
	}
	if same {
		return chunk.Axis{Len: total, Step: sizes[0]}, nil
	}
	return chunk.IrregularAxis(sizes)
}
