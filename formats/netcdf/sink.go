// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// maxCell is the largest chunk: its size is a 32-bit number in the format.
const maxCell = 1<<32 - 1

// sink takes the chunks of one variable: a formats.Sink.
type sink struct {
	w       *writer
	name    string
	dims    []*outDim // nil when the variable names none
	shape   chunk.Shape
	dtype   dtype.DType
	item    int       // bytes of a stored element
	user    *userType // nil where dtype says it
	attrs   formats.Attrs
	fill    []byte // one stored element, or nil
	grid    chunk.Grid
	chunked bool
	cell    chunk.Shape // of a chunk; may be longer than an unlimited axis
	chain   *codec.Chain
	filters []filter

	addr    uint64 // of contiguous data
	places  []place
	written atomic.Int64
}

// newSink checks a variable and decides how it is stored.
func (w *writer) newSink(v *formats.VarSpec) (*sink, error) {
	for part := range strings.SplitSeq(v.Name, "/") {
		if err := checkName("variable", part); err != nil {
			return nil, err
		}
	}
	s := &sink{w: w, name: v.Name, shape: v.Shape.Clone(), dtype: v.DType}
	var err error
	if s.attrs, err = foldAttrs(v.Attrs, true, s.w.plain); err != nil {
		return nil, err
	}
	if err := s.setType(v); err != nil {
		return nil, err
	}
	if err := s.setDims(v); err != nil {
		return nil, err
	}
	if err := s.setFill(v.Fill); err != nil {
		return nil, err
	}
	if err := s.setCodec(v.Codec); err != nil {
		return nil, err
	}
	unlimited := false
	for _, d := range s.dims {
		unlimited = unlimited || d.Unlimited
	}
	s.chunked = len(s.shape) > 0 && (unlimited || s.filters != nil || v.Grid != nil)
	if !s.chunked {
		s.filters, s.chain = nil, nil // a scalar has no chunks, and so no filters
		s.grid = chunk.DefaultGrid(s.shape, s.item)
		if v.Grid != nil && len(v.Grid.Axes) != len(s.shape) {
			return nil, fmt.Errorf("chunks of rank %d for shape %v: %w", len(v.Grid.Axes), s.shape, chunk.ErrShape)
		}
		return s, nil
	}
	return s, s.setGrid(v.Grid)
}

// setType maps the dtype to what NetCDF-4 has.
func (s *sink) setType(v *formats.VarSpec) (err error) {
	s.item = v.DType.Size()
	if v.DType == dtype.Raw {
		s.item = v.ItemBytes
	}
	if s.user, err = userTypeOf(v.DType, v.ItemBytes, v.Stored); err != nil {
		return err
	}
	switch v.DType {
	case dtype.Bool:
		s.dtype = dtype.Int8
		s.attrs = s.attrs.With("dtype", "bool")
	case dtype.String:
		s.item = vlenBytes
		if s.user != nil {
			s.item = s.user.size
		}
	}
	return nil
}

// setDims finds or defines the variable's dimensions.
func (s *sink) setDims(v *formats.VarSpec) error {
	for _, n := range s.shape {
		if n < 0 {
			return fmt.Errorf("shape %v: %w", s.shape, chunk.ErrShape)
		}
	}
	if _, err := s.shape.Bytes(int64(s.item)); err != nil {
		return err
	}
	if v.Dims == nil {
		return nil
	}
	if len(v.Dims) != len(s.shape) {
		return fmt.Errorf("%d dimension names for shape %v: %w", len(v.Dims), s.shape, chunk.ErrShape)
	}
	s.dims = []*outDim{}
	group, base := splitName(v.Name)
	for i, name := range v.Dims {
		d := s.w.dim(group, name)
		if d == nil {
			if err := s.w.addDim("", formats.Dim{Name: name, Size: s.shape[i]}); err != nil {
				return err
			}
			d = s.w.dimIn("", name)
		}
		if d.Size != s.shape[i] {
			return fmt.Errorf("axis %d (%q) has length %d, the dimension has %d: %w", i, name, s.shape[i], d.Size, chunk.ErrShape)
		}
		s.dims = append(s.dims, d)
	}
	if len(s.dims) == 1 && s.dims[0].Name == base && s.dims[0].group == group {
		s.dims[0].coord = s
	}
	return nil
}

