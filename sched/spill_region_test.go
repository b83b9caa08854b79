// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/ndarray"
)

// TestSpilledRegions reads random regions of spilled data into blocks of any layout.
func TestSpilledRegions(t *testing.T) {
	ctx := context.Background()
	rng, pool := rand.New(rand.NewPCG(4, 4)), mem.NewPool()
	for n := range 50 {
		shape, steps := make(chunk.Shape, 1+rng.IntN(4)), []int64{}
		for i := range shape {
			shape[i] = 1 + rng.Int64N(9)
			steps = append(steps, 1+rng.Int64N(shape[i]))
		}
		s := newScratchFile(t.TempDir(), pool, ndarray.Zeros(shape, dtype.Int32).Node(), chunk.Regular(shape, steps...))
		s.span = []int64{0, 40, spanBytes}[n%3] // runs alone, some with gaps, whole regions
		whole := block(t, pool, shape)
		for i := range chunk.Slice[int32](whole) {
			chunk.Slice[int32](whole)[i] = int32(i)
		}
		rows := shape.RowMajor()
		for k := range s.Grid().Covering(chunk.Whole(shape)) {
			if _, err := s.WriteChunk(ctx, k, whole.Sub(s.Grid().Region(k))); err != nil {
				t.Fatal(err)
			}
		}
		for range 20 {
			r := chunk.Whole(shape)
			for i, n := range shape {
				r.Lo[i] = rng.Int64N(n)
				r.Hi[i] = r.Lo[i] + 1 + rng.Int64N(n-r.Lo[i])
			}
			dst := block(t, pool, shape)
			got := chunk.Slice[int32](dst)
			clear(got)
			n, err := s.ReadRegion(ctx, r, dst.Sub(r))
			if err != nil {
				t.Fatal(err)
			}
			if n < 4*r.Size() || s.span < 4 && n != 4*r.Size() {
				t.Errorf("%v of %v in chunks %v: %d bytes, want %d", r, shape, steps, n, 4*r.Size())
			}
			for i := range got {
				at, rest, inside := int32(0), int64(i), true
				for k, w := range rows {
					inside = inside && rest/w >= r.Lo[k] && rest/w < r.Hi[k]
					rest %= w
				}
				if inside {
					at = int32(i)
				}
				if got[i] != at {
					t.Fatalf("%v of %v in chunks %v: element %d is %d, want %d", r, shape, steps, i, got[i], at)
				}
			}
			dst.Release()
		}
		whole.Release()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func block(t *testing.T, pool *mem.Pool, shape chunk.Shape) *chunk.Chunk {
	t.Helper()
	c, err := chunk.New(pool, dtype.Int32, 0, shape)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
