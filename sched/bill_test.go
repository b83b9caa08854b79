// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/ndimage"
)

// billCase is a graph whose bill is compared with what it really takes.
type billCase struct {
	name string
	make func(t *testing.T) []ndarray.Array
}

func big(seed uint64, dt dtype.DType, shape chunk.Shape, steps ...int64) ndarray.Array {
	return ndarray.FromSource(newFake(rand.New(rand.NewPCG(seed, 1)), dt, chunk.Regular(shape, steps...)), "x")
}

var billCases = []billCase{
	{"map", func(*testing.T) []ndarray.Array {
		return []ndarray.Array{big(1, dtype.Int16, chunk.Shape{64, 100, 200}, 4, 100, 200).Mul(2.5).Add(1)}
	}},
	{"unaligned", func(*testing.T) []ndarray.Array {
		return []ndarray.Array{big(2, dtype.Float32, chunk.Shape{700, 900}, 130, 170).Index(ndarray.Span(3, 650), ndarray.Reversed()).Mul(2)}
	}},
	{"transpose", func(*testing.T) []ndarray.Array {
		return []ndarray.Array{big(3, dtype.Float32, chunk.Shape{700, 900}, 100, 100).Transpose()}
	}},
	{"sum", func(*testing.T) []ndarray.Array {
		return []ndarray.Array{big(4, dtype.Float32, chunk.Shape{1000, 1000}, 100, 100).Square().Sum()}
	}},
	{"mean first axis", func(*testing.T) []ndarray.Array {
		return []ndarray.Array{big(5, dtype.Float32, chunk.Shape{300, 60, 100}, 7, 60, 100).Mean(0)}
	}},
	{"std last axis", func(*testing.T) []ndarray.Array {
		return []ndarray.Array{big(6, dtype.Float32, chunk.Shape{300, 60, 100}, 30, 60, 25).Std(2)}
	}},
	{"several folds", func(*testing.T) []ndarray.Array {
		x := big(7, dtype.Float32, chunk.Shape{300, 60, 100}, 30, 60, 100)
		return []ndarray.Array{x.Mean(0), x.Std(0), x.Max(1, 2), x.Sum(0, 1, 2)}
	}},
	{"anomaly", func(*testing.T) []ndarray.Array {
		x := big(8, dtype.Int16, chunk.Shape{365, 60, 100}, 1, 60, 100).Mul(0.1)
		ids, back := make([]int32, 365), make([]int64, 365)
		for i := range ids {
			ids[i], back[i] = int32(i/31), int64(i/31)
		}
		clim := x.GroupReduce("nanmean", 0, ids, 12, ndarray.ReduceOptions{})
		anom := x.Sub(clim.TakeAlong(0, back))
		return []ndarray.Array{clim, anom, anom.Mean(1, 2)}
	}},
	{"in turns", func(*testing.T) []ndarray.Array {
		x := big(12, dtype.Float32, chunk.Shape{100, 120, 320}, 50, 40, 80)
		anom := x.Sub(x.Mean(0))
		return []ndarray.Array{anom.Div(x.Std(0)), anom.Abs().Sum()}
	}},
	{"scan", func(*testing.T) []ndarray.Array {
		x := big(13, dtype.Float32, chunk.Shape{300, 120, 160}, 7, 60, 160)
		return []ndarray.Array{x.Mul(2).CumSum(0)}
	}},
	{"scan in memory", func(*testing.T) []ndarray.Array {
		x := big(14, dtype.Float32, chunk.Shape{100, 120, 160}, 30, 60, 40).CumSum(2)
		return []ndarray.Array{x.Sub(x.Mean(0))}
	}},
	{"concat", func(*testing.T) []ndarray.Array {
		a := big(9, dtype.Float32, chunk.Shape{100, 300, 30}, 10, 300, 30)
		b := big(10, dtype.Float32, chunk.Shape{57, 300, 30}, 10, 300, 30).Mul(3)
		return []ndarray.Array{ndarray.Concat(0, a, b).Mean(0), ndarray.Concat(0, b, a).Add(1)}
	}},
	{"filters", func(*testing.T) []ndarray.Array {
		x := big(15, dtype.Float32, chunk.Shape{100, 120, 160}, 20, 60, 80)
		return []ndarray.Array{
			ndimage.GaussianFilter(x, []float64{2}, ndimage.GaussianOptions{}),
			ndimage.GreyClosing(x, ndimage.Box(3, 9), nil, ndimage.Options{}),
			ndimage.MedianFilter(x, ndimage.Box(3, 3), nil, ndimage.Options{Boundary: []ndarray.Boundary{ndarray.Edge, ndarray.Edge, ndarray.Periodic}}),
		}
	}},
	{"take", func(*testing.T) []ndarray.Array {
		ids := make([]int64, 400)
		for i := range ids {
			ids[i] = int64(i * 7919 % 500)
		}
		return []ndarray.Array{big(11, dtype.Float64, chunk.Shape{500, 300}, 50, 300).TakeAlong(0, ids).Sqrt()}
	}},
}

