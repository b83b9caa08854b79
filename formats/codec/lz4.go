// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"math/bits"
)

// Limits of LZ4 blocks (lz4_Block_format.md): matches are of four bytes or more, the last starts 12 bytes before the end or earlier and
// ends five before it or earlier.
const (
	lz4Shortest = 4
	lz4LastAt   = 12
	lz4LastEnd  = 5
	lz4Window   = 1<<16 - 1
	lz4HashBits = 12
	// matches that start as close to the last place are left to Go: the assembly takes and puts whole words.
	lz4Slack = 48
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

// lz4Packing is the state between the sequences of a block, in the order the assembly knows.
type lz4Packing struct {
	dst       *byte
	n         int // bytes of the block
	src       *byte
	p, anchor int // the next position, and where the literals before it start
	vain      int // what the next step is made of, while no match is found
	start     int // what vain is behind a match
	behind    int // 1: p is right behind a match
	last, end int // where a match may start and end
	recent    *uint32
}

// pack packs src into dst, which has lz4Bound of it, and returns the bytes of the block. It looks at every position, or with more haste at one in
// so many.
func (z *lz4Packer) pack(dst, src []byte, haste int) int {
	s, ok := z.begin(dst, src, haste)
	if !ok {
		return lz4Literals(dst, src)
	}
	if haveSequences && len(src) > 2*lz4Slack {
		s.last -= lz4Slack
		lz4Matches(&s)
		s.last += lz4Slack
	}
	return z.finish(dst, src, &s)
}

// begin returns the state in the beginning; ok is false where a block has no matches.
func (z *lz4Packer) begin(dst, src []byte, haste int) (s lz4Packing, ok bool) {
	if len(src) <= lz4LastAt || len(src) > lz4Most {
		return s, false
	}
	clear(z.recent[:])
	start := haste << lz4Patience
	return lz4Packing{dst: &dst[0], src: &src[0], p: 1, vain: start, start: start, last: len(src) - lz4LastAt, end: len(src) - lz4LastEnd, recent: &z.recent[0]}, true
}

// finish makes the sequences from s on to the end, and returns the bytes of the block.
func (z *lz4Packer) finish(dst, src []byte, s *lz4Packing) int {
	n, p, anchor, vain, last, end := s.n, s.p, s.anchor, s.vain, s.last, s.end
	behind := s.behind != 0
	for p <= last {
		if behind {
			z.recent[lz4Hash(load64(src, p-2))] = uint32(p - 2)
		}
		v := load64(src, p)
		h := lz4Hash(v)
		ref := int(z.recent[h])
		z.recent[h] = uint32(p)
		if load32(src, ref) != uint32(v) || p-ref > lz4Window {
			if behind {
				p, vain, behind = p+1, s.start, false
				continue
			}
			p += vain >> lz4Patience
			vain++
			continue
		}
		if !behind { // matches that follow each other have no literals between them
			p, ref = lz4Back(src, anchor, p, ref)
		}
		length := lz4Shortest + matchLength(src, ref+lz4Shortest, p+lz4Shortest, end-p-lz4Shortest)
		n += lz4Sequence(dst[n:], src[anchor:], p-anchor, length-lz4Shortest, p-ref)
		p += length
		anchor, behind = p, true
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

// lz4Back moves a match back over literals, from anchor on, that are the same as the bytes before the earlier place.
func lz4Back(src []byte, anchor, p, ref int) (int, int) {
	for ref >= 8 {
		same := min(bits.LeadingZeros64(load64(src, p-8)^load64(src, ref-8))/8, p-anchor)
		p, ref = p-same, ref-same
		if same < 8 {
			return p, ref
		}
	}
	for p > anchor && ref > 0 && src[p-1] == src[ref-1] {
		p--
		ref--
	}
	return p, ref
}
