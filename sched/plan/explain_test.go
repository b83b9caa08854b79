// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

var update = flag.Bool("update", false, "rewrite golden files")

// emptySource is a source that is planned and never read.
type emptySource struct{ meta formats.ArrayMeta }

func (s *emptySource) Meta() *formats.ArrayMeta { return &s.meta }
func (s *emptySource) ScratchBytes() int64      { return 64 << 10 }
func (s *emptySource) ReadChunk(context.Context, chunk.Key, *chunk.Chunk) (int64, error) {
	return 0, errors.New("planned only")
}

func load(name string, dt dtype.DType, shape chunk.Shape, steps ...int64) *graph.Node {
	g := chunk.Regular(shape, steps...)
	return graph.NewLoad(&emptySource{formats.ArrayMeta{Shape: shape, DType: dt, ItemBytes: dt.Size(), Grid: g, Chunked: true}}, name, g)
}

func reduction(t *testing.T, name string) kernels.ReductionID {
	t.Helper()
	r, ok := kernels.ReductionByName(name)
	if !ok {
		t.Fatalf("no reduction %s", name)
	}
	return r.ID
}

func constant(t *testing.T, dt dtype.DType, v any) *graph.Node {
	t.Helper()
	c, err := kernels.ConstOf(dt, v)
	if err != nil {
		t.Fatal(err)
	}
	return graph.NewFill(chunk.Grid{Shape: chunk.Shape{}}, c, -1)
}

type memSink struct{ grid chunk.Grid }

func (s *memSink) Grid() chunk.Grid    { return s.grid }
func (s *memSink) ScratchBytes() int64 { return 32 << 10 }
func (s *memSink) WriteChunk(context.Context, chunk.Key, *chunk.Chunk) (int64, error) {
	return 0, nil
}

func out(name string, n *graph.Node, steps ...int64) Output {
	return Output{Node: n, Name: name, Sink: &memSink{chunk.Regular(n.Shape(), steps...)}}
}

func climatology(t *testing.T) []Output {
	nan := func(n *graph.Node) *graph.Node {
		v := graph.NewMap(kernels.OpMultiply, graph.NewCast(n, dtype.Float32), constant(t, dtype.Float32, 0.01))
		return v
	}
	x := nan(load("t2m", dtype.Int16, chunk.Shape{3652, 180, 360}, 1, 180, 360))
	ids, back := make([]int32, 3652), make([]int64, 3652)
	for i := range ids {
		ids[i] = int32(i % 365 * 12 / 365)
		back[i] = int64(ids[i])
	}
	clim := graph.NewReduce(graph.ReduceArg{Op: reduction(t, "nanmean"), Axes: []int{0}, Groups: 12, IDs: ids}, x)
	take := graph.NewSelect(clim, graph.SelectArg{Axes: []graph.AxisSel{{In: 0, IDs: back}, graph.All(1, 180), graph.All(2, 360)}, Fixed: make([]int64, 3)})
	anom := graph.NewMap(kernels.OpSubtract, x, take)
	series := graph.NewReduce(graph.ReduceArg{Op: reduction(t, "nanmean"), Axes: []int{1, 2}}, anom)
	return []Output{out("clim", clim, 12, 180, 360), out("anom", anom, 365, 60, 120), out("series", series)}
}

var golden = map[string]struct {
	budget int64
	make   func(t *testing.T) []Output
}{
	"elementwise": {64 << 20, func(t *testing.T) []Output {
		x := load("x", dtype.Float32, chunk.Shape{1000, 2000}, 100, 200)
		y := load("y", dtype.Float32, chunk.Shape{2000}, 2000)
		return []Output{out("r", graph.NewMap(kernels.OpAdd, graph.NewMap(kernels.OpMultiply, x, y), constant(t, dtype.Float32, 1)), 100, 500)}
	}},
	"several results": {64 << 20, func(t *testing.T) []Output {
		u := load("u", dtype.Float32, chunk.Shape{1000, 300, 300}, 10, 300, 300)
		v := load("v", dtype.Float32, chunk.Shape{1000, 300, 300}, 10, 300, 300)
		mean := func(n *graph.Node) *graph.Node {
			return graph.NewReduce(graph.ReduceArg{Op: reduction(t, "mean"), Axes: []int{0}}, n)
		}
		return []Output{
			out("uu", mean(graph.NewMap(kernels.OpMultiply, u, u))),
			out("uv", mean(graph.NewMap(kernels.OpMultiply, u, v))),
			out("vv", mean(graph.NewMap(kernels.OpMultiply, v, v))),
		}
	}},
	"climatology":       {256 << 20, climatology},
	"climatology small": {64 << 20, climatology},
	"window": {64 << 20, func(t *testing.T) []Output {
		x := load("x", dtype.Float32, chunk.Shape{20000, 20000}, 100, 100)
		w := graph.NewSelect(x, graph.SelectArg{Axes: []graph.AxisSel{{In: 0, Start: 5000, Step: 1, Len: 10}, {In: 1, Start: 7095, Step: 1, Len: 10}}, Fixed: make([]int64, 2)})
		return []Output{out("w", w)}
	}},
}

func TestExplain(t *testing.T) {
	dev := cpu.New(cpu.Options{Mode: "generic"})
	defer dev.Close()
	for name, c := range golden {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			p, err := Build(context.Background(), c.make(t), Options{Device: dev, Budget: c.budget, Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("planned in %v", time.Since(start))
			got := p.Explain()
			file := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s: got\n%s\nwant\n%s\nrun with -update when the change is meant", file, got, want)
			}
			b, err := p.ExplainJSON()
			if err != nil {
				t.Fatal(err)
			}
			var e Explained
			if err := json.Unmarshal(b, &e); err != nil || len(e.Stages) != len(p.Stages) {
				t.Errorf("JSON: %v: %s", err, b)
			}
			if e.PeakBytes > c.budget {
				t.Errorf("peak %d is above the budget %d", e.PeakBytes, c.budget)
			}
		})
	}
}
