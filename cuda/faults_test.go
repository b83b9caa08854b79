// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// job is a program with its operands.
type job struct {
	p    *kernels.Program
	in   []*chunk.Chunk
	want []*chunk.Chunk
}

// newJob is out = x*x + x and its column sums.
func newJob(t *testing.T, host kernels.Device, shape chunk.Shape) *job {
	t.Helper()
	b := kernels.NewBuilder(2)
	x := b.Input(kernels.In(dtype.Float32))
	y := b.Apply(kernels.OpAdd, b.Apply(kernels.OpMultiply, x, x), x)
	b.Ret(y)
	r, _ := kernels.ReductionByName("sum")
	b.Fold(kernels.Fold{Op: r.ID, Args: []kernels.Reg{y}, Axes: kernels.Axes(0), Group: -1})
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	j := &job{p: p, in: []*chunk.Chunk{hostChunk(dtype.Float32, shape)}}
	v := chunk.Slice[float32](j.in[0])
	for i := range v {
		v[i] = float32(i%997) / 7
	}
	if j.want, err = j.run(host); err != nil {
		t.Fatal(err)
	}
	return j
}

// newGroupedJob is folds in groups, variances among them, whose pieces go on where the one before ended and are swept twice.
func newGroupedJob(t *testing.T, host kernels.Device, shape chunk.Shape) *job {
	t.Helper()
	j := &job{}
	j.p, j.in = cutProgram(t, shape, 1<<len(shape)-1, true)
	var err error
	if j.want, err = j.run(host); err != nil {
		t.Fatal(err)
	}
	return j
}

// outputsOf returns the outputs of a call of a program of float32; groups is the number of groups.
func outputsOf(p *kernels.Program, shape chunk.Shape, groups int64) (list []*chunk.Chunk) {
	for range p.Ret {
		list = append(list, hostChunk(dtype.Float32, shape))
	}
	for _, f := range p.Folds {
		cells := chunk.Shape{kernels.FoldBlocks(shape, f.Axes)}
		if f.Group >= 0 {
			cells[0] = groups
		}
		for a, n := range shape {
			if !f.Axes.Has(a) {
				cells = append(cells, n)
			}
		}
		for _, s := range kernels.ReductionOf(f.Op).State(dtype.Float32) {
			list = append(list, hostChunk(s.DType, cells))
		}
	}
	return list
}

func hostChunk(d dtype.DType, shape chunk.Shape) *chunk.Chunk {
	n := shape.Size() * int64(d.Size())
	return &chunk.Chunk{DType: d, ItemBytes: int32(d.Size()), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, n, n+mem.Align))}
}

// run computes the job on a device.
func (j *job) run(d kernels.Device) ([]*chunk.Chunk, error) {
	k, err := d.Compile(context.Background(), j.p)
	if err != nil {
		return nil, err
	}
	shape := j.in[0].Shape
	out := outputsOf(j.p, shape, cutGroups)
	scratch, err := d.Allocator().Alloc(k.Scratch(shape))
	if err != nil {
		return nil, err
	}
	defer scratch.Release()
	in := slices.Clone(j.in)
	if g, ok := d.(*cuda.Device); ok { // where there is page-locked memory for it, the operand lies there
		if c := g.Stage(dtype.Float32, 4, shape); c != nil {
			copy(c.Bytes(), in[0].Bytes())
			defer c.Release()
			in[0] = c
		}
	}
	return out, k.Run(context.Background(), &kernels.Call{In: in, Out: out, Shape: shape, Origin: make(chunk.Shape, len(shape)), Scratch: scratch})
}

// check compares results with the CPU's.
func (j *job) check(t *testing.T, got []*chunk.Chunk) {
	t.Helper()
	for i := range got {
		if string(got[i].Bytes()) != string(j.want[i].Bytes()) {
			t.Errorf("output %d differs from the CPU's", i)
		}
	}
}

// attempt opens a device, runs the job on it and closes it, within a time: an error must come from somewhere.
func (j *job) attempt(t *testing.T, host kernels.Device, o cuda.Options) (got []*chunk.Chunk, stats cuda.Stats, err error) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.CPU = host
		var d *cuda.Device
		if d, err = cuda.Open(o); err != nil {
			return
		}
		got, err = j.run(d)
		stats = d.Stats()
		err = errors.Join(err, d.Close())
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		t.Fatal("hangs")
	}
	return got, stats, err
}

