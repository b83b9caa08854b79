// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"context"
	"fmt"
	"math"
	"slices"
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
	f      *ipcFile
	c      *ipcColumn
	meta   *formats.ArrayMeta
	pieces []piece
	bill   func() int64
	scalar bool
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
		s.bill = sync.OnceValue(s.scratch)
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
	bytes := int64(0)
	for _, b := range s.f.batches {
		i, err := b.first(s.c)
		if err != nil {
			return err
		}
		item := int64(max(t.width, s.meta.ItemBytes, 1))
		n := 2
		switch t.kind {
		case kindTexts:
			n = 3
		case kindViews:
			n += b.viewBuffers(s.c.views)
		}
		if t.kind != kindNone {
			for j, x := range b.buffers[min(i, len(b.buffers)):min(i+n, len(b.buffers))] {
				bytes += x.n
				if j >= 2 && b.rows > 0 {
					item += x.n / b.rows
				}
			}
		}
		for lo := int64(0); lo < b.rows; {
			n := b.rows - lo
			if !b.compressed && t.kind != kindNone { // nothing bounds the rows of what is not stored
				n = min(n, max(pieceBytes/item, 1))
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
	return nil
}

// scratch bounds what reading a chunk allocates. It looks where the texts of chunks end.
func (s *ipcSource) scratch() int64 {
	t := s.stored()
	most := int64(0)
	for _, p := range s.pieces {
		i, err := p.batch.first(s.c)
		if err != nil || t.kind == kindNone || i+2 > len(p.batch.buffers) {
			continue
		}
		n := p.n*int64(t.width+s.meta.ItemBytes+1) + 64<<10
		for _, x := range p.batch.buffers[i:min(i+2, len(p.batch.buffers))] {
			if p.batch.compressed {
				n += x.n
			}
		}
		if t.kind == kindTexts && i+3 <= len(p.batch.buffers) {
			n += 2 * s.textBytes(p, i) // beside the heap of the chunk
		}
		if t.kind == kindViews {
			n += p.batch.viewScratch(i+2, p.batch.viewBuffers(s.c.views))
		}
		most = max(most, n)
	}
	if s.c.dict != nil { // it stays once it is decoded
		for _, b := range s.f.dicts[s.c.dict.id] {
			most += 16 * min(b.rows, maxTexts/16)
			for _, x := range b.buffers {
				most += 4 * x.n
			}
		}
	}
	return most
}

// textBytes returns how many bytes the texts of a piece have, whose buffers begin at i.
func (s *ipcSource) textBytes(p piece, i int) int64 {
	b := p.batch
	if all := b.buffers[i+2].n; b.compressed || p.n == b.rows {
		if b.compressed {
			all = 4 * all // about: only the bytes say it
		}
		return all
	}
	at, w := b.buffers[i+1], int64(s.stored().width)
	offset := func(row int64) int64 {
		var raw [8]byte
		if readAt(s.f.r, raw[:w], at.off+row*w) != nil { // reading the piece will say it
			return 0
		}
		return int64(le.Uint64(raw[:]))
	}
	return min(max(offset(p.lo+p.n)-offset(p.lo), 0), b.buffers[i+2].n)
}

// Meta implements formats.Source.
func (s *ipcSource) Meta() *formats.ArrayMeta { return s.meta }

// ScratchBytes implements formats.Source.
func (s *ipcSource) ScratchBytes() int64 { return s.bill() }

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
	b := &reader{f: s.f, b: p.batch, z: z, views: p.batch.viewBuffers(s.c.views)}
	if s.scalar {
		b.rows = p.batch.rows
	}
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
	if !dst.Contiguous() {
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
	rows int64 // of the batch, where one of them is read
	read int64

	views int  // buffers that views lead to
	apart bool // one of them is read
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
	case kindViews:
		return r.viewed(dst, i, lo, n, nulls)
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
	r.z.Dec = codec.Grow(r.z.Dec, int(last-first))
	data, err := r.bytes(r.z.Dec, i+2, first, last-first)
	if err != nil {
		return err
	}
	dst.Heap = slices.Grow(dst.Heap, len(data))
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
	most := 2*(off+n)*max(r.rows, 1) + 4096
	if r.apart { // it is shared with rows that are not here
		most = max(most, at.n<<10)
	}
	if size < off+n || size > most {
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
