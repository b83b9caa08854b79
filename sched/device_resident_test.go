// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/netcdf"
	"github.com/arrayrun/arrayrun/ndarray"
)

// compute runs one array into memory and returns its bytes, the statistics and what the plan says.
func compute(t *testing.T, e *Engine, a ndarray.Array) (string, Stats, string) {
	t.Helper()
	out := heapChunk(a.DType(), a.Shape())
	defer out.Release()
	p, err := e.PlanOutputs(context.Background(), []ndarray.Output{{Array: a, Into: out}})
	if err != nil {
		t.Fatal(err)
	}
	before := e.Stats()
	st, err := p.run(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	after := e.Stats()
	after.GPU.H2DBytes -= before.GPU.H2DBytes
	after.GPU.D2HBytes -= before.GPU.D2HBytes
	after.GPU.Launches -= before.GPU.Launches
	after.BytesDecoded = st.BytesDecoded
	after.Chunks = st.Chunks
	return string(out.Bytes()), after, p.Explain()
}

// stagedBytes returns what has been copied to an engine's devices from where codecs left it.
func stagedBytes(e *Engine) (n int64) {
	devs, _ := e.gpu.opened()
	for _, d := range devs {
		n += d.Stats().StagedBytes
	}
	return n
}

// twoPasses returns arrays that read their operand in more than one stage.
func twoPasses(x ndarray.Array) map[string]ndarray.Array {
	return map[string]ndarray.Array{
		"departures": x.Sub(x.Mean(0)).Sum(),
		"zscore":     x.Sub(x.Mean(0)).Div(x.Std(0)),
		"spread":     x.Sub(x.Mean()).Max(1),
	}
}

// TestResidency: what several stages read is copied to the device once, whether it is in memory, kept in memory or read from
// storage, and of folds only their states come back; the bits are the CPU's.
func TestResidency(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 9))
	grid := chunk.Regular(chunk.Shape{600, 640}, 128, 200)
	src := newFake(rnd, dtype.Float32, grid)
	values := chunk.Slice[float32](src.data)
	size := int64(len(values)) * 4
	for where, x := range map[string]ndarray.Array{
		"memory": ndarray.FromSliceOn(values, grid),
		"stored": ndarray.FromSource(src, "x"),
	} {
		for name, a := range twoPasses(x) {
			t.Run(where+" "+name, func(t *testing.T) {
				want, _, _ := compute(t, newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cpu"}), a)
				sim := cudasim.Start(t)
				t.Setenv(cuda.EnvCache, t.TempDir())
				e := newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cuda", GPU: GPU{Memory: 64 << 20, Strict: true}})
				got, st, text := compute(t, e, a)
				if got != want {
					t.Error("the bits differ from the CPU's")
				}
				small := int64(len(want))/8 + size/8 // means of columns, and states
				if up := st.GPU.H2DBytes; up < size || up > size+small {
					t.Errorf("%d bytes up, want the operand's %d once and at most %d of results\n%s", up, size, small, text)
				}
				out := int64(0)
				if name == "zscore" {
					out = size
				}
				if down := st.GPU.D2HBytes; down > out+size/4 {
					t.Errorf("%d bytes down, want results of %d and states only", down, out)
				}
				if st.GPU.FellBack != 0 || st.GPU.Evicted != 0 || st.GPU.PeakBytes > 64<<20 {
					t.Errorf("%+v", st.GPU)
				}
				if !strings.Contains(text, "stays there: ") {
					t.Errorf("the plan does not say what stays:\n%s", text)
				}
				if n := stagedBytes(e); where == "memory" && n != 0 {
					t.Errorf("%d bytes read into page-locked memory, want none of what is in memory", n)
				}
				if s := sim.Stats(); s["bytes.up"] < size {
					t.Errorf("the device saw %d bytes", s["bytes.up"])
				}
			})
		}
	}
}

