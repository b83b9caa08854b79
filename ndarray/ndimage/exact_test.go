// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// anyFloat returns any finite number, of a magnitude near 2^scale or anywhere.
func anyFloat(r *rand.Rand, scale int) float64 {
	for {
		v := math.Float64frombits(r.Uint64())
		if scale > -2000 {
			v = math.Ldexp(r.Float64()-0.5, scale+r.IntN(8))
		}
		if v-v == 0 {
			return v
		}
	}
}

// TestSums: sums of numbers, of products and of integers are those of exact arithmetic, rounded once, in any order and however they are shared out.
func TestSums(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 400 {
		scale := []int{-3000, 0, 40, -1070, 1000}[trial%5]
		const rows = 3
		want := make([]*big.Float, rows)
		for i := range want {
			want[i] = new(big.Float).SetPrec(6000)
		}
		var all sums
		all.addRows(rows)
		for range 1 + r.IntN(4) {
			var part sums
			part.addRows(rows)
			for range r.IntN(40) {
				row := r.IntN(rows)
				x := new(big.Float).SetPrec(6000)
				switch r.IntN(5) {
				case 0:
					v := r.Int64() >> r.IntN(62)
					if r.IntN(2) == 0 {
						v = -v
					}
					part.addInt(row, v)
					x.SetInt64(v)
				case 1:
					v, k := anyFloat(r, scale), r.Int64()>>r.IntN(62)
					part.addProduct(row, v, k)
					x.Mul(x.SetFloat64(v), new(big.Float).SetInt64(k))
				case 2:
					v, k := r.Int64()-math.MaxInt64/2, r.Int64()
					part.addInts(row, v, k)
					x.SetInt(new(big.Int).Mul(big.NewInt(v), big.NewInt(k)))
				default:
					v := anyFloat(r, scale)
					part.addFloat(row, v)
					x.SetFloat64(v)
				}
				want[row].Add(want[row], x)
			}
			all.addAll(&part, []int32{0, 1, 2})
		}
		if trial%3 == 0 {
			all.carry()
		}
		for row := range rows {
			got := all.total(row)
			near, _ := want[row].Float64()
			if got != near {
				t.Fatalf("trial %d row %d: total = %v, want %v", trial, row, got, near)
			}
			v, e := all.value(row)
			exact := new(big.Float).SetPrec(6000).SetInt(v)
			if exact.SetMantExp(exact, e).Cmp(want[row]) != 0 {
				t.Fatalf("trial %d row %d: value = %v, want %v", trial, row, exact, want[row])
			}
		}
	}
}

// TestSumsCarry: digits that are about to overflow are carried.
func TestSumsCarry(t *testing.T) {
	var s sums
	s.addRows(1)
	s.addInt(0, math.MaxInt64)
	for range 8 {
		s.added = mostAdded
		s.addInt(0, math.MaxInt64)
		s.addInt(0, math.MinInt64)
	}
	want, _ := new(big.Float).SetInt(new(big.Int).Sub(big.NewInt(math.MaxInt64), big.NewInt(8))).Float64()
	if got := s.total(0); got != want {
		t.Errorf("total = %v, want %v", got, want)
	}
}
