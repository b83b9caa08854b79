// SPDX-License-Identifier: BSD-3-Clause

package codec

import "encoding/binary"

// unzstd decodes Zstandard frames from one slice into another. Chunks are shuffled numbers: their matches are mostly runs, offsets
// shorter than a word, which the library copies byte by byte; here they are copied in words.
// Specification: RFC 8878.
type unzstd struct {
	literals []byte
	room     []byte // for decoded literals
	huff     huffRun
	weights  seqTable // of a tree
	rep      [3]int
	run      seqRun
	short    [16]byte      // a stream of bits that is shorter than a word
	tree     bool          // huff has the code of an earlier block of the frame
	sink     func(end int) // told after each block how many bytes there are
}

// Block types of a frame, and of its literals.
const (
	zstdRaw = iota
	zstdRLE
	zstdCompressed
	zstdTreeless
)

const (
	zstdMagic    = 0xfd2fb528
	zstdSkip     = 0x184d2a50 // to ...5f
	zstdMaxBlock = 128 << 10
)

// decode decodes the frames in src into dst and returns the bytes written.
func (z *unzstd) decode(dst, src []byte) (n int, err error) {
	for len(src) > 0 {
		if len(src) >= 8 && binary.LittleEndian.Uint32(src)&^15 == zstdSkip {
			size := int64(binary.LittleEndian.Uint32(src[4:]))
			if size > int64(len(src)-8) {
				return n, corrupt("zstd", "a skipped frame of %d bytes is cut off", size)
			}
			src = src[8+size:]
			continue
		}
		var used int
		if n, used, err = z.frame(dst, n, src); err != nil {
			return n, err
		}
		src = src[used:]
	}
	return n, nil
}

// frame decodes one frame behind the n bytes dst has.
func (z *unzstd) frame(dst []byte, n int, src []byte) (end, used int, err error) {
	start, size, p := n, uint64(0), 5
	if len(src) < 6 || binary.LittleEndian.Uint32(src) != zstdMagic || src[4]&8 != 0 {
		return n, 0, corrupt("zstd", "no frame at %d bytes from the end", len(src))
	}
	kind, single, sum := src[4]>>6, src[4]&0x20 != 0, src[4]&4 != 0
	if !single {
		p++ // the window: all of the output is at hand
	}
	names := [4]int{0, 1, 2, 4}[src[4]&3]
	width := [4]int{0, 2, 4, 8}[kind]
	if kind == 0 && single {
		width = 1
	}
	if len(src) < p+names+width {
		return n, 0, corrupt("zstd", "header is cut off")
	}
	for _, b := range src[p : p+names] {
		if b != 0 {
			return n, 0, corrupt("zstd", "it wants the dictionary % x, chunks have none", src[p:p+names])
		}
	}
	p += names
	for i := range width {
		size |= uint64(src[p+i]) << (8 * i)
	}
	if kind == 1 {
		size += 256
	}
	p += width
	if most := uint64(len(src)-p) / 4 * zstdMaxBlock; size > most { // a block has four bytes or none
		return n, 0, corrupt("zstd", "frame of %d bytes in %d, want at most %d", size, len(src), most)
	}
	if width > 0 && size > uint64(len(dst)-n) {
		return n, 0, full("zstd", "frame of %d bytes, want at most %d", size, len(dst)-n)
	}
	z.tree, z.rep = false, [3]int{1, 4, 8}
	for i := range z.run.tables {
		z.run.tables[i].set = false
	}
	for last := false; !last; {
		if len(src) < p+3 {
			return n, 0, corrupt("zstd", "block header is cut off")
		}
		head := int(src[p]) | int(src[p+1])<<8 | int(src[p+2])<<16
		p += 3
		last = head&1 != 0
		length, kind := head>>3, head>>1&3
		stored := length
		if kind == zstdRLE {
			stored = 1
		}
		if kind > zstdCompressed || length > zstdMaxBlock || stored > len(src)-p {
			return n, 0, corrupt("zstd", "block of kind %d with %d bytes, %d are left", kind, length, len(src)-p)
		}
		if kind != zstdCompressed && length > len(dst)-n {
			return n, 0, full("zstd", "decoded to more than %d bytes", len(dst))
		}
		body := src[p : p+stored]
		p += stored
		switch kind {
		case zstdRaw:
			n += copy(dst[n:], body)
		case zstdRLE:
			repeatByte(dst[n:n+length], body[0])
			n += length
		default:
			if n, err = z.block(dst, start, n, body); err != nil {
				return n, 0, err
			}
		}
		if z.sink != nil {
			z.sink(n)
		}
	}
	if width > 0 && uint64(n-start) != size {
		return n, 0, corrupt("zstd", "frame decoded to %d bytes, it says %d", n-start, size)
	}
	if sum {
		if len(src) < p+4 {
			return n, 0, corrupt("zstd", "checksum is cut off")
		}
		if got, want := uint32(xxh64(dst[start:n])), binary.LittleEndian.Uint32(src[p:]); got != want {
			return n, 0, corrupt("zstd", "checksum is %08x, want %08x", got, want)
		}
		p += 4
	}
	return n, p, nil
}

// block decodes a compressed block behind the n bytes dst has; start is where its frame begins there.
func (z *unzstd) block(dst []byte, start, n int, src []byte) (int, error) {
	src, err := z.readLiterals(src)
	if err != nil {
		return n, err
	}
	if len(src) == 0 {
		return n, corrupt("zstd", "a block without its sequences")
	}
	count, p := int(src[0]), 1
	switch {
	case count == 255 && len(src) >= 3:
		count, p = int(src[1])+int(src[2])<<8+0x7f00, 3
	case count >= 128 && len(src) >= 2 && count != 255:
		count, p = (count-128)<<8+int(src[1]), 2
	case count >= 128:
		return n, corrupt("zstd", "number of sequences is cut off")
	}
	most := min(len(dst), n+zstdMaxBlock)
	if count == 0 {
		if p != len(src) {
			return n, corrupt("zstd", "%d bytes behind a block without sequences", len(src)-p)
		}
		if len(z.literals) > most-n {
			return n, full("zstd", "decoded to more than %d bytes", len(dst))
		}
		return n + copy(dst[n:], z.literals), nil
	}
	if len(src) < p+1 {
		return n, corrupt("zstd", "modes of the sequences are cut off")
	}
	modes := src[p]
	if modes&3 != 0 {
		return n, corrupt("zstd", "modes of the sequences %#x", modes)
	}
	src = src[p+1:]
	for i := range z.run.tables {
		if src, err = z.run.tables[i].read(i, modes>>(6-2*i)&3, src); err != nil {
			return n, err
		}
	}
	return z.sequences(dst[:most], start, n, src, count)
}

// repeatByte fills b.
func repeatByte(b []byte, c byte) {
	if len(b) > 0 {
		b[0] = c
		copyMatch(b, 1, 1, len(b)-1)
	}
}
