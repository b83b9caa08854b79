// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"fmt"
	"math/bits"

	"github.com/arrayrun/arrayrun/formats"
)

const (
	maxHeapBytes  = 1 << 30
	maxHeapsKept  = 64
	maxKeptBytes  = 16 << 20 // a larger collection is read again for each use
	heapItemBytes = 8        // of an item's header before its length
)

// globalHeap is one collection of variable-length data: place and length of each object in b.
type globalHeap struct {
	b     []byte
	items map[int][2]int
}

// collection returns the global heap collection at addr, cached.
func (f *File) collection(addr uint64) (*globalHeap, error) {
	f.mu.Lock()
	h := f.heaps[addr]
	f.mu.Unlock()
	if h != nil {
		return h, nil
	}
	c := f.at(addr)
	c.sig("GCOL")
	c.n(4)
	size := c.l()
	if c.err != nil {
		return nil, c.err
	}
	if size > maxHeapBytes || size < uint64(8+f.sl) {
		c.fail("global heap of %d bytes", size)
		return nil, c.err
	}
	q := f.at(addr)
	b := q.n(int(size))
	if q.err != nil {
		return nil, q.err
	}
	h = &globalHeap{b: b, items: map[int][2]int{}}
	q = f.over(b)
	q.n(8 + f.sl)
	for q.p+heapItemBytes+f.sl <= len(b) {
		i := q.u2()
		q.n(6)
		n := q.l()
		if i == 0 {
			break
		}
		if n > uint64(len(b)-q.p) {
			q.fail("global heap object %d of %d bytes", i, n)
			return nil, q.err
		}
		h.items[i] = [2]int{q.p, int(n)}
		q.n(min((int(n)+7)&^7, len(b)-q.p))
	}
	if q.err != nil {
		return nil, q.err
	}
	if len(b) <= maxKeptBytes {
		f.mu.Lock()
		if len(f.heaps) >= maxHeapsKept {
			clear(f.heaps)
		}
		f.heaps[addr] = h
		f.mu.Unlock()
	}
	return h, nil
}

// vlen returns the bytes of one variable-length element, whose items have the
// given size: its stored form is a count, a collection's address and an object number.
func (f *File) vlen(e []byte, item int) ([]byte, error) {
	c := f.over(e)
	n, addr, i := c.u4(), c.o(), c.u4()
	if c.err != nil {
		return nil, c.err
	}
	if addr == 0 || addr == Undef || n == 0 {
		return nil, nil
	}
	h, err := f.collection(addr)
	if err != nil {
		return nil, err
	}
	at, ok := h.items[i]
	if !ok {
		return nil, fmt.Errorf("hdf5: global heap at %#x has no object %d: %w", addr, i, formats.ErrCorrupt)
	}
	hi, want := bits.Mul64(uint64(n), uint64(item))
	if hi != 0 || want > uint64(at[1]) {
		return nil, fmt.Errorf("hdf5: %d items of %d bytes in object %d of the global heap at %#x, which has %d bytes: %w", n, item, i, addr, at[1], formats.ErrCorrupt)
	}
	return h.b[at[0] : at[0]+int(want)], nil
}
