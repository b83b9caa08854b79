// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// outLevel is the image, or a reduced copy of it, as a page over the stage.
type outLevel struct{ *page }

// tileSink takes the image tile by tile: a formats.Sink.
type tileSink struct {
	w    *writer
	grid chunk.Grid
	lead int // axes before the height
}

// tiles makes the image's sink: a chunk is a tile.
func (w *writer) tiles() *tileSink {
	v, l := w.image, &w.layout
	s := &tileSink{w: w}
	steps := []int64{l.segHeight, l.segWidth}
	switch {
	case len(v.Shape) == 3 && (l.planar || w.samples == 1):
		steps, s.lead = append([]int64{1}, steps...), 1
	case len(v.Shape) == 3:
		steps = append(steps, v.Shape[2])
	}
	for i, n := range v.Shape {
		steps[i] = min(steps[i], n)
	}
	s.grid = chunk.Regular(v.Shape, steps...)
	return s
}

// Grid implements formats.Sink.
func (s *tileSink) Grid() chunk.Grid { return s.grid }

// ScratchBytes implements formats.Sink.
func (s *tileSink) ScratchBytes() int64 { return 4*s.w.tileBytes() + 2<<20 }

// tileBytes is the size of a decoded tile.
func (w *writer) tileBytes() int64 {
	l := &w.layout
	return l.segHeight * l.segWidth * int64((&page{layout: *l}).inPixel()*l.dtype.Size())
}

// WriteChunk implements formats.Sink.
func (s *tileSink) WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	w := s.w
	r := s.grid.Region(k)
	if !c.Shape.Equal(r.Shape()) || c.DType != w.image.DType {
		return 0, fmt.Errorf("formats/tiff: write %s %v: got a %v chunk of shape %v, want %v: %w", w.image.Name, r, c.DType, c.Shape, w.image.DType, chunk.ErrShape)
	}
	if w.done.Load() {
		return 0, fmt.Errorf("formats/tiff: write %s %v: the output is committed or aborted already", w.image.Name, r)
	}
	z := codec.Borrow()
	defer z.Return()
	n := int(w.tileBytes())
	z.Dec = codec.Grow(z.Dec, 2*n)
	tile := z.Dec[:n]
	if !c.Shape.Equal(chunk.Shape{w.layout.segHeight, w.layout.segWidth}) {
		clear(tile) // what lies beyond the image
	}
	in := int64((&page{layout: w.layout}).inPixel())
	dst := &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: c.Shape, Block: mem.Wrap(tile)}
	strides := []int64{w.layout.segWidth * in, in, 1}
	if s.lead == 1 {
		strides = append([]int64{0}, strides...)
	}
	dst.Strides = strides[:len(c.Shape)]
	formats.CopyElems(dst, c)
	p := w.levels[0].page
	_, cols := p.grid()
	i := k[s.lead]*cols + k[s.lead+1]
	if s.lead == 1 {
		rows, _ := p.grid()
		i += k[0] * rows * cols
	}
	size, err := w.put(p, i, tile, z)
	if err != nil {
		return 0, fmt.Errorf("formats/tiff: write %s %v: %w", w.image.Name, r, err)
	}
	return size, nil
}

// put compresses a tile, whose memory is the first half of z.Dec, and appends it to the stage.
func (w *writer) put(p *page, i int64, tile []byte, z *codec.Scratch) (int64, error) {
	b, err := w.encode(tile, z.Dec[len(tile):2*len(tile)], z)
	if err != nil {
		return 0, err
	}
	size := int64(len(b))
	at := w.end.Add(size) - size
	if _, err := w.stage.WriteAt(b, at); err != nil {
		return 0, err
	}
	p.offsets[i], p.counts[i] = at, size
	return size, nil
}

// encode returns the stored bytes of a tile of elements, which it may change.
func (w *writer) encode(tile, tmp []byte, z *codec.Scratch) ([]byte, error) {
	l := &w.layout
	step := (&page{layout: *l}).inPixel()
	rows, wide := int(l.segHeight), int(l.segWidth)*step
	size := l.dtype.Size()
	switch l.predictor {
	case 2:
		predict(tile, rows, wide, size, step)
	case 3:
		predictFloats(tmp, tile, rows, wide, size, step)
		tile = tmp
	}
	if l.bits == 1 {
		tile = packBits(tmp, tile, rows, wide)
	}
	if w.pack == nil {
		return tile, nil
	}
	z.Enc = codec.Grow(z.Enc, 0)
	out, err := w.pack.Encode(z.Enc[:0], tile, z)
	if err == nil {
		z.Enc = out
	}
	return out, err
}

// packBits puts eight bools in a byte, the first in the highest bit. Rows begin with a byte.
func packBits(out, b []byte, rows, wide int) []byte {
	size := (wide + 7) / 8
	out = out[:rows*size]
	clear(out)
	for r := range rows {
		for i, x := range b[r*wide:][:wide] {
			if x != 0 {
				out[r*size+i/8] |= 0x80 >> (i % 8)
			}
		}
	}
	return out
}

// predict is the inverse of unpredict.
func predict(b []byte, rows, wide, size, samples int) {
	step := samples * size
	for r := range rows {
		row := b[r*wide*size:][:wide*size]
		for i := len(row) - size; i >= step; i -= size {
			switch size {
			case 1:
				row[i] -= row[i-step]
			case 2:
				le.PutUint16(row[i:], le.Uint16(row[i:])-le.Uint16(row[i-step:]))
			case 4:
				le.PutUint32(row[i:], le.Uint32(row[i:])-le.Uint32(row[i-step:]))
			case 8:
				le.PutUint64(row[i:], le.Uint64(row[i:])-le.Uint64(row[i-step:]))
			}
		}
	}
}

// predictFloats is the inverse of unpredictFloats for floats stored as they are.
func predictFloats(out, b []byte, rows, wide, size, step int) {
	for r := range rows {
		from, row := b[r*wide*size:][:wide*size], out[r*wide*size:][:wide*size]
		for i := range wide {
			for k := range size {
				row[k*wide+i] = from[i*size+size-1-k]
			}
		}
		for i := len(row) - 1; i >= step; i-- {
			row[i] -= row[i-step]
		}
	}
}

// fill returns the fill value as an element, where the dtype has it.
func (w *writer) fill() ([]byte, bool) {
	v, ok := w.image.Attrs.Get("_FillValue")
	if !ok {
		return nil, false
	}
	return element(w.layout.dtype, v)
}

// element returns a number as an element of the dtype.
func element(dt dtype.DType, v any) ([]byte, bool) {
	p := &page{layout: layout{dtype: dt}}
	return nodataText(p, spell(v))
}
