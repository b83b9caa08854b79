// SPDX-License-Identifier: BSD-3-Clause

package codec

import "math/bits"

// zstdEffort says how a level looks for matches.
type zstdEffort struct {
	parse       func(m *zstdMatcher, p, end int) (at, tail int)
	long, short int  // bits of the tables
	row         int  // bits of the number of places with the same hash
	bytes       int  // that a position in the short table has in common with another
	tree        bool // the cheapest way is looked for, with all places in trees
	depth       int  // how many earlier places are looked at
	lazy        int  // how many positions further there may be a better match
	content     int  // length of matches that are not improved
}

// zstdEfforts are those of the levels; 0 is no level.
var zstdEfforts = [...]zstdEffort{
	1:  {parse: (*zstdMatcher).fast, short: 14, bytes: 6},
	2:  {parse: (*zstdMatcher).fast, short: 17, bytes: 6},
	3:  {parse: (*zstdMatcher).double, long: 17, short: 16, bytes: 5},
	4:  {parse: (*zstdMatcher).double, long: 18, short: 18, bytes: 5},
	5:  {parse: (*zstdMatcher).lazily, short: 19, row: 4, bytes: 5, depth: 16, lazy: 0, content: 64},
	6:  {parse: (*zstdMatcher).lazily, short: 19, row: 4, bytes: 5, depth: 16, lazy: 1, content: 64},
	7:  {parse: (*zstdMatcher).lazily, short: 19, row: 4, bytes: 5, depth: 16, lazy: 1, content: 64},
	8:  {parse: (*zstdMatcher).lazily, short: 19, row: 4, bytes: 5, depth: 16, lazy: 2, content: 128},
	9:  {parse: (*zstdMatcher).lazily, short: 20, row: 4, bytes: 5, depth: 16, lazy: 2, content: 128},
	10: {parse: (*zstdMatcher).lazily, short: 21, row: 5, bytes: 5, depth: 32, lazy: 2, content: 256},
	11: {parse: (*zstdMatcher).lazily, short: 21, row: 6, bytes: 5, depth: 64, lazy: 2, content: 256},
	12: {parse: (*zstdMatcher).lazily, short: 22, row: 6, bytes: 5, depth: 64, lazy: 2, content: 256},
	13: {parse: (*zstdMatcher).lazily, short: 22, row: 6, bytes: 5, depth: 64, lazy: 2, content: 256},
	14: {parse: (*zstdMatcher).cheapest, long: 23, tree: true, depth: 16, content: 48},
	15: {parse: (*zstdMatcher).cheapest, long: 23, tree: true, depth: 16, content: 48},
	16: {parse: (*zstdMatcher).cheapest, long: 23, tree: true, depth: 32, content: 48},
	17: {parse: (*zstdMatcher).cheapest, long: 23, tree: true, depth: 32, content: 64},
	18: {parse: (*zstdMatcher).cheapest, long: 23, tree: true, depth: 64, content: 64},
	19: {parse: (*zstdMatcher).cheapest, long: 23, tree: true, depth: 128, content: 256},
	20: {parse: (*zstdMatcher).cheapest, long: 23, tree: true, depth: 128, content: 256},
	21: {parse: (*zstdMatcher).cheapest, long: 23, tree: true, depth: 128, content: 512},
	22: {parse: (*zstdMatcher).cheapest, long: 23, tree: true, depth: 512, content: 999},
}

func zstdEffortOf(level int) *zstdEffort {
	if level == 0 {
		level = 3
	}
	return &zstdEfforts[max(level, 1)]
}

// tagged is whether tables have a byte of the hash above each place.
func (e *zstdEffort) tagged() bool { return e.row == 0 && !e.tree }

// table is the length of a table of so many bits for n bytes: not much longer than those.
func (e *zstdEffort) table(width, n int) int {
	if width == 0 {
		return 0
	}
	return 1 << min(width, max(bits.Len(uint(n)), 8))
}

// tables are the lengths of the tables for n bytes.
func (e *zstdEffort) tables(n int) (long, short int) {
	if e.tree {
		return e.table(e.long, n), 2 << zstdWindowBits(n)
	}
	return e.table(e.long, n), e.table(e.short, n)
}

// zstdMatcher turns bytes into sequences.
type zstdMatcher struct {
	effort      *zstdEffort
	src         []byte
	made        *zstdEffort    // what the tables are of: others have places in another form
	size        int            // of what was packed last
	seqs        []zstdSequence // of the block
	lits        []byte         // of the block; there is room for a block and a few words
	stop        int            // where the block ends at the latest
	window      uint32
	base        uint32   // of positions in the tables: what is there from before is farther away than the window
	rep         [2]int   // the last offsets of matches
	idle        int      // bytes since the last match of earlier segments
	long        []uint32 // where bytes of each hash were last, eight of them and fewer; or rows of places
	short       []uint32
	tags        []uint8     // of the rows
	left, right uint        // how far bytes and their hash are shifted
	next        int         // the first position that is not in the rows
	literal     int         // what a literal costs, in parts of a bit
	prices      *zstdPrices // of the levels that look for the cheapest way
}

