// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"context"
	"math"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// TestCut runs folds that are larger than the device's memory, along all sets of axes, in groups and without: they are cut between blocks and
// inside them, and have the bits that they have in one.
func TestCut(t *testing.T) {
	d, _ := open(t, cuda.Options{Always: true, Strict: true, Memory: 256 << 10}) // a call's share is 64 KiB
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	ctx := context.Background()
	shapes := []chunk.Shape{{50001}, {1, 20000}, {5, 4096}, {9000, 4}, {2050, 16}, {14, 2, 1024}, {300, 64, 2},
		{37, 1001}, {90, 3, 133}, {113, 13, 23}, {307, 71, 1}, {1, 133, 177}} // rows that end inside blocks
	if testing.Short() {
		shapes = shapes[5:]
	}
	for _, shape := range shapes {
		for set := kernels.AxisSet(1); set < 1<<len(shape); set++ {
			for _, grouped := range []bool{false, true} {
				p, in := cutProgram(t, shape, set, grouped)
				before := d.Stats().Halved
				results := map[kernels.Device][]*chunk.Chunk{d: outputsOf(p, shape, cutGroups), host: outputsOf(p, shape, cutGroups)}
				for dev, out := range results {
					k, err := dev.Compile(ctx, p)
					if err != nil {
						t.Fatal(err)
					}
					scratch, err := host.Allocator().Alloc(k.Scratch(shape))
					if err != nil {
						t.Fatal(err)
					}
					err = k.Run(ctx, &kernels.Call{In: in, Out: out, Shape: shape, Origin: make(chunk.Shape, len(shape)), Scratch: scratch})
					scratch.Release()
					if err != nil {
						t.Fatalf("%v along %v, grouped %v: %v", shape, set, grouped, err)
					}
				}
				for i, want := range results[host] {
					if string(results[d][i].Bytes()) != string(want.Bytes()) {
						t.Errorf("%v along %v, grouped %v: output %d differs from the CPU's", shape, set, grouped, i)
					}
				}
				if s := d.Stats(); s.Halved == before || s.FellBack != 0 {
					t.Errorf("%v along %v, grouped %v: %+v: want calls that are cut", shape, set, grouped, s)
				}
			}
		}
	}
}

const cutGroups = 5

// cutProgram returns several folds over the axes in set of one input of float32, and the operands.
func cutProgram(t *testing.T, shape chunk.Shape, set kernels.AxisSet, grouped bool) (*kernels.Program, []*chunk.Chunk) {
	t.Helper()
	b := kernels.NewBuilder(len(shape))
	x := b.Input(kernels.In(dtype.Float32))
	in := []*chunk.Chunk{hostChunk(dtype.Float32, shape)}
	for i, v := 0, chunk.Slice[float32](in[0]); i < len(v); i++ {
		if v[i] = float32(i*7919%1013) / 31; i%997 == 5 {
			v[i] = float32(math.NaN())
		}
	}
	names, group := []string{"sum", "nanvar", "argmax"}, int16(-1)
	if grouped {
		b.Input(kernels.In(dtype.Int32))
		names, group = []string{"nansum", "nanvar", "nanargmin", "count", "var"}, 1
		ids := hostChunk(dtype.Int32, shape)
		for i, v := 0, chunk.Slice[int32](ids); i < len(v); i++ {
			v[i] = int32(i*31%(cutGroups+1)) - 1
		}
		in = append(in, ids)
	}
	for _, name := range names {
		r, ok := kernels.ReductionByName(name)
		if !ok {
			t.Fatalf("no reduction %s", name)
		}
		f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{x}, Axes: set, Group: group}
		if r.Indexed {
			f.Args = append(f.Args, b.Index(len(shape)-1))
		}
		b.Fold(f)
	}
	// A result, and a fold along fewer axes, are cut at the same places.
	if set == 2 || set == 1<<len(shape)-1 {
		b.Ret(b.Apply(kernels.OpMultiply, x, x))
	}
	if fewer := set & (set - 1); fewer != 0 {
		r, _ := kernels.ReductionByName("nanmax")
		b.Fold(kernels.Fold{Op: r.ID, Args: []kernels.Reg{x}, Axes: fewer, Group: -1})
	}
	return build(t, b), in
}
