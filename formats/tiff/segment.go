// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/formats/codec"
)

const (
	compressNone = 1
	compressJPEG = 7
)

// compression is a row of compressions. decode fills dst with rows rows and returns the bytes it has; nil:
// the compression is known by name only.
type compression struct {
	name    string
	decode  func(p *page, dst, src []byte, rows int, s *codec.Scratch) (int, error)
	bilevel bool // it codes samples of one bit
	whole   bool // it codes bytes in their own order: FillOrder does not matter
}

// compressions is the table of compressions by their number.
var compressions = map[int]compression{
	1: {name: "none", decode: func(_ *page, dst, src []byte, _ int, _ *codec.Scratch) (int, error) { return copy(dst, src), nil }},
	5: {name: "lzw", decode: func(_ *page, dst, src []byte, _ int, _ *codec.Scratch) (int, error) { return codec.LZW(dst, src) }},
	7: {name: "jpeg", decode: decodeJPEG, whole: true},
	8: {name: "zlib", decode: inflate}, 32946: {name: "zlib", decode: inflate},
	32773: {name: "packbits", decode: func(_ *page, dst, src []byte, _ int, _ *codec.Scratch) (int, error) { return codec.PackBits(dst, src) }},
	50000: {name: "zstd", decode: func(_ *page, dst, src []byte, _ int, s *codec.Scratch) (int, error) { return s.Zstd(dst, src) }},

	2: {name: "ccitt", decode: fax, bilevel: true}, 3: {name: "ccitt-g3", decode: fax, bilevel: true}, 4: {name: "ccitt-g4", decode: fax, bilevel: true},

	6: {name: "old-jpeg"}, 34676: {name: "sgilog"}, 34677: {name: "sgilog24"}, 34712: {name: "jpeg2000"}, 34887: {name: "lerc"},
	34925: {name: "lzma"}, 50001: {name: "webp"}, 50002: {name: "jpegxl"}, 52546: {name: "jpegxl"}, 33003: {name: "aperio-jpeg2000"},
	33005: {name: "aperio-jpeg2000"}, 34892: {name: "lossy-jpeg"}, 32809: {name: "thunderscan"}, 34661: {name: "jbig"},
}

func inflate(_ *page, dst, src []byte, _ int, _ *codec.Scratch) (int, error) {
	return codec.InflateZlib(dst, src)
}

// fax decodes the compressions of facsimile.
func fax(p *page, dst, src []byte, rows int, _ *codec.Scratch) (int, error) {
	kind := map[int]codec.CCITT{2: codec.CCITTRows, 3: codec.CCITTG3, 4: codec.CCITTG4}[p.compression]
	if p.compression == 3 && p.options&1 != 0 {
		kind = codec.CCITTG32D
	}
	n, err := kind.Decode(dst, src, int(p.segWidth), rows)
	return n * int(p.rowBytes()), err
}

// elements decodes segment i, of which rows rows are stored, into out: rows x segWidth x inPixel elements
// of the dtype, in native order. ok is false when the segment was never written. stored counts the bytes read.
func (p *page) elements(ctx context.Context, i int64, rows int64, out []byte, s *codec.Scratch) (stored int64, ok bool, err error) {
	off, size, err := p.segment(i)
	if err != nil || size == 0 {
		return 0, false, err
	}
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	need := rows * p.rowBytes()
	if most := 2*need + 64<<10; size > most {
		if p.compression != compressNone {
			return 0, false, corrupt("segment %d: %d stored bytes for %d", i, size, need)
		}
		size = most
	}
	s.Enc = codec.Grow(s.Enc, int(size))
	if n, err := p.f.r.ReadAt(s.Enc, off); n < len(s.Enc) {
		return int64(n), false, fmt.Errorf("read %d bytes at %d: %w", size, off, err)
	}
	c := compressions[p.compression]
	if p.fillOrder == 2 && !c.whole {
		codec.ReverseBits(s.Enc)
	}
	exact := 8*p.dtype.Size() == p.bits // stored as they are in memory, but for the byte order
	raw := out
	if !exact || p.predictor == 3 {
		s.Dec = codec.Grow(s.Dec, int(need))
		raw = s.Dec
	}
	n, err := c.decode(p, raw, s.Enc, int(rows), s)
	if err == nil && n < len(raw) {
		err = corrupt("it decodes to %d bytes, want %d", n, len(raw))
	}
	if err != nil {
		return size, false, fmt.Errorf("segment %d, %d bytes at %d: %s: %w", i, size, off, c.name, err)
	}
	wide := p.segWidth * int64(p.inPixel())
	switch {
	case p.predictor == 2 && (p.format == formatComplexInt || p.format == formatComplexFloat):
		p.unpredictComplex(out, raw, rows, wide)
		return size, true, nil
	case p.predictor == 3:
		p.unpredictFloats(out, raw, rows, wide)
		return size, true, nil
	case !exact:
		p.unpack(out, raw, rows, wide)
	case p.swap() > 1:
		codec.ByteSwap(out, out, p.swap())
	}
	if p.predictor == 2 {
		unpredict(out, rows, wide, p.dtype.Size(), p.inPixel())
		if !exact {
			mask(out, p.dtype.Size(), p.bits)
		}
	}
	return size, true, nil
}

// number is the size of the numbers whose bytes are in one order.
func (p *page) number() int {
	if p.dtype.IsComplex() {
		return p.dtype.Size() / 2
	}
	return p.dtype.Size()
}
