// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
)

var update = flag.Bool("update", false, "write the golden files anew")

// builder makes the nodes of the golden cases.
type builder struct{ t *testing.T }

func (b builder) load(name string, dt dtype.DType, shape chunk.Shape, steps ...int64) *Node {
	s := &testSource{meta: formats.ArrayMeta{Shape: shape, DType: dt, ItemBytes: dt.Size(), Grid: chunk.Regular(shape, steps...)}}
	return NewLoad(s, name, chunk.Grid{})
}

func (b builder) scalar(v float64) *Node {
	c, err := kernels.ConstOf(dtype.Float32, v)
	if err != nil {
		b.t.Fatal(err)
	}
	return NewFill(chunk.Grid{Shape: chunk.Shape{}}, c, -1)
}

func (b builder) reduce(name string, x *Node, axes ...int) *Node {
	r, ok := kernels.ReductionByName(name)
	if !ok {
		b.t.Fatalf("no reduction %q", name)
	}
	return NewReduce(ReduceArg{Op: r.ID, Axes: axes}, x)
}

func (b builder) group(x *Node, axis int, groups int64) *Node {
	r, _ := kernels.ReductionByName("mean")
	ids := make([]int32, x.Grid.Shape[axis])
	for i := range ids {
		ids[i] = int32(int64(i) % groups)
	}
	return NewReduce(ReduceArg{Op: r.ID, Axes: []int{axis}, Groups: groups, IDs: ids}, x)
}

// sel selects with one AxisSel for each axis; In is filled in, a Len of -1 drops the axis at Start.
func (b builder) sel(x *Node, axes ...AxisSel) *Node {
	arg := SelectArg{Fixed: make([]int64, len(x.Grid.Axes))}
	in := 0
	for _, s := range axes {
		if s.In == -1 {
			arg.Axes = append(arg.Axes, s)
			continue
		}
		s.In = in
		in++
		if s.Len == -1 {
			arg.Fixed[s.In] = s.Start
			continue
		}
		arg.Axes = append(arg.Axes, s)
	}
	return NewSelect(x, arg)
}

func span(lo, hi int64) AxisSel           { return AxisSel{Start: lo, Step: 1, Len: hi - lo} }
func drop(p int64) AxisSel                { return AxisSel{Start: p, Len: -1} }
func by(start, step, count int64) AxisSel { return AxisSel{Start: start, Step: step, Len: count} }
func ids(list ...int64) AxisSel           { return AxisSel{IDs: list, Len: int64(len(list))} }

// goldenCases is in the order of rules(); each builds outputs on a few loads.
var goldenCases = []struct {
	name  string
	build func(b builder) []*Node
}{
	{"empty", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{10, 4}, 3)
		return []*Node{NewMap(kernels.OpSqrt, b.sel(t, span(4, 4), span(0, 4)))}
	}},
	{"noop", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{10, 4}, 3)
		r := NewRechunk(NewRechunk(t, chunk.Regular(chunk.Shape{10, 4}, 5)), chunk.Regular(chunk.Shape{10, 4}, 2))
		return []*Node{r, NewPermute(NewPermute(t, []int{1, 0}), []int{1, 0}), NewCast(t, dtype.Float32),
			NewStack(0, b.sel(t, span(0, 0), span(0, 4)), t), NewRechunk(NewRechunk(t, chunk.Regular(chunk.Shape{10, 4}, 5)), t.Grid)}
	}},
	{"fold-constants", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{10, 4}, 3)
		c := NewMap(kernels.OpMultiply, b.scalar(2), NewMap(kernels.OpAdd, b.scalar(1.5), b.scalar(273.15)))
		return []*Node{NewMap(kernels.OpSubtract, t, c)}
	}},
	{"common-subexpressions", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{10, 4}, 3)
		return []*Node{NewMap(kernels.OpAdd, NewMap(kernels.OpSqrt, t), NewMap(kernels.OpSqrt, b.sel(b.sel(t, by(9, -1, 10), span(0, 4)), by(9, -1, 10), span(0, 4))))}
	}},
	{"dead-results", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{10, 4}, 3)
		b.reduce("sum", t, 0) // built, asked for by nobody
		s := NewStack(0, t, NewMap(kernels.OpExp, t))
		return []*Node{b.sel(s, span(2, 5), span(0, 4))}
	}},
	{"select-select", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{100, 40}, 7)
		x := b.sel(b.sel(b.sel(t, by(99, -2, 50), span(5, 30)), span(3, 40), ids(4, 0, 9)), by(0, 3, 12), drop(1))
		return []*Node{x}
	}},
	{"select-fill", func(b builder) []*Node {
		g := chunk.Regular(chunk.Shape{100, 40}, 7)
		i, f := NewFill(g, kernels.Const{}, 0), NewFill(g, kernels.Const{DType: dtype.Int64, Bits: 7}, -1)
		return []*Node{b.sel(i, by(50, -3, 4), drop(2)), b.sel(i, drop(9), span(0, 40)), b.sel(f, span(0, 3), New(1), drop(0))}
	}},
	{"select-rechunk", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{100, 40}, 7)
		return []*Node{b.reduce("sum", b.sel(NewRechunk(t, chunk.Regular(chunk.Shape{100, 40}, 25, 10)), span(0, 50), span(20, 40)), 0)}
	}},
	{"select-permute", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{100, 40, 6}, 7)
		return []*Node{b.sel(NewPermute(t, []int{2, 0, 1}), drop(3), span(10, 20), New(1), by(0, 2, 20)), b.sel(NewPermute(t, []int{2, 0, 1}), span(0, 2), drop(5), drop(6))}
	}},
	{"select-stack", func(b builder) []*Node {
		a, c, d := b.load("a", dtype.Float32, chunk.Shape{365, 4}, 73), b.load("b", dtype.Float32, chunk.Shape{366, 4}, 73), b.load("c", dtype.Float32, chunk.Shape{365, 4}, 73)
		s := NewStack(0, a, c, d)
		return []*Node{b.sel(s, span(360, 400), drop(1)), b.sel(s, by(1095, -1, 400), span(0, 4)), b.sel(s, drop(731), span(0, 4)), b.sel(s, ids(1, 5, 400, 2), span(0, 4))}
	}},
	{"select-map", func(b builder) []*Node {
		t := b.load("t", dtype.Int16, chunk.Shape{365, 721, 1440}, 30)
		lat := b.load("lat", dtype.Float32, chunk.Shape{721, 1})
		x := NewMap(kernels.OpMultiply, NewMap(kernels.OpAdd, NewMap(kernels.OpMultiply, NewCast(t, dtype.Float32), b.scalar(0.5)), b.scalar(-40)), lat)
		return []*Node{b.sel(x, drop(100), span(0, 91), span(700, 720))}
	}},
	{"select-map-repeats", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{12, 40}, 4)
		x := NewMap(kernels.OpExp, t)
		return []*Node{b.sel(x, New(3), ids(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2), span(3, 9)), b.sel(x, ids(3, -1), drop(2))}
	}},
	{"select-reduce", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{365, 721, 1440}, 30)
		mean := b.reduce("mean", NewMap(kernels.OpSubtract, t, b.scalar(273.15)), 0)
		return []*Node{b.sel(mean, drop(90), span(0, 10))}
	}},
	{"select-reduce-groups", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{365, 721, 1440}, 30)
		return []*Node{b.sel(b.group(t, 0, 12), ids(5, 6, 7), span(20, 30), drop(0))}
	}},
	{"select-reduce-shared", func(b builder) []*Node {
		// Two selections of one fold: the fold is made once.
		t := b.load("t", dtype.Float32, chunk.Shape{365, 721, 1440}, 30)
		mean := b.reduce("mean", t, 0)
		return []*Node{b.sel(mean, drop(90), span(0, 10)), b.sel(mean, drop(91), span(0, 10))}
	}},
	{"anomaly-window", func(b builder) []*Node {
		t := b.load("t", dtype.Float32, chunk.Shape{365, 721, 1440}, 30)
		take := make([]int64, 365)
		for i := range take {
			take[i] = int64(i) % 12
		}
		anom := NewMap(kernels.OpSubtract, t, b.sel(b.group(t, 0, 12), ids(take...), span(0, 721), span(0, 1440)))
		return []*Node{b.sel(anom, span(0, 31), span(20, 30), drop(7))}
	}},
}

