// SPDX-License-Identifier: BSD-3-Clause

package random_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/random"
	"github.com/arrayrun/arrayrun/sched"
)

// calls is one call of every function, by name.
var calls = []struct {
	name string
	call func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array
}{
	{"random", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Random(s, dtype.Float64, o...)
	}},
	{"random32", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Random(s, dtype.Float32, o...)
	}},
	{"uniform", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Uniform(-3, 5, s, dtype.Float32, o...)
	}},
	{"normal", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Normal(1, 2, s, dtype.Invalid, o...)
	}},
	{"lognormal", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.LogNormal(0, 0.5, s, dtype.Float32, o...)
	}},
	{"exponential", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Exponential(2, s, dtype.Float64, o...)
	}},
	{"rayleigh", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Rayleigh(2, s, dtype.Float64, o...)
	}},
	{"weibull", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Weibull(1.5, s, dtype.Float64, o...)
	}},
	{"logistic", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Logistic(1, 2, s, dtype.Float64, o...)
	}},
	{"gumbel", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Gumbel(1, 2, s, dtype.Float64, o...)
	}},
	{"integers", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Integers(-17, 1000, s, dtype.Int16, o...)
	}},
	{"integers of two words", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Integers(0, 3<<61, s, dtype.Int64, o...)
	}},
	{"integers of a power", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Integers(0, 128, s, dtype.Uint8, o...)
	}},
	{"bits", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Bits(s, dtype.Uint16, o...)
	}},
	{"bernoulli", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Bernoulli(0.3, s, o...)
	}},
	{"choice", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Choice(3, []float64{0.5, 0.25, 0.25}, s, o...)
	}},
	{"poisson", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Poisson(4.5, s, o...)
	}},
	{"binomial", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Binomial(100, 0.3, s, o...)
	}},
	{"geometric", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Geometric(0.1, s, o...)
	}},
	{"permutation", func(g *random.Generator, s chunk.Shape, o ...ndarray.Option) ndarray.Array {
		return g.Permutation(s.Size(), ndarray.Chunked(1000)).Reshape(s...).RechunkTo(g.Random(s, dtype.Float64, o...).Grid())
	}},
}

// TestBitsDependOnNothingElse computes arrays cut in many ways, in parts and as operands of others, with few bytes and many, by one worker and
// by several, by machine code and by the portable machine: always the same bits.
func TestBitsDependOnNothingElse(t *testing.T) {
	const seed = 4
	r := rand.New(rand.NewPCG(seed, 1))
	shape := chunk.Shape{23, 61, 47}
	plain := newEngine(t, sched.Options{Memory: 256 << 20, Workers: 1})
	engines := []*sched.Engine{
		plain,
		newEngine(t, sched.Options{Memory: 8 << 20, Workers: 2}),
		newEngine(t, sched.Options{Memory: 64 << 20, Workers: 3, CPU: "generic", NoFuse: true}),
	}
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			g := random.New(seed)
			g.Random(chunk.Shape{3}, dtype.Float32) // the array begins within a word
			whole := bytesOf(t, plain, c.call(g, shape))
			for trial := range 6 {
				g := random.New(seed)
				g.Random(chunk.Shape{3}, dtype.Float32)
				steps := []int64{1 + r.Int64N(23), 1 + r.Int64N(61), 1 + r.Int64N(47)}
				a := c.call(g, shape, ndarray.Chunked(steps...))
				eng := engines[trial%len(engines)]
				if got := bytesOf(t, eng, a); string(got) != string(whole) {
					t.Fatalf("seed %d, chunks %v, engine %d: other bits", seed, steps, trial%len(engines))
				}
				index, want := part(r, shape, whole, int64(a.DType().Size()))
				if got := bytesOf(t, eng, a.Index(index...)); string(got) != string(want) {
					t.Fatalf("seed %d, chunks %v, part %v: other bits", seed, steps, index)
				}
			}
		})
	}
}

