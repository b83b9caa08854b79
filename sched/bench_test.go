// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

func benchEngine(b *testing.B, opt Options) *Engine {
	e, err := New(opt)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	return e
}

// BenchmarkManyChunks is (ones((10000, 10000), chunks=(32, 32)) + 1).sum(): 97,969 chunks.
func BenchmarkManyChunks(b *testing.B) {
	e := benchEngine(b, Options{Memory: 256 << 20})
	ctx := context.Background()
	a := ndarray.Ones(chunk.Shape{10000, 10000}, dtype.Float64, ndarray.Chunked(32, 32)).Add(1.0).Sum()
	b.ReportAllocs()
	for b.Loop() {
		v, err := ndarray.Values[float64](ctx, e, a)
		if err != nil || v[0] != 2e8 {
			b.Fatal(v, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/97969, "ns/chunk")
}

// BenchmarkPlanManyChunks plans the same.
func BenchmarkPlanManyChunks(b *testing.B) {
	e := benchEngine(b, Options{Memory: 256 << 20})
	ctx := context.Background()
	a := ndarray.Ones(chunk.Shape{10000, 10000}, dtype.Float64, ndarray.Chunked(32, 32)).Add(1.0).Sum()
	out := []ndarray.Output{{Array: a, Each: func(chunk.Region, *chunk.Chunk) error { return nil }}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.PlanOutputs(ctx, out); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlanManyFiles plans the mean of 1000 joined files.
func BenchmarkPlanManyFiles(b *testing.B) {
	e := benchEngine(b, Options{Memory: 256 << 20})
	ctx := context.Background()
	rnd := rand.New(rand.NewPCG(1, 1))
	var parts []ndarray.Array
	for range 1000 {
		parts = append(parts, ndarray.FromSource(newFake(rnd, dtype.Float32, chunk.Regular(chunk.Shape{2, 10, 10})), "f").Mul(2).Add(1))
	}
	out := []ndarray.Output{{Array: ndarray.Concat(0, parts...).Mean(0), Each: func(chunk.Region, *chunk.Chunk) error { return nil }}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.PlanOutputs(ctx, out); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTaskLoop reads, computes and hands on chunks of 32 by 32: allocations for each are a few for a task of many.
func BenchmarkTaskLoop(b *testing.B) {
	for _, n := range []int64{1000, 4000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			e := benchEngine(b, Options{Memory: 256 << 20})
			ctx := context.Background()
			data := make([]float32, n*n)
			a := ndarray.FromSliceOn(data, chunk.Regular(chunk.Shape{n, n}, 32, 32)).Add(1.0).Sum()
			b.ReportAllocs()
			b.SetBytes(n * n * 4)
			for b.Loop() {
				if _, err := ndarray.Values[float32](ctx, e, a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSmall is the whole life of a tiny expression.
func BenchmarkSmall(b *testing.B) {
	e := benchEngine(b, Options{Memory: 64 << 20})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		x := ndarray.FromSlice([]float64{1, 2, 3, 4, 5, 6}, 2, 3)
		if _, err := ndarray.Values[float64](ctx, e, x.Add(1.0).Mul(x).Sum(0)); err != nil {
			b.Fatal(err)
		}
	}
}
