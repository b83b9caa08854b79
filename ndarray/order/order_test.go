// SPDX-License-Identifier: BSD-3-Clause

package order

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// drawn are distributions of keys that ways to sort are bad at: few values, long runs, only high or low bits.
func drawn[K Key](r *rand.Rand, n int) map[string][]K {
	out := map[string][]K{}
	fill := func(name string, f func(i int) uint64) {
		v := make([]K, n)
		for i := range v {
			v[i] = K(f(i))
		}
		out[name] = v
	}
	fill("random", func(int) uint64 { return r.Uint64() })
	fill("few", func(int) uint64 { return r.Uint64N(5) })
	fill("ascending", func(i int) uint64 { return uint64(i) })
	fill("descending", func(i int) uint64 { return uint64(n - i) })
	fill("equal", func(int) uint64 { return 7 })
	fill("ends", func(i int) uint64 { return -(r.Uint64() & 1) })
	fill("high", func(int) uint64 { return r.Uint64() << 56 >> (64 - width[K]()) })
	fill("high and low", func(int) uint64 { return (r.Uint64N(3)<<56 | r.Uint64N(300)) })
	fill("doubles", func(int) uint64 { return math.Float64bits(r.NormFloat64()) })
	fill("pipes", func(i int) uint64 { return uint64(min(i, n-i)) })
	return out
}

var lengths = []int{0, 1, 2, 3, 19, 20, 21, 63, 64, 95, 96, 200, 300, 1000, 4097, 70000}

func testKeys[K Key](t *testing.T) {
	r := rand.New(rand.NewPCG(1, uint64(width[K]())))
	for _, n := range lengths {
		for name, v := range drawn[K](r, n) {
			want := slices.Clone(v)
			slices.Sort(want)
			perm := make([]int64, n)
			for i := range perm {
				perm[i] = int64(i)
			}
			slices.SortStableFunc(perm, func(a, b int64) int { return cmp.Compare(v[a], v[b]) })
			got := make([]int64, n)
			Positions(got, v, NewRoom(n))
			if !slices.Equal(got, perm) {
				t.Fatalf("Positions of %d %s keys of %d bits differ", n, name, width[K]())
			}
			sorted := slices.Clone(v)
			Sort(sorted, make([]K, n))
			if !slices.Equal(sorted, want) {
				t.Fatalf("Sort of %d %s keys of %d bits differs", n, name, width[K]())
			}
			heaped := slices.Clone(v)
			heap(heaped)
			if !slices.Equal(heaped, want) {
				t.Fatalf("heap of %d %s keys of %d bits differs", n, name, width[K]())
			}
			quicked := slices.Clone(v)
			quick(quicked, 64)
			if !slices.Equal(quicked, want) {
				t.Fatalf("quick of %d %s keys of %d bits differs", n, name, width[K]())
			}
			for range 20 {
				x := K(r.Uint64())
				if n > 0 && r.IntN(2) == 0 {
					x = want[r.IntN(n)] + K(r.IntN(3)) - 1
				}
				left, _ := slices.BinarySearch(want, x)
				right := n
				for i, y := range want {
					if y > x {
						right = i
						break
					}
				}
				if a, b := Search(want, x, false), Search(want, x, true); a != left || b != right {
					t.Fatalf("Search(%d %s keys, %d) = %d, %d, want %d, %d", n, name, x, a, b, left, right)
				}
			}
		}
	}
}

func TestKeys(t *testing.T) {
	t.Run("8", testKeys[uint8])
	t.Run("16", testKeys[uint16])
	t.Run("32", testKeys[uint32])
	t.Run("64", testKeys[uint64])
}

func TestEncode(t *testing.T) {
	e := Encoder[uint64]{Kind: Float}
	in := []float64{math.Inf(-1), -math.MaxFloat64, -1, -math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64, 1, math.MaxFloat64, math.Inf(1), math.NaN()}
	bits := make([]uint64, len(in))
	for i, x := range in {
		bits[i] = math.Float64bits(x)
	}
	keys := make([]uint64, len(in))
	if e.Encode(keys, bits, 1) {
		t.Error("Encode reports -0 where there is none")
	}
	if !slices.IsSorted(keys) {
		t.Errorf("Encode(%v) = %x, want ascending keys", in, keys)
	}
	e.Decode(bits, keys, 1)
	for i, b := range bits {
		if x := math.Float64frombits(b); x != in[i] && (x == x || in[i] == in[i]) {
			t.Errorf("Decode(Encode(%v)) = %v", in[i], x)
		}
	}
	minus := math.Float64bits(math.Copysign(0, -1))
	if !e.Encode(keys[:1], []uint64{minus}, 1) || keys[0] != e.Zero() {
		t.Errorf("Encode(-0) = %x, want the key of 0, %x, and a report", keys[0], e.Zero())
	}
	if k := e.One(math.Float64bits(-math.NaN())); k != e.Missing() {
		t.Errorf("One(-NaN) = %x, want %x", k, e.Missing())
	}
	half := Encoder[uint16]{Kind: Float}
	if half.One(0x7c00) >= half.One(0x7c01) || half.One(0xfc01) != half.Missing() {
		t.Error("float16: NaN is not behind infinity")
	}
	brain := Encoder[uint16]{Kind: Float, Brain: true}
	if brain.One(0x7c01) >= brain.One(0x7f80) || brain.One(0x7f81) != brain.Missing() {
		t.Error("bfloat16: NaN is not behind infinity")
	}
	down := Encoder[uint8]{Kind: Signed, Descending: true}
	if down.One(128) <= down.One(127) {
		t.Error("descending int8: -128 is not behind 127")
	}
}

func BenchmarkSort(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{16, 64, 100, 200, 300, 500, 1000, 10000, 1000000} {
		bench(b, "float32", n, func() uint32 { return math.Float32bits(r.Float32()) })
		bench(b, "float64", n, func() uint64 { return math.Float64bits(r.Float64()) })
		bench(b, "int64", n, func() uint64 { return r.Uint64() >> 40 })
		bench(b, "uint16", n, func() uint16 { return uint16(r.Uint32()) })
		bench(b, "uint8", n, func() uint8 { return uint8(r.Uint32()) })
	}
}

func bench[K Key](b *testing.B, name string, n int, f func() K) {
	lines := max(1, 1000000/n)
	src := make([]K, n*lines)
	for i := range src {
		src[i] = f()
	}
	work, keys, to := make([]K, n), make([]K, n), make([]int64, n)
	room := NewRoom(n)
	e := Encoder[K]{Kind: Unsigned}
	if name[0] == 'f' {
		e.Kind = Float
	}
	perElement := func(b *testing.B, f func(line []K)) {
		for b.Loop() {
			for i := range lines {
				f(src[i*n : (i+1)*n])
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(src)), "ns/element")
	}
	b.Run(fmt.Sprintf("op=sort/dtype=%s/n=%d", name, n), func(b *testing.B) {
		perElement(b, func(line []K) {
			e.Encode(keys, line, 1)
			Sort(keys, work)
			e.Decode(work, keys, 1)
		})
	})
	b.Run(fmt.Sprintf("op=quick/dtype=%s/n=%d", name, n), func(b *testing.B) {
		perElement(b, func(line []K) {
			e.Encode(keys, line, 1)
			quick(keys, 64)
			e.Decode(work, keys, 1)
		})
	})
	b.Run(fmt.Sprintf("op=argsort/dtype=%s/n=%d", name, n), func(b *testing.B) {
		perElement(b, func(line []K) {
			e.Encode(keys, line, 1)
			Positions(to, keys, room)
		})
	})
}
