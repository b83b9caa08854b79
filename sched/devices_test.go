// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/ndarray"
)

// plannedFor returns the device and the reason of the first stage that computes.
func plannedFor(t *testing.T, opt Options, a ndarray.Array) (device, why string) {
	t.Helper()
	e := newEngine(t, opt)
	p, err := e.PlanOutputs(context.Background(), []ndarray.Output{{Array: a, Name: "a", Each: func(chunk.Region, *chunk.Chunk) error { return nil }}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Physical().Stages {
		if s.Body.Program != nil {
			if text := p.Explain(); !strings.Contains(text, s.Place.Device+": ") {
				t.Errorf("the explanation names no %s:\n%s", s.Place.Device, text)
			}
			return s.Place.Device, s.Place.Why()
		}
	}
	t.Fatal("nothing is computed")
	return "", ""
}

// someArray is a computation that a GPU could do.
func someArray() ndarray.Array {
	a := ndarray.FromSliceOn(make([]float64, 64*50), chunk.Regular(chunk.Shape{64, 50}, 16, 50))
	return a.Mul(a).Add(1.0).Sum(0)
}

// TestNoGPU: without the library auto computes on the CPU and says why; a GPU that was asked for is an error with the reason.
func TestNoGPU(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "none.so")
	t.Setenv(driver.EnvCUDA, gone)
	for _, name := range []string{"", "auto"} {
		if dev, why := plannedFor(t, Options{Memory: 16 << 20, Device: name}, someArray()); dev != "cpu" || !strings.Contains(why, "no GPU") || !strings.Contains(why, "none.so") {
			t.Errorf("device %q: placed on %s: %q, want the CPU and the library that was tried", name, dev, why)
		}
	}
	for _, name := range []string{"cuda", "cuda:1"} {
		_, err := New(Options{Memory: 16 << 20, Device: name})
		var load *driver.LoadError
		if !errors.As(err, &load) || !strings.Contains(err.Error(), "none.so") || !strings.Contains(err.Error(), "--device cpu") {
			t.Errorf("device %q: error %v, want one with the library that was tried and a way out", name, err)
		}
	}
	for _, name := range []string{"gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0"} {
		if _, err := New(Options{Memory: 16 << 20, Device: name}); err == nil {
			t.Errorf("device %q gave no error", name)
		}
	}
	if dev, why := plannedFor(t, Options{Memory: 16 << 20, Device: "cpu"}, someArray()); dev != "cpu" || strings.Contains(why, "GPU") {
		t.Errorf("placed on %s: %q, want the CPU, as was said", dev, why)
	}
}

// TestNoDevices: a driver that is too old or has no device is a reason too.
func TestNoDevices(t *testing.T) {
	for setting, want := range map[string]string{"devices=0": "no device", "driver=9000": "CUDA 9.0", "init=100": "no"} {
		cudasim.Start(t, setting)
		if dev, why := plannedFor(t, Options{Memory: 16 << 20}, someArray()); dev != "cpu" || !strings.Contains(why, want) {
			t.Errorf("%s: placed on %s: %q, want the CPU and %q", setting, dev, why, want)
		}
		if _, err := New(Options{Memory: 16 << 20, Device: "cuda"}); err == nil {
			t.Errorf("%s: --device cuda gave no error", setting)
		}
	}
}

// TestGPUSameBits computes random graphs on the simulated GPU: the CPU's bits.
func TestGPUSameBits(t *testing.T) {
	cudasim.Start(t)
	t.Setenv(cuda.EnvCache, t.TempDir())
	seeds := 12
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		rnd := rand.New(rand.NewPCG(uint64(seed), 21))
		g := newRandomGraph(rnd)
		list := g.pool[len(g.pool)-min(len(g.pool), 1+rnd.IntN(3)):]
		want, err := outcome(t, Options{Memory: 256 << 20, Workers: 2, Device: "cpu"}, list, 2)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, err := outcome(t, Options{Memory: 256 << 20, Workers: 3, Device: "cuda"}, list, 2)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i := range list {
			for k := range got[i].Shape.Size() {
				if a, b := constAt(got[i], k), constAt(want[i], k); !same(a, b) {
					t.Fatalf("seed %d: output %d %s: element %d is %v on the GPU, %v on the CPU", seed, i, list[i], k, a, b)
				}
			}
		}
	}
}

