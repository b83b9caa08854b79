// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"math"
	"math/bits"
)

const (
	// segment is how many bytes have the same costs; a block is one or more.
	segment = 8 << 10
	// a block ends behind as many bytes or sequences: they bound what is kept.
	blockBytes     = 1 << 20
	blockSequences = 1 << 16
	// costBit is a bit of the costs.
	costBit  = 16
	costStep = logOne / costBit
	// what is not in the hash tables, zero, is too far from positions that start here.
	firstPlace = deflateWindow + 1
	hash3Bits  = 13
	hash4Bits  = 15
	// farthest a search may be from the next; every position is in the tables all the same.
	stepMost = 8
	// runFrom is the length from which a match of one byte repeated is not put into the tables but for its end.
	runFrom, runEnd = 32, 4
	// pieceBytes is how much has tables of its own, so that positions fit.
	pieceBytes = 1 << 30
)

// effortOf says how hard each of zlib's levels looks: how many earlier places for each position, how many of them where a byte costs more
// than two bits, from which length it is content, up to which it looks, half as hard, if the next position has better, and after how many
// positions in vain (a power of 2) it looks at fewer. Where bytes cost so much and it looks at fewer places, matches of three bytes are
// nothing better.
var effortOf = [10]struct{ depth, dense, content, lazy, patience int }{
	1: {4, 4, 64, 0, 5},
	2: {5, 4, 128, 0, 6},
	3: {6, 4, 128, 12, 6},
	4: {8, 3, 64, 12, 6},
	5: {14, 14, 64, 32, 7},
	6: {24, 24, 128, 64, 8},
	7: {64, 64, 128, 128, 8},
	8: {160, 160, 258, 258, 24},
	9: {500, 500, 258, 258, 24},
}

// deflater packs slices as deflate streams. Unlike others it asks of every match what it costs in bits, by the codes that the last bytes and
// the next ones would have: among shuffled numbers most short matches cost more than their literals. The zero value is ready; it is not safe
// for concurrent use.
type deflater struct {
	t       *deflateTables
	recent4 [1 << hash4Bits]uint32 // where four bytes of each hash were last
	recent3 [1 << hash3Bits]uint32 // where three were
	before  [deflateWindow]uint16  // how far before a place the last one with the same hash of four is; 0: beyond the window

	level  int
	lit    [256]int32 // what literals cost
	length [longestMatch - shortestMatch + 1]int32
	dist   [distSymbolCount]int32
	sums   [segment + longestMatch + 1]int32 // of the costs of the literals, from the start of the segment
	mean   int32                             // what a byte of the last segment cost
	vain   int                               // positions in a row without a match

	seqs  []sequence   // of the block
	block symbolCounts // of the block but for the last segment
	last  symbolCounts // of the last segment
	codes blockWriter
}

// deflate appends the raw deflate stream of src at one of zlib's levels.
func (d *deflater) deflate(dst, src []byte, level int) []byte {
	w := bitWriter{out: dst}
	if level == 0 || len(src) == 0 {
		w.stored(src, 1)
		return w.out
	}
	d.t, d.level = deflateTable(), level
	d.codes.t = d.t
	for len(src) > pieceBytes {
		d.piece(&w, src[:pieceBytes], false)
		src = src[pieceBytes:]
	}
	d.piece(&w, src, true)
	w.align()
	return w.out
}

// piece packs src, and looks for matches nowhere else.
func (d *deflater) piece(w *bitWriter, src []byte, final bool) {
	clear(d.recent4[:])
	clear(d.recent3[:])
	d.block, d.last, d.seqs = symbolCounts{}, symbolCounts{}, d.seqs[:0]
	for i := range d.t.lengthExtra {
		d.last.lit[endOfBlock+1+i] = 1
	}
	for i := range d.last.dist {
		d.last.dist[i] = 1
	}
	d.mean, d.vain = 4*costBit, 0
	start, held := 0, int64(0) // of the block, and its bits
	for p := 0; p < len(src); {
		at, done := p, len(d.seqs)
		d.model(src[p:min(p+segment+longestMatch, len(src))], min(segment, len(src)-p))
		p = d.parse(src, p, min(p+segment, len(src)))
		d.count(src, at, done)
		alone, both := d.last.entropy(d.t, &d.block)
		d.mean = max(costBit/4, int32((alone+logOne*int64(d.last.extra(d.t)))/costStep/int64(p-at)))
		// a block of its own for what has other statistics: byte planes of shuffled numbers differ most
		if at > start && (both > held+alone+logOne*d.last.header() || p-start > blockBytes || len(d.seqs) > blockSequences) {
			d.codes.write(w, src[start:at], d.seqs[:done], &d.block, false)
			d.seqs = d.seqs[:copy(d.seqs, d.seqs[done:])]
			start, held, d.block = at, alone, d.last
		} else {
			d.block.add(&d.last)
			held = both
		}
	}
	d.codes.write(w, src[start:], d.seqs, &d.block, final)
}