// begin makes m ready for src, of which the tables know nothing.
func (m *zstdMatcher) begin(src []byte) {
	e := m.effort
	used := uint64(m.base) + uint64(m.size) // what the tables have is before
	m.src, m.size, m.window = src, len(src), 1<<zstdWindowBits(len(src))
	m.rep, m.idle = [2]int{}, 0
	long, short := e.tables(len(src))
	m.next, m.literal = 0, 6*literalCostBit
	next, limit := used+uint64(m.window)+1, uint64(placeLimit)-4*zstdMaxBlock
	if !e.tagged() {
		limit = 1<<32 - 1 - uint64(len(src))
	}
	if next >= limit || m.made != e || len(m.long) != long || len(m.short) != short {
		m.made = e
		m.long, m.short = resized(m.long, long), resized(m.short, short)
		next = uint64(m.window) + 1
	}
	m.base = uint32(next)
	if e.tree {
		m.right = uint(33 - bits.Len(uint(long/2)))
		if m.prices == nil {
			m.prices = new(zstdPrices)
		}
		m.prices.rep = [3]uint32{1, 4, 8}
	}
	if e.row > 0 {
		m.left, m.right = uint(64-8*e.bytes), uint(64-bits.Len(uint(short-1))+e.row-8)
		if len(m.tags) != short {
			m.tags = make([]uint8, short)
		}
	}
}

// resized returns a table of n zeros.
func resized(t []uint32, n int) []uint32 {
	if cap(t) < n {
		return make([]uint32, n)
	}
	t = t[:n]
	clear(t)
	return t
}

// emit makes a sequence of the literals from place from to p and a match there.
func (m *zstdMatcher) emit(from, p, length, offset int) {
	n, at := p-from, len(m.lits)
	m.seqs = append(m.seqs, zstdSequence{uint32(n), uint32(length), uint32(offset)})
	m.lits = m.lits[:at+n]
	if n <= 16 {
		*(*[16]byte)(m.lits[at : at+16]) = *(*[16]byte)(m.src[from : from+16])
		return
	}
	copy(m.lits[at:], m.src[from:p])
}

// tail ends a segment at p with the literals from place from on.
func (m *zstdMatcher) tail(from, p int) (at, tail int) {
	m.lits = append(m.lits, m.src[from:p]...)
	return p, p - from
}

// Tables have places above a byte of the hash: what has another one is not looked at, which would mostly wait for memory.
const placeLimit = 1 << 24

// rebase makes place p the first behind a window, where places come near their limit.
func (m *zstdMatcher) rebase(p int) {
	if !m.effort.tagged() || m.base+uint32(p) < placeLimit-2*zstdMaxBlock {
		return
	}
	less := m.base + uint32(p) - m.window - 1
	m.base -= less
	for _, t := range [...][]uint32{m.long, m.short} {
		for i, e := range t {
			t[i] = e - min(e>>8, less)<<8
		}
	}
}

// prime64 mixes bytes.
const prime64 = 0x9E3779B185EBCA87

// matchedBefore returns how many of the bytes between from and p, which p follows, are those offset before them.
func matchedBefore(src []byte, from, p, offset int) int {
	at := p
	for at > from && at > offset && src[at-1] == src[at-1-offset] {
		at--
	}
	return p - at
}

// fast makes sequences of the bytes from p on until one ends at or behind end, and returns where, and how many literals are behind the last
// match. It looks at one earlier place for a position, and at fewer positions where there were none for long.
func (m *zstdMatcher) fast(p, end int) (at, tail int) {
	src, table := m.src, m.short
	last := min(end, m.stop-zstdMargin, len(src)-zstdMargin)
	from, base, window := p, m.base, m.window
	left, right := uint(64-8*m.effort.bytes)&63, uint(64-8-bits.Len(uint(len(table)-1)))&63
	rep, rep2, idle := m.rep[0], m.rep[1], m.idle
	for p < last {
		v := load64(src, p)
		h := v << left * prime64 >> right
		slot := &table[h>>8]
		place, known := base+uint32(p), *slot
		*slot = place<<8 | uint32(h&255)
		offset := 0
		if rep > 0 && load32(src, p+1-rep) == uint32(v>>8) {
			p++
			offset = rep
		} else if back := place - known>>8; byte(known) == byte(h) && back <= window && load32(src, p-int(back)) == uint32(v) {
			offset = int(back)
		} else {
			p += 1 + min(p-from+idle, 1<<13)>>7
			continue
		}
		n := 4 + matchLength(src, p+4-offset, p+4, m.stop-p-4)
		found := p
		more := matchedBefore(src, from, p, offset)
		p, n = p-more, n+more
		if offset != rep {
			if n < 8 && n*m.literal < (zstdMatchBits+bits.Len(uint(offset)))*literalCostBit {
				p = found + 1
				continue // its literals cost less
			}
			rep, rep2 = offset, rep
		}
		m.emit(from, p, n, offset)
		idle = 0
		start := p
		p += n
		from = p
		if p >= last {
			break
		}
		for _, q := range [...]int{start + 2, p - 2} {
			h := load64(src, q) << left * prime64 >> right
			table[h>>8] = (base+uint32(q))<<8 | uint32(h&255)
		}
		// one match right behind another
		for rep2 > 0 && p < last && load32(src, p) == load32(src, p-rep2) {
			n := 4 + matchLength(src, p+4-rep2, p+4, m.stop-p-4)
			h := load64(src, p) << left * prime64 >> right
			table[h>>8] = (base+uint32(p))<<8 | uint32(h&255)
			rep, rep2 = rep2, rep
			m.emit(p, p, n, rep)
			p += n
			from = p
		}
	}
	m.rep = [2]int{rep, rep2}
	m.idle = idle + max(from, end) - from
	return m.tail(from, max(from, end))
}