// TestGPUIsUsedAndBilled: stages go where the user says, statistics say what the GPU did, and the driver's memory is in the plan's bill.
func TestGPUIsUsedAndBilled(t *testing.T) {
	cudasim.Start(t)
	t.Setenv(cuda.EnvCache, t.TempDir())
	a := someArray()
	e := newEngine(t, Options{Memory: 256 << 20, Device: "cuda"})
	out := heapChunk(a.DType(), a.Shape())
	output := []ndarray.Output{{Array: a, Into: out}}
	p, err := e.PlanOutputs(context.Background(), output)
	if err != nil {
		t.Fatal(err)
	}
	if p.PeakBytes() < cuda.HostBytes {
		t.Errorf("peak %d bytes, want the staging buffers' %d in it", p.PeakBytes(), int64(cuda.HostBytes))
	}
	if err := e.Run(context.Background(), output); err != nil {
		t.Fatal(err)
	}
	if s := e.Stats(); s.Device != "cuda:0" || s.GPU.Launches == 0 || s.GPU.H2DBytes == 0 || s.GPU.FellBack != 0 {
		t.Errorf("device %s, %+v: want launches and copies on cuda:0", s.Device, s.GPU)
	}
	if _, err := New(Options{Memory: 256 << 20, Device: "cuda:7"}); err == nil {
		t.Error("cuda:7 gave no error on a machine with one device")
	}
	small := newEngine(t, Options{Memory: 1 << 20, Device: "cuda"})
	if _, err := small.PlanOutputs(context.Background(), output); !errors.Is(err, ErrBudget) || !strings.Contains(err.Error(), "use --device cpu") {
		t.Errorf("a budget below the driver's own memory: error %v, want %v that names the other device", err, ErrBudget)
	}
}

// TestEstimates: on a card with fast memory behind a slow bus, adding host arrays is the CPU's, long chains of operations are the GPU's.
func TestEstimates(t *testing.T) {
	r := cuda.Rates{Up: 2e10, Down: 2e10, Memory: 1e12, Float32: 1e13, Float64: 5e12, Launch: 10 * time.Microsecond}
	const n = 1e9
	host := guess(16)
	add := work{elements: n, up: 8 * n, down: 4 * n, f32: n, tasks: 100}
	if c, g := add.onCPU(host, 16), add.onGPU(r, 16); c >= g {
		t.Errorf("addition: %v on the CPU, %v on the GPU", c, g)
	}
	chain := work{elements: n, up: 4 * n, down: 4 * n, f64: 200 * n, tasks: 100}
	if c, g := chain.onCPU(host, 16), chain.onGPU(r, 16); g >= c {
		t.Errorf("200 operations: %v on the CPU, %v on the GPU", c, g)
	}
	// Decoding is the CPU's work in either case: where it takes longest, computing elsewhere still helps.
	packed := work{elements: n, decode: 4 * n / guessDecode, up: 4 * n, f64: 20 * n, tasks: 100}
	if c, g := packed.onCPU(guess(4), 4), packed.onGPU(r, 4); g >= c || g < duration(packed.decode/4) {
		t.Errorf("packed: %v on the CPU, %v on the GPU, decoding alone %v", c, g, duration(packed.decode/4))
	}
}

