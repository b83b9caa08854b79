// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// TestMapsCompose checks that reading through two selections is reading through their composition.
func TestMapsCompose(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		n := 2 + rnd.Int64N(9)
		sel := func(n int64) graph.AxisSel {
			if rnd.IntN(2) == 0 {
				ids := make([]int64, 1+rnd.IntN(7))
				for i := range ids {
					ids[i] = rnd.Int64N(n+1) - 1
				}
				return graph.AxisSel{IDs: ids, Len: int64(len(ids))}
			}
			s := graph.AxisSel{Start: rnd.Int64N(n), Step: 1}
			if rnd.IntN(2) == 0 {
				s.Step = -1
				s.Len = s.Start + 1
			} else {
				s.Len = n - s.Start
			}
			return s
		}
		inner := sel(n)
		outer := sel(inner.Len)
		m := follow(0).through(outer, outer.Len).through(inner, outer.Len)
		lo, hi := int64(-1), int64(0)
		for x := range outer.Len {
			want := outer.Pos(x)
			if want >= 0 {
				want = inner.Pos(want)
			}
			if got := m.at(x); got != want {
				t.Fatalf("seed %d: position %d is %d, want %d", seed, x, got, want)
			}
			if want >= 0 {
				if lo < 0 || want < lo {
					lo = want
				}
				hi = max(hi, want+1)
			}
		}
		if a, b := m.Span(0, outer.Len); max(lo, 0) != a || hi != b {
			t.Fatalf("seed %d: Span = %d, %d, want %d, %d", seed, a, b, max(lo, 0), hi)
		}
	}
}
