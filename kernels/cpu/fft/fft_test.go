// SPDX-License-Identifier: BSD-3-Clause

package fft

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// newChunk returns a chunk of random numbers.
func newChunk(t *testing.T, rng *rand.Rand, dt dtype.DType, shape ...int64) *chunk.Chunk {
	t.Helper()
	c, err := chunk.New(mem.NewPool(), dt, dt.Size(), shape)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Release)
	switch dt {
	case dtype.Float64:
		for i := range chunk.Slice[float64](c) {
			chunk.Slice[float64](c)[i] = rng.NormFloat64()
		}
	case dtype.Complex128:
		for i := range chunk.Slice[complex128](c) {
			chunk.Slice[complex128](c)[i] = complex(rng.NormFloat64(), rng.NormFloat64())
		}
	}
	return c
}

// defined returns the transform of a line by its definition, with sums kept in two parts.
func defined(line []complex128, inverse bool) []complex128 {
	n := int64(len(line))
	out := make([]complex128, n)
	add := func(sum, rest, x float64) (float64, float64) {
		s := sum + x
		b := s - sum
		return s, rest + (sum - (s - b)) + (x - b)
	}
	roots := rootsOf(int(n), int(n))
	for k := range n {
		var re, im, re2, im2 float64
		for j, v := range line {
			w := roots[int64(j)*k%n]
			if inverse {
				w = complex(real(w), -imag(w))
			}
			for _, x := range []float64{real(v) * real(w), -imag(v) * imag(w)} {
				re, re2 = add(re, re2, x)
			}
			for _, x := range []float64{real(v) * imag(w), imag(v) * real(w)} {
				im, im2 = add(im, im2, x)
			}
		}
		out[k] = complex(re+re2, im+im2)
	}
	return out
}

// lengths are all small ones and some of every kind of factor.
func lengths() []int64 {
	var list []int64
	for n := int64(1); n <= 70; n++ {
		list = append(list, n)
	}
	return append(list, 101, 113, 128, 192, 194, 243, 256, 365, 366, 625)
}

// TestTransformsByDefinition compares complex lines of many lengths with sums by the definition.
func TestTransformsByDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range lengths() {
		for _, inverse := range []bool{false, true} {
			in, out := newChunk(t, rng, dtype.Complex128, 2, n), newChunk(t, rng, dtype.Complex128, 2, n)
			tr := &Transform{Axis: 1, N: n, Inverse: inverse, Scale: 1}
			if err := tr.Run(out, in); err != nil {
				t.Fatal(err)
			}
			for l := range int64(2) {
				want := defined(chunk.Slice[complex128](in)[l*n:(l+1)*n], inverse)
				near(t, fmt.Sprintf("n=%d inverse=%v", n, inverse), chunk.Slice[complex128](out)[l*n:(l+1)*n], want)
			}
		}
	}
}

// near fails where an element is further from want than some bits of want's root mean square.
func near(t *testing.T, what string, got, want []complex128) {
	t.Helper()
	sum := 0.0
	for _, v := range want {
		sum += real(v)*real(v) + imag(v)*imag(v)
	}
	most := 8 * 0x1p-52 * math.Sqrt(sum/float64(len(want)))
	for i, v := range want {
		if d := math.Hypot(real(got[i])-real(v), imag(got[i])-imag(v)); !(d <= most) {
			t.Errorf("%s: element %d: got %v, want %v, which is %.1f times as far as it may be", what, i, got[i], v, d/most)
			return
		}
	}
}

// TestRealLines compares transforms of real lines, and back to them, with those of complex ones.
func TestRealLines(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range lengths() {
		h := n/2 + 1
		in := newChunk(t, rng, dtype.Float64, n)
		line := make([]complex128, n)
		for i, v := range chunk.Slice[float64](in) {
			line[i] = complex(v, 0)
		}
		for _, inverse := range []bool{false, true} {
			out := newChunk(t, rng, dtype.Complex128, n)
			if err := (&Transform{N: n, From: Real, Inverse: inverse, Scale: 1}).Run(out, in); err != nil {
				t.Fatal(err)
			}
			near(t, fmt.Sprintf("real n=%d inverse=%v", n, inverse), chunk.Slice[complex128](out), defined(line, inverse))
		}
		half := newChunk(t, rng, dtype.Complex128, h)
		if err := (&Transform{N: n, From: Real, To: Half, Scale: 1}).Run(half, in); err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprintf("half n=%d", n), chunk.Slice[complex128](half), defined(line, false)[:h])

		// Back: imaginary parts that cannot be are left out.
		x := chunk.Slice[complex128](half)
		for i := range x {
			x[i] = complex(rng.NormFloat64(), rng.NormFloat64())
		}
		full := make([]complex128, n)
		for k := range n {
			full[k] = x[min(k, n-k)]
			if k > n-k {
				full[k] = complex(real(full[k]), -imag(full[k]))
			}
		}
		full[0] = complex(real(full[0]), 0)
		if n%2 == 0 {
			full[n/2] = complex(real(full[n/2]), 0)
		}
		out := newChunk(t, rng, dtype.Float64, n)
		if err := (&Transform{N: n, From: Half, To: Real, Inverse: true, Scale: 0.5}).Run(out, half); err != nil {
			t.Fatal(err)
		}
		got, want := make([]complex128, n), defined(full, true)
		for i, v := range chunk.Slice[float64](out) {
			got[i], want[i] = complex(2*v, 0), complex(real(want[i]), 0)
		}
		near(t, fmt.Sprintf("to real n=%d", n), got, want)
	}
}

