// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"context"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/apache/arrow/go/v17/parquet/compress"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// codecNames are the compressions of pages by Parquet's number.
var codecNames = []string{"none", "snappy", "gzip", "lzo", "brotli", "lz4-hadoop", "zstd", "lz4"}

// parquetSource reads a column, a row group a chunk: a formats.Source.
type parquetSource struct {
	f       *parquetFile
	c       *parquetColumn
	i       int
	meta    *formats.ArrayMeta
	groups  []int // those with rows
	scratch int64
	scalar  bool
}

// group makes the group of a Parquet file.
func (f *parquetFile) group() (*formats.Group, error) {
	t := &frame{format: "parquet", meta: f.meta, rows: f.rows}
	for _, c := range f.cols {
		t.cols = append(t.cols, &c.column)
	}
	var sizes []int64
	var groups []int
	for i, g := range f.groups {
		if g.rows > 0 {
			sizes, groups = append(sizes, g.rows), append(groups, i)
		}
	}
	a, err := axis(sizes)
	if err != nil {
		return nil, err
	}
	return t.group(func(i int, m *formats.ArrayMeta, scalar bool) formats.Source {
		s := &parquetSource{f: f, c: f.cols[i], i: i, meta: m, groups: groups, scalar: scalar}
		m.Grid = chunk.Grid{Shape: m.Shape, Axes: []chunk.Axis{a}}
		m.Bytes = 0
		for _, g := range groups {
			c := &f.groups[g].chunks[i]
			m.Bytes += c.size
			s.scratch = max(s.scratch, c.size+2*c.uncompressed)
			if c.codec > 0 && c.codec < len(codecNames) {
				m.Codecs = []string{codecNames[c.codec]}
			}
		}
		s.scratch += a.Max()*int64(m.ItemBytes+2*max(physWidth(s.c.phys, s.c.length), 24)+1) + 1<<20
		return s
	}), nil
}

// Meta implements formats.Source.
func (s *parquetSource) Meta() *formats.ArrayMeta { return s.meta }

// ScratchBytes implements formats.Source.
func (s *parquetSource) ScratchBytes() int64 { return s.scratch }

// ReadChunk implements formats.Source.
func (s *parquetSource) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	i := 0
	if !s.scalar {
		i = int(k[0])
	}
	g := s.groups[i]
	n, err := s.read(&s.f.groups[g], dst)
	if err != nil {
		return n, fmt.Errorf("formats/arrow: read %s chunk (%d): row group %d at byte %d: %w", s.c.name, i, g, s.f.groups[g].chunks[s.i].off, err)
	}
	return n, nil
}

// pages is a walk through the pages of one column in one row group.
type pages struct {
	c     *parquetColumn
	z     *codec.Scratch
	codec int
	b     []byte // what is left of the column's bytes
	most  int64  // bytes a page may decode to
	dict  *values
}

// pageHeader is what precedes the bytes of a page.
type pageHeader struct {
	kind, size, packed    int64
	crc                   uint32
	checked               bool
	values, enc, levelEnc int64
	levelBytes, repBytes  int64
	plain                 bool // a page of version 2 that is not compressed
}

// Kinds of pages.
const (
	pageData       = 0
	pageIndex      = 1
	pageDictionary = 2
	pageData2      = 3
)

func (s *parquetSource) read(g *rowGroup, dst *chunk.Chunk) (int64, error) {
	m := &g.chunks[s.i]
	rows := dst.Shape.Size() // of a scalar the first alone
	fill, _ := s.c.fill()
	if s.c.typ.kind == kindNone {
		formats.FillElems(dst, fill)
		return 0, nil
	}
	z := codec.Borrow()
	defer z.Return()
	z.Enc = codec.Grow(z.Enc, int(m.size))
	if err := readAt(s.f.r, z.Enc, m.off); err != nil {
		return 0, err
	}
	// the declared size includes the headers; some writers count without them
	p := &pages{c: s.c, z: z, codec: m.codec, b: z.Enc, most: min(m.uncompressed+64<<10, math.MaxInt32)}
	flat := dst
	if !dst.Contiguous() || dst.DType == dtype.String {
		flat = flatChunk(s.meta.DType, s.meta.ItemBytes, rows)
	}
	w := &rowWriter{c: s.c, dst: flat, fill: fill, rows: rows}
	for w.at < rows {
		if err := p.next(w, g.rows); err != nil {
			return m.size, err
		}
	}
	if flat != dst {
		flat.Shape, flat.Strides = dst.Shape, dst.Shape.RowMajor()
		formats.CopyElems(dst, flat)
	}
	return m.size, nil
}

