// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"

	"github.com/klauspost/compress/snappy"

	"github.com/arrayrun/arrayrun/formats/codec/internal/bytesimd"
)

// The flags of byte 2 of the header.
const (
	bloscShuffle    = 1
	bloscMemcpy     = 2
	bloscBitshuffle = 4
	bloscNoSplit    = 16
)

// bloscSplits is room for what stands before the parts of a block.
const bloscSplits = 4 * 256

// bloscInner is the table of inner codecs by the number in the upper three bits of the flags.
var bloscInner = [8]struct {
	name   string
	decode func(dst, src []byte, s *Scratch) (int, error)
}{
	{"blosclz", func(dst, src []byte, _ *Scratch) (int, error) { return blosclz(dst, src) }},
	{"lz4", func(dst, src []byte, _ *Scratch) (int, error) { return lz4Decode(dst, src) }},
	{"snappy", decodeSnappy},
	{"zlib", func(dst, src []byte, s *Scratch) (int, error) { return s.inf.Zlib(dst, src) }},
	{"zstd", func(dst, src []byte, s *Scratch) (int, error) { return s.Zstd(dst, src) }},
}

func decodeSnappy(dst, src []byte, _ *Scratch) (int, error) {
	if n, err := snappy.DecodedLen(src); err != nil || n > len(dst) {
		return 0, full("snappy", "decoded length %d, want at most %d", n, len(dst))
	}
	out, err := snappy.Decode(dst, src)
	return len(out), err
}

// Blosc decodes a Blosc 1 container into dst and returns the bytes written.
func (s *Scratch) Blosc(dst, src []byte) (int, error) {
	return s.blosc(dst, nil, len(dst), src)
}

// blosc decodes a container of at most most bytes into dst, or to rows block by block.
func (s *Scratch) blosc(dst []byte, rows *Rows, most int, src []byte) (int, error) {
	return s.bloscFrom(&window{b: src, end: len(src)}, dst, rows, most)
}

