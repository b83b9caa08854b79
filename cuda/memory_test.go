// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
)

// doubling runs out = x + x over n elements of float32 on a device and checks every element.
func doubling(t *testing.T, d *cuda.Device, n int64) {
	t.Helper()
	k, err := d.Compile(context.Background(), doubled(t, dtype.Float32, 1))
	if err != nil {
		t.Fatal(err)
	}
	x, out := hostChunk(dtype.Float32, chunk.Shape{n}), hostChunk(dtype.Float32, chunk.Shape{n})
	for i, v := 0, chunk.Slice[float32](x); i < len(v); i++ {
		v[i] = float32(i % 1001)
	}
	scratch, err := d.Allocator().Alloc(k.Scratch(x.Shape))
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Release()
	if err := k.Run(context.Background(), &kernels.Call{In: []*chunk.Chunk{x}, Out: []*chunk.Chunk{out}, Shape: x.Shape, Origin: chunk.Shape{0}, Scratch: scratch}); err != nil {
		t.Fatal(err)
	}
	for i, v := range chunk.Slice[float32](out) {
		if want := 2 * float32(i%1001); v != want {
			t.Fatalf("element %d: got %v, want %v", i, v, want)
		}
	}
}

// summing runs a reduction over all elements of float64, in three groups where grouped is set, and compares the first component of its states.
func summing(t *testing.T, d *cuda.Device, shape chunk.Shape, name string, grouped bool) {
	t.Helper()
	r, _ := kernels.ReductionByName(name)
	b := kernels.NewBuilder(len(shape))
	f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{b.Input(kernels.In(dtype.Float64))}, Axes: 1<<len(shape) - 1, Group: -1}
	x := hostChunk(dtype.Float64, shape)
	in, states := []*chunk.Chunk{x}, kernels.FoldBlocks(x.Shape, f.Axes)
	if grouped {
		b.Input(kernels.In(dtype.Int32))
		f.Group, states = 1, 3
		ids := hostChunk(dtype.Int32, x.Shape)
		for i, v := 0, chunk.Slice[int32](ids); i < len(v); i++ {
			v[i] = int32(i % 3)
		}
		in = append(in, ids)
	}
	b.Fold(f)
	k, err := d.Compile(context.Background(), build(t, b))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := 0, chunk.Slice[float64](x); i < len(v); i++ {
		v[i] = float64(i % 7)
	}
	var outs []*chunk.Chunk
	for _, s := range r.State(dtype.Float64) {
		outs = append(outs, hostChunk(s.DType, chunk.Shape{states}))
	}
	scratch, err := d.Allocator().Alloc(k.Scratch(x.Shape))
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Release()
	if err := k.Run(context.Background(), &kernels.Call{In: in, Out: outs, Shape: x.Shape, Origin: make(chunk.Shape, len(shape)), Scratch: scratch}); err != nil {
		t.Fatal(err)
	}
	got, want := 0.0, float64(shape.Size())
	if outs[0].DType == dtype.Int64 { // how many
		for _, v := range chunk.Slice[int64](outs[0]) {
			got += float64(v)
		}
	} else {
		want = 0
		for _, v := range chunk.Slice[float64](outs[0]) {
			got += v
		}
		for _, v := range chunk.Slice[float64](x) {
			want += v
		}
	}
	if got != want {
		t.Fatalf("the sum is %v, want %v", got, want)
	}
}