// TestRewriteGolden compares graphs before and after with testdata/rewrites; -update writes them.
func TestRewriteGolden(t *testing.T) {
	for _, c := range goldenCases {
		t.Run(c.name, func(t *testing.T) {
			outs := c.build(builder{t})
			for _, n := range outs {
				if err := Verify(n); err != nil {
					t.Fatal(err)
				}
			}
			steps := ""
			got := Rewrite(outs, RewriteOptions{Trace: func(rule string, _, _ *Node) { steps += " " + rule }})
			for i, n := range got {
				if err := Verify(n); err != nil {
					t.Fatal(err)
				}
				if !n.Grid.Equal(outs[i].Grid) {
					t.Errorf("output %d: the grid changed", i)
				}
			}
			text := fmt.Sprintf("before\n----\n%s\nafter:%s\n----\n%s", Dump(outs...), steps, Dump(got...))
			file := filepath.Join("testdata", "rewrites", c.name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if text != string(want) {
				t.Errorf("%s differs (write it anew with -update)\ngot:\n%s\nwant:\n%s", file, text, want)
			}
		})
	}
}

// TestRewriteOff: Off changes nothing, and a skipped rule is not used.
func TestRewriteOff(t *testing.T) {
	b := builder{t}
	outs := []*Node{b.sel(NewMap(kernels.OpSqrt, b.load("t", dtype.Float32, chunk.Shape{10}, 3)), span(1, 3))}
	if got := Rewrite(outs, RewriteOptions{Off: true}); !slices.Equal(got, outs) {
		t.Errorf("Off changed %s to %s", Dump(outs...), Dump(got...))
	}
	if got := Rewrite(outs, RewriteOptions{Skip: []string{"select-map"}}); !slices.Equal(got, outs) {
		t.Errorf("without select-map %s became %s", Dump(outs...), Dump(got...))
	}
}

// BenchmarkRewriteWindow rewrites a window of a long elementwise chain over 97,969
// chunks: the time is that of the operations.
func BenchmarkRewriteWindow(b *testing.B) {
	s := &testSource{}
	s.meta.Shape = chunk.Shape{10000, 10000}
	s.meta.Grid = chunk.Regular(s.meta.Shape, 32, 32)
	s.meta.DType, s.meta.ItemBytes = dtype.Float32, 4
	for b.Loop() {
		x := NewLoad(s, "t", s.meta.Grid)
		for range 20 {
			x = NewMap(kernels.OpSqrt, x)
		}
		x = NewSelect(x, SelectArg{Axes: []AxisSel{{In: 0, Start: 5000, Step: 1, Len: 10}, {In: 1, Start: 77, Step: 1, Len: 10}}, Fixed: make([]int64, 2)})
		Rewrite([]*Node{x}, RewriteOptions{})
	}
}
