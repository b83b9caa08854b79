// SPDX-License-Identifier: BSD-3-Clause

package optest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// continued folds blocks by several calls, each going on from the states of the one before, and compares with one call of the
// oracle; then it asks for what cannot go on.
func (s *suite) continued(t *testing.T) {
	oracle := ref.New()
	defer oracle.Close()
	for _, r := range kernels.AllReductions() {
		if !r.Continues() {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			for _, d := range numeric {
				if _, err := r.Result(d); err != nil {
					continue
				}
				for i, shape := range []chunk.Shape{{kernels.OuterBlock, 5}, {23, 67}, {9, 3, 130}, {4, 1}} {
					seed := uint64(r.ID)<<16 | uint64(d)<<8 | uint64(i)
					f, axis := s.continuedFolds(t, seed, shape, d, []*kernels.Reduction{r})
					s.compareContinued(t, oracle, f, axis, seed)
				}
			}
		})
	}
	t.Run("random", func(t *testing.T) {
		for seed := range uint64(120) {
			rng := rand.New(rand.NewPCG(seed, 77))
			rs := kernels.AllReductions()
			var some []*kernels.Reduction
			for range 1 + rng.IntN(4) {
				some = append(some, rs[rng.IntN(len(rs))])
			}
			f, axis := s.continuedFolds(t, seed, continuedShape(rng), numeric[rng.IntN(len(numeric))], some)
			s.compareContinued(t, oracle, f, axis, seed)
		}
	})
	t.Run("refused", func(t *testing.T) {
		for _, c := range []struct {
			what   string
			op     string
			shape  chunk.Shape
			axes   kernels.AxisSet
			groups int64
		}{
			{"the last axis reduced", "sum", chunk.Shape{8, 8}, kernels.Axes(0, 1), 0},
			{"two passes", "var", chunk.Shape{8, 8}, kernels.Axes(0), 0},
			{"two blocks", "sum", chunk.Shape{kernels.OuterBlock + 1, 2}, kernels.Axes(0), 0},
			{"no elements", "sum", chunk.Shape{0, 2}, kernels.Axes(0), 0},
			{"groups", "sum", chunk.Shape{8, 8}, kernels.Axes(0), 3},
			{"no axes", "sum", chunk.Shape{}, 0, 0},
		} {
			r, _ := kernels.ReductionByName(c.op)
			b := kernels.NewBuilder(len(c.shape))
			f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{b.Input(kernels.In(dtype.Float32))}, Axes: c.axes, Group: -1}
			one := func(int64) kernels.Const { return kernels.Const{DType: dtype.Float32} }
			call := &kernels.Call{Shape: c.shape, Origin: make(chunk.Shape, len(c.shape)), Continue: true}
			call.In = append(call.In, s.guards.place(dtype.Float32, c.shape, layout{}, one))
			if c.groups > 0 {
				f.Group = 1
				b.Input(kernels.In(dtype.Int32))
				call.In = append(call.In, s.ids(rand.New(rand.NewPCG(1, 1)), c.shape, c.groups, c.axes))
			}
			b.Fold(f)
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			call.Out = s.outputs(foldCase{c.what, p, call, c.groups})
			if k := s.compile(t, p, c.what); k != nil {
				if err := s.run(k, call); err == nil {
					t.Errorf("%s: a call that continues gives no error", c.what)
				}
			}
		}
	})
}

// continuedShape returns a shape whose elements before the last axis are at most a block.
func continuedShape(rng *rand.Rand) chunk.Shape {
	shape := make(chunk.Shape, 2+rng.IntN(3))
	room := int64(kernels.OuterBlock)
	for i := range shape[:len(shape)-1] {
		shape[i] = 1 + rng.Int64N(min(room, []int64{4, 40, 256}[rng.IntN(3)]))
		room = max(1, room/shape[i])
	}
	shape[len(shape)-1] = 1 + rng.Int64N([]int64{3, 40, 70}[rng.IntN(3)])
	return shape
}

// continuedFolds returns a program of folds of those reductions that continue, whose first reduced axis is the one returned.
func (s *suite) continuedFolds(t *testing.T, seed uint64, shape chunk.Shape, d dtype.DType, rs []*kernels.Reduction) (f foldCase, axis int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 78))
	rank := len(shape)
	axis = rng.IntN(rank - 1)
	b := kernels.NewBuilder(rank)
	c := &kernels.Call{Shape: shape, Origin: make(chunk.Shape, rank)}
	nans := rng.IntN(3)
	var regs []kernels.Reg
	for i := range 1 + rng.IntN(2) {
		if i > 0 {
			d = numeric[rng.IntN(len(numeric))]
		}
		regs = append(regs, b.Input(kernels.In(d)))
		l := randomLayout(rng, rank)
		if rng.IntN(2) == 0 {
			l = layout{name: "plain"}
		}
		c.In = append(c.In, s.guards.place(d, shape, l, func(int64) kernels.Const { return foldValue(rng, d, nans) }))
	}
	body := rng.IntN(2) == 0
	if body {
		regs = randomBody(b, rng, commonOps, regs, len(regs)+rng.IntN(5))
	}
	for i, r := range rs {
		a := regs[0]
		if i > 0 || body && rng.IntN(2) == 0 {
			a = regs[rng.IntN(len(regs))]
		}
		if _, err := r.Result(b.Type(a)); err != nil || !r.Continues() {
			continue
		}
		fd := kernels.Fold{Op: r.ID, Args: []kernels.Reg{a}, Axes: kernels.Axes(axis), Group: -1}
		for k := axis + 1; k < rank-1; k++ {
			fd.Axes |= kernels.AxisSet(rng.IntN(2)) << k
		}
		if r.Indexed {
			fd.Args = append(fd.Args, b.Position(shape, 1<<rank-1))
		}
		b.Fold(fd)
	}
	if body && rng.IntN(2) == 0 {
		b.Ret(regs[len(regs)-1])
	}
	p, err := b.Build()
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return foldCase{fmt.Sprintf("continued folds of seed %d over %v", seed, shape), p, c, 0}, axis
}

// compareContinued runs a case in several calls cut at random along an axis, and on the oracle in one.
func (s *suite) compareContinued(t *testing.T, oracle kernels.Device, f foldCase, axis int, seed uint64) {
	t.Helper()
	k := s.compile(t, f.p, f.what)
	if k == nil {
		return
	}
	want, err := s.expected(t, oracle, f)
	if err != nil {
		return // an error of the data; folds compares those
	}
	out := s.outputs(f)
	rng := rand.New(rand.NewPCG(seed, 79))
	n := f.call.Shape[axis]
	var cuts []int64
	for lo := int64(0); lo < n; {
		hi := lo + 1 + rng.Int64N(n-lo)
		r := chunk.Region{Lo: make(chunk.Shape, len(f.call.Shape)), Hi: f.call.Shape.Clone()}
		r.Lo[axis], r.Hi[axis] = lo, hi
		c := &kernels.Call{Shape: r.Shape(), Origin: r.Lo, Continue: lo > 0}
		for _, in := range f.call.In {
			c.In = append(c.In, in.Sub(r))
		}
		for i, x := range out {
			if i < len(f.p.Ret) {
				x = x.Sub(r)
			}
			c.Out = append(c.Out, x)
		}
		if err := s.run(k, c); err != nil {
			t.Fatalf("%s: from %d to %d: %v\n%v", f.what, lo, hi, err, f.p)
		}
		cuts = append(cuts, hi)
		lo = hi
	}
	sameOutputs(t, fmt.Sprintf("%s cut at %v", f.what, cuts), f.p, out, want)
}
