// SPDX-License-Identifier: BSD-3-Clause

package optest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// numeric are the dtypes programs compute with.
var numeric = dtype.Reals()

// maxLen is the longest run of the length tests: all of 0..70, each at another alignment.
const maxLen = 70

// lane is one element of a case: the operands' values and the result's, or no result at all.
type lane struct {
	in   []kernels.Const
	want kernels.Const
	ok   bool
}

// opProgram returns the program out = op(inputs) over a loop of rank axes, nil when the
// operation does not take the dtypes.
func opProgram(t *testing.T, o *kernels.Op, in []dtype.DType, rank int) *kernels.Program {
	if _, _, err := o.Signature(in); err != nil {
		return nil
	}
	b := kernels.NewBuilder(rank)
	args := make([]kernels.Reg, len(in))
	for i, d := range in {
		args[i] = b.Input(kernels.In(d))
	}
	b.Ret(b.Apply(o.ID, args...))
	p, err := b.Build()
	if err != nil {
		t.Fatalf("%s%v: %v", o.Name, in, err)
	}
	return p
}

// operandTypes returns the dtypes to test op on when its main dtype is d.
func operandTypes(o *kernels.Op, d dtype.DType) []dtype.DType {
	in := make([]dtype.DType, o.Arity)
	for i := range in {
		in[i] = d
	}
	if o.ID == kernels.OpWhere {
		in[0] = dtype.Bool
	}
	return in
}

// lanesOf returns n elements of a program with their results by definition.
func lanesOf(p *kernels.Program, rng *rand.Rand, n int) []lane {
	out := make([]lane, n)
	for i := range out {
		l := &out[i]
		for _, port := range p.In {
			l.in = append(l.in, someValue(rng, port.DType))
		}
		if v, err := p.EvalLane(l.in); err == nil {
			l.want, l.ok = v[0], true
		}
	}
	return out
}

// usable returns the elements that have a result, so that a call of them cannot fail.
func usable(ls []lane) []lane {
	var out []lane
	for _, l := range ls {
		if l.ok {
			out = append(out, l)
		}
	}
	return out
}

// ops runs every operation on every dtype at the lengths 0 to maxLen.
func (s *suite) ops(t *testing.T) {
	for _, o := range kernels.AllOps() {
		if o.Internal || o.ID == kernels.OpCast || o.ID == kernels.OpBitcast {
			continue
		}
		t.Run(o.Name, func(t *testing.T) {
			for _, d := range numeric {
				p := opProgram(t, o, operandTypes(o, d), 1)
				if p == nil {
					continue
				}
				rng := rand.New(rand.NewPCG(uint64(o.ID), uint64(d)))
				all := len(p.Body) == 1 // a primitive: every length
				s.lengths(t, p, fmt.Sprintf("%s(%v)", o.Name, d), rng, all)
			}
		})
	}
}

// lengths runs a program of one result at lengths up to maxLen.
func (s *suite) lengths(t *testing.T, p *kernels.Program, what string, rng *rand.Rand, all bool) {
	k := s.compile(t, p, what)
	if k == nil {
		return
	}
	ls := usable(lanesOf(p, rng, maxLen))
	for n := 0; n <= len(ls); n++ {
		if !all && n%9 != 0 && n != len(ls) {
			continue
		}
		s.check(t, k, p, what, ls[:n], layout{lead: int64(n % 9)})
	}
}

// check runs a kernel on lanes along one axis and compares.
func (s *suite) check(t *testing.T, k kernels.Kernel, p *kernels.Program, what string, ls []lane, l layout) {
	t.Helper()
	shape := chunk.Shape{int64(len(ls))}
	c := &kernels.Call{Shape: shape, Origin: chunk.Shape{0}}
	for i, port := range p.In {
		c.In = append(c.In, s.guards.place(port.DType, shape, l, func(n int64) kernels.Const { return ls[n].in[i] }))
	}
	out := s.guards.output(p.RegType(p.Ret[0]), shape)
	c.Out = []*chunk.Chunk{out}
	if err := s.run(k, c); err != nil {
		t.Fatalf("%s, %d elements: %v\n%v", what, len(ls), err, p)
	}
	for i := range ls {
		if got := get(out, int64(i)); !equal(got, ls[i].want) {
			t.Fatalf("%s of %v at %d of %d (%s): got %v (%#x), want %v (%#x)\n%v", what, ls[i].in, i, len(ls), l.name, got, got.Bits, ls[i].want, ls[i].want.Bits, p)
		}
	}
}

// casts runs every conversion between dtypes.
func (s *suite) casts(t *testing.T) {
	for _, from := range numeric {
		for _, to := range numeric {
			b := kernels.NewBuilder(1)
			b.Ret(b.Cast(b.Input(kernels.In(from)), to))
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			s.lengths(t, p, fmt.Sprintf("cast(%v to %v)", from, to), rand.New(rand.NewPCG(uint64(from), uint64(to))), true)
			if from.Size() != to.Size() || from == dtype.Bool || to == dtype.Bool {
				continue
			}
			b = kernels.NewBuilder(1)
			b.Ret(b.Bitcast(b.Input(kernels.In(from)), to))
			if p, err = b.Build(); err != nil {
				t.Fatal(err)
			}
			s.lengths(t, p, fmt.Sprintf("bitcast(%v to %v)", from, to), rand.New(rand.NewPCG(uint64(from), uint64(to))), false)
		}
	}
}

