// SPDX-License-Identifier: BSD-3-Clause

package npy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// box is an array lying in a file: a formats.Source and RegionReader.
type box struct {
	name  string
	r     io.ReaderAt
	off   int64 // of the first element
	el    elem
	meta  formats.ArrayMeta
	steps []int64 // strides in the file, in elements
}

var (
	_ formats.Source       = (*box)(nil)
	_ formats.RegionReader = (*box)(nil)
	_ formats.RegionCoster = (*box)(nil)
)

// newBox returns the array of a header whose elements lie in r from off on; avail bytes are there.
func newBox(name string, r io.ReaderAt, h *header, off, avail int64) (*box, error) {
	need, err := h.shape.Bytes(int64(h.el.file()))
	if err != nil {
		return nil, err
	}
	if need > avail {
		return nil, fmt.Errorf("array of shape %v needs %d bytes, %d are there: %w", h.shape, need, avail, formats.ErrCorrupt)
	}
	b := &box{name: name, r: r, off: off, el: h.el, steps: h.shape.RowMajor()}
	if h.fortran {
		n := int64(1)
		for i, d := range h.shape {
			b.steps[i] = n
			n *= d
		}
	}
	b.meta = formats.ArrayMeta{Shape: h.shape, DType: h.el.dt, ItemBytes: h.el.item, Grid: chunk.DefaultGrid(h.shape, h.el.item),
		Stored: h.el.stored, Bytes: need}
	if len(h.el.units) > 0 {
		b.meta.ByteOrder = "little"
		if h.el.big {
			b.meta.ByteOrder = "big"
		}
	}
	return b, nil
}

// Meta implements formats.Source.
func (b *box) Meta() *formats.ArrayMeta { return &b.meta }

// maxSpan bounds what is read at once where the wanted elements are scattered.
const maxSpan = 1 << 20

// ScratchBytes implements formats.Source.
func (b *box) ScratchBytes() int64 {
	if b.el.hole > 0 {
		return maxSpan + 64<<10 + b.holed()
	}
	return maxSpan + 64<<10
}

// ReadChunk implements formats.Source.
func (b *box) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	return b.ReadRegion(ctx, b.meta.Grid.Region(k), dst)
}

// together reports whether a span of which so many bytes are wanted is read at once: a read costs as much as 16 KiB of copying.
func together(span, want int64) bool { return 8*want >= span || span <= 16<<10 }

// axis is one side of a region: n elements, step apart in the file.
type axis struct {
	at      int // which axis of the array
	n, step int64
}

// ReadRegion implements formats.RegionReader.
func (b *box) ReadRegion(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	n, err := b.region(ctx, r, dst)
	if err != nil {
		return n, fmt.Errorf("formats/npy: read %s %v: %w", b.name, r, err)
	}
	return n, nil
}

func (b *box) region(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	if r.Empty() || b.el.item == 0 {
		return 0, nil
	}
	item := int64(b.el.item)
	start := int64(0)
	for i := range r.Lo {
		start += r.Lo[i] * b.steps[i]
	}
	axes := b.axes(r.Shape())
	if run, dense := denseRun(axes, dst.Strides); dense { // no copy
		p := dst.Block.Bytes()[dst.Offset*item : (dst.Offset+run)*item]
		return int64(len(p)), b.fill(p, start)
	}
	inner, per, _ := b.pieces(axes)
	return b.walk(ctx, axes, inner, per, len(axes)-1, start, dst)
}

// axes returns the sides of a region longer than 1, the fastest in the file first.
func (b *box) axes(shape chunk.Shape) []axis {
	axes := make([]axis, 0, len(shape))
	for i, n := range shape {
		if n > 1 {
			axes = append(axes, axis{i, n, b.steps[i]})
		}
	}
	slices.SortStableFunc(axes, func(x, y axis) int {
		if x.step < y.step {
			return -1
		}
		return 1
	})
	return axes
}

// denseRun returns the elements of a region and whether they are one run of the file that goes to one run of what has the strides.
func denseRun(axes []axis, strides []int64) (run int64, dense bool) {
	run, dense = 1, true
	for _, a := range axes {
		dense = dense && a.step == run && strides[a.at] == run
		run *= a.n
	}
	return run, dense
}

