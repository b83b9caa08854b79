// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"math/bits"
)

const (
	// what a match costs beside the bits of its offset, in bits: its symbols
	zstdMatchBits, zstdRepeatBits = 9, 6
	// costs of literals are in parts of a bit.
	literalCostBit = 16
)

// saved returns how many parts of a bit a match saves, by what literals cost.
func (m *zstdMatcher) saved(n, offset int) int {
	if offset == m.rep[0] {
		return n*m.literal - zstdRepeatBits*literalCostBit
	}
	return n*m.literal - (zstdMatchBits+bits.Len(uint(offset)))*literalCostBit
}

// Places with the same hash are in a row: a byte of the hash for each, the first of which says where the newest is instead, and where
// they are. Only those with the same byte are looked at.
const (
	leastRowBits, mostRowBits = 4, 6
	// of positions behind a long match, only as many at both ends are put into the rows
	rowsAhead, rowsBehind = 96, 32
)

// row returns the row of the bytes v, and their tag.
func (m *zstdMatcher) row(v uint64) (row int, tag uint8) {
	h := v << (m.left & 63) * prime64 >> (m.right & 63)
	return int(h>>8) << (m.effort.row & 63), uint8(h)
}

// insert puts the positions before p into the rows.
func (m *zstdMatcher) insert(p int) {
	if p-m.next > 4*(rowsAhead+rowsBehind) {
		end := m.next + rowsAhead
		m.insert(end)
		m.next = p - rowsBehind
	}
	mask := uint8(1<<m.effort.row - 1)
	for q := m.next; q < p; q++ {
		row, tag := m.row(load64(m.src, q))
		tags := m.tags[row : row+1<<leastRowBits]
		at := tags[0] - 1
		if at&mask == 0 {
			at = mask
		}
		at &= mask
		tags[0] = at
		m.tags[row+int(at)] = tag
		m.short[row+int(at)] = m.base + uint32(q)
	}
	m.next = max(m.next, p)
}

// sameTags returns a bit for each of the bytes of a row that is tag, and maybe for others.
func sameTags(tags []uint8, tag uint8) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	same, all := uint64(0), uint64(tag)*ones
	for i := 0; i+8 <= len(tags); i += 8 {
		x := binary.LittleEndian.Uint64(tags[i:]) ^ all
		same |= (x - ones) & ^x & tops >> 7 * 0x0102040810204080 >> 56 << (i & 63)
	}
	return same
}

// find returns the match at p that saves most, more than least; a length of 0 is none.
func (m *zstdMatcher) find(p, least, depth int) (n, offset, saved int) {
	m.insert(p)
	src, limit := m.src, m.stop-p
	v := load64(src, p)
	saved = least
	best := 3
	if r := m.rep[0]; r > 0 && load32(src, p-r) == uint32(v) {
		k := 4 + matchLength(src, p-r+4, p+4, limit-4)
		if s := m.saved(k, r); s > saved {
			n, offset, saved, best = k, r, s, k
			if k >= m.effort.content || k == limit {
				return
			}
		}
	}
	row, tag := m.row(v)
	size := 1 << m.effort.row
	tags := m.tags[row : row+size]
	at := uint(tags[0]) & uint(size-1)
	same := sameTags(tags, tag) &^ 1
	same = (same>>at | same<<(uint(size)-at)) & (1<<size - 1) // the newest first
	place := m.base + uint32(p)
	places := m.short[row : row+size]
	for ; same != 0 && depth > 0; depth-- {
		i := (uint(bits.TrailingZeros64(same)) + at) & uint(size-1)
		same &= same - 1
		back := place - places[i]
		if back > m.window {
			break
		}
		from := p - int(back)
		if load32(src, from+best-3) != load32(src, p+best-3) {
			continue
		}
		if k := matchLength(src, from, p, limit); k > best {
			if s := m.saved(k, int(back)); s > saved {
				n, offset, saved = k, int(back), s
			}
			best = k
			if k >= m.effort.content || k == limit {
				break
			}
		}
	}
	return
}

// lazily makes sequences as fast does. It looks at many earlier places, takes of their matches that which saves most, and looks whether there is
// a better one at the next positions.
func (m *zstdMatcher) lazily(p, end int) (at, tail int) {
	src, e := m.src, m.effort
	last := min(end, m.stop-zstdMargin, len(src)-zstdMargin)
	from := p
	for p < last {
		n, offset, saved := m.find(p, 0, e.depth)
		if n == 0 {
			step := 1 + min(p-from+m.idle, 1<<13)>>8
			p += step
			if step > 8 {
				m.next = max(m.next, p) // nobody looks there
			}
			continue
		}
		for ahead := 1; ahead <= e.lazy && n < e.content && p+ahead < last; ahead++ {
			k, o, s := m.find(p+ahead, saved, e.depth)
			if k > 0 {
				p += ahead
				n, offset, saved, ahead = k, o, s, 0
			}
		}
		more := matchedBefore(src, from, p, offset)
		p, n = p-more, n+more
		if offset != m.rep[0] {
			m.rep = [2]int{offset, m.rep[0]}
		}
		m.emit(from, p, n, offset)
		p += n
		from, m.idle = p, 0
		for r := m.rep[1]; r > 0 && p < last && load32(src, p) == load32(src, p-r); r = m.rep[1] {
			n := 4 + matchLength(src, p+4-r, p+4, m.stop-p-4)
			m.rep[0], m.rep[1] = r, m.rep[0]
			m.emit(p, p, n, r)
			p += n
			from = p
		}
	}
	p = max(from, end)
	m.idle += p - from
	return m.tail(from, p)
}
