// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// box is the read of one part of a virtual dataset, its axes those of the source.
type box struct {
	m         *mapping
	r         chunk.Region // of the virtual dataset, what dst is for
	dst       *chunk.Chunk
	virt, src selection
	axes      []int     // for each axis of the source that of the virtual dataset, -1 where it has one position
	first     []uint64  // the first position along each axis of the virtual dataset
	pieces    [][]piece // along each axis of the source
}

// read copies every combination of pieces: one read each where there are few, else one of the box around them all.
func (b *box) read(ctx context.Context, inner []int64) (int64, error) {
	shape := b.m.from.Meta().Shape
	around := chunk.Region{Lo: make(chunk.Shape, len(shape)), Hi: shape.Clone()}
	count := 1
	for i, ps := range b.pieces {
		if len(ps) == 0 {
			return 0, nil
		}
		last := ps[len(ps)-1]
		around.Lo[i], around.Hi[i] = min(int64(ps[0].src), shape[i]), min(int64(last.src+last.n), shape[i])
		count = min(count*len(ps), fewRuns*maxBeside)
	}
	if around.Empty() {
		return 0, nil
	}
	bytes, err := around.Shape().Bytes(int64(b.dst.ItemBytes))
	if count <= fewRuns || err != nil || bytes > maxBeside {
		return b.each(ctx, shape, inner, func(from chunk.Region, to *chunk.Chunk) (int64, error) {
			return formats.ReadRegion(ctx, b.m.from, from, to)
		})
	}
	all := &chunk.Chunk{DType: b.dst.DType, ItemBytes: b.dst.ItemBytes, Shape: around.Shape(), Strides: around.Shape().RowMajor(), Block: mem.Wrap(make([]byte, bytes))}
	n, err := formats.ReadRegion(ctx, b.m.from, around, all)
	if err != nil {
		return n, err
	}
	_, err = b.each(ctx, shape, inner, func(from chunk.Region, to *chunk.Chunk) (int64, error) {
		formats.CopyElems(to, all.Sub(formats.Shift(from, around.Lo)))
		return 0, nil
	})
	return n, err
}

// each calls copy with every combination of pieces: a region of the source and its place in dst.
func (b *box) each(ctx context.Context, shape chunk.Shape, inner []int64, copy func(from chunk.Region, to *chunk.Chunk) (int64, error)) (int64, error) {
	rank := len(b.pieces)
	at := make([]int, rank)
	total := int64(0)
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		from := chunk.Region{Lo: make(chunk.Shape, len(shape)), Hi: shape.Clone()}
		to := *b.dst
		to.Shape, to.Strides = make(chunk.Shape, len(shape)), make([]int64, len(shape))
		for i, v := range b.first {
			to.Offset += (int64(v) - b.r.Lo[i]) * b.dst.Strides[i]
		}
		for i := range at {
			p := b.pieces[i][at[i]]
			// what lies behind the end of the source stays the fill value
			from.Lo[i], from.Hi[i] = min(int64(p.src), shape[i]), min(int64(p.src+p.n), shape[i])
			if a := b.axes[i]; a >= 0 {
				to.Strides[i] = b.dst.Strides[a]
				to.Offset += (int64(p.virt) - int64(b.first[a])) * b.dst.Strides[a]
			}
		}
		// the axes of an array datatype come last on both sides
		for i := range inner {
			to.Strides[rank+i] = b.dst.Strides[len(b.first)+i]
			from.Lo[rank+i], from.Hi[rank+i] = b.r.Lo[len(b.first)+i], b.r.Hi[len(b.first)+i]
		}
		to.Shape = from.Shape()
		if !from.Empty() {
			n, err := copy(from, &to)
			total += n
			b.dst.Heap = to.Heap
			if err != nil {
				return total, err
			}
		}
		i := rank - 1
		for ; i >= 0; i-- {
			if at[i]++; at[i] < len(b.pieces[i]) {
				break
			}
			at[i] = 0
		}
		if i < 0 {
			return total, nil
		}
	}
}

// readFolded reads a part whose selections have different shapes: their positions correspond in row-major order. It goes by
// runs along the last axis of the virtual dataset.
func (v virtualSource) readFolded(ctx context.Context, m *mapping, virt, src selection, lo, hi []uint64, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	all := [2]uint64{1, 1}
	for i, s := range []selection{virt, src} {
		for _, q := range s {
			all[i] = min(all[i]*min(q.n(), 1<<31), 1<<62)
		}
	}
	if all[0] != all[1] || all[0] >= 1<<31 || len(virt) == 0 || len(v.t.dims) > 0 {
		return 0, fmt.Errorf("hdf5: %d elements are to become %d: %w", all[1], all[0], formats.ErrCorrupt)
	}
	last, total := len(virt)-1, int64(0)
	at := append([]uint64{}, lo...)
	for {
		if err := v.o.f.step(16); err != nil {
			return total, err
		}
		linear := uint64(0)
		for i, q := range virt {
			linear = linear*q.n() + at[i]
		}
		// one line of the virtual dataset, cut where a line of the source ends
		for i := lo[last]; i < hi[last]; {
			b := box{m: m, r: r, dst: dst, virt: virt, src: src, axes: make([]int, len(src)), pieces: make([][]piece, len(src)), first: make([]uint64, len(virt))}
			for k := range virt {
				b.first[k] = virt[k].at(at[k])
			}
			b.first[last] = virt[last].at(i)
			rest, n := linear+i-lo[last], uint64(0)
			for k := len(src) - 1; k >= 0; k-- {
				q, pos := src[k], rest%src[k].n()
				rest /= src[k].n()
				b.axes[k], b.pieces[k] = -1, []piece{{0, q.at(pos), 1}}
				if k == len(src)-1 {
					n = min(virt[last].run(i), hi[last], i+q.run(pos)-pos) - i
					b.axes[k], b.pieces[k] = last, []piece{{b.first[last], q.at(pos), n}}
				}
			}
			got, err := b.read(ctx, nil)
			total += got
			if err != nil {
				return total, err
			}
			i += max(n, 1)
		}
		i := last - 1
		for ; i >= 0; i-- {
			if at[i]++; at[i] < hi[i] {
				break
			}
			at[i] = lo[i]
		}
		if i < 0 {
			return total, nil
		}
	}
}
