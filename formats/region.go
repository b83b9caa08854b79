// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"context"
	"fmt"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// spare holds buffers for the chunks that a region cuts.
var spare = sync.Pool{New: func() any { return new([]byte) }}

// ReadRegion reads region r of src into dst, which has src's dtype and r's shape, any
// strides, and which it borrows. A chunk inside r is decoded straight into its place; one that r cuts
// is decoded beside it (one chunk's memory, pooled) and copied. It returns the stored bytes read.
// Errors are those of Source.ReadChunk; a region outside the array or a dst that does not fit wraps chunk.ErrShape.
func ReadRegion(ctx context.Context, src Source, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	m := src.Meta()
	if len(r.Lo) != len(m.Shape) || !chunk.Whole(m.Shape).Contains(r) || !dst.Shape.Equal(r.Shape()) || dst.DType != m.DType {
		return 0, fmt.Errorf("formats: read region %v of a %v array of shape %v into a %v chunk of shape %v: they do not fit: %w",
			r, m.DType, m.Shape, dst.DType, dst.Shape, chunk.ErrShape)
	}
	if r.Empty() {
		return 0, nil
	}
	if rr, ok := src.(RegionReader); ok {
		return rr.ReadRegion(ctx, r, dst)
	}
	read := int64(0)
	for k := range m.Grid.Covering(r) {
		if err := ctx.Err(); err != nil {
			return read, err
		}
		n, err := readPart(ctx, src, m, k, r, dst)
		read += n
		if err != nil {
			return read, err
		}
	}
	return read, nil
}

// readPart reads what chunk k has of region r.
func readPart(ctx context.Context, src Source, m *ArrayMeta, k chunk.Key, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	cr := m.Grid.Region(k)
	part := cr.Intersect(r)
	to := dst.Sub(Shift(part, r.Lo))
	if m.DType != dtype.String && r.Contains(cr) {
		return src.ReadChunk(ctx, k, to)
	}
	shape := cr.Shape()
	size, err := shape.Bytes(int64(m.ItemBytes))
	if err != nil {
		return 0, err
	}
	buf := spare.Get().(*[]byte)
	defer spare.Put(buf)
	if int64(cap(*buf)) < size {
		*buf = make([]byte, size, size+mem.Align)
	}
	tmp := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap((*buf)[:size])}
	n, err := src.ReadChunk(ctx, k, tmp)
	if err != nil {
		return n, err
	}
	to.Heap = dst.Heap
	CopyElems(to, tmp.Sub(Shift(part, cr.Lo)))
	dst.Heap = to.Heap
	return n, nil
}

// Shift returns r in coordinates whose origin is at origin.
func Shift(r chunk.Region, origin chunk.Shape) chunk.Region {
	o := r.Clone()
	for i, x := range origin {
		o.Lo[i] -= x
		o.Hi[i] -= x
	}
	return o
}