// double is fast with two tables: of eight bytes, and of fewer.
func (m *zstdMatcher) double(p, end int) (at, tail int) {
	src, long, short := m.src, m.long, m.short
	last := min(end, m.stop-zstdMargin, len(src)-zstdMargin)
	from, base, window := p, m.base, m.window
	left, right := uint(64-8*m.effort.bytes)&63, uint(64-8-bits.Len(uint(len(short)-1)))&63
	right8 := uint(64-8-bits.Len(uint(len(long)-1))) & 63
	rep, rep2, idle := m.rep[0], m.rep[1], m.idle
	for p < last {
		v := load64(src, p)
		h8, h := v*prime64>>right8, v<<left*prime64>>right
		slot8, slot := &long[h8>>8], &short[h>>8]
		place, known8, known := base+uint32(p), *slot8, *slot
		*slot8, *slot = place<<8|uint32(h8&255), place<<8|uint32(h&255)
		n, offset := 0, 0
		if rep > 0 && load32(src, p+1-rep) == uint32(v>>8) {
			p++
			offset = rep
			n = 4 + matchLength(src, p+4-offset, p+4, m.stop-p-4)
		} else if back := place - known8>>8; byte(known8) == byte(h8) && back <= window && load64(src, p-int(back)) == v {
			offset = int(back)
			n = 8 + matchLength(src, p+8-offset, p+8, m.stop-p-8)
		} else if back := place - known>>8; byte(known) == byte(h) && back <= window && load32(src, p-int(back)) == uint32(v) {
			offset = int(back)
			n = 4 + matchLength(src, p+4-offset, p+4, m.stop-p-4)
			// a long match at the next position may be better
			w := load64(src, p+1)
			h8 := w * prime64 >> right8
			slot8 := &long[h8>>8]
			known8 := *slot8
			*slot8 = (place+1)<<8 | uint32(h8&255)
			if back := place + 1 - known8>>8; byte(known8) == byte(h8) && back <= window && load64(src, p+1-int(back)) == w {
				if k := 8 + matchLength(src, p+9-int(back), p+9, m.stop-p-9); k > n {
					p++
					n, offset = k, int(back)
				}
			}
		} else {
			p += 1 + min(p-from+idle, 1<<14)>>8
			continue
		}
		more := matchedBefore(src, from, p, offset)
		p, n = p-more, n+more
		if offset != rep {
			rep, rep2 = offset, rep
		}
		m.emit(from, p, n, offset)
		idle = 0
		start := p
		p += n
		from = p
		if p >= last {
			break
		}
		for _, q := range [...]int{start + 2, p - 2} {
			v, place := load64(src, q), base+uint32(q)
			h8, h := v*prime64>>right8, v<<left*prime64>>right
			long[h8>>8], short[h>>8] = place<<8|uint32(h8&255), place<<8|uint32(h&255)
		}
		h = load64(src, p-1) << left * prime64 >> right
		short[h>>8] = (base+uint32(p-1))<<8 | uint32(h&255)
		for rep2 > 0 && p < last && load32(src, p) == load32(src, p-rep2) {
			n := 4 + matchLength(src, p+4-rep2, p+4, m.stop-p-4)
			v, place := load64(src, p), base+uint32(p)
			h8, h := v*prime64>>right8, v<<left*prime64>>right
			long[h8>>8], short[h>>8] = place<<8|uint32(h8&255), place<<8|uint32(h&255)
			rep, rep2 = rep2, rep
			m.emit(p, p, n, rep)
			p += n
			from = p
		}
	}
	m.rep = [2]int{rep, rep2}
	m.idle = idle + max(from, end) - from
	return m.tail(from, max(from, end))
}
