// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/arrayrun/arrayrun/formats"
)

// deflate appends the raw deflate stream of src.
func (s *Scratch) deflate(dst, src []byte, level int) []byte {
	if s.def == nil {
		s.def = new(deflater)
	}
	return s.def.deflate(dst, src, level)
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

// deflateState is what a deflater and its sequences keep.
const deflateState = 1 << 20

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
	dst = s.deflate(dst, src, z.level)
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

// crcUpdate goes on with gzip's CRC-32, 0 for no bytes.
func crcUpdate(sum uint32, b []byte) uint32 { return crc32.Update(sum, crc32.IEEETable, b) }

func (g gzipStage) Decode(dst, src []byte, s *Scratch) ([]byte, error) {
	total, at := 0, 0
	for at == 0 || len(src) > at {
		h, err := gzipHeader(src[at:])
		if err != nil {
			return nil, err
		}
		at += h
		n, used, got, err := s.inf.inflateSum(dst[total:], src[at:], 0, crcUpdate)
		if err != nil {
			return nil, fmt.Errorf("codec gzip: member at byte %d of %d: %w", at, len(src), err)
		}
		at += used
		if len(src) < at+8 {
			return nil, corrupt("gzip", "trailer is cut off")
		}
		if want := binary.LittleEndian.Uint32(src[at:]); got != want {
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
	dst = s.deflate(dst, src, g.level)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.ChecksumIEEE(src))
	return binary.LittleEndian.AppendUint32(dst, uint32(len(src))), nil
}

func (g gzipStage) Bound(n int) int { return deflateBound(n) }
