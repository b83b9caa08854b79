// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched/plan"
)

var testPool = mem.NewPool()

// randomGraph makes arrays by random operations on a few sources.
type randomGraph struct {
	rnd  *rand.Rand
	pool []ndarray.Array
}

func newRandomGraph(rnd *rand.Rand) *randomGraph {
	g := &randomGraph{rnd: rnd}
	shape := chunk.Shape{int64(1 + rnd.IntN(9)), int64(1 + rnd.IntN(7)), int64(1 + rnd.IntN(11))}[:1+rnd.IntN(3)]
	for range 2 + rnd.IntN(2) {
		g.add(ndarray.FromSource(newFake(rnd, g.dtype(), g.grid(shape)), "src"))
	}
	for range 3 + rnd.IntN(8) {
		g.add(g.step(g.any()))
	}
	return g
}

func (g *randomGraph) dtype() dtype.DType {
	list := []dtype.DType{dtype.Float64, dtype.Float32, dtype.Int16, dtype.Uint8, dtype.Int64, dtype.Float64}
	return list[g.rnd.IntN(len(list))]
}

func (g *randomGraph) grid(shape chunk.Shape) chunk.Grid {
	steps := make([]int64, len(shape))
	for i, n := range shape {
		steps[i] = 1 + g.rnd.Int64N(n)
	}
	grid := chunk.Regular(shape, steps...)
	if g.rnd.IntN(4) == 0 && len(shape) > 0 && shape[0] > 3 {
		a, err := chunk.IrregularAxis([]int64{1, shape[0] - 3, 2})
		if err != nil {
			panic(err)
		}
		grid.Axes[0] = a
	}
	return grid
}

// add keeps an array that could be built.
func (g *randomGraph) add(a ndarray.Array) {
	if a.Err() == nil && a.Shape().Size() < 5000 {
		g.pool = append(g.pool, a)
	}
}

func (g *randomGraph) any() ndarray.Array { return g.pool[g.rnd.IntN(len(g.pool))] }

func (g *randomGraph) axis(a ndarray.Array) int { return g.rnd.IntN(max(a.Rank(), 1)) }

var reductionNames = []string{"sum", "nansum", "mean", "nanmean", "var", "nanvar", "min", "nanmax", "max", "count", "any", "argmax"}

func (g *randomGraph) step(a ndarray.Array) ndarray.Array {
	rnd := g.rnd
	k := g.axis(a)
	n := int64(1)
	if a.Rank() > 0 {
		n = a.Shape()[k]
	}
	switch rnd.IntN(21) {
	case 0, 1:
		ops := []string{"add", "subtract", "multiply", "maximum", "less"}
		return ndarray.Apply(ops[rnd.IntN(len(ops))], a, g.any())
	case 2:
		return ndarray.Apply("add", ndarray.Apply("multiply", a, 3), 1)
	case 3:
		return ndarray.Where(a.Greater(2), a, g.any())
	case 4:
		return a.Transpose()
	case 5:
		if a.Rank() == 0 {
			return a.ExpandDims(0)
		}
		idx := make([]ndarray.Index, a.Rank())
		for i, d := range a.Shape() {
			idx[i] = ndarray.All()
			switch rnd.IntN(4) {
			case 0:
				idx[i] = ndarray.Reversed()
			case 1:
				if d > 0 {
					idx[i] = ndarray.Step(rnd.Int64N(d), d, 1+rnd.Int64N(3))
				}
			case 2:
				if d > 0 && rnd.IntN(2) == 0 {
					idx[i] = ndarray.At(rnd.Int64N(d))
				}
			}
		}
		return a.Index(idx...)
	case 6:
		if n == 0 || a.Rank() == 0 {
			return a
		}
		ids := make([]int64, 1+rnd.IntN(9))
		for i := range ids {
			ids[i] = rnd.Int64N(n+1) - 1
		}
		return a.TakeAlong(k, ids)
	case 7:
		if a.Rank() == 0 {
			return a
		}
		return ndarray.Concat(k, a, ndarray.Apply("multiply", a, 2), a)
	case 8, 9, 10:
		var axes []int
		for i := range a.Rank() {
			if rnd.IntN(2) == 0 {
				axes = append(axes, i)
			}
		}
		return a.Reduce(reductionNames[rnd.IntN(len(reductionNames))], ndarray.ReduceOptions{Axes: axes, KeepDims: rnd.IntN(2) == 0})
	case 11:
		if a.Rank() == 0 {
			return a
		}
		groups := int64(1 + rnd.IntN(4))
		ids := make([]int32, n)
		for i := range ids {
			ids[i] = int32(rnd.Int64N(groups+1) - 1)
		}
		r := a.GroupReduce(reductionNames[rnd.IntN(6)], k, ids, groups, ndarray.ReduceOptions{})
		if rnd.IntN(2) == 0 && r.Err() == nil {
			back := make([]int64, n)
			for i := range back {
				back[i] = int64(ids[i])
			}
			return a.Sub(r.TakeAlong(k, back))
		}
		return r
	case 18, 19:
		if a.Rank() == 0 {
			return a
		}
		return a.Scan([]string{"cumulative_sum", "nancumsum", "cumulative_prod", "ffill"}[rnd.IntN(4)], k)
	case 13:
		return a.Reshape(-1)
	case 14:
		if a.Rank() == 0 {
			return a
		}
		return a.Roll(rnd.Int64N(7)-3, k)
	case 15:
		if a.Rank() == 0 {
			return a
		}
		return a.Repeat(1+rnd.Int64N(3), k)
	case 16:
		return a.ExpandDims(0).BroadcastTo(append([]int64{1 + rnd.Int64N(3)}, a.Shape()...)...)
	case 17:
		labels := a.Greater(1).AsType(dtype.Int32)
		return g.any().GroupReduceBy(reductionNames[rnd.IntN(6)], labels, 2, ndarray.ReduceOptions{})
	case 12:
		steps := make([]int64, a.Rank())
		for i, d := range a.Shape() {
			steps[i] = 1 + rnd.Int64N(max(d, 1))
		}
		return a.Rechunk(steps...)
	default:
		return a.AsType(dtype.Float64)
	}
}

