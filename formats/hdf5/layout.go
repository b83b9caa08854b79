// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"fmt"

	"github.com/arrayrun/arrayrun/formats"
)

// Layout classes.
const (
	layoutCompact = iota
	layoutContiguous
	layoutChunked
	layoutVirtual
)

// Chunk index kinds: 0 is the B-tree of versions 1 to 3 of the layout message.
const (
	indexTree1 = iota
	indexSingle
	indexImplicit
	indexFixed
	indexExtensible
	indexTree2
)

// layout says where a dataset's bytes are.
type layout struct {
	class      int
	addr, size uint64
	compact    []byte
	chunk      []uint64 // lengths of a chunk, without the element
	index      int
	flags      int // bit 0: edge chunks are not filtered; bit 1: the single chunk is
	singleSize uint64
	singleMask uint32
	heapItem   int // of a virtual dataset: the object that lists its parts, in the global heap at addr
}

// layout parses a data layout message, versions 1 to 5.
func (f *File) layout(b []byte) (*layout, error) {
	c := f.over(b)
	l := &layout{addr: Undef, size: Undef}
	switch v := c.u1(); {
	case v == 1 || v == 2:
		c.layout1(l)
	case v == 3 || v == 4 || v == 5:
		c.layout3(l, v)
	default:
		c.fail("data layout version %d, want 1 to 5", v)
	}
	if c.err != nil {
		return nil, c.err
	}
	if l.class > layoutVirtual {
		return nil, fmt.Errorf("hdf5: data layout class %d, want 0 to 3: %w", l.class, formats.ErrCorrupt)
	}
	for _, d := range l.chunk {
		if d == 0 {
			return nil, fmt.Errorf("hdf5: chunks of shape %v: %w", l.chunk, formats.ErrCorrupt)
		}
	}
	return l, nil
}

func (c *cursor) layout1(l *layout) {
	nd := c.count(1, maxRank+1, "rank of a layout")
	l.class = c.u1()
	c.n(5)
	if l.class != layoutCompact {
		l.addr = c.o()
	}
	var dims []uint64
	for range nd {
		dims = append(dims, uint64(c.u4()))
	}
	switch l.class {
	case layoutCompact:
		l.compact = c.keep(c.u4())
	case layoutChunked:
		c.chunkDims(l, dims)
	}
}

func (c *cursor) layout3(l *layout, version int) {
	l.class = c.u1()
	switch l.class {
	case layoutCompact:
		l.compact = c.keep(c.u2())
	case layoutContiguous:
		l.addr, l.size = c.o(), c.l()
	case layoutChunked:
		if version == 3 {
			nd := c.count(1, maxRank+1, "rank of a layout")
			l.addr = c.o()
			var dims []uint64
			for range nd {
				dims = append(dims, uint64(c.u4()))
			}
			c.chunkDims(l, dims)
			return
		}
		l.flags = c.u1()
		nd, width := c.count(1, maxRank+1, "rank of a layout"), c.u1()
		var dims []uint64
		for range nd {
			dims = append(dims, c.u(width))
		}
		c.chunkDims(l, dims)
		l.index = c.u1()
		switch l.index {
		case indexSingle:
			if l.flags&2 != 0 {
				l.singleSize, l.singleMask = c.l(), uint32(c.u4())
			}
		case indexImplicit:
		case indexFixed:
			c.u1()
		case indexExtensible:
			c.n(5)
		case indexTree2:
			c.n(6)
		default:
			c.fail("chunk index of kind %d, want 1 to 5", l.index)
		}
		l.addr = c.o()
	case layoutVirtual:
		l.addr, l.heapItem = c.o(), c.u4()
	}
}

// chunkDims takes the lengths of a chunk; the last one is the element's size.
func (c *cursor) chunkDims(l *layout, dims []uint64) {
	if len(dims) == 0 {
		c.fail("chunked layout without lengths")
		return
	}
	l.chunk = dims[:len(dims)-1]
}
