// SPDX-License-Identifier: BSD-3-Clause

package optest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// foldCase is a program of folds with its operands.
type foldCase struct {
	what   string
	p      *kernels.Program
	call   *kernels.Call
	groups int64
}

// folds compares folds with the oracle: each reduction of each dtype over lengths that
// end inside and at block ends, then random programs of several folds.
func (s *suite) folds(t *testing.T) {
	oracle := ref.New()
	defer oracle.Close()
	for _, r := range kernels.AllReductions() {
		t.Run(r.Name, func(t *testing.T) {
			for _, d := range numeric {
				if _, err := r.Result(d); err != nil {
					continue
				}
				for i, c := range []struct {
					shape  chunk.Shape
					axes   kernels.AxisSet
					groups int64
				}{
					{chunk.Shape{kernels.InnerBlock + 37}, kernels.Axes(0), 0},
					{chunk.Shape{3, 70}, kernels.Axes(1), 0},
					{chunk.Shape{2 * kernels.OuterBlock, 3}, kernels.Axes(0), 0},
					{chunk.Shape{kernels.OuterBlock + 9, 5}, kernels.Axes(0), 0},
					{chunk.Shape{5, 3, 21}, kernels.Axes(0, 2), 0},
					{chunk.Shape{40, 7}, kernels.Axes(0), 3},
					{chunk.Shape{6, 31}, kernels.Axes(1), 4},
				} {
					rng := rand.New(rand.NewPCG(uint64(r.ID), uint64(d)<<8+uint64(i)))
					l := layout{name: "plain"}
					if i == 1 || i == 4 {
						l = layout{name: "step 2", step: 2}
					}
					s.foldOne(t, oracle, r, d, c.shape, c.axes, c.groups, l, rng)
				}
			}
		})
	}
	t.Run("random", func(t *testing.T) {
		for seed := range uint64(400) {
			size := int64(800)
			if seed%10 == 0 {
				size = 9000
			}
			f := s.randomFolds(t, rand.New(rand.NewPCG(seed, 99)), size, commonOps)
			f.what = fmt.Sprintf("seed %d: %s", seed, f.what)
			s.compareFolds(t, oracle, f)
		}
	})
}

// foldOne compares a bare fold.
func (s *suite) foldOne(t *testing.T, oracle kernels.Device, r *kernels.Reduction, d dtype.DType, shape chunk.Shape, axes kernels.AxisSet, groups int64, l layout, rng *rand.Rand) {
	b := kernels.NewBuilder(len(shape))
	f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{b.Input(kernels.In(d))}, Axes: axes, Group: -1}
	c := &kernels.Call{Shape: shape, Origin: make(chunk.Shape, len(shape))}
	nans := rng.IntN(3)
	c.In = append(c.In, s.guards.place(d, shape, l, func(int64) kernels.Const { return foldValue(rng, d, nans) }))
	if r.Indexed {
		f.Args = append(f.Args, b.Position(shape, 1<<len(shape)-1))
	}
	if groups > 0 {
		f.Group = int16(len(c.In))
		b.Input(kernels.In(dtype.Int32))
		c.In = append(c.In, s.ids(rng, shape, groups, axes))
	}
	b.Fold(f)
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	s.compareFolds(t, oracle, foldCase{fmt.Sprintf("%s(%v) over axes %b of %v, %s, %d groups", r.Name, d, axes, shape, l.name, groups), p, c, groups})
}

// ids returns group ids for a shape: they vary along all axes, or along the reduced ones only.
func (s *suite) ids(rng *rand.Rand, shape chunk.Shape, groups int64, axes kernels.AxisSet) *chunk.Chunk {
	l := layout{}
	if rng.IntN(3) > 0 {
		l.repeat = (1<<len(shape) - 1) &^ axes
	}
	return s.guards.place(dtype.Int32, shape, l, func(int64) kernels.Const {
		return kernels.Const{DType: dtype.Int32, Bits: uint64(uint32(int32(rng.Int64N(groups+2) - 1)))}
	})
}

// foldValue returns a value to fold: with nans 0 no float is NaN, with 2 most are.
func foldValue(rng *rand.Rand, d dtype.DType, nans int) kernels.Const {
	v := someValue(rng, d)
	if !d.IsFloat() {
		return v
	}
	if rng.IntN(4) > 0 { // mostly values of like size, so that sums do not vanish in one huge element
		v, _ = kernels.ConstOf(d, rng.NormFloat64()*3+1)
	}
	switch {
	case nans == 2 && rng.IntN(4) > 0:
		v, _ = kernels.ConstOf(d, nan)
	case nans == 0 && v.IsNaN():
		v = kernels.Const{DType: d}
	}
	return v
}