// outcome computes arrays under the options, by turns into sinks, by functions and into memory.
func outcome(t *testing.T, opt Options, list []ndarray.Array, sinkSteps int64) ([]*chunk.Chunk, error) {
	t.Helper()
	e, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]*chunk.Chunk, len(list))
	outputs := make([]ndarray.Output, len(list))
	var sinks []*fakeSink
	var places [][2]*chunk.Chunk
	for i, a := range list {
		c := heapChunk(a.DType(), a.Shape())
		out[i] = c
		outputs[i] = ndarray.Output{Array: a, Name: fmt.Sprintf("out%d", i)}
		switch (int64(i) + sinkSteps) % 3 {
		case 0:
			steps := make([]int64, a.Rank())
			for k := range steps {
				steps[k] = sinkSteps
			}
			s := newSink(t, a.DType(), chunk.Regular(a.Shape(), steps...))
			s.data = c
			sinks = append(sinks, s)
			outputs[i].To = s
			continue
		case 1:
			// A part of something larger, so that rows do not follow each other.
			wide := a.Shape().Clone()
			for k := range wide {
				wide[k] += 2
			}
			part := chunk.Whole(a.Shape())
			for k := range part.Lo {
				part.Lo[k]++
				part.Hi[k]++
			}
			outputs[i].Into = heapChunk(a.DType(), wide).Sub(part)
			places = append(places, [2]*chunk.Chunk{c, outputs[i].Into})
			continue
		}
		seen := make([]bool, a.Shape().Size())
		outputs[i].Each = func(at chunk.Region, part *chunk.Chunk) error {
			eachPair(c.Sub(at), c.Sub(at), func(o, _ int64) {
				if seen[o] {
					t.Errorf("element %d was given twice", o)
				}
				seen[o] = true
			})
			return copyChunk(context.Background(), e.device, c.Sub(at), part)
		}
	}
	err = e.Run(context.Background(), outputs)
	if err == nil {
		for _, s := range sinks {
			s.complete()
		}
		for _, p := range places {
			if err := copyChunk(context.Background(), e.device, p[0], p[1]); err != nil {
				t.Error(err)
			}
		}
	}
	if cerr := e.Close(); cerr != nil {
		t.Error(cerr)
	}
	return out, err
}

func same(a, b kernels.Const) bool { return a == b || a.IsNaN() && b.IsNaN() }

func close64(a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) && math.IsNaN(b)
	}
	return a == b || math.Abs(a-b) <= 1e-5*(1+math.Abs(a)+math.Abs(b))
}

func TestLawSameBits(t *testing.T) {
	seeds := 400
	if testing.Short() {
		seeds = 60
	}
	for seed := range seeds {
		rnd := rand.New(rand.NewPCG(uint64(seed), 7))
		g := newRandomGraph(rnd)
		list := g.pool[len(g.pool)-min(len(g.pool), 1+rnd.IntN(3)):]
		base, err := outcome(t, Options{Memory: 64 << 20, Workers: 1}, list, 3)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i, a := range list {
			want := evaluate(t, a.Node())
			for k := range want {
				got := constAt(base[i], int64(k))
				if !close64(got.Float64(), want[k].Float64()) {
					t.Fatalf("seed %d: output %d %s: element %d is %v, want %v", seed, i, a, k, got, want[k])
				}
			}
		}
		for _, opt := range []Options{
			{Memory: 64 << 20, Workers: 8},
			{Memory: 64 << 20, Workers: 2, NoFuse: true},
			{Memory: 64 << 20, Workers: 2, NoRewrite: true},
			{Memory: 64 << 20, Workers: 1, NoFuse: true, NoRewrite: true},
			{Memory: 1 << 20, Workers: 2, tileElements: 1},
			{Memory: 64 << 20, Workers: 3, tileElements: 20, NoFuse: true},
			{Memory: 64 << 20, Workers: 2, chains: plan.ChainsAlways},
			{Memory: 64 << 20, Workers: 3, tileElements: 1, chains: plan.ChainsAlways},
			{Memory: 160 << 10, Workers: 1, tileElements: 1}, // large results go straight to their outputs, or the plan is refused
			{Memory: 64 << 20, Workers: 2, device: ref.New()},
		} {
			got, err := outcome(t, opt, list, int64(1+rnd.IntN(6)))
			if errors.Is(err, ErrBudget) && opt.Memory < 1<<20 {
				continue
			}
			if err != nil {
				t.Fatalf("seed %d: %+v: %v", seed, opt, err)
			}
			for i := range list {
				for k := range got[i].Shape.Size() {
					a, b := constAt(got[i], k), constAt(base[i], k)
					if !same(a, b) {
						t.Fatalf("seed %d: %+v: output %d %s: element %d is %v, want %v", seed, opt, i, list[i], k, a, b)
					}
				}
			}
		}
	}
}
