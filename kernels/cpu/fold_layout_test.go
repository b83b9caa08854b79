// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// TestFoldLayouts folds operands of up to four axes in any order of memory, some of them computed first, over any axes, on
// both executors and on ref: the order of the additions may not depend on where the elements lie.
func TestFoldLayouts(t *testing.T) {
	oracle := ref.New()
	defer oracle.Close()
	devices := executors(t)
	rounds := 700
	if testing.Short() {
		rounds = 200
	}
	names := []string{"sum", "nansum", "mean", "nanmean", "var", "nanvar", "max", "nanmin", "any", "count", "argmax", "nanargmin", "argmin", "nanargmax", "first", "nanlast", "prod", "all", "min", "nanmax"}
	types := []dtype.DType{dtype.Float32, dtype.Float64, dtype.Float32, dtype.Float64, dtype.Int16, dtype.Uint8, dtype.Int64, dtype.Float16, dtype.Bool}
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		red, ok := kernels.ReductionByName(names[r.IntN(len(names))])
		d := types[r.IntN(len(types))]
		if _, err := red.Result(d); !ok || err != nil {
			continue
		}
		shape := make(chunk.Shape, 1+r.IntN(4))
		room := int64(6000)
		for i := range shape {
			most := []int64{3, 20, 40, 300}[r.IntN(4)]
			shape[i] = 1 + r.Int64N(min(most, room))
			room = max(1, room/shape[i])
		}
		axes := kernels.AxisSet(1 + r.IntN(1<<len(shape)-1))
		b := kernels.NewBuilder(len(shape))
		x := b.Input(kernels.In(d))
		call := kernels.Call{Shape: shape, Origin: make(chunk.Shape, len(shape)), In: []*chunk.Chunk{view(r, d, shape, r.IntN(3) == 0)}}
		if r.IntN(3) == 0 {
			y := b.Input(kernels.In(d))
			call.In = append(call.In, view(r, d, shape, r.IntN(3) == 0))
			x = b.Apply(kernels.OpMaximum, x, y)
			if r.IntN(2) == 0 {
				b.Ret(x)
			}
		}
		f := kernels.Fold{Op: red.ID, Args: []kernels.Reg{x}, Axes: axes, Group: -1}
		if red.Indexed {
			p := b.Index(0)
			for i := 1; i < len(shape); i++ {
				n, _ := kernels.ConstOf(dtype.Int64, shape[i])
				p = b.Apply(kernels.OpAdd, b.Apply(kernels.OpMultiply, p, b.Const(n)), b.Index(i))
			}
			switch r.IntN(5) { // in any order, and not along a line
			case 0:
				times, _ := kernels.ConstOf(dtype.Int64, int64(3*r.IntN(2)-2))
				p = b.Apply(kernels.OpMultiply, p, b.Const(times))
				more, _ := kernels.ConstOf(dtype.Int64, int64(1<<40))
				p = b.Apply(kernels.OpAdd, b.Const(more), p)
			case 1:
				p = b.Apply(kernels.OpMultiply, p, p)
			}
			f.Args = append(f.Args, p)
		}
		b.Fold(f)
		if red.Algebra == kernels.FoldMoments { // sums and means of the same values, which share its first pass
			for range r.IntN(3) {
				n := []string{"sum", "mean", "nanmean", "nansum"}[r.IntN(4)]
				o, _ := kernels.ReductionByName(n)
				b.Fold(kernels.Fold{Op: o.ID, Args: f.Args, Axes: axes, Group: -1})
			}
		}
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		var want []*chunk.Chunk
		for i, dev := range append([]kernels.Device{oracle}, devices...) {
			call.Out = nil
			for _, reg := range p.Ret {
				call.Out = append(call.Out, view(r, p.RegType(reg), shape, false))
			}
			call.Out = append(call.Out, foldStates(p, shape, axes)...)
			if err := run(dev, p, call); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				want = call.Out
				continue
			}
			for k := range want {
				same(t, fmt.Sprintf("seed %d, %s: %s(%v) over axes %b of %v, strides %v, output %d of\n%s", seed, dev.Name(), red.Name, d, axes, shape, call.In[0].Strides, k, p),
					call.Out[k], want[k])
			}
		}
	}
}

// TestFoldNothingSpread folds arrays without elements whose steps are such that operands would be copied first.
func TestFoldNothingSpread(t *testing.T) {
	oracle := ref.New()
	defer oracle.Close()
	for _, shape := range []chunk.Shape{{0, 5}, {5, 0}, {3, 0, 5}, {3, 5, 0}, {0, 0}} {
		for axes := range kernels.AxisSet(1) << len(shape) {
			b := kernels.NewBuilder(len(shape))
			red, _ := kernels.ReductionByName("sum")
			b.Fold(kernels.Fold{Op: red.ID, Args: []kernels.Reg{b.Input(kernels.In(dtype.Float32))}, Axes: axes, Group: -1})
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			in := newChunk(dtype.Float32, shape)
			for i := range in.Strides {
				in.Strides[i] = 2 * (in.Strides[i] + 1)
			}
			call := kernels.Call{Shape: shape, Origin: make(chunk.Shape, len(shape)), In: []*chunk.Chunk{in}, Out: foldStates(p, shape, axes)}
			if err := run(oracle, p, call); err != nil {
				t.Fatal(err)
			}
			want := call.Out
			for _, dev := range executors(t) {
				call.Out = foldStates(p, shape, axes)
				if err := run(dev, p, call); err != nil {
					t.Fatal(err)
				}
				same(t, dev.Name()+" of "+shape.String(), call.Out[0], want[0])
			}
		}
	}
}