// count counts the symbols of the last segment, which starts at byte at with sequence from.
func (d *deflater) count(src []byte, at, from int) {
	c := &d.last
	*c = symbolCounts{}
	var odd [256]uint32 // of every other literal: a count is not read back that was just written
	for _, s := range d.seqs[from:] {
		run := src[at : at+int(s.literals)]
		at += int(s.literals) + int(s.length)
		for ; len(run) >= 2; run = run[2:] {
			c.lit[run[0]]++
			odd[run[1]]++
		}
		if len(run) > 0 {
			c.lit[run[0]]++
		}
		if s.length > 0 {
			c.lit[endOfBlock+1+int(d.t.length[s.length-shortestMatch])]++
			c.dist[distSymbol(uint32(s.dist))]++
		}
	}
	for i, n := range odd {
		c.lit[i] += n
	}
}

// model sets the costs of the segment of n bytes at the start of src: what its symbols would cost if they came as often as in the last one, and its
// bytes as literals, of which an eighth counts.
func (d *deflater) model(src []byte, n int) {
	const (
		symbol, ahead = 16, 2 // weights
		unseen        = 1     // of literals that nobody has seen
		unseenLength  = 4
		unseenDist    = 5
	)
	var even, odd [256]uint32
	i := 0
	for ; i+1 < n; i += 2 {
		even[src[i]]++
		odd[src[i+1]]++
	}
	if i < n {
		even[src[i]]++
	}
	literals, matches := uint32(0), uint32(0)
	for _, n := range d.last.lit[:256] {
		literals += n
	}
	for _, n := range d.last.dist {
		matches += n
	}
	log := func(n uint32) int32 { return int32(d.t.log2(n) / costStep) }
	all := log(symbol*literals + ahead*uint32(n) + 256*unseen + symbol*(matches+4))
	for i := range d.lit {
		d.lit[i] = max(costBit, all-log(symbol*d.last.lit[i]+ahead*(even[i]+odd[i])+unseen))
	}
	var symbols [29]int32
	share := log(symbol*matches+29*unseenLength) - log(symbol*(matches+4))
	for i := range symbols {
		symbols[i] = all + share - log(symbol*d.last.lit[endOfBlock+1+i]+unseenLength) + costBit*int32(d.t.lengthExtra[i])
	}
	for i := range d.length {
		d.length[i] = symbols[d.t.length[i]]
	}
	all = log(symbol*matches + distSymbolCount*unseenDist)
	for i := range d.dist {
		d.dist[i] = all - log(symbol*d.last.dist[i]+unseenDist) + costBit*int32(d.t.distExtra[i])
	}
	sum := int32(0)
	for i, b := range src {
		d.sums[i] = sum
		sum += d.lit[b]
	}
	d.sums[len(src)] = sum
}

func hash3(v uint32) uint32 { return v << 8 * 2654435761 >> (32 - hash3Bits) }
func hash4(v uint32) uint32 { return v * 2654435761 >> (32 - hash4Bits) }

// insert puts the positions from p up to end into the tables.
func (d *deflater) insert(src []byte, p, end int) {
	for ; p < end; p++ {
		v, place := load32(src, p), uint32(p+firstPlace)
		h := hash4(v)
		back := place - d.recent4[h]
		if back > deflateWindow {
			back = 0
		}
		d.before[place%deflateWindow] = uint16(back)
		d.recent4[h] = place
		d.recent3[hash3(v)] = place
	}
}