// operandLayouts are the layouts every operand takes in turn.
var operandLayouts = []layout{
	{name: "plain"},
	{name: "step 2", step: 2, lead: 1},
	{name: "reversed", reverse: true},
	{name: "reversed, step 3", reverse: true, step: 3, lead: 2},
	{name: "transposed", turned: true},
	{name: "one value", repeat: kernels.Axes(0, 1, 2)},
	{name: "row", repeat: kernels.Axes(0, 1)},
	{name: "column", repeat: kernels.Axes(1, 2), lead: 3},
	{name: "plane", repeat: kernels.Axes(0)},
	{name: "middle", repeat: kernels.Axes(0, 2), step: 2},
	{name: "sheet", repeat: kernels.Axes(1), turned: true},
}

// layouts runs operations of one to three operands over three axes, the operands in every pair of layouts.
func (s *suite) layouts(t *testing.T) {
	shapes := []chunk.Shape{{2, 3, 5}, {1, 4, 33}, {3, 1, 1}, {2, 0, 4}, {5, 7, 1}}
	for _, d := range []dtype.DType{dtype.Uint8, dtype.Int16, dtype.Float32, dtype.Float64} {
		for _, name := range []string{"add", "less", "where", "square"} {
			o, _ := kernels.OpByName(name)
			p := opProgram(t, o, operandTypes(o, d), 3)
			k := s.compile(t, p, name)
			if k == nil {
				continue
			}
			for _, shape := range shapes {
				for i := range operandLayouts {
					for j := range operandLayouts {
						ls := []layout{operandLayouts[i], operandLayouts[j], operandLayouts[(i+j)%len(operandLayouts)]}
						s.checkBox(t, k, p, fmt.Sprintf("%s(%v)", name, d), shape, ls[:len(p.In)], 0)
					}
				}
			}
		}
	}
}

// checkBox runs a kernel over a shape, each operand in its layout, and compares with the definition.
func (s *suite) checkBox(t *testing.T, k kernels.Kernel, p *kernels.Program, what string, shape chunk.Shape, ls []layout, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, uint64(len(shape))))
	c := &kernels.Call{Shape: shape, Origin: make(chunk.Shape, len(shape))}
	for i := range c.Origin {
		c.Origin[i] = int64(100 * i)
	}
	for i, port := range p.In {
		values := make([]kernels.Const, shape.Size())
		for j := range values {
			values[j] = someValue(rng, port.DType)
		}
		c.In = append(c.In, s.guards.place(port.DType, shape, ls[i], func(n int64) kernels.Const { return values[n] }))
	}
	for _, r := range p.Ret {
		c.Out = append(c.Out, s.guards.output(p.RegType(r), shape))
	}
	if err := s.run(k, c); err != nil {
		t.Fatalf("%s %v %v: %v\n%v", what, shape, ls, err, p)
	}
	index := make([]int64, len(shape))
	for n := range shape.Size() {
		place(index, shape, n)
		want, in, err := evalAt(p, c, index)
		if err != nil {
			t.Fatal(err)
		}
		for i, out := range c.Out {
			if got := get(out, n); !equal(got, want[i]) {
				t.Fatalf("%s %v, operands %v, result %d at %v of %v: got %v (%#x), want %v (%#x)\n%v", what, shape, ls, i, index, in, got, got.Bits, want[i], want[i].Bits, p)
			}
		}
	}
}

// evalAt returns the results of a program at one index of a call, by definition, and the operands' values.
func evalAt(p *kernels.Program, c *kernels.Call, index []int64) (out, in []kernels.Const, err error) {
	regs := make([]kernels.Const, 0, len(p.In)+len(p.Consts)+len(p.Body))
	for i, port := range p.In {
		at2 := append([]int64(nil), index...)
		if port.Gather >= 0 {
			id := at(c.In[port.GatherIDs], index).Int64()
			if id < 0 {
				regs = append(regs, missing(port.DType))
				continue
			}
			at2[port.Gather] = id
		}
		regs = append(regs, at(c.In[i], at2))
	}
	in = append(in, regs...)
	regs = append(regs, p.Consts...)
	for _, inst := range p.Body {
		v := kernels.Const{DType: dtype.Int64}
		if inst.Op == kernels.OpIndex {
			v.Bits = uint64(c.Origin[inst.Aux] + index[inst.Aux])
		} else if v, err = p.EvalInst(inst, regs); err != nil {
			return nil, in, err
		}
		regs = append(regs, v)
	}
	for _, r := range p.Ret {
		out = append(out, regs[r])
	}
	return out, in, nil
}

// missing is what a gather of no element reads.
func missing(d dtype.DType) kernels.Const {
	if d.IsFloat() {
		c, _ := kernels.ConstOf(d, nan)
		return c
	}
	return kernels.Const{DType: d}
}