// header reads the header of the next page.
func (p *pages) header() (h pageHeader, err error) {
	t := &thrift{b: p.b}
	h.levelEnc = encRLE
	// numbers reads a structure whose fields go to the places.
	numbers := func(places map[int16]*int64) bool {
		t.fields(1, func(id int16, typ byte) bool {
			switch {
			case typ == thriftI32:
				v := t.varint()
				if at := places[id]; at != nil {
					*at = v
				}
				return true
			case id == 7 && typ == thriftFalse:
				h.plain = true
			}
			return false
		})
		return true
	}
	t.fields(0, func(id int16, typ byte) bool {
		switch {
		case typ == thriftI32 && id <= 4:
			switch v := t.varint(); id {
			case 1:
				h.kind = v
			case 2:
				h.size = v
			case 3:
				h.packed = v
			case 4:
				h.crc, h.checked = uint32(v), true
			}
			return true
		case typ != thriftStruct:
			return false
		case id == 5:
			return numbers(map[int16]*int64{1: &h.values, 2: &h.enc, 3: &h.levelEnc})
		case id == 7:
			return numbers(map[int16]*int64{1: &h.values, 2: &h.enc})
		case id == 8:
			return numbers(map[int16]*int64{1: &h.values, 4: &h.enc, 5: &h.levelBytes, 6: &h.repBytes})
		}
		return false
	})
	if t.bad {
		return h, corrupt("the header of a page breaks off")
	}
	p.b = p.b[t.pos:]
	switch {
	case h.packed < 0 || h.packed > int64(len(p.b)):
		return h, corrupt("a page has %d bytes, %d are left", h.packed, len(p.b))
	case h.size < 0 || h.size > p.most:
		return h, corrupt("a page says that it decodes to %d bytes, the column to %d", h.size, p.most)
	case h.values < 0 || h.levelBytes < 0 || h.repBytes < 0 || h.levelBytes+h.repBytes > min(h.size, h.packed):
		return h, corrupt("a page of %d values, levels in %d and %d bytes", h.values, h.repBytes, h.levelBytes)
	}
	return h, nil
}

// next decodes the next page; rows bounds the values of a page.
func (p *pages) next(w *rowWriter, rows int64) error {
	h, err := p.header()
	if err != nil {
		return err
	}
	b := p.b[:h.packed]
	p.b = p.b[h.packed:]
	if h.checked && crc32.ChecksumIEEE(b) != h.crc {
		return corrupt("the checksum of a page does not fit")
	}
	levels := b[:0]
	switch h.kind {
	case pageIndex:
		return nil
	case pageDictionary:
		if p.dict != nil || h.values > math.MaxInt32 {
			return corrupt("a second dictionary, or one of %d values", h.values)
		}
		// the page's memory is used again
		if b, err = p.unpack(b, h.size); err == nil {
			p.dict, err = plain(p.c.phys, p.c.length, append([]byte(nil), b...), int(h.values))
		}
		return err
	case pageData2:
		head := h.repBytes + h.levelBytes
		levels, b = b[h.repBytes:head], b[head:]
		if !h.plain {
			b, err = p.unpack(b, h.size-head)
		}
	case pageData:
		b, err = p.unpack(b, h.size)
	default:
		return nil // later versions may have other kinds, which are to be passed over
	}
	if err != nil {
		return err
	}
	if h.values == 0 || h.values > rows {
		return corrupt("a page of %d values, %d rows are left", h.values, rows)
	}
	n := int(h.values)
	if p.c.levels > 0 && h.kind == pageData {
		if h.levelEnc != encRLE {
			return refused("definition levels in the encoding %d", h.levelEnc)
		}
		if len(b) < 4 || uint64(le.Uint32(b)) > uint64(len(b)-4) {
			return corrupt("levels in %d bytes", len(b))
		}
		levels, b = b[4:4+le.Uint32(b)], b[4+le.Uint32(b):]
	}
	return w.page(levels, b, int(h.enc), n, p.dict)
}