// find puts position p into the tables and looks for the match there that is worth most: what its bytes would cost otherwise, without
// what it costs. A match must be worth more than least and cost less than its literals; of length 0 is none. sums are those from p
// on, depth is how many places it looks at; matches of three bytes count where short is set.
func (d *deflater) find(src []byte, p int, sums []int32, least int32, depth int, short bool) (n, dist int, worth int32) {
	v, place := load32(src, p), uint32(p+firstPlace)
	h, h3 := hash4(v), hash3(v)
	back, near := place-d.recent4[h], place-d.recent3[h3]
	d.recent4[h], d.recent3[h3] = place, place
	if back > deflateWindow {
		back = 0
	}
	d.before[place%deflateWindow] = uint16(back)
	worth = least
	if short && near <= deflateWindow && (load32(src, p-int(near))^v)<<8 == 0 {
		cost := d.length[0] + d.dist[distSymbol(near)]
		if w := 3*d.mean - cost; w > worth && sums[3]-sums[0] > cost {
			n, dist, worth = 3, int(near), w
		}
	}
	if back == 0 {
		return n, dist, worth
	}
	e := &effortOf[d.level]
	limit, most := min(len(src)-p, longestMatch), min(e.content, len(src)-p)
	best, end := 3, v // end: the last four bytes of a match that is longer than the best
	for far := back; ; {
		if load32(src, p-int(far)+best-3) == end {
			if m := matchLength(src, p-int(far), p, limit); m > best {
				cost := d.length[m-shortestMatch] + d.dist[distSymbol(far)]
				if w := int32(m)*d.mean - cost; w > worth && sums[m]-sums[0] > cost {
					n, dist, worth = m, int(far), w
				}
				if m >= most {
					break
				}
				best, end = m, load32(src, p+m-3)
			}
		}
		step := uint32(d.before[(place-far)%deflateWindow])
		far += step
		if depth--; depth == 0 || step == 0 || far > deflateWindow {
			break
		}
	}
	return n, dist, worth
}

// matchLength returns how many bytes from a on are the same as those from b on, at most limit, which end in src.
func matchLength(src []byte, a, b, limit int) int {
	n := 0
	for ; n+8 <= limit; n += 8 {
		if x := load64(src, a+n) ^ load64(src, b+n); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
	}
	for n < limit && src[a+n] == src[b+n] {
		n++
	}
	return n
}

// parse makes sequences of the bytes from p on until one ends at or behind end, and returns where.
func (d *deflater) parse(src []byte, p, end int) int {
	e := &effortOf[d.level]
	base, start := p, p          // of the segment, and of the literals that are not yet in a sequence
	stop := min(end, len(src)-7) // eight bytes are looked at
	depth := e.depth
	if d.mean > 2*costBit {
		depth = e.dense
	}
	for p < stop {
		n, dist, worth := d.find(src, p, d.sums[p-base:], math.MinInt32, depth, true)
		passed := min(d.vain>>e.patience, stepMost-1)
		if n == 0 {
			d.vain = min(d.vain+1, stepMost<<e.patience)
			p++
			next := min(p+passed, stop)
			d.insert(src, p, next)
			p = max(p, next)
			continue
		}
		d.vain = 0
		next := p + 1 // the first position that is not in the tables
		for ; passed > 0 && p > start && p > dist && n < longestMatch && src[p-1] == src[p-1-dist]; passed-- {
			p--
			n++
		}
		// a literal, and a match at the next position, if that is better
		for n < e.lazy && next == p+1 && next < stop {
			m, far, w := d.find(src, next, d.sums[next-base:], worth+d.lit[src[p]]-d.mean, depth/2, depth == e.depth)
			next++
			if m == 0 {
				break
			}
			p++
			n, dist, worth = m, far, w
		}
		d.seqs = append(d.seqs, sequence{uint32(p - start), uint16(n), uint16(dist)})
		p += n
		start = p
		last := min(p, len(src)-7)
		if dist == 1 && n >= runFrom {
			next = max(next, last-runEnd)
		}
		d.insert(src, next, last)
	}
	p = max(p, end)
	if p > start {
		d.seqs = append(d.seqs, sequence{literals: uint32(p - start)})
	}
	return p
}