// TestLinesDoNotDependOnTheirNeighbours: a line has the same bits alone, in a panel, along any axis, cut, lengthened, and where it is written in its place.
func TestLinesDoNotDependOnTheirNeighbours(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int64{1, 6, 30, 97, 256} {
		for _, lines := range []int64{1, 3, 16, 37} {
			for _, have := range []int64{n, n/2 + 1, n + 3} {
				in, out := newChunk(t, rng, dtype.Complex128, 2, have, lines), newChunk(t, rng, dtype.Complex128, 2, n, lines)
				tr := &Transform{Axis: 1, N: n, Scale: 0.25}
				if err := tr.Run(out, in); err != nil {
					t.Fatal(err)
				}
				for p := range 2 * lines {
					alone, one := newChunk(t, rng, dtype.Complex128, have), newChunk(t, rng, dtype.Complex128, n)
					for i := range have {
						chunk.Slice[complex128](alone)[i] = chunk.View[complex128](in).At(p/lines, i, p%lines)
					}
					if err := (&Transform{N: n, Scale: 0.25}).Run(one, alone); err != nil {
						t.Fatal(err)
					}
					for i, v := range chunk.Slice[complex128](one) {
						if got := chunk.View[complex128](out).At(p/lines, i64(i), p%lines); got != v {
							t.Fatalf("n=%d, line %d of %d, element %d: got %v, alone %v", n, p, 2*lines, i, got, v)
						}
					}
				}
				if have != n {
					continue
				}
				if err := tr.Run(in, in); err != nil {
					t.Fatal(err)
				}
				for i, v := range chunk.Slice[complex128](out) {
					if chunk.Slice[complex128](in)[i] != v {
						t.Fatalf("n=%d in its place, element %d: got %v, want %v", n, i, chunk.Slice[complex128](in)[i], v)
					}
				}
			}
		}
	}
}

func i64(i int) int64 { return int64(i) }

// TestRefusals: lengths and dtypes that do not fit.
func TestRefusals(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	x, y := newChunk(t, rng, dtype.Complex128, 4), newChunk(t, rng, dtype.Float64, 4)
	for name, f := range map[string]func() error{
		"no length":    func() error { return (&Transform{}).Run(x, x) },
		"other length": func() error { return (&Transform{N: 3}).Run(x, x) },
		"real operand": func() error { return (&Transform{N: 4}).Run(x, y) },
		"real result":  func() error { return (&Transform{N: 4}).Run(y, x) },
	} {
		if f() == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// TestNothingIsAllocated: a call that finds an idle worker allocates next to nothing.
func TestNothingIsAllocated(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	in, out := newChunk(t, rng, dtype.Complex128, 64, 97), newChunk(t, rng, dtype.Complex128, 64, 97)
	tr := &Transform{Axis: 1, N: 97, Scale: 1}
	if n := testing.AllocsPerRun(50, func() {
		if err := tr.Run(out, in); err != nil {
			t.Fatal(err)
		}
	}); n > 3 {
		t.Errorf("%v allocations for 64 lines, want 3 at most", n)
	}
}

func BenchmarkLines(b *testing.B) {
	for _, n := range []int64{64, 365, 1024, 1000, 4096, 1009} {
		for _, axis := range []int{1, 0} {
			b.Run(fmt.Sprintf("n=%d/axis=%d", n, axis), func(b *testing.B) {
				shape := chunk.Shape{64, 64}
				shape[axis] = n
				pool := mem.NewPool()
				in, _ := chunk.New(pool, dtype.Complex64, 8, shape)
				tr := &Transform{Axis: axis, N: n, Scale: 1}
				b.SetBytes(n * 64 * 8)
				for b.Loop() {
					if err := tr.Run(in, in); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
