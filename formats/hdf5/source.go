// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/internal/flat"
)

// maxRatio bounds how much larger than its stored bytes a chunk may be before
// memory for it is taken: zstd of zeros reaches 20 thousand.
const maxRatio = 1 << 16

// source is the formats.Source of a dataset.
type source struct {
	o     *Object
	t     storage
	meta  formats.ArrayMeta
	item  int         // bytes of an element in the file
	have  chunk.Shape // the lengths the dataset has: below meta.Shape where a netCDF dimension has grown without it
	cell  chunk.Shape // a whole chunk, axes of an array type included
	steps []step
	err   error // why nothing can be read

	once    sync.Once
	index   []stored
	counts  []int64 // chunks along each axis of have
	indexOf error
}

// flatSource is a source whose elements lie one after the other: any region can be read.
type flatSource struct{ *source }

// Source returns the formats.Source of a dataset. shape may give larger lengths
// than the dataset has (nil: its own): elements beyond read as the fill value.
//
// err says why data cannot be read, an unknown filter for instance, wrapping
// formats.ErrFormat; the Source then describes the dataset and each read gives err.
// The axes of an array datatype follow the dataset's. Types that no dtype holds are Raw.
func (o *Object) Source(shape chunk.Shape) (src formats.Source, err error) {
	return o.source(shape, 0)
}

// Resolve looks at the parts of a virtual dataset whose length depends on them, and sets Space.
// For other objects it does nothing. Source does it too.
func (o *Object) Resolve() error { return o.resolveAt(0) }

func (o *Object) resolveAt(depth int) error {
	if o.layout == nil || o.layout.class != layoutVirtual || !o.Dataset() {
		return nil
	}
	o.resolve.Do(func() { o.parts, o.grown = o.virtual(depth) })
	return o.grown
}

func (o *Object) source(shape chunk.Shape, depth int) (src formats.Source, err error) {
	if !o.Dataset() {
		return nil, fmt.Errorf("hdf5: object at %#x is not a dataset: %w", o.Addr, formats.ErrFormat)
	}
	s := &source{o: o, t: o.Type.memory(), item: o.Type.Size, err: o.refuse}
	if err := o.resolveAt(depth); s.err == nil {
		s.err = err
	}
	if _, err := o.Space.size(o.Type.Size); err != nil {
		return nil, err
	}
	for _, d := range o.Space.Dims {
		s.have = append(s.have, int64(d))
	}
	if s.have == nil {
		s.have = chunk.Shape{}
	}
	if o.Space.Null {
		s.have = chunk.Shape{0}
	}
	if shape == nil {
		shape = s.have.Clone()
	}
	s.have = append(s.have, s.t.dims...)
	shape = append(shape.Clone(), s.t.dims...)
	if len(s.t.dims) > 0 || s.t.dtype == dtype.Raw {
		s.item = s.t.item
		if s.t.pack != nil {
			s.item = s.t.file
		}
	}
	s.meta = formats.ArrayMeta{Shape: shape, DType: s.t.dtype, ItemBytes: s.t.item, Stored: o.Type.Stored(), ByteOrder: s.t.order(), Bytes: -1, FillSet: o.FillSet}
	s.fill()
	l := o.layout
	if l.class == layoutVirtual && !o.Space.Null {
		return s.virtual(o.parts, depth), s.err
	}
	if l.class == layoutChunked && !o.Space.Null {
		return s, s.chunked()
	}
	s.meta.Grid = chunk.DefaultGrid(shape, s.item)
	size, _ := o.Space.size(o.Type.Size)
	switch {
	case l.class == layoutCompact && uint64(len(l.compact)) < size:
		return nil, fmt.Errorf("hdf5: compact dataset has %d bytes, want %d: %w", len(l.compact), size, formats.ErrCorrupt)
	case l.class == layoutContiguous && l.addr != Undef && l.size != Undef && l.size < size && s.err == nil:
		return nil, fmt.Errorf("hdf5: contiguous dataset has %d bytes, want %d: %w", l.size, size, formats.ErrCorrupt)
	case l.class == layoutContiguous && l.addr == Undef, size == 0:
		s.meta.Bytes = 0
	default:
		s.meta.Bytes = int64(size)
	}
	if s.t.indirect() {
		return s, s.err
	}
	return flatSource{s}, s.err
}

