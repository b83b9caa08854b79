// SPDX-License-Identifier: BSD-3-Clause

package codec

import "math/bits"

const (
	// priceOne is a bit of the prices.
	priceOne  = 256
	priceStep = logOne / priceOne
	priceMost = 1 << 30
	// leastPriced is the shortest match that is looked at.
	leastPriced = 3
	// farKinds are hashes of 3, 4, 8, 12, 16, 24, 32 and farLongest bytes.
	farKinds, farLongest = 8, 48
)

// zstdPlace is the cheapest way that is known to a place.
type zstdPlace struct {
	price    int32
	length   uint32    // of the match that ends here, 0: a literal does
	offset   uint32    // of the match
	literals uint32    // in a row that end here
	rep      [3]uint32 // the last offsets, known once the way is
}

// zstdPrices are what literals and matches cost, by how often they were there lately, and the ways through a segment.
type zstdPrices struct {
	literal [256]int32
	symbol  [3][64]int32 // with the bits that follow
	run     [64]int32    // of short numbers of literals
	length  [512]int32   // of matches
	counts  [3][64]uint32
	bytes   [256]uint32
	rep     [3]uint32
	places  []zstdPlace
	found   []zstdSequence // matches of a place, each longer than the one before
	way     []zstdSequence // matches from the last to the first, and the literals before each
}

// begin forgets everything.
func (c *zstdPrices) begin() {
	c.rep, c.bytes, c.counts = [3]uint32{1, 4, 8}, [256]uint32{}, [3][64]uint32{}
	for i, code := range seqCodes {
		for s, n := range code.usual {
			c.counts[i][s] = uint32(max(n, 1))
		}
	}
}

// set sets the prices for the segment src: half of what there was counts, and an eighth of the bytes that come.
func (c *zstdPrices) set(src []byte) {
	t := deflateTable()
	log := func(n uint32) int32 { return int32(t.log2(n) / priceStep) }
	ahead := [256]uint32{}
	countBytes(&ahead, src)
	total := uint32(0)
	for i, n := range ahead {
		ahead[i] = 8*c.bytes[i] + n + 1
		total += ahead[i]
		c.bytes[i] /= 2
	}
	for i, n := range ahead {
		c.literal[i] = max(log(total)-log(n), priceOne)
	}
	symbols := zstdSymbolTable()
	for i := range c.counts {
		total := uint32(0)
		most := seqCodes[i].most
		for _, n := range c.counts[i][:most+1] {
			total += 8*n + 2
		}
		for s := range most + 1 {
			c.symbol[i][s] = log(total) - log(8*c.counts[i][s]+2) + int32(symbols.extra[i][s])*priceOne
			c.counts[i][s] -= c.counts[i][s] / 2
		}
	}
	for n := range c.run {
		c.run[n] = c.symbol[seqLiterals][symbols.literalSymbol(uint32(n))]
	}
	for n := range c.length[leastPriced:] {
		c.length[leastPriced+n] = c.symbol[seqMatch][symbols.matchSymbol(uint32(n))]
	}
}

// literals returns the price of a number of literals, without theirs.
func (c *zstdPrices) literals(n uint32) int32 {
	if n < uint32(len(c.run)) {
		return c.run[n]
	}
	return c.symbol[seqLiterals][zstdSymbolTable().literalSymbol(n)]
}

// offsetSymbol returns the symbol of an offset behind a place, and the offsets behind the match.
func (at *zstdPlace) offsetSymbol(offset uint32) (symbol int, rep [3]uint32) {
	r := at.rep
	first := r[0]
	if at.literals == 0 {
		first = 0 // without literals it is no repetition
	}
	switch offset {
	case first:
		return 0, r
	case r[1]:
		rep = [3]uint32{r[1], r[0], r[2]}
	case r[2]:
		rep = [3]uint32{r[2], r[0], r[1]}
	default:
		return bits.Len32(offset+3) - 1, [3]uint32{offset, r[0], r[1]}
	}
	if at.literals == 0 && offset == r[1] {
		return 0, rep
	}
	return 1, rep
}