// bloscFrom is blosc of a container that w shows.
func (s *Scratch) bloscFrom(w *window, dst []byte, rows *Rows, most int) (int, error) {
	const header = 16
	le := binary.LittleEndian
	src, err := w.from(0, header)
	if err != nil {
		return 0, err
	}
	if len(src) < header {
		return 0, corrupt("blosc", "%d bytes, want a header of 16", len(src))
	}
	version, flags, typesize := src[0], src[2], int(src[3])
	nbytes, blocksize, cbytes := int(le.Uint32(src[4:])), int(le.Uint32(src[8:])), int(le.Uint32(src[12:]))
	if version >= 3 && version <= 7 { // a chunk that Blosc 2 has written by its own rules
		if src, err = w.from(0, cbytes); err != nil {
			return 0, err
		}
		if rows != nil {
			s.Dec = Grow(s.Dec, most)
			dst = s.Dec
		}
		n, err := s.blosc2Chunk(dst, src)
		if rows != nil && err == nil {
			rows.Put(0, dst[:n])
		}
		return n, err
	}
	inner := bloscInner[flags>>5]
	switch {
	case version == 0 || version > 2:
		return 0, corrupt("blosc", "container version %d, want 1 or 2", version)
	case cbytes < header || cbytes > w.end:
		return 0, corrupt("blosc", "container says %d bytes, want at most %d", cbytes, w.end)
	case nbytes == 0:
		return 0, nil
	case typesize == 0 || blocksize <= 0:
		return 0, corrupt("blosc", "type size %d, block size %d", typesize, blocksize)
	case flags&bloscMemcpy != 0 && cbytes != nbytes+header:
		return 0, corrupt("blosc", "copied container has %d bytes, want %d", cbytes, nbytes+header)
	case flags&bloscMemcpy == 0 && cbytes < header+4*bloscCount(nbytes, blocksize):
		return 0, corrupt("blosc", "%d bytes do not hold the starts of %d blocks", cbytes, bloscCount(nbytes, blocksize))
	case nbytes > most: // only here: who gets this error makes room and comes again
		return 0, full("blosc", "container decodes to %d bytes, want at most %d", nbytes, most)
	}
	w.end = cbytes
	if flags&bloscMemcpy != 0 {
		return nbytes, w.copied(dst, rows, header)
	}
	if inner.decode == nil {
		return 0, corrupt("blosc", "inner codec number %d is not known", flags>>5)
	}
	return nbytes, s.bloscBlocks("blosc", nbytes, w, header, blocksize, func(i, blocks, at, n int, from []byte) error {
		splits := 1
		// c-blosc's rule: only whole blocks of enough elements are split by byte of the element
		if flags&bloscNoSplit == 0 && typesize <= 16 && blocksize/typesize >= 128 && n == blocksize && blocksize%typesize == 0 {
			splits = typesize
		}
		shuffle := flags&bloscShuffle != 0 && typesize > 1
		bitshuffle := flags&bloscBitshuffle != 0 && n >= typesize
		var out []byte
		if rows == nil {
			out = dst[at : at+n]
		}
		to := out
		if shuffle || bitshuffle || rows != nil {
			s.block = Grow(s.block, n)
			to = s.block
		}
		if err := s.bloscBlock(to, from, splits, inner.decode); err != nil {
			return corrupt("blosc", "block %d of %d (%s): %v", i, blocks, inner.name, err)
		}
		if bitshuffle && n/typesize%8 != 0 {
			shuffle, bitshuffle = false, false // c-blosc leaves such a block as it is
			if rows == nil {
				copy(out, to)
			}
		}
		if bitshuffle && rows != nil {
			s.turn = Grow(s.turn, n)
			out = s.turn
		}
		switch {
		case bitshuffle:
			whole := n / typesize
			Bitunshuffle(out, to, whole, typesize)
			copy(out[whole*typesize:], to[whole*typesize:])
			to = out
		case shuffle && rows != nil:
			s.putPlanes(rows, at, to, typesize)
			return nil
		case shuffle && nbytes >= streamFrom:
			bytesimd.UnshuffleStream(out, to, typesize)
		case shuffle:
			Unshuffle(out, to, typesize)
		}
		if rows != nil {
			rows.Put(at, to)
		}
		return nil
	})
}

// bloscCount returns the blocks of a container of total bytes.
func bloscCount(total, blocksize int) int { return (total-1)/blocksize + 1 }

