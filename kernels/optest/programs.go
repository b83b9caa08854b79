// SPDX-License-Identifier: BSD-3-Clause

package optest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

var nan = math.NaN()

// gathers reads inputs through ids along each axis, ids below 0 included.
func (s *suite) gathers(t *testing.T) {
	for _, d := range []dtype.DType{dtype.Uint8, dtype.Int32, dtype.Float16, dtype.Float32, dtype.Float64} {
		for axis := range 3 {
			b := kernels.NewBuilder(3)
			ids := b.Input(kernels.In(dtype.Int32))
			_ = ids
			port := kernels.In(d)
			port.Gather, port.GatherIDs = int8(axis), 0
			g := b.Input(port)
			plain := b.Input(kernels.In(d))
			b.Ret(g)
			b.Ret(b.Apply(kernels.OpMaximum, g, plain))
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("gather(%v, axis %d)", d, axis)
			k := s.compile(t, p, what)
			if k == nil {
				continue
			}
			for li, l := range operandLayouts {
				s.gather(t, k, p, what, axis, l, uint64(li))
			}
		}
	}
}

func (s *suite) gather(t *testing.T, k kernels.Kernel, p *kernels.Program, what string, axis int, l layout, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, uint64(axis)))
	shape := chunk.Shape{3, 4, 37}
	table := shape.Clone()
	table[axis] = 5
	idAxes := kernels.Axes(0, 1, 2) &^ kernels.Axes(axis)
	c := &kernels.Call{Shape: shape, Origin: make(chunk.Shape, 3)}
	c.In = append(c.In, s.guards.place(dtype.Int32, shape, layout{repeat: idAxes}, func(int64) kernels.Const {
		return kernels.Const{DType: dtype.Int32, Bits: uint64(uint32(int32(rng.IntN(6) - 1)))}
	}))
	values := map[int64]kernels.Const{}
	d := p.In[1].DType
	l.repeat &^= kernels.Axes(axis)
	c.In = append(c.In, s.guards.place(d, table, l, func(n int64) kernels.Const {
		if _, ok := values[n]; !ok {
			values[n] = someValue(rng, d)
		}
		return values[n]
	}))
	c.In = append(c.In, s.guards.place(d, shape, layout{}, func(int64) kernels.Const { return someValue(rng, d) }))
	for _, r := range p.Ret {
		c.Out = append(c.Out, s.guards.output(p.RegType(r), shape))
	}
	if err := s.run(k, c); err != nil {
		t.Fatalf("%s %s: %v\n%v", what, l.name, err, p)
	}
	index := make([]int64, 3)
	for n := range shape.Size() {
		place(index, shape, n)
		want, _, err := evalAt(p, c, index)
		if err != nil {
			t.Fatal(err)
		}
		for i, out := range c.Out {
			if got := get(out, n); !equal(got, want[i]) {
				t.Fatalf("%s, table %s, result %d at %v: got %v, want %v", what, l.name, i, index, got, want[i])
			}
		}
	}
}

// commonOps are what random programs are made of, unless they are to have any operation.
var commonOps = []string{"add", "subtract", "multiply", "minimum", "maximum", "less", "where", "sqrt", "negative", "floor", "isnan", "divide", "square", "cast"}

// randomBody appends random operations of a list on real dtypes to b and returns the registers made, inputs included.
func randomBody(b *kernels.Builder, rng *rand.Rand, ops []string, regs []kernels.Reg, n int) []kernels.Reg {
	pick := func() kernels.Reg { return regs[rng.IntN(len(regs))] }
	for len(regs) < n {
		o, _ := kernels.OpByName(ops[rng.IntN(len(ops))])
		if o == nil || o.ID == kernels.OpCast {
			regs = append(regs, b.Cast(pick(), numeric[rng.IntN(len(numeric))]))
			continue
		}
		args := make([]kernels.Reg, o.Arity)
		in := make([]dtype.DType, o.Arity)
		for i := range args {
			args[i] = pick()
			if o.ID == kernels.OpWhere && i == 0 {
				args[i] = b.Cast(args[i], dtype.Bool)
			}
			in[i] = b.Type(args[i])
		}
		if _, _, err := o.Signature(in); err != nil {
			continue
		}
		regs = append(regs, b.Apply(o.ID, args...))
	}
	return regs
}

// programs runs random programs of several operations and results over one to four axes.
func (s *suite) programs(t *testing.T) {
	for seed := range uint64(150) {
		what := fmt.Sprintf("program of seed %d", seed)
		p, shape, ls := randomProgram(t, rand.New(rand.NewPCG(seed, 77)), commonOps)
		if k := s.compile(t, p, what); k != nil {
			s.checkBox(t, k, p, what, shape, ls, seed)
		}
	}
}

// randomProgram returns a program of several operations of a list, and a shape and layouts of its inputs.
func randomProgram(t *testing.T, rng *rand.Rand, ops []string) (*kernels.Program, chunk.Shape, []layout) {
	rank := 1 + rng.IntN(4)
	shape := randomShape(rng, rank, 600)
	b := kernels.NewBuilder(rank)
	var regs []kernels.Reg
	var ls []layout
	for range 1 + rng.IntN(3) {
		regs = append(regs, b.Input(kernels.In(numeric[rng.IntN(len(numeric))])))
		ls = append(ls, randomLayout(rng, rank))
	}
	c, _ := kernels.ConstOf(dtype.Float32, 2.5)
	regs = append(regs, b.Const(c), b.Index(rng.IntN(rank)))
	regs = randomBody(b, rng, ops, regs, len(regs)+1+rng.IntN(8))
	for range 1 + rng.IntN(3) {
		b.Ret(regs[rng.IntN(len(regs))])
	}
	p, err := b.Build()
	if err != nil {
		t.Fatalf("random program: %v", err)
	}
	return p, shape, ls
}

// randomShape returns a shape of about at most n elements; lengths of 1 are common, 0 is rare.
func randomShape(rng *rand.Rand, rank int, n int64) chunk.Shape {
	shape := make(chunk.Shape, rank)
	for i := range shape {
		shape[i] = 1
	}
	for _, i := range rng.Perm(rank) {
		switch rng.IntN(8) {
		case 0:
		case 1:
			if rng.IntN(6) == 0 {
				shape[i] = 0
			}
		default:
			shape[i] = 1 + rng.Int64N(max(1, min(n, 1+n/int64(1+rng.IntN(20)))))
		}
		n = n / max(shape[i], 1)
	}
	return shape
}

func randomLayout(rng *rand.Rand, rank int) layout {
	l := layout{name: "random", lead: rng.Int64N(9)}
	switch rng.IntN(6) {
	case 0:
		l.step = 1 + rng.Int64N(3)
	case 1:
		l.reverse = true
	case 2:
		l.turned = true
	case 3:
		l.repeat = kernels.AxisSet(rng.Uint32N(1 << rank))
	case 4:
		l.turned, l.reverse, l.step = rng.IntN(2) == 0, rng.IntN(2) == 0, rng.Int64N(4)
		l.repeat = kernels.AxisSet(rng.Uint32N(1 << rank))
	}
	return l
}