// TestTooLargeForGPU: a stage whose calls a device can neither hold nor cut computes on the CPU, which the plan says beforehand, whoever asked for what.
func TestTooLargeForGPU(t *testing.T) {
	ctx := context.Background()
	const n, groups = 4096, 60000
	ids, values := make([]int32, n), make([]float64, n)
	for i := range ids {
		ids[i], values[i] = int32(i*7919%groups), float64(i%13)
	}
	x := ndarray.FromSliceOn(values, chunk.Regular(chunk.Shape{n}, n))
	a := x.GroupReduceBy("nanvar", ndarray.FromSlice(ids, n), groups, ndarray.ReduceOptions{})
	if err := a.Err(); err != nil {
		t.Fatal(err)
	}
	cudasim.Start(t)
	t.Setenv(cuda.EnvCache, t.TempDir())
	for memory, where := range map[int64]string{4 << 20: "cpu", 64 << 20: "cuda:0"} {
		e := newEngine(t, Options{Memory: 256 << 20, Device: "cuda", GPU: GPU{Memory: memory}})
		p, err := e.PlanOutputs(ctx, []ndarray.Output{{Array: a, Name: "a", Into: heapChunk(a.DType(), a.Shape())}})
		if err != nil {
			t.Fatal(err)
		}
		s := p.Physical().Stages[0]
		if why := s.Place.Why(); s.Place.Device != where || where == "cpu" && !strings.Contains(why, "4.0 MiB") {
			t.Errorf("%d bytes: placed on %s: %s, want %s", memory, s.Place.Device, why, where)
		}
		if err := e.Start(ctx, p).Wait(); err != nil {
			t.Fatal(err)
		}
		if g := e.Stats().GPU; g.FellBack != 0 || (g.Launches > 0) != (where != "cpu") {
			t.Errorf("%d bytes, on %s: %+v: want no call that fell back", memory, where, g)
		}
	}
	e := newEngine(t, Options{Memory: 256 << 20, Device: "cuda", GPU: GPU{Memory: 4 << 20, Strict: true}})
	if err := e.Run(ctx, []ndarray.Output{{Array: a, Into: heapChunk(a.DType(), a.Shape())}}); err == nil || !strings.Contains(err.Error(), "cannot be cut") {
		t.Errorf("error %v, want that the call cannot be cut", err)
	}
}

// TestScansOnGPU: where the user says so, scans run on the devices, tile after tile with the carry that the one before has left on whichever it was; auto leaves
// them to the CPU. The plan says both.
func TestScansOnGPU(t *testing.T) {
	ctx := context.Background()
	x := big(5, dtype.Float32, chunk.Shape{90, 41, 67}, 7, 41, 30)
	list := []ndarray.Array{x.CumSum(0), x.Mul(x).CumProd(2).Add(1.0), x.Scan("ffill", 1), x.CumSum(2).CumSum(0)}
	cudasim.Start(t, "devices=2")
	t.Setenv(cuda.EnvCache, t.TempDir())
	for i, a := range list {
		want := heapChunk(a.DType(), a.Shape())
		if err := newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cpu"}).Run(ctx, []ndarray.Output{{Array: a, Into: want}}); err != nil {
			t.Fatal(err)
		}
		e := newEngine(t, Options{Memory: 256 << 20, Workers: 3, Device: "cuda", GPU: GPU{Memory: 1 << 20, Strict: true}})
		got := heapChunk(a.DType(), a.Shape())
		p, err := e.PlanOutputs(ctx, []ndarray.Output{{Array: a, Into: got}})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Physical().Stages {
			if s.Place.Device != "cuda:0, cuda:1" || strings.Contains(s.Place.Why(), "without the scan") {
				t.Errorf("scan %d, stage %d: on %s: %s; want both devices", i, s.ID, s.Place.Device, s.Place.Why())
			}
		}
		if err := e.Start(ctx, p).Wait(); err != nil {
			t.Fatal(err)
		}
		if string(got.Bytes()) != string(want.Bytes()) {
			t.Errorf("scan %d: the bits differ from the CPU's", i)
		}
		if g := e.Stats().GPU; g.Launches == 0 || g.FellBack != 0 {
			t.Errorf("scan %d: %+v: want launches", i, g)
		}
		auto := newEngine(t, Options{Memory: 256 << 20, Workers: 3})
		if p, err = auto.PlanOutputs(ctx, []ndarray.Output{{Array: a, Into: got}}); err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Physical().Stages {
			if why := s.Place.Why(); s.Place.Device != "cpu" || why == "" || s.Body.Program == nil && s.Scan != nil && !strings.Contains(why, "one pass") {
				t.Errorf("scan %d, stage %d, auto: on %s: %s; want the CPU, with the reason", i, s.ID, s.Place.Device, why)
			}
		}
	}
}

