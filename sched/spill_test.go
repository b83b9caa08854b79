// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// anomalies needs a mean of 32 MiB whole before any of it can be made.
func anomalies() ndarray.Array {
	a := ndarray.Ones(chunk.Shape{3, 2048, 2048}, dtype.Float64, ndarray.Chunked(1, 256, 256)).Mul(ndarray.Arange(0, 3, 1, dtype.Float64).Reshape(3, 1, 1))
	a = a.Add(ndarray.Arange(0, 2048, 1, dtype.Float64).Mul(0.1))
	return a.Sub(a.Mean(0)).Square()
}

// TestSpill: an intermediate that does not fit goes to disk, with the same bits as in memory, and leaves nothing there.
func TestSpill(t *testing.T) {
	ctx := context.Background()
	var want []float64
	for _, memory := range []int64{256 << 20, 24 << 20} {
		dir := t.TempDir()
		eng, err := New(Options{Memory: memory, Workers: 2, TmpDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		got, spilled := sums(ctx, t, eng)
		if spilled != (memory < 64<<20) {
			t.Errorf("budget %d MiB: spilled = %v", memory>>20, spilled)
		}
		if want == nil {
			want = got
		}
		if len(got) != 3 {
			t.Fatalf("budget %d MiB: %d sums", memory>>20, len(got))
		}
		for i, v := range got {
			if v != want[i] || i != 1 && math.Round(v) != 1<<22 {
				t.Errorf("budget %d MiB: sum %d = %v, want %v", memory>>20, i, v, want[i])
			}
		}
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("budget %d MiB: %v is left behind", memory>>20, left)
		}
	}
}

func sums(ctx context.Context, t *testing.T, eng *Engine) (v []float64, spilled bool) {
	t.Helper()
	p, err := eng.PlanOutputs(ctx, []ndarray.Output{{Array: anomalies().Sum(1, 2), Each: func(_ chunk.Region, c *chunk.Chunk) error {
		v = append(v, chunk.Slice[float64](c)...)
		return nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	text := p.Explain()
	j := eng.Start(ctx, p)
	if err := j.Wait(); err != nil {
		t.Fatal(err)
	}
	if j.Stats().PeakBudgetBytes > eng.Memory() {
		t.Errorf("peak %d, budget %d", j.Stats().PeakBudgetBytes, eng.Memory())
	}
	return v, strings.Contains(text, "go to disk")
}

// TestSpillWithoutRoom: a folder that cannot be written is a clear error, not a wrong answer.
func TestSpillWithoutRoom(t *testing.T) {
	eng, err := New(Options{Memory: 24 << 20, Workers: 2, TmpDir: filepath.Join(t.TempDir(), "absent")})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	_, err = ndarray.Values[float64](context.Background(), eng, anomalies().Sum(1, 2))
	if err == nil || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "--tmpdir") {
		t.Errorf("got %v, want an error that names the folder and --tmpdir", err)
	}
}

// TestSpillIsNoCure: a task that does not fit by itself is refused as before.
func TestSpillIsNoCure(t *testing.T) {
	eng, err := New(Options{Memory: 1 << 20, Workers: 1, TmpDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	a := ndarray.Arange(0, 64<<18, 1, dtype.Float64).Reshape(1<<18, 64).Median(ndarray.QuantileOptions{Axes: []int{0}})
	_, err = ndarray.Values[float64](context.Background(), eng, a.Sub(a.Mean()))
	if !errors.Is(err, ErrBudget) {
		t.Errorf("got %v, want a refusal: one column takes 2 MiB", err)
	}
}

// TestIdleAfterRun: what a run has used is given back but for a share of the budget, for outputs are finished after it.
func TestIdleAfterRun(t *testing.T) {
	const memory = 80 << 20
	eng, err := New(Options{Memory: memory, Workers: 2, TmpDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	if _, spilled := sums(context.Background(), t, eng); spilled {
		t.Fatal("spilled: the mean was never in memory")
	}
	if idle := eng.pool.Idle(); idle > memory/idleShare {
		t.Errorf("%d bytes are idle after the run, want at most %d", idle, memory/idleShare)
	}
}
