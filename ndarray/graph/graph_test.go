// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// cutsOf returns where a's chunks begin and end.
func cutsOf(a chunk.Axis) []int64 {
	out := []int64{0}
	for k := range a.Count() {
		_, hi := a.Bounds(k)
		out = append(out, hi)
	}
	return out
}

// TestSelectAxisLaw: a slice is cut exactly where neighbouring positions lie in different chunks.
func TestSelectAxisLaw(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for i := range 20000 {
		n := 1 + rnd.Int64N(40)
		a := randomGrid(rnd, chunk.Shape{n}).Axes[0]
		start, step := rnd.Int64N(n), 1+rnd.Int64N(6)
		most := (n-1-start)/step + 1
		if rnd.IntN(2) == 0 {
			most, step = start/step+1, -step
		}
		s := AxisSel{Start: start, Step: step, Len: 1 + rnd.Int64N(most)}
		want := []int64{0}
		for k := int64(1); k < s.Len; k++ {
			if a.Find(s.Pos(k)) != a.Find(s.Pos(k-1)) {
				want = append(want, k)
			}
		}
		want = append(want, s.Len)
		got := selectAxis(a, s)
		if !slices.Equal(cutsOf(got), want) || !validGrid(gridOf([]chunk.Axis{got})) {
			t.Fatalf("case %d: selectAxis(%v, %v) = %v, want cuts %v", i, cutsOf(a), s, got, want)
		}
		if got.Edges != nil && normal(got.Len, got.Edges).Edges == nil {
			t.Fatalf("case %d: selectAxis(%v, %v) holds edges a step could say: %v", i, cutsOf(a), s, got.Edges)
		}
	}
}

// TestStackAxisLaw: axes laid end to end keep their cuts.
func TestStackAxisLaw(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for i := range 20000 {
		list := make([]chunk.Axis, 1+rnd.IntN(4))
		want := []int64{0}
		at := int64(0)
		for k := range list {
			list[k] = randomGrid(rnd, chunk.Shape{rnd.Int64N(9)}).Axes[0]
			for _, p := range cutsOf(list[k])[1:] {
				want = append(want, at+p)
			}
			at += list[k].Len
		}
		if got := stackAxis(list); !slices.Equal(cutsOf(got), want) || got.Len != at {
			t.Fatalf("case %d: stackAxis(%v) = %v, want cuts %v", i, list, got, want)
		}
	}
}

// TestEdgesAreCapped: no axis holds more edges than the cap, however many chunks there are.
func TestEdgesAreCapped(t *testing.T) {
	a := chunk.Axis{Len: 1 << 40, Step: 3}
	s := selectAxis(a, AxisSel{Start: 1, Step: 1, Len: 1<<40 - 5})
	if s.Edges != nil || s.Step != 3 {
		t.Errorf("a slice of 2**40 positions off the chunks' edges: got %d edges, step %d, want step 3", len(s.Edges), s.Step)
	}
	if s := stackAxis([]chunk.Axis{a, a}); s.Edges != nil || s.Step != 3 {
		t.Errorf("two axes of many chunks joined off their edges: got %d edges, step %d, want step 3", len(s.Edges), s.Step)
	}
	if s := stackAxis([]chunk.Axis{{Len: 1 << 40, Step: 1 << 10}, a}); s.Edges != nil || s.Step != 1<<10 {
		t.Errorf("unlike axes of many chunks: got %d edges, step %d, want step 1024", len(s.Edges), s.Step)
	}
}

// TestHashConsing: equal constructions are one node, from any goroutine; unequal ones are not.
func TestHashConsing(t *testing.T) {
	b := builder{t}
	x := b.load("t", dtype.Float32, chunk.Shape{10, 4}, 3)
	build := func() []*Node {
		return []*Node{
			NewMap(kernels.OpSqrt, x), NewMap(kernels.OpExp, x), NewCast(x, dtype.Float64), NewCast(x, dtype.Int32),
			b.reduce("sum", x, 0), b.reduce("sum", x, 1), b.reduce("max", x, 0), b.sel(x, span(0, 2), drop(1)), b.sel(x, span(0, 2), drop(2)),
			b.sel(x, ids(0, 1), drop(1)), b.sel(x, ids(3, 1), span(0, 4)), b.sel(x, ids(3, 1, 7), span(0, 4)),
			NewPermute(x, []int{1, 0}), NewStack(0, x, x), NewStack(1, x, x), NewStack(0, x, x, x), b.scalar(1), b.scalar(2),
			NewFill(x.Grid, kernels.Const{}, 0), NewFill(x.Grid, kernels.Const{}, 1), NewFill(chunk.Regular(chunk.Shape{10, 4}), kernels.Const{}, 1),
			NewRechunk(x, chunk.Regular(chunk.Shape{10, 4}, 5)), NewRechunk(x, chunk.Regular(chunk.Shape{10, 4}, 4)), b.group(x, 0, 2), b.group(x, 0, 3),
		}
	}
	want := build()
	for i, n := range want {
		for k, m := range want {
			// ids(0, 1) is written as the slice it is.
			if (n == m) != (i == k || (i == 7 && k == 9) || (i == 9 && k == 7)) {
				t.Errorf("nodes %d and %d: same is %v\n%v%v", i, k, n == m, n, m)
			}
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := build(); !slices.Equal(got, want) {
				t.Error("another goroutine built other nodes")
			}
		})
	}
	wg.Wait()
	runtime.KeepAlive(want)
}