// TestInsideOnGPU: what a stage computes before its program, to stack it or for a function of regions, runs on the devices in turn where the user says so. The plan
// says what of it is the CPU's.
func TestInsideOnGPU(t *testing.T) {
	ctx := context.Background()
	x := big(5, dtype.Float64, chunk.Shape{60, 35}, 20, 35)
	median := x.Exp().Quantile([]float64{0.5}, false, ndarray.QuantileOptions{Axes: []int{0}})
	for name, c := range map[string]struct {
		a                  ndarray.Array
		asked, auto, where string // of the reasons for the first stage; where it computes when asked
		launches           bool
	}{
		"stacked":          {ndarray.Concat(0, x.Exp(), x.Mul(x)), "as --device says", "what is put together", "cuda:0, cuda:1", true},
		"stacked and more": {ndarray.Concat(0, x.Exp(), x.Mul(x)).Add(1.0), "as --device says", "which takes longer to start", "cuda:0, cuda:1", true},
		"only chunks":      {ndarray.Concat(0, x, x), "nothing is computed", "nothing is computed", "cpu", false},
		"quantile":         {median, "before it, on the CPU: quantile", "quantile", "cuda:0, cuda:1", true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.a.Err(); err != nil {
				t.Fatal(err)
			}
			want, got := heapChunk(c.a.DType(), c.a.Shape()), heapChunk(c.a.DType(), c.a.Shape())
			if err := newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cpu"}).Run(ctx, []ndarray.Output{{Array: c.a, Into: want}}); err != nil {
				t.Fatal(err)
			}
			cudasim.Start(t, "devices=2")
			t.Setenv(cuda.EnvCache, t.TempDir())
			e := newEngine(t, Options{Memory: 256 << 20, Workers: 3, Device: "cuda", GPU: GPU{Strict: true}})
			p, err := e.PlanOutputs(ctx, []ndarray.Output{{Array: c.a, Into: got}})
			if err != nil {
				t.Fatal(err)
			}
			if s := p.Physical().Stages[0]; s.Place.Device != c.where || !strings.Contains(s.Place.Why(), c.asked) {
				t.Errorf("on %s: %s; want %s and %q", s.Place.Device, s.Place.Why(), c.where, c.asked)
			}
			if err := e.Start(ctx, p).Wait(); err != nil {
				t.Fatal(err)
			}
			if string(got.Bytes()) != string(want.Bytes()) {
				t.Error("the bits differ from the CPU's")
			}
			if g := e.Stats().GPU; (g.Launches > 0) != c.launches || g.FellBack != 0 {
				t.Errorf("%+v: want launches: %v", g, c.launches)
			}
			p, err = newEngine(t, Options{Memory: 256 << 20}).PlanOutputs(ctx, []ndarray.Output{{Array: c.a, Into: got}})
			if err != nil {
				t.Fatal(err)
			}
			if s := p.Physical().Stages[0]; s.Place.Device != "cpu" || !strings.Contains(s.Place.Why(), c.auto) {
				t.Errorf("auto: on %s: %s; want the CPU and %q", s.Place.Device, s.Place.Why(), c.auto)
			}
		})
	}
}
