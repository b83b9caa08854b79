// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/formats"
)

// bloscStage reads every Blosc 1 container: what is needed is in its header. It writes those of lz4 and zstd.
// Specification: c-blosc, README_CHUNK_FORMAT.rst.
type bloscStage struct {
	cname   string
	level   int
	shuffle byte // a flag of the header, 0 for none
	item    int
	block   int // 0: chosen by size
}

// bloscShuffles are the flags by the number and the name of the shuffle.
var bloscShuffles = map[any]byte{int64(0): 0, int64(1): bloscShuffle, int64(2): bloscBitshuffle, "noshuffle": 0, "shuffle": bloscShuffle, "bitshuffle": bloscBitshuffle}

func newBlosc(c Config, item int) (Stage, error) {
	z := bloscStage{cname: c.Text("cname", "lz4"), item: item}
	level, err := c.Int("clevel", 5)
	if err != nil {
		return nil, err
	}
	size, err := c.Int("typesize", int64(item))
	if err != nil {
		return nil, err
	}
	block, err := c.Int("blocksize", 0)
	if err != nil {
		return nil, err
	}
	if level < 0 || level > 9 || block < 0 || block > math.MaxInt32 {
		return nil, fmt.Errorf("codec blosc: clevel %d, blocksize %d: %w", level, block, formats.ErrFormat)
	}
	if z.level, z.block = int(level), int(block); size > 0 && size < 256 {
		z.item = int(size)
	}
	if z.item > 255 { // the header has one byte for it
		z.item = 1
	}
	known := true
	switch s := c["shuffle"]; s {
	case nil:
		z.shuffle = bloscShuffle
	case int64(-1): // bit shuffle for bytes, else shuffle
		if z.shuffle = bloscShuffle; z.item == 1 {
			z.shuffle = bloscBitshuffle
		}
	default:
		z.shuffle, known = bloscShuffles[s]
	}
	if !known {
		return nil, fmt.Errorf("codec blosc: shuffle %v: %w", c["shuffle"], formats.ErrFormat)
	}
	return z, nil
}

// The number of the inner codecs that are written, as the header has it.
const (
	bloscLZ4  = 1
	bloscZstd = 4
)

// Encode implements Stage.
func (z bloscStage) Encode(dst, src []byte, s *Scratch) ([]byte, error) {
	return z.encode(dst, src, nil, len(src), s)
}

