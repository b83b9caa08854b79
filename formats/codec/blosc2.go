// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/formats"
)

// blosc2Stage reads HDF5's filter 32026: a Blosc 2 contiguous frame, of plain chunks or of an array cut into
// blocks. Specification: c-blosc2, README_CFRAME_FORMAT.rst, README_CHUNK_FORMAT.rst, README_B2ND_METALAYER.rst.
type blosc2Stage struct{}

func newBlosc2([]uint32, int) (Stage, error) { return blosc2Stage{}, nil }

func (blosc2Stage) Encode([]byte, []byte, *Scratch) ([]byte, error) { return nil, readOnly("blosc2") }

func (blosc2Stage) Bound(n int) int { return n + n/64 + 4096 }

func (blosc2Stage) Decode(dst, src []byte, s *Scratch) ([]byte, error) {
	n, err := s.blosc2Frame(dst, src)
	if err != nil {
		return nil, err
	}
	return dst[:n], nil
}

// The header of a chunk of version 3 and later.
const (
	blosc2Header   = 32
	blosc2Filters  = 6
	blosc2Dict     = 1 // flags at its end
	blosc2VLBlocks = 2
	blosc2Lazy     = 8
)

// Values that fill a chunk, in its header or instead of its place in a frame.
const (
	blosc2Zeros = iota + 1
	blosc2NaN
	blosc2Value
	blosc2Uninit
)

// blosc2Chunk decodes a chunk with the longer header into dst, and returns the bytes written.
func (s *Scratch) blosc2Chunk(dst, src []byte) (int, error) {
	if len(src) < blosc2Header {
		return 0, corrupt("blosc2", "chunk of %d bytes, want a header of %d", len(src), blosc2Header)
	}
	le := binary.LittleEndian
	flags, typesize, more := src[2], int(src[3]), src[31]
	nbytes, blocksize, cbytes := int(le.Uint32(src[4:])), int(le.Uint32(src[8:])), int(le.Uint32(src[12:]))
	inner, filled := bloscInner[flags>>5], int(more>>4&7)
	switch {
	case flags&(bloscShuffle|bloscBitshuffle) != bloscShuffle|bloscBitshuffle:
		return 0, corrupt("blosc2", "chunk of version %d with the header of version 2", src[0])
	case cbytes < blosc2Header || cbytes > len(src):
		return 0, corrupt("blosc2", "chunk says %d bytes, got %d", cbytes, len(src))
	case nbytes == 0:
		return 0, nil
	case typesize == 0:
		return 0, corrupt("blosc2", "type size 0")
	case more&(blosc2Dict|blosc2VLBlocks|blosc2Lazy) != 0:
		return 0, fmt.Errorf("codec blosc2: a chunk with flags %#x, a dictionary for instance, is not decoded here: %w", more, formats.ErrFormat)
	case filled == 0 && flags&bloscMemcpy != 0 && cbytes != nbytes+blosc2Header:
		return 0, corrupt("blosc2", "copied chunk has %d bytes, want %d", cbytes, nbytes+blosc2Header)
	case filled == 0 && flags&bloscMemcpy == 0 && (blocksize <= 0 || cbytes < blosc2Header+4*bloscCount(nbytes, blocksize)):
		return 0, corrupt("blosc2", "%d bytes do not hold the starts of blocks of %d of %d bytes", cbytes, blocksize, nbytes)
	case nbytes > len(dst): // only here: who gets this error makes room and comes again
		return 0, full("blosc2", "chunk decodes to %d bytes, want at most %d", nbytes, len(dst))
	}
	src, dst = src[:cbytes], dst[:nbytes]
	if filled != 0 {
		return nbytes, blosc2Fill(dst, filled, typesize, src[blosc2Header:])
	}
	if flags&bloscMemcpy != 0 {
		return copy(dst, src[blosc2Header:]), nil
	}
	if inner.decode == nil {
		return 0, fmt.Errorf("codec blosc2: inner codec number %d is not known here: %w", flags>>5, formats.ErrFormat)
	}
	for _, f := range src[16 : 16+blosc2Filters] {
		if f > blosc2TruncPrec {
			return 0, fmt.Errorf("codec blosc2: filter number %d is not known here: %w", f, formats.ErrFormat)
		}
	}
	filters, meta := src[16:16+blosc2Filters], src[24:24+blosc2Filters]
	return nbytes, s.bloscBlocks("blosc2", len(dst), &window{b: src, end: cbytes}, blosc2Header, blocksize, func(i, blocks, at, n int, from []byte) error {
		splits, out := 1, dst[at:at+n]
		if flags&bloscNoSplit == 0 && len(out) == blocksize {
			splits = typesize
		}
		s.block = Grow(s.block, len(out))
		if err := s.blosc2Streams(s.block, from, splits, inner.decode); err != nil {
			return fmt.Errorf("codec blosc2: block %d of %d (%s): %w", i, blocks, inner.name, err)
		}
		s.blosc2Unfilter(out, dst, i*blocksize, typesize, filters, meta)
		return nil
	})
}

