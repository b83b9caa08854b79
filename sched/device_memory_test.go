// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/ndarray"
)

// climatology returns departures from means of groups, as multiples of a deviation: two results of folds and an array that later stages read.
func climatology(x ndarray.Array) ndarray.Array {
	n := x.Shape()[0]
	ids, back := make([]int32, n), make([]int64, n)
	for i := range ids {
		ids[i], back[i] = int32(i%12), int64(i%12)
	}
	clim := x.GroupReduce("mean", 0, ids, 12, ndarray.ReduceOptions{})
	return x.Sub(clim.TakeAlong(0, back)).Div(x.Std(0))
}

// TestIntermediatesGiveWay runs jobs whose later stages read results of folds and an array again, on a device that has less memory than
// was said: what stays there gives way to host memory, where its values are. Nothing is lost, computed or decoded again, and the CPU takes over nothing.
func TestIntermediatesGiveWay(t *testing.T) {
	const tile = 300 * 1000 * 4
	x := ndarray.FromSource(newFake(rand.New(rand.NewPCG(3, 4)), dtype.Float32, chunk.Regular(chunk.Shape{2400, 1000}, 300, 1000)), "x")
	evicted := int64(0)
	for name, a := range map[string]ndarray.Array{"departures": x.Sub(x.Mean(0)).Div(x.Std(0)), "climatology": climatology(x)} {
		want, cpu, _ := compute(t, newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cpu"}), a)
		var rich Stats
		for _, c := range [][2]int{{1, 128}, {1, 12}, {1, 11}, {3, 128}, {3, 16}, {3, 12}, {3, 11}} { // one worker: nothing else uses what is to give way
			workers, memory := c[0], c[1]
			t.Run(fmt.Sprintf("%s %d workers %d MiB", name, workers, memory), func(t *testing.T) {
				cudasim.Start(t, fmt.Sprintf("memory=%dMiB", memory))
				t.Setenv(cuda.EnvCache, t.TempDir())
				e := newEngine(t, Options{Memory: 256 << 20, Workers: workers, Device: "cuda", GPU: GPU{Memory: 96 << 20}})
				got, st, text := compute(t, e, a)
				if got != want {
					t.Error("the bits differ from the CPU's")
				}
				if memory == 128 {
					rich = st
					if !strings.Contains(text, "stays there: ") || !strings.Contains(text, "mean, ") {
						t.Errorf("the plan does not say that x and the mean stay:\n%s", text)
					}
				}
				// What other workers hold can leave no memory for the second half of a call: the first half's part of a tile comes down again.
				again := int64(0)
				if workers > 1 {
					again = st.GPU.Halved * tile
				}
				if down := st.GPU.D2HBytes - rich.GPU.D2HBytes; st.Tasks != rich.Tasks || st.BytesDecoded != cpu.BytesDecoded || down < 0 || down > again {
					t.Errorf("%d tasks, %d bytes decoded, %d from the device: want %d, %d, %d (at most %d more) as with enough memory", st.Tasks, st.BytesDecoded,
						st.GPU.D2HBytes, rich.Tasks, cpu.BytesDecoded, rich.GPU.D2HBytes, again)
				}
				if g := st.GPU; g.FellBack != 0 || g.Lost != 0 || g.PeakBytes > int64(memory)<<20 || memory == 128 && g.Evicted+g.Halved+g.Reaped != 0 {
					t.Errorf("%+v", g)
				}
				evicted += st.GPU.Evicted
				t.Logf("%+v", st.GPU)
			})
		}
	}
	if evicted == 0 {
		t.Error("no array has given way on any device")
	}
}

// TestSpilledResultOnGPU: the result of a fold that went to disk, for want of host memory, is read from there once for each device.
func TestSpilledResultOnGPU(t *testing.T) {
	src := newFake(rand.New(rand.NewPCG(3, 4)), dtype.Float64, chunk.Regular(chunk.Shape{3, 2048, 2048}, 1, 256, 256))
	x := ndarray.FromSource(src, "x")
	a := x.Sub(x.Mean(0)).Square().Sum(1, 2)
	want, _, _ := compute(t, newEngine(t, Options{Memory: 512 << 20, Workers: 2, Device: "cpu"}), a)
	cudasim.Start(t)
	t.Setenv(cuda.EnvCache, t.TempDir())
	e := newEngine(t, Options{Memory: 256 << 20, Workers: 2, TmpDir: t.TempDir(), Device: "cuda", GPU: GPU{Memory: 512 << 20, Strict: true}})
	_, taken := e.gpu.opened()
	e.opt.Memory = taken + 28<<20 // the mean has 32 MiB
	got, st, text := compute(t, e, a)
	if got != want {
		t.Error("the bits differ from the CPU's")
	}
	if !strings.Contains(text, "go to disk") {
		t.Errorf("the mean does not go to disk:\n%s", text)
	}
	const mean, size = 32 << 20, 96 << 20
	if up := st.GPU.H2DBytes; up < size+mean || up > size+mean+size/8 {
		t.Errorf("%d bytes up, want x and the mean once: %d\n%s", up, size+mean, text)
	}
	if st.BytesDecoded > size+mean {
		t.Errorf("%d bytes decoded, want at most x and the mean once: %d\n%s", st.BytesDecoded, size+mean, text)
	}
	if st.PeakBudgetBytes > e.opt.Memory {
		t.Errorf("%d bytes at the peak, the budget is %d", st.PeakBudgetBytes, e.opt.Memory)
	}
	t.Logf("%+v\n%s", st.GPU, text)
}

// TestRunFaults makes calls to the driver fail in a run of two passes that does not fit the device: the bits are the CPU's, or the error is clean.
func TestRunFaults(t *testing.T) {
	x := ndarray.FromSource(newFake(rand.New(rand.NewPCG(1, 2)), dtype.Float32, chunk.Regular(chunk.Shape{300, 400}, 128, 400)), "x")
	a := x.Sub(x.Mean(0)).Div(x.Std(0))
	want, _, _ := compute(t, newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cpu"}), a)
	opt := Options{Memory: 256 << 20, Workers: 2, Device: "cuda", GPU: GPU{Memory: 1 << 20}}
	t.Setenv(cuda.EnvCache, t.TempDir())
	sim := cudasim.Start(t)
	e, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	sim.Forget()
	_, st, _ := compute(t, e, a)
	calls := sim.Calls()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if st.GPU.Halved == 0 || st.GPU.FellBack != 0 {
		t.Fatalf("%+v: want calls that are halved", st.GPU)
	}
	rng := rand.New(rand.NewPCG(8, 8))
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		count := calls[name]
		if !strings.HasPrefix(name, "cu") {
			continue
		}
		for range min(4, count) {
			n, code := 1+rng.IntN(count), []driver.Code{driver.OutOfMemory, driver.Unknown, driver.IllegalAddress}[rng.IntN(3)]
			t.Run(fmt.Sprint(name, " ", n, " ", code.Name()), func(t *testing.T) {
				sim := cudasim.Start(t)
				e, err := New(opt)
				if err != nil {
					t.Fatal(err)
				}
				sim.Fault(name, n, code)
				if got, _, _ := compute(t, e, a); got != want {
					t.Error("the bits differ from the CPU's")
				}
				if err := e.Close(); err != nil && driver.CodeOf(err) == 0 {
					t.Error(err)
				}
				for _, r := range sim.TakeReports() {
					if r.Kind != "leak" && !code.Sticky() {
						t.Errorf("%s: %s", r.Kind, r.Text)
					}
				}
			})
		}
	}
}
