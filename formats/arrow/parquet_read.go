// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// codecNames are the compressions of pages by Parquet's number.
var codecNames = []string{"none", "snappy", "gzip", "lzo", "brotli", "lz4-hadoop", "zstd", "lz4"}

// parquetPiece is how many bytes of elements a chunk has at most. Writers make row groups of a million rows and more: they are
// read in parts, page by page. A variable for tests.
var parquetPiece int64 = 2 << 20

// rowsPart is one chunk of a column: rows lo to hi of a row group.
type rowsPart struct {
	group  int
	lo, hi int64
}

// parquetSource reads a column, a row group or a part of one a chunk: a formats.Source.
type parquetSource struct {
	f      *parquetFile
	c      *parquetColumn
	i      int
	meta   *formats.ArrayMeta
	parts  []rowsPart
	paged  bool // row groups are divided: pages are read one by one
	scalar bool

	tables map[int]*pageTable // by row group, where paged
	bill   func() int64
}

// group makes the group of a Parquet file.
func (f *parquetFile) group() (*formats.Group, error) {
	t := &frame{format: "parquet", meta: f.meta, rows: f.rows}
	for _, c := range f.cols {
		t.cols = append(t.cols, &c.column)
	}
	var failed error
	g := t.group(func(i int, m *formats.ArrayMeta, scalar bool) formats.Source {
		s := &parquetSource{f: f, c: f.cols[i], i: i, meta: m, scalar: scalar, tables: map[int]*pageTable{}}
		if err := s.divide(); err != nil && failed == nil {
			failed = err
		}
		s.bill = sync.OnceValue(s.scratch)
		return s
	})
	return g, failed
}

// divide makes the chunks: row groups, large ones in equal parts.
func (s *parquetSource) divide() error {
	most, packed, plain := int64(0), int64(0), int64(0)
	for _, g := range s.f.groups {
		c := &g.chunks[s.i]
		most = max(most, g.rows)
		packed += c.size
		plain += c.uncompressed
		if c.codec > 0 && c.codec < len(codecNames) {
			s.meta.Codecs = []string{codecNames[c.codec]}
		}
	}
	s.meta.Bytes = packed
	item := int64(max(s.meta.ItemBytes, 1))
	if s.c.phys == physBytes && s.f.rows > 0 {
		item += plain / s.f.rows
	}
	// Halves of halves, so that the parts of wide and narrow columns end at the same rows.
	step, cuts := most, int64(1)
	for s.c.typ.kind != kindNone && step > 1 && step*item > parquetPiece {
		cuts *= 2
		step = (most + cuts - 1) / cuts
	}
	s.paged = step < most
	var sizes []int64
	for i, g := range s.f.groups {
		for lo := int64(0); lo < g.rows; lo += step {
			hi := min(lo+step, g.rows)
			s.parts = append(s.parts, rowsPart{i, lo, hi})
			sizes = append(sizes, hi-lo)
		}
		if s.paged && g.rows > 0 {
			s.tables[i] = &pageTable{}
		}
	}
	a, err := axis(sizes)
	s.meta.Grid = chunk.Grid{Shape: s.meta.Shape, Axes: []chunk.Axis{a}}
	return err
}

// Meta implements formats.Source.
func (s *parquetSource) Meta() *formats.ArrayMeta { return s.meta }

// ScratchBytes implements formats.Source. Where row groups are divided, it looks at the headers of all pages first.
func (s *parquetSource) ScratchBytes() int64 { return s.bill() }

func (s *parquetSource) scratch() int64 {
	rows, most := int64(0), int64(0)
	for i := range s.f.groups {
		c := &s.f.groups[i].chunks[s.i]
		n := c.size + 2*c.uncompressed + s.places(c.uncompressed) // pages, and a dictionary that is kept
		if t := s.tables[i]; t != nil && s.walk(t, i) == nil {
			n = 0
			for _, p := range t.pages {
				n = max(n, p.packed+p.size)
			}
			if d := t.dict; d != nil {
				n += d.packed + 2*d.size + s.places(d.size)
			}
		}
		most = max(most, n)
	}
	for _, p := range s.parts {
		rows = max(rows, p.hi-p.lo)
	}
	decoded := int64(max(physWidth(s.c.phys, s.c.length), 8)) // values without their nulls, or the places of texts
	if s.c.phys == physBytes {
		decoded += 24 + min(most, maxTexts)/max(rows, 1) // slices of texts, and their bytes
	}
	return most + rows*(int64(s.meta.ItemBytes)+decoded+1) + 256<<10
}

// places bounds the slices of a dictionary's texts in its bytes.
func (s *parquetSource) places(bytes int64) int64 {
	if s.c.phys == physBytes {
		return 8 * bytes // 32 for each length of 4
	}
	return 0
}

// ReadChunk implements formats.Source.
func (s *parquetSource) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	i := 0
	if !s.scalar {
		i = int(k[0])
	}
	p := s.parts[i]
	n, err := s.read(p, dst)
	if err != nil {
		return n, fmt.Errorf("formats/arrow: read %s chunk (%d): row group %d at byte %d: %w", s.c.name, i, p.group, s.f.groups[p.group].chunks[s.i].off, err)
	}
	return n, nil
}