// chunked completes the description of a chunked dataset.
func (s *source) chunked() error {
	o, l := s.o, s.o.layout
	if len(l.chunk) != len(o.Space.Dims) {
		return fmt.Errorf("hdf5: chunks of rank %d in a dataset of rank %d: %w", len(l.chunk), len(o.Space.Dims), formats.ErrCorrupt)
	}
	full := float64(o.Type.Size)
	for _, d := range l.chunk {
		s.cell = append(s.cell, int64(min(d, math.MaxInt64)))
		full *= float64(d)
	}
	if s.cell = append(s.cell, s.t.dims...); full > 1<<40 {
		return fmt.Errorf("hdf5: chunks of shape %v: %w", l.chunk, formats.ErrCorrupt)
	}
	s.meta.Chunked = true
	s.meta.Grid = grid(s.meta.Shape, s.cell)
	for _, f := range o.Filters {
		s.meta.Codecs = append(s.meta.Codecs, FilterName(f.ID))
	}
	steps, err := pipeline(o.Filters, o.Type.Size)
	if s.steps = steps; s.err == nil {
		s.err = err
	}
	return s.err
}

// grid cuts shape into chunks of cell, which may be longer than an axis.
func grid(shape, cell chunk.Shape) chunk.Grid {
	g := chunk.Grid{Shape: shape, Axes: make([]chunk.Axis, len(shape))}
	for i, n := range shape {
		g.Axes[i] = chunk.Axis{Len: n, Step: cell[i]}
	}
	return g
}

// fill sets the fill value: one element in the machine's byte order.
func (s *source) fill() {
	o := s.o
	switch {
	case s.t.dtype == dtype.String:
		switch {
		case len(o.Fill) == o.Type.Size:
			s.meta.Fill, _ = o.f.appendText(nil, o.Type, o.Fill)
		case o.Type.Class != ClassVlen || o.Type.Bits&15 != 1:
			// what was never written is empty sequences and zeros
			if o.Type.Size <= 1<<20 {
				s.meta.Fill, _ = o.f.appendText(nil, o.Type, make([]byte, o.Type.Size))
			}
		}
	case len(o.Fill) == o.Type.Size && s.t.pack != nil:
		s.meta.Fill = make([]byte, s.t.item)
		pack(s.t.pack, s.meta.Fill, o.Fill)
	case len(o.Fill) == o.Type.Size:
		s.meta.Fill = append([]byte(nil), o.Fill[:s.t.item]...)
		if w := s.t.swap(); w > 0 {
			codec.ByteSwap(s.meta.Fill, s.meta.Fill, w)
		}
		if s.t.bits > 0 {
			s.t.widenOne(s.meta.Fill, s.t.dtype.Kind() == dtype.KindInt)
		}
	}
}

// Meta describes the array.
func (s *source) Meta() *formats.ArrayMeta { return &s.meta }

// ScratchBytes bounds what one ReadChunk allocates: stored bytes and two intermediate results.
func (s *source) ScratchBytes() int64 {
	if !s.meta.Chunked {
		return flat.SpanBytes
	}
	n := s.cell.Size() * int64(s.item)
	if len(s.steps) == 0 && !s.t.indirect() {
		return flat.SpanBytes
	}
	if s.t.indirect() {
		n *= 2
	}
	return 2*n + storedLimit(n) + 128<<10 + 8<<20
}

// storedLimit is the size beyond which stored bytes of a chunk of n bytes are called corrupt.
func storedLimit(n int64) int64 { return 2*n + 64<<10 }

// load reads the chunk index, once.
func (s *source) load() error {
	s.once.Do(func() {
		s.index, s.indexOf = s.o.chunks()
		s.o.f.Forget()
		for i, n := range s.have {
			s.counts = append(s.counts, int64(ceil(uint64(n), uint64(s.cell[i]))))
		}
	})
	return s.indexOf
}

// StoredBytes implements formats.Sizer; it may have to read the chunk index.
func (s *source) StoredBytes(context.Context) (int64, error) {
	if !s.meta.Chunked {
		return s.meta.Bytes, nil
	}
	if err := s.load(); err != nil {
		return -1, err
	}
	n := int64(0)
	for _, c := range s.index {
		n += int64(c.size)
	}
	return n, nil
}

// find returns the stored chunk at k, or nil.
func (s *source) find(k chunk.Key) *stored {
	n := uint64(0)
	for i, x := range k {
		if x >= s.counts[i] {
			return nil
		}
		n = n*uint64(s.counts[i]) + uint64(x)
	}
	i := sort.Search(len(s.index), func(i int) bool { return s.index[i].number >= n })
	if i == len(s.index) || s.index[i].number != n {
		return nil
	}
	return &s.index[i]
}