// part returns an index and the bytes of what it takes.
func part(r *rand.Rand, shape chunk.Shape, whole []byte, size int64) ([]ndarray.Index, []byte) {
	ids := make([][]int64, len(shape))
	index := make([]ndarray.Index, len(shape))
	for i, n := range shape {
		lo := r.Int64N(n)
		hi := lo + 1 + r.Int64N(n-lo)
		switch r.IntN(3) {
		case 0:
			index[i] = ndarray.Span(lo, hi)
			for k := lo; k < hi; k++ {
				ids[i] = append(ids[i], k)
			}
		case 1:
			index[i] = ndarray.Reversed()
			for k := n - 1; k >= 0; k-- {
				ids[i] = append(ids[i], k)
			}
		default:
			ids[i] = []int64{hi - 1, lo, n / 2}
			index[i] = ndarray.Take(ids[i])
		}
	}
	var out []byte
	for _, x := range ids[0] {
		for _, y := range ids[1] {
			for _, z := range ids[2] {
				at := ((x*shape[1]+y)*shape[2] + z) * size
				out = append(out, whole[at:at+size]...)
			}
		}
	}
	return index, out
}

// TestOutOfCore reduces arrays that are far larger than the budget.
func TestOutOfCore(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 256 MiB")
	}
	eng := newEngine(t, sched.Options{Memory: 8 << 20})
	g := random.New(8)
	shape := chunk.Shape{32, 1 << 20}
	got := floats(t, eng, g.Normal(0, 1, shape, dtype.Float64).Square().Mean())
	if n := float64(shape.Size()); math.Abs(got[0]-1) > 5*math.Sqrt(2/n) {
		t.Errorf("variance of %v numbers: got %v, want 1 within 5 standard deviations", n, got[0])
	}
	if m := eng.Stats().PeakBudgetBytes; m > 8<<20 {
		t.Errorf("%d bytes of the budget in use, want at most %d", m, 8<<20)
	}
}

// TestErrors wants what is wrong to be said, and that it takes nothing of the stream.
func TestErrors(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	g := random.New(1)
	s := chunk.Shape{3}
	f64 := dtype.Float64
	for _, c := range []struct {
		a    ndarray.Array
		want string
		is   error
	}{
		{g.Random(chunk.Shape{-1}, f64), "random: random: shape [-1]: want lengths of 0 or more", chunk.ErrShape},
		{g.Random(chunk.Shape{1 << 40, 1 << 40}, f64), "product fits 63 bits", chunk.ErrShape},
		{g.Integers(0, 3<<61, chunk.Shape{1 << 31, 1 << 33}, dtype.Int64), "product fits 63 bits", chunk.ErrShape},
		{g.Random(s, dtype.Int8), "random: random: dtype: got int8, want float32 or float64", dtype.ErrPromote},
		{g.Normal(0, 1, s, dtype.Complex64), "normal: dtype: got complex64", dtype.ErrPromote},
		{g.Normal(nan, 1, s, f64), "normal: loc: got NaN, want a finite number", nil},
		{g.Normal(0, -1, s, f64), "normal: scale: got -1, want 0 or more", nil},
		{g.Normal(0, inf, s, f64), "normal: scale: got +Inf, want a finite number", nil},
		{g.Uniform(2, 1, s, f64), "uniform: hi - lo: got -1, want 0 or more", nil},
		{g.Uniform(-math.MaxFloat64, math.MaxFloat64, s, f64), "uniform: hi - lo: got +Inf", nil},
		{g.Uniform(0, nan, s, f64), "uniform: hi: got NaN", nil},
		{g.Exponential(-2, s, f64), "exponential: scale: got -2", nil},
		{g.Weibull(0, s, f64), "weibull: a: got 0, want more than 0", nil},
		{g.Integers(3, 3, s, dtype.Invalid), "integers: limits: got 3 to 3, want the first below the second", nil},
		{g.Integers(0, 257, s, dtype.Uint8), "integers: limits: got 0 to 257, want 0 to 255 of uint8", nil},
		{g.Integers(-1, 2, s, dtype.Uint64), "integers: limits: got -1 to 2", nil},
		{g.Integers(-129, 0, s, dtype.Int8), "want -128 to 127 of int8", nil},
		{g.Integers(0, 2, s, f64), "integers: dtype: got float64", dtype.ErrPromote},
		{g.Bits(s, dtype.Int64), "bits: dtype: got int64, want unsigned integers", dtype.ErrPromote},
		{g.Bernoulli(1.1, s), "bernoulli: p: got 1.1, want a probability", nil},
		{g.Bernoulli(nan, s), "bernoulli: p: got NaN", nil},
		{g.Choice(0, nil, s), "choice: n: got 0, want 1 or more", nil},
		{g.Choice(2, []float64{0.5, 0.25, 0.25}, s), "choice: weights: got 3 for 2 positions", nil},
		{g.Choice(2, []float64{0.5, 0.6}, s), "choice: weights: they add up to 1.1, want 1", nil},
		{g.Choice(2, []float64{1.5, -0.5}, s), "choice: weight 1: got -0.5, want a probability", nil},
		{g.Choice(2, []float64{nan, 1}, s), "choice: weight 0: got NaN", nil},
		{g.Choice(2, []float64{0, 0}, s), "they add up to 0, want 1", nil},
		{g.Poisson(-1, s), "poisson: lam: got -1, want 0 to 1e+08", nil},
		{g.Poisson(nan, s), "poisson: lam: got NaN", nil},
		{g.Poisson(1e9, s), "poisson: lam: got 1e+09", nil},
		{g.Binomial(-1, 0.5, s), "binomial: n: got -1", nil},
		{g.Binomial(4, nan, s), "binomial: p: got NaN", nil},
		{g.Binomial(1<<50, 0.5, s), "binomial: n, p: the variance", nil},
		{g.Geometric(0, s), "geometric: p: got 0, want a probability above 0", nil},
		{g.Permutation(-1), "permutation: n: got -1", chunk.ErrShape},
		{g.Choice(2, []float64{0.5, 0.5}, chunk.Shape{-3}), "choice: shape [-3]", chunk.ErrShape},
	} {
		err := c.a.Err()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%v is not %v", err, c.is)
		}
	}
	for _, n := range []int{-1, 1<<20 + 1} {
		if _, err := g.Spawn(n); err == nil {
			t.Errorf("spawn of %d: no error", n)
		}
	}
	eng := newEngine(t, sched.Options{Memory: 16 << 20})
	if got, want := bytesOf(t, eng, g.Random(s, f64)), bytesOf(t, eng, random.New(1).Random(s, f64)); string(got) != string(want) {
		t.Errorf("calls with errors took some of the stream: %x, want %x", got, want)
	}
}

