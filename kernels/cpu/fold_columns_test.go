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
			x := in(dtype.Int16)
			y := b.Apply(kernels.OpAdd, b.Apply(kernels.OpMultiply, b.Cast(x, f), num(f, 0.01)), num(f, 273.15))
			regs = append(regs, b.Apply(kernels.OpWhere, b.Apply(kernels.OpLess, x, num(dtype.Int16, -20000)), num(f, math.NaN()), y))
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
