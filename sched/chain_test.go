// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// TestStagesTakeTurns: what needs a source and a fold of it reads each chunk once, though the source does not fit in memory,
// and the bits are those of a run with room for all of it.
func TestStagesTakeTurns(t *testing.T) {
	grid := chunk.Regular(chunk.Shape{90, 110, 250}, 40, 30, 60)
	over := ndarray.ReduceOptions{Axes: []int{0}, KeepDims: true}
	month, back := make([]int32, 90), make([]int64, 90)
	for i := range month {
		month[i], back[i] = int32(i%12), int64(i%12)
	}
	cases := []struct {
		name  string
		turns bool
		make  func(x, y ndarray.Array) []ndarray.Array
	}{
		{"anomaly and its sum", true, func(x, _ ndarray.Array) []ndarray.Array {
			anom := x.Sub(x.Reduce("mean", over))
			return []ndarray.Array{anom, anom.Mul(anom).Sum()}
		}},
		{"deviations of what has no mean, of two sources", true, func(x, y ndarray.Array) []ndarray.Array {
			u, v := x.Sub(x.Reduce("nanmean", over)), y.Sub(y.Reduce("nanmean", over))
			return []ndarray.Array{u.Mul(v).Reduce("nanmean", over), u.Div(u.Mul(u).Reduce("nansum", over).Sqrt())}
		}},
		{"months", true, func(x, _ ndarray.Array) []ndarray.Array {
			clim := x.GroupReduce("nanmean", 0, month, 12, ndarray.ReduceOptions{})
			return []ndarray.Array{clim, x.Sub(clim.TakeAlong(0, back)).Reduce("nanmax", over)}
		}},
		{"a mean over everything", false, func(x, _ ndarray.Array) []ndarray.Array { return []ndarray.Array{x.Sub(x.Mean())} }},
		{"another's place", false, func(x, _ ndarray.Array) []ndarray.Array {
			return []ndarray.Array{x.Sub(x.Reduce("mean", over).Index(ndarray.All(), ndarray.Reversed(), ndarray.Reversed()))}
		}},
	}
	for _, c := range cases {
		for _, dt := range []dtype.DType{dtype.Float32, dtype.Int16} {
			var want []*chunk.Chunk
			for _, memory := range []int64{512 << 20, 10 << 20} {
				rnd := rand.New(rand.NewPCG(31, 1))
				src := []*fakeSource{newFake(rnd, dt, grid), newFake(rnd, dt, grid)}
				list := c.make(ndarray.FromSource(src[0], "x"), ndarray.FromSource(src[1], "y"))
				eng := newEngine(t, Options{Memory: memory, Workers: 3})
				var sinks []*fakeSink
				var outputs []ndarray.Output
				for _, a := range list {
					s := newSink(t, a.DType(), a.Grid())
					sinks = append(sinks, s)
					outputs = append(outputs, ndarray.Output{Array: a, Name: c.name, To: s})
				}
				p, err := eng.PlanOutputs(context.Background(), outputs)
				if err != nil {
					t.Fatalf("%s %v: %v", c.name, dt, err)
				}
				if err := eng.Start(context.Background(), p).Wait(); err != nil {
					t.Fatalf("%s %v: %v", c.name, dt, err)
				}
				tight := memory < 64<<20 && dt == dtype.Float32
				chained := len(p.Physical().Chains) > 0
				if chained && memory > 64<<20 || chained != c.turns && tight {
					t.Errorf("%s %v, %d MiB: stages take turns: %v\n%s", c.name, dt, memory>>20, chained, p.Explain())
				}
				if tight && c.turns {
					if !strings.Contains(p.Explain(), "is decoded once, in bands") {
						t.Errorf("%s: the plan does not say that stages take turns\n%s", c.name, p.Explain())
					}
					for i, s := range src {
						if n := s.reads.Load(); n != 0 && n != grid.Len() {
							t.Errorf("%s %v: source %d of %d chunks had %d read\n%s", c.name, dt, i, grid.Len(), n, p.Explain())
						}
					}
				}
				if want == nil {
					for _, s := range sinks {
						s.complete()
						want = append(want, s.data)
					}
					continue
				}
				for i, s := range sinks {
					s.complete()
					if !slices.Equal(s.data.Block.Bytes(), want[i].Block.Bytes()) {
						t.Errorf("%s %v, %d MiB: result %d differs", c.name, dt, memory>>20, i)
					}
				}
			}
		}
	}
}
