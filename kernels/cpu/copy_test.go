// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels/cpu"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// rawView is view for records of any size.
func rawView(r *rand.Rand, d dtype.DType, item int, shape chunk.Shape) *chunk.Chunk {
	c := view(r, dtype.Uint8, shape, false)
	b := make([]byte, len(c.Block.Bytes())*item)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	c.DType, c.ItemBytes, c.Block = d, int32(item), mem.Wrap(b)
	return c
}

// TestCopy copies between random layouts, records and texts included, and compares with ref.
func TestCopy(t *testing.T) {
	dev := cpu.New(cpu.Options{})
	defer dev.Close()
	types := []struct {
		d    dtype.DType
		item int
	}{{dtype.Uint8, 1}, {dtype.Float16, 2}, {dtype.Float32, 4}, {dtype.Int64, 8}, {dtype.Complex128, 16}, {dtype.Raw, 3}, {dtype.Raw, 12}, {dtype.Raw, 40}, {dtype.String, 16}}
	for seed := range 300 {
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		k := types[r.IntN(len(types))]
		shape := make(chunk.Shape, r.IntN(4))
		for i := range shape {
			shape[i] = int64(r.IntN([]int{1, 300, 70, 20}[len(shape)]))
		}
		src := rawView(r, k.d, k.item, shape)
		got := rawView(r, k.d, k.item, shape)
		want := *got
		want.Block = mem.Wrap(bytes.Clone(got.Block.Bytes()))
		if err := dev.Copy(ctx, got, src); err != nil {
			t.Fatal(err)
		}
		if err := ref.New().Copy(ctx, &want, src); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Block.Bytes(), want.Block.Bytes()) {
			t.Fatalf("seed %d: %v of %d bytes, shape %v, strides %v to %v: differs from ref", seed, k.d, k.item, shape, src.Strides, got.Strides)
		}
	}
	a, b := view(rand.New(rand.NewPCG(1, 1)), dtype.Int8, chunk.Shape{2}, false), view(rand.New(rand.NewPCG(1, 1)), dtype.Int8, chunk.Shape{3}, false)
	if err := dev.Copy(ctx, a, b); !errors.Is(err, chunk.ErrShape) {
		t.Errorf("copy of another shape: error %v, want ErrShape", err)
	}
}
