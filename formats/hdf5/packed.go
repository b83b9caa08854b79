// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/internal/flat"
)

var (
	_ formats.PackedReader       = (*source)(nil)
	_ formats.PackedRegionReader = flatSource{}
)

// numbers reports whether the stored elements are those of memory but for the order of their bytes.
func (s *source) numbers() bool {
	return s.err == nil && !s.t.indirect() && s.t.bits == 0 && s.meta.DType.IsNumeric() && !s.meta.DType.IsComplex() && s.meta.DType.Size() == s.item
}

// Packing implements formats.PackedReader: what most of the chunks leave.
func (s *source) Packing() formats.Packing {
	if !s.meta.Chunked || !s.numbers() || s.item < 2 || s.t.swap() > 0 || len(s.steps) < 2 || !s.steps[0].unshuffle {
		return formats.Native
	}
	return formats.Shuffled
}

// PackedShape implements formats.PackedReader: chunks are stored whole.
func (s *source) PackedShape(chunk.Key) chunk.Shape { return s.cell }

// ReadPacked implements formats.PackedReader.
func (s *source) ReadPacked(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (left bool, read int64, err error) {
	r := s.meta.Grid.Region(k)
	complete := func() (bool, int64, error) {
		n, err := s.ReadChunk(ctx, k, dst.Sub(formats.Shift(r, r.Lo)))
		return false, n, err
	}
	if s.err != nil {
		return false, 0, s.err
	}
	if err := s.load(); err != nil {
		return false, 0, fmt.Errorf("hdf5: %s: %w", s.o.Path, err)
	}
	c := s.find(k)
	if c == nil || !chunk.Whole(s.have).Contains(r) {
		return complete()
	}
	steps := s.active(c.mask, formats.Shift(r, r.Lo))
	if len(steps) < 2 || !steps[len(steps)-1].unshuffle {
		return complete()
	}
	sc := codec.Borrow()
	defer sc.Return()
	enc, err := s.encoded(ctx, c, sc)
	if err == nil {
		err = decode(steps[:len(steps)-1], dst.Bytes(), enc, sc)
	}
	if err != nil {
		return false, int64(c.size), fmt.Errorf("hdf5: %s chunk %v at offset %d: %w", s.o.Path, []int64(k), c.addr+s.o.f.base, err)
	}
	return true, int64(c.size), nil
}

// Swapped implements formats.PackedRegionReader.
func (s flatSource) Swapped() bool {
	return s.numbers() && s.t.swap() == s.item && s.meta.Bytes > 0 && s.have.Equal(s.meta.Shape) && s.o.layout.class != layoutCompact
}

// ReadSwapped implements formats.PackedRegionReader.
func (s flatSource) ReadSwapped(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (left bool, read int64, err error) {
	l, f := s.o.layout, s.o.f
	a := &flat.Array{R: f.r, Base: int64(l.addr + f.base), Strides: flat.RowMajor(s.have, s.item), Item: s.item}
	if l.addr+f.base < l.addr || a.Base < 0 || a.Base > f.size { // the error that ReadRegion gives
		n, err := s.ReadRegion(ctx, r, dst)
		return false, n, err
	}
	if read, err = a.Read(ctx, r, dst); err != nil {
		err = fmt.Errorf("hdf5: %s: %w", s.o.Path, err)
	}
	return true, read, err
}