// randomFolds returns a program with several folds over different axes of about size elements, perhaps of a body of operations of a list,
// perhaps with results.
func (s *suite) randomFolds(t *testing.T, rng *rand.Rand, size int64, ops []string) foldCase {
	rank := 1 + rng.IntN(4)
	shape := randomShape(rng, rank, size)
	b := kernels.NewBuilder(rank)
	c := &kernels.Call{Shape: shape, Origin: make(chunk.Shape, rank)}
	var regs []kernels.Reg
	nans := rng.IntN(3)
	for range 1 + rng.IntN(2) {
		d := numeric[rng.IntN(len(numeric))]
		regs = append(regs, b.Input(kernels.In(d)))
		c.In = append(c.In, s.guards.place(d, shape, randomLayout(rng, rank), func(int64) kernels.Const { return foldValue(rng, d, nans) }))
	}
	body := rng.IntN(2) == 0
	if body {
		regs = randomBody(b, rng, ops, regs, len(regs)+rng.IntN(5))
	}
	groups, group := int64(0), int16(-1)
	var axes kernels.AxisSet
	if rng.IntN(3) == 0 {
		groups, group = 1+rng.Int64N(4), int16(len(c.In))
		axes = kernels.AxisSet(1 + rng.Uint32N(1<<rank-1))
		b.Input(kernels.In(dtype.Int32))
		c.In = append(c.In, s.ids(rng, shape, groups, axes))
	}
	rs := kernels.AllReductions()
	for range 1 + rng.IntN(3) {
		r := rs[rng.IntN(len(rs))]
		a := regs[rng.IntN(len(regs))]
		if _, err := r.Result(b.Type(a)); err != nil {
			continue
		}
		f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{a}, Axes: axes, Group: group}
		if group < 0 && rng.IntN(2) == 0 {
			f.Axes = kernels.AxisSet(rng.Uint32N(1 << rank))
		}
		if r.Indexed {
			f.Args = append(f.Args, b.Position(shape, 1<<len(shape)-1))
		}
		b.Fold(f)
	}
	if body && rng.IntN(2) == 0 {
		b.Ret(regs[len(regs)-1])
	}
	p, err := b.Build()
	if err != nil {
		t.Fatalf("random folds: %v", err)
	}
	return foldCase{fmt.Sprintf("folds over %v", shape), p, c, groups}
}

// outputs returns chunks for the results and states of a case.
func (s *suite) outputs(f foldCase) []*chunk.Chunk {
	var out []*chunk.Chunk
	for _, r := range f.p.Ret {
		out = append(out, s.guards.output(f.p.RegType(r), f.call.Shape))
	}
	for _, fd := range f.p.Folds {
		shape := chunk.Shape{f.groups}
		if fd.Group < 0 {
			shape[0] = kernels.FoldBlocks(f.call.Shape, fd.Axes)
		}
		for i, d := range f.call.Shape {
			if !fd.Axes.Has(i) {
				shape = append(shape, d)
			}
		}
		for _, c := range kernels.ReductionOf(fd.Op).State(f.p.RegType(fd.Args[0])) {
			out = append(out, s.guards.output(c.DType, shape))
		}
	}
	return out
}

// compareFolds runs a case on the device and on the oracle.
func (s *suite) compareFolds(t *testing.T, oracle kernels.Device, f foldCase) {
	t.Helper()
	k := s.compile(t, f.p, f.what)
	if k == nil {
		return
	}
	want, wantErr := s.expected(t, oracle, f)
	f.call.Out = s.outputs(f)
	if err := s.run(k, f.call); err != nil || wantErr != nil {
		if wantErr == nil || err == nil {
			t.Fatalf("%s: got error %v, want %v\n%v", f.what, err, wantErr, f.p)
		}
		return
	}
	sameOutputs(t, f.what, f.p, f.call.Out, want)
}

// expected returns what the oracle makes of a case.
func (s *suite) expected(t *testing.T, oracle kernels.Device, f foldCase) ([]*chunk.Chunk, error) {
	t.Helper()
	o, err := oracle.Compile(context.Background(), f.p)
	if err != nil {
		t.Fatalf("oracle: %s: %v\n%v", f.what, err, f.p)
	}
	c := *f.call
	c.Out = s.outputs(f)
	return c.Out, o.Run(context.Background(), &c)
}

// sameOutputs compares the results and states of a unit with those expected.
func sameOutputs(t *testing.T, what string, u kernels.Unit, got, want []*chunk.Chunk) {
	t.Helper()
	for i, w := range want {
		for n := range w.Shape.Size() {
			if got, x := get(got[i], n), get(w, n); !equal(got, x) {
				t.Fatalf("%s: output %d of shape %v at %d: got %v (%#x), want %v (%#x)\n%v", what, i, w.Shape, n, got, got.Bits, x, x.Bits, u)
			}
		}
	}
}

// combines joins random states of every reduction and dtype.
func (s *suite) combines(t *testing.T) {
	oracle := ref.New()
	defer oracle.Close()
	for _, r := range kernels.AllReductions() {
		for _, d := range numeric {
			if _, err := r.Result(d); err != nil {
				continue
			}
			u := kernels.CombineOf(r.ID, r.State(d))
			k := s.compile(t, u, u.String())
			if k == nil {
				continue
			}
			o, err := oracle.Compile(context.Background(), u)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(uint64(r.ID), uint64(d)))
			shape := chunk.Shape{2, 37}
			state := func() []*chunk.Chunk {
				var cs []*chunk.Chunk
				id := r.Identity(d)
				for i, c := range r.State(d) {
					n := int64(0)
					cs = append(cs, s.guards.place(c.DType, shape, layout{}, func(int64) kernels.Const {
						n++
						if n%5 == 0 {
							return id[i]
						}
						v := foldValue(rng, c.DType, 1)
						if c.Name == "count" || c.Name == "position" {
							v.Bits = rng.Uint64N(20)
						}
						return v
					}))
				}
				return cs
			}
			a, b := state(), state()
			var c []*chunk.Chunk
			for i := range a {
				x := a[i]
				c = append(c, s.guards.place(x.DType, shape, layout{}, func(n int64) kernels.Const { return get(x, n) }))
			}
			if err := o.Run(context.Background(), &kernels.Call{Out: c, In: b, Shape: shape}); err != nil {
				t.Fatal(err)
			}
			if err := s.run(k, &kernels.Call{Out: a, In: b, Shape: shape}); err != nil {
				t.Fatalf("%v: %v", u, err)
			}
			for i := range a {
				for n := range shape.Size() {
					if got, want := get(a[i], n), get(c[i], n); !equal(got, want) {
						t.Fatalf("%v: component %d at %d: got %v (%#x), want %v (%#x)", u, i, n, got, got.Bits, want, want.Bits)
					}
				}
			}
		}
	}
}
