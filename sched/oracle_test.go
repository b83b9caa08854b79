// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// fakeSource is a chunked source in Go memory that can only be read chunk by
// chunk. It counts reads and can fail.
type fakeSource struct {
	meta  formats.ArrayMeta
	data  *chunk.Chunk
	reads atomic.Int64
	fail  func(k chunk.Key) error
}

func (s *fakeSource) Meta() *formats.ArrayMeta { return &s.meta }
func (s *fakeSource) ScratchBytes() int64      { return 1 << 10 }
func (s *fakeSource) ReadChunk(_ context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	s.reads.Add(1)
	if s.fail != nil {
		if err := s.fail(k); err != nil {
			return 0, err
		}
	}
	r := s.meta.Grid.Region(k)
	if !dst.Shape.Equal(r.Shape()) {
		return 0, fmt.Errorf("read of chunk %v: dst has shape %v, want %v", k, dst.Shape, r.Shape())
	}
	formats.CopyElems(dst, s.data.Sub(r))
	return dst.Shape.Size() * int64(dst.ItemBytes), nil
}

// newFake returns a source of random elements.
func newFake(rnd *rand.Rand, dt dtype.DType, grid chunk.Grid) *fakeSource {
	c := heapChunk(dt, grid.Shape)
	if c.Shape.Size() > 1e5 {
		return &fakeSource{meta: fakeMeta(dt, grid), data: cheap(c)}
	}
	for i := range c.Shape.Size() {
		v := rnd.IntN(40) - 12
		if !dt.IsFloat() {
			v = max(v, 0)
		}
		if dt == dtype.Bool {
			v &= 1
		}
		k, err := kernels.ConstOf(dt, v)
		if err != nil {
			panic(err)
		}
		if dt.IsFloat() {
			x := float64(v) * (1 + rnd.Float64())
			if rnd.IntN(9) == 0 {
				x = math.NaN()
			}
			k, _ = kernels.ConstOf(dt, x)
		}
		setConst(c, i, k)
	}
	return &fakeSource{meta: fakeMeta(dt, grid), data: c}
}

func fakeMeta(dt dtype.DType, grid chunk.Grid) formats.ArrayMeta {
	return formats.ArrayMeta{Shape: grid.Shape, DType: dt, ItemBytes: dt.Size(), Grid: grid, Chunked: true, Bytes: -1}
}

// cheap fills a large chunk with small numbers.
func cheap(c *chunk.Chunk) *chunk.Chunk {
	switch c.DType {
	case dtype.Float32:
		for i, s := 0, chunk.Slice[float32](c); i < len(s); i++ {
			s[i] = float32(i % 1009)
		}
	case dtype.Float64:
		for i, s := 0, chunk.Slice[float64](c); i < len(s); i++ {
			s[i] = float64(i % 1013)
		}
	case dtype.Int16:
		for i, s := 0, chunk.Slice[int16](c); i < len(s); i++ {
			s[i] = int16(i % 997)
		}
	default:
		panic("no cheap " + c.DType.String())
	}
	return c
}

func heapChunk(dt dtype.DType, shape chunk.Shape) *chunk.Chunk {
	c, err := chunk.New(testPool, dt, 0, shape)
	if err != nil {
		panic(err)
	}
	return c
}

func constAt(c *chunk.Chunk, o int64) kernels.Const {
	n := int64(c.ItemBytes)
	k := kernels.Const{DType: c.DType}
	for j, b := range c.Block.Bytes()[o*n : (o+1)*n] {
		k.Bits |= uint64(b) << (8 * j)
	}
	return k
}

func setConst(c *chunk.Chunk, o int64, k kernels.Const) {
	n := int64(c.ItemBytes)
	for j := range n {
		c.Block.Bytes()[o*n+j] = byte(k.Bits >> (8 * j))
	}
}

// fakeSink assembles an output and reports chunks written twice or not at all.
type fakeSink struct {
	t       testing.TB
	grid    chunk.Grid
	data    *chunk.Chunk
	mu      sync.Mutex
	written map[int64]bool
	fail    error
}

func newSink(t testing.TB, dt dtype.DType, grid chunk.Grid) *fakeSink {
	return &fakeSink{t: t, grid: grid, data: heapChunk(dt, grid.Shape), written: map[int64]bool{}}
}

