// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

const (
	// zstdSegment is how many bytes are looked at together when it is decided where a block ends.
	zstdSegment = 16 << 10
	// zstdMargin is how far before the end of a block or of the bytes the last match starts: words are read.
	zstdMargin = 16
	// zstdPiece is how much has positions of its own, so that they fit.
	zstdPiece = 1 << 30
	// blockHeaderBits is about what the descriptions of a block's codes take.
	blockHeaderBits = 1000 * logOne
)

// zstdSequence is a number of literals and the match behind them.
type zstdSequence struct{ literals, length, offset uint32 }

// zstdPacker packs slices as Zstandard frames. It finds matches segment by segment, and ends a block where joining the next segment would
// cost more than the headers of another one, which is where byte planes of shuffled numbers meet. The zero value is ready; it is not safe
// for concurrent use. Specification: RFC 8878.
type zstdPacker struct {
	zstdMatcher
	out   []byte
	body  []byte      // of a block
	block [256]uint32 // how often each literal of the block occurs, but for the last segment's
	last  [256]uint32 // of the last segment

	huff  huffWriter
	seq   seqWriter
	first bool // the block is the first of its frame
}

// pack appends the frame of src at one of zstd's levels; with a checksum where crc is set.
func (z *zstdPacker) pack(dst, src []byte, level int, crc bool) []byte {
	z.out = zstdHeader(slices.Grow(dst, len(src)/4+64), len(src), crc)
	z.first, z.effort = true, zstdEffortOf(level)
	z.huff.begin(z.effort)
	z.seq.begin()
	if len(src) == 0 {
		z.out = zstdBlockHeader(z.out, true, zstdRaw, 0)
	}
	for rest := src; len(rest) > 0; {
		piece := rest[:min(len(rest), zstdPiece)]
		rest = rest[len(piece):]
		z.piece(piece, len(rest) == 0)
	}
	if crc {
		z.out = binary.LittleEndian.AppendUint32(z.out, uint32(xxh64(src)))
	}
	out := z.out
	z.out, z.src = nil, nil
	return out
}

// zstdWindowBits is how far matches reach back: as long as the chunk, which is all that can be used; 4 MiB at most bounds the memory of decoders.
func zstdWindowBits(n int) int { return min(max(bits.Len(uint(max(n, 1)-1)), 10), 22) }

// zstdHeader appends the header of a frame of n bytes. What fits the window is one segment: its size is the window.
func zstdHeader(dst []byte, n int, crc bool) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, zstdMagic)
	sum := byte(0)
	if crc {
		sum = 4
	}
	single := byte(0)
	if n <= 1<<zstdWindowBits(n) {
		single = 0x20
	}
	kind := byte(0)
	switch {
	case n >= 1<<32:
		kind = 3
	case n >= 256+1<<16:
		kind = 2
	case n >= 256:
		kind = 1
	}
	dst = append(dst, kind<<6|single|sum)
	if single == 0 {
		dst = append(dst, byte(zstdWindowBits(n)-10)<<3)
	}
	switch kind {
	case 3:
		return binary.LittleEndian.AppendUint64(dst, uint64(n))
	case 2:
		return binary.LittleEndian.AppendUint32(dst, uint32(n))
	case 1:
		return binary.LittleEndian.AppendUint16(dst, uint16(n-256))
	}
	return append(dst, byte(n)) // always a single segment
}

// zstdBlockHeader appends the header of a block.
func zstdBlockHeader(dst []byte, last bool, kind, size int) []byte {
	h := kind<<1 | size<<3
	if last {
		h |= 1
	}
	return append(dst, byte(h), byte(h>>8), byte(h>>16))
}