// blosc2Streams decodes the streams of one block, each with its length before it: 0 for zeros, negative for one repeated byte.
func (s *Scratch) blosc2Streams(dst, src []byte, splits int, decode func(dst, src []byte, s *Scratch) (int, error)) error {
	each := len(dst) / splits
	if each*splits != len(dst) {
		return corrupt("blosc2", "block of %d bytes in %d streams", len(dst), splits)
	}
	for j := range splits {
		if len(src) < 4 {
			return corrupt("blosc2", "stream %d is cut off", j)
		}
		n := int(int32(binary.LittleEndian.Uint32(src)))
		src = src[4:]
		part := dst[j*each : (j+1)*each : (j+1)*each]
		switch {
		case n == 0:
			clear(part)
			continue
		case n < 0:
			if len(src) < 1 || src[0]&1 == 0 || n < -255 {
				return corrupt("blosc2", "stream %d of length %d", j, n)
			}
			for k := range part {
				part[k] = byte(-n)
			}
			src = src[1:]
			continue
		case n > len(src):
			return corrupt("blosc2", "stream %d has %d bytes, %d are left", j, n, len(src))
		case n == each:
			copy(part, src[:n])
		default:
			got, err := decode(part, src[:n], s)
			if err != nil {
				return corrupt("blosc2", "stream %d: %v", j, err)
			}
			if got != each {
				return corrupt("blosc2", "stream %d decoded to %d bytes, want %d", j, got, each)
			}
		}
		src = src[n:]
	}
	return nil
}

// Filters of a chunk.
const (
	blosc2Shuffle = iota + 1
	blosc2Bitshuffle
	blosc2Delta
	blosc2TruncPrec // decodes as it is
)

// blosc2Unfilter undoes the filters of the block in s.block and puts it into out, which starts at offset of the chunk.
func (s *Scratch) blosc2Unfilter(out, whole []byte, offset, typesize int, codes, metas []byte) {
	in := s.block
	for i := len(codes) - 1; i >= 0; i-- {
		switch codes[i] {
		case blosc2Shuffle:
			size := typesize
			if metas[i] != 0 {
				size = int(metas[i])
			}
			s.turn = Grow(s.turn, len(in))
			Unshuffle(s.turn, in, size)
			s.block, s.turn = s.turn, s.block
		case blosc2Bitshuffle:
			s.turn = Grow(s.turn, len(in))
			n := len(in) / typesize &^ 7
			if n > 0 {
				Bitunshuffle(s.turn[:n*typesize], in[:n*typesize], n, typesize)
			}
			copy(s.turn[n*typesize:], in[n*typesize:])
			s.block, s.turn = s.turn, s.block
		case blosc2Delta:
			blosc2Undelta(in, whole, offset, typesize)
		}
		in = s.block
	}
	copy(out, in)
}

// blosc2Undelta undoes the difference to the first block, inside of which each element is one to the element before.
// Differences are exclusive ors.
func blosc2Undelta(b, whole []byte, offset, typesize int) {
	size := typesize
	if size != 1 && size != 2 && size != 4 && size != 8 {
		if size = 1; typesize%8 == 0 {
			size = 8
		}
	}
	n := len(b) / size * size
	if offset == 0 {
		for i := size; i < n; i++ {
			b[i] ^= b[i-size]
		}
		return
	}
	for i := range n {
		b[i] ^= whole[i]
	}
}

// blosc2Fill fills dst with a special value.
func blosc2Fill(dst []byte, kind, typesize int, value []byte) error {
	switch {
	case kind == blosc2Zeros || kind == blosc2Uninit:
		clear(dst)
		return nil
	case kind == blosc2NaN && typesize == 4:
		value = binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(math.NaN())))
	case kind == blosc2NaN && typesize == 8:
		value = binary.LittleEndian.AppendUint64(nil, math.Float64bits(math.NaN()))
	case kind == blosc2Value && len(value) >= typesize:
		value = value[:typesize]
	default:
		return corrupt("blosc2", "a run of the special value %d of %d bytes", kind, typesize)
	}
	if len(dst)%typesize != 0 {
		return corrupt("blosc2", "%d bytes of elements of %d", len(dst), typesize)
	}
	for i := copy(dst, value); i < len(dst); i *= 2 {
		copy(dst[i:], dst[:i])
	}
	return nil
}
