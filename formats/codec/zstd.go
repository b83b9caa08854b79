// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec/internal/clib"
)

// packKey names an encoder of libzstd.
type packKey struct {
	level int
	crc   bool
}

// zstdStage writes with libzstd where it is there, else in Go.
type zstdStage struct {
	level int
	crc   bool
}

func newZstd(c Config, _ int) (Stage, error) {
	n, err := c.Int("level", 0)
	if err != nil {
		return nil, err
	}
	if n < -131072 || n > 22 {
		return nil, fmt.Errorf("codec zstd: level %d, want -131072 to 22: %w", n, formats.ErrFormat)
	}
	z := zstdStage{level: int(n)}
	z.crc, _ = c["checksum"].(bool)
	return z, nil
}

// Zstd decodes the Zstandard frames in src into dst and returns the bytes written.
func (s *Scratch) Zstd(dst, src []byte) (int, error) {
	// through the assembly chunks come as fast: a call that blocks gives its processor away and waits for one afterwards
	if !haveSequences && len(src) >= libLeast && binary.LittleEndian.Uint32(src) == zstdMagic && clib.LibZstd.Err() == nil {
		if s.unpack == nil {
			s.unpack = clib.NewUnpacker()
		}
		if s.unpack != nil {
			if n, ok := s.unpack.Unpack(dst, src); ok {
				return n, nil
			}
		}
	}
	return s.unz.decode(dst, src)
}

func (z zstdStage) Decode(dst, src []byte, s *Scratch) ([]byte, error) {
	n, err := s.Zstd(dst, src)
	if err != nil {
		return nil, err
	}
	return dst[:n], nil
}

func (z zstdStage) Encode(dst, src []byte, s *Scratch) ([]byte, error) {
	if clib.LibZstd.Err() == nil {
		k := packKey(z)
		if s.pack == nil || s.packKey != k {
			s.pack, s.packKey = clib.NewPacker(z.level, z.crc), k
		}
		if s.pack != nil {
			dst = slices.Grow(dst, z.Bound(len(src)))
			if n := s.pack.Pack(dst[len(dst):cap(dst)], src); n > 0 {
				return dst[:len(dst)+n], nil
			}
		}
	}
	return z.encode(dst, src, s), nil
}

// encode is Encode in Go.
func (z zstdStage) encode(dst, src []byte, s *Scratch) []byte {
	if s.zpack == nil {
		s.zpack = new(zstdPacker)
	}
	return s.zpack.pack(dst, src, z.level, z.crc)
}

// zstdTables are the levels of libzstd up to which its tables are no longer than the bytes.
var zstdTables = []struct{ level, bytes int }{{4, 4 << 20}, {8, 10 << 20}, {10, 32 << 20}, {12, 64 << 20}, {15, 100 << 20}, {19, 128 << 20}, {22, 1 << 30}}

// EncodeState implements encodeState.
func (z zstdStage) EncodeState(n int) int {
	if clib.LibZstd.Err() == nil {
		// beside what the level has, tables have at most two entries of 4 bytes for a byte of the chunk, and there are two with marks
		i := slices.IndexFunc(zstdTables, func(t struct{ level, bytes int }) bool { return z.level <= t.level })
		return 2<<20 + min(zstdTables[i].bytes, 24<<bits.Len(uint(max(n, 1)-1)))
	}
	return zstdState(z.level, n)
}

func (z zstdStage) Bound(n int) int { return n + n/128 + 512 }
