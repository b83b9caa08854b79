// SPDX-License-Identifier: BSD-3-Clause

package flat

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

const (
	// SpanBytes bounds the scratch of one read.
	SpanBytes = 1 << 20
	// A span that is mostly not wanted is still read whole below this size: a pread costs as much as 16 KiB of copying.
	denseBytes = 16 << 10
)

// Array says where the elements of an array lie.
type Array struct {
	R       io.ReaderAt
	Base    int64   // place of element 0
	Strides []int64 // bytes from element to element, by axis; positive
	Item    int     // bytes of an element
	Swap    int     // width of the numbers whose bytes are reversed in the file; 0 or 1: none
}

var scratch = sync.Pool{New: func() any { b := make([]byte, SpanBytes+mem.Align); return &b }}

// span returns the bytes from the first to the last element of a box of shape from axis i on, and how many are wanted.
func (a *Array) span(shape chunk.Shape, i int) (span, want int64) {
	span, want = int64(a.Item), int64(a.Item)
	for ; i < len(shape); i++ {
		span += (shape[i] - 1) * a.Strides[i]
		want *= shape[i]
	}
	return span, want
}

// even reports whether the strides from axis i on are whole elements.
func (a *Array) even(i int) bool {
	for ; i < len(a.Strides); i++ {
		if a.Strides[i]%int64(a.Item) != 0 {
			return false
		}
	}
	return true
}

// Read reads region r into dst, which has its shape, any strides, and elements of
// Item bytes. It returns the bytes read from the file. Data cut off wrap formats.ErrCorrupt.
func (a *Array) Read(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	if r.Empty() {
		return 0, nil
	}
	shape := r.Shape()
	n := len(shape)
	off := a.Base
	for i, lo := range r.Lo {
		off += lo * a.Strides[i]
	}
	// from is the first axis of a span.
	from := 0
	for ; from < n; from++ {
		span, want := a.span(shape, from)
		if span == want && contiguousFrom(dst, from) {
			break
		}
		if a.even(from) && span <= SpanBytes && (8*want >= span || span <= denseBytes) {
			break
		}
	}
	span, want := a.span(shape, from)
	direct := span == want && contiguousFrom(dst, from)
	var buf []byte
	if !direct {
		p := scratch.Get().(*[]byte)
		defer scratch.Put(p)
		if int64(len(*p)) < span { // one element larger than a span
			*p = make([]byte, span+mem.Align)
		}
		buf = (*p)[:span]
	}
	inner := &chunk.Chunk{DType: dtype.Raw, ItemBytes: int32(a.Item), Shape: shape[from:], Strides: make([]int64, n-from)}
	for i := range inner.Strides {
		inner.Strides[i] = a.Strides[from+i] / int64(a.Item)
	}
	if buf != nil {
		inner.Block = mem.Wrap(buf)
	}
	to := &chunk.Chunk{DType: dtype.Raw, ItemBytes: int32(a.Item), Shape: shape[from:], Strides: dst.Strides[from:], Block: dst.Block}
	index := make([]int64, from)
	read := int64(0)
	for {
		if err := ctx.Err(); err != nil {
			return read, err
		}
		place, at := off, dst.Offset
		for i, x := range index {
			place += x * a.Strides[i]
			at += x * dst.Strides[i]
		}
		to.Offset = at
		b := buf
		if direct {
			b = dst.Block.Bytes()[at*int64(a.Item):][:span]
		}
		m, err := a.R.ReadAt(b, place)
		read += int64(m)
		if m < len(b) {
			if err == io.EOF || err == nil {
				err = fmt.Errorf("the file ends %d bytes early: %w", len(b)-m, formats.ErrCorrupt)
			}
			return read, fmt.Errorf("read %d bytes at offset %d: %w", len(b), place, err)
		}
		if a.Swap > 1 {
			codec.ByteSwap(b, b, a.Swap)
		}
		if !direct {
			formats.CopyElems(to, inner)
		}
		if !advance(index, shape) {
			return read, nil
		}
	}
}

// advance steps index over the outer axes of shape, the last one fastest.
func advance(index []int64, shape chunk.Shape) bool {
	for i := len(index) - 1; i >= 0; i-- {
		if index[i]++; index[i] < shape[i] {
			return true
		}
		index[i] = 0
	}
	return false
}

// contiguousFrom reports whether dst's axes from i on lie in C order without gaps.
func contiguousFrom(dst *chunk.Chunk, i int) bool {
	s := chunk.Chunk{Shape: dst.Shape[i:], Strides: dst.Strides[i:]}
	return s.Contiguous()
}

// RowMajor returns the byte strides of a C-ordered array.
func RowMajor(shape chunk.Shape, item int) []int64 {
	s := shape.RowMajor()
	for i := range s {
		s[i] *= int64(item)
	}
	return s
}
