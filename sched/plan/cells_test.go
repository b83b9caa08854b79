// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

func irregular(t *testing.T, sizes ...int64) chunk.Axis {
	t.Helper()
	a, err := chunk.IrregularAxis(sizes)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestCellsNumberBlocks compares the closed form with counting.
func TestCellsNumberBlocks(t *testing.T) {
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		rank := 1 + rnd.IntN(4)
		g := chunk.Grid{}
		var axes []int
		for i := range rank {
			n := 1 + rnd.Int64N(900)
			if rank > 2 {
				n = 1 + rnd.Int64N(30)
			}
			a := chunk.Axis{Len: n, Step: 1 + rnd.Int64N(n)}
			if rnd.IntN(5) == 0 {
				a = irregular(t, 1+rnd.Int64N(9), 3, 1+rnd.Int64N(50), 2)
			}
			g.Axes = append(g.Axes, a)
			g.Shape = append(g.Shape, a.Len)
			if rnd.IntN(2) == 0 {
				axes = append(axes, i)
			}
		}
		c := cellsOf(g, axes, rnd.IntN(3) == 0)
		counts := c.Counts()
		next := int64(0)
		k := make(chunk.Key, rank)
		for i := range c.Len() {
			c.key(i, counts, k)
			if got := c.Linear(k); got != i {
				t.Fatalf("seed %d: Linear(%v) = %d, want %d", seed, k, got, i)
			}
			if got := c.First(k); got != next {
				t.Fatalf("seed %d: First(%v) = %d, want %d", seed, k, got, next)
			}
			shape := g.Shape.Clone()
			for a := range shape {
				if c.Set.Has(a) {
					lo, hi := c.Axes[a].Bounds(k[a])
					shape[a] = hi - lo
				}
			}
			n := kernels.FoldBlocks(shape, c.Set)
			if got := c.Blocks(k); got != n {
				t.Fatalf("seed %d: Blocks(%v) = %d, want %d", seed, k, got, n)
			}
			next += n
		}
		if c.Total() != next {
			t.Fatalf("seed %d: Total() = %d, want %d", seed, c.Total(), next)
		}
	}
}

func TestCellsJoinShortChunks(t *testing.T) {
	for _, c := range []struct {
		name    string
		axis    chunk.Axis
		rest    chunk.Axis // a second reduced axis; Len 0: none
		grouped bool
		last    bool
		want    []int64 // lengths of cells
	}{
		{name: "days", axis: chunk.Axis{Len: 600, Step: 1}, want: []int64{256, 256, 88}},
		{name: "hundreds", axis: chunk.Axis{Len: 350, Step: 100}, want: []int64{200, 150}},
		{name: "short last fits", axis: chunk.Axis{Len: 450, Step: 100}, want: []int64{200, 250}},
		{name: "short last alone", axis: chunk.Axis{Len: 470, Step: 100}, want: []int64{200, 200, 70}},
		{name: "long", axis: chunk.Axis{Len: 900, Step: 300}, want: []int64{300, 300, 300}},
		{name: "irregular", axis: irregular(t, 100, 100, 57, 10, 300, 1, 1), want: []int64{200, 67, 300, 2}},
		{name: "second axis whole", axis: chunk.Axis{Len: 10, Step: 1}, rest: chunk.Axis{Len: 100, Step: 100}, want: []int64{2, 2, 2, 2, 2}},
		{name: "second axis cut", axis: chunk.Axis{Len: 3, Step: 1}, rest: chunk.Axis{Len: 100, Step: 50}, want: []int64{1, 1, 1}},
		{name: "groups", axis: chunk.Axis{Len: 3, Step: 1}, grouped: true, want: []int64{1, 1, 1}},
		{name: "last axis", axis: chunk.Axis{Len: 3, Step: 1}, last: true, want: []int64{1, 1, 1}},
	} {
		g := chunk.Grid{Axes: []chunk.Axis{c.axis}}
		axes := []int{0}
		if c.rest.Len > 0 {
			g.Axes = append(g.Axes, c.rest)
			axes = append(axes, 1)
		}
		if !c.last {
			g.Axes = append(g.Axes, chunk.Axis{Len: 5, Step: 5})
		}
		cells := cellsOf(g, axes, c.grouped)
		var got []int64
		for k := range cells.Axes[0].Count() {
			lo, hi := cells.Axes[0].Bounds(k)
			got = append(got, hi-lo)
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: cells %v, want %v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: cells %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
}

func TestMeetIsTheFinestCommonCut(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		n := 1 + rnd.Int64N(40)
		cut := func() chunk.Axis {
			if rnd.IntN(2) == 0 {
				return chunk.Axis{Len: n, Step: 1 + rnd.Int64N(n)}
			}
			var sizes []int64
			for left := n; left > 0; {
				s := 1 + rnd.Int64N(min(left, 6))
				sizes = append(sizes, s)
				left -= s
			}
			return irregular(t, sizes...)
		}
		a, b := cut(), cut()
		m := meet(a, b)
		edges := func(a chunk.Axis) map[int64]bool {
			out := map[int64]bool{}
			for k := range a.Count() {
				lo, _ := a.Bounds(k)
				out[lo] = true
			}
			return out
		}
		ea, eb, em := edges(a), edges(b), edges(m)
		for x := range n {
			if em[x] != (ea[x] && eb[x]) {
				t.Fatalf("seed %d: meet(%+v, %+v) = %+v: wrong at %d", seed, a, b, m, x)
			}
		}
	}
}
