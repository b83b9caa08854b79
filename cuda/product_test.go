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

// TestProductPieces runs products that do not fit the device's memory: they are cut along any axis of the result, and have the CPU's bits.
func TestProductPieces(t *testing.T) {
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	d, _ := open(t, cuda.Options{Always: true, Strict: true, Memory: 256 << 10}, "order=shuffle") // a call's share is 64 KiB
	rng := rand.New(rand.NewPCG(7, 7))
	for i, c := range []struct {
		u     kernels.Product
		shape chunk.Shape
	}{
		{kernels.Product{Rows: 1, Sums: 1, Cols: 1}, chunk.Shape{2000, 40, 7}},
		{kernels.Product{Rows: 1, Sums: 1, Cols: 1}, chunk.Shape{7, 300, 90}},
		{kernels.Product{Batch: 1, Rows: 1, Sums: 1, Cols: 1}, chunk.Shape{40, 9, 30, 8}},
		{kernels.Product{Batch: 1, Rows: 2, Sums: 1, Cols: 2}, chunk.Shape{3, 4, 20, 70, 30, 3}},
	} {
		u := &c.u
		u.DType = []dtype.DType{dtype.Float32, dtype.Float64}[i%2]
		l := u.Split(c.shape)
		shapes := [3]chunk.Shape{}
		for j, parts := range [3][3][]int64{{l.Batch, l.Rows, l.Sums}, {l.Batch, l.Sums, l.Cols}, {l.Batch, l.Rows, l.Cols}} {
			for _, p := range parts {
				shapes[j] = append(shapes[j], p...)
			}
		}
		var in []*chunk.Chunk
		for _, s := range shapes[:2] {
			x := hostChunk(u.DType, s)
			for k := range s.Size() {
				v := rng.NormFloat64()
				if k == s.Size()/2 {
					v = math.Inf(1)
				}
				if u.DType == dtype.Float32 {
					chunk.Slice[float32](x)[k] = float32(v)
				} else {
					chunk.Slice[float64](x)[k] = v
				}
			}
			in = append(in, x)
		}
		var out [2]*chunk.Chunk
		before := d.Stats().Halved
		for j, dev := range []kernels.Device{d, host} {
			k, err := dev.Compile(context.Background(), u)
			if err != nil {
				t.Fatal(err)
			}
			scratch, err := host.Allocator().Alloc(k.Scratch(c.shape))
			if err != nil {
				t.Fatal(err)
			}
			out[j] = hostChunk(u.DType, shapes[2])
			if err := k.Run(context.Background(), &kernels.Call{In: in, Out: []*chunk.Chunk{out[j]}, Shape: c.shape, Scratch: scratch}); err != nil {
				t.Fatalf("%v over %v: %v", u, c.shape, err)
			}
			scratch.Release()
		}
		if string(out[0].Bytes()) != string(out[1].Bytes()) {
			t.Errorf("%v over %v differs from the CPU's", u, c.shape)
		}
		if d.Stats().Halved == before {
			t.Errorf("%v over %v was not cut", u, c.shape)
		}
	}
}
