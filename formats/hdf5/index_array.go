// SPDX-License-Identifier: BSD-3-Clause

package hdf5

// arrayElem describes the elements of a fixed or extensible array of chunks.
type arrayElem struct {
	filtered bool
	size     int
	pos      []uint64
}

// elem adds element i, read from c. An address that is undefined is no chunk.
func (x *indexer) elem(c *cursor, e *arrayElem, i uint64) error {
	s := stored{addr: c.o(), size: x.full}
	if e.filtered {
		s.size, s.mask = c.u(max(0, e.size-x.o.f.so-4)), uint32(c.u4())
	}
	if c.err != nil || s.addr == Undef {
		return c.err
	}
	x.at(i, e.pos)
	return x.add(e.pos, s)
}

// elems adds elements first, first+1 ... n of them.
func (x *indexer) elems(c *cursor, e *arrayElem, first, n uint64) error {
	for i := range n {
		if err := x.elem(c, e, first+i); err != nil {
			return err
		}
	}
	return c.err
}

// newElem checks the size of an element.
func (x *indexer) newElem(c *cursor, client, size int) *arrayElem {
	e := &arrayElem{filtered: client == 1, size: size, pos: make([]uint64, len(x.grid))}
	if client > 1 || (!e.filtered && size != x.o.f.so) || (e.filtered && (size <= x.o.f.so+4 || size > x.o.f.so+12)) {
		c.fail("array of chunks with elements of %d bytes for client %d", size, client)
	}
	return e
}

// fixed: no axis is unlimited. A long array is cut into pages; a bit map says which exist.
func (x *indexer) fixed() error {
	f := x.o.f
	c := f.at(x.l.addr)
	c.sig("FAHD")
	c.u1()
	client, size, pageBits := c.u1(), c.u1(), c.u1()
	n, addr := c.l(), c.o()
	e := x.newElem(c, client, size)
	if n > maxStored || pageBits > 30 {
		c.fail("array of %d chunks in pages of 2^%d", n, pageBits)
	}
	if c.err != nil || addr == Undef {
		return c.err
	}
	c = f.at(addr)
	c.sig("FADB")
	c.n(2)
	c.o()
	page := uint64(1) << pageBits
	if n <= page {
		return x.elems(c, e, 0, n)
	}
	pages := (n + page - 1) / page
	used := c.n(int(pages+7) / 8)
	c.n(4)
	for p := uint64(0); p < pages && c.err == nil; p++ {
		k := min(page, n-p*page)
		b := c.n(int(k)*size + 4)
		if c.err != nil || used[p/8]>>(7-p%8)&1 == 0 {
			continue
		}
		if err := x.elems(f.over(b), e, p*page, k); err != nil {
			return err
		}
	}
	return c.err
}

// extArray is an extensible array: an index block with the first elements and
// the addresses of data blocks, then super blocks with the addresses of more, ever larger ones.
type extArray struct {
	x        *indexer
	e        *arrayElem
	offBytes int
	page     uint64
	most     uint64 // elements that have ever been set
}

// extensible: one axis is unlimited.
func (x *indexer) extensible() error {
	f := x.o.f
	c := f.at(x.l.addr)
	c.sig("EAHD")
	c.u1()
	client, size, maxBits, inIndex, dataMin, superMin, pageBits := c.u1(), c.u1(), c.u1(), c.u1(), c.u1(), c.u1(), c.u1()
	for range 4 {
		c.l()
	}
	most := c.l()
	c.l()
	addr := c.o()
	e := x.newElem(c, client, size)
	if maxBits > 64 || pageBits > 30 || dataMin == 0 || superMin == 0 || most > maxStored {
		c.fail("extensible array of %d chunks: %d bits, blocks of %d and %d, pages of 2^%d", most, maxBits, dataMin, superMin, pageBits)
	}
	if c.err != nil || addr == Undef {
		return c.err
	}
	a := &extArray{x: x, e: e, offBytes: (maxBits + 7) / 8, page: 1 << pageBits, most: most}
	c = f.at(addr)
	c.sig("EAIB")
	c.n(2)
	c.o()
	if err := x.elems(c, e, 0, uint64(inIndex)); err != nil {
		return err
	}
	i := uint64(inIndex)
	supers, direct := 1+maxBits-lg(uint64(dataMin)), 2*lg(uint64(superMin))
	for s := 0; s < supers && i < most && c.err == nil; s++ {
		blocks, n := uint64(1)<<(s/2), uint64(dataMin)<<((s+1)/2)
		if s >= direct {
			sa := c.o()
			if err := a.super(sa, blocks, n, i); err != nil {
				return err
			}
			i += blocks * n
			continue
		}
		for range blocks {
			if err := a.data(c.o(), n, i, nil); err != nil || c.err != nil {
				return err
			}
			i += n
		}
	}
	return c.err
}

// super adds the data blocks of a super block: blocks of n elements, from element first on.
func (a *extArray) super(addr, blocks, n, first uint64) error {
	if addr == Undef {
		return nil
	}
	c := a.x.o.f.at(addr)
	c.sig("EASB")
	c.n(2)
	c.o()
	c.n(a.offBytes)
	var used []byte
	each := int(n/a.page+7) / 8
	if n > a.page {
		used = c.n(each * int(min(blocks, maxStored)))
	}
	for k := uint64(0); k < blocks && first < a.most && c.err == nil; k++ {
		var u []byte
		if used != nil {
			u = used[int(k)*each : int(k+1)*each]
		}
		if err := a.data(c.o(), n, first, u); err != nil {
			return err
		}
		first += n
	}
	return c.err
}

// data adds the n elements of a data block; used says which of its pages exist.
func (a *extArray) data(addr, n, first uint64, used []byte) error {
	if addr == Undef || first >= a.most {
		return nil
	}
	f := a.x.o.f
	c := f.at(addr)
	c.sig("EADB")
	c.n(2)
	c.o()
	c.n(a.offBytes)
	if n <= a.page {
		return a.x.elems(c, a.e, first, min(n, a.most-first))
	}
	c.n(4)
	for p := uint64(0); p < n/a.page && first+p*a.page < a.most && c.err == nil; p++ {
		b := c.n(int(a.page)*a.e.size + 4)
		if c.err != nil || used != nil && used[p/8]>>(7-p%8)&1 == 0 {
			continue
		}
		at := first + p*a.page
		if err := a.x.elems(f.over(b), a.e, at, min(a.page, a.most-at)); err != nil {
			return err
		}
	}
	return c.err
}
