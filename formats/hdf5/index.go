// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"fmt"
	"math/bits"
	"sort"

	"github.com/arrayrun/arrayrun/formats"
)

// stored is one stored chunk: its number on the dataset's grid (row-major), place,
// size and filter mask.
type stored struct {
	number     uint64
	addr, size uint64
	mask       uint32
}

// maxStored bounds the index kept in memory: 64 million chunks.
const maxStored = 64 << 20

// indexer collects the stored chunks of a dataset.
type indexer struct {
	o     *Object
	l     *layout
	grid  []uint64 // chunks along each axis
	limit []uint64 // the same for the largest lengths; Undef where unlimited
	order []int    // axes in the order in which chunks are numbered in arrays
	full  uint64   // bytes of an unfiltered chunk
	out   []stored
}

// chunks lists the stored chunks, sorted by number. It reads only metadata.
func (o *Object) chunks() ([]stored, error) {
	l, nd := o.layout, len(o.layout.chunk)
	if l.addr == Undef {
		return nil, nil
	}
	if nd != len(o.Space.Dims) {
		return nil, fmt.Errorf("hdf5: chunks of rank %d in a dataset of rank %d: %w", nd, len(o.Space.Dims), formats.ErrCorrupt)
	}
	x := &indexer{o: o, l: l, grid: make([]uint64, nd), limit: make([]uint64, nd), full: uint64(o.Type.Size)}
	unlimited := -1
	for i, d := range l.chunk {
		x.grid[i] = ceil(o.Space.Dims[i], d)
		x.limit[i] = Undef
		if o.Space.Max[i] == Undef {
			unlimited = i
		} else {
			x.limit[i] = ceil(max(o.Space.Max[i], o.Space.Dims[i]), d)
		}
		hi, lo := bits.Mul64(x.full, d)
		if x.full = lo; hi != 0 || lo > 1<<40 {
			return nil, fmt.Errorf("hdf5: chunks of shape %v: %w", l.chunk, formats.ErrCorrupt)
		}
	}
	for i := range nd {
		x.order = append(x.order, i)
	}
	if l.index == indexExtensible && unlimited > 0 {
		// the unlimited axis comes first, so that growth adds chunks at the end
		copy(x.order[1:], x.order[:unlimited])
		x.order[0] = unlimited
	}
	err := map[int]func() error{
		indexTree1: x.tree1, indexSingle: x.single, indexImplicit: x.implicit,
		indexFixed: x.fixed, indexExtensible: x.extensible, indexTree2: x.tree2,
	}[l.index]()
	if err != nil {
		return nil, fmt.Errorf("chunk index: %w", err)
	}
	sort.Slice(x.out, func(i, j int) bool { return x.out[i].number < x.out[j].number })
	return x.out, nil
}

func ceil(n, step uint64) uint64 {
	if n == 0 {
		return 0
	}
	return (n-1)/step + 1
}

// add keeps a chunk at the position, in chunks; one outside the array is left out.
func (x *indexer) add(pos []uint64, c stored) error {
	if len(x.out) >= maxStored {
		return fmt.Errorf("hdf5: more than %d chunks: %w", maxStored, formats.ErrFormat)
	}
	for i, p := range pos {
		if p >= x.grid[i] {
			return nil
		}
		c.number = c.number*x.grid[i] + p
	}
	x.out = append(x.out, c)
	return nil
}

// at turns the place in an array of chunks into a position.
func (x *indexer) at(i uint64, pos []uint64) {
	for k := len(pos) - 1; k >= 0; k-- {
		a := x.order[k]
		if g := x.limit[a]; k > 0 && g != Undef && g > 0 {
			pos[a] = i % g
			i /= g
		} else {
			pos[a] = i
			i = 0
		}
	}
}

func (x *indexer) tree1() error {
	nd := len(x.grid)
	seen := map[uint64]bool{}
	pos := make([]uint64, nd)
	var walk func(addr uint64, depth int) error
	walk = func(addr uint64, depth int) error {
		c := x.o.f.at(addr)
		if seen[addr] || depth > 64 {
			c.fail("B-tree of chunks points to itself")
		}
		seen[addr] = true
		c.sig("TREE")
		if kind := c.u1(); kind != 1 {
			c.fail("B-tree of kind %d, want 1", kind)
		}
		level, n := c.u1(), c.u2()
		c.o()
		c.o()
		for i := 0; i < n && c.err == nil; i++ {
			s := stored{size: uint64(c.u4()), mask: uint32(c.u4())}
			for k := range pos {
				v := c.u(8)
				pos[k] = v / x.l.chunk[k]
				if level == 0 && v%x.l.chunk[k] != 0 {
					c.fail("chunk at element %d of axis %d, chunks have %d", v, k, x.l.chunk[k])
				}
			}
			c.u(8)
			s.addr = c.o()
			if c.err != nil {
				break
			}
			var err error
			if level > 0 {
				err = walk(s.addr, depth+1)
			} else {
				err = x.add(pos, s)
			}
			if err != nil {
				return err
			}
		}
		return c.err
	}
	return walk(x.l.addr, 0)
}

func (x *indexer) single() error {
	s := stored{addr: x.l.addr, size: x.full}
	if x.l.flags&2 != 0 {
		s.size, s.mask = x.l.singleSize, x.l.singleMask
	}
	return x.add(make([]uint64, len(x.grid)), s)
}

// implicit: all chunks are there, in order and unfiltered.
func (x *indexer) implicit() error {
	n := uint64(1)
	for _, g := range x.limit {
		hi, lo := bits.Mul64(n, g)
		if n = lo; hi != 0 || n > maxStored {
			return fmt.Errorf("hdf5: more than %d chunks: %w", maxStored, formats.ErrFormat)
		}
	}
	pos := make([]uint64, len(x.grid))
	for i := range n {
		x.at(i, pos)
		if err := x.add(pos, stored{addr: x.l.addr + i*x.full, size: x.full}); err != nil {
			return err
		}
	}
	return nil
}

// tree2: several unlimited axes.
func (x *indexer) tree2() error {
	nd, so := len(x.grid), x.o.f.so
	pos := make([]uint64, nd)
	return x.o.f.btree2(x.l.addr, func(kind int, rec []byte) error {
		c := x.o.f.over(rec)
		s := stored{addr: c.o(), size: x.full}
		if kind == 11 {
			s.size, s.mask = c.u(max(0, len(rec)-so-4-8*nd)), uint32(c.u4())
		}
		for k := range pos {
			pos[k] = c.u(8)
		}
		if c.err != nil {
			return c.err
		}
		return x.add(pos, s)
	})
}
