// SPDX-License-Identifier: BSD-3-Clause

package codec

// The levels that look for the cheapest way have all places of the window in trees, one for each hash of four bytes. A tree is ordered by the
// bytes that follow the places, its root is the newest place, and places below another are older. Looking for a place's bytes therefore meets
// matches from near to far, and on the way the place becomes the root. A place has a cell of two: where the lesser bytes are, and the greater.

// heads returns the tables of the newest places: those of three bytes, and the roots.
func (m *zstdMatcher) heads(v uint32) (third, root *uint32) {
	half := len(m.long) / 2
	return &m.long[(v<<8*2654435761)>>m.right], &m.long[half:][v*2654435761>>m.right]
}

// plant makes place p the root of its tree, and appends the matches of at least four bytes that are longer than best, each longer than the one before.
// Places before next say nothing that those already there do not.
func (m *zstdMatcher) plant(p, best int, found []zstdSequence) (next int, out []zstdSequence) {
	src, tree, mask := m.src, m.short, m.window-1
	limit := m.stop - p
	place := m.base + uint32(p)
	_, root := m.heads(load32(src, p))
	at := *root
	*root = place
	cell := 2 * (place & mask)
	lesser, greater := &tree[cell], &tree[cell+1]
	below, above := 0, 0 // bytes in common with all that are less, and with all that are greater
	next = p + 1
	for depth := m.effort.depth; depth > 0; depth-- {
		back := place - at
		if back > mask {
			break
		}
		from := p - int(back)
		n := min(below, above)
		n += matchLength(src, from+n, p+n, limit-n)
		if n > best {
			best = n
			found = append(found, zstdSequence{length: uint32(n), offset: back})
			next = max(next, from+n-8)
		}
		if n == limit {
			break // which is greater is behind the block
		}
		cell := 2 * (at & mask)
		if src[from+n] < src[p+n] {
			*lesser = at
			below = n
			lesser = &tree[cell+1]
			at = *lesser
		} else {
			*greater = at
			above = n
			greater = &tree[cell]
			at = *greater
		}
	}
	*lesser, *greater = 0, 0
	return next, found
}

// grow plants the places before p that say something new.
func (m *zstdMatcher) grow(p int) {
	for q := m.next; q < p; {
		next, found := m.plant(q, leastPriced, m.prices.found[:0])
		if n := len(found); n > 0 {
			next = max(next, q+min(int(found[n-1].length)-384, 192)) // of long repetitions, some
		}
		q = next
	}
	m.next = max(m.next, p)
}

// all appends the matches at p, each longer than the one before.
func (m *zstdMatcher) all(p int, found []zstdSequence) []zstdSequence {
	if p < m.next {
		return found // inside of a run
	}
	m.grow(p)
	v := load32(m.src, p)
	third, _ := m.heads(v)
	place := m.base + uint32(p)
	back := place - *third
	*third = place
	best := leastPriced - 1
	if back < m.window && (load32(m.src, p-int(back))^v)<<8 == 0 {
		best = leastPriced + matchLength(m.src, p-int(back)+leastPriced, p+leastPriced, m.stop-p-leastPriced)
		found = append(found, zstdSequence{length: uint32(best), offset: back})
	}
	m.next, found = m.plant(p, best, found)
	return found
}