// setFill takes the fill value: the attribute _FillValue, else the spec's, else netCDF's default.
// The attribute must have the variable's type, and is converted.
func (s *sink) setFill(fill []byte) error {
	if s.user != nil && s.user.family != familyEnum {
		return s.userFill(fill)
	}
	if s.dtype == dtype.String {
		if t, ok := s.attrs.Get("_FillValue"); ok {
			if t, ok := t.(string); ok {
				s.attrs = s.attrs.With("_FillValue", []string{t}) // of the variable's type
			}
		}
		return nil
	}
	for _, x := range externals {
		if x.dtype == s.dtype && x.size == s.item {
			s.fill = binary.LittleEndian.AppendUint64(nil, x.fill)[:s.item]
		}
	}
	if len(fill) == s.item {
		s.fill = append([]byte(nil), fill...)
	}
	v, ok := s.attrs.Get("_FillValue")
	if !ok {
		return nil
	}
	if t, is := v.(string); is && s.dtype == dtype.Raw {
		s.fill = append([]byte(t), 0)[:1]
		s.attrs = s.attrs.With("_FillValue", string(s.fill))
		return nil
	}
	c, err := convert(v, s.dtype)
	if err != nil {
		return fmt.Errorf("attribute _FillValue %v: %w", v, err)
	}
	_, s.fill, _, _ = numbers.Encode(c)
	s.attrs = s.attrs.With("_FillValue", c)
	if s.user != nil {
		s.attrs = typedFill(s.attrs, s.user)
	}
	return nil
}

// convert returns the number v as a Go value of dtype d; one that d cannot hold is an error.
func convert(v any, d dtype.DType) (any, error) {
	have, b, n, ok := numbers.Encode(v)
	if !ok || n != 1 || numberType(d) == nil {
		return nil, fmt.Errorf("not one number of dtype %v: %w", d, formats.ErrFormat)
	}
	if have == d {
		one, _ := numbers.Decode(d, b)
		return one, nil
	}
	x, _ := numbers.Decode(have, b)
	out, exact := castNumber(x, d)
	if !exact {
		return nil, fmt.Errorf("%v is not a value of dtype %v: %w", v, d, formats.ErrFormat)
	}
	return out, nil
}

// filter is a filter of the pipeline by its number in HDF5, with its client values.
type filter struct {
	id     int
	values []uint64
}

// Numbers of the filters that are written.
const (
	filterDeflate  = 1
	filterShuffle  = 2
	filterFletcher = 3
	filterZstd     = 32015
)

// setCodec parses "", "none", "zlib:4", "zstd:3", "zlib:4,fletcher32" and "fletcher32". What compresses shuffles first; the checksum is of
// the stored bytes.
func (s *sink) setCodec(text string) error {
	text, sum := strings.CutSuffix(text, "fletcher32")
	if sum {
		text = strings.TrimSuffix(text, ",")
	}
	name, arg, has := strings.Cut(text, ":")
	level, err := strconv.Atoi(arg)
	if has && err != nil {
		return fmt.Errorf("codec %q: want a level behind the colon: %w", text, formats.ErrFormat)
	}
	var steps []codec.Step
	compress := func(step string, id, usual int) {
		if !has {
			level = usual
		}
		s.filters = append(s.filters, filter{filterShuffle, []uint64{uint64(s.item)}}, filter{id, []uint64{uint64(level)}})
		steps = append(steps, codec.Step{Name: "shuffle", Config: codec.Config{"elementsize": int64(s.item)}}, codec.Step{Name: step, Config: codec.Config{"level": int64(level)}})
	}
	switch name {
	case "", "none":
	case "zlib", "gzip", "deflate":
		compress("zlib", filterDeflate, 4)
	case "zstd":
		compress("zstd", filterZstd, 3)
	default:
		return fmt.Errorf("codec %q is not written to NetCDF-4; use zlib:1 to zlib:9, zstd:3 or none, with \",fletcher32\" behind for checksums: %w", text, formats.ErrFormat)
	}
	if sum {
		s.filters = append(s.filters, filter{id: filterFletcher})
		steps = append(steps, codec.Step{Name: "fletcher32"})
	}
	if len(steps) == 0 {
		return nil
	}
	s.chain, err = codec.NewChain(steps, codec.Layout{ItemBytes: s.item, Rank: len(s.shape)})
	return err
}

