// SPDX-License-Identifier: BSD-3-Clause

package sched_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// TestCancelLeavesNoOutput cancels a job that writes two outputs, from Cancel and from the caller's context, as soon as it
// reports progress.
func TestCancelLeavesNoOutput(t *testing.T) {
	for _, by := range []string{"cancel", "context"} {
		t.Run(by, func(t *testing.T) {
			dir := t.TempDir()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			eng, err := sched.New(sched.Options{Memory: 64 << 20, Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			// Seconds of work: the job has not ended when somebody has read the first progress.
			x := ndarray.Arange(int64(0), int64(1<<26), int64(1), dtype.Float32)
			y := x.Add(1).Exp()
			p, err := eng.Plan(ctx, ndarray.To(filepath.Join(dir, "y.zarr"), y), ndarray.To(filepath.Join(dir, "s.nc"), y.Sum(0)))
			if err != nil {
				t.Fatal(err)
			}
			job := eng.Start(ctx, p)
			for range job.Progress() {
				if by == "cancel" {
					job.Cancel()
				} else {
					stop()
				}
			}
			if err := job.Wait(); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want an error that is context.Canceled", err)
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 0 {
				t.Errorf("%v is left behind, %v", left, err)
			}
			if err := eng.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