// TestTableForgets: nodes nobody holds leave the table.
func TestTableForgets(t *testing.T) {
	b := builder{t}
	base := tableLen()
	for i := range 2000 {
		b.scalar(float64(i) + 1e6)
	}
	for range 100 {
		runtime.GC()
		if tableLen() <= base+10 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("2000 nodes nobody holds: %d entries are left of %d", tableLen()-base, 2000)
}

// TestVerifyFinds: Verify names what is wrong with nodes no constructor makes.
func TestVerifyFinds(t *testing.T) {
	b := builder{t}
	x := b.load("t", dtype.Float32, chunk.Shape{10, 4}, 3)
	bad := func(change func(n *Node)) *Node {
		n := *NewMap(kernels.OpAdd, x, b.scalar(1))
		n.In = slices.Clone(n.In)
		change(&n)
		return &n
	}
	tests := []struct {
		n    *Node
		want string
	}{
		{bad(func(n *Node) { n.DType = dtype.Float64; n.ItemBytes = 8 }), "dtype: got float64, want float32"},
		{bad(func(n *Node) { n.In = n.In[:1] }), "does not take 1 inputs"},
		{bad(func(n *Node) { n.Grid = chunk.Regular(chunk.Shape{10}) }), "shape: got [10], want [10 4]"},
		{bad(func(n *Node) { n.Grid.Axes = n.Grid.Axes[:1] }), "grid does not cut shape"},
		{bad(func(n *Node) { n.Kind = 77 }), "kind 77 is not in the table"},
		{bad(func(n *Node) { n.In[1] = NewCast(x, dtype.Int8) }), "add: input 1: got int8, want float32"},
		{bad(func(n *Node) { n.DType = dtype.Invalid }), "dtype invalid"},
		{NewError(errForTest, "a.go:1"), "made for this test (a.go:1)"},
	}
	for _, tt := range tests {
		err := Verify(tt.n)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Verify: got %v, want %q", err, tt.want)
		}
	}
}

var errForTest = Errorf("made for this test")

// TestConstructorErrors: wrong arguments give error nodes whose text says what was wrong.
func TestConstructorErrors(t *testing.T) {
	b := builder{t}
	x := b.load("t", dtype.Float32, chunk.Shape{10, 4}, 3)
	str := b.load("s", dtype.String, chunk.Shape{10})
	sum, _ := kernels.ReductionByName("sum")
	tests := []struct {
		n    *Node
		want string
	}{
		{NewMap(kernels.OpAdd, x), "ndarray: add: got 1 operands, want 2"},
		{NewMap(kernels.OpSqrt, str), "ndarray: sqrt: takes numbers: got [str]"},
		{NewCast(str, dtype.Int8), "ndarray: astype: elements of str cannot become int8"},
		{NewReduce(ReduceArg{Op: sum.ID, Axes: []int{2}}, x), "ndarray: sum: axis 2 is outside rank 2"},
		{NewReduce(ReduceArg{Op: sum.ID, Axes: []int{1, 0}}, x), "ndarray: sum: axes [1 0]: want them ascending, each once"},
		{NewReduce(ReduceArg{Op: sum.ID, Axes: []int{0}, Groups: 2}, x), "ndarray: sum: got 1 inputs, want 2"},
		{NewReduce(ReduceArg{Op: sum.ID, Axes: []int{0}, Groups: 2}, x, x), "ndarray: sum: group ids: got float32, want int32"},
		{NewReduce(ReduceArg{Op: sum.ID}, str), "ndarray: sum: operand: got str, want a real number; cast it or take .real"},
		{NewSelect(x, SelectArg{Fixed: []int64{10, 0}}), "ndarray: select: dropped axis 0 of length 10 needs a position inside it"},
		{b.sel(x, by(0, 3, 5), span(0, 4)), "ndarray: select: position 12 is outside axis 0 of length 10"},
		{b.sel(x, ids(-2), span(0, 4)), "ndarray: select: position -2 is outside axis 0 of length 10"},
		{b.sel(x, by(1, 0, 3), span(0, 4)), "ndarray: select: step of axis 0: got 0, want another number; repeat with an id list"},
		{NewPermute(x, []int{0, 0}), "ndarray: permute: got axes [0 0], want each of 0 to 1 once"},
		{NewStack(2, x, x), "ndarray: concat: axis 2 is outside rank 2"},
		{NewStack(0, x, str), "ndarray: concat: ranks of array 0 and array 1: got shapes [10 4] and [10], want one rank"},
		{NewStack(0, b.sel(x, span(0, 10), drop(0)), str), "ndarray: concat: float32 and str have no common dtype; cast one of them"},
		{NewRechunk(x, chunk.Regular(chunk.Shape{10})), "ndarray: rechunk: grid of shape [10] does not cut shape [10 4]"},
		{NewOpaque(OpaqueArg{Key: "f"}, dtype.Int8, x.Grid, x), "ndarray: function: want Key, Need and Run set"},
		{NewCompress(x, x, 0), "ndarray: compress: mask: got float32 of shape [10 4], want bool of rank 1"},
		{NewLoad(nil, "t", chunk.Grid{}), `ndarray: load "t": no source`},
		{NewFill(x.Grid, kernels.Const{}, 2), "ndarray: index: axis 2 is outside rank 2"},
		{At("f.go:3").Map(kernels.OpAdd, x, b.load("u", dtype.Float32, chunk.Shape{3})),
			"ndarray: add: shapes [10 4] and [3] do not broadcast: axis 1 is 4 and 3; slice or expand one of them (f.go:3)"},
	}
	for _, tt := range tests {
		switch {
		case tt.n.Err == nil:
			t.Errorf("no error, want %q", tt.want)
		case tt.n.Err.Error() != tt.want:
			t.Errorf("got  %v\nwant %s", tt.n.Err, tt.want)
		}
	}
}
