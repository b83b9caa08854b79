// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"reflect"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/internal/flat"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// externals are the types of the classic format; 7 to 11 exist only in CDF-5. Fill
// values are those of netCDF's netcdf.h.
var externals = [12]struct {
	dtype dtype.DType
	size  int
	fill  uint64 // bits
}{
	1:  {dtype.Int8, 1, 0x81},
	2:  {dtype.Raw, 1, 0},
	3:  {dtype.Int16, 2, 0x8001},
	4:  {dtype.Int32, 4, 0x80000001},
	5:  {dtype.Float32, 4, 0x7cf00000},
	6:  {dtype.Float64, 8, 0x479e000000000000},
	7:  {dtype.Uint8, 1, 255},
	8:  {dtype.Uint16, 2, 65535},
	9:  {dtype.Uint32, 4, 4294967295},
	10: {dtype.Int64, 8, 1<<63 + 2},
	11: {dtype.Uint64, 8, 1<<64 - 2},
}

// Tags of the header's lists.
const (
	tagDims  = 0x0a
	tagVars  = 0x0b
	tagAttrs = 0x0c
)

const (
	maxRank      = 1024
	maxAttrBytes = 64 << 20
	streaming    = 0xffffffff // as the number of records: derive it from the file's size
)

// magics are the names of the versions of the classic format.
var magics = map[byte]string{1: "netcdf3", 2: "netcdf3-64bit", 5: "netcdf3-64bit-data"}

// isClassic reports whether head starts a file of the classic format.
func isClassic(head []byte) bool {
	return len(head) >= 4 && string(head[:3]) == "CDF" && magics[head[3]] != ""
}

// classicVar is a variable of the header.
type classicVar struct {
	name   string
	dims   []int
	attrs  formats.Attrs
	kind   int
	begin  int64
	record bool
	size   int64 // bytes of one record, or of the whole variable; not the header's vsize, which overflows
}

// header reads the fields of a classic header one after the other; the first error sticks.
type header struct {
	r       *bufio.Reader
	version byte
	at      int64 // bytes read
	size    int64 // of the file
	err     error
}

func (h *header) fail(format string, args ...any) {
	if h.err == nil {
		h.err = fmt.Errorf("netcdf: header: %s near byte %d: %w", fmt.Sprintf(format, args...), h.at, formats.ErrCorrupt)
	}
}

