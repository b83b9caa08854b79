// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"fmt"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// BenchmarkLayout times a + b where a lies in different ways, and sums over either axis of it.
func BenchmarkLayout(b *testing.B) {
	const rows, cols = 1000, 1200
	layouts := []struct {
		name    string
		strides []int64
	}{
		{"packed", []int64{cols, 1}}, {"transposed", []int64{1, rows}}, {"every2nd", []int64{2 * cols, 2}}, {"reversed", []int64{-cols, -1}},
		{"row", []int64{0, 1}}, {"column", []int64{1, 0}},
	}
	for _, mode := range modes {
		dev := cpu.New(cpu.Options{Mode: mode})
		defer dev.Close()
		for _, d := range []dtype.DType{dtype.Float32, dtype.Float64} {
			for _, l := range layouts {
				for _, op := range []string{"add", "sum0", "sum1"} {
					b.Run(fmt.Sprintf("op=%s/layout=%s/dtype=%v/device=%s", op, l.name, d, mode), func(b *testing.B) {
						heap := func(d dtype.DType, shape chunk.Shape) *chunk.Chunk {
							n := shape.Size() * int64(d.Size())
							return &chunk.Chunk{DType: d, ItemBytes: int32(d.Size()), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, n+mem.Align)[:n])}
						}
						shape := chunk.Shape{rows, cols}
						a := heap(d, chunk.Shape{rows * 2, cols * 2})
						a.Shape, a.Strides = shape, l.strides
						if l.name == "reversed" {
							a.Offset = rows*cols - 1
						}
						p := kernels.NewBuilder(2)
						x := p.Input(kernels.In(d))
						c := kernels.Call{Shape: shape, Origin: chunk.Shape{0, 0}, In: []*chunk.Chunk{a}}
						if op == "add" {
							p.Ret(p.Apply(kernels.OpAdd, x, p.Input(kernels.In(d))))
							c.In = append(c.In, heap(d, shape))
							c.Out = []*chunk.Chunk{heap(d, shape)}
						} else {
							sum, _ := kernels.ReductionByName("sum")
							axis := int(op[3] - '0')
							p.Fold(kernels.Fold{Op: sum.ID, Args: []kernels.Reg{x}, Axes: kernels.Axes(axis), Group: -1})
							c.Out = []*chunk.Chunk{heap(dtype.Float64, chunk.Shape{kernels.FoldBlocks(shape, kernels.Axes(axis)), shape[1-axis]})}
						}
						q, err := p.Build()
						if err != nil {
							b.Fatal(err)
						}
						k, err := dev.Compile(ctx, q)
						if err != nil {
							b.Fatal(err)
						}
						c.Scratch = mem.Wrap(make([]byte, k.Scratch(shape)))
						loop(b, rows*cols, func() error { return k.Run(ctx, &c) })
					})
				}
			}
		}
	}
}
