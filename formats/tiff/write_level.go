// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"bytes"
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats/codec"
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
				square := make([]byte, 4*w.tileBytes())
				for errs[j] == nil {
					i := next.Add(1) - 1
					if i >= int64(len(to.offsets)) {
						return
					}
					errs[j] = w.overview(ctx, from, to, i, square)
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
func (w *writer) overview(ctx context.Context, from, to *page, i int64, square []byte) error {
	rows, cols := to.grid()
	plane, r, c := i/(rows*cols), i/cols%rows, i%cols
	frows, fcols := from.grid()
	h, wide, in := to.segHeight, to.segWidth, int64(to.inPixel())
	item := int64(to.dtype.Size())
	z := codec.Borrow()
	defer z.Return()
	z.Dec = codec.Grow(z.Dec, int(2*w.tileBytes()))
	part := make([]byte, w.tileBytes())
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
	fill, filled := w.fill()
	half := reducer{square: square, tile: part, have: have, h: h, wide: wide, in: in, fill: fill, filled: filled}
	clear(part)
	if w.nearest {
		half.nearest(item)
	} else {
		means[to.dtype](&half)
	}
	copy(tile, part)
	_, err := w.put(to, i, tile, z)
	return err
}

// reducer halves a square of 2h x 2wide pixels to a tile of h x wide.
type reducer struct {
	square, tile []byte
	have         [2]int64 // rows and columns of the square that are in the image
	h, wide, in  int64
	fill         []byte
	filled       bool
}

// each calls f for each sample of the tile with its index and those of the up to four samples it stands for.
func (q *reducer) each(f func(to int64, from []int64)) {
	var at [4]int64
	for y := range min(q.h, (q.have[0]+1)/2) {
		for x := range min(q.wide, (q.have[1]+1)/2) {
			for s := range q.in {
				n := 0
				for dy := 2 * y; dy < min(2*y+2, q.have[0]); dy++ {
					for dx := 2 * x; dx < min(2*x+2, q.have[1]); dx++ {
						at[n] = (dy*2*q.wide+dx)*q.in + s
						n++
					}
				}
				f((y*q.wide+x)*q.in+s, at[:n])
			}
		}
	}
}

// nearest keeps the first of the four.
func (q *reducer) nearest(item int64) {
	q.each(func(to int64, from []int64) {
		copy(q.tile[to*item:(to+1)*item], q.square[from[0]*item:])
	})
}

// means are the means of up to four samples by dtype. Missing ones are left out; where all are, the result is missing.
var means = [dtype.Count]func(q *reducer){
	dtype.Int8: meanInts[int8], dtype.Int16: meanInts[int16], dtype.Int32: meanInts[int32], dtype.Int64: meanInts[int64],
	dtype.Uint8: meanInts[uint8], dtype.Uint16: meanInts[uint16], dtype.Uint32: meanInts[uint32], dtype.Uint64: meanInts[uint64],
	dtype.Float16:   meanFloats(dtype.F16.Float64, dtype.F16Of),
	dtype.Float32:   meanFloats(func(x float32) float64 { return float64(x) }, func(x float64) float32 { return float32(x) }),
	dtype.Float64:   meanFloats(func(x float64) float64 { return x }, func(x float64) float64 { return x }),
	dtype.Complex64: meanComplex[complex64], dtype.Complex128: meanComplex[complex128],
}

func slice[T dtype.Number](b []byte) []T { return chunk.Elems[T](mem.Wrap(b)) }

// meanInts rounds halves away from zero. Sums never overflow: quotients and remainders are added apart.
func meanInts[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](q *reducer) {
	src, dst := slice[T](q.square), slice[T](q.tile)
	var fill T
	if q.filled {
		fill = slice[T](bytes.Clone(q.fill))[0]
	}
	q.each(func(to int64, from []int64) {
		n := T(0)
		for _, i := range from {
			if !q.filled || src[i] != fill {
				n++
			}
		}
		if n == 0 {
			dst[to] = fill
			return
		}
		quot, rem := T(0), int64(0)
		for _, i := range from {
			if x := src[i]; !q.filled || x != fill {
				quot += x / n
				rem += int64(x % n)
			}
		}
		k := int64(n)
		for ; rem < 0; rem += k {
			quot--
		}
		quot += T(rem / k)
		if rem %= k; 2*rem > k || 2*rem == k && quot >= 0 {
			quot++
		}
		dst[to] = quot
	})
}

func meanFloats[T dtype.Number](wide func(T) float64, narrow func(float64) T) func(q *reducer) {
	return func(q *reducer) {
		src, dst := slice[T](q.square), slice[T](q.tile)
		missing := math.NaN()
		if q.filled {
			missing = wide(slice[T](bytes.Clone(q.fill))[0])
		}
		q.each(func(to int64, from []int64) {
			sum, n := 0.0, 0
			for _, i := range from {
				if x := wide(src[i]); x == x && x != missing {
					sum += x
					n++
				}
			}
			if n == 0 {
				dst[to] = narrow(missing)
				return
			}
			dst[to] = narrow(sum / float64(n))
		})
	}
}

func meanComplex[T complex64 | complex128](q *reducer) {
	src, dst := slice[T](q.square), slice[T](q.tile)
	q.each(func(to int64, from []int64) {
		sum := complex128(0)
		for _, i := range from {
			sum += complex128(src[i])
		}
		dst[to] = T(sum / complex(float64(len(from)), 0))
	})
}
