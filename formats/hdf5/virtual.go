// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

const (
	maxMappings  = 1 << 20
	mappingSteps = 16       // their memory is bounded with the file's work
	maxVirtual   = 4        // virtual datasets of virtual datasets
	maxBeside    = 64 << 20 // bytes read beside their place where a selection has gaps
	fewRuns      = 8        // more pieces than these are read together with what lies between them
)

// mapping says that what src selects of a dataset, maybe in another file, is what virt selects of the virtual one.
type mapping struct {
	file, data string
	src, virt  selection

	once sync.Once
	from formats.Source // nil: there is no such file or dataset
	gone atomic.Bool    // somebody has looked for it
	dims []uint64       // of from
	err  error
}

// mappings parses the list of a virtual dataset, which lies in the global heap.
func (f *File) mappings(addr uint64, item int) ([]*mapping, error) {
	if addr == Undef || addr == 0 {
		return nil, nil
	}
	h, err := f.collection(addr)
	if err != nil {
		return nil, err
	}
	at, ok := h.items[item]
	if !ok {
		return nil, fmt.Errorf("hdf5: global heap at %#x has no object %d, the mappings of a virtual dataset: %w", addr, item, formats.ErrCorrupt)
	}
	b := slices.Clone(h.b[at[0] : at[0]+at[1]])
	c := f.over(b)
	version := c.u1()
	if version > 1 {
		return nil, fmt.Errorf("hdf5: mappings of a virtual dataset of version %d, want 0 or 1: %w", version, formats.ErrFormat)
	}
	n := c.l()
	if n > maxMappings || n > uint64(len(b)) {
		c.fail("virtual dataset of %d parts", n)
	}
	var out []*mapping
	for i := uint64(0); i < n && c.err == nil; i++ {
		m := &mapping{}
		c.mappingNames(m, version, out)
		m.src = c.selection()
		m.virt = c.selection()
		out = append(out, m)
	}
	if c.err != nil {
		return nil, c.err
	}
	if err := f.step(mappingSteps * int64(n)); err != nil {
		return nil, err
	}
	return out, c.checksum("mappings of a virtual dataset")
}

// Flags of a mapping of version 1: a name is that of an earlier mapping, whose number stands in its place.
const (
	sameFileAs = 1
	sameDataAs = 2
	thisFile   = 4
)

// mappingNames takes the names of the next mapping.
func (c *cursor) mappingNames(m *mapping, version int, before []*mapping) {
	flags := 0
	if version == 1 {
		flags = c.u1()
	}
	earlier := func() *mapping {
		i := c.l()
		if i >= uint64(len(before)) {
			c.fail("name of part %d of a virtual dataset, there are %d before", i, len(before))
			return m
		}
		return before[i]
	}
	switch {
	case flags&thisFile != 0:
		m.file = "."
	case flags&sameFileAs != 0:
		m.file = earlier().file
	default:
		m.file = c.cstr()
	}
	if flags&sameDataAs != 0 {
		m.data = earlier().data
	} else {
		m.data = c.cstr()
	}
}

// unlimited returns the axis along which s has no end, -1 when there is none.
func (s selection) unlimited() int { return slices.IndexFunc(s, sequence.unlimited) }

// virtual completes the parts of a virtual dataset: names with numbers become one part for each dataset there is, and a
// dataset without an end is as long as its parts.
func (o *Object) virtual(depth int) ([]*mapping, error) {
	ms, err := o.f.mappings(o.layout.addr, o.layout.heapItem)
	if err != nil {
		return nil, err
	}
	var out []*mapping
	grown, open := make([]uint64, len(o.Space.Dims)), make([]bool, len(o.Space.Dims))
	for _, m := range ms {
		v, s := m.virt.unlimited(), m.src.unlimited()
		if v < 0 || v >= len(grown) {
			out = append(out, m)
			continue
		}
		open[v] = true
		switch {
		case s < 0:
			parts, err := m.numbered(o, v, depth)
			if err != nil {
				return nil, err
			}
			out = append(out, parts...)
			for _, p := range parts {
				grown[v] = max(grown[v], p.virt[v].start+p.virt[v].n())
			}
			continue
		}
		if m.open(o, depth); m.err != nil {
			return nil, m.err
		}
		out = append(out, m)
		if m.from == nil {
			continue
		}
		q, err := m.src.within(m.dims)
		if err != nil {
			return nil, err
		}
		// as many positions as the source has
		t := m.virt[v]
		if n := q[s].n(); t.block == Undef {
			t.count, t.block, t.stride = min(n, 1), max(n, 1), max(n, 1)
		} else {
			t.count = n / t.block
		}
		if err := t.check(); err != nil {
			return nil, err
		}
		m.virt = slices.Clone(m.virt)
		m.virt[v] = t
		if n := t.n(); n > 0 {
			grown[v] = max(grown[v], t.at(n-1)+1)
		}
	}
	for i := range grown {
		if open[i] {
			o.Space.Dims[i] = grown[i]
		}
	}
	_, err = o.Space.size(o.Type.Size)
	return out, err
}

