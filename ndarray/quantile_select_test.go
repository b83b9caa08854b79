// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPlace compares the elements at some positions with those of a sort, on the shapes of data that make selection slow.
func TestPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	fills := map[string]func(i, n int) uint64{
		"random":   func(int, int) uint64 { return rng.Uint64() },
		"few":      func(int, int) uint64 { return rng.Uint64N(3) },
		"constant": func(int, int) uint64 { return 7 },
		"rising":   func(i, _ int) uint64 { return uint64(i) },
		"falling":  func(i, n int) uint64 { return uint64(n - i) },
		"organ":    func(i, n int) uint64 { return uint64(min(i, n-i)) },
		"ends":     func(int, int) uint64 { return -rng.Uint64N(2) },
		"saw":      func(i, _ int) uint64 { return uint64(i % 17) },
	}
	for name, fill := range fills {
		for _, n := range []int{1, 2, smallSort, smallSort + 1, 127, 128, 1000, 20011} {
			v := make([]uint64, n)
			for i := range v {
				v[i] = fill(i, n)
			}
			want := slices.Sorted(slices.Values(v))
			for range 4 {
				var at []int
				for range 1 + rng.IntN(5) {
					at = append(at, rng.IntN(n))
				}
				slices.Sort(at)
				at = slices.Compact(at)
				for _, depth := range []int{100, 1, 0} {
					got := slices.Clone(v)
					place(got, 0, slices.Clone(at), 0, false, depth)
					for _, i := range at {
						if got[i] != want[i] {
							t.Fatalf("%s of %d elements, depth %d: element %d is %d, want %d", name, n, depth, i, got[i], want[i])
						}
					}
					slices.Sort(got)
					if !slices.Equal(got, want) {
						t.Fatalf("%s of %d elements: elements were lost", name, n)
					}
				}
			}
		}
	}
}

// TestRanks: the order of ranks is that of floats, and they give the floats back.
func TestRanks(t *testing.T) {
	inf := math.Inf(1)
	v := []float64{-inf, -math.MaxFloat32, -1.5, -1, -math.SmallestNonzeroFloat32, math.Copysign(0, -1), 0, math.SmallestNonzeroFloat32, 1, 1.5, math.MaxFloat32, inf}
	for i, x := range v {
		a, b := ranks32.of(math.Float32bits(float32(x))), ranks64.of(math.Float64bits(x))
		if got := ranks32.float(a); math.Float64bits(got) != math.Float64bits(x) {
			t.Errorf("float32 rank of %v gives back %v", x, got)
		}
		if got := ranks64.float(b); math.Float64bits(got) != math.Float64bits(x) {
			t.Errorf("float64 rank of %v gives back %v", x, got)
		}
		if i > 0 && (a <= ranks32.of(math.Float32bits(float32(v[i-1]))) || b <= ranks64.of(math.Float64bits(v[i-1]))) {
			t.Errorf("the rank of %v is not above that of %v", x, v[i-1])
		}
	}
}
