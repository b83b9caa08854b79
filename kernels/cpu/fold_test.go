// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// runUnit compiles and runs a unit.
func runUnit(t *testing.T, dev kernels.Device, u kernels.Unit, c *kernels.Call) {
	t.Helper()
	k, err := dev.Compile(context.Background(), u)
	if err != nil {
		t.Fatalf("compile: %v\n%v", err, u)
	}
	c.Scratch = mem.Wrap(make([]byte, k.Scratch(c.Shape)))
	if err := k.Run(context.Background(), c); err != nil {
		t.Fatalf("run: %v\n%v", err, u)
	}
}

func newChunk(dt dtype.DType, shape chunk.Shape) *chunk.Chunk {
	b := make([]byte, shape.Size()*int64(dt.Size())+mem.Align)
	return &chunk.Chunk{DType: dt, ItemBytes: int32(dt.Size()), Shape: shape.Clone(), Strides: shape.RowMajor(), Block: mem.Wrap(b)}
}

// reduce folds x over axes as an engine does: one kernel call for each cell of the grid (which may only cut
// the axes that are reduced), in the order of perm (nil: the natural one), the joins of the tree, and the aggregate.
func reduce(t *testing.T, dev kernels.Device, r *kernels.Reduction, x *chunk.Chunk, axes kernels.AxisSet, g chunk.Grid, ddof float64, rng *rand.Rand) *chunk.Chunk {
	rank := len(x.Shape)
	var kept chunk.Shape
	for i, d := range x.Shape {
		if !axes.Has(i) {
			kept = append(kept, d)
		}
	}
	b := kernels.NewBuilder(rank)
	f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{b.Input(kernels.In(x.DType))}, Axes: axes, Group: -1}
	if r.Indexed {
		f.Args = append(f.Args, b.Index(axis(axes)))
	}
	b.Fold(f)
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	// Blocks are numbered by cell, then within it.
	var first []int64
	total := int64(0)
	for i := range g.Len() {
		first = append(first, total)
		total += kernels.FoldBlocks(g.Region(g.At(i, nil)).Shape(), axes)
	}
	state := r.State(x.DType)
	join, err := dev.Compile(context.Background(), kernels.CombineOf(r.ID, state))
	if err != nil {
		t.Fatal(err)
	}
	var joined []*chunk.Chunk
	tree := kernels.NewTree(total, func(ctx context.Context, dst, src []*chunk.Chunk) error {
		return join.Run(ctx, &kernels.Call{Out: dst, In: src, Shape: dst[0].Shape})
	})
	for _, i := range rng.Perm(int(g.Len())) {
		region := g.Region(g.At(int64(i), nil))
		shape := region.Shape()
		c := &kernels.Call{In: []*chunk.Chunk{x.Sub(region)}, Origin: region.Lo, Shape: shape}
		for _, s := range state {
			c.Out = append(c.Out, newChunk(s.DType, append(chunk.Shape{kernels.FoldBlocks(shape, axes)}, kept...)))
		}
		runUnit(t, dev, p, c)
		for b := range c.Out[0].Shape[0] {
			s, done, err := tree.Insert(context.Background(), kernels.TreeNode{Index: first[i] + b}, block(c.Out, b))
			if err != nil {
				t.Fatal(err)
			}
			if done {
				joined = s
			}
		}
	}
	if joined == nil {
		t.Fatal("the tree has no result")
	}
	a := kernels.NewBuilder(len(kept))
	var regs []kernels.Reg
	for _, s := range state {
		regs = append(regs, a.Input(kernels.In(s.DType)))
	}
	a.Ret(r.Aggregate(a, regs, x.DType, kernels.Params{DDof: ddof}))
	q, err := a.Build()
	if err != nil {
		t.Fatal(err)
	}
	out := newChunk(q.RegType(q.Ret[0]), kept)
	want, err := r.Result(x.DType)
	if err != nil || out.DType != want {
		t.Fatalf("%s of %v: aggregate has dtype %v, Result says %v, %v", r.Name, x.DType, out.DType, want, err)
	}
	runUnit(t, dev, q, &kernels.Call{In: joined, Out: []*chunk.Chunk{out}, Origin: make(chunk.Shape, len(kept)), Shape: kept})
	return out
}

// block returns the state of one block of several.
func block(states []*chunk.Chunk, b int64) []*chunk.Chunk {
	out := make([]*chunk.Chunk, len(states))
	for i, c := range states {
		v := *c
		v.Offset += b * c.Strides[0]
		v.Shape, v.Strides = c.Shape[1:], c.Strides[1:]
		out[i] = &v
	}
	return out
}

// axis returns the one axis of a set, or the first of several.
func axis(s kernels.AxisSet) int {
	for i := range kernels.MaxAxes {
		if s.Has(i) {
			return i
		}
	}
	return 0
}

