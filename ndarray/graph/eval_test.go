// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
)

// testSource is a source whose elements are computed from their position.
type testSource struct {
	meta formats.ArrayMeta
	data []kernels.Const
}

func (s *testSource) Meta() *formats.ArrayMeta { return &s.meta }
func (s *testSource) ScratchBytes() int64      { return 0 }
func (s *testSource) ReadChunk(context.Context, chunk.Key, *chunk.Chunk) (int64, error) {
	return 0, fmt.Errorf("a test source is never read")
}

// source returns a source of random elements of dt.
func source(t testing.TB, rnd *rand.Rand, dt dtype.DType, grid chunk.Grid) *testSource {
	s := &testSource{meta: formats.ArrayMeta{Shape: grid.Shape, DType: dt, ItemBytes: dt.Size(), Grid: grid}}
	s.data = make([]kernels.Const, grid.Shape.Size())
	for i := range s.data {
		var err error
		switch {
		case dt == dtype.Bool:
			s.data[i], err = kernels.ConstOf(dt, rnd.IntN(2) == 1)
		case dt.IsInteger():
			s.data[i], err = kernels.ConstOf(dt, int64(rnd.IntN(100)))
		default:
			s.data[i], err = kernels.ConstOf(dt, rnd.NormFloat64()*math.Pow(10, float64(rnd.IntN(8))))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// value is a whole array in C order.
type value struct {
	shape chunk.Shape
	data  []kernels.Const
}

func (v value) at(x []int64) kernels.Const {
	o := int64(0)
	for i, p := range x {
		o = o*v.shape[i] + p
	}
	return v.data[o]
}

// each calls f with every index of shape in C order.
func each(shape chunk.Shape, f func(x []int64)) {
	x := make([]int64, len(shape))
	for n := shape.Size(); n > 0; n-- {
		f(x)
		for i := len(x) - 1; i >= 0; i-- {
			if x[i]++; x[i] < shape[i] {
				break
			}
			x[i] = 0
		}
	}
}

// evaluator computes nodes one element at a time: the meaning of a graph, for tests.
type evaluator struct {
	t    testing.TB
	memo map[*Node]value
}

func evalAll(t testing.TB, outs []*Node) []value {
	e := &evaluator{t, map[*Node]value{}}
	list := make([]value, len(outs))
	for i, n := range outs {
		list[i] = e.eval(n)
	}
	return list
}

func (e *evaluator) eval(n *Node) value {
	if v, ok := e.memo[n]; ok {
		return v
	}
	in := make([]value, len(n.In))
	for i, x := range n.In {
		in[i] = e.eval(x)
	}
	v := value{shape: n.Grid.Shape}
	put := func(c kernels.Const) { v.data = append(v.data, c) }
	switch a := n.Arg.(type) {
	case LoadArg:
		v.data = a.Source.(*testSource).data
	case FillArg:
		each(v.shape, func(x []int64) {
			if a.Axis >= 0 {
				put(int64Const(x[a.Axis]))
				return
			}
			put(a.Const)
		})
	case MapArg:
		each(v.shape, func(x []int64) {
			args := make([]kernels.Const, len(in))
			for i, p := range in {
				args[i] = p.at(broadcastIndex(x, p.shape))
			}
			c, err := kernels.EvalConst(a.Op, n.DType, args...)
			if err != nil {
				e.t.Fatalf("%s: %v", opName(a.Op), err)
			}
			put(c)
		})
	case ReduceArg:
		v.data = e.fold(n, a, in)
	case ScanArg:
		v.data = e.scan(n, a, in[0])
	case SelectArg:
		each(v.shape, func(x []int64) { put(selectAt(a, in[0], x, n.DType)) })
	case PermuteArg:
		each(v.shape, func(x []int64) {
			y := make([]int64, len(x))
			for i, k := range a.Axes {
				y[k] = x[i]
			}
			put(in[0].at(y))
		})
	case StackArg:
		each(v.shape, func(x []int64) {
			y, i := append([]int64(nil), x...), 0
			for y[a.Axis] >= in[i].shape[a.Axis] {
				y[a.Axis] -= in[i].shape[a.Axis]
				i++
			}
			put(in[i].at(y))
		})
	case RechunkArg:
		v.data = in[0].data
	default:
		e.t.Fatalf("no meaning for %v", n.Kind)
	}
	e.memo[n] = v
	return v
}

// scan takes the elements in sequence, row-major: those before each one along the axis come first.
func (e *evaluator) scan(n *Node, a ScanArg, in value) []kernels.Const {
	out := value{shape: in.shape, data: make([]kernels.Const, len(in.data))}
	o := int64(0)
	each(in.shape, func(x []int64) {
		c := in.at(x)
		if x[a.Axis] > 0 {
			y := append([]int64(nil), x...)
			y[a.Axis]--
			before, err := out.at(y), error(nil)
			switch a.Op {
			case kernels.ScanSum:
				c, err = kernels.EvalConst(kernels.OpAdd, n.DType, before, c)
			case kernels.ScanProd:
				c, err = kernels.EvalConst(kernels.OpMultiply, n.DType, before, c)
			case kernels.ScanPush:
				if c.IsNaN() {
					c = before
				}
			default:
				e.t.Fatalf("no meaning for %v", a)
			}
			if err != nil {
				e.t.Fatal(err)
			}
		}
		out.data[o] = c
		o++
	})
	return out.data
}

func broadcastIndex(x []int64, shape chunk.Shape) []int64 {
	y := append([]int64(nil), x[len(x)-len(shape):]...)
	for i, d := range shape {
		if d == 1 {
			y[i] = 0
		}
	}
	return y
}

func selectAt(a SelectArg, in value, x []int64, dt dtype.DType) kernels.Const {
	y := append([]int64(nil), a.Fixed...)
	for i, s := range a.Axes {
		if s.In < 0 {
			continue
		}
		if y[s.In] = s.Pos(x[i]); y[s.In] < 0 {
			c := kernels.Const{DType: dt}
			if dt.IsFloat() {
				c, _ = kernels.ConstOf(dt, math.NaN())
			}
			return c
		}
	}
	return in.at(y)
}

// fold sums (or counts, or takes the maximum) in an order that, like the real one,
// follows from the operand's grid, its rank and whether its last axis is reduced: a rewrite that changes any of
// them changes the bits of the sum.
func (e *evaluator) fold(n *Node, a ReduceArg, in []value) []kernels.Const {
	op, grid := n.In[0], n.In[0].Grid
	lastReduced := len(a.Axes) > 0 && a.Axes[len(a.Axes)-1] == len(grid.Axes)-1
	out := make([]kernels.Const, n.Grid.Shape.Size())
	name := kernels.ReductionOf(a.Op).Name
	type acc struct {
		total, part float64
		cell, n     int64
	}
	accs := make([]acc, len(out))
	kept := keptAxes(a, len(grid.Axes))
	for cell := range grid.Len() {
		r := grid.Region(grid.At(cell, nil))
		each(r.Shape(), func(x []int64) {
			y := make([]int64, len(x))
			for i := range x {
				y[i] = x[i] + r.Lo[i]
			}
			o := int64(0)
			for i, k := range kept {
				p := int64(0)
				switch {
				case k >= 0:
					p = y[k]
				case a.Groups > 0 && a.IDs != nil:
					p = int64(a.IDs[y[a.Axes[0]]])
				case a.Groups > 0:
					p = in[1].at(broadcastIndex(y, in[1].shape)).Int64()
				}
				if p < 0 {
					return
				}
				o = o*n.Grid.Shape[i] + p
			}
			c := in[0].at(y)
			v := c.Float64()
			s := &accs[o]
			if s.cell != cell || s.n == 0 {
				s.total += s.part
				s.part, s.cell = 0, cell
			}
			switch {
			case name == "max" && (s.n == 0 || v > s.part):
				s.part = v
			case name == "sum" && lastReduced:
				s.part = v + s.part*1.0000000001 // another order than below
			case name == "sum":
				s.part += v
			}
			if name == "max" {
				s.total = 0
			}
			s.n++
		})
	}
	for i := range out {
		s := accs[i]
		v := s.total + s.part
		var err error
		switch {
		case name == "count":
			out[i], err = kernels.ConstOf(n.DType, s.n)
		case n.DType.IsInteger():
			out[i], err = kernels.ConstOf(n.DType, int64(v))
		default:
			out[i], err = kernels.ConstOf(n.DType, v)
		}
		if err != nil {
			e.t.Fatalf("%s of %v: %v", name, op.DType, err)
		}
	}
	return out
}

// sameBits reports whether two arrays are equal bit for bit, NaN equal to NaN.
func sameBits(a, b value) error {
	if !a.shape.Equal(b.shape) {
		return fmt.Errorf("shape: got %v, want %v", b.shape, a.shape)
	}
	for i := range a.data {
		if a.data[i] != b.data[i] && !(a.data[i].IsNaN() && b.data[i].IsNaN() && a.data[i].DType == b.data[i].DType) {
			return fmt.Errorf("element %d: got %v, want %v", i, b.data[i], a.data[i])
		}
	}
	return nil
}
