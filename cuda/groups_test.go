// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"context"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// TestGatheredGroups folds by group ids that are themselves gathered, and along which values are too: the bits are those of the definition.
func TestGatheredGroups(t *testing.T) {
	d, _ := open(t, cuda.Options{Always: true, Strict: true})
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	ctx, shape := context.Background(), chunk.Shape{6, 50}
	b := kernels.NewBuilder(2)
	x := b.Input(kernels.In(dtype.Float32))
	b.Input(kernels.In(dtype.Int32))
	port := kernels.In(dtype.Int32)
	port.Gather, port.GatherIDs = 1, 1
	b.Input(port)
	for _, name := range []string{"sum", "var", "argmax"} {
		r, _ := kernels.ReductionByName(name)
		f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{x}, Axes: kernels.Axes(1), Group: 2}
		if r.Indexed {
			f.Args = append(f.Args, b.Index(1))
		}
		b.Fold(f)
	}
	p := build(t, b)
	values, at, groups := hostChunk(dtype.Float32, shape), hostChunk(dtype.Int32, chunk.Shape{50}), hostChunk(dtype.Int32, chunk.Shape{7})
	for i, v := 0, chunk.Slice[float32](values); i < len(v); i++ {
		v[i] = float32(i*7919%1013) / 31
	}
	for i, v := 0, chunk.Slice[int32](at); i < len(v); i++ {
		v[i] = int32(i*5%8) - 1 // some are missing
	}
	copy(chunk.Slice[int32](groups), []int32{2, 0, 1, 2, 2, -1, 1})
	spread := func(c *chunk.Chunk, n int64) *chunk.Chunk { // along the second axis, the same for all of the first
		return &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: chunk.Shape{6, n}, Strides: []int64{0, 1}, Block: c.Block}
	}
	var results [][]*chunk.Chunk
	for _, dev := range []kernels.Device{ref.New(), d} {
		var out []*chunk.Chunk
		for _, f := range p.Folds {
			for _, s := range kernels.ReductionOf(f.Op).State(dtype.Float32) {
				out = append(out, hostChunk(s.DType, chunk.Shape{3, 6}))
			}
		}
		k, err := dev.Compile(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		scratch, err := host.Allocator().Alloc(k.Scratch(shape))
		if err != nil {
			t.Fatal(err)
		}
		err = k.Run(ctx, &kernels.Call{In: []*chunk.Chunk{values, spread(at, 50), spread(groups, 7)}, Out: out, Shape: shape, Origin: chunk.Shape{0, 0}, Scratch: scratch})
		scratch.Release()
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, out)
	}
	for i, want := range results[0] {
		if string(results[1][i].Bytes()) != string(want.Bytes()) {
			t.Errorf("output %d differs from the definition's", i)
		}
	}
}
