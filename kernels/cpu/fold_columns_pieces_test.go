// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"math"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// TestFoldColumnsInPieces sums decoded packed values of so many rows that machine code takes them in pieces, with columns behind the
// last whole vector, which begin at the first row again.
func TestFoldColumnsInPieces(t *testing.T) {
	oracle := ref.New()
	defer oracle.Close()
	for _, shape := range []chunk.Shape{{256, 300}, {256, 297}, {200, 1003}, {400, 301}, {33, 2047}} {
		b := kernels.NewBuilder(2)
		num := func(d dtype.DType, v any) kernels.Reg {
			k, err := kernels.ConstOf(d, v)
			if err != nil {
				t.Fatal(err)
			}
			return b.Const(k)
		}
		f := dtype.Float32
		x := b.Input(kernels.In(dtype.Int16))
		y := b.Apply(kernels.OpAdd, b.Apply(kernels.OpMultiply, b.Cast(x, f), num(f, 0.01)), num(f, 273.15))
		red, _ := kernels.ReductionByName("nanmean")
		b.Fold(kernels.Fold{Op: red.ID, Args: []kernels.Reg{b.Apply(kernels.OpWhere, b.Apply(kernels.OpEqual, x, num(dtype.Int16, -7)), num(f, math.NaN()), y)}, Axes: kernels.Axes(0), Group: -1})
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		in := newChunk(dtype.Int16, shape)
		for i := range chunk.Slice[int16](in) {
			chunk.Slice[int16](in)[i] = int16(i*i%64001 - 32000)
			if i%11 == 0 {
				chunk.Slice[int16](in)[i] = -7
			}
		}
		call := kernels.Call{Shape: shape, Origin: make(chunk.Shape, 2), In: []*chunk.Chunk{in}, Out: foldStates(p, shape, kernels.Axes(0))}
		if err := run(oracle, p, call); err != nil {
			t.Fatal(err)
		}
		want := call.Out
		for _, dev := range executors(t) {
			call.Out = foldStates(p, shape, kernels.Axes(0))
			if err := run(dev, p, call); err != nil {
				t.Fatal(err)
			}
			for i := range want {
				same(t, dev.Name()+" of "+shape.String(), call.Out[i], want[i])
			}
		}
	}
}