// encode is Encode of n bytes: src, or where from is not nil the rows.
func (z bloscStage) encode(dst, src []byte, from *Rows, n int, s *Scratch) ([]byte, error) {
	const header = 16
	if n > math.MaxInt32-header-n/64-1024 {
		return nil, fmt.Errorf("codec blosc: a chunk of %d bytes, the format allows 2 GiB: %w", n, formats.ErrFormat)
	}
	var number byte
	var pack func(out, block []byte) ([]byte, error)
	switch z.cname {
	case "lz4", "lz4hc": // one format
		number = bloscLZ4
		haste := 1
		if z.cname == "lz4" {
			haste = max(9-z.level, 1) // one less than c-blosc's, whose blocks are longer
		}
		pack = func(out, block []byte) ([]byte, error) {
			return out[:len(out)+s.packLZ4(out[len(out):cap(out)], block, haste)], nil
		}
	case "zstd":
		number = bloscZstd
		st, err := newZstd(Config{"level": int64(z.zstdLevel())}, z.item)
		if err != nil {
			return nil, err
		}
		pack = func(out, block []byte) ([]byte, error) { return st.Encode(out, block, s) }
	default:
		return nil, fmt.Errorf("codec blosc: it is written with lz4 or zstd, not with %s: %w", z.cname, formats.ErrFormat)
	}
	size := z.blockSize(n)
	blocks := (n + size - 1) / size
	shuffle := z.shuffle
	if shuffle == bloscShuffle && z.item == 1 {
		shuffle = 0
	}
	le := binary.LittleEndian
	at := len(dst)
	dst = append(dst, 2, 1, number<<5|bloscNoSplit|shuffle, byte(z.item))
	dst = le.AppendUint32(dst, uint32(n))
	dst = le.AppendUint32(dst, uint32(size))
	dst = append(dst, make([]byte, 4+4*blocks)...)
	for i := range blocks {
		lo, hi := i*size, min((i+1)*size, n)
		var block []byte
		if from == nil {
			block = src[lo:hi]
		} else {
			s.rows = Grow(s.rows, hi-lo)
			block = s.rows
			from.Get(block, lo)
		}
		le.PutUint32(dst[at+header+4*i:], uint32(len(dst)-at))
		block = z.shuffled(block, shuffle, s)
		start := len(dst)
		dst = slices.Grow(append(dst, 0, 0, 0, 0), z.packBound(len(block)))
		out, err := pack(dst, block)
		if err != nil {
			return nil, fmt.Errorf("codec blosc: encode %d bytes: %w", len(block), err)
		}
		if k := len(out) - start - 4; k == 0 || k >= len(block) {
			out = append(out[:start+4], block...) // as long as the block: it is stored as it is
		}
		dst = out
		le.PutUint32(dst[start:], uint32(len(dst)-start-4))
	}
	if len(dst)-at >= n+header {
		dst = append(append(dst[:at], 2, 1, number<<5|bloscMemcpy|shuffle, byte(z.item)), dst[at+4:at+header]...)
		if from == nil {
			dst = append(dst, src...)
		} else {
			dst = slices.Grow(dst, n)[:len(dst)+n]
			from.Get(dst[len(dst)-n:], 0)
		}
	}
	le.PutUint32(dst[at+12:], uint32(len(dst)-at))
	return dst, nil
}

// shuffled returns the block as it is compressed.
func (z bloscStage) shuffled(block []byte, shuffle byte, s *Scratch) []byte {
	n := len(block) / z.item
	switch {
	case shuffle == bloscShuffle:
		s.block = Grow(s.block, len(block))
		Shuffle(s.block, block, z.item)
		return s.block
	case shuffle == bloscBitshuffle && n > 0 && n%8 == 0:
		s.block = Grow(s.block, len(block))
		Bitshuffle(s.block, block, n, z.item)
		copy(s.block[n*z.item:], block[n*z.item:])
		return s.block
	}
	return block
}

// blockSize is the length of blocks of a container of n bytes: a part of the second-level cache, whole groups of eight elements.
func (z bloscStage) blockSize(n int) int {
	size := z.block
	if size == 0 {
		size = 256 << 10
		if z.cname == "zstd" || z.item >= 8 {
			size = 1 << 20 // entropy tables pay off later; so do many byte planes, where LZ4 looks back 64 KiB
		}
	}
	if size >= n {
		return max(n, 1)
	}
	return max(size/(8*z.item), 1) * 8 * z.item
}

// zstdLevel maps Blosc's levels as c-blosc does.
func (z bloscStage) zstdLevel() int {
	if z.level == 9 {
		return 22
	}
	return max(2*z.level-1, 1)
}

func (z bloscStage) packBound(n int) int {
	if z.cname == "zstd" {
		return zstdStage{}.Bound(n)
	}
	return lz4Bound(n)
}

// packLZ4 compresses block into out, which has room for lz4Bound of it.
func (s *Scratch) packLZ4(out, block []byte, haste int) int {
	if s.lz4 == nil {
		s.lz4 = new(lz4Packer)
	}
	return s.lz4.pack(out, block, haste)
}

// EncodeState implements encodeState.
func (z bloscStage) EncodeState(n int) int {
	if z.cname == "zstd" {
		return zstdStage{level: z.zstdLevel()}.EncodeState(z.blockSize(n)) + z.blockSize(n)
	}
	return 128<<10 + z.blockSize(n)
}