// ReadChunk is formats.Source's.
func (s *source) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	r := s.meta.Grid.Region(k)
	if s.err != nil {
		return 0, s.err
	}
	if !s.meta.Chunked {
		return s.readFlat(ctx, r, dst)
	}
	if err := s.load(); err != nil {
		return 0, fmt.Errorf("hdf5: %s: %w", s.o.Path, err)
	}
	part := r.Intersect(chunk.Whole(s.have))
	c := s.find(k)
	if c == nil || part.Empty() {
		dst.Heap = nil
		formats.FillElems(dst, s.meta.Fill)
		return 0, nil
	}
	to := dst
	if !part.Equal(r) {
		dst.Heap = nil
		formats.FillElems(dst, s.meta.Fill)
		to = dst.Sub(formats.Shift(part, r.Lo))
	}
	n, err := s.readStored(ctx, c, formats.Shift(part, r.Lo), to)
	if s.t.dtype == dtype.String {
		dst.Heap = to.Heap
	}
	if err != nil {
		return n, fmt.Errorf("hdf5: %s chunk %v at offset %d: %w", s.o.Path, []int64(k), c.addr+s.o.f.base, err)
	}
	s.t.widen(to)
	return n, nil
}

// readStored reads the part r of a stored chunk, in its own coordinates, into dst.
func (s *source) readStored(ctx context.Context, c *stored, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	f, full := s.o.f, s.cell.Size()*int64(s.item)
	pos := c.addr + f.base
	if pos < c.addr || pos > uint64(f.size) || c.size > uint64(f.size)-pos {
		return 0, fmt.Errorf("%d bytes run past the end of the file, %d bytes: %w", c.size, f.size, formats.ErrCorrupt)
	}
	steps := s.active(c.mask, r)
	if len(steps) == 0 {
		if int64(c.size) < full {
			return 0, fmt.Errorf("%d bytes, want %d: %w", c.size, full, formats.ErrCorrupt)
		}
		a := &flat.Array{R: f.r, Base: int64(pos), Strides: flat.RowMajor(s.cell, s.item), Item: s.item, Swap: s.t.swap()}
		if s.t.indirect() {
			return s.converted(ctx, a, r, dst)
		}
		return a.Read(ctx, r, dst)
	}
	sc := codec.Borrow()
	defer sc.Return()
	if _, err := s.encoded(ctx, c, sc); err != nil {
		return 0, err
	}
	direct := !s.t.indirect() && dst.Shape.Equal(s.cell) && dst.Contiguous()
	if !direct && !s.t.indirect() && s.t.swap() == 0 && steps[len(steps)-1].put != nil && !slices.ContainsFunc(r.Lo, func(x int64) bool { return x > 0 }) {
		if rows, ok := codec.RowsOf(dst, s.cell); ok {
			return int64(c.size), decodeRows(steps, &rows, int(full), sc.Enc, sc)
		}
	}
	var out []byte
	if direct {
		out = dst.Bytes()
	} else {
		sc.Dec = codec.Grow(sc.Dec, int(full)+decodeSlack)[:full]
		out = sc.Dec
	}
	if err := decode(steps, out, sc.Enc, sc); err != nil {
		return int64(c.size), err
	}
	if s.t.indirect() {
		a := &flat.Array{R: bytesAt(out), Strides: flat.RowMajor(s.cell, s.item), Item: s.item}
		_, err := s.converted(ctx, a, r, dst)
		return int64(c.size), err
	}
	if w := s.t.swap(); w > 0 {
		codec.ByteSwap(out, out, w)
	}
	if !direct {
		whole := &chunk.Chunk{DType: dst.DType, ItemBytes: dst.ItemBytes, Shape: s.cell, Strides: s.cell.RowMajor(), Block: mem.Wrap(out)}
		formats.CopyElems(dst, whole.Sub(r))
	}
	return int64(c.size), nil
}