// slack is what small blocks may add: the pool carves each of their sizes from a run of 1 MiB, mostly untouched.
const slack = 8 << 20

func TestBillsCoverWhatIsUsed(t *testing.T) {
	for _, c := range billCases {
		for _, opt := range []Options{{Memory: 64 << 20, Workers: 2}, {Memory: 6 << 20, Workers: 1}, {Memory: 64 << 20, Workers: 2, NoFuse: true}} {
			list := c.make(t)
			e, err := New(opt)
			if err != nil {
				t.Fatal(err)
			}
			e.pool.SetLimit(1) // nothing idle beside what is in use
			var outputs []ndarray.Output
			for _, a := range list {
				outputs = append(outputs, ndarray.Output{Array: a, Name: c.name, Each: func(chunk.Region, *chunk.Chunk) error { return nil }})
			}
			p, err := e.PlanOutputs(context.Background(), outputs)
			if err != nil {
				if errors.Is(err, ErrBudget) && opt.Memory < 10<<20 {
					t.Logf("%s: %v", c.name, err)
					continue
				}
				t.Fatalf("%s: %v", c.name, err)
			}
			j := e.Start(context.Background(), p)
			if err := j.Wait(); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			peak, billed := e.pool.Peak(), j.Stats().PeakBudgetBytes
			t.Logf("%-16s memory %3d MiB: used %6.2f MiB, billed %6.2f MiB, planned %6.2f MiB", c.name, opt.Memory>>20, mib(peak), mib(billed), mib(p.PeakBytes()))
			if peak > billed+slack {
				t.Errorf("%s %+v: used %d bytes, billed %d", c.name, opt, peak, billed)
			}
			if billed > p.PeakBytes() || billed > opt.Memory {
				t.Errorf("%s %+v: billed %d bytes, planned %d of %d", c.name, opt, billed, p.PeakBytes(), opt.Memory)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

func TestBudgetIsRefused(t *testing.T) {
	src := newFake(rand.New(rand.NewPCG(1, 1)), dtype.Float64, chunk.Regular(chunk.Shape{1000, 1000}))
	a := ndarray.FromSource(src, "x").Mul(2).Sum()
	e, err := New(Options{Memory: 4 << 20, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	_, err = ndarray.Values[float64](context.Background(), e, a)
	if !errors.Is(err, ErrBudget) {
		t.Fatalf("got %v, want ErrBudget", err)
	}
	for _, part := range []string{"sum stage 0", "budget is 4.0 MiB", "rechunk axis", "raise --memory to"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
	if n := src.reads.Load(); n != 0 {
		t.Errorf("%d chunks were read before the plan was refused", n)
	}
}

// TestNamedBudgetWorks: the budget that a refusal names is enough for every stage of the plan, not only for the one refused.
func TestNamedBudgetWorks(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	x := ndarray.FromSource(newFake(rng, dtype.Float64, chunk.Regular(chunk.Shape{900, 700}, 250, 300)), "x")
	for name, a := range map[string]ndarray.Array{
		"anomaly": x.Sub(x.Mean()),
		"columns": x.Sub(x.Reduce("mean", ndarray.ReduceOptions{Axes: []int{0}})),
		"product": ndarray.Apply("multiply", x, x.Reduce("std", ndarray.ReduceOptions{Axes: []int{1}, KeepDims: true})).Transpose(),
	} {
		run := func(memory int64) error {
			e, err := New(Options{Memory: memory, Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			_, err = ndarray.Values[float64](context.Background(), e, a)
			return err
		}
		for _, memory := range []int64{1 << 10, 1 << 20, 2 << 20} {
			err := run(memory)
			if err == nil {
				continue
			}
			_, named, ok := strings.Cut(err.Error(), "raise --memory to ")
			var mib int64
			if _, scan := fmt.Sscanf(named, "%dMiB", &mib); !ok || scan != nil {
				t.Fatalf("%s: the refusal %q names no budget", name, err)
			}
			if err := run(mib << 20); err != nil {
				t.Errorf("%s in %d bytes: told to take %d MiB, which gives %v", name, memory, mib, err)
			}
		}
	}
}

// TestMaskBeyondTheBudget: the positions that a mask selects are charged, and too many of them are refused.
func TestMaskBeyondTheBudget(t *testing.T) {
	e, err := New(Options{Memory: 1 << 20, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	sum := func(n int64) (float64, error) {
		x := ndarray.Arange(int64(0), n, int64(1), dtype.Float64)
		got, err := ndarray.Values[float64](context.Background(), e, x.Index(ndarray.Mask(x.Mod(2).Equal(0))).Sum())
		if err != nil {
			return 0, err
		}
		return got[0], nil
	}
	if got, err := sum(20_000); err != nil || got != 99_990_000 {
		t.Errorf("sum of 10000 even numbers = %v, %v, want 99990000", got, err)
	}
	if got, err := sum(10_000_000); !errors.Is(err, ErrBudget) || !strings.Contains(err.Error(), "5000000 elements") {
		t.Errorf("sum of 5000000 even numbers in 1 MiB = %v, %v, want an error wrapping ErrBudget", got, err)
	}
}
