// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// TestMeasure: the rates are the machine's own, take little time and no memory that stays, and are not measured while tasks run.
func TestMeasure(t *testing.T) {
	e := newEngine(t, Options{Memory: 64 << 20, Workers: 2, Device: "cpu"})
	start := time.Now()
	r, err := e.measure(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	if e.gate.peak > 32<<20 || e.gate.peak < 8<<20 {
		t.Errorf("%d bytes of the budget were taken, want about a quarter of it", e.gate.peak)
	}
	// Bounds that any processor of the last twenty years keeps, emulated ones included.
	for name, x := range map[string]float64{"float32": r.float32, "float64": r.float64, "memory": r.memory} {
		if x < 1e6 || x > 1e13 {
			t.Errorf("%s: %g in a second", name, x)
		}
	}
	zlib, none, unknown := r.decode([]string{"shuffle", "zlib"}, 4), r.decode([]string{"transpose"}, 4), r.decode([]string{"filter-32013"}, 4)
	if zlib == guessDecode || zlib < 1e6 || zlib >= none || unknown != guessDecode {
		t.Errorf("zlib decodes %g bytes in a second, nothing %g, what is not known %g: want them measured, less for zlib, and the guess %g", zlib, none, unknown, guessDecode)
	}
	if again := r.decode([]string{"shuffle", "zlib"}, 4); again != zlib {
		t.Errorf("zlib is measured again: %g and %g", zlib, again)
	}
	t.Logf("measured in %v: %.3g float32, %.3g float64, memory %.3g, zlib %.3g", took, r.float32, r.float64, r.memory, zlib)
	if blocks, _ := e.pool.Live(); blocks != 0 || e.gate.used != 0 {
		t.Errorf("%d blocks and %d bytes of the budget stay", blocks, e.gate.used)
	}
	if err := e.gate.acquire(context.Background(), 1); err != nil {
		t.Fatal(err)
	}
	defer e.gate.release(1)
	if _, err := e.measure(context.Background()); err == nil {
		t.Error("measured while a task runs")
	}
}

// manySines is work for some seconds: the plan is for 8 TB that nobody reads.
func manySines() ndarray.Array {
	a := ndarray.IndexOf(chunk.Shape{1 << 20, 1 << 20}, 0, ndarray.Chunked(1<<10, 1<<10)).AsType(dtype.Float64)
	for range 4 {
		a = a.Sin()
	}
	return a.Sum()
}

// TestPlacedByRates: auto compares by the rates of this machine's processors, and the explanation tells them.
func TestPlacedByRates(t *testing.T) {
	cudasim.Start(t)
	t.Setenv(cuda.EnvCache, t.TempDir())
	for _, c := range []struct {
		name   string
		speed  float64 // of the processors
		device string
	}{{"slow", 1e-3, "cuda:0"}, {"fast", 1e6, "cpu"}} {
		opt := Options{Memory: 256 << 20, Workers: 2}
		measured := 0
		opt.rates = func() rates {
			measured++
			r := guess(2)
			r.float32, r.float64, r.memory, r.measured = r.float32*c.speed, r.float64*c.speed, r.memory*c.speed, true
			return r
		}
		e := newEngine(t, opt)
		output := []ndarray.Output{{Array: manySines(), Name: "a", Each: func(chunk.Region, *chunk.Chunk) error { return nil }}}
		for range 2 {
			p, err := e.PlanOutputs(context.Background(), output)
			if err != nil {
				t.Fatal(err)
			}
			stage := p.Physical().Stages[0]
			if stage.Place.Device != c.device || !strings.Contains(stage.Place.Why(), "on the GPU") {
				t.Errorf("%s processors: placed on %s: %s, want %s", c.name, stage.Place.Device, stage.Place.Why(), c.device)
			}
			if text := p.Explain(); !strings.Contains(text, "cpu float64, a worker: ") || !strings.Contains(text, "G operations, measured") || !strings.Contains(text, "gpu up: ") {
				t.Errorf("%s processors: the explanation tells no rates:\n%s", c.name, text)
			}
			text, err := p.ExplainJSON()
			if err != nil {
				t.Fatal(err)
			}
			var x plan.Explained
			if err := json.Unmarshal(text, &x); err != nil {
				t.Fatal(err)
			}
			if len(x.Rates) < 5 || x.Rates[1].PerSecond != 2e10*c.speed {
				t.Errorf("%s processors: rates are %+v", c.name, x.Rates)
			}
		}
		if measured != 1 {
			t.Errorf("%s processors: measured %d times, want once", c.name, measured)
		}
	}
}

// TestNotMeasured: without a GPU nothing is measured, and the explanation tells no rates.
func TestNotMeasured(t *testing.T) {
	cudasim.Start(t, "devices=0")
	opt := Options{Memory: 256 << 20, Workers: 2, rates: func() rates {
		t.Error("measured for no GPU")
		return guess(2)
	}}
	e := newEngine(t, opt)
	p, err := e.PlanOutputs(context.Background(), []ndarray.Output{{Array: manySines(), Name: "a", Each: func(chunk.Region, *chunk.Chunk) error { return nil }}})
	if err != nil {
		t.Fatal(err)
	}
	if text := p.Explain(); strings.Contains(text, "places were compared") {
		t.Errorf("rates although nothing was compared:\n%s", text)
	}
}

// TestFewGroups: a fold in few groups has too few threads for a GPU: auto leaves it to the CPU and says why, --device cuda runs it there.
func TestFewGroups(t *testing.T) {
	cudasim.Start(t)
	t.Setenv(cuda.EnvCache, t.TempDir())
	slow := func() rates {
		r := guess(2)
		r.float32, r.float64, r.memory = r.float32/1e6, r.float64/1e6, r.memory/1e6
		return r
	}
	a := ndarray.IndexOf(chunk.Shape{1 << 20, 1 << 10}, 0, ndarray.Chunked(1<<10, 1<<10)).AsType(dtype.Float64).Sin()
	ids := ndarray.IndexOf(chunk.Shape{1 << 20, 1 << 10}, 1, ndarray.Chunked(1<<10, 1<<10)).Mod(4).AsType(dtype.Int32)
	sum, _ := kernels.ReductionByName("sum")
	for _, c := range []struct {
		axes   []int
		device string
		want   string // where it is computed
		why    string
	}{
		{[]int{0, 1}, "auto", "cpu", "few groups"},
		{[]int{0}, "auto", "cuda:0", "on the GPU"},
		{[]int{0, 1}, "cuda", "cuda:0", "as --device says"},
	} {
		x := ndarray.FromNode(graph.NewReduce(graph.ReduceArg{Op: sum.ID, Axes: c.axes, Groups: 4}, a.Node(), ids.Node()))
		dev, why := plannedFor(t, Options{Memory: 256 << 20, Workers: 2, Device: c.device, rates: slow}, x)
		if dev != c.want || !strings.Contains(why, c.why) {
			t.Errorf("along %v with --device %s: placed on %s: %s, want %s: %s", c.axes, c.device, dev, why, c.want, c.why)
		}
	}
}