// numbered makes the parts of a mapping whose names hold %b, the number of the block along axis v, until one is missing.
func (m *mapping) numbered(o *Object, v, depth int) ([]*mapping, error) {
	q := m.virt[v]
	if q.count != Undef || !strings.Contains(m.file+m.data, "%b") {
		return nil, fmt.Errorf("hdf5: part of a virtual dataset without an end, from a source that has one: %w", formats.ErrCorrupt)
	}
	var out []*mapping
	for i := uint64(0); i < maxNeighbours; i++ {
		number := strings.NewReplacer("%b", strconv.FormatUint(i, 10), "%%", "%")
		p := &mapping{file: number.Replace(m.file), data: number.Replace(m.data), src: m.src, virt: slices.Clone(m.virt)}
		p.virt[v] = sequence{q.start + i*q.stride, q.block, 1, q.block}
		if err := p.virt[v].check(); err != nil {
			return nil, err
		}
		if p.open(o, depth); p.err != nil {
			return nil, p.err
		}
		if p.from == nil {
			break
		}
		out = append(out, p)
	}
	return out, nil
}

// open finds the source of a mapping. A file or dataset that is not there leaves it without one: the virtual dataset
// has its fill value there, as the library has it.
func (m *mapping) open(o *Object, depth int) {
	m.once.Do(func() {
		f := o.f
		if m.file != "." {
			if f, m.err = o.f.neighbour(m.file); errors.Is(m.err, fs.ErrNotExist) {
				m.err = nil
				m.gone.Store(true)
				return
			}
		}
		var d *Object
		if m.err == nil {
			var root *Object
			if root, m.err = f.Root(); m.err == nil {
				d, m.err = root.lookup(m.data, 0)
			}
		}
		switch {
		case errors.Is(m.err, fs.ErrNotExist):
			m.err = nil
			m.gone.Store(true)
			return
		case m.err != nil:
			return
		case depth > maxVirtual:
			m.err = fmt.Errorf("hdf5: virtual datasets of virtual datasets, %d deep: %w", depth, formats.ErrFormat)
			return
		case !d.Dataset():
			m.err = fmt.Errorf("hdf5: part %q of a virtual dataset is no dataset: %w", m.data, formats.ErrFormat)
			return
		}
		d.Path = m.data
		if m.from, m.err = d.source(nil, depth+1); m.err != nil {
			return
		}
		want, got := o.Type.memory(), d.Type.memory()
		if want.dtype != got.dtype || want.item != got.item || !slices.Equal(want.dims, got.dims) {
			m.from, m.err = nil, fmt.Errorf("hdf5: a virtual dataset of %v has a part %q of %v: conversion is not done here: %w", o.Type.Stored(), m.data, d.Type.Stored(), formats.ErrFormat)
			return
		}
		m.dims = d.Space.Dims
	})
}

// virtualSource reads a virtual dataset; what no part covers is the fill value.
type virtualSource struct {
	*source
	parts []*mapping
	depth int
}

// virtualRegions is a virtualSource whose elements have a fixed size.
type virtualRegions struct{ virtualSource }

// virtual makes the source of a virtual dataset. Its grid is that of its first part where the axes agree.
func (s *source) virtual(parts []*mapping, depth int) formats.Source {
	v := virtualSource{s, parts, depth}
	s.meta.Grid = chunk.DefaultGrid(s.meta.Shape, s.item)
	if len(parts) > 0 {
		if parts[0].open(s.o, depth); parts[0].from != nil {
			if m := parts[0].from.Meta(); len(m.Shape) == len(s.meta.Shape) && m.Chunked {
				s.meta.Chunked, s.meta.Grid = true, grid(s.meta.Shape, m.Grid.MaxChunk())
			}
		}
	}
	if s.t.dtype == dtype.String {
		return v
	}
	return virtualRegions{v}
}

