// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

const (
	pieceBytes = 4 << 20   // of a chunk where batches can be entered in their middle
	maxTexts   = 256 << 20 // bytes of the texts of one batch, or of a dictionary
)

// piece is one chunk of a column: rows lo to lo+n of a batch.
type piece struct {
	batch *batch
	lo, n int64
}

// ipcSource reads a column: a formats.Source.
type ipcSource struct {
	f       *ipcFile
	c       *ipcColumn
	meta    *formats.ArrayMeta
	pieces  []piece
	scratch int64
	scalar  bool
}

// group makes the group of an IPC file.
func (f *ipcFile) group() (*formats.Group, error) {
	t := &frame{format: "arrow", meta: f.schema.meta}
	for _, b := range f.batches {
		if b.rows > math.MaxInt64-t.rows {
			return nil, corrupt("too many rows")
		}
		t.rows += b.rows
	}
	for _, c := range f.schema.cols {
		t.cols = append(t.cols, &c.column)
	}
	var failed error
	g := t.group(func(i int, m *formats.ArrayMeta, scalar bool) formats.Source {
		s := &ipcSource{f: f, c: f.schema.cols[i], meta: m, scalar: scalar}
		if err := s.divide(); err != nil && failed == nil {
			failed = err
		}
		return s
	})
	return g, failed
}

// stored is the type of what lies in the batches: the indices of a dictionary's column.
func (s *ipcSource) stored() valueType {
	if s.c.dict != nil {
		return s.c.dict.index
	}
	return s.c.typ
}

// divide makes the chunks: batches, those that are not compressed in parts of a few MiB.
func (s *ipcSource) divide() error {
	var sizes []int64
	t := s.stored()
	most := max(pieceBytes/int64(max(t.width, s.meta.ItemBytes, 1)), 1)
	bytes, texts := int64(0), int64(0)
	for _, b := range s.f.batches {
		i, err := b.first(s.c)
		if err != nil {
			return err
		}
		n := 2
		if t.kind == kindTexts {
			n = 3
		}
		if t.kind != kindNone {
			for _, x := range b.buffers[min(i, len(b.buffers)):min(i+n, len(b.buffers))] {
				bytes += x.n
				texts = max(texts, x.n)
			}
		}
		for lo := int64(0); lo < b.rows; {
			n := b.rows - lo
			if !b.compressed && t.kind != kindNone { // nothing bounds the rows of what is not stored
				n = min(n, most)
			}
			s.pieces = append(s.pieces, piece{b, lo, n})
			sizes = append(sizes, n)
			lo += n
		}
	}
	if s.c.dict != nil {
		for _, b := range s.f.dicts[s.c.dict.id] {
			for _, x := range b.buffers {
				bytes += x.n
			}
		}
	}
	a, err := axis(sizes)
	if err != nil {
		return err
	}
	s.meta.Grid = chunk.Grid{Shape: s.meta.Shape, Axes: []chunk.Axis{a}}
	s.meta.Bytes = bytes
	for _, b := range s.f.batches {
		if b.compressed {
			s.meta.Codecs = []string{ipcCodecs[min(int(b.codec), len(ipcCodecs)-1)]}
			break
		}
	}
	s.scratch = a.Max()*int64(t.width+s.meta.ItemBytes+1) + 2*texts + 64<<10
	return nil
}

// Meta implements formats.Source.
func (s *ipcSource) Meta() *formats.ArrayMeta { return s.meta }

// ScratchBytes implements formats.Source.
func (s *ipcSource) ScratchBytes() int64 { return s.scratch }

// ReadChunk implements formats.Source.
func (s *ipcSource) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	i := 0
	if !s.scalar {
		i = int(k[0])
	}
	p := s.pieces[i]
	if s.scalar {
		p.n = 1
	}
	n, err := s.read(p, dst)
	if err != nil {
		return n, fmt.Errorf("formats/arrow: read %s chunk (%d): %w", s.c.name, i, err)
	}
	return n, nil
}

// read decodes the rows of a piece into dst.
func (s *ipcSource) read(p piece, dst *chunk.Chunk) (int64, error) {
	z := codec.Borrow()
	defer z.Return()
	b := &reader{f: s.f, b: p.batch, z: z}
	i, err := p.batch.first(s.c)
	if err != nil {
		return 0, err
	}
	fill, _ := s.c.fill()
	nulls := p.batch.nodes[s.c.node].nulls != 0
	if s.c.dict != nil {
		values, err := s.f.dictionary(s.c.dict)
		if err != nil {
			return b.read, err
		}
		flat := flatChunk(s.c.dict.index.dt, s.c.dict.index.width, p.n)
		if err := b.values(flat, s.c.dict.index, i, p.lo, false, nil); err != nil {
			return b.read, err
		}
		valid, err := b.valid(i, p.lo, p.n, nulls)
		if err != nil {
			return b.read, err
		}
		return b.read, values.pick(dst, flat, valid, fill)
	}
	flat := dst
	if !dst.Contiguous() || dst.DType == dtype.String {
		flat = flatChunk(s.meta.DType, s.meta.ItemBytes, p.n)
	}
	if err := b.values(flat, s.c.typ, i, p.lo, nulls, fill); err != nil {
		return b.read, err
	}
	if flat != dst {
		flat.Shape, flat.Strides = dst.Shape, dst.Shape.RowMajor()
		formats.CopyElems(dst, flat)
	}
	return b.read, nil
}