// unpack decompresses size bytes.
func (p *pages) unpack(b []byte, size int64) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	name := fmt.Sprint(p.codec)
	if p.codec >= 0 && p.codec < len(codecNames) {
		name = codecNames[p.codec]
	}
	if p.codec == 0 {
		if int64(len(b)) < size {
			return nil, corrupt("a page has %d bytes, want %d", len(b), size)
		}
		return b[:size], nil
	}
	p.z.Dec = codec.Grow(p.z.Dec, int(size))
	dst := p.z.Dec
	got := 0
	var err error
	switch name {
	case "zstd":
		got, err = p.z.Zstd(dst, b)
	case "gzip":
		var out []byte
		if out, err = gzip.Decode(dst, b, p.z); err == nil {
			got = copy(dst, out)
		}
	case "lz4": // our codec's block says its length first
		in := le.AppendUint32(make([]byte, 0, len(b)+4), uint32(size))
		var out []byte
		if out, err = lz4.Decode(dst, append(in, b...), p.z); err == nil {
			got = copy(dst, out)
		}
	case "snappy", "brotli":
		if n, k := uvarint(b); name == "snappy" && (k <= 0 || n != uint64(size)) {
			return nil, corrupt("snappy: %d bytes, want %d", n, size)
		}
		err = guard(name, func() error {
			c, err := compress.GetCodec(map[string]compress.Compression{"snappy": compress.Codecs.Snappy, "brotli": compress.Codecs.Brotli}[name])
			if err == nil {
				got = copy(dst, c.Decode(dst, b))
			}
			return err
		})
	default:
		return nil, refused("pages compressed with %s; write the file again with zstd or snappy", name)
	}
	if err != nil {
		return nil, err
	}
	if int64(got) != size {
		return nil, corrupt("%s: a page decodes to %d bytes, want %d", name, got, size)
	}
	return dst, nil
}

// gzip and lz4 are stages of formats/codec.
var gzip, lz4 = stage("gzip"), stage("lz4")

func stage(name string) codec.Stage {
	e, ok := codec.ByName(name)
	if !ok {
		panic("formats/arrow: no codec " + name)
	}
	s, err := e.New(nil, 1)
	if err != nil {
		panic(err)
	}
	return s
}

// rowWriter puts decoded values into their rows.
type rowWriter struct {
	c     *parquetColumn
	dst   *chunk.Chunk
	fill  []byte
	rows  int64
	at    int64
	texts int
}

// page decodes n values with their levels.
func (w *rowWriter) page(levels, b []byte, enc, n int, dict *values) error {
	there := n
	var runs []levelRun
	if most := w.c.levels; most > 0 {
		there = 0
		err := hybrid(levels, levelBits(most), n, func(l uint32, count int) {
			is := int(l) == most
			if is {
				there += count
			}
			if k := len(runs) - 1; k >= 0 && runs[k].there == is {
				runs[k].n += count
			} else {
				runs = append(runs, levelRun{is, count})
			}
		})
		if err != nil {
			return err
		}
	} else {
		runs = []levelRun{{true, n}}
	}
	v, err := w.c.decodeValues(enc, b, there, dict)
	if err != nil {
		return err
	}
	if v.count() != there {
		return corrupt("a page holds %d values, want %d", v.count(), there)
	}
	next := 0
	for _, r := range runs {
		for range r.n {
			if w.at >= w.rows { // more than a scalar needs
				return nil
			}
			if !r.there {
				w.null()
			} else if err := w.put(v, next); err != nil {
				return err
			}
			if r.there {
				next++
			}
			w.at++
		}
	}
	return nil
}

// levelRun is neighbouring rows that are all there, or all null.
type levelRun struct {
	there bool
	n     int
}

func (w *rowWriter) null() {
	if w.dst.DType != dtype.String {
		item := int64(w.dst.ItemBytes)
		copy(w.dst.Block.Bytes()[(w.dst.Offset+w.at)*item:], w.fill)
	}
}

// put stores value i of v in the next row.
func (w *rowWriter) put(v *values, i int) error {
	if v.width == 0 {
		if w.texts += len(v.texts[i]); w.texts > maxTexts {
			return refused("a row group with more than %d bytes of texts; write it again in smaller ones", maxTexts)
		}
		formats.SetText(w.dst, w.at, v.texts[i])
		return nil
	}
	item := int64(w.dst.ItemBytes)
	at := (w.dst.Offset + w.at) * item
	e := v.fixed[i*v.width : (i+1)*v.width]
	out := w.dst.Block.Bytes()[at : at+item]
	if w.c.phys == physInt96 { // nanoseconds of the day, then the Julian day
		ns := int64(le.Uint64(e)) + (int64(le.Uint32(e[8:]))-2440588)*86400e9
		nativeEndian.PutUint64(out, uint64(ns))
		return nil
	}
	copy(out, e) // narrow integers are the low bytes of wide ones
	return nil
}
