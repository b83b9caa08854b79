// SPDX-License-Identifier: BSD-3-Clause

package cpu

import (
	"context"
	"fmt"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// BenchmarkProduct multiplies square matrices on one processor.
func BenchmarkProduct(b *testing.B) {
	for _, mode := range []string{"avx512", "avx2", "generic"} {
		dev := New(Options{Mode: mode})
		defer dev.Close()
		for _, d := range []dtype.DType{dtype.Float32, dtype.Float64} {
			for _, n := range []int64{64, 512, 1024} {
				b.Run(fmt.Sprintf("%s/%v/%d", dev.Name(), d, n), func(b *testing.B) {
					k, err := dev.Compile(context.Background(), &kernels.Product{DType: d, Rows: 1, Sums: 1, Cols: 1})
					if err != nil {
						b.Fatal(err)
					}
					c := kernels.Call{Shape: chunk.Shape{n, n, n}}
					for i := range 3 {
						m, err := chunk.New(dev.Allocator(), d, 0, chunk.Shape{n, n})
						if err != nil {
							b.Fatal(err)
						}
						defer m.Block.Release()
						clear(m.Block.Bytes())
						if i < 2 {
							c.In = append(c.In, m)
						} else {
							c.Out = append(c.Out, m)
						}
					}
					if c.Scratch, err = dev.Allocator().Alloc(k.Scratch(c.Shape)); err != nil {
						b.Fatal(err)
					}
					defer c.Scratch.Release()
					for b.Loop() {
						if err := k.Run(context.Background(), &c); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(2*n*n*n)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
				})
			}
		}
	}
}
