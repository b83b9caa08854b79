// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// TestFoldColumns sums what is computed over axes before the last: decoded packed values and products, with operands that lie in any
// order or repeat, several folds of one program, widths that are no multiple of a vector's, in one call and in several.
func TestFoldColumns(t *testing.T) {
	oracle := ref.New()
	defer oracle.Close()
	devices := executors(t)
	names := []string{"sum", "nansum", "mean", "nanmean"}
	for seed := range 120 {
		r := rand.New(rand.NewPCG(uint64(seed), 21))
		shape := chunk.Shape{1 + r.Int64N(40), 1 + r.Int64N(8), 32 + r.Int64N(60)}
		if seed%8 == 0 {
			shape = chunk.Shape{250 + r.Int64N(20), 1, 33 + r.Int64N(8)}
		}
		if seed%30 == 1 { // more than one piece of rows, and columns behind the last whole vector
			shape = chunk.Shape{250 + r.Int64N(7), 1, 280 + r.Int64N(40)}
		}
		axes := []kernels.AxisSet{kernels.Axes(0), kernels.Axes(1), kernels.Axes(0, 1)}[r.IntN(3)]
		b := kernels.NewBuilder(3)
		num := func(d dtype.DType, v any) kernels.Reg {
			k, err := kernels.ConstOf(d, v)
			if err != nil {
				t.Fatal(err)
			}
			return b.Const(k)
		}
		call := kernels.Call{Shape: shape, Origin: make(chunk.Shape, 3)}
		in := func(d dtype.DType) kernels.Reg {
			call.In = append(call.In, view(r, d, shape, r.IntN(2) == 0))
			return b.Input(kernels.In(d))
		}
		var regs []kernels.Reg
		switch f := []dtype.DType{dtype.Float32, dtype.Float64}[r.IntN(2)]; r.IntN(3) {
		case 0:
			d := []dtype.DType{dtype.Int16, dtype.Uint16, dtype.Int8, dtype.Uint8, dtype.Int32}[r.IntN(5)]
			x := in(d)
			// Scales and offsets at all distances from each other: with some the sums of a panel of rows are exact.
			scale, offset := math.Ldexp(r.Float64()-0.5, r.IntN(40)-30), math.Ldexp(r.Float64()-0.5, r.IntN(40)-15)
			switch r.IntN(6) {
			case 0:
				scale, offset = 0.01, 273.15
			case 1:
				offset = 0
			case 2:
				scale, offset = 1e38, -1e38
			case 3:
				scale = math.Ldexp(offset, -15-r.IntN(3)) // sums near 0
			}
			y := b.Apply(kernels.OpAdd, b.Apply(kernels.OpMultiply, b.Cast(x, f), num(f, scale)), num(f, offset))
			op, fill := []kernels.OpID{kernels.OpLess, kernels.OpEqual}[r.IntN(2)], num(d, r.IntN(100))
			regs = append(regs, b.Apply(kernels.OpWhere, b.Apply(op, x, fill), num(f, math.NaN()), y), y)
		case 1:
			u, v := in(f), in(f)
			regs = append(regs, b.Apply(kernels.OpMultiply, u, u), b.Apply(kernels.OpMultiply, u, v), u)
		default:
			x := in(dtype.Uint8)
			in(dtype.Int64) // nothing reads it
			regs = append(regs, b.Apply(kernels.OpMultiply, b.Cast(x, f), in(f)), b.Cast(x, dtype.Float64))
		}
		var folds []kernels.Fold
		for i := range 1 + r.IntN(3) {
			red, _ := kernels.ReductionByName(names[r.IntN(len(names))])
			folds = append(folds, kernels.Fold{Op: red.ID, Args: []kernels.Reg{regs[i%len(regs)]}, Axes: axes, Group: -1})
			b.Fold(folds[i])
		}
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		call.Out = foldStates(p, shape, axes)
		if err := run(oracle, p, call); err != nil {
			t.Fatal(err)
		}
		want := call.Out
		for _, dev := range devices {
			what := fmt.Sprintf("seed %d, %s: over axes %b of %v, strides %v of\n%s", seed, dev.Name(), axes, shape, call.In[0].Strides, p)
			call.Out = foldStates(p, shape, axes)
			if err := run(dev, p, call); err != nil {
				t.Fatal(err)
			}
			for i := range want {
				same(t, what, call.Out[i], want[i])
			}
			if !axes.Has(0) || kernels.FoldBlocks(shape, axes) != 1 {
				continue
			}
			call.Out = foldStates(p, shape, axes)
			runInParts(t, r, dev, p, call)
			for i := range want {
				same(t, "in several calls, "+what, call.Out[i], want[i])
			}
		}
	}
}