// bytes takes n bytes, which are checked against the file's size before memory is taken.
func (h *header) bytes(n int64) []byte {
	if h.err == nil && (n < 0 || n > h.size-h.at) {
		h.fail("%d bytes wanted, %d left", n, h.size-h.at)
	}
	if h.err != nil {
		return nil
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(h.r, b); err != nil {
		h.err = fmt.Errorf("netcdf: header: read %d bytes at %d: %w", n, h.at, err)
		return nil
	}
	h.at += n
	return b
}

func (h *header) u4() int64 {
	b := h.bytes(4)
	if b == nil {
		return 0
	}
	return int64(binary.BigEndian.Uint32(b))
}

func (h *header) u8() int64 {
	b := h.bytes(8)
	if b == nil {
		return 0
	}
	v := binary.BigEndian.Uint64(b)
	if v > math.MaxInt64 {
		h.fail("number %d", v)
		return 0
	}
	return int64(v)
}

// nonNeg takes a count: 8 bytes in CDF-5, else 4.
func (h *header) nonNeg() int64 {
	if h.version == 5 {
		return h.u8()
	}
	return h.u4()
}

func (h *header) padded(n int64) []byte {
	b := h.bytes(n)
	h.bytes((4 - n%4) % 4)
	return b
}

// name takes a name; some files count the NUL bytes behind it.
func (h *header) name() string {
	b := h.padded(h.nonNeg())
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// list takes a tag and a count; an absent list is two zeros. Each entry has at least 8 bytes.
func (h *header) list(tag int64) int64 {
	t, n := h.u4(), h.nonNeg()
	if t == 0 && n == 0 {
		return 0
	}
	if t != tag || n > (h.size-h.at)/8+1 {
		h.fail("list %#x of %d entries, want %#x", t, n, tag)
		return 0
	}
	return n
}

func (h *header) kind() int {
	k := h.u4()
	if k < 1 || k > 11 || k > 6 && h.version != 5 {
		h.fail("type %d", k)
		return 1
	}
	return int(k)
}

func (h *header) attrs() formats.Attrs {
	n := h.list(tagAttrs)
	out := formats.Attrs{}
	for ; n > 0 && h.err == nil; n-- {
		name, k := h.name(), h.kind()
		count := h.nonNeg()
		if count > maxAttrBytes/8 {
			h.fail("attribute %q of %d elements", name, count)
			break
		}
		x := externals[k]
		b := h.padded(count * int64(x.size))
		if h.err != nil {
			break
		}
		if x.dtype == dtype.Raw {
			out = append(out, formats.Attr{Name: name, Value: trimNUL(b)})
			continue
		}
		codec.ByteSwap(b, b, x.size)
		v, _ := numbers.Decode(x.dtype, b)
		out = append(out, formats.Attr{Name: name, Value: v})
	}
	return out
}

func trimNUL(b []byte) string {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return string(b)
}

// openClassic reads the header of a CDF-1, CDF-2 or CDF-5 file of size bytes.
// The sources it makes read from r, for concurrent calls.
func openClassic(r io.ReaderAt, size int64) (*formats.Group, error) {
	h := &header{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 64<<10), size: size}
	magic := h.bytes(4)
	if h.err == nil && !isClassic(magic) {
		return nil, fmt.Errorf("netcdf: magic %q, want CDF-1, CDF-2 or CDF-5: %w", magic, formats.ErrFormat)
	}
	if h.err != nil {
		return nil, h.err
	}
	h.version = magic[3]
	records := int64(0)
	if b := h.bytes(map[bool]int64{true: 8, false: 4}[h.version == 5]); b != nil {
		if len(b) == 8 {
			records = int64(binary.BigEndian.Uint64(b))
		} else if records = int64(binary.BigEndian.Uint32(b)); records == streaming {
			records = -1
		}
	}
	g := &formats.Group{Format: magics[h.version]}
	for n := h.list(tagDims); n > 0 && h.err == nil; n-- {
		d := formats.Dim{Name: h.name(), Size: h.nonNeg()}
		if d.Size == 0 {
			d.Unlimited = true // length 0 marks the record dimension
		}
		g.Dims = append(g.Dims, d)
	}
	g.Attrs = unfoldAttrs(h.attrs())
	var vars []classicVar
	for n := h.list(tagVars); n > 0 && h.err == nil; n-- {
		vars = append(vars, h.variable(g.Dims))
	}
	if h.err != nil {
		return nil, h.err
	}
	stride := recordStride(vars)
	if records < 0 {
		records = countRecords(vars, stride, size)
	}
	for i := range g.Dims {
		if g.Dims[i].Unlimited {
			g.Dims[i].Size = records
		}
	}
	for _, v := range vars {
		x, err := v.open(r, g.Dims, stride)
		if err != nil {
			return nil, err
		}
		g.Vars = append(g.Vars, x)
	}
	return g, nil
}

// variable takes an entry of the list of variables.
func (h *header) variable(dims []formats.Dim) classicVar {
	v := classicVar{name: h.name()}
	n := h.nonNeg()
	if n > maxRank {
		h.fail("variable %q of rank %d", v.name, n)
	}
	for ; n > 0 && h.err == nil; n-- {
		d := h.nonNeg()
		if d >= int64(len(dims)) {
			h.fail("variable %q: dimension number %d of %d", v.name, d, len(dims))
			break
		}
		v.dims = append(v.dims, int(d))
	}
	v.attrs = unfoldAttrs(h.attrs())
	v.kind = h.kind()
	h.nonNeg() // vsize
	if h.version == 1 {
		v.begin = h.u4()
	} else {
		v.begin = h.u8()
	}
	v.size = int64(externals[v.kind].size)
	for i, d := range v.dims {
		if dims[d].Unlimited {
			if v.record = i == 0; !v.record {
				h.fail("variable %q: the record dimension is not its first", v.name)
			}
			continue
		}
		if n := dims[d].Size; v.size > math.MaxInt64/4/n {
			h.fail("variable %q is larger than any file", v.name)
		} else {
			v.size *= n
		}
	}
	return v
}

// recordStride returns the bytes from one record to the next: one slab of each
// record variable, padded to 4 bytes unless there is only one.
func recordStride(vars []classicVar) int64 {
	n, stride, last := 0, int64(0), int64(0)
	for _, v := range vars {
		if v.record {
			n++
			last = v.size
			stride += (v.size + 3) &^ 3
		}
	}
	if n == 1 {
		return last
	}
	return stride
}

// countRecords derives the number of records of a file that was being streamed.
func countRecords(vars []classicVar, stride, size int64) int64 {
	first := int64(-1)
	for _, v := range vars {
		if v.record && (first < 0 || v.begin < first) {
			first = v.begin
		}
	}
	if first < 0 || stride <= 0 || first > size {
		return 0
	}
	return (size - first) / stride
}

// open makes the variable and its source.
func (v *classicVar) open(r io.ReaderAt, dims []formats.Dim, stride int64) (formats.Var, error) {
	x := externals[v.kind]
	shape := make(chunk.Shape, len(v.dims))
	out := formats.Var{Name: v.name, Dims: make([]string, len(v.dims)), Attrs: v.attrs}
	for i, d := range v.dims {
		shape[i], out.Dims[i] = dims[d].Size, dims[d].Name
	}
	s := &classicSource{name: v.name, meta: formats.ArrayMeta{
		Shape: shape, DType: x.dtype, ItemBytes: x.size, Grid: chunk.DefaultGrid(shape, x.size),
		Stored: x.dtype.String(), Bytes: v.size,
	}}
	if x.size > 1 {
		s.meta.ByteOrder = "big"
	}
	if x.dtype == dtype.Raw {
		s.meta.Stored = "S1"
	}
	s.a = flat.Array{R: r, Base: v.begin, Strides: flat.RowMajor(shape, x.size), Item: x.size, Swap: x.size}
	if v.record {
		s.a.Strides[0] = stride
		if shape[0] > 0 && (v.size > (math.MaxInt64-v.begin)/shape[0] || stride > (math.MaxInt64-v.begin)/shape[0]) {
			return out, fmt.Errorf("netcdf: variable %q: %d records of %d bytes: %w", v.name, shape[0], v.size, formats.ErrCorrupt)
		}
		s.meta.Bytes *= shape[0]
	}
	s.meta.Fill = binary.LittleEndian.AppendUint64(nil, x.fill)[:x.size]
	setFill(&s.meta, v.attrs)
	out.Source = s
	return out, nil
}

// setFill takes the fill value from the attribute _FillValue where it has the variable's type.
func setFill(m *formats.ArrayMeta, attrs formats.Attrs) {
	v, ok := attrs.Get("_FillValue")
	if !ok {
		return
	}
	if t, is := v.(string); is && m.DType == dtype.Raw && m.ItemBytes == 1 {
		m.Fill, m.FillSet = append([]byte(t), 0)[:1], true
		return
	}
	if r := reflect.ValueOf(v); r.IsValid() && r.CanComplex() && m.DType.IsComplex() {
		part := m.DType.Part()
		re, _ := castNumber(real(r.Complex()), part)
		im, _ := castNumber(imag(r.Complex()), part)
		_, m.Fill, _, _ = numbers.Encode([]any{re, im})
		m.FillSet = true
		return
	}
	if d, b, n, is := numbers.Encode(v); is && n == 1 && d == m.DType {
		m.Fill, m.FillSet = b, true
	}
}

// classicSource reads one variable: any region, as its elements lie one after the other.
type classicSource struct {
	name string
	meta formats.ArrayMeta
	a    flat.Array
}

func (s *classicSource) Meta() *formats.ArrayMeta { return &s.meta }
func (s *classicSource) ScratchBytes() int64      { return flat.SpanBytes }

func (s *classicSource) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	return s.ReadRegion(ctx, s.meta.Grid.Region(k), dst)
}

func (s *classicSource) ReadRegion(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	n, err := s.a.Read(ctx, r, dst)
	if err != nil {
		return n, fmt.Errorf("netcdf: variable %q region %v: %w", s.name, r, err)
	}
	return n, nil
}

// Swapped implements formats.PackedRegionReader: the format is big endian.
func (s *classicSource) Swapped() bool {
	return s.a.Swap > 1 && s.a.Swap == s.a.Item && s.meta.DType.IsNumeric()
}

// ReadSwapped implements formats.PackedRegionReader.
func (s *classicSource) ReadSwapped(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (left bool, read int64, err error) {
	stored := classicSource{name: s.name, meta: s.meta, a: s.a}
	stored.a.Swap = 0
	read, err = stored.ReadRegion(ctx, r, dst)
	return true, read, err
}
