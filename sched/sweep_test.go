// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// dots sums the products of the elements of two arrays, and counts how often it sees each.
type dots struct {
	mu   sync.Mutex
	sum  int64
	seen []int
	grow int64 // it has no room for more
}

func (d *dots) Add(at chunk.Region, c []*chunk.Chunk) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	a, b := chunk.View[int64](c[0]), chunk.View[int32](c[1])
	for i := range c[0].Shape[0] {
		for j := range c[0].Shape[1] {
			d.sum += a.At(i, j) * int64(b.At(i, j))
			d.seen[(at.Lo[0]+i)*40+at.Lo[1]+j]++
		}
	}
	if d.grow > 0 && d.sum > 1000 {
		return &graph.NoRoom{What: "the sums", Bytes: d.grow}
	}
	return nil
}

func (d *dots) Found() (any, error) { return d, nil }

// TestSweep: arrays of different files, chunks and dtypes are looked at together, each element once, in the run that computes other outputs.
func TestSweep(t *testing.T) {
	ctx := context.Background()
	a := ndarray.Arange(0, 1200, 1, dtype.Int64).Reshape(30, 40).Rechunk(7, 40)
	x := make([]int32, 1200)
	want := int64(0)
	for i := range x {
		x[i] = int32(i % 17)
		want += int64(i) * int64(x[i])
	}
	b := ndarray.FromSlice(x, 30, 40).Rechunk(30, 9)
	for _, opt := range []Options{{Memory: 64 << 20, Workers: 4}, {Memory: 4 << 20, Workers: 1, tileElements: 10}, {Memory: 64 << 20, Workers: 2, NoFuse: true, NoRewrite: true}} {
		e, err := New(opt)
		if err != nil {
			t.Fatal(err)
		}
		budget := int64(0)
		sweep := &graph.Sweep{Key: "dots", Begin: func(dts []dtype.DType, shape chunk.Shape, share int64) graph.Sweeper {
			if len(dts) != 2 || dts[0] != dtype.Int64 || dts[1] != dtype.Int32 || !shape.Equal(chunk.Shape{30, 40}) {
				t.Errorf("begin of %v %v", dts, shape)
			}
			budget = share
			return &dots{seen: make([]int, 1200)}
		}}
		var got *dots
		total := int64(0)
		err = e.Run(ctx, []ndarray.Output{
			{Name: "dots", Array: a, With: []ndarray.Array{b}, Sweep: sweep, Done: func(found any) error { got = found.(*dots); return nil }},
			{Name: "b", Array: b, Each: func(_ chunk.Region, c *chunk.Chunk) error { total += c.Shape.Size(); return nil }},
		})
		if err != nil || got == nil || got.sum != want || total != 1200 {
			t.Fatalf("run: %v, sum %+v, want %d, and %d elements of b", err, got, want, total)
		}
		for i, n := range got.seen {
			if n != 1 {
				t.Fatalf("element %d was seen %d times", i, n)
			}
		}
		if budget != opt.Memory/ndarray.SweepShare {
			t.Errorf("a share of %d bytes, want %d", budget, opt.Memory/ndarray.SweepShare)
		}
		broken := errors.New("broken")
		err = e.Run(ctx, []ndarray.Output{{Name: "dots", Array: a, With: []ndarray.Array{b}, Sweep: sweep, Done: func(any) error { return broken }}})
		if !errors.Is(err, broken) {
			t.Errorf("the error of Done is %v", err)
		}
		full := &graph.Sweep{Key: "full", Begin: func([]dtype.DType, chunk.Shape, int64) graph.Sweeper {
			return &dots{seen: make([]int, 1200), grow: 1 << 30}
		}}
		err = e.Run(ctx, []ndarray.Output{{Name: "dots", Array: a, With: []ndarray.Array{b}, Sweep: full}})
		if !errors.Is(err, ErrBudget) || !strings.Contains(err.Error(), "the sums take 1.0 GiB") {
			t.Errorf("a sweep without room: got %v, want an error that names a budget", err)
		}
		err = e.Run(ctx, []ndarray.Output{{Name: "dots", Array: a, With: []ndarray.Array{b.Transpose()}, Sweep: sweep}})
		if !errors.Is(err, chunk.ErrShape) {
			t.Errorf("arrays of two shapes: got %v", err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// counted is a function of one array that adds 1 to its elements and counts them.
func counted(a ndarray.Array, n *atomic.Int64) ndarray.Array {
	return ndarray.MapRegions(ndarray.RegionFunc{Name: fmt.Sprintf("counted %p", n), DType: dtype.Int64, Before: []int64{0}, After: []int64{0}, Run: func(_ context.Context, c graph.OpaqueCall) error {
		n.Add(c.Out.Shape.Size())
		src, dst := chunk.View[int64](c.In[0]), chunk.View[int64](c.Out)
		for i := range c.Out.Shape[0] {
			dst.Set(src.At(i)+1, i)
		}
		return nil
	}}, a)
}

// TestKeptForLaterPasses: what a pass has looked at stays for the passes after it and for the run, where a function makes it and there is room.
func TestKeptForLaterPasses(t *testing.T) {
	ctx := context.Background()
	const n = 1 << 17 // 1 MiB
	a := ndarray.Arange(0, n, 1, dtype.Int64).Rechunk(n / 8)
	for _, c := range []struct{ memory, times int64 }{{64 << 20, 1}, {3 << 20, 3}} {
		e, err := New(Options{Memory: c.memory, Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		var calls atomic.Int64
		f := counted(a, &calls)
		// Two passes and a run.
		one := graph.At("").Later(graph.LaterArg{Key: "one", Pass: maximum, Build: func(in []*graph.Node, found any) *graph.Node {
			return graph.At("").Later(graph.LaterArg{Key: "two", Pass: maximum, Build: func(in []*graph.Node, again any) *graph.Node {
				return ndarray.Apply("subtract", ndarray.FromNode(in[0]), found.(int64)+again.(int64)).Node()
			}}, dtype.Int64, in[0].Grid, in[0])
		}}, dtype.Int64, f.Grid(), f.Node())
		got, err := ndarray.Values[int64](ctx, e, ndarray.FromNode(one))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if want := int64(i) + 1 - 2*n; v != want {
				t.Fatalf("element %d is %d, want %d", i, v, want)
			}
		}
		if k := calls.Load(); k != c.times*n {
			t.Errorf("in %d MiB the function computed %d elements, want %d times %d", c.memory>>20, k, c.times, n)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// maximum finds the largest element of an array.
var maximum = &graph.Pass{Key: "maximum", Begin: func(*graph.Node, int64) graph.Finder { return new(topmost) }}

type topmost int64

func (m *topmost) Add(_ chunk.Region, c *chunk.Chunk) error {
	v := chunk.View[int64](c)
	for i := range c.Shape[0] {
		*m = max(*m, topmost(v.At(i)))
	}
	return nil
}

func (m *topmost) Found() (any, error) { return int64(*m), nil }
