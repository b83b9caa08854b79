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

// BenchmarkScan adds up the elements of a tile that the second-level cache holds, along each axis.
func BenchmarkScan(b *testing.B) {
	dev := New(Options{})
	defer dev.Close()
	shape := chunk.Shape{16, 20, 256}
	for _, d := range []dtype.DType{dtype.Float32, dtype.Float64, dtype.Int64, dtype.Float16} {
		for axis := range shape {
			b.Run(fmt.Sprintf("%v/axis=%d", d, axis), func(b *testing.B) {
				k, err := dev.Compile(context.Background(), &kernels.Scan{Op: kernels.ScanSum, DType: d, Rank: 3, Axis: axis})
				if err != nil {
					b.Fatal(err)
				}
				carry := shape.Clone()
				carry[axis] = 1
				chunks := make([]*chunk.Chunk, 3)
				for i, s := range []chunk.Shape{shape, shape, carry} {
					if chunks[i], err = chunk.New(dev.Allocator(), d, 0, s); err != nil {
						b.Fatal(err)
					}
					defer chunks[i].Release()
					clear(chunks[i].Block.Bytes())
				}
				scratch, err := dev.Allocator().Alloc(k.Scratch(shape))
				if err != nil {
					b.Fatal(err)
				}
				defer scratch.Release()
				call := &kernels.Call{In: chunks[:1], Out: chunks[1:], Shape: shape, Scratch: scratch}
				b.SetBytes(2 * shape.Size() * int64(d.Size()))
				for b.Loop() {
					if err := k.Run(context.Background(), call); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(shape.Size()), "ns/element")
			})
		}
	}
}
