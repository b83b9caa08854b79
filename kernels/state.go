// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	endian "encoding/binary"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// Fill sets every element of a contiguous chunk in host memory to c, whose dtype is the
// chunk's; a complex constant has no imaginary part.
func Fill(dst *chunk.Chunk, c Const) {
	b := dst.Bytes()
	if len(b) == 0 {
		return
	}
	var one [16]byte
	endian.NativeEndian.PutUint64(one[:], c.Bits)
	for n := copy(b, one[:dst.ItemBytes]); n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

// NewState returns host chunks for the state of r over values of dtype in: one for each
// component, of the given shape, filled with the identity. The caller owns them.
func (r *Reduction) NewState(a mem.Allocator, in dtype.DType, shape chunk.Shape) ([]*chunk.Chunk, error) {
	id := r.Identity(in)
	out := make([]*chunk.Chunk, 0, len(id))
	for _, c := range id {
		k, err := chunk.New(a, c.DType, 0, shape)
		if err != nil {
			ReleaseState(out)
			return nil, err
		}
		Fill(k, c)
		out = append(out, k)
	}
	return out, nil
}

// ReleaseState releases the chunks of a state.
func ReleaseState(s []*chunk.Chunk) {
	for _, c := range s {
		c.Release()
	}
}

// rows sets views to blocks lo to lo+n of the states s, which have a first axis of blocks. With
// flat the axis of blocks is dropped (n is 1). The views share s's memory.
func rows(views, s []*chunk.Chunk, lo, n int64, flat bool) {
	for i, c := range s {
		v := *c
		v.Offset += lo * c.Strides[0]
		if flat {
			v.Shape, v.Strides = c.Shape[1:], c.Strides[1:]
		} else {
			v.Shape = append(chunk.Shape{n}, c.Shape[1:]...)
		}
		*views[i] = v
	}
}

// headers returns n chunks to be set by rows.
func headers(n int) []*chunk.Chunk {
	h := make([]chunk.Chunk, n)
	p := make([]*chunk.Chunk, n)
	for i := range h {
		p[i] = &h[i]
	}
	return p
}

// heapChunk returns a chunk like c, in Go memory, with n blocks instead of c's.
func heapChunk(c *chunk.Chunk, n int64) *chunk.Chunk {
	shape := append(chunk.Shape{n}, c.Shape[1:]...)
	b := make([]byte, shape.Size()*int64(c.ItemBytes)+mem.Align)
	return &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(b)}
}