// read decodes the rows of a part into dst; of a scalar the first alone.
func (s *parquetSource) read(part rowsPart, dst *chunk.Chunk) (int64, error) {
	g := &s.f.groups[part.group]
	m := &g.chunks[s.i]
	fill, _ := s.c.fill()
	if s.c.typ.kind == kindNone {
		formats.FillElems(dst, fill)
		return 0, nil
	}
	z := codec.Borrow()
	defer z.Return()
	flat := dst
	if !dst.Contiguous() {
		flat = flatChunk(s.meta.DType, s.meta.ItemBytes, dst.Shape.Size())
	}
	w := &rowWriter{c: s.c, dst: flat, fill: fill, lo: part.lo, hi: part.lo + dst.Shape.Size()}
	// the declared size includes the headers; some writers count without them
	p := &pages{c: s.c, z: z, codec: m.codec, most: min(m.uncompressed+64<<10, math.MaxInt32)}
	read := s.whole
	if s.paged {
		read = s.pieces
	}
	n, err := read(p, w, part.group)
	if err != nil {
		return n, err
	}
	if flat != dst {
		flat.Shape, flat.Strides = dst.Shape, dst.Shape.RowMajor()
		formats.CopyElems(dst, flat)
	}
	return n, nil
}

// whole reads all bytes that the column has in a row group, and decodes the pages among them.
func (s *parquetSource) whole(p *pages, w *rowWriter, group int) (int64, error) {
	g := &s.f.groups[group]
	m := &g.chunks[s.i]
	p.z.Enc = codec.Grow(p.z.Enc, int(m.size))
	if err := readAt(s.f.r, p.z.Enc, m.off); err != nil {
		return 0, err
	}
	for b := p.z.Enc; w.row < w.hi; {
		h, n, err := p.header(b, int64(len(b)))
		if err != nil {
			return m.size, err
		}
		b = b[n:]
		if err := p.decode(h, b[:h.packed], w, g.rows); err != nil {
			return m.size, err
		}
		b = b[h.packed:]
	}
	return m.size, nil
}

// pieces reads the dictionary and the pages that hold the rows.
func (s *parquetSource) pieces(p *pages, w *rowWriter, group int) (read int64, err error) {
	t := s.tables[group]
	if err := s.walk(t, group); err != nil {
		return 0, err
	}
	rows := s.f.groups[group].rows
	page := func(at *page) error {
		p.z.Enc = codec.Grow(p.z.Enc, int(at.packed))
		if err := readAt(s.f.r, p.z.Enc, at.off); err != nil {
			return err
		}
		read += at.packed
		return p.decode(at.pageHeader, p.z.Enc, w, rows)
	}
	if t.dict != nil {
		if err := page(t.dict); err != nil {
			return read, err
		}
	}
	for i := range t.pages {
		at := &t.pages[i]
		if at.row+at.values <= w.lo {
			continue
		}
		if at.row >= w.hi {
			break
		}
		w.row = at.row
		if err := page(at); err != nil {
			return read, err
		}
	}
	return read, nil
}

// pageTable is where the pages of a column lie in one row group, once somebody has walked through them.
type pageTable struct {
	once  sync.Once
	dict  *page
	pages []page
	err   error
}

// page is the place of a page's bytes and the row of its first value.
type page struct {
	pageHeader
	off, row int64
}

// maxPages bounds the table of a row group's pages in memory.
const maxPages = 1 << 17

// headerBytes is what is read to find a page's header. Long texts among its statistics make it longer.
const headerBytes = 256

// walk reads the headers of all pages of the column in a row group.
func (s *parquetSource) walk(t *pageTable, group int) error {
	t.once.Do(func() { t.err = s.find(t, group) })
	return t.err
}

func (s *parquetSource) find(t *pageTable, group int) error {
	g := &s.f.groups[group]
	m := &g.chunks[s.i]
	p := &pages{c: s.c, most: min(m.uncompressed+64<<10, math.MaxInt32)}
	at, end, row := m.off, m.off+m.size, int64(0)
	buf := make([]byte, headerBytes)
	for row < g.rows {
		size := min(int64(headerBytes), end-at)
		h, n, err := pageHeader{}, 0, error(nil)
		for {
			if int64(len(buf)) < size {
				buf = make([]byte, size)
			}
			if err := readAt(s.f.r, buf[:size], at); err != nil {
				return err
			}
			if h, n, err = p.header(buf[:size], end-at); err == nil || size == min(end-at, maxPageHeader) {
				break
			}
			size = min(16*size, end-at, maxPageHeader)
		}
		if err != nil {
			return err
		}
		x := page{h, at + int64(n), row}
		at = x.off + h.packed
		switch h.kind {
		case pageDictionary:
			if t.dict != nil {
				return corrupt("a second dictionary")
			}
			t.dict = &x
		case pageData, pageData2:
			if h.values == 0 || h.values > g.rows-row {
				return corrupt("a page of %d values, %d rows are left", h.values, g.rows-row)
			}
			if t.pages = append(t.pages, x); len(t.pages) > maxPages {
				return refused("a row group with more than %d pages; write it again in larger pages", maxPages)
			}
			row += h.values
		}
	}
	return nil
}
