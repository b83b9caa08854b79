// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/ndarray"
)

// TestProductOfMemory multiplies 16 MiB of columns in memory with each other inside 8 MiB: operands are read where they lie, and
// runs of the sums are tasks of their own, of whole numbers whose sums are known.
func TestProductOfMemory(t *testing.T) {
	ctx := context.Background()
	eng := newEngine(t, Options{Memory: 8 << 20, Workers: 2})
	const n = 1 << 16
	c, err := chunk.New(mem.NewPool(), dtype.Float64, 0, chunk.Shape{n, 32})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	x := chunk.Slice[float64](c)
	for i := range x {
		x[i] = float64(i/32%8 + i%32) // row mod 8 plus column
	}
	a := ndarray.FromChunk(c, nil)
	into, err := chunk.New(mem.NewPool(), dtype.Float64, 0, chunk.Shape{32, 32})
	if err != nil {
		t.Fatal(err)
	}
	defer into.Release()
	outputs := []ndarray.Output{{Array: ndarray.MatMul(a.Transpose(), a), Name: "p", Into: into}}
	p, err := eng.PlanOutputs(ctx, outputs)
	if err != nil {
		t.Fatal(err)
	}
	most := int64(0)
	for _, s := range p.Physical().Stages {
		most = max(most, s.Len())
	}
	if most < 8 {
		t.Errorf("%d tasks in the largest stage, want 8 or more for 2 workers", most)
	}
	if err := eng.Run(ctx, outputs); err != nil {
		t.Fatal(err)
	}
	for k, v := range chunk.Slice[float64](into) {
		i, j := float64(k/32), float64(k%32)
		if want := n / 8 * (140 + 28*(i+j) + 8*i*j); v != want { // sums over r of (r+i)*(r+j)
			t.Fatalf("element %d: %v, want %v", k, v, want)
		}
	}
}