// TestFoldOrderLaw cuts arrays along their reduced axes and folds the cells in several orders, on both devices.
func TestFoldOrderLaw(t *testing.T) {
	fast, slow := cpu.New(cpu.Options{}), ref.New()
	defer fast.Close()
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 5))
		rank := 1 + rng.IntN(3)
		shape := make(chunk.Shape, rank)
		steps := make([]int64, rank)
		axes := kernels.AxisSet(1 + rng.Uint32N(1<<rank-1))
		for i := range shape {
			shape[i] = 1 + rng.Int64N([]int64{9000, 60, 18}[rank-1])
			if steps[i] = shape[i]; axes.Has(i) {
				steps[i] = 1 + rng.Int64N(shape[i])
			}
		}
		if rank == 1 {
			steps[0] = 100 + rng.Int64N(5000)
		}
		x := newChunk(dtype.Float32, shape)
		for i := range chunk.Slice[float32](x) {
			chunk.Slice[float32](x)[i] = float32(rng.NormFloat64())
		}
		g := chunk.Regular(shape, steps...)
		rs := kernels.AllReductions()
		r := rs[seed%uint64(len(rs))]
		if r.Indexed {
			axes = kernels.Axes(axis(axes))
			for i := range steps {
				if !axes.Has(i) {
					steps[i] = shape[i]
				}
			}
			g = chunk.Regular(shape, steps...)
		}
		want := reduce(t, slow, r, x, axes, g, 0, rng)
		for range 2 {
			got := reduce(t, fast, r, x, axes, g, 0, rng)
			for i, b := range got.Bytes() {
				if b != want.Bytes()[i] {
					t.Fatalf("seed %d: %s over %b of %v by %v: byte %d is %#x, want %#x", seed, r.Name, axes, shape, steps, i, b, want.Bytes()[i])
				}
			}
		}
	}
}

func numbers(t *testing.T, s string) []int64 {
	var out []int64
	for f := range strings.SplitSeq(s, ",") {
		if f == "" {
			continue
		}
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// TestFoldsOfNumPy compares whole reductions with NumPy's: integers, positions, extremes and truth exactly, floats
// within the rounding of one operation in their own dtype, float64 sums within 4 ulp.
func TestFoldsOfNumPy(t *testing.T) {
	text, err := os.ReadFile("testdata/folds.txt")
	if err != nil {
		t.Fatal(err)
	}
	dev := cpu.New(cpu.Options{})
	defer dev.Close()
	rng := rand.New(rand.NewPCG(1, 1))
	for n, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		part := strings.Split(line, " | ")
		head := strings.Fields(part[0])
		dt, err := dtype.Parse(head[1])
		if err != nil {
			t.Fatal(err)
		}
		shape := chunk.Shape(numbers(t, head[2]))
		var axes kernels.AxisSet
		for _, a := range numbers(t, head[3]) {
			axes |= kernels.Axes(int(a))
		}
		ddof, _ := strconv.ParseFloat(head[4], 64)
		x := newChunk(dt, shape)
		if _, err := hex.Decode(x.Bytes(), []byte(part[1])); err != nil {
			t.Fatal(err)
		}
		r, ok := kernels.ReductionByName(head[0])
		if !ok {
			t.Fatalf("line %d: %s is not in the table", n+1, head[0])
		}
		got := reduce(t, dev, r, x, axes, chunk.Regular(shape), ddof, rng)
		if part[2] == "error" {
			negative := false
			for _, v := range chunk.Slice[int64](got) {
				negative = negative || v < 0
			}
			if !r.NegativeIsError || !negative {
				t.Errorf("line %d: %s: got %v, want a sign of NumPy's error", n+1, part[0], chunk.Slice[int64](got))
			}
			continue
		}
		tail := strings.Split(part[2], " ")
		if got.DType.String() != tail[0] {
			t.Errorf("line %d: %s: dtype %v, want %s", n+1, part[0], got.DType, tail[0])
			continue
		}
		want := newChunk(got.DType, numbers(t, tail[1]))
		if _, err := hex.Decode(want.Bytes(), []byte(tail[2])); err != nil {
			t.Fatal(err)
		}
		if !want.Shape.Equal(got.Shape) {
			t.Errorf("line %d: %s: shape %v, want %v", n+1, part[0], got.Shape, want.Shape)
			continue
		}
		ulp := int64(1)
		if dt == dtype.Float64 || !dt.IsFloat() {
			ulp = 4
		}
		for i := range want.Shape.Size() {
			if d := apart(got, want, i); d > ulp || d > 0 && !got.DType.IsFloat() {
				t.Errorf("line %d: %s: element %d: %s, want %s: %d apart", n+1, part[0], i, value(got, i), value(want, i), d)
				break
			}
		}
	}
}

func bitsAt(c *chunk.Chunk, i int64) uint64 {
	n := int64(c.ItemBytes)
	var v uint64
	for j, b := range c.Bytes()[i*n : (i+1)*n] {
		v |= uint64(b) << (8 * j)
	}
	return v
}

func value(c *chunk.Chunk, i int64) string {
	return fmt.Sprint(kernels.Const{DType: c.DType, Bits: bitsAt(c, i)})
}

// apart returns how many values of the dtype lie between two elements; two NaNs are equal.
func apart(a, b *chunk.Chunk, i int64) int64 {
	x, y := kernels.Const{DType: a.DType, Bits: bitsAt(a, i)}, kernels.Const{DType: b.DType, Bits: bitsAt(b, i)}
	switch {
	case x.IsNaN() && y.IsNaN() || x.Bits == y.Bits:
		return 0
	case !x.DType.IsFloat() || x.IsNaN() || y.IsNaN():
		return math.MaxInt64
	}
	key := func(c kernels.Const) int64 {
		s := 64 - 8*uint(c.DType.Size())
		v := int64(c.Bits<<s) >> s
		if v < 0 {
			v = -int64(uint64(v) << (s + 1) >> (s + 1))
		}
		return v
	}
	d := key(x) - key(y)
	if d < 0 {
		d = -d
	}
	return d
}
