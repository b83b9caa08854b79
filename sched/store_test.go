// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/ndarray"
)

// TestLargeResultIsWrittenInParts: the mean over a short axis is larger than the budget.
func TestLargeResultIsWrittenInParts(t *testing.T) {
	e := newEngine(t, Options{Memory: 6 << 20, Workers: 2})
	src := newFake(rand.New(rand.NewPCG(5, 5)), dtype.Float32, chunk.Regular(chunk.Shape{4, 1000, 2000}, 2, 50, 2000))
	for _, keep := range []bool{false, true} {
		a := ndarray.FromSource(src, "x").Reduce("mean", ndarray.ReduceOptions{Axes: []int{0}, KeepDims: keep})
		steps := []int64{100, 500}
		if keep {
			steps = []int64{1, 100, 500}
		}
		s := newSink(t, a.DType(), chunk.Regular(a.Shape(), steps...))
		p, err := e.PlanOutputs(context.Background(), []ndarray.Output{{Array: a, Name: "mean", To: s}})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(p.p.Stages); n != 1 {
			t.Errorf("%d stages, want the fold to write its result:\n%s", n, p.Explain())
		}
		if err := e.Start(context.Background(), p).Wait(); err != nil {
			t.Fatal(err)
		}
		s.complete()
		x, got := chunk.Slice[float32](src.data), chunk.Slice[float32](s.data)
		for i := range got {
			want := float32((float64(x[i]) + float64(x[i+2e6]) + float64(x[i+4e6]) + float64(x[i+6e6])) / 4)
			if got[i] != want {
				t.Fatalf("element %d is %v, want %v", i, got[i], want)
			}
		}
	}
}

func TestStoreIsCompleteOrAbsent(t *testing.T) {
	dir := t.TempDir()
	e := newEngine(t, Options{Memory: 32 << 20, Workers: 2})
	ctx := context.Background()
	x := ndarray.FromSlice([]float64{1, 2, 3, 4, 5, 6}, 2, 3)
	uri := filepath.Join(dir, "x.npy")
	if err := e.Store(ctx, ndarray.To(uri, x.Mul(2)), ndarray.To(filepath.Join(dir, "s.zarr"), x.Sum(0))); err != nil {
		t.Fatal(err)
	}
	g, err := all.Open(ctx, uri)
	if err != nil {
		t.Fatal(err)
	}
	v, err := ndarray.Values[float64](ctx, e, ndarray.FromSource(g.Vars[0].Source, "x"))
	if err != nil || len(v) != 6 || v[5] != 12 {
		t.Fatalf("read back %v, %v", v, err)
	}
	if err := e.Store(ctx, ndarray.To(uri, x)); !errors.Is(err, formats.ErrExists) {
		t.Errorf("second store: got %v, want %v", err, formats.ErrExists)
	}
	bad := ndarray.FromSource(failing(7), "t2m")
	if err := e.Store(ctx, ndarray.To(filepath.Join(dir, "y.zarr"), bad), ndarray.To(filepath.Join(dir, "z.npy"), bad.Sum())); !errors.Is(err, errDisk) {
		t.Errorf("failing store: got %v, want %v", err, errDisk)
	}
	p, err := e.Plan(ctx, ndarray.To(filepath.Join(dir, "never.zarr"), x))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if f.Name() != "x.npy" && f.Name() != "s.zarr" {
			t.Errorf("%s was left behind", f.Name())
		}
	}
}