func flatChunk(dt dtype.DType, item int, n int64) *chunk.Chunk {
	return &chunk.Chunk{DType: dt, ItemBytes: int32(item), Shape: chunk.Shape{n}, Strides: []int64{1}, Block: mem.Wrap(make([]byte, n*int64(item)))}
}

// reader reads buffers of one batch.
type reader struct {
	f    *ipcFile
	b    *batch
	z    *codec.Scratch
	read int64
}

// values reads the elements of dst, contiguous, from row lo on of the column whose buffers start at i.
func (r *reader) values(dst *chunk.Chunk, t valueType, i int, lo int64, nulls bool, fill []byte) error {
	n := dst.Shape.Size()
	switch t.kind {
	case kindNone:
		formats.FillElems(dst, fill)
		return nil
	case kindTexts:
		return r.texts(dst, t, i, lo, n)
	case kindBits:
		bits, err := r.bytes(nil, i+1, lo/8, (lo%8+n+7)/8)
		if err != nil {
			return err
		}
		out := dst.Bytes()
		for j := range out {
			at := int64(j) + lo%8
			out[j] = bits[at/8] >> (at % 8) & 1
		}
	default:
		w := int64(t.width)
		if _, err := r.bytes(dst.Bytes(), i+1, lo*w, n*w); err != nil {
			return err
		}
	}
	valid, err := r.valid(i, lo, n, nulls)
	if err != nil || valid == nil {
		return err
	}
	out, item := dst.Bytes(), int64(dst.ItemBytes)
	for j := range n {
		if !valid(j) {
			copy(out[j*item:(j+1)*item], fill)
		}
	}
	return nil
}

// valid returns which of n rows from lo on are not null; nil: all.
func (r *reader) valid(i int, lo, n int64, nulls bool) (func(j int64) bool, error) {
	if !nulls {
		return nil, nil
	}
	bits, err := r.bytes(nil, i, lo/8, (lo%8+n+7)/8)
	if err != nil {
		return nil, err
	}
	return func(j int64) bool { j += lo % 8; return bits[j/8]>>(j%8)&1 != 0 }, nil
}

// texts reads texts, or bytes, of any length. Null ones are empty.
func (r *reader) texts(dst *chunk.Chunk, t valueType, i int, lo, n int64) error {
	w := int64(t.width)
	raw, err := r.bytes(nil, i+1, lo*w, (n+1)*w)
	if err != nil {
		return err
	}
	offset := func(j int64) int64 {
		if w == 4 {
			return int64(int32(le.Uint32(raw[4*j:])))
		}
		return int64(le.Uint64(raw[8*j:]))
	}
	first, last := offset(0), offset(n)
	if first < 0 || last < first || !r.b.compressed && last > r.b.buffers[i+2].n {
		return corrupt("texts from byte %d to %d of %d", first, last, r.b.buffers[i+2].n)
	}
	if last-first > maxTexts || r.b.compressed && last > maxTexts {
		return refused("a batch with %d bytes of texts, want at most %d; write it again in smaller batches", last-first, maxTexts)
	}
	data, err := r.bytes(nil, i+2, first, last-first)
	if err != nil {
		return err
	}
	for j := range n {
		a, b := offset(j), offset(j+1)
		if a < first || b < a || b > last {
			return corrupt("text %d from byte %d to %d", lo+j, a, b)
		}
		formats.SetText(dst, j, data[a-first:b-first])
	}
	return nil
}

// ipcCodecs are the compressions of bodies by Arrow's number.
var ipcCodecs = []string{"lz4", "zstd", "unknown"}

