// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"fmt"
	"math/bits"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/klauspost/compress/zstd"
)

// zstdKey names an encoder: workers keep one for each they have used.
type zstdKey struct {
	level  zstd.EncoderLevel
	crc    bool
	window int
}

type zstdStage struct {
	level zstd.EncoderLevel
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
	z := zstdStage{level: zstd.SpeedDefault}
	z.crc, _ = c["checksum"].(bool)
	// Measured on climate data: up to level 5 "default" is at the C library's ratio, "better" is three times slower.
	switch {
	case n < 0:
		z.level = zstd.SpeedFastest
	case n >= 10:
		z.level = zstd.SpeedBestCompression
	case n > 5:
		z.level = zstd.SpeedBetterCompression
	}
	return z, nil
}

// Zstd decodes the Zstandard frames in src into dst and returns the bytes written.
func (s *Scratch) Zstd(dst, src []byte) (int, error) {
	if plainFrames(src) {
		if n, whole, err := s.unz.decode(dst, src); whole {
			return n, err
		}
	}
	return s.zstdLibrary(dst, src)
}

// zstdLibrary decodes any frames with the library.
func (s *Scratch) zstdLibrary(dst, src []byte) (int, error) {
	if s.zdec == nil {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true),
			zstd.WithDecoderMaxMemory(1<<34), zstd.WithDecoderMaxWindow(1<<31))
		if err != nil {
			return 0, err
		}
		s.zdec = d
	}
	out, err := s.zdec.DecodeAll(src, dst[:0:len(dst)])
	if err != nil {
		return 0, corrupt("zstd", "%v in %d bytes", err, len(src))
	}
	if len(out) > 0 && len(dst) > 0 && &out[0] != &dst[0] {
		return 0, corrupt("zstd", "decoded to %d bytes, want at most %d", len(out), len(dst))
	}
	return len(out), nil
}

func (z zstdStage) Decode(dst, src []byte, s *Scratch) ([]byte, error) {
	n, err := s.Zstd(dst, src)
	if err != nil {
		return nil, err
	}
	return dst[:n], nil
}

func (z zstdStage) Encode(dst, src []byte, s *Scratch) ([]byte, error) {
	w := zstdWindow(len(src))
	k := zstdKey{z.level, z.crc, w}
	e := s.zenc[k]
	if e == nil {
		var err error
		e, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(z.level), zstd.WithEncoderCRC(z.crc),
			zstd.WithWindowSize(w), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true),
			// packed integers have few matches but half the entropy: without this they are stored as they are
			zstd.WithAllLitEntropyCompression(true))
		if err != nil {
			return nil, err
		}
		// one encoder for a worker: chunks of an array have one size, edges are padded
		s.zenc = map[zstdKey]*zstd.Encoder{k: e}
	}
	return e.EncodeAll(src, dst), nil
}

// zstdWindow is as long as the chunk, which is all that can be used; 4 MiB at most bounds the encoder's memory.
func zstdWindow(n int) int { return 1 << min(max(bits.Len(uint(max(n, 1)-1)), 10), 22) }

// EncodeState implements encodeState: the library's tables, measured, and its history of a window and a quarter.
func (z zstdStage) EncodeState(n int) int {
	tables := 2 << 20
	switch z.level {
	case zstd.SpeedBetterCompression:
		tables = 5 << 20
	case zstd.SpeedBestCompression:
		tables = 37 << 20
	}
	return tables + zstdWindow(n)*5/4
}

func (z zstdStage) Bound(n int) int { return n + n/128 + 512 }