// TestShortMemory walks down what is done where device memory is short: idle memory goes back to the driver, a call waits for what the others
// have, arrays that stay on the device give way, calls are halved, the CPU takes over. Each step is taken when those before do not
// suffice, is counted, and gives the right answer.
func TestShortMemory(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name   string
		memory string // of the simulated device
		budget int64
		run    func(t *testing.T, d *cuda.Device, sim *cudasim.Sim)
		want   cuda.Stats // 1: at least one; 0: none
	}{
		{"enough", "memory=64MiB", 48 * mib, func(t *testing.T, d *cuda.Device, _ *cudasim.Sim) {
			doubling(t, d, mib)
		}, cuda.Stats{}},
		{"idle memory is released", "memory=24MiB", 60 * mib, func(t *testing.T, d *cuda.Device, _ *cudasim.Sim) {
			doubling(t, d, 7*mib/4) // 7 MiB in and out, idle afterwards
			doubling(t, d, 6*mib/4)
		}, cuda.Stats{Released: 1}},
		{"a call waits", "memory=64MiB", 48 * mib, func(t *testing.T, d *cuda.Device, sim *cudasim.Sim) {
			sim.Fault("cuMemAlloc_v2", 1, driver.OutOfMemory)
			sim.Fault("cuMemAlloc_v2", 2, driver.OutOfMemory) // without idle memory too
			doubling(t, d, mib)
		}, cuda.Stats{Released: 1, Reaped: 1}},
		{"an array gives way", "memory=16MiB", 60 * mib, func(t *testing.T, d *cuda.Device, _ *cudasim.Sim) {
			r, err := d.NewResident(context.Background(), dtype.Float32, chunk.Shape{2 * mib})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Release()
			doubling(t, d, 5*mib/4)
		}, cuda.Stats{Reaped: 1, Evicted: 1}},
		{"a call is halved", "memory=10MiB", 60 * mib, func(t *testing.T, d *cuda.Device, _ *cudasim.Sim) {
			doubling(t, d, 7*mib/4)
		}, cuda.Stats{Reaped: 1, Halved: 1}},
		{"a call takes more than a quarter", "memory=64MiB", 16 * mib, func(t *testing.T, d *cuda.Device, _ *cudasim.Sim) {
			doubling(t, d, 7*mib/16) // in and out: a little less than a quarter
			if n := d.Stats(); n.Launches != 1 || n.Halved != 0 {
				t.Errorf("%+v: want one launch for what fits", n)
			}
			doubling(t, d, 2*mib/4)
			if n := d.Stats(); n.Launches != 3 || n.Halved != 1 {
				t.Errorf("%+v: want two launches for what is larger", n)
			}
		}, cuda.Stats{Halved: 1}},
		{"a fold is cut between its blocks", "memory=64MiB", 16 * mib, func(t *testing.T, d *cuda.Device, _ *cudasim.Sim) {
			summing(t, d, chunk.Shape{12 * mib / 8}, "sum", false)
		}, cuda.Stats{Halved: 1}},
		{"a fold is cut inside its blocks", "memory=64MiB", 16 * mib, func(t *testing.T, d *cuda.Device, _ *cudasim.Sim) {
			summing(t, d, chunk.Shape{1023, 1025}, "sum", false)
		}, cuda.Stats{Halved: 1}},
		{"groups go on in the next piece", "memory=10MiB", 60 * mib, func(t *testing.T, d *cuda.Device, _ *cudasim.Sim) {
			summing(t, d, chunk.Shape{9 * mib / 8}, "sum", true)
			summing(t, d, chunk.Shape{9 * mib / 8}, "var", true)
		}, cuda.Stats{Reaped: 1, Halved: 1}},
		{"a block lies across two rows", "memory=10MiB", 60 * mib, func(t *testing.T, d *cuda.Device, _ *cudasim.Sim) {
			summing(t, d, chunk.Shape{2, 9*mib/16 + 1}, "sum", false)
		}, cuda.Stats{Reaped: 1, Halved: 1}},
		{"the CPU takes over", "memory=10MiB", 60 * mib, func(t *testing.T, d *cuda.Device, _ *cudasim.Sim) {
			if err := manyGroups(t, d, 13*mib/8); err != nil {
				t.Error(err)
			}
		}, cuda.Stats{Reaped: 1, FellBack: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, sim := open(t, cuda.Options{Always: true, Memory: c.budget}, c.memory)
			c.run(t, d, sim)
			s := d.Stats()
			for _, n := range []struct {
				name      string
				got, want int64
			}{
				{"released", s.Released, c.want.Released}, {"reaped", s.Reaped, c.want.Reaped}, {"evicted", s.Evicted, c.want.Evicted},
				{"halved", s.Halved, c.want.Halved}, {"fell back", s.FellBack, c.want.FellBack},
			} {
				if min(n.got, 1) != n.want && (n.name != "released" || n.want == 1) {
					t.Errorf("%s: %d, want %d (1: some); %+v", n.name, n.got, n.want, s)
				}
			}
			if s.PeakBytes > c.budget {
				t.Errorf("%d bytes at the peak, the budget is %d", s.PeakBytes, c.budget)
			}
			if s.Launches > 0 && s.KernelTime <= 0 {
				t.Errorf("%d launches took %v", s.Launches, s.KernelTime)
			}
		})
	}
}

// TestStrictMemory: with Strict a call that does not fit and cannot be cut is an error that says so.
func TestStrictMemory(t *testing.T) {
	d, _ := open(t, cuda.Options{Always: true, Strict: true, Memory: 2 << 20})
	err := manyGroups(t, d, 1<<18)
	if err == nil || !strings.Contains(err.Error(), "cannot be cut") || d.Stats().FellBack != 0 {
		t.Errorf("error %v, %+v: want that the call does not fit", err, d.Stats())
	}
}

// manyGroups adds one number up in one of many groups, whose states cannot be cut.
func manyGroups(t *testing.T, d *cuda.Device, groups int64) error {
	t.Helper()
	r, _ := kernels.ReductionByName("sum")
	b := kernels.NewBuilder(1)
	x := b.Input(kernels.In(dtype.Float64))
	b.Input(kernels.In(dtype.Int32))
	b.Fold(kernels.Fold{Op: r.ID, Args: []kernels.Reg{x}, Axes: kernels.Axes(0), Group: 1})
	k, err := d.Compile(context.Background(), build(t, b))
	if err != nil {
		t.Fatal(err)
	}
	shape := chunk.Shape{1}
	scratch, err := d.Allocator().Alloc(k.Scratch(shape))
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Release()
	values, ids, sums := hostChunk(dtype.Float64, shape), hostChunk(dtype.Int32, shape), hostChunk(dtype.Float64, chunk.Shape{groups})
	chunk.Slice[float64](values)[0], chunk.Slice[int32](ids)[0] = 7, int32(groups-1)
	if err := k.Run(context.Background(), &kernels.Call{In: []*chunk.Chunk{values, ids}, Out: []*chunk.Chunk{sums}, Shape: shape, Origin: chunk.Shape{0}, Scratch: scratch}); err != nil {
		return err
	}
	if s := chunk.Slice[float64](sums); s[0] != 0 || s[groups-1] != 7 {
		t.Errorf("groups 0 and %d have %v and %v, want 0 and 7", groups-1, s[0], s[groups-1])
	}
	return nil
}

// TestReapTogether makes many calls run short of memory at the same time: they wait for each other without end or error.
func TestReapTogether(t *testing.T) {
	// Copies take long enough for the calls to meet, however busy this machine is.
	d, _ := open(t, cuda.Options{Always: true, Memory: 60 << 20}, "memory=12MiB", "hold_us=5000")
	doubling(t, d, 1000) // compiles
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() { doubling(t, d, 1<<20) })
	}
	wg.Wait()
	if s := d.Stats(); s.Reaped == 0 || s.FellBack != 0 {
		t.Errorf("%+v: want calls that waited, none on the CPU", s)
	}
}

// build returns what a builder has.
func build(t *testing.T, b *kernels.Builder) *kernels.Program {
	t.Helper()
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}
