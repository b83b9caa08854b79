// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

var (
	_ formats.RefSource = (*source)(nil)
	_ formats.RefSource = (*flatSource)(nil)
)

// RefGrid implements formats.RefSource.
func (src *source) RefGrid() chunk.Grid { return src.meta.Grid }

// Ref implements formats.RefSource.
func (src *source) Ref(_ context.Context, k chunk.Key) (formats.ChunkRef, error) {
	if src.p.err != nil {
		return formats.ChunkRef{}, src.p.err
	}
	p := src.s.pages[src.page(k)]
	if err := src.s.absent[src.page(k)]; err != nil {
		return formats.ChunkRef{}, err
	}
	if p != nil && p.f.part {
		return formats.ChunkRef{}, fmt.Errorf("formats/tiff: %s: a part lies in another file: %w", src.s.name, formats.ErrFormat)
	}
	if p == nil {
		return formats.ChunkRef{Missing: true}, nil
	}
	if 8*p.dtype.Size() != p.bits || p.fillOrder != 1 {
		return formats.ChunkRef{}, fmt.Errorf("formats/tiff: %s: elements of %d bits in bit order %d are not stored as others know them: %w", src.s.name, p.bits, p.fillOrder, formats.ErrFormat)
	}
	off, size, err := p.segment(src.segmentOf(p, k))
	short := !p.tiled && (k[src.at[0]]+1)*p.segHeight > p.height
	return formats.ChunkRef{Off: off, Len: size, Missing: size == 0, Short: short}, err
}

// page returns the number of the page that chunk k lies in.
func (src *source) page(k chunk.Key) int64 {
	n := int64(0)
	for i := range src.s.lead {
		n = n*src.s.shape[i] + k[i]
	}
	return n
}

// segmentOf returns the number of the segment of p that is chunk k.
func (src *source) segmentOf(p *page, k chunk.Key) int64 {
	rows, cols := p.grid()
	n := k[src.at[0]]*cols + k[src.at[1]]
	if p.planar && src.at[2] >= 0 {
		n += k[src.at[2]] * rows * cols
	}
	return n
}

// RefGrid implements formats.RefSource: a page is one run.
func (f *flatSource) RefGrid() chunk.Grid {
	steps := f.s.shape.Clone()
	for i := range f.s.lead {
		steps[i] = 1
	}
	return chunk.Regular(f.s.shape, steps...)
}

// Ref implements formats.RefSource.
func (f *flatSource) Ref(_ context.Context, k chunk.Key) (formats.ChunkRef, error) {
	page := f.page(k)
	ref := formats.ChunkRef{Len: f.s.shape[f.s.lead:].Size() * int64(f.meta.ItemBytes)}
	if f.s.planes > 1 {
		ref.Off = f.bases[0] + page*ref.Len
	} else if ref.Off = f.bases[page]; ref.Off < 0 {
		ref = formats.ChunkRef{Missing: true}
	}
	return ref, nil
}