// TestEngineOverlap: copies and computing of a run's tasks overlap on the simulator's clock, in jobs of one and of two passes, where
// the operand fits the device and where it does not; of intermediates nothing comes back, each chunk is copied once, in each pass where it does not
// stay, and launches and memory are bounded. A second pass over what is on the device begins when all of it has come. The clock does not know that the
// host waits between passes.
func TestEngineOverlap(t *testing.T) {
	grid := chunk.Regular(chunk.Shape{2048, 2048}, 64, 2048)
	src := newFake(rand.New(rand.NewPCG(7, 9)), dtype.Float32, grid)
	x := ndarray.FromSource(src, "x")
	size := grid.Shape.Size() * 4
	const small, large = 10 << 20, 64 << 20
	for name, c := range map[string]struct {
		a      ndarray.Array
		memory int64
		copies int64 // of the operand to the device
		passes int64 // over it
	}{
		"elementwise":                         {x.Mul(x).Add(1), small, 1, 1},
		"reduction":                           {x.Mul(x).Sum(0), small, 1, 1},
		"reduction of rows":                   {x.Mul(x).Sum(1), small, 1, 1},
		"two passes":                          {x.Sub(x.Mean(0)).Sum(), large, 1, 2},
		"anomaly":                             {x.Sub(x.Mean(0)), large, 1, 2},
		"anomaly of rows":                     {x.Sub(x.Mean(1).ExpandDims(1)), large, 1, 2},
		"standardise":                         {x.Sub(x.Mean(0)).Div(x.Std(0)), large, 1, 2},
		"two passes, a small device":          {x.Sub(x.Mean(0)).Sum(), small, 2, 2},
		"anomaly, a small device":             {x.Sub(x.Mean(0)), small, 2, 2},
		"standardise, a small device":         {x.Sub(x.Mean(0)).Div(x.Std(0)), small, 2, 2},
		"standardise rows, on a small device": {x.Sub(x.Mean(1).ExpandDims(1)).Div(x.Std(1).ExpandDims(1)), small, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			want, _, _ := compute(t, newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cpu"}), c.a)
			sim := cudasim.Start(t)
			t.Setenv(cuda.EnvCache, t.TempDir())
			e := newEngine(t, Options{Memory: 256 << 20, Workers: 3, Device: "cuda", GPU: GPU{Memory: c.memory, Strict: true}})
			compute(t, e, c.a) // compiles
			// A busy machine may run one worker's calls after each other while the others' streams have nothing to do. What never overlaps
			// is above the bound in every run.
			var s map[string]int64
			var st Stats
			var span, up, down, busy, bound int64
			for run := 0; run == 0 || run < 5 && float64(span) > 1.2*float64(bound); run++ {
				sim.Forget()
				staged := stagedBytes(e)
				var got string
				got, st, _ = compute(t, e, c.a)
				// What is kept in host memory for the second pass is copied from there. All buffers may be in use now and then.
				if staged = stagedBytes(e) - staged; c.passes == 1 && staged < size*3/4 {
					t.Errorf("%d bytes of %d were decoded into page-locked memory, want nearly all", staged, size)
				}
				if got != want {
					t.Error("the bits differ from the CPU's")
				}
				s = sim.Stats()
				span, up, down, busy = s["makespan_ns"], s["busy_up_ns.0"], s["busy_down_ns.0"], s["busy_compute_ns.0"]
				bound = max(up, down, busy)
				if c.passes > c.copies {
					bound = up + max(down, busy)
				}
			}
			if float64(span) > 1.2*float64(bound) {
				t.Errorf("makespan %d ns: up %d, down %d, compute %d: want at most 1.2 times %d", span, up, down, busy, bound)
			}
			if up := st.GPU.H2DBytes; up < c.copies*size || up > c.copies*size+size/8 {
				t.Errorf("%d bytes up, want the operand's %d %d times and little else", up, size, c.copies)
			}
			out := int64(0)
			if len(c.a.Shape()) == 2 {
				out = size
			}
			if down := st.GPU.D2HBytes; down > out+size/8 {
				t.Errorf("%d bytes down, want the results' %d and states", down, out)
			}
			if most := 2 * c.passes * grid.Len(); st.GPU.Launches > most {
				t.Errorf("%d launches for %d chunks, want at most two for each in a pass", st.GPU.Launches, grid.Len())
			}
			if st.GPU.PeakBytes > c.memory || s["peak_bytes.0"] > c.memory {
				t.Errorf("%d and %d bytes on the device, want at most %d", st.GPU.PeakBytes, s["peak_bytes.0"], c.memory)
			}
			t.Logf("%s: makespan %d us, up %d, down %d, compute %d; %d launches", name, span/1000, up/1000, down/1000, busy/1000, st.GPU.Launches)
		})
	}
}

// TestResidencyReadsOnce: what does not fit in host memory beside the rest, but does on the device, is decoded once.
func TestResidencyReadsOnce(t *testing.T) {
	src := newFake(rand.New(rand.NewPCG(7, 9)), dtype.Float32, chunk.Regular(chunk.Shape{2048, 8192}, 128, 1024))
	x := ndarray.FromSource(src, "x")
	a := x.Sub(x.Mean(0)).Sum()
	want, _, _ := compute(t, newEngine(t, Options{Memory: 512 << 20, Workers: 2, Device: "cpu"}), a)
	cudasim.Start(t)
	t.Setenv(cuda.EnvCache, t.TempDir())
	e := newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cuda", GPU: GPU{Memory: 256 << 20}})
	_, taken := e.gpu.opened()
	e.opt.Memory = taken + 48<<20 // the array has 64 MiB
	got, st, text := compute(t, e, a)
	if got != want {
		t.Error("the bits differ from the CPU's")
	}
	if st.BytesDecoded != 64<<20 || !strings.Contains(text, "x, 64.0 MiB") {
		t.Errorf("%d bytes decoded, want each once: %d\n%s", st.BytesDecoded, 64<<20, text)
	}
	if n := stagedBytes(e); n < 48<<20 {
		t.Errorf("%d bytes were decoded into page-locked memory, want nearly all of %d", n, 64<<20)
	}
	if st.PeakBudgetBytes > e.opt.Memory {
		t.Errorf("%d bytes at the peak, the budget is %d", st.PeakBudgetBytes, e.opt.Memory)
	}
}