// bytes reads n bytes from off on of buffer i into dst, or new memory where dst is nil.
func (r *reader) bytes(dst []byte, i int, off, n int64) ([]byte, error) {
	at := r.b.buffers[i]
	if n == 0 {
		return dst, nil
	}
	if !r.b.compressed {
		if off+n > at.n {
			return nil, corrupt("buffer %d has %d bytes, want %d", i, at.n, off+n)
		}
		if dst == nil {
			dst = make([]byte, n)
		}
		r.read += n
		return dst, readAt(r.f.r, dst, at.off+off)
	}
	src := codec.Grow(r.z.Enc, int(at.n))
	r.z.Enc = src
	if err := readAt(r.f.r, src, at.off); err != nil {
		return nil, err
	}
	r.read += at.n
	if len(src) < 8 {
		return nil, corrupt("buffer %d has %d bytes, want a length", i, at.n)
	}
	size := int64(le.Uint64(src))
	src = src[8:]
	if size == -1 {
		if off+n > int64(len(src)) {
			return nil, corrupt("buffer %d has %d bytes, want %d", i, len(src), off+n)
		}
		if dst == nil {
			dst = make([]byte, n)
		}
		copy(dst, src[off:])
		return dst, nil
	}
	// Writers may pad a buffer, and a bitmap can be that of a longer array.
	if size < off+n || size > 2*(off+n)+4096 {
		return nil, corrupt("buffer %d says that it decodes to %d bytes, want %d", i, size, off+n)
	}
	all := dst
	if all == nil || off != 0 || n != size {
		all = make([]byte, size)
	}
	var got int
	var err error
	switch r.b.codec {
	case 0:
		got, err = codec.LZ4Frame(all, src)
	case 1:
		got, err = r.z.Zstd(all, src)
	default:
		return nil, refused("buffer %d has the unknown compression %d", i, r.b.codec)
	}
	if err != nil {
		return nil, err
	}
	if int64(got) != size {
		return nil, corrupt("buffer %d decodes to %d bytes, want %d", i, got, size)
	}
	if dst == nil {
		return all[off : off+n], nil
	}
	if &all[0] != &dst[0] {
		copy(dst, all[off:off+n])
	}
	return dst, nil
}

// dictValues are the decoded values of a dictionary.
type dictValues struct {
	once sync.Once
	c    *chunk.Chunk
	err  error
}

// dictionary returns the values of a dictionary, decoded at its first use.
func (f *ipcFile) dictionary(d *dictionary) (*dictValues, error) {
	f.mu.Lock()
	v := f.values[d.id]
	if v == nil {
		v = &dictValues{}
		f.values[d.id] = v
	}
	f.mu.Unlock()
	v.once.Do(func() { v.c, v.err = f.decode(d) })
	return v, v.err
}

func (f *ipcFile) decode(d *dictionary) (*chunk.Chunk, error) {
	total := int64(0)
	for _, b := range f.dicts[d.id] {
		total += min(b.rows, maxTexts)
	}
	item := int64(d.values.itemBytes())
	if total > maxTexts/item {
		return nil, refused("dictionary %d has %d values of %d bytes, want at most %d bytes", d.id, total, item, maxTexts)
	}
	out := flatChunk(d.values.dt, int(item), total)
	fill, _ := (&column{typ: d.values}).fill()
	at := int64(0)
	for _, b := range f.dicts[d.id] {
		if len(b.nodes) == 0 {
			return nil, corrupt("dictionary %d has no values", d.id)
		}
		nulls := b.nodes[0].nulls != 0
		if b.rows > 0 && d.values.kind != kindNone {
			if err := b.bufferSizes(0, d.values, b.rows, nulls); err != nil {
				return nil, err
			}
		}
		z := codec.Borrow()
		part := flatChunk(d.values.dt, int(item), b.rows)
		err := (&reader{f: f, b: b, z: z}).values(part, d.values, 0, 0, nulls, fill)
		z.Return()
		if err != nil {
			return nil, fmt.Errorf("dictionary %d: %w", d.id, err)
		}
		to := out.Sub(chunk.Region{Lo: chunk.Shape{at}, Hi: chunk.Shape{at + b.rows}})
		formats.CopyElems(to, part)
		out.Heap = to.Heap
		at += b.rows
	}
	return out, nil
}

// pick copies the values that the indices name to dst.
func (v *dictValues) pick(dst, index *chunk.Chunk, valid func(int64) bool, fill []byte) error {
	n := index.Shape.Size()
	out := flatChunk(dst.DType, int(dst.ItemBytes), n)
	item, most := int64(out.ItemBytes), v.c.Shape[0]
	ib, w := index.Bytes(), int64(index.ItemBytes)
	total := 0
	for j := range n {
		if valid != nil && !valid(j) {
			if dst.DType != dtype.String {
				copy(out.Block.Bytes()[j*item:], fill)
			}
			continue
		}
		var e [8]byte
		copy(e[:], ib[j*w:(j+1)*w])
		k := int64(binary.LittleEndian.Uint64(e[:]))
		if k < 0 || k >= most {
			return corrupt("index %d of a dictionary of %d values", k, most)
		}
		if dst.DType == dtype.String {
			text := formats.Text(v.c, k)
			if total += len(text); total > maxTexts {
				return refused("a batch with more than %d bytes of texts; write it again in smaller batches", maxTexts)
			}
			formats.SetText(out, j, text)
		} else {
			copy(out.Block.Bytes()[j*item:(j+1)*item], v.c.Block.Bytes()[k*item:])
		}
	}
	out.Shape, out.Strides = dst.Shape, dst.Shape.RowMajor()
	formats.CopyElems(dst, out)
	return nil
}