// all finds the matches at p: each is longer than the one before, which is nearer.
func (m *zstdMatcher) all(p int, found []zstdSequence) []zstdSequence {
	m.insert(p)
	src, limit := m.src, m.stop-p
	row, tag := m.row(load64(src, p))
	size := 1 << m.effort.row
	tags := m.tags[row : row+size]
	at := uint(tags[0]) & uint(size-1)
	same := sameTags(tags, tag) &^ 1
	same = (same>>at | same<<(uint(size)-at)) & (1<<size - 1) // the newest first
	place := m.base + uint32(p)
	places := m.short[row : row+size]
	best, part := leastPriced-1, len(m.long)/farKinds
	v := load32(src, p)
	for i, mixed := range [...]uint32{v << 8 * 2654435761, v * 2654435761} { // the nearest with three and four bytes in common
		slot := &m.long[i*part+int(mixed>>8)&(part-1)]
		back := place - *slot
		*slot = place
		if back > m.window || (load32(src, p-int(back))^v)<<8 != 0 {
			continue
		}
		if n := leastPriced + matchLength(src, p-int(back)+leastPriced, p+leastPriced, limit-leastPriced); n > best {
			best = n
			found = append(found, zstdSequence{length: uint32(n), offset: back})
			if n >= m.effort.content || n == limit {
				return found
			}
		}
	}
	best = max(best, leastPriced)
	for ; same != 0; same &= same - 1 {
		back := place - places[(uint(bits.TrailingZeros64(same))+at)&uint(size-1)]
		if back > m.window {
			break
		}
		from := p - int(back)
		if load32(src, from+best-3) != load32(src, p+best-3) {
			continue
		}
		if n := matchLength(src, from, p, limit); n > best {
			best = n
			found = append(found, zstdSequence{length: uint32(n), offset: back})
			if n >= m.effort.content || n == limit {
				return found
			}
		}
	}
	if limit < farLongest {
		return found
	}
	// the rows have the nearest only: of more bytes in common the last place is known however far it is
	h := uint64(0)
	for i := range farKinds - 2 {
		switch i {
		case 0:
			h = load64(src, p) * prime64
		case 1:
			h = (h + uint64(load32(src, p+8))) * prime64
		case 2:
			h = (h + uint64(load32(src, p+12))) * prime64
		case 3:
			h = (h + load64(src, p+16)) * prime64
		case 4:
			h = (h + load64(src, p+24)) * prime64
		case 5:
			h = ((h+load64(src, p+32))*prime64 + load64(src, p+40)) * prime64
		}
		slot := &m.long[(i+2)*part+int(h>>32)&(part-1)]
		back := place - *slot
		*slot = place
		if back > m.window || load32(src, p-int(back)+best-3) != load32(src, p+best-3) {
			continue
		}
		if n := matchLength(src, p-int(back), p, limit); n > best {
			best = n
			found = append(found, zstdSequence{length: uint32(n), offset: back})
			if n >= m.effort.content || n == limit {
				return found
			}
		}
	}
	return found
}

// cheapest makes sequences as fast does. It looks for the cheapest way through the segment, by all lengths of all matches it finds.
func (m *zstdMatcher) cheapest(p, end int) (at, tail int) {
	last := min(end, m.stop-zstdMargin, len(m.src)-zstdMargin)
	c := m.prices
	c.set(m.src[p:max(p, min(end, len(m.src)))])
	from := p
	for p < last {
		p, from = m.way(p, from, last)
	}
	p = max(from, end)
	for _, b := range m.src[from:p] {
		c.bytes[b]++
	}
	return m.tail(from, p)
}