// TestResidencyGivesWay: the bits are the same where the device fails while arrays stay on it, and where they do not fit.
func TestResidencyGivesWay(t *testing.T) {
	src := newFake(rand.New(rand.NewPCG(1, 2)), dtype.Float32, chunk.Regular(chunk.Shape{300, 400}, 64, 100))
	x := ndarray.FromSource(src, "x")
	a := x.Sub(x.Mean(0)).Div(x.Std(0))
	want, _, _ := compute(t, newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cpu"}), a)
	for name, f := range map[string]struct {
		fault func(s *cudasim.Sim)
		gpu   int64
	}{
		"small device":  {nil, 256 << 10},
		"kernel dies":   {func(s *cudasim.Sim) { s.Fault("kernel", 9, driver.IllegalAddress) }, 0},
		"no memory":     {func(s *cudasim.Sim) { s.Fault("cuMemAlloc_v2", 3, driver.OutOfMemory) }, 0},
		"copy dies":     {func(s *cudasim.Sim) { s.Fault("copy", 12, driver.IllegalAddress) }, 0},
		"copy refused":  {func(s *cudasim.Sim) { s.Fault("cuMemcpyHtoDAsync_v2", 7, driver.Unknown) }, 0},
		"mover refused": {func(s *cudasim.Sim) { s.Fault("cuModuleLoadDataEx", 1, driver.Unknown) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			sim := cudasim.Start(t)
			t.Setenv(cuda.EnvCache, t.TempDir())
			e, err := New(Options{Memory: 256 << 20, Workers: 2, Device: "cuda", GPU: GPU{Memory: f.gpu}})
			if err != nil {
				t.Fatal(err)
			}
			if f.fault != nil {
				f.fault(sim)
			}
			got, st, _ := compute(t, e, a)
			if got != want {
				t.Error("the bits differ from the CPU's")
			}
			t.Logf("%+v", st.GPU)
			if err := e.Close(); err != nil && driver.CodeOf(err) == 0 {
				t.Error(err)
			}
			sim.TakeReports() // a lost device's memory is gone with it
		})
	}
}

// TestSeveralGPUs: the tiles of a stage go to all devices, with the CPU's bits; cuda:N uses one of them.
func TestSeveralGPUs(t *testing.T) {
	src := newFake(rand.New(rand.NewPCG(5, 5)), dtype.Float32, chunk.Regular(chunk.Shape{600, 500}, 64, 100))
	x := ndarray.FromSource(src, "x")
	list := map[string]ndarray.Array{"map": x.Mul(x).Add(1), "fold": x.Mul(x).Sum(1), "two passes": x.Sub(x.Mean(0)).Std(0)}
	for name, a := range list {
		want, _, _ := compute(t, newEngine(t, Options{Memory: 256 << 20, Workers: 4, Device: "cpu"}), a)
		for n := 2; n <= 4; n++ {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				sim := cudasim.Start(t, fmt.Sprintf("devices=%d", n))
				t.Setenv(cuda.EnvCache, t.TempDir())
				e := newEngine(t, Options{Memory: 512 << 20, Workers: 4, Device: "cuda", GPU: GPU{Strict: true}, tileElements: 20000})
				got, st, _ := compute(t, e, a)
				if got != want {
					t.Error("the bits differ from the CPU's")
				}
				used := sim.Stats()
				for d := range n {
					if used[fmt.Sprintf("busy_compute_ns.%d", d)] == 0 {
						t.Errorf("device %d has computed nothing", d)
					}
				}
				if !strings.HasSuffix(st.Device, fmt.Sprintf("cuda:%d", n-1)) {
					t.Errorf("device %q, want all %d named", st.Device, n)
				}
				one := newEngine(t, Options{Memory: 512 << 20, Workers: 4, Device: "cuda:1", GPU: GPU{Strict: true}})
				sim.Forget()
				if got, st, _ := compute(t, one, a); got != want || st.Device != "cuda:1" || sim.Stats()["busy_compute_ns.0"] != 0 {
					t.Errorf("device %q: want the CPU's bits and cuda:1 alone", st.Device)
				}
			})
		}
	}
}

