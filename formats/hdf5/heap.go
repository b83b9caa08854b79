// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"fmt"
	"math/bits"

	"github.com/arrayrun/arrayrun/formats"
)

// fractalHeap holds dense links and attributes: variable-length objects found by
// an ID. Its doubling table has width blocks a row; rows 0 and 1 have the start
// size, each later row doubles it; rows beyond the largest direct block point to
// further tables (indirect blocks).
type fractalHeap struct {
	f                            *File
	idLen, maxBits, width, rows  int
	start, maxDirect, maxManaged uint64
	root, huge                   uint64
	offBytes, lenBytes, direct   int
}

// lg is floor(log2 v); 0 for 0.
func lg(v uint64) int { return max(bits.Len64(v)-1, 0) }

// heap parses a fractal heap header.
func (f *File) heap(addr uint64) (*fractalHeap, error) {
	c := f.at(addr)
	c.sig("FRHP")
	c.u1()
	h := &fractalHeap{f: f, idLen: c.u2()}
	filters := c.u2()
	c.u1()
	h.maxManaged = uint64(c.u4())
	c.l()
	h.huge = c.o()
	c.l()
	c.o()
	for range 8 {
		c.l()
	}
	h.width = c.u2()
	h.start, h.maxDirect = c.l(), c.l()
	h.maxBits = c.u2()
	c.u2()
	h.root = c.o()
	h.rows = c.u2()
	if c.err != nil {
		return nil, c.err
	}
	if filters > 0 {
		return nil, fmt.Errorf("hdf5: compressed fractal heap at %#x is not read here: %w", addr, formats.ErrFormat)
	}
	pow2 := func(v uint64) bool { return v != 0 && v&(v-1) == 0 }
	if !pow2(h.start) || !pow2(h.maxDirect) || h.maxDirect < h.start || !pow2(uint64(h.width)) || h.maxBits > 64 || h.rows > 64 || h.idLen < 1 || h.idLen > 4096 {
		return nil, fmt.Errorf("hdf5: fractal heap at %#x: table width %d, blocks of %d to %d bytes, %d rows: %w", addr, h.width, h.start, h.maxDirect, h.rows, formats.ErrCorrupt)
	}
	h.offBytes = (h.maxBits + 7) / 8
	h.lenBytes = min((lg(h.maxDirect)+7)/8, lg(h.maxManaged)/8+1)
	h.direct = lg(h.maxDirect) - lg(h.start) + 2
	return h, nil
}

// get returns the object behind an ID: managed (in a direct block), tiny (inside
// the ID) or huge (stored on its own, found directly or by a B-tree).
func (h *fractalHeap) get(id []byte) ([]byte, error) {
	if len(id) == 0 {
		return nil, fmt.Errorf("hdf5: empty heap ID: %w", formats.ErrCorrupt)
	}
	c := h.f.over(id)
	c.n(1)
	switch id[0] >> 4 & 3 {
	case 0:
		off, n := c.u(h.offBytes), c.u(h.lenBytes)
		if c.err != nil {
			return nil, c.err
		}
		addr, start, err := h.find(h.root, h.rows, 0, off, 0)
		if err != nil {
			return nil, err
		}
		return h.object(addr+(off-start), n)
	case 2:
		n := int(id[0]&15) + 1
		if h.idLen > 18 {
			n = int(id[0]&15)<<8 + c.u1() + 1
		}
		b := c.n(n)
		return b, c.err
	}
	if h.idLen-1 >= h.f.so+h.f.sl {
		addr, n := c.o(), c.l()
		if c.err != nil {
			return nil, c.err
		}
		return h.object(addr, n)
	}
	want := c.u(min(8, h.idLen-1))
	if c.err != nil {
		return nil, c.err
	}
	var out []byte
	err := h.f.btree2(h.huge, func(_ int, rec []byte) error {
		q := h.f.over(rec)
		addr, n := q.o(), q.l()
		if q.l() != want || q.err != nil {
			return q.err
		}
		var err error
		out, err = h.object(addr, n)
		return err
	})
	if err == nil && out == nil {
		err = fmt.Errorf("hdf5: heap object %d is not in its index: %w", want, formats.ErrCorrupt)
	}
	return out, err
}

