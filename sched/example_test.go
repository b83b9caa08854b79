// SPDX-License-Identifier: BSD-3-Clause

package sched_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// Plan, run, watch, cancel. Ctrl-C or Cancel: Wait returns context.Canceled and no output exists.
func ExampleEngine_Start() {
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "arrayrun")
	check(err)
	defer os.RemoveAll(dir)
	wind := make([]float32, 300*10)
	for i := range wind {
		wind[i] = float32(i%10) * 2
	}
	u := ndarray.NewVariable("u", ndarray.FromSliceOn(wind, chunk.Regular(chunk.Shape{300, 10}, 100, 10)), []string{"time", "x"}, nil)

	eng, err := sched.New(sched.Options{Memory: 1 << 30, Device: "auto"}) // "cuda": an error when there is none
	check(err)
	defer eng.Close()
	p, err := eng.Plan(ctx, ndarray.To(filepath.Join(dir, "speed2.zarr"), u.Square().Mean("time"))) // sched.ErrBudget comes here
	check(err)
	explained := p.Explain() // each stage's device with the reason
	job := eng.Start(ctx, p)
	defer time.AfterFunc(time.Hour, job.Cancel).Stop()
	var last sched.Event
	for s := range job.Progress() { // ends with the job
		last = s // s.Done of s.Total bytes
	}
	if err := job.Wait(); !errors.Is(err, context.Canceled) {
		check(err)
	}
	fmt.Println(job.Stats().Device, job.Stats().GPU.Launches)

	fmt.Println(strings.Contains(explained, "mean"), last.Done == last.Total)
	ds, err := ndarray.Open(ctx, filepath.Join(dir, "speed2.zarr"))
	check(err)
	defer ds.Close()
	v, err := ndarray.Values[float32](ctx, eng, ds.Var("u").Array())
	check(err)
	fmt.Println(v)
	// Output:
	// cpu 0
	// true true
	// [0 4 16 36 64 100 144 196 256 324]
}