// TestEdges wants the sure and the impossible.
func TestEdges(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 16 << 20})
	g := random.New(1)
	s := chunk.Shape{1000}
	for _, c := range []struct {
		name string
		a    ndarray.Array
		want float64
	}{
		{"bernoulli 0", g.Bernoulli(0, s), 0},
		{"bernoulli 1", g.Bernoulli(1, s), 1000},
		{"one choice", g.Choice(1, nil, s), 0},
		{"uniform of no length", g.Uniform(3, 3, s, dtype.Float64), 3000},
		{"normal of no width", g.Normal(-2, 0, s, dtype.Float64), -2000},
		{"no elements", g.Normal(0, 1, chunk.Shape{0, 4}, dtype.Float64), 0},
		{"no events", g.Poisson(0, s), 0},
		{"sure trials", g.Binomial(7, 1, s), 7000},
		{"first trial", g.Geometric(1, s), 1000},
		{"one position", g.Permutation(1), 0},
		{"no positions", g.Permutation(0), 0},
		{"positions", g.Permutation(1000), 999 * 500},
		{"one integer", g.Integers(-9, -8, s, dtype.Int8), -9000},
	} {
		v, err := ndarray.Values[float64](context.Background(), eng, c.a.AsType(dtype.Float64).Sum())
		if err != nil || v[0] != c.want {
			t.Errorf("%s: sum %v, %v, want %v", c.name, v, err, c.want)
		}
	}
	a := fmt.Sprint(floats(t, eng, g.Random(chunk.Shape{2}, dtype.Float64)))
	if b := fmt.Sprint(floats(t, eng, g.Random(chunk.Shape{2}, dtype.Float64))); a == b {
		t.Errorf("two calls give the same numbers: %s", a)
	}
}