// piece packs src, and looks for matches nowhere else.
func (z *zstdPacker) piece(src []byte, final bool) {
	z.lits = Grow(z.lits, zstdMaxBlock+64)
	z.begin(src)
	if z.effort.tree {
		z.learn(src)
	}
	z.seqs, z.lits = z.seqs[:0], z.lits[:0]
	clear(z.block[:])
	start, cost, tail := 0, int64(0), 0 // of the block: its first byte, its bits, its literals behind the last match
	for p := 0; p < len(src); {
		at, done, known := p, len(z.seqs), len(z.lits)
		z.rebase(p)
		z.stop = min(start+zstdMaxBlock, len(src))
		more := 0
		p, more = z.effort.parse(&z.zstdMatcher, p, min(p+zstdSegment, z.stop))
		z.last = [256]uint32{}
		countBytes(&z.last, z.lits[known:])
		alone, both := deflateTable().joinedBits(z.last[:], z.block[:])
		if n := len(z.lits) - known; n >= 64 {
			z.literal = max(int(alone*literalCostBit/logOne)/n, literalCostBit/2)
		}
		if at > start && both > cost+alone+blockHeaderBits {
			// the segment begins a block
			z.write(src[start:at], z.lits[:known], z.seqs[:done], false)
			z.seqs = z.seqs[:copy(z.seqs, z.seqs[done:])]
			z.lits = z.lits[:copy(z.lits, z.lits[known:])]
			start, cost, tail = at, alone, more
			z.block = z.last
		} else {
			if done < len(z.seqs) {
				z.seqs[done].literals += uint32(tail)
				tail = 0
			}
			tail += more
			cost = both
			for i, n := range z.last {
				z.block[i] += n
			}
		}
		if p == len(src) || p-start >= zstdMaxBlock {
			z.write(src[start:p], z.lits, z.seqs, final && p == len(src))
			z.seqs, z.lits = z.seqs[:0], z.lits[:0]
			start, cost, tail = p, 0, 0
			clear(z.block[:])
		}
	}
}

// learn sets what prices are made from by trials of the first block: in one bytes cost by how often they are there, which suits numbers without
// matches; in the other all cost the same, so that matches are tried that pay once they are frequent.
func (z *zstdPacker) learn(src []byte) {
	z.stop = min(len(src), zstdMaxBlock)
	best, least := zstdCounts{}, int64(-1)
	for _, flat := range [...]bool{false, true} {
		z.prices.usual()
		if !flat {
			countBytes(&z.prices.bytes, src[:z.stop])
			for i := range z.prices.bytes {
				z.prices.bytes[i] /= 64
			}
		}
		z.seqs, z.lits = z.seqs[:0], z.lits[:0]
		for p := 0; p < z.stop; {
			p, _ = z.cheapest(p, z.stop)
		}
		z.last = [256]uint32{}
		countBytes(&z.last, z.lits)
		if cost := entropy(z.last[:]) + z.seq.entropy(z.seqs); least < 0 || cost < least {
			best, least = z.prices.zstdCounts, cost
		}
		z.begin(src) // what is in the tables is out of reach
	}
	z.prices.zstdCounts = best
}

// write writes the block src: compressed, or as it is where that is not longer, or as one byte repeated.
func (z *zstdPacker) write(src, lits []byte, seqs []zstdSequence, last bool) {
	z.idle = 0
	// decoders before 1.4.4 do not take a first block that repeats one byte
	if !z.first && len(seqs) <= 1 && bytes.Equal(src[1:], src[:len(src)-1]) {
		z.out = append(zstdBlockHeader(z.out, last, zstdRLE, len(src)), src[0])
		return
	}
	z.first = false
	z.body = Grow(z.body, len(lits)+10*len(seqs)+1024) // a sequence takes 79 bits at most
	body := z.seq.write(z.huff.write(z.body[:0], lits, &z.block), seqs)
	if len(body) < len(src) {
		z.out = append(zstdBlockHeader(z.out, last, zstdCompressed, len(body)), body...)
		z.huff.stored()
		z.seq.stored()
		return
	}
	z.out = append(zstdBlockHeader(z.out, last, zstdRaw, len(src)), src...)
}

// countBytes counts bytes.
func countBytes(counts *[256]uint32, b []byte) {
	// one count is not read back that was just written
	var other [3][256]uint32
	for ; len(b) >= 8; b = b[8:] {
		v := binary.LittleEndian.Uint64(b)
		counts[byte(v)]++
		other[0][byte(v>>8)]++
		other[1][byte(v>>16)]++
		other[2][byte(v>>24)]++
		counts[byte(v>>32)]++
		other[0][byte(v>>40)]++
		other[1][byte(v>>48)]++
		other[2][byte(v>>56)]++
	}
	for _, c := range b {
		counts[c]++
	}
	for i := range counts {
		counts[i] += other[0][i] + other[1][i] + other[2][i]
	}
}

// zstdState is how much memory a packer keeps that has packed n bytes at a level.
func zstdState(level, n int) int {
	e := zstdEffortOf(level)
	long, short := e.tables(n)
	tables := 4 * (long + short)
	if e.row > 0 {
		tables += short
	}
	if e.tree {
		tables += 32 * (pricedPart + e.content)
	}
	// a block: its literals, its sequences, what these become and what is written
	block := min(n, zstdMaxBlock)
	return tables + 13*block + 256<<10
}
