// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/flat"
)

// flatSource reads series whose pixels lie in the file as they are in memory: any region, without reading whole strips.
type flatSource struct {
	*source
	bases []int64 // where the pixels of each page begin, -1: they were never written
}

// maxFlat bounds the pages whose lists of strips are looked at when a file is opened.
const maxFlat = 1024

// contiguous returns src as a flatSource where every page allows that. Without that, strips that are too large are an error.
func (src *source) contiguous() (formats.Source, error) {
	if f := src.flat(); f != nil {
		return f, nil
	}
	if src.p.err == nil && src.p.large {
		src.p.err = src.p.tooLarge()
	}
	return src, src.p.err
}

// flat returns src as a flatSource, or nil.
func (src *source) flat() *flatSource {
	s, p := src.s, src.p
	if p.err != nil || !p.plain() || p.f.part || len(s.absent) > 0 {
		return nil
	}
	f := &flatSource{source: src}
	n := s.shape[:s.lead].Size()
	if s.planes > 1 {
		n = 1
	} else if n > maxFlat {
		return nil
	}
	for _, q := range s.pages[:n] {
		base := int64(-1)
		if q != nil {
			var ok bool
			if base, ok = q.run(); !ok || q.f != p.f {
				return nil
			}
		}
		f.bases = append(f.bases, base)
	}
	m := &src.meta
	m.Chunked = false
	m.Grid = chunk.DefaultGrid(s.shape, m.ItemBytes)
	return f
}

// run returns where the pixels of a page begin, when they lie behind each other.
func (p *page) run() (int64, bool) {
	p.once.Do(p.list)
	if p.listErr != nil || len(p.offsets) == 0 {
		return 0, false
	}
	rows, _ := p.grid()
	planes := int64(1)
	if p.planar {
		planes = int64(p.samples)
	}
	if int64(len(p.offsets)) < rows*planes || p.offsets[0] == 0 {
		return 0, false
	}
	at := p.offsets[0]
	for i := range rows * planes {
		if p.offsets[i] != at {
			return 0, false
		}
		at += min(p.segHeight, p.height-i%rows*p.segHeight) * p.rowBytes()
	}
	return p.offsets[0], true
}

// ScratchBytes implements formats.Source.
func (f *flatSource) ScratchBytes() int64 { return flat.SpanBytes }

// ReadChunk implements formats.Source.
func (f *flatSource) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	return f.ReadRegion(ctx, f.meta.Grid.Region(k), dst)
}

// ReadRegion implements formats.RegionReader: page by page.
func (f *flatSource) ReadRegion(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	lead := f.s.lead
	own := f.s.shape[lead:]
	item := f.meta.ItemBytes
	a := &flat.Array{R: f.p.f.r, Strides: flat.RowMajor(own, item), Item: item, Swap: f.p.swap()}
	inner := chunk.Region{Lo: r.Lo[lead:], Hi: r.Hi[lead:]}
	read := int64(0)
	var walk func(axis int, page, offset int64) error
	walk = func(axis int, page, offset int64) error {
		if axis < lead {
			for x := r.Lo[axis]; x < r.Hi[axis]; x++ {
				if err := walk(axis+1, page*f.s.shape[axis]+x, offset); err != nil {
					return err
				}
				offset += dst.Strides[axis]
			}
			return nil
		}
		to := &chunk.Chunk{DType: dst.DType, ItemBytes: dst.ItemBytes, Shape: inner.Shape(), Strides: dst.Strides[lead:], Offset: offset, Block: dst.Block}
		if f.s.planes > 1 {
			a.Base = f.bases[0] + page*own.Size()*int64(item)
		} else if a.Base = f.bases[page]; a.Base < 0 {
			formats.FillElems(to, f.meta.Fill)
			return nil
		}
		n, err := a.Read(ctx, inner, to)
		read += n
		return err
	}
	if err := walk(0, 0, dst.Offset); err != nil {
		return read, fmt.Errorf("formats/tiff: %s region %v: %w", f.s.name, r, err)
	}
	return read, nil
}

// swap is the width of numbers whose bytes are in the other order, 0: none.
func (p *page) swap() int {
	if p.f.order.Uint16([]byte{0, 1}) == 1 && p.number() > 1 {
		return p.number()
	}
	return 0
}
