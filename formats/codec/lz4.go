// SPDX-License-Identifier: BSD-3-Clause

package codec

import "encoding/binary"

// Limits of LZ4 blocks (lz4_Block_format.md): matches are of four bytes or more, the last starts 12 bytes before the end or earlier and
// ends five before it or earlier.
const (
	lz4Shortest = 4
	lz4LastAt   = 12
	lz4LastEnd  = 5
	lz4Window   = 1<<16 - 1
	lz4HashBits = 12
	// after as many positions in vain (a power of 2) a search goes on by one byte more
	lz4Patience = 6
	// blocks have at most as many bytes: positions fit
	lz4Most = 0x7e000000
)

// lz4Packer packs LZ4 blocks.
type lz4Packer struct {
	recent [1 << lz4HashBits]uint32 // where five bytes of each hash were last
}

// lz4Bound is how many bytes a block of n may take.
func lz4Bound(n int) int { return n + n/255 + 16 }

func lz4Hash(v uint64) uint64 { return v << 24 * 889523592379 >> (64 - lz4HashBits) }

// pack packs src into dst, which has lz4Bound of it, and returns the bytes of the block. It looks at every position, or with more haste at one in
// so many.
func (z *lz4Packer) pack(dst, src []byte, haste int) int {
	n, anchor := 0, 0
	if len(src) > lz4LastAt && len(src) <= lz4Most {
		clear(z.recent[:])
		last, end := len(src)-lz4LastAt, len(src)-lz4LastEnd
		for p := 1; ; {
			// look for four bytes that were there before
			ref := 0
			for vain := haste << lz4Patience; ; vain++ {
				if p > last {
					return n + lz4Literals(dst[n:], src[anchor:])
				}
				v := load64(src, p)
				h := lz4Hash(v)
				ref = int(z.recent[h])
				z.recent[h] = uint32(p)
				if load32(src, ref) == uint32(v) && p-ref <= lz4Window {
					break
				}
				p += vain >> lz4Patience
			}
			for p > anchor && ref > 0 && src[p-1] == src[ref-1] {
				p--
				ref--
			}
			// matches that follow each other have no literals between them
			for {
				length := lz4Shortest + matchLength(src, ref+lz4Shortest, p+lz4Shortest, end-p-lz4Shortest)
				n += lz4Sequence(dst[n:], src[anchor:], p-anchor, length-lz4Shortest, p-ref)
				p += length
				anchor = p
				if p > last {
					return n + lz4Literals(dst[n:], src[anchor:])
				}
				z.recent[lz4Hash(load64(src, p-2))] = uint32(p - 2)
				v := load64(src, p)
				h := lz4Hash(v)
				ref = int(z.recent[h])
				z.recent[h] = uint32(p)
				if load32(src, ref) != uint32(v) || p-ref > lz4Window {
					break
				}
			}
			p++
		}
	}
	return n + lz4Literals(dst[n:], src[anchor:])
}

// lz4Sequence writes literals, the first of src, and a match, whose length is without the least, and returns how many bytes that are.
func lz4Sequence(dst, src []byte, literals, length, offset int) int {
	n := 1
	token := byte(min(length, 15))
	if literals < 15 {
		token |= byte(literals) << 4
		// at least 12 bytes are behind the literals, and a block of those that are left has room
		binary.LittleEndian.PutUint64(dst[1:], binary.LittleEndian.Uint64(src))
		if literals > 8 {
			binary.LittleEndian.PutUint64(dst[9:], binary.LittleEndian.Uint64(src[8:]))
		}
		n += literals
	} else {
		token |= 15 << 4
		n += lz4PutLength(dst[1:], literals-15)
		n += copy(dst[n:], src[:literals])
	}
	dst[0] = token
	binary.LittleEndian.PutUint16(dst[n:], uint16(offset))
	n += 2
	if length >= 15 {
		n += lz4PutLength(dst[n:], length-15)
	}
	return n
}

// lz4Literals writes the literals that end a block.
func lz4Literals(dst, src []byte) int {
	dst[0] = byte(min(len(src), 15)) << 4
	n := 1
	if len(src) >= 15 {
		n += lz4PutLength(dst[1:], len(src)-15)
	}
	return n + copy(dst[n:], src)
}

// lz4PutLength writes what a length has beyond its four bits.
func lz4PutLength(dst []byte, n int) int {
	i := 0
	for ; n >= 255; n -= 255 {
		dst[i] = 255
		i++
	}
	dst[i] = byte(n)
	return i + 1
}
