// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"fmt"
	"hash/crc32"
	"math"

	"github.com/apache/arrow/go/v17/parquet/compress"

	"github.com/arrayrun/arrayrun/formats/codec"
)

// pages decodes pages of one column in one row group.
type pages struct {
	c     *parquetColumn
	z     *codec.Scratch
	codec int
	most  int64 // bytes a page may decode to
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

// maxPageHeader bounds the statistics in a page's header.
const maxPageHeader = 16 << 20

// header reads the header of the page that b begins with, and how long the header is. The column has left bytes from there on.
func (p *pages) header(b []byte, left int64) (h pageHeader, n int, err error) {
	t := &thrift{b: b}
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
		return h, 0, corrupt("the header of a page breaks off")
	}
	left -= int64(t.pos)
	switch {
	case h.packed < 0 || h.packed > left:
		return h, 0, corrupt("a page has %d bytes, %d are left", h.packed, left)
	case h.size < 0 || h.size > p.most:
		return h, 0, corrupt("a page says that it decodes to %d bytes, the column to %d", h.size, p.most)
	case h.values < 0 || h.levelBytes < 0 || h.repBytes < 0 || h.levelBytes+h.repBytes > min(h.size, h.packed):
		return h, 0, corrupt("a page of %d values, levels in %d and %d bytes", h.values, h.repBytes, h.levelBytes)
	}
	return h, t.pos, nil
}

// decode decodes a page; rows bounds the values of a page.
func (p *pages) decode(h pageHeader, b []byte, w *rowWriter, rows int64) (err error) {
	if h.checked && crc32.ChecksumIEEE(b) != h.crc {
		return corrupt("the checksum of a page does not fit")
	}
	levels := b[:0]
	switch h.kind {
	case pageDictionary:
		if p.dict != nil || h.values > math.MaxInt32 {
			return corrupt("a second dictionary, or one of %d values", h.values)
		}
		// the page's memory is used again
		if b, err = p.unpack(b, h.size); err == nil {
			p.dict, err = plain(p.c.phys, p.c.length, append([]byte(nil), b...), int(h.values), window{0, int(h.values)})
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
	default: // an index, and what later versions may have, is to be passed over
		return nil
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
	case "lz4":
		got, err = len(dst), lz4Block(dst, b, p.z)
	case "lz4-hadoop":
		got, err = len(dst), hadoopLZ4(dst, b, p.z)
	case "snappy", "brotli":
		if n, k := uvarint(b); name == "snappy" && (k <= 0 || n != uint64(size)) {
			return nil, corrupt("snappy: %d bytes, want %d", n, size)
		}
		err = guard(name, func() error {
			if err := ownPackers(); err != nil { // the library's table is not to be read while it changes
				return err
			}
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