// pieces says how a region is read: the first inner sides lie together and are read at once, with per elements of the next one; span bytes are
// from the first to the last of those inside. The other sides are walked.
func (b *box) pieces(axes []axis) (inner int, per, span int64) {
	item := int64(b.el.item)
	span, want := item, item
	for inner < len(axes) {
		a := axes[inner]
		wider := span + (a.n-1)*a.step*item
		if wider > maxSpan || !together(wider, want*a.n) {
			break
		}
		span, want = wider, want*a.n
		inner++
	}
	per = 1
	if inner < len(axes) && together(axes[inner].step*item, want) {
		per += max(0, (maxSpan-span)/(axes[inner].step*item))
	}
	return inner, per, span
}

// RegionBytes implements formats.RegionCoster.
func (b *box) RegionBytes(shape chunk.Shape) int64 {
	item := int64(b.el.item)
	axes := b.axes(shape)
	if run, dense := denseRun(axes, shape.RowMajor()); dense {
		return run * item
	}
	inner, per, n := b.pieces(axes)
	for i, a := range axes[inner:] {
		if i > 0 {
			n *= a.n
			continue
		}
		pieces := (a.n + per - 1) / per
		n = pieces*n + (a.n-pieces)*a.step*item
	}
	return n
}

// walk reads the outer sides from the slowest on; side inner is cut into pieces of per.
func (b *box) walk(ctx context.Context, axes []axis, inner int, per int64, level int, start int64, dst *chunk.Chunk) (int64, error) {
	if level < inner {
		return b.piece(ctx, axes[:inner], start, dst)
	}
	a := axes[level]
	step := int64(1)
	if level == inner {
		step = per
	}
	read := int64(0)
	part := *dst
	part.Shape = slices.Clone(dst.Shape)
	for i := int64(0); i < a.n; i += step {
		n := min(step, a.n-i)
		part.Shape[a.at] = n
		part.Offset = dst.Offset + i*dst.Strides[a.at]
		var got int64
		var err error
		if level == inner {
			got, err = b.piece(ctx, append(axes[:inner:inner], axis{a.at, n, a.step}), start+i*a.step, &part)
		} else {
			got, err = b.walk(ctx, axes, inner, per, level-1, start+i*a.step, &part)
		}
		read += got
		if err != nil {
			return read, err
		}
	}
	return read, nil
}

// piece reads the span that holds the sides and copies their elements to dst.
func (b *box) piece(ctx context.Context, axes []axis, start int64, dst *chunk.Chunk) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	item, last := int64(b.el.item), int64(0)
	for _, a := range axes {
		last += (a.n - 1) * a.step
	}
	s := codec.Borrow()
	defer s.Return()
	s.Enc = codec.Grow(s.Enc, int((last+1)*item))
	if err := b.fill(s.Enc, start); err != nil {
		return 0, err
	}
	src := &chunk.Chunk{DType: dst.DType, ItemBytes: dst.ItemBytes, Shape: dst.Shape, Strides: make([]int64, len(dst.Shape)), Block: mem.Wrap(s.Enc)}
	for _, a := range axes {
		src.Strides[a.at] = a.step
	}
	formats.CopyElems(dst, src)
	return int64(len(s.Enc)), nil
}

// holed is how many bytes of records with holes are read at once.
func (b *box) holed() int64 { return max(64<<10/int64(b.el.file()), 1) * int64(b.el.file()) }

// fill reads elements from number start on and brings them to native byte order, without the holes.
func (b *box) fill(p []byte, start int64) error {
	if b.el.hole == 0 {
		return b.stored(p, start)
	}
	z := codec.Borrow()
	defer z.Return()
	file, item := b.el.file(), b.el.item
	for len(p) > 0 {
		n := min(len(p)/item, int(b.holed())/file)
		z.Dec = codec.Grow(z.Dec, n*file)
		if err := b.stored(z.Dec, start); err != nil {
			return err
		}
		for record := z.Dec; len(record) > 0; record = record[file:] {
			for _, x := range b.el.parts {
				p = p[copy(p, record[x.at:x.at+x.n]):]
			}
		}
		start += int64(n)
	}
	return nil
}

// stored reads elements as the file has them, in native byte order.
func (b *box) stored(p []byte, start int64) error {
	if n, err := b.r.ReadAt(p, b.off+start*int64(b.el.file())); n < len(p) {
		if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("%d of %d bytes at element %d: the file is cut off: %w", n, len(p), start, formats.ErrCorrupt)
		}
		return err
	}
	if b.el.big {
		codec.Swap(p, b.el.file(), b.el.units)
	}
	return nil
}
