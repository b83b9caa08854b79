// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// fields returns 200 stored fields of 192 x 128 numbers, a chunk each, 37.5 MiB in float64.
func fields(ctx context.Context, t *testing.T, eng *Engine, dir string) ndarray.Array {
	t.Helper()
	n := ndarray.Arange(0, 200*192*128, 1, dtype.Float64)
	a := n.Mul(7919).Mod(30011).Reshape(200, 192, 128)
	path := filepath.Join(dir, "fields.zarr")
	if err := eng.Store(ctx, ndarray.To(path, ndarray.NewVariable("v", a, []string{"t", "y", "x"}, nil), ndarray.Chunks{"t": 1})); err != nil {
		t.Fatal(err)
	}
	ds, err := ndarray.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ds.Close() })
	return ds.Var("v").Array()
}

// TestLargerThanTheirTasks: results whose tasks would be too large with whole chunks of inputs or outputs are computed in
// narrower ones, with the same bits, and the plan tells how often chunks are read.
func TestLargerThanTheirTasks(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	big, err := New(Options{Memory: 512 << 20, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer big.Close()
	a := fields(ctx, t, big, dir)
	ids := make([]int32, 200)
	for i := range ids {
		ids[i] = int32(i * 31 % 150)
	}
	cases := []struct {
		name   string
		result ndarray.Array
		memory int64
		says   string
	}{
		{"groups", a.GroupReduce("nanmean", 0, ids, 150, ndarray.ReduceOptions{}), 24 << 20, "go to disk"},
		{"median", a.Median(ndarray.QuantileOptions{Axes: []int{0}}), 32 << 20, "is read ×"},
		{"quantiles", a.Quantile([]float64{0.1, 0.9}, true, ndarray.QuantileOptions{Axes: []int{0}}), 12 << 20, "is decoded once, and 37.5 MiB go to disk"},
		{"scan", a.CumSum(0), 16 << 20, "ends in cumulative_sum along axis 0"},
		{"scan of lines", a.Mul(0.1).CumSum(2), 16 << 20, "ends in cumulative_sum along axis 2"},
		{"spilled scan", a.CumSum(0).Sub(a.CumSum(0).Mean(0)), 24 << 20, "its cumulative_sum does not fit"},
		{"kept", a.AsType(dtype.Float32).Median(ndarray.QuantileOptions{Axes: []int{0}}), 60 << 20, "decoded once and kept"},
	}
	for _, c := range cases {
		for _, ext := range []string{".zarr", ".npy", ".nc"} {
			if testing.Short() && ext != ".zarr" {
				continue
			}
			t.Run(c.name+ext, func(t *testing.T) {
				want := values(ctx, t, big, c.result)
				eng, err := New(Options{Memory: c.memory, Workers: 2, TmpDir: dir, room: func() (int64, bool) { return 1 << 40, true }})
				if err != nil {
					t.Fatal(err)
				}
				defer eng.Close()
				v := ndarray.NewVariable("r", c.result, []string{"q", "y", "x"}[3-c.result.Rank():], nil)
				target := ndarray.To(filepath.Join(t.TempDir(), "r"+ext), v)
				p, err := eng.Plan(ctx, target)
				if err != nil {
					t.Fatal(err)
				}
				if text := p.Explain(); !strings.Contains(text, c.says) {
					t.Errorf("plan does not say %q:\n%s", c.says, text)
				}
				j := eng.Start(ctx, p)
				if err := j.Wait(); err != nil {
					t.Fatal(err)
				}
				if s := j.Stats(); s.PeakBudgetBytes > c.memory {
					t.Errorf("peak %d, budget %d", s.PeakBudgetBytes, c.memory)
				}
				back, err := ndarray.Open(ctx, target.URI)
				if err != nil {
					t.Fatal(err)
				}
				defer back.Close()
				main, _ := back.Main()
				if got := values(ctx, t, big, main.Array()); !slices.Equal(got, want) {
					t.Errorf("%d MiB: values differ", c.memory>>20)
				}
			})
		}
	}
}

// TestNoRoomForCopies: without room on the disk chunks are decoded again and again, and the plan says so.
func TestNoRoomForCopies(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	big := newEngine(t, Options{Memory: 512 << 20, Workers: 2})
	q := fields(ctx, t, big, dir).Quantile([]float64{0.1, 0.9}, true, ndarray.QuantileOptions{Axes: []int{0}})
	for free, says := range map[int64]string{70 << 20: "is read ×", 80 << 20: "go to disk"} {
		eng := newEngine(t, Options{Memory: 12 << 20, Workers: 2, TmpDir: dir, room: func() (int64, bool) { return free, true }})
		p, err := eng.Plan(ctx, ndarray.To(filepath.Join(t.TempDir(), "r.zarr"), ndarray.NewVariable("r", q, []string{"q", "y", "x"}, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if text := p.Explain(); !strings.Contains(text, says) {
			t.Errorf("%d MiB free: plan does not say %q:\n%s", free>>20, says, text)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func values(ctx context.Context, t *testing.T, eng *Engine, a ndarray.Array) []float64 {
	t.Helper()
	v, err := ndarray.Values[float64](ctx, eng, a.AsType(dtype.Float64))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestStatesOfUnevenTiles: the states of the last, smaller tile are in the bill too.
func TestStatesOfUnevenTiles(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	big := newEngine(t, Options{Memory: 512 << 20, Workers: 2})
	a := fields(ctx, t, big, dir)
	ids := make([]int32, 200)
	for i := range ids {
		ids[i] = int32(i * 31 % 150)
	}
	uneven := false
	for memory := int64(56 << 20); memory < 100<<20; memory += 4 << 20 {
		eng := newEngine(t, Options{Memory: memory, Workers: 2, TmpDir: dir})
		r := ndarray.NewVariable("r", a.GroupReduce("nanmean", 0, ids, 150, ndarray.ReduceOptions{}).Mul(2), []string{"g", "y", "x"}, nil)
		p, err := eng.Plan(ctx, ndarray.To(filepath.Join(t.TempDir(), "r.zarr"), r, ndarray.Chunks{"g": 30, "y": 12, "x": 128}))
		if err != nil {
			t.Fatal(err)
		}
		y := p.p.Stages[0].Tiles.Axes[1]
		uneven = uneven || y.Len%y.Step != 0
		j := eng.Start(ctx, p)
		if err := j.Wait(); err != nil {
			t.Fatal(err)
		}
		if s := j.Stats(); s.PeakBudgetBytes > memory {
			t.Errorf("tiles of %d rows: peak %d, budget %d", y.Step, s.PeakBudgetBytes, memory)
		}
	}
	if !uneven {
		t.Error("no plan had uneven tiles")
	}
}
