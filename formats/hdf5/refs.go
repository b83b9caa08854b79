// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

var _ formats.RefSource = (*source)(nil)

// Ref implements formats.RefSource: a virtual dataset has no bytes of its own.
func (v virtualSource) Ref(context.Context, chunk.Key) (formats.ChunkRef, error) {
	return formats.ChunkRef{}, fmt.Errorf("hdf5: %s: a virtual dataset is made of parts of other datasets: %w", v.o.Path, formats.ErrFormat)
}

// RefGrid implements formats.RefSource.
func (s *source) RefGrid() chunk.Grid {
	if s.meta.Chunked {
		return s.meta.Grid
	}
	return chunk.Regular(s.meta.Shape, s.meta.Shape...)
}

// Ref implements formats.RefSource. Texts of variable length lie in heaps, and numbers that do not use all their bits
// are not what they are in memory: both have no place of their own.
func (s *source) Ref(_ context.Context, k chunk.Key) (formats.ChunkRef, error) {
	fail := func(err error) (formats.ChunkRef, error) {
		return formats.ChunkRef{}, fmt.Errorf("hdf5: %s: %w", s.o.Path, err)
	}
	if err := s.err; err != nil {
		return formats.ChunkRef{}, err
	}
	if s.o.f.linked {
		return fail(fmt.Errorf("it lies in another file, %s: %w", s.o.f.name, formats.ErrFormat))
	}
	if s.t.indirect() || s.t.bits > 0 {
		return fail(fmt.Errorf("elements of %s are not stored one behind the other: %w", formats.TypeText(s.meta.Stored, s.meta.DType), formats.ErrFormat))
	}
	base := int64(s.o.f.base)
	if !s.meta.Chunked {
		l := s.o.layout
		n := s.meta.Shape.Size() * int64(s.item)
		switch {
		case s.meta.Bytes == 0:
			return formats.ChunkRef{Missing: true}, nil
		case !s.have.Equal(s.meta.Shape):
			return fail(fmt.Errorf("it is stored with shape %v, its dimensions have grown to %v: %w", s.have, s.meta.Shape, formats.ErrFormat))
		case l.class == layoutCompact:
			return formats.ChunkRef{Inline: l.compact[:n], Len: n}, nil
		}
		return formats.ChunkRef{Off: int64(l.addr) + base, Len: n}, nil
	}
	if len(s.t.dims) > 0 && len(s.steps) > 0 {
		return fail(fmt.Errorf("filters of elements that are arrays: %w", formats.ErrFormat)) // shuffle takes the array for one element
	}
	if err := s.load(); err != nil {
		return fail(err)
	}
	c := s.find(k)
	if c == nil {
		return formats.ChunkRef{Missing: true}, nil
	}
	ref := formats.ChunkRef{Off: int64(c.addr) + base, Len: int64(c.size), Mask: c.mask}
	if r := s.meta.Grid.Region(k); s.o.layout.flags&1 != 0 && !r.Shape().Equal(s.cell) {
		ref.Mask = ^uint32(0) // edge chunks are stored as they are
	}
	return ref, nil
}