// encoded reads the bytes of a chunk as they are stored into sc.
func (s *source) encoded(ctx context.Context, c *stored, sc *codec.Scratch) ([]byte, error) {
	f, full := s.o.f, s.cell.Size()*int64(s.item)
	pos := c.addr + f.base
	if pos < c.addr || pos > uint64(f.size) || c.size > uint64(f.size)-pos {
		return nil, fmt.Errorf("%d bytes run past the end of the file, %d bytes: %w", c.size, f.size, formats.ErrCorrupt)
	}
	if int64(c.size) > storedLimit(full) || full/maxRatio > int64(c.size) {
		return nil, fmt.Errorf("%d stored bytes for a chunk of %d: %w", c.size, full, formats.ErrCorrupt)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sc.Enc = codec.Grow(sc.Enc, int(c.size))
	if n, err := f.r.ReadAt(sc.Enc, int64(pos)); n < len(sc.Enc) {
		return nil, fmt.Errorf("read %d bytes of %d: %w", n, c.size, err)
	}
	return sc.Enc, nil
}

// active returns the filters to undo for a chunk, in the order of undoing. A set bit
// of mask means that the filter was left out for this chunk.
func (s *source) active(mask uint32, r chunk.Region) []step {
	if s.o.layout.flags&1 != 0 && !r.Shape().Equal(s.cell) {
		return nil // edge chunks are stored as they are
	}
	var out []step
	for i := len(s.steps) - 1; i >= 0; i-- {
		if i > 31 || mask>>i&1 == 0 {
			out = append(out, s.steps[i])
		}
	}
	return out
}

// readFlat reads a region of a contiguous or compact dataset.
func (s *source) readFlat(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	l, f := s.o.layout, s.o.f
	part := r.Intersect(chunk.Whole(s.have))
	if s.meta.Bytes == 0 || !part.Equal(r) {
		dst.Heap = nil
		formats.FillElems(dst, s.meta.Fill)
		if s.meta.Bytes == 0 || part.Empty() {
			return 0, nil
		}
	}
	to := dst.Sub(formats.Shift(part, r.Lo))
	a := &flat.Array{R: f.r, Base: int64(l.addr + f.base), Strides: flat.RowMajor(s.have, s.item), Item: s.item, Swap: s.t.swap()}
	if l.class == layoutCompact {
		a.R, a.Base = bytesAt(l.compact), 0
	} else if l.addr+f.base < l.addr || a.Base < 0 || a.Base > f.size {
		return 0, fmt.Errorf("hdf5: %s: data at offset %d lie outside the file, %d bytes: %w", s.o.Path, l.addr+f.base, f.size, formats.ErrCorrupt)
	}
	if s.t.indirect() {
		n, err := s.converted(ctx, a, part, to)
		dst.Heap = to.Heap
		return n, err
	}
	n, err := a.Read(ctx, part, to)
	if err != nil {
		return n, fmt.Errorf("hdf5: %s: %w", s.o.Path, err)
	}
	s.t.widen(to)
	return n, nil
}

// ReadRegion is formats.RegionReader's.
func (s flatSource) ReadRegion(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	if s.err != nil {
		return 0, s.err
	}
	return s.readFlat(ctx, r, dst)
}

// indirect reports whether elements are made of the stored ones: texts of references, packed records.
func (s storage) indirect() bool { return s.dtype == dtype.String || s.pack != nil }

// converted reads the stored elements of region r and puts what they are in memory into dst.
func (s *source) converted(ctx context.Context, a *flat.Array, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	shape := r.Shape()
	n := shape.Size()
	stored := &chunk.Chunk{DType: dtype.Raw, ItemBytes: int32(s.item), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, n*int64(s.item)))}
	read, err := a.Read(ctx, r, stored)
	if err != nil {
		return read, err
	}
	out := &chunk.Chunk{DType: dst.DType, ItemBytes: dst.ItemBytes, Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, n*int64(s.t.item)))}
	b := stored.Bytes()
	if s.t.pack != nil {
		to := out.Bytes()
		for i := range int(n) {
			pack(s.t.pack, to[i*s.t.item:(i+1)*s.t.item], b[i*s.item:(i+1)*s.item])
		}
		formats.CopyElems(dst, out)
		return read, nil
	}
	var t []byte
	for i := range n {
		var err error
		if t, err = s.o.f.appendText(t[:0], s.o.Type, b[i*int64(s.item):(i+1)*int64(s.item)]); err != nil {
			return read, err
		}
		if len(out.Heap)+len(t) > maxTexts {
			return read, fmt.Errorf("texts of more than %d bytes in one chunk: %w", maxTexts, formats.ErrFormat)
		}
		formats.SetText(out, i, t)
		read += int64(len(t))
	}
	formats.CopyElems(dst, out)
	return read, nil
}

// bytesAt reads from memory.
type bytesAt []byte

// ReadAt is io.ReaderAt's.
func (b bytesAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