// way emits the cheapest way from p to last, or to a match that is so long that it is taken at once. It returns where that ends, and from where
// on there are literals that are not emitted.
func (m *zstdMatcher) way(p, from, last int) (at, behind int) {
	c, src, content := m.prices, m.src, m.effort.content
	n := last - p
	if len(c.places) < n+content+1 {
		c.places = make([]zstdPlace, zstdSegment+content+1)
	}
	places := c.places[:n+content+1]
	for i := range places {
		places[i].price = priceMost
	}
	places[0] = zstdPlace{price: c.literals(uint32(p - from)), literals: uint32(p - from), rep: c.rep}
	none := c.literals(0)
	long := zstdSequence{} // a match behind the way
	end := n
	for i := range n {
		here := &places[i]
		if i > 0 {
			if here.length == 0 {
				here.rep = places[i-1].rep
			} else {
				here.literals = 0
				_, here.rep = places[i-int(here.length)].offsetSymbol(here.offset)
			}
		}
		q := p + i
		next := &places[i+1]
		if price := here.price + c.literal[src[q]] + c.literals(here.literals+1) - c.literals(here.literals); price < next.price {
			next.price, next.length, next.literals = price, 0, here.literals+1
		}
		limit := m.stop - q
		v := load32(src, q)
		take := func(offset uint32, least, most int) {
			symbol, _ := here.offsetSymbol(offset)
			base := here.price + c.symbol[seqOffset][symbol] + none
			for k := most; k >= least; k-- {
				if to := &places[i+k]; base+c.length[k] < to.price {
					to.price, to.length, to.offset = base+c.length[k], uint32(k), offset
				}
			}
		}
		for r, offset := range here.rep {
			if r == 0 && here.literals == 0 || int(offset) > q || offset == 0 || (load32(src, q-int(offset))^v)<<8 != 0 {
				continue
			}
			k := leastPriced + matchLength(src, q-int(offset)+leastPriced, q+leastPriced, limit-leastPriced)
			if k >= content {
				long = zstdSequence{length: uint32(k), offset: offset}
				break
			}
			take(offset, leastPriced, k)
		}
		if long.length == 0 {
			c.found = m.all(q, c.found[:0])
			least := leastPriced
			for _, f := range c.found {
				k := int(f.length)
				if k >= content {
					long = f
					break
				}
				take(f.offset, least, k)
				least = k + 1
			}
		}
		if long.length > 0 {
			end = i
			break
		}
	}
	if long.length == 0 {
		// the end of a match behind the last place may be as good
		mean := places[n].price / int32(n)
		for i := n; i < len(places); i++ {
			if places[i].price-int32(i-n)*mean < places[end].price-int32(end-n)*mean {
				end = i
			}
		}
	}
	return m.emitWay(p, from, end, long)
}

// emitWay emits the way to place end, and a match behind it.
func (m *zstdMatcher) emitWay(p, from, end int, long zstdSequence) (at, behind int) {
	c, symbols := m.prices, zstdSymbolTable()
	c.way = c.way[:0]
	if long.length > 0 {
		c.way = append(c.way, zstdSequence{uint32(end), long.length, long.offset})
	}
	for i := end; i > 0; {
		at := &c.places[i]
		if at.length == 0 {
			i--
			continue
		}
		i -= int(at.length)
		c.way = append(c.way, zstdSequence{uint32(i), at.length, at.offset})
	}
	for i := len(c.way) - 1; i >= 0; i-- {
		s := c.way[i]
		q := p + int(s.literals)
		place := zstdPlace{literals: uint32(q - from), rep: c.rep}
		symbol, rep := place.offsetSymbol(s.offset)
		c.rep = rep
		c.counts[seqOffset][symbol]++
		c.counts[seqLiterals][symbols.literalSymbol(uint32(q-from))]++
		c.counts[seqMatch][symbols.matchSymbol(s.length-leastPriced)]++
		for _, b := range m.src[from:q] {
			c.bytes[b]++
		}
		m.emit(from, q, int(s.length), int(s.offset))
		from = q + int(s.length)
		m.idle = 0
	}
	return max(p+end, from), from
}
