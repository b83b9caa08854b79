// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/internal/pyramid"
)

// levelWorkers bounds how many tiles of overviews are made at once: each holds five.
const levelWorkers = 4

// overviews makes each reduced copy from the level before it, tile by tile.
func (w *writer) overviews(ctx context.Context) error {
	for n := 1; n < len(w.levels); n++ {
		from, to := w.levels[n-1].page, w.levels[n].page
		var next atomic.Int64
		var wg sync.WaitGroup
		errs := make([]error, min(levelWorkers, runtime.GOMAXPROCS(0)))
		for j := range errs {
			wg.Go(func() {
				square, part := make([]byte, 4*w.tileBytes()), make([]byte, w.tileBytes())
				for errs[j] == nil {
					i := next.Add(1) - 1
					if i >= int64(len(to.offsets)) {
						return
					}
					errs[j] = w.overview(ctx, from, to, i, square, part)
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// overview makes tile i of a level from the four tiles it covers.
func (w *writer) overview(ctx context.Context, from, to *page, i int64, square, part []byte) error {
	rows, cols := to.grid()
	plane, r, c := i/(rows*cols), i/cols%rows, i%cols
	frows, fcols := from.grid()
	h, wide, in := to.segHeight, to.segWidth, int64(to.inPixel())
	item := int64(to.dtype.Size())
	z := codec.Borrow()
	defer z.Return()
	z.Dec = codec.Grow(z.Dec, int(2*w.tileBytes()))
	line := wide * in * item
	for dy := range int64(2) {
		for dx := range int64(2) {
			y, x := 2*r+dy, 2*c+dx
			if y >= frows || x >= fcols {
				continue
			}
			if _, _, err := from.elements(ctx, (plane*frows+y)*fcols+x, h, part, z); err != nil {
				return err
			}
			for k := range h {
				copy(square[((dy*h+k)*2+dx)*line:][:line], part[k*line:][:line])
			}
		}
	}
	// the pixels of the level before that exist
	have := [2]int64{min(2*h, from.height-2*r*h), min(2*wide, from.width-2*c*wide)}
	z.Dec = codec.Grow(z.Dec, int(2*w.tileBytes()))
	tile := z.Dec[:w.tileBytes()]
	clear(tile)
	fill, _ := w.fill()
	clear(part)
	view := func(b []byte, row, height, width int64) *chunk.Chunk {
		return &chunk.Chunk{DType: to.dtype, ItemBytes: int32(item), Shape: chunk.Shape{height, width, in}, Strides: []int64{row * in, in, 1}, Block: mem.Wrap(b)}
	}
	pyramid.Halve(view(part, wide, (have[0]+1)/2, (have[1]+1)/2), view(square, 2*wide, have[0], have[1]), 0, w.nearest, fill)
	copy(tile, part)
	_, err := w.put(to, i, tile, z)
	return err
}
