// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec/internal/clib"
	"github.com/klauspost/compress/flate"
)

// flateWriters holds one deflate writer for each level a worker has used.
type flateWriters [10]*flate.Writer

// sliceWriter appends what is written to it.
type sliceWriter struct{ b []byte }

func (w *sliceWriter) Write(p []byte) (int, error) { w.b = append(w.b, p...); return len(p), nil }

// deflateWays are the library's levels that are tried for zlib's. Its levels below 6 compress shuffled floats a third worse
// than zlib's 1; its 6 finds no matches of three bytes, which are what plain floats have.
var deflateWays = [10][]int{{0}, {6, 7}, {6, 7}, {6, 7}, {6, 7}, {6, 7}, {6, 7}, {7}, {8}, {9}}

// withLibrary is the way of libdeflate at the level that is asked for: of shuffled numbers it makes as much as the Go library's
// fastest, more slowly; of others up to a quarter less.
const withLibrary = -1

// deflate appends the raw deflate stream of src.
func (s *Scratch) deflate(dst, src []byte, level int) ([]byte, error) {
	ways := deflateWays[level]
	if level > 0 && clib.LibDeflate.Err() == nil {
		if s.flateLib[level] == nil {
			s.flateLib[level] = clib.NewDeflater(level)
		}
		if s.flateLib[level] != nil {
			ways = append(ways[:len(ways):len(ways)], withLibrary)
		}
	}
	way, err := s.effort(src, len(ways), func(i int, part []byte) (int, error) {
		var err error
		s.trial, err = s.deflateAt(s.trial[:0], part, ways[i], level)
		return len(s.trial), err
	})
	if err != nil {
		return nil, err
	}
	return s.deflateAt(dst, src, ways[way], level)
}

// deflateAt is deflate with a level of the Go library's, or with libdeflate at the level asked for.
func (s *Scratch) deflateAt(dst, src []byte, level, asked int) ([]byte, error) {
	if level == withLibrary {
		dst = slices.Grow(dst, deflateBound(len(src)))
		if n := s.flateLib[asked].Deflate(dst[len(dst):cap(dst)], src); n > 0 {
			return dst[:len(dst)+n], nil
		}
		level = asked
	}
	w := &sliceWriter{dst}
	f := s.flate[level]
	if f == nil {
		var err error
		if f, err = flate.NewWriter(w, level); err != nil {
			return nil, err
		}
		s.flate[level] = f
	} else {
		f.Reset(w)
	}
	if _, err := f.Write(src); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return w.b, nil
}

// deflateLevel returns a level from 0 to 9; -1 is zlib's default.
func deflateLevel(codec string, c Config, def int64) (int, error) {
	n, err := c.Int("level", def)
	if err != nil {
		return 0, err
	}
	if n < -1 || n > 9 {
		return 0, fmt.Errorf("codec %s: level %d, want 0 to 9: %w", codec, n, formats.ErrFormat)
	}
	if n == -1 {
		n = 6
	}
	return int(n), nil
}

func deflateBound(n int) int { return n + n/1000 + n/32768*5 + 128 }

// deflateState is what the writers of two levels and libdeflate keep, measured, with the sample.
const deflateState = 3*3<<19 + 512<<10

type zlibStage struct{ level int }

// EncodeState implements encodeState.
func (zlibStage) EncodeState(int) int { return deflateState }

func newZlib(c Config, _ int) (Stage, error) {
	l, err := deflateLevel("zlib", c, 1)
	return zlibStage{l}, err
}

func (z zlibStage) Decode(dst, src []byte, s *Scratch) ([]byte, error) {
	n, err := s.inf.Zlib(dst, src)
	if err != nil {
		return nil, err
	}
	return dst[:n], nil
}

func (z zlibStage) Encode(dst, src []byte, s *Scratch) ([]byte, error) {
	dst = append(dst, 0x78, [10]byte{0x01, 0x01, 0x5e, 0x5e, 0x5e, 0x5e, 0x9c, 0xda, 0xda, 0xda}[z.level])
	dst, err := s.deflate(dst, src, z.level)
	if err != nil {
		return nil, err
	}
	return binary.BigEndian.AppendUint32(dst, Adler32(src)), nil
}

func (z zlibStage) Bound(n int) int { return deflateBound(n) }

type gzipStage struct{ level int }

// EncodeState implements encodeState.
func (gzipStage) EncodeState(int) int { return deflateState }

func newGzip(c Config, _ int) (Stage, error) {
	l, err := deflateLevel("gzip", c, 1)
	return gzipStage{l}, err
}

// gzipHeader returns the length of the header at the start of b (RFC 1952).
func gzipHeader(b []byte) (int, error) {
	const fhcrc, fextra, fname, fcomment = 2, 4, 8, 16
	if len(b) < 18 || b[0] != 0x1f || b[1] != 0x8b || b[2] != 8 || b[3]&0xe0 != 0 {
		return 0, corrupt("gzip", "no gzip header")
	}
	flags, n := b[3], 10
	if flags&fextra != 0 {
		n += 2 + int(binary.LittleEndian.Uint16(b[10:]))
	}
	for _, f := range []byte{fname, fcomment} {
		if flags&f == 0 {
			continue
		}
		for n < len(b) && b[n] != 0 {
			n++
		}
		n++
	}
	if flags&fhcrc != 0 {
		n += 2
	}
	if n > len(b) {
		return 0, corrupt("gzip", "header is cut off")
	}
	return n, nil
}

func (g gzipStage) Decode(dst, src []byte, s *Scratch) ([]byte, error) {
	total, at := 0, 0
	for at == 0 || len(src) > at {
		h, err := gzipHeader(src[at:])
		if err != nil {
			return nil, err
		}
		at += h
		n, used, err := s.inf.Inflate(dst[total:], src[at:])
		if err != nil {
			return nil, fmt.Errorf("codec gzip: member at byte %d of %d: %w", at, len(src), err)
		}
		at += used
		if len(src) < at+8 {
			return nil, corrupt("gzip", "trailer is cut off")
		}
		if want, got := binary.LittleEndian.Uint32(src[at:]), crc32.ChecksumIEEE(dst[total:total+n]); got != want {
			return nil, corrupt("gzip", "CRC-32 is %08x, want %08x", got, want)
		}
		if want := binary.LittleEndian.Uint32(src[at+4:]); want != uint32(n) {
			return nil, corrupt("gzip", "decoded %d bytes, the trailer says %d", n, want)
		}
		at += 8
		total += n
	}
	return dst[:total], nil
}

func (g gzipStage) Encode(dst, src []byte, s *Scratch) ([]byte, error) {
	// no time and no name: the same elements give the same bytes
	dst = append(dst, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
	dst, err := s.deflate(dst, src, g.level)
	if err != nil {
		return nil, err
	}
	dst = binary.LittleEndian.AppendUint32(dst, crc32.ChecksumIEEE(src))
	return binary.LittleEndian.AppendUint32(dst, uint32(len(src))), nil
}

func (g gzipStage) Bound(n int) int { return deflateBound(n) }
