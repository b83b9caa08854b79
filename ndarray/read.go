// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// Read returns the elements of src inside region, C-ordered in Go memory the
// caller owns. It needs no engine, reads on the calling goroutine and keeps to no budget: it is for
// coordinates and other small arrays. Chunks never written read as the fill value.
func Read(ctx context.Context, src formats.Source, region chunk.Region) (*chunk.Chunk, error) {
	m := src.Meta()
	if len(region.Lo) != len(m.Shape) || !chunk.Whole(m.Shape).Contains(region) {
		return nil, fmt.Errorf("ndarray: read: region %v is outside shape %v: %w", region, m.Shape, chunk.ErrShape)
	}
	out := hostChunk(m.DType, m.ItemBytes, region.Shape())
	if region.Empty() {
		return out, nil
	}
	if r, ok := src.(formats.RegionReader); ok {
		_, err := r.ReadRegion(ctx, region, out)
		return out, err
	}
	for k := range m.Grid.Covering(region) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		at := m.Grid.Region(k)
		part := at.Intersect(region)
		dst := out.Sub(relative(part, region.Lo))
		if part.Equal(at) && m.DType != dtype.String {
			if _, err := src.ReadChunk(ctx, k, dst); err != nil {
				return nil, err
			}
			continue
		}
		tmp := hostChunk(m.DType, m.ItemBytes, at.Shape())
		if _, err := src.ReadChunk(ctx, k, tmp); err != nil {
			return nil, err
		}
		if m.DType == dtype.String {
			shiftStrings(tmp, int64(len(out.Heap)))
			out.Heap = append(out.Heap, tmp.Heap...)
		}
		copyElems(dst, tmp.Sub(relative(part, at.Lo)))
	}
	return out, nil
}

// ReadAll is Read of the whole array.
func ReadAll(ctx context.Context, src formats.Source) (*chunk.Chunk, error) {
	return Read(ctx, src, chunk.Whole(src.Meta().Shape))
}

// relative returns r in coordinates that begin at origin.
func relative(r chunk.Region, origin chunk.Shape) chunk.Region {
	o := r.Clone()
	for i := range origin {
		o.Lo[i] -= origin[i]
		o.Hi[i] -= origin[i]
	}
	return o
}

// shiftStrings adds by to the heap offset of every element of a contiguous String chunk.
func shiftStrings(c *chunk.Chunk, by int64) {
	if by == 0 {
		return
	}
	b := c.Bytes()
	for i := 0; i+16 <= len(b); i += 16 {
		binary.NativeEndian.PutUint64(b[i:], binary.NativeEndian.Uint64(b[i:])+uint64(by))
	}
}

// copyElems copies src's elements to dst: one shape and item size, any strides, host memory.
func copyElems(dst, src *chunk.Chunk) {
	if dst.Shape.Size() == 0 {
		return
	}
	item := int64(dst.ItemBytes)
	rank := len(dst.Shape)
	// The longest tail of axes that lies without gaps in both is copied in runs.
	run, inner := int64(1), rank
	for inner > 0 {
		i := inner - 1
		if dst.Shape[i] != 1 && (dst.Strides[i] != run || src.Strides[i] != run) {
			break
		}
		run *= dst.Shape[i]
		inner = i
	}
	d, s := dst.Block.Bytes(), src.Block.Bytes()
	x := make([]int64, inner)
	do, so := dst.Offset, src.Offset
	for {
		copy(d[do*item:(do+run)*item], s[so*item:(so+run)*item])
		i := inner - 1
		for ; i >= 0; i-- {
			x[i]++
			do += dst.Strides[i]
			so += src.Strides[i]
			if x[i] < dst.Shape[i] {
				break
			}
			do -= x[i] * dst.Strides[i]
			so -= x[i] * src.Strides[i]
			x[i] = 0
		}
		if i < 0 {
			return
		}
	}
}