// TestOutOfCore runs a call larger than the device's memory in pieces: the same bits, no more memory than the budget.
func TestOutOfCore(t *testing.T) {
	sim := cudasim.Start(t, "memory=64MiB")
	t.Setenv(cuda.EnvCache, t.TempDir())
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	j := newJob(t, host, chunk.Shape{600, 3000})
	const budget = 12 << 20
	got, stats, err := j.attempt(t, host, cuda.Options{Memory: budget, Strict: true, Always: true})
	if err != nil {
		t.Fatal(err)
	}
	j.check(t, got)
	if stats.FellBack != 0 || stats.Launches < 4 || stats.PeakBytes > budget {
		t.Errorf("%+v: want several launches, none on the CPU, at most %d bytes", stats, budget)
	}
	if up := j.in[0].Shape.Size() * 4; stats.UploadedBytes != up {
		t.Errorf("%d bytes uploaded, want each byte of the operand once: %d", stats.UploadedBytes, up)
	}
	if n := sim.Stats(); n["live_device"] != 0 || n["live_host"] != 0 {
		t.Errorf("%d device and %d host allocations are left", n["live_device"], n["live_host"])
	}
}

// TestFaultSweep makes each driver call of a small job, which does not fit the device as a whole, fail in turn: the answer is right or the error is
// clean, and nothing is left behind.
func TestFaultSweep(t *testing.T) {
	t.Setenv(cuda.EnvCache, t.TempDir())
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	opt := cuda.Options{Always: true, Memory: 256 << 10, Pinned: 1 << 20}
	for name, j := range map[string]*job{"results and sums": newJob(t, host, chunk.Shape{300, 40}), "groups": newGroupedJob(t, host, chunk.Shape{90, 77})} {
		t.Run(name, func(t *testing.T) { faultSweep(t, host, j, opt) })
	}
}

func faultSweep(t *testing.T, host kernels.Device, j *job, opt cuda.Options) {
	t.Helper()
	sim := cudasim.Start(t)
	if _, stats, err := j.attempt(t, host, opt); err != nil || stats.Halved == 0 || stats.FellBack != 0 {
		t.Fatalf("error %v, %+v: want a job that is halved", err, stats)
	}
	answers, failures := 0, 0
	for name, count := range sim.Calls() {
		codes := []driver.Code{driver.Unknown, driver.OutOfMemory} // any call may want memory
		switch name {
		case "cuLaunchKernel":
			codes = append(codes, driver.LaunchOutOfResources, driver.IllegalAddress)
		case "cuModuleLoadDataEx":
			codes = append(codes, driver.InvalidImage)
		}
		if len(name) < 2 || name[:2] != "cu" {
			continue
		}
		for n := 1; n <= count; n++ {
			for _, code := range codes {
				t.Run(fmt.Sprintf("%s %d %s", name, n, code.Name()), func(t *testing.T) {
					sim := cudasim.Start(t)
					sim.Fault(name, n, code)
					got, stats, err := j.attempt(t, host, opt)
					switch {
					case err == nil:
						answers++
						j.check(t, got)
					case driver.CodeOf(err) == 0 && !errors.As(err, new(*driver.LoadError)):
						t.Errorf("error %v: want one that tells the driver's code", err)
					default:
						failures++
					}
					if code.Sticky() {
						sim.TakeReports() // a lost device's memory is gone with it
						return
					}
					if s := sim.Stats(); (s["live_device"] != 0 || s["live_host"] != 0) && name != "cuMemFree_v2" && name != "cuMemFreeHost" && name != "cuCtxSetCurrent" && name != "cuCtxGetCurrent" {
						t.Errorf("%d device and %d host allocations are left; error %v, %+v", s["live_device"], s["live_host"], err, stats)
					}
					for _, r := range sim.TakeReports() {
						if r.Kind != "leak" || name == "cuModuleGetFunction" { // what the simulator says of a free that was made to fail
							t.Errorf("%s: %s", r.Kind, r.Text)
						}
					}
				})
			}
		}
	}
	t.Logf("%d right answers, %d clean errors", answers, failures)
	if answers < 10 || failures < 5 {
		t.Errorf("%d answers and %d errors: want many of both", answers, failures)
	}
}