// ScratchBytes implements formats.Source.
func (v virtualSource) ScratchBytes() int64 {
	n := int64(maxBeside)
	for _, m := range v.parts {
		if m.from != nil {
			return n + m.from.ScratchBytes() + m.from.Meta().Grid.MaxChunk().Size()*int64(v.t.item)
		}
	}
	return n
}

// Absent implements formats.PartedSource.
func (v virtualSource) Absent() []string {
	var out []string
	for _, m := range v.parts {
		if m.gone.Load() {
			out = append(out, fmt.Sprintf("%q of %q", m.data, m.file))
		}
	}
	return out
}

// StoredBytes returns -1: the bytes are those of other datasets.
func (v virtualSource) StoredBytes(context.Context) (int64, error) { return -1, nil }

// ReadChunk implements formats.Source.
func (v virtualSource) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	return v.read(ctx, v.meta.Grid.Region(k), dst)
}

// ReadRegion implements formats.RegionReader.
func (v virtualRegions) ReadRegion(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	return v.read(ctx, r, dst)
}

func (v virtualSource) read(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	if v.err != nil {
		return 0, v.err
	}
	dst.Heap = nil
	formats.FillElems(dst, v.meta.Fill)
	total := int64(0)
	for _, m := range v.parts {
		n, err := v.readPart(ctx, m, r, dst)
		total += n
		if err != nil {
			return total, fmt.Errorf("hdf5: %s: part %q of %q: %w", v.o.Path, m.data, m.file, err)
		}
	}
	return total, nil
}

// piece pairs a run of positions of the virtual dataset with one of the source, along one axis.
type piece struct{ virt, src, n uint64 }

// readPart reads what mapping m has of region r.
func (v virtualSource) readPart(ctx context.Context, m *mapping, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	virt, err := m.virt.within(v.o.Space.Dims)
	if err != nil {
		return 0, err
	}
	lo, hi := make([]uint64, len(virt)), make([]uint64, len(virt))
	for i, q := range virt {
		lo[i], hi[i] = q.before(uint64(r.Lo[i])), q.before(uint64(r.Hi[i]))
		if lo[i] >= hi[i] {
			return 0, nil
		}
	}
	if m.open(v.o, v.depth); m.err != nil || m.from == nil {
		return 0, m.err
	}
	src, err := m.src.within(m.dims)
	if err != nil {
		return 0, err
	}
	vn, sn := long(virt), long(src)
	if !slices.EqualFunc(vn, sn, func(a, b int) bool { return virt[a].n() == src[b].n() }) {
		return v.readFolded(ctx, m, virt, src, lo, hi, r, dst)
	}
	b := box{m: m, r: r, dst: dst, virt: virt, src: src, axes: make([]int, len(src)), pieces: make([][]piece, len(src)), first: make([]uint64, len(virt))}
	for i := range virt {
		b.first[i] = virt[i].at(lo[i])
	}
	for i := range src {
		b.axes[i] = -1
		b.pieces[i] = []piece{{0, src[i].start, 1}}
	}
	for k, a := range vn {
		s := sn[k]
		b.axes[s] = a
		if b.pieces[s], err = pieces(v.o.f, virt[a], src[s], lo[a], hi[a]); err != nil {
			return 0, err
		}
	}
	return b.read(ctx, v.t.dims)
}

// long lists the axes with more than one selected position.
func long(s selection) []int {
	var out []int
	for i, q := range s {
		if q.n() != 1 {
			out = append(out, i)
		}
	}
	return out
}

// pieces cuts the positions lo to hi of two sequences into runs that are contiguous in both.
func pieces(f *File, virt, src sequence, lo, hi uint64) ([]piece, error) {
	var out []piece
	for i := lo; i < hi; {
		end := min(virt.run(i), src.run(i), hi)
		out = append(out, piece{virt.at(i), src.at(i), end - i})
		if i = end; len(out)%4096 == 0 {
			if err := f.step(64); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
