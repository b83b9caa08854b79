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
	// prices follow what was written after so many bytes.
	pricedPart = 4 << 10
)

// zstdPlace is the cheapest way that is known to a place.
type zstdPlace struct {
	price    int32
	length   uint32    // of the match that ends here or behind bytes before, 0: a literal does
	offset   uint32    // of the match
	literals uint32    // in a row that end here
	rep      [3]uint32 // the last offsets, known once the way is
	behind   uint32    // literals behind the match, at most one
}

// zstdCounts are how often bytes were literals lately, and the symbols of sequences.
type zstdCounts struct {
	bytes   [256]uint32
	symbols [3][64]uint32
}

// usual makes the symbols of sequences as frequent as in the tables that need no description, and forgets the bytes.
func (c *zstdCounts) usual() {
	*c = zstdCounts{}
	for i, code := range seqCodes {
		for s, n := range code.usual {
			c.symbols[i][s] = uint32(max(n, 1))
		}
	}
}

// zstdPrices are what literals and matches cost, by how often they were there lately, and the ways through a part of a segment.
type zstdPrices struct {
	zstdCounts
	literal [256]int32
	symbol  [3][64]int32 // with the bits that follow
	run     [64]int32    // of short numbers of literals
	length  [1024]int32  // of matches
	rep     [3]uint32
	places  []zstdPlace
	found   []zstdSequence // matches of a place, each longer than the one before
	way     []zstdSequence // matches from the last to the first, and the literals before each
}

// set sets the prices, and lets what there was count for a sixteenth less.
func (c *zstdPrices) set() {
	t := deflateTable()
	log := func(n uint32) int32 { return int32(t.log2(n) / priceStep) }
	total := uint32(0)
	for _, n := range c.bytes {
		total += 8*n + 1
	}
	for i, n := range c.bytes {
		c.literal[i] = max(log(total)-log(8*n+1), priceOne)
		c.bytes[i] -= n / 16
	}
	symbols := zstdSymbolTable()
	for i := range c.symbols {
		total := uint32(0)
		counts := c.symbols[i][:seqCodes[i].most+1]
		for _, n := range counts {
			total += 8*n + 2
		}
		for s, n := range counts {
			c.symbol[i][s] = log(total) - log(8*n+2) + int32(symbols.extra[i][s])*priceOne
			counts[s] -= n / 16
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

// cheapest makes sequences as fast does. It looks for the cheapest way through each part of the segment, by all lengths of all matches it finds.
func (m *zstdMatcher) cheapest(p, end int) (at, tail int) {
	last := min(end, m.stop-zstdMargin, len(m.src)-zstdMargin)
	c := m.prices
	from := p
	for p < last {
		part := min(last, p+pricedPart)
		c.set()
		for p < part {
			p, from = m.way(p, from, part)
		}
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
		c.places = make([]zstdPlace, pricedPart+content+1)
	}
	places := c.places[:n+content+1]
	for i := range places {
		places[i].price = priceMost
	}
	places[0] = zstdPlace{price: c.literals(uint32(p - from)), literals: uint32(p - from), rep: c.rep}
	none, one := c.literals(0), c.literals(1)
	long := zstdSequence{} // a match behind the way
	end := n
	for i := range n {
		here := &places[i]
		if i > 0 {
			if here.length == 0 {
				here.rep = places[i-1].rep
			} else {
				here.literals = here.behind
				_, here.rep = places[i-int(here.behind+here.length)].offsetSymbol(here.offset)
			}
		}
		q := p + i
		next := &places[i+1]
		runs := here.literals + 1
		if price := here.price + c.literal[src[q]] + c.literals(runs) - c.literals(here.literals); price < next.price {
			if next.length > 0 && next.behind == 0 && one < none {
				// the match that ends there is no longer the cheapest way, but may be to the place behind: one literal costs less than none
				literal := c.literal[src[q+1]]
				single, more := next.price+literal+one-none, price+literal+c.literals(runs+1)-c.literals(runs)
				if to := &places[i+2]; single < min(more, to.price) {
					to.price, to.length, to.offset, to.behind = single, next.length, next.offset, 1
				}
			}
			next.price, next.length, next.literals = price, 0, runs
		}
		limit := m.stop - q
		v := load32(src, q)
		take := func(offset uint32, least, most int) {
			symbol, _ := here.offsetSymbol(offset)
			base := here.price + c.symbol[seqOffset][symbol] + none
			for k := most; k >= least; k-- {
				if to := &places[i+k]; base+c.length[k] < to.price {
					to.price, to.length, to.offset, to.behind = base+c.length[k], uint32(k), offset, 0
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
			if f := len(c.found) - 1; f >= 0 && int(c.found[f].length) >= content {
				long = c.found[f]
			}
		}
		if long.length > 0 {
			end = i
			break
		}
		least := leastPriced
		for _, f := range c.found {
			take(f.offset, least, int(f.length))
			least = int(f.length) + 1
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
		i -= int(at.behind + at.length)
		c.way = append(c.way, zstdSequence{uint32(i), at.length, at.offset})
	}
	for i := len(c.way) - 1; i >= 0; i-- {
		s := c.way[i]
		q := p + int(s.literals)
		place := zstdPlace{literals: uint32(q - from), rep: c.rep}
		symbol, rep := place.offsetSymbol(s.offset)
		c.rep = rep
		c.symbols[seqOffset][symbol]++
		c.symbols[seqLiterals][symbols.literalSymbol(uint32(q-from))]++
		c.symbols[seqMatch][symbols.matchSymbol(s.length-leastPriced)]++
		for _, b := range m.src[from:q] {
			c.bytes[b]++
		}
		m.emit(from, q, int(s.length), int(s.offset))
		from = q + int(s.length)
		m.idle = 0
	}
	return max(p+end, from), from
}
