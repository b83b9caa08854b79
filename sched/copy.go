// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// copyChunk copies src's elements to dst: same dtype and shape, any strides.
// Numbers go through the device; records and texts are moved on the host.
func copyChunk(ctx context.Context, dev kernels.Device, dst, src *chunk.Chunk) error {
	if dst.DType.IsNumeric() {
		return dev.Copy(ctx, dst, src)
	}
	formats.CopyElems(dst, src)
	return nil
}

// eachPair calls f with the element offsets of dst and src, row-major.
func eachPair(dst, src *chunk.Chunk, f func(i, j int64)) {
	if dst.Shape.Size() == 0 {
		return
	}
	at := make([]int64, len(dst.Shape))
	i, j := dst.Offset, src.Offset
	for {
		f(i, j)
		a := len(at) - 1
		for ; a >= 0; a-- {
			at[a]++
			i += dst.Strides[a]
			j += src.Strides[a]
			if at[a] < dst.Shape[a] {
				break
			}
			i -= at[a] * dst.Strides[a]
			j -= at[a] * src.Strides[a]
			at[a] = 0
		}
		if a < 0 {
			return
		}
	}
}

// fillAbsent fills a contiguous buffer with what a missing position reads as: NaN, else 0.
func fillAbsent(c *chunk.Chunk) error {
	var item []byte
	switch c.DType {
	case dtype.Float16:
		item = []byte{0x00, 0x7e}
	case dtype.BFloat16:
		item = []byte{0xc0, 0x7f}
	case dtype.Float32, dtype.Complex64:
		item = []byte{0, 0, 0xc0, 0x7f}
	case dtype.Float64, dtype.Complex128:
		item = []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f}
	default:
		item = []byte{0}
	}
	if !c.Contiguous() {
		n := int64(c.ItemBytes)
		b := c.Block.Bytes()
		eachPair(c, c, func(i, _ int64) { repeat(b[i*n:(i+1)*n], item) })
		return nil
	}
	repeat(c.Bytes(), item)
	return nil
}

// repeat fills b with copies of item.
func repeat(b, item []byte) {
	n := copy(b, item)
	for n < len(b) && n > 0 {
		n += copy(b[n:], b[:n])
	}
}

// didRead adds a read to the statistics.
func (r *run) didRead(src *plan.Source, stored, decoded, chunks int64, start time.Time) {
	d := int64(time.Since(start))
	st := r.stats
	st.bytesRead.Add(max(stored, 0))
	st.bytesDecoded.Add(decoded)
	st.chunks.Add(chunks)
	if len(src.Source.Meta().Codecs) > 0 {
		st.decode.Add(d)
	} else {
		st.read.Add(d)
	}
}