// TestDeviceLost: after an illegal address the CPU gives the answer, and every later one.
func TestDeviceLost(t *testing.T) {
	for _, strict := range []bool{false, true} {
		sim := cudasim.Start(t)
		t.Setenv(cuda.EnvCache, t.TempDir())
		host := cpu.New(cpu.Options{Mode: "generic"})
		j := newJob(t, host, chunk.Shape{300, 40})
		d, err := cuda.Open(cuda.Options{CPU: host, Always: true, Strict: strict})
		if err != nil {
			t.Fatal(err)
		}
		sim.Fault("kernel", 1, driver.IllegalAddress)
		for range 2 {
			got, err := j.run(d)
			if strict {
				if err == nil {
					t.Error("strict: no error")
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			j.check(t, got)
		}
		if s := d.Stats(); !strict && s.FellBack != 2 {
			t.Errorf("%d calls on the CPU, want 2", s.FellBack)
		}
		if err := d.Close(); err != nil && driver.CodeOf(err) == 0 {
			t.Errorf("close: %v", err)
		}
		sim.TakeReports()
		host.Close()
	}
}

// TestCPUWhileCompiling: without Always the first call is the CPU's, and the GPU takes over once its kernels are there.
func TestCPUWhileCompiling(t *testing.T) {
	sim := cudasim.Start(t)
	t.Setenv(cuda.EnvCache, t.TempDir())
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	j := newJob(t, host, chunk.Shape{300, 40})
	d, err := cuda.Open(cuda.Options{CPU: host, Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	release := sim.HoldCompiler()
	defer release()
	run := func() cuda.Stats {
		got, err := j.run(d)
		if err != nil {
			t.Fatal(err)
		}
		j.check(t, got)
		return d.Stats()
	}
	if s := run(); s.Launches != 0 || s.FellBack == 0 {
		t.Errorf("while the compiler works: %d launches, %d calls on the CPU", s.Launches, s.FellBack)
	}
	release()
	for end := time.Now().Add(2 * time.Minute); run().Launches == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the GPU has not taken over")
		}
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if n := sim.Programs(); n != 0 {
		t.Errorf("%d programs of the compiler are left", n)
	}
}

// TestDiskCache: a second device compiles nothing; a damaged file is made again.
func TestDiskCache(t *testing.T) {
	sim := cudasim.Start(t)
	t.Setenv(cuda.EnvCache, t.TempDir())
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	j := newJob(t, host, chunk.Shape{300, 40})
	compiled := func() int {
		before := sim.Calls()["nvrtcCompileProgram"]
		got, _, err := j.attempt(t, host, cuda.Options{Strict: true, Always: true})
		if err != nil {
			t.Fatal(err)
		}
		j.check(t, got)
		return sim.Calls()["nvrtcCompileProgram"] - before
	}
	if n := compiled(); n != 2 {
		t.Errorf("%d kernels compiled at first, want 2", n)
	}
	if n := compiled(); n != 0 {
		t.Errorf("%d kernels compiled again, want 0", n)
	}
	damageCache(t)
	if n := compiled(); n != 2 {
		t.Errorf("%d kernels compiled after damage, want 2", n)
	}
}

// TestForms: a device newer than the compiler gets PTX, and so does one that refuses the machine code; each has the CPU's bits.
func TestForms(t *testing.T) {
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	j := newJob(t, host, chunk.Shape{300, 40})
	for _, c := range []struct {
		setting  string
		refused  driver.Code // by the driver, of the first image
		compiled int
	}{{"arch=90", 0, 2}, {"arch=130", 0, 2}, {"arch=90", driver.InvalidImage, 3}, {"arch=90", driver.NoBinaryForGPU, 3}, {"arch=90", driver.UnsupportedPTXVersion, 3}} {
		sim := cudasim.Start(t, c.setting)
		t.Setenv(cuda.EnvCache, t.TempDir())
		if c.refused != 0 {
			sim.Fault("cuModuleLoadDataEx", 1, c.refused)
		}
		got, stats, err := j.attempt(t, host, cuda.Options{Strict: true, Always: true})
		if err != nil {
			t.Errorf("%s, %v: %v", c.setting, c.refused, err)
			continue
		}
		j.check(t, got)
		calls := sim.Calls()
		if ptx := calls["nvrtcGetPTX"]; stats.FellBack != 0 || calls["nvrtcCompileProgram"] != c.compiled || (ptx > 0) != (c.setting == "arch=130" || c.refused != 0) {
			t.Errorf("%s, %v: %d programs compiled, %d to PTX, %+v: want %d", c.setting, c.refused, calls["nvrtcCompileProgram"], ptx, stats, c.compiled)
		}
	}
}

// TestOverlap: copies and computing of different tasks overlap on the simulator's clock; no intermediate comes
// back, and a call takes no more than two launches.
func TestOverlap(t *testing.T) {
	for name, shape := range map[string]chunk.Shape{"elementwise": {512, 2048}, "reduction": {2048, 512}} {
		t.Run(name, func(t *testing.T) {
			d, sim := open(t, cuda.Options{Strict: true, Always: true})
			host := cpu.New(cpu.Options{Mode: "generic"})
			defer host.Close()
			j := newJob(t, host, shape)
			if name == "reduction" {
				j.p.Ret = nil
			}
			k, err := d.Compile(context.Background(), j.p)
			if err != nil {
				t.Fatal(err)
			}
			const calls = 24
			outs := []*chunk.Chunk{hostChunk(dtype.Float32, shape), hostChunk(dtype.Float64, chunk.Shape{kernels.FoldBlocks(shape, kernels.Axes(0)), shape[1]})}
			if name == "reduction" {
				outs = outs[1:]
			}
			run := func() {
				if err := k.Run(context.Background(), &kernels.Call{In: j.in, Out: outs, Shape: shape, Origin: chunk.Shape{0, 0}}); err != nil {
					t.Error(err)
				}
			}
			run() // compiles
			sim.Forget()
			before := d.Stats()
			// The host takes no time on the simulator's clock and calls take the streams in turn, so calls one after the other
			// show what tasks side by side do, in an order that does not depend on this machine's load.
			for range calls {
				run()
			}
			s, after := sim.Stats(), d.Stats()
			busiest := max(s["busy_up_ns.0"], s["busy_down_ns.0"], s["busy_compute_ns.0"])
			if span := s["makespan_ns"]; busiest == 0 || float64(span) > 1.2*float64(busiest) {
				t.Errorf("makespan %d ns, busiest engine %d ns (up %d, down %d, compute %d): want at most 1.2 times", span, busiest, s["busy_up_ns.0"], s["busy_down_ns.0"], s["busy_compute_ns.0"])
			}
			if up, want := after.UploadedBytes-before.UploadedBytes, calls*shape.Size()*4; up != want {
				t.Errorf("%d bytes uploaded, want each operand once: %d", up, want)
			}
			if n := after.Launches - before.Launches; n > 2*calls {
				t.Errorf("%d launches for %d calls, want at most two for each", n, calls)
			}
			if down := after.DownloadedBytes - before.DownloadedBytes; name == "reduction" && down > calls*shape.Size()/8 {
				t.Errorf("%d bytes came back, want the states only", down)
			}
		})
	}
}

// TestStatesSurvive makes the way back fail between the two components of a state that a call goes on with, or joins: the CPU
// begins from the states as they were.
func TestStatesSurvive(t *testing.T) {
	ctx := context.Background()
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	r, _ := kernels.ReductionByName("mean")
	b := kernels.NewBuilder(2)
	b.Fold(kernels.Fold{Op: r.ID, Args: []kernels.Reg{b.Input(kernels.In(dtype.Float64))}, Axes: kernels.Axes(0), Group: -1})
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	x := hostChunk(dtype.Float64, chunk.Shape{9, 50})
	for i, v := 0, chunk.Slice[float64](x); i < len(v); i++ {
		v[i] = float64(i%13) / 3
	}
	state := func(shape chunk.Shape) []*chunk.Chunk {
		sum, count := hostChunk(dtype.Float64, shape), hostChunk(dtype.Int64, shape)
		for i := range chunk.Slice[float64](sum) {
			chunk.Slice[float64](sum)[i], chunk.Slice[int64](count)[i] = float64(i), int64(i+1)
		}
		return []*chunk.Chunk{sum, count}
	}
	for name, c := range map[string]struct {
		unit kernels.Unit
		call func() *kernels.Call
	}{
		"goes on": {p, func() *kernels.Call {
			return &kernels.Call{In: []*chunk.Chunk{x}, Out: state(chunk.Shape{1, 50}), Shape: x.Shape, Origin: chunk.Shape{0, 0}, Continue: true}
		}},
		"joins": {kernels.CombineOf(r.ID, r.State(dtype.Float64)), func() *kernels.Call {
			return &kernels.Call{In: state(chunk.Shape{50}), Out: state(chunk.Shape{50}), Shape: chunk.Shape{50}}
		}},
	} {
		for _, nth := range []int{0, 1, 2} { // 0: nothing fails
			t.Run(fmt.Sprint(name, " ", nth), func(t *testing.T) {
				d, sim := open(t, cuda.Options{Always: true})
				if nth > 0 {
					sim.Fault("cuMemcpyDtoHAsync_v2", nth, driver.Unknown)
				}
				outs := map[kernels.Device][]*chunk.Chunk{}
				for _, dev := range []kernels.Device{d, host} {
					k, err := dev.Compile(ctx, c.unit)
					if err != nil {
						t.Fatal(err)
					}
					call := c.call()
					if call.Scratch, err = host.Allocator().Alloc(k.Scratch(call.Shape)); err != nil {
						t.Fatal(err)
					}
					if err := k.Run(ctx, call); err != nil {
						t.Fatal(err)
					}
					call.Scratch.Release()
					outs[dev] = call.Out
				}
				for i, w := range outs[host] {
					if string(outs[d][i].Bytes()) != string(w.Bytes()) {
						t.Errorf("component %d differs from the CPU's", i)
					}
				}
				if n := d.Stats().FellBack; (n > 0) != (nth > 0) {
					t.Errorf("%d calls on the CPU after %d faults", n, nth)
				}
			})
		}
	}
}