func (h *fractalHeap) object(addr, n uint64) ([]byte, error) {
	c := h.f.at(addr)
	if n > maxBlockBytes {
		c.fail("heap object of %d bytes", n)
	}
	b := c.n(int(n))
	return b, c.err
}

// find locates the direct block that holds heap offset off, and the offset it starts at.
func (h *fractalHeap) find(addr uint64, rows int, base, off uint64, depth int) (uint64, uint64, error) {
	if rows == 0 {
		return addr, base, nil
	}
	c := h.f.at(addr)
	if depth > 64 {
		c.fail("fractal heap deeper than 64")
	}
	c.sig("FHIB")
	c.u1()
	c.o()
	c.n(h.offBytes)
	pos := base
	for row := 0; row < rows && c.err == nil; row++ {
		size := h.start
		if row > 1 {
			size <<= row - 1
		}
		for range h.width {
			a := c.o()
			if c.err != nil {
				break
			}
			if off >= pos && off-pos < size {
				if row < h.direct {
					return a, pos, nil
				}
				return h.find(a, lg(size)-lg(h.start*uint64(h.width))+1, pos, off, depth+1)
			}
			pos += size
		}
	}
	c.fail("heap offset %d is in no block", off)
	return 0, 0, c.err
}

// btree2 walks a version 2 B-tree in order. The widths of the child record
// counts depend on depth and node size and are derived as the library does.
func (f *File) btree2(addr uint64, each func(kind int, rec []byte) error) error {
	c := f.at(addr)
	c.sig("BTHD")
	c.u1()
	kind, node, rec, depth := c.u1(), c.u4(), c.u2(), c.u2()
	c.n(2)
	root := c.o()
	records := c.u2()
	if c.err != nil {
		return c.err
	}
	if root == Undef {
		return nil
	}
	if rec == 0 || depth > 20 || node < 10+rec {
		c.fail("B-tree of depth %d with records of %d and nodes of %d bytes", depth, rec, node)
		return c.err
	}
	t := &tree2{f: f, kind: kind, rec: rec, node: node, each: each, width: make([]int, depth+1)}
	most := uint64((node - 10) / rec)
	all := most
	t.count = lg(most)/8 + 1
	for d := 1; d <= depth; d++ {
		ptr := f.so + t.count + t.width[d-1]
		if node < 10+ptr+rec+ptr {
			c.fail("B-tree node of %d bytes holds no record at depth %d", node, d)
			return c.err
		}
		most = uint64((node - 10 - ptr) / (rec + ptr))
		hi, lo := bits.Mul64(most+1, all)
		if all = lo + most; hi != 0 || all < lo {
			c.fail("B-tree of depth %d holds more than 2^64 records", depth)
			return c.err
		}
		t.width[d] = lg(all)/8 + 1
	}
	return t.walk(root, records, depth)
}

// tree2 is a walk over a version 2 B-tree.
type tree2 struct {
	f               *File
	kind, rec, node int
	count           int   // bytes of a child's record count
	width           []int // bytes of a subtree's record count, by depth
	each            func(kind int, rec []byte) error
}

func (t *tree2) walk(addr uint64, n, depth int) error {
	c := t.f.at(addr)
	if n*t.rec > t.node {
		c.fail("B-tree node of %d bytes with %d records of %d", t.node, n, t.rec)
	}
	if depth == 0 {
		c.sig("BTLF")
		c.n(2)
		for i := 0; i < n; i++ {
			r := c.n(t.rec)
			if c.err != nil {
				return c.err
			}
			if err := t.each(t.kind, r); err != nil {
				return err
			}
		}
		return c.err
	}
	c.sig("BTIN")
	c.n(2)
	recs := c.n(t.rec * n)
	for i := 0; i <= n && c.err == nil; i++ {
		child := c.o()
		m := int(c.u(t.count))
		if depth > 1 {
			c.u(t.width[depth-1])
		}
		if c.err != nil {
			return c.err
		}
		if err := t.walk(child, m, depth-1); err != nil {
			return err
		}
		if i < n {
			if err := t.each(t.kind, recs[i*t.rec:(i+1)*t.rec]); err != nil {
				return err
			}
		}
	}
	return c.err
}
