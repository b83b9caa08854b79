// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// TestStream compares calls whose results go past the caches with the same calls whose results do not: one result and two
// of different sizes, long rows of all alignments, alone and in a wider array, with lanes that need a slow program among them.
func TestStream(t *testing.T) {
	dev := cpu.New(cpu.Options{})
	defer dev.Close()
	for _, from := range []dtype.DType{dtype.Uint8, dtype.Int16, dtype.Float32, dtype.Float64} {
		for _, two := range []bool{false, true} {
			b := kernels.NewBuilder(2)
			x := b.Input(kernels.In(from))
			b.Ret(b.Apply(kernels.OpSin, b.Apply(kernels.OpAdd, x, x)))
			if two {
				b.Ret(b.Apply(kernels.OpMultiply, x, x))
			}
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			for lead := range int64(20) {
				r := rand.New(rand.NewPCG(uint64(lead), uint64(from)))
				shape := chunk.Shape{1 + int64(r.IntN(3)), 4096 + int64(r.IntN(3000))}
				in := view(r, from, shape, false)
				gap := int64(r.IntN(2) * r.IntN(100))
				results := func(stream bool) (out []*chunk.Chunk) {
					c := kernels.Call{In: []*chunk.Chunk{in}, Origin: chunk.Shape{0, 0}, Shape: shape, Stream: stream}
					for _, reg := range p.Ret {
						d := p.RegType(reg)
						n := (lead + shape[0]*(shape[1]+gap) + 100) * int64(d.Size())
						block, err := dev.Allocator().Alloc(n)
						if err != nil {
							t.Fatal(err)
						}
						for i := range block.Bytes() {
							block.Bytes()[i] = 0xa5
						}
						out = append(out, &chunk.Chunk{DType: d, ItemBytes: int32(d.Size()), Shape: shape, Strides: []int64{shape[1] + gap, 1}, Offset: lead, Block: block})
					}
					c.Out = out
					if err := run(dev, p, c); err != nil {
						t.Fatal(err)
					}
					return out
				}
				want := results(false)
				for i, got := range results(true) {
					// The whole block: nothing beside the result may change either.
					if g, w := got.Block.Bytes(), want[i].Block.Bytes(); string(g) != string(w) {
						same(t, fmt.Sprintf("result %d of %v, %v, offset %d, gap %d", i, from, shape, lead, gap), got, want[i])
						t.Fatalf("result %d of %v, %v, offset %d, gap %d: memory beside it has changed", i, from, shape, lead, gap)
					}
				}
			}
		}
	}
}

// BenchmarkStream times a*b + c of float32 over arrays beyond the caches with both kinds of stores.
func BenchmarkStream(b *testing.B) {
	const n = 1 << 24
	dev := cpu.New(cpu.Options{})
	defer dev.Close()
	p := expr(b, dtype.Float32, 3, func(ap func(string, ...kernels.Reg) kernels.Reg, _ func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
		return ap("add", ap("multiply", x[0], x[1]), x[2])
	})
	s := newSweepOver(b, dev, p, n)
	for _, stream := range []bool{false, true} {
		b.Run(fmt.Sprintf("op=fma/stream=%v", stream), func(b *testing.B) {
			for i := range s.calls {
				s.calls[i].Stream = stream
			}
			best := 0.0
			for b.Loop() {
				best = max(best, s.rate(b))
			}
			b.ReportMetric(best, "best-GB/s")
		})
	}
}