func (s *fakeSink) Grid() chunk.Grid    { return s.grid }
func (s *fakeSink) ScratchBytes() int64 { return 1 << 10 }
func (s *fakeSink) WriteChunk(_ context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	if s.fail != nil {
		return 0, s.fail
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written[s.grid.Linear(k)] {
		s.t.Errorf("chunk %v was written twice", k)
	}
	s.written[s.grid.Linear(k)] = true
	formats.CopyElems(s.data.Sub(s.grid.Region(k)), c)
	return c.Shape.Size() * int64(c.ItemBytes), nil
}

func (s *fakeSink) complete() {
	s.t.Helper()
	if int64(len(s.written)) != s.grid.Len() {
		s.t.Errorf("%d chunks were written, want %d", len(s.written), s.grid.Len())
	}
}

// oracle computes nodes one element at a time.
type oracle struct {
	t    testing.TB
	memo map[*graph.Node][]kernels.Const
}

func evaluate(t testing.TB, n *graph.Node) []kernels.Const {
	return (&oracle{t, map[*graph.Node][]kernels.Const{}}).eval(n)
}

func position(x []int64, shape chunk.Shape) int64 {
	o := int64(0)
	for i, d := range shape {
		p := x[i+len(x)-len(shape)]
		if d == 1 {
			p = 0
		}
		o = o*d + p
	}
	return o
}

func eachIndex(shape chunk.Shape, f func(x []int64)) {
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

func (e *oracle) eval(n *graph.Node) []kernels.Const {
	if v, ok := e.memo[n]; ok {
		return v
	}
	in := make([][]kernels.Const, len(n.In))
	for i, x := range n.In {
		in[i] = e.eval(x)
	}
	out := make([]kernels.Const, 0, n.Shape().Size())
	put := func(c kernels.Const) { out = append(out, c) }
	switch a := n.Arg.(type) {
	case graph.LoadArg:
		c := a.Source.(*fakeSource).data
		for i := range c.Shape.Size() {
			put(constAt(c, i))
		}
	case graph.FillArg:
		eachIndex(n.Shape(), func(x []int64) {
			if a.Axis >= 0 {
				put(kernels.Const{DType: dtype.Int64, Bits: uint64(x[a.Axis])})
				return
			}
			put(a.Const)
		})
	case graph.MapArg:
		eachIndex(n.Shape(), func(x []int64) {
			args := make([]kernels.Const, len(in))
			for i := range in {
				args[i] = in[i][position(x, n.In[i].Shape())]
			}
			c, err := kernels.EvalConst(a.Op, n.DType, args...)
			if err != nil {
				e.t.Fatal(err)
			}
			put(c)
		})
	case graph.SelectArg:
		eachIndex(n.Shape(), func(x []int64) {
			y := append([]int64(nil), a.Fixed...)
			for i, s := range a.Axes {
				if s.In < 0 {
					continue
				}
				if y[s.In] = s.Pos(x[i]); y[s.In] < 0 {
					c := kernels.Const{DType: n.DType}
					if n.DType.IsFloat() {
						c, _ = kernels.ConstOf(n.DType, math.NaN())
					}
					put(c)
					return
				}
			}
			o := int64(0)
			for i, d := range n.In[0].Shape() {
				o = o*d + y[i]
			}
			put(in[0][o])
		})
	case graph.PermuteArg:
		eachIndex(n.Shape(), func(x []int64) {
			y := make([]int64, len(x))
			for i, k := range a.Axes {
				y[k] = x[i]
			}
			o := int64(0)
			for i, d := range n.In[0].Shape() {
				o = o*d + y[i]
			}
			put(in[0][o])
		})
	case graph.StackArg:
		eachIndex(n.Shape(), func(x []int64) {
			y, i := append([]int64(nil), x...), 0
			for y[a.Axis] >= n.In[i].Shape()[a.Axis] {
				y[a.Axis] -= n.In[i].Shape()[a.Axis]
				i++
			}
			o := int64(0)
			for k, d := range n.In[i].Shape() {
				o = o*d + y[k]
			}
			put(in[i][o])
		})
	case graph.RechunkArg:
		out = in[0]
	case graph.ScanArg:
		out = e.scan(n, a, in[0])
	case graph.ReduceArg:
		out = e.fold(n, a, in)
	case graph.OpaqueArg:
		at := chunk.Whole(n.Shape())
		list := make([]*chunk.Chunk, len(in))
		for i := range in {
			need := a.Need(i, at)
			if !need.Equal(chunk.Whole(n.In[i].Shape())) {
				e.t.Fatalf("oracle: %s needs %v of %v", a.Key, need, n.In[i].Shape())
			}
			list[i] = heapChunk(n.In[i].DType, n.In[i].Shape())
			for k, c := range in[i] {
				setConst(list[i], int64(k), c)
			}
		}
		c := heapChunk(n.DType, n.Shape())
		if err := a.Run(context.Background(), graph.OpaqueCall{At: at, Out: c, In: list, Device: ref.New()}); err != nil {
			e.t.Fatal(err)
		}
		for i := range c.Shape.Size() {
			put(constAt(c, i))
		}
	default:
		e.t.Fatalf("oracle: kind %d", n.Kind)
	}
	e.memo[n] = out
	return out
}

// scan takes elements in row-major order: those before each one along the axis come first.
func (e *oracle) scan(n *graph.Node, a graph.ScanArg, in []kernels.Const) []kernels.Const {
	out := make([]kernels.Const, len(in))
	step := chunk.Shape(n.Shape()[a.Axis+1:]).Size()
	for i, c := range in {
		out[i] = c
		if int64(i)/step%n.Shape()[a.Axis] == 0 {
			continue
		}
		before, err := out[int64(i)-step], error(nil)
		switch a.Op {
		case kernels.ScanSum:
			out[i], err = kernels.EvalConst(kernels.OpAdd, n.DType, before, c)
		case kernels.ScanProd:
			out[i], err = kernels.EvalConst(kernels.OpMultiply, n.DType, before, c)
		case kernels.ScanPush:
			if c.IsNaN() {
				out[i] = before
			}
		default:
			e.t.Fatalf("oracle: %v", a)
		}
		if err != nil {
			e.t.Fatal(err)
		}
	}
	return out
}

// fold computes reductions in plain order, in float64.
func (e *oracle) fold(n *graph.Node, a graph.ReduceArg, in [][]kernels.Const) []kernels.Const {
	r := kernels.ReductionOf(a.Op)
	lists := make([][]float64, n.Shape().Size())
	places := make([][]int64, len(lists))
	set := kernels.Axes(a.Axes...)
	shape := n.In[0].Shape()
	eachIndex(shape, func(x []int64) {
		o, at := int64(0), int64(0)
		axis := 0
		step := func(p int64) {
			o = o*n.Shape()[axis] + p
			axis++
		}
		group := int64(-1)
		if a.Groups > 0 && a.IDs == nil {
			group = int64(int32(in[1][position(x, n.In[1].Shape())].Bits))
			if group < 0 || group >= a.Groups {
				return
			}
			step(group)
		}
		for i := range x {
			switch {
			case !set.Has(i):
				step(x[i])
			case a.IDs != nil:
				if group = int64(a.IDs[x[i]]); group < 0 {
					return
				}
				step(group)
			case a.KeepDims:
				step(0)
			}
			if set.Has(i) {
				at = at*shape[i] + x[i]
			}
		}
		v := in[0][position(x, shape)].Float64()
		if r.SkipNaN && math.IsNaN(v) {
			return
		}
		lists[o] = append(lists[o], v)
		places[o] = append(places[o], at)
	})
	out := make([]kernels.Const, len(lists))
	for i, l := range lists {
		v := foldList(r, l, places[i], a.Params.DDof)
		c, err := kernels.ConstOf(dtype.Float64, v)
		if err == nil {
			c, err = kernels.EvalConst(kernels.OpCast, n.DType, c)
		}
		if err != nil {
			e.t.Fatal(err)
		}
		out[i] = c
	}
	return out
}

func foldList(r *kernels.Reduction, l []float64, at []int64, ddof float64) float64 {
	switch r.Name {
	case "count", "count_nonzero":
		n := 0.0
		for _, v := range l {
			if r.Name == "count" || v != 0 {
				n++
			}
		}
		return n
	case "sum", "nansum", "mean", "nanmean":
		s := 0.0
		for _, v := range l {
			s += v
		}
		if r.Name == "mean" || r.Name == "nanmean" {
			return s / float64(len(l))
		}
		return s
	case "var", "nanvar":
		s, q := 0.0, 0.0
		for _, v := range l {
			s += v
		}
		for _, v := range l {
			q += (v - s/float64(len(l))) * (v - s/float64(len(l)))
		}
		return q / (float64(len(l)) - ddof)
	case "any":
		for _, v := range l {
			if v != 0 {
				return 1
			}
		}
		return 0
	}
	best, where := math.NaN(), -1.0
	for i, v := range l {
		if math.IsNaN(v) && !math.IsNaN(best) || where < 0 || (r.Name == "max" || r.Name == "nanmax" || r.Name == "argmax") && v > best || (r.Name == "min" || r.Name == "nanmin") && v < best {
			best, where = v, float64(at[i])
		}
	}
	if r.Name == "argmax" {
		return where
	}
	return best
}