// setGrid decides the chunks of a chunked variable.
func (s *sink) setGrid(hint *chunk.Grid) error {
	g := compressedGrid(s.shape, s.item)
	if hint != nil {
		if len(hint.Axes) != len(s.shape) {
			return fmt.Errorf("chunks of rank %d for shape %v: %w", len(hint.Axes), s.shape, chunk.ErrShape)
		}
		g = *hint
	}
	s.cell = make(chunk.Shape, len(s.shape))
	s.grid = chunk.Grid{Shape: s.shape, Axes: make([]chunk.Axis, len(s.shape))}
	bytes := float64(s.item)
	var grow []int // axes that have no elements yet and no length of chunks asked for
	for i, n := range s.shape {
		s.cell[i] = max(1, min(g.Axes[i].Max(), n))
		if n == 0 && s.dims != nil && s.dims[i].Unlimited {
			if s.cell[i] = g.Axes[i].Step; hint == nil || s.cell[i] <= 1 {
				s.cell[i] = emptyCell
				grow = append(grow, i)
			}
		}
		bytes *= float64(s.cell[i])
	}
	for bytes > defaultCell && len(grow) > 0 {
		i := grow[0]
		grow = grow[1:]
		if s.cell[i] /= 2; s.cell[i] > 1 {
			grow = append(grow, i) // they get shorter in turns
		}
		bytes /= 2
	}
	for i, n := range s.shape {
		s.grid.Axes[i] = chunk.Axis{Len: n, Step: s.cell[i]}
	}
	if bytes > maxCell {
		return fmt.Errorf("chunks of shape %v have %.0f bytes, the format allows %d; ask for smaller ones: %w", s.cell, bytes, int64(maxCell), formats.ErrFormat)
	}
	if s.grid.Len() > math.MaxInt32 {
		return fmt.Errorf("%d chunks of shape %v; ask for larger ones: %w", s.grid.Len(), s.cell, formats.ErrFormat)
	}
	s.places = make([]place, s.grid.Len())
	return nil
}

const (
	emptyCell   = 512     // the chunk length along an unlimited dimension without elements, less where that makes long chunks
	defaultCell = 4 << 20 // the most bytes of a chunk that nobody asked for
)

// compressedGrid returns chunks of 1 to 4 MiB. Outer slabs, as DefaultGrid has them,
// are read well along the inner axes only; so where one step of the first axis
// is already large, chunks keep 8 of them and the longest inner axes are cut instead.
func compressedGrid(shape chunk.Shape, item int) chunk.Grid {
	steps := chunk.DefaultGrid(shape, item).MaxChunk()
	if len(shape) < 2 || steps[0] >= min(shape[0], 8) {
		return chunk.Regular(shape, steps...)
	}
	for i, n := range shape {
		steps[i] = max(n, 1)
	}
	steps[0] = min(max(shape[0], 1), 8)
	for {
		n, long := int64(item), 1
		for i, s := range steps {
			n *= s
			if i > 0 && s > steps[long] {
				long = i
			}
		}
		if n <= defaultCell || steps[long] == 1 {
			return chunk.Regular(shape, steps...)
		}
		steps[long] = (steps[long] + 1) / 2
	}
}

// bytes is the size of the whole variable.
func (s *sink) bytes() int64 { return s.shape.Size() * int64(s.item) }

// Grid implements formats.Sink.
func (s *sink) Grid() chunk.Grid { return s.grid }

// ScratchBytes implements formats.Sink.
func (s *sink) ScratchBytes() int64 {
	n := s.grid.MaxChunk().Size() * int64(s.item)
	if s.chunked {
		n = s.cell.Size() * int64(s.item)
	}
	if s.user != nil && s.user.runes {
		n *= 2
	}
	if s.chain != nil {
		return 2*n + s.chain.ScratchBytes(int(n))
	}
	return n
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// WriteChunk implements formats.Sink: the chunk is encoded beside its place, then
// the place is reserved, then it is written.
func (s *sink) WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	n, err := s.write(ctx, k, c)
	if err != nil {
		return n, fmt.Errorf("netcdf: write %s chunk %v of %s: %w", s.name, []int64(k), s.w.path, err)
	}
	s.written.Add(1)
	return n, nil
}