// bloscBlocks calls decode for each block of a container of total bytes with its place there and what is stored from its start on: the starts
// of the blocks follow the header, in both versions.
func (s *Scratch) bloscBlocks(name string, total int, w *window, header, blocksize int, decode func(i, blocks, at, n int, from []byte) error) error {
	blocks := bloscCount(total, blocksize)
	if w.end < header+4*blocks {
		return corrupt(name, "%d bytes do not hold the starts of %d blocks", w.end, blocks)
	}
	starts, err := w.from(header, 4*blocks)
	if err != nil {
		return err
	}
	if len(starts) < 4*blocks {
		return corrupt(name, "it breaks off in the starts of %d blocks", blocks)
	}
	le := binary.LittleEndian
	if w.r != nil { // the window moves
		s.starts = append(s.starts[:0], starts[:4*blocks]...)
		starts = s.starts
		for i := 4; i < 4*blocks; i += 4 {
			if le.Uint32(starts[i:]) <= le.Uint32(starts[i-4:]) { // threads have compressed them: they are anywhere
				if _, err := w.from(0, w.end); err != nil {
					return err
				}
				break
			}
		}
	}
	for i := range blocks {
		start := int(le.Uint32(starts[4*i:]))
		if start < header+4*blocks || start > w.end {
			return corrupt(name, "block %d starts at byte %d of %d", i, start, w.end)
		}
		at, n := i*blocksize, min(blocksize, total-i*blocksize)
		need := n + bloscSplits
		if i+1 < blocks {
			if next := int(le.Uint32(starts[4*i+4:])); next > start {
				need = min(need, next-start)
			}
		}
		from, err := w.from(start, need)
		if err == nil {
			err = decode(i, blocks, at, n, from)
		}
		if err != nil && len(from) < w.end-start { // the block may have more bytes
			if from, err = w.from(start, w.end-start); err == nil {
				err = decode(i, blocks, at, n, from)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// copied takes the bytes that a container stores as they are, from at to its end.
func (w *window) copied(dst []byte, rows *Rows, at int) error {
	for done := at; done < w.end; {
		b, err := w.from(done, min(w.end-done, readBytes))
		if err != nil {
			return err
		}
		if len(b) == 0 {
			return corrupt("blosc", "copied container breaks off at byte %d of %d", done, w.end)
		}
		if rows != nil {
			rows.Put(done-at, b)
		} else {
			copy(dst[done-at:], b)
		}
		done += len(b)
	}
	return nil
}

// bloscBlock decodes the splits at the start of src, each with its length before it, into dst.
func (s *Scratch) bloscBlock(dst, src []byte, splits int, decode func(dst, src []byte, s *Scratch) (int, error)) error {
	each := len(dst) / splits
	for j := range splits {
		if len(src) < 4 {
			return corrupt("blosc", "split %d is cut off", j)
		}
		n := int(int32(binary.LittleEndian.Uint32(src)))
		if n < 0 || n > len(src)-4 {
			return corrupt("blosc", "split %d has %d bytes, %d are left", j, n, len(src)-4)
		}
		part := dst[j*each : (j+1)*each : (j+1)*each]
		if n == each {
			copy(part, src[4:4+n])
		} else if got, err := decode(part, src[4:4+n], s); err != nil {
			return err
		} else if got != each {
			return corrupt("blosc", "split %d decoded to %d bytes, want %d", j, got, each)
		}
		src = src[4+n:]
	}
	return nil
}

func (bloscStage) Decode(dst, src []byte, s *Scratch) ([]byte, error) {
	n, err := s.Blosc(dst, src)
	if err != nil {
		return nil, err
	}
	return dst[:n], nil
}

// Bound implements Stage: a container stores blocks that do not get shorter as they are.
func (bloscStage) Bound(n int) int { return n + n/64 + 1024 }

// blosclz decodes a BloscLZ block (FastLZ level 2 with c-blosc's distances).
func blosclz(dst, src []byte) (int, error) {
	const maxDistance = 8191
	if len(src) == 0 {
		return 0, corrupt("blosclz", "no bytes")
	}
	op, ip := 0, 1
	ctrl := int(src[0] & 31)
	for {
		if ctrl < 32 {
			n := ctrl + 1
			if ip+n > len(src) || op+n > len(dst) {
				return op, corrupt("blosclz", "literal of %d bytes at byte %d of %d", n, ip, len(src))
			}
			copy(dst[op:], src[ip:ip+n])
			op += n
			ip += n
		} else {
			n, off := ctrl>>5-1, (ctrl&31)<<8
			for more := n == 6; more; {
				if ip >= len(src) {
					return op, corrupt("blosclz", "length is cut off")
				}
				n += int(src[ip])
				more = src[ip] == 255
				ip++
			}
			if ip >= len(src) {
				return op, corrupt("blosclz", "distance is cut off")
			}
			code := int(src[ip])
			ip++
			n += 3
			if code == 255 && off == 31<<8 {
				if ip+2 > len(src) {
					return op, corrupt("blosclz", "distance is cut off")
				}
				off, code = int(src[ip])<<8|int(src[ip+1]), maxDistance
				ip += 2
			}
			from := op - off - code - 1
			if from < 0 || op+n > len(dst) {
				return op, corrupt("blosclz", "match of %d bytes, %d back at byte %d of %d", n, op-from, op, len(dst))
			}
			for range n {
				dst[op] = dst[from]
				op++
				from++
			}
		}
		if ip >= len(src) {
			return op, nil
		}
		ctrl = int(src[ip])
		ip++
	}
}
