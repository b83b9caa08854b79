// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// complexValues fills a chunk with small complex numbers, some of them special.
func complexValues(rng *rand.Rand, c *chunk.Chunk) {
	part := func() float64 {
		switch rng.IntN(40) {
		case 0:
			return math.NaN()
		case 1:
			return math.Inf(1 - 2*rng.IntN(2))
		case 2:
			return math.Copysign(0, -1)
		}
		return rng.NormFloat64()
	}
	if c.DType == dtype.Complex64 {
		for i, v := 0, chunk.Slice[complex64](c); i < len(v); i++ {
			v[i] = complex(float32(part()), float32(part()))
		}
		return
	}
	for i, v := 0, chunk.Slice[complex128](c); i < len(v); i++ {
		v[i] = complex(part(), part())
	}
}

// sameFloats compares states: bits, but any NaN equals any.
func sameFloats(t *testing.T, what string, got, want *chunk.Chunk) {
	t.Helper()
	if got.DType != dtype.Complex128 {
		if string(got.Bytes()) != string(want.Bytes()) {
			t.Errorf("%s: %v differs from the CPU's", what, got.DType)
		}
		return
	}
	w := chunk.Slice[complex128](want)
	for i, g := range chunk.Slice[complex128](got) {
		for _, p := range [][2]float64{{real(g), real(w[i])}, {imag(g), imag(w[i])}} {
			if math.Float64bits(p[0]) != math.Float64bits(p[1]) && !(math.IsNaN(p[0]) && math.IsNaN(p[1])) {
				t.Fatalf("%s: element %d is %v, the CPU's is %v", what, i, g, w[i])
			}
		}
	}
}

// TestComplexFolds folds complex numbers over rows, columns, several blocks and groups, and joins the states: the CPU's bits.
// The conformance suite has none, as the reference folds no complex numbers.
func TestComplexFolds(t *testing.T) {
	d, _ := open(t, cuda.Options{Strict: true, Always: true})
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	ctx := context.Background()
	folded := 0
	for _, dt := range []dtype.DType{dtype.Complex64, dtype.Complex128} {
		for _, f := range []struct {
			shape  chunk.Shape
			axes   kernels.AxisSet
			groups int64
		}{
			{chunk.Shape{kernels.InnerBlock + 37}, kernels.Axes(0), 0},
			{chunk.Shape{13, 21}, kernels.Axes(1), 0},
			{chunk.Shape{90, 1}, kernels.Axes(1), 0}, // fewer numbers than accumulators
			{chunk.Shape{kernels.OuterBlock + 9, 5}, kernels.Axes(0), 0},
			{chunk.Shape{40, 7}, kernels.Axes(0), 3},
		} {
			rng := rand.New(rand.NewPCG(uint64(dt), uint64(len(f.shape))))
			b := kernels.NewBuilder(len(f.shape))
			x := b.Input(kernels.In(dt))
			in := []*chunk.Chunk{hostChunk(dt, f.shape)}
			complexValues(rng, in[0])
			group := int16(-1)
			blocks := kernels.FoldBlocks(f.shape, f.axes)
			if f.groups > 0 {
				b.Input(kernels.In(dtype.Int32))
				ids := hostChunk(dtype.Int32, f.shape)
				for i, v := 0, chunk.Slice[int32](ids); i < len(v); i++ {
					v[i] = int32(rng.Int64N(f.groups+1)) - 1
				}
				in, group, blocks = append(in, ids), 1, f.groups
			}
			shape := chunk.Shape{blocks}
			for a, n := range f.shape {
				if !f.axes.Has(a) {
					shape = append(shape, n)
				}
			}
			var got, want []*chunk.Chunk
			var names []string
			for _, r := range kernels.AllReductions() {
				if _, err := r.Result(dt); err != nil {
					continue
				}
				folded++
				b.Fold(kernels.Fold{Op: r.ID, Args: []kernels.Reg{x}, Axes: f.axes, Group: group})
				for _, s := range r.State(dt) {
					got, want, names = append(got, hostChunk(s.DType, shape)), append(want, hostChunk(s.DType, shape)), append(names, r.Name)
				}
			}
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			for dev, out := range map[kernels.Device][]*chunk.Chunk{d: got, host: want} {
				k, err := dev.Compile(ctx, p)
				if err != nil {
					t.Fatal(err)
				}
				scratch, err := dev.Allocator().Alloc(k.Scratch(f.shape))
				if err != nil {
					t.Fatal(err)
				}
				if err := k.Run(ctx, &kernels.Call{In: in, Out: out, Shape: f.shape, Origin: make(chunk.Shape, len(f.shape)), Scratch: scratch}); err != nil {
					t.Fatal(err)
				}
				scratch.Release()
			}
			for i, name := range names {
				sameFloats(t, name+" of "+dt.String(), got[i], want[i])
			}
		}
	}
	if folded < 40 {
		t.Errorf("%d folds, want many", folded)
	}
	for _, name := range []string{"sum", "prod", "mean"} {
		r, _ := kernels.ReductionByName(name)
		u := kernels.CombineOf(r.ID, r.State(dtype.Complex128))
		rng := rand.New(rand.NewPCG(4, 4))
		state := func() (out []*chunk.Chunk) {
			for _, s := range u.In {
				c := hostChunk(s.DType, chunk.Shape{77})
				if s.DType.IsComplex() {
					complexValues(rng, c)
				}
				out = append(out, c)
			}
			return out
		}
		in, first := state(), state()
		outs := map[kernels.Device][]*chunk.Chunk{}
		for _, dev := range []kernels.Device{d, host} {
			k, err := dev.Compile(ctx, u)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range first {
				o := hostChunk(c.DType, c.Shape)
				copy(o.Block.Bytes(), c.Bytes())
				outs[dev] = append(outs[dev], o)
			}
			if err := k.Run(ctx, &kernels.Call{In: in, Out: outs[dev], Shape: chunk.Shape{77}}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range in {
			sameFloats(t, "join "+name, outs[d][i], outs[host][i])
		}
	}
}