// TestOneOfSeveralIsLost: the others, or the CPU, do what a lost device cannot; with Strict that is an error.
func TestOneOfSeveralIsLost(t *testing.T) {
	src := newFake(rand.New(rand.NewPCG(5, 5)), dtype.Float32, chunk.Regular(chunk.Shape{600, 500}, 64, 100))
	x := ndarray.FromSource(src, "x")
	a := x.Sub(x.Mean(0)).Std(0)
	want, _, _ := compute(t, newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cpu"}), a)
	for _, strict := range []bool{false, true} {
		sim := cudasim.Start(t, "devices=3")
		t.Setenv(cuda.EnvCache, t.TempDir())
		e, err := New(Options{Memory: 512 << 20, Workers: 2, Device: "cuda", GPU: GPU{Strict: strict}, tileElements: 20000})
		if err != nil {
			t.Fatal(err)
		}
		sim.Fault("kernel", 5, driver.IllegalAddress)
		out := heapChunk(a.DType(), a.Shape())
		err = e.Run(context.Background(), []ndarray.Output{{Array: a, Into: out}})
		devs, _ := e.gpu.opened()
		lost := 0
		for _, d := range devs {
			if d.Lost() {
				lost++
			}
		}
		switch {
		case strict && driver.CodeOf(err) != driver.IllegalAddress:
			t.Errorf("strict: error %v, want %v", err, driver.IllegalAddress)
		case !strict && (err != nil || string(out.Bytes()) != want):
			t.Errorf("error %v, or other bits than the CPU's", err)
		case !strict && lost != 1:
			t.Errorf("%d devices are lost, want 1", lost)
		}
		if st := e.Stats().GPU; !strict && st.FellBack > 3 {
			t.Errorf("%d calls on the CPU: want those that ran on the lost device, the others' go on", st.FellBack)
		}
		out.Release()
		if err := e.Close(); err != nil && driver.CodeOf(err) == 0 {
			t.Error(err)
		}
		sim.TakeReports()
	}
}

// TestPackedToTheDevice: swapped and shuffled chunks are copied as the codecs before left them, and the device puts their bytes in order.
func TestPackedToTheDevice(t *testing.T) {
	ctx := context.Background()
	grid := chunk.Regular(chunk.Shape{90, 330}, 32, 80)
	for name, c := range map[string]struct {
		format, codec string
		packed        bool
	}{"swapped": {"netcdf3", "", true}, "shuffled": {"netcdf4", "zlib:1", true}, "plain": {"netcdf4", "none", false}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.nc")
			w, err := netcdf.Create(ctx, path, formats.Spec{Format: c.format, Dims: []formats.Dim{{Name: "y", Size: 90}, {Name: "x", Size: 330}},
				Vars: []formats.VarSpec{{Name: "a", Dims: []string{"y", "x"}, Shape: grid.Shape, DType: dtype.Float32, Grid: &grid, Codec: c.codec}}})
			if err != nil {
				t.Fatal(err)
			}
			g := w.Sink(0).Grid()
			for k := range g.Covering(chunk.Whole(g.Shape)) {
				part := heapChunk(dtype.Float32, g.Region(k).Shape())
				for i, v := 0, chunk.Slice[float32](part); i < len(v); i++ {
					v[i] = float32(i)*1.25 - float32(k[0]*100+k[1]*10)
				}
				if _, err := w.Sink(0).WriteChunk(ctx, k, part); err != nil {
					t.Fatal(err)
				}
				part.Release()
			}
			if err := w.Commit(ctx); err != nil {
				t.Fatal(err)
			}
			file, err := all.Open(ctx, path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if file.Close != nil {
					file.Close()
				}
			}()
			x := ndarray.FromSource(file.Vars[len(file.Vars)-1].Source, "a")
			cudasim.Start(t)
			t.Setenv(cuda.EnvCache, t.TempDir())
			e := newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cuda", GPU: GPU{Strict: true}})
			for _, a := range []ndarray.Array{x.Mul(x).Sum(1), x.Index(ndarray.Span(5, 77)).Mul(2)} {
				want, _, _ := compute(t, newEngine(t, Options{Memory: 256 << 20, Workers: 2, Device: "cpu"}), a)
				got, st, text := compute(t, e, a)
				if got != want {
					t.Error("the bits differ from the CPU's")
				}
				if strings.Contains(text, "stays there: a") != c.packed {
					t.Errorf("packed bytes are copied: want %t\n%s", c.packed, text)
				}
				if st.BytesDecoded > 96*400*4 { // chunks at the end are stored whole
					t.Errorf("%d bytes decoded", st.BytesDecoded)
				}
			}
		})
	}
}