func (s *sink) write(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	r := s.grid.Region(k)
	if !c.Shape.Equal(r.Shape()) || c.DType != s.dtype && !(c.DType == dtype.Bool && s.dtype == dtype.Int8) {
		return 0, fmt.Errorf("got a %v chunk of shape %v, want %v %v: %w", c.DType, c.Shape, s.dtype, r.Shape(), chunk.ErrShape)
	}
	if c.DType == dtype.Raw && int(c.ItemBytes) != s.item {
		return 0, fmt.Errorf("got elements of %d bytes, want %d: %w", c.ItemBytes, s.item, chunk.ErrShape)
	}
	extra := int64(0)
	if s.dtype == dtype.String {
		references := s.w.texts
		if s.user != nil {
			references = s.records
		}
		t, n, err := references(c)
		if err != nil {
			return n, err
		}
		c, extra = t, n
	}
	if s.user != nil && s.user.runes {
		c = s.narrow(c)
	}
	if !s.chunked {
		b, free := s.gather(c, c.Shape, nil)
		defer free()
		// the slabs of DefaultGrid are runs of the array
		at := int64(0)
		for i, st := range s.shape.RowMajor() {
			at += r.Lo[i] * st
		}
		return extra + int64(len(b)), s.w.writeAt(s.addr+uint64(at*int64(s.item)), b)
	}
	b, free := s.gather(c, s.cell, s.fill)
	defer free()
	if s.chain != nil {
		sc := codec.Borrow()
		defer sc.Return()
		sc.Enc = codec.Grow(sc.Enc, s.chain.Bound(len(b)))
		var err error
		if b, err = s.chain.Encode(sc.Enc[:0], b, sc); err != nil {
			return extra, err
		}
	}
	if len(b) > maxCell {
		return extra, fmt.Errorf("encoded to %d bytes, the format allows %d: %w", len(b), int64(maxCell), formats.ErrFormat)
	}
	p := place{s.w.alloc(int64(len(b))), uint32(len(b))}
	if err := s.w.writeAt(p.addr, b); err != nil {
		return extra, err
	}
	s.places[s.grid.Linear(k)] = p // each key has one owner
	return extra + int64(len(b)), nil
}

// gather returns c's elements in C order in a box of shape, the rest of which is
// fill (nil: zeros): c's own memory where it lies like that, else a buffer that free gives back.
func (s *sink) gather(c *chunk.Chunk, shape chunk.Shape, fill []byte) (b []byte, free func()) {
	whole := c.Shape.Equal(shape)
	if whole && c.Contiguous() {
		return c.Bytes(), func() {}
	}
	p := buffers.Get().(*[]byte)
	*p = codec.Grow(*p, int(shape.Size())*s.item)
	box := &chunk.Chunk{DType: dtype.Raw, ItemBytes: int32(s.item), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(*p)}
	if !whole {
		formats.FillElems(box, fill)
	}
	from := *c
	from.DType = dtype.Raw
	formats.CopyElems(box.Sub(chunk.Whole(c.Shape)), &from)
	return *p, func() { buffers.Put(p) }
}

// texts writes the texts of a chunk as collections of the global heap and returns
// the chunk of their references, with the bytes written.
func (w *writer) texts(c *chunk.Chunk) (*chunk.Chunk, int64, error) {
	n := c.Shape.Size()
	own := &chunk.Chunk{DType: dtype.String, ItemBytes: 16, Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: mem.Wrap(make([]byte, 16*n))}
	formats.CopyElems(own, c)
	refs, written := make([]byte, 0, vlenBytes*n), int64(0)
	for i := int64(0); i < n; {
		var objects [][]byte
		first, empty := i, 0
		for ; i < n && len(objects) < heapObjects; i++ {
			if t := formats.Text(own, i); len(t) > 0 || empty == 0 {
				objects = append(objects, t)
				if len(t) == 0 {
					empty = len(objects) // the one for all: a place of no text would be a null pointer to C programs
				}
			}
		}
		b := collection(objects)
		addr := w.alloc(int64(len(b)))
		if err := w.writeAt(addr, b); err != nil {
			return nil, written, err
		}
		written += int64(len(b))
		number := 0
		for j := first; j < i; j++ {
			t := formats.Text(own, j)
			at := empty
			if len(t) > 0 || number+1 == empty {
				number++
				at = number
			}
			refs = vlenRef(refs, len(t), addr, at)
		}
	}
	return &chunk.Chunk{DType: dtype.Raw, ItemBytes: vlenBytes, Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: mem.Wrap(refs)}, written, nil
}
