// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
)

// TestFoldsGoOn: where the budget has no room for whole blocks of the fold order, steps end inside them and the next one goes on: chunks are
// decoded once, and the bits are those of a budget with room.
func TestFoldsGoOn(t *testing.T) {
	ctx := context.Background()
	for _, dt := range []dtype.DType{dtype.Float32, dtype.Int16} {
		x := big(21, dt, chunk.Shape{301, 60, 100}, 10, 60, 100)
		for _, r := range kernels.AllReductions() {
			if !r.Continues() {
				continue
			}
			over := ndarray.ReduceOptions{Axes: []int{0}}
			list := []ndarray.Array{x.Reduce(r.Name, over), x.Mul(x).Reduce(r.Name, over)}
			if err := list[0].Err(); errors.Is(err, kernels.ErrUnsupported) {
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			var want []*chunk.Chunk
			for _, memory := range []int64{512 << 20, 6 << 20} {
				eng := newEngine(t, Options{Memory: memory, Workers: 2})
				var outputs []ndarray.Output
				for _, a := range list {
					outputs = append(outputs, ndarray.Output{Array: a, Name: r.Name, Into: heapChunk(a.DType(), a.Shape())})
				}
				p, err := eng.PlanOutputs(ctx, outputs)
				if err != nil {
					t.Fatalf("%s %v: %v", r.Name, dt, err)
				}
				tight := memory < 64<<20
				if s := p.Physical().Stages[0]; tight && !s.GoesOn() {
					t.Errorf("%s %v, %d MiB: no step ends inside a block\n%s", r.Name, dt, memory>>20, p.Explain())
				}
				if x := p.Physical().Sources[0]; tight && x.Reads > 1.01 {
					t.Errorf("%s %v: x is read %v times\n%s", r.Name, dt, x.Reads, p.Explain())
				}
				if err := eng.Start(ctx, p).Wait(); err != nil {
					t.Fatalf("%s %v: %v", r.Name, dt, err)
				}
				if want == nil {
					for _, o := range outputs {
						want = append(want, o.Into)
					}
				}
				for i, o := range outputs {
					if !slices.Equal(o.Into.Block.Bytes(), want[i].Block.Bytes()) {
						t.Errorf("%s %v, %d MiB: result %d differs", r.Name, dt, memory>>20, i)
					}
				}
			}
		}
	}
}

// TestFoldsGoOnGPU: where the user sent a stage to a GPU, calls that go on with states do so there; auto leaves them to the CPU.
func TestFoldsGoOnGPU(t *testing.T) {
	cudasim.Start(t)
	t.Setenv(cuda.EnvCache, t.TempDir())
	ctx := context.Background()
	x := big(21, dtype.Float32, chunk.Shape{301, 60, 100}, 10, 60, 100)
	for _, name := range []string{"sum", "nanmin", "mean"} {
		a := x.Mul(x).Reduce(name, ndarray.ReduceOptions{Axes: []int{0}})
		want := heapChunk(a.DType(), a.Shape())
		if err := newEngine(t, Options{Memory: 512 << 20, Workers: 2, Device: "cpu"}).Run(ctx, []ndarray.Output{{Array: a, Into: want}}); err != nil {
			t.Fatal(err)
		}
		eng := newEngine(t, Options{Memory: 512 << 20, Workers: 2, Device: "cuda"})
		_, driver := eng.gpu.opened()
		eng.opt.Memory = driver + 6<<20 // what the driver takes differs between machines
		got := heapChunk(a.DType(), a.Shape())
		p, err := eng.PlanOutputs(ctx, []ndarray.Output{{Array: a, Name: name, Into: got}})
		if err == nil {
			err = eng.Start(ctx, p).Wait()
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s, stats := p.Physical().Stages[0], eng.Stats()
		if !s.GoesOn() || s.Place.Device != "cuda:0" || stats.GPU.Launches < 2 || stats.GPU.FellBack != 0 {
			t.Errorf("%s: on %s, steps end inside blocks: %v, %+v: want them on the GPU", name, s.Place.Device, s.GoesOn(), stats.GPU)
		}
		if !slices.Equal(got.Block.Bytes(), want.Block.Bytes()) {
			t.Errorf("%s: the result on the GPU differs", name)
		}
	}
}
