// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"math"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// TestNothingToCompute checks arrays and folds without elements, and 0-d arrays.
func TestNothingToCompute(t *testing.T) {
	e := newEngine(t, Options{Memory: 16 << 20, Workers: 2})
	ctx := context.Background()
	none := ndarray.FromSlice([]float64{}, 0, 3)
	values := func(a ndarray.Array) []float64 {
		t.Helper()
		v, err := ndarray.Values[float64](ctx, e, a)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := values(none.Add(1)); len(v) != 0 {
		t.Errorf("map: got %v", v)
	}
	if v := values(none.Sum(0)); len(v) != 3 || v[0] != 0 || v[2] != 0 {
		t.Errorf("sum: got %v, want three zeros", v)
	}
	if v := values(none.Mean(0)); len(v) != 3 || !math.IsNaN(v[1]) {
		t.Errorf("mean: got %v, want three NaN", v)
	}
	if v := values(none.Sum(1)); len(v) != 0 {
		t.Errorf("sum of no rows: got %v", v)
	}
	if v := values(none.Sum().Add(2)); len(v) != 1 || v[0] != 2 {
		t.Errorf("sum of all: got %v, want 2", v)
	}
	if _, err := ndarray.Values[float64](ctx, e, none.Max(0)); err == nil {
		t.Error("max of nothing gave no error")
	}
	some := ndarray.FromSlice([]float64{1, 2, 3}, 1, 3)
	if v := values(ndarray.Concat(0, none, some, none)); len(v) != 3 || v[2] != 3 {
		t.Errorf("concat: got %v", v)
	}
	if v := values(some.Index(ndarray.All(), ndarray.Take([]int64{}))); len(v) != 0 {
		t.Errorf("take of nothing: got %v", v)
	}
	g := ndarray.FromSlice([]float64{1, 2, 3, 4}).GroupReduce("sum", 0, []int32{-1, 1, -1, 1}, 3, ndarray.ReduceOptions{})
	if v := values(g); len(v) != 3 || v[0] != 0 || v[1] != 6 || v[2] != 0 {
		t.Errorf("groups: got %v, want [0 6 0]", v)
	}
	if v := values(ndarray.Scalar(4.0).Sqrt()); len(v) != 1 || v[0] != 2 {
		t.Errorf("scalar: got %v, want 2", v)
	}
	s := newSink(t, dtype.Float64, chunk.Regular(chunk.Shape{}))
	if err := e.Run(ctx, []ndarray.Output{{Array: ndarray.FromSlice([]float64{1, 2}).Sum(), To: s}}); err != nil {
		t.Fatal(err)
	}
	s.complete()
}
