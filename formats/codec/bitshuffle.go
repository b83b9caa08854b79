// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec/internal/bytesimd"
)

// Bitunshuffle undoes the bit shuffle of Blosc and the bitshuffle filter for n elements of es
// bytes, n a multiple of 8: row 8*j+b of src, n/8 bytes long, holds bit b of byte j of every
// element, the first element in the lowest bit. dst and src must not overlap.
func Bitunshuffle(dst, src []byte, n, es int) { bytesimd.Bitunshuffle(dst, src, n, es) }

// Bitshuffle is the inverse of Bitunshuffle, with the same rules.
func Bitshuffle(dst, src []byte, n, es int) { bytesimd.Bitshuffle(dst, src, n, es) }

// bitshuffleStage reads the bitshuffle filter: blocks of elements whose bits are shuffled, each
// compressed on its own or not at all; up to seven elements at the end stay as they are.
// Specification: bitshuffle, README and bshuf_h5filter.c.
type bitshuffleStage struct {
	item, block int // bytes of an element, elements of a block
	decode      func(dst, src []byte, s *Scratch) error
}

// The compressors of the filter's fifth client value.
const (
	bitshuffleLZ4  = 2
	bitshuffleZstd = 3
)

func newBitshuffle(values []uint32, item int) (Stage, error) {
	z := bitshuffleStage{item: item}
	if len(values) > 2 && values[2] > 0 {
		z.item = int(values[2])
	}
	if len(values) > 3 {
		z.block = int(values[3])
	}
	if z.item < 1 || z.item > 1<<20 || z.block%8 != 0 || z.block < 0 {
		return nil, fmt.Errorf("codec bitshuffle: elements of %d bytes in blocks of %d: %w", z.item, z.block, formats.ErrFormat)
	}
	if z.block == 0 { // the library's default: about 8 KiB, at least 128 elements
		z.block = max(8192/z.item&^7, 128)
	}
	if len(values) > 4 {
		switch values[4] {
		case 0:
		case bitshuffleLZ4:
			z.decode = func(dst, src []byte, _ *Scratch) error { return lz4Block(dst, src) }
		case bitshuffleZstd:
			z.decode = func(dst, src []byte, s *Scratch) error {
				n, err := s.Zstd(dst, src)
				if err == nil && n != len(dst) {
					err = corrupt("bitshuffle", "a block decoded to %d bytes, want %d", n, len(dst))
				}
				return err
			}
		default:
			return nil, fmt.Errorf("codec bitshuffle: compressor %d is not known: %w", values[4], formats.ErrFormat)
		}
	}
	return z, nil
}

// Decode implements Stage.
func (z bitshuffleStage) Decode(dst, src []byte, s *Scratch) ([]byte, error) {
	n := len(src)
	block := z.block
	if z.decode != nil {
		if len(src) < 12 {
			return nil, corrupt("bitshuffle", "%d bytes, want a header of 12", len(src))
		}
		stated, bytes := binary.BigEndian.Uint64(src), int(binary.BigEndian.Uint32(src[8:]))
		if stated > uint64(len(dst)) {
			return nil, full("bitshuffle", "decoded length %d, want at most %d", stated, len(dst))
		}
		n, src = int(stated), src[12:]
		if block = bytes / z.item; block == 0 || block%8 != 0 {
			return nil, corrupt("bitshuffle", "blocks of %d bytes, elements of %d", bytes, z.item)
		}
	}
	if n > len(dst) || n%z.item != 0 {
		return nil, full("bitshuffle", "%d bytes of %d-byte elements, want at most %d", n, z.item, len(dst))
	}
	dst = dst[:n]
	out, left := dst, n/z.item
	for left >= 8 {
		count := min(block, left&^7)
		size := count * z.item
		part := src
		if z.decode == nil {
			part, src = src[:size], src[size:]
		} else {
			enc, rest, err := lengthBefore("bitshuffle", src)
			if err != nil {
				return nil, err
			}
			s.block = Grow(s.block, size)
			if err := z.decode(s.block, enc, s); err != nil {
				return nil, err
			}
			part, src = s.block, rest
		}
		Bitunshuffle(out[:size], part, count, z.item)
		out, left = out[size:], left-count
	}
	if len(src) < len(out) {
		return nil, corrupt("bitshuffle", "%d bytes behind the last block, want %d", len(src), len(out))
	}
	copy(out, src)
	return dst, nil
}

func (bitshuffleStage) Encode([]byte, []byte, *Scratch) ([]byte, error) {
	return nil, readOnly("bitshuffle")
}

func (bitshuffleStage) Bound(n int) int { return n + n/64 + 1024 }
