// SPDX-License-Identifier: BSD-3-Clause

package random_test

import (
	"context"
	"math"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/random"
	"github.com/arrayrun/arrayrun/sched"
)

func phi(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// continuous are distributions with their cumulative functions, mean and variance.
var continuous = []struct {
	name           string
	call           func(g *random.Generator, s chunk.Shape) ndarray.Array
	below          func(x float64) float64
	mean, variance float64
}{
	{"random", func(g *random.Generator, s chunk.Shape) ndarray.Array { return g.Random(s, dtype.Float64) },
		func(x float64) float64 { return x }, 0.5, 1.0 / 12},
	{"random32", func(g *random.Generator, s chunk.Shape) ndarray.Array {
		return g.Random(s, dtype.Float32).AsType(dtype.Float64)
	}, func(x float64) float64 { return x + 0x1p-25 }, 0.5, 1.0 / 12},
	{"uniform", func(g *random.Generator, s chunk.Shape) ndarray.Array { return g.Uniform(-2, 4, s, dtype.Float64) },
		func(x float64) float64 { return (x + 2) / 6 }, 1, 3},
	{"normal", func(g *random.Generator, s chunk.Shape) ndarray.Array { return g.Normal(3, 2, s, dtype.Float64) },
		func(x float64) float64 { return phi((x - 3) / 2) }, 3, 4},
	{"lognormal", func(g *random.Generator, s chunk.Shape) ndarray.Array {
		return g.LogNormal(0.5, 0.25, s, dtype.Float64)
	},
		func(x float64) float64 { return phi((math.Log(x) - 0.5) / 0.25) }, math.Exp(0.5 + 0.03125), (math.Exp(0.0625) - 1) * math.Exp(1.0625)},
	{"exponential", func(g *random.Generator, s chunk.Shape) ndarray.Array { return g.Exponential(2, s, dtype.Float64) },
		func(x float64) float64 { return -math.Expm1(-x / 2) }, 2, 4},
	{"rayleigh", func(g *random.Generator, s chunk.Shape) ndarray.Array { return g.Rayleigh(3, s, dtype.Float64) },
		func(x float64) float64 { return -math.Expm1(-x * x / 18) }, 3 * math.Sqrt(math.Pi/2), (4 - math.Pi) / 2 * 9},
	{"weibull", func(g *random.Generator, s chunk.Shape) ndarray.Array { return g.Weibull(2.5, s, dtype.Float64) },
		func(x float64) float64 { return -math.Expm1(-math.Pow(x, 2.5)) }, math.Gamma(1.4), math.Gamma(1.8) - math.Gamma(1.4)*math.Gamma(1.4)},
	{"logistic", func(g *random.Generator, s chunk.Shape) ndarray.Array { return g.Logistic(1, 2, s, dtype.Float64) },
		func(x float64) float64 { return 1 / (1 + math.Exp((1-x)/2)) }, 1, 4 * math.Pi * math.Pi / 3},
	{"gumbel", func(g *random.Generator, s chunk.Shape) ndarray.Array { return g.Gumbel(1, 2, s, dtype.Float64) },
		func(x float64) float64 { return math.Exp(-math.Exp((1 - x) / 2)) }, 1 + 2*0.57721566490153286, 4 * math.Pi * math.Pi / 6},
}

// sampleSize is how many numbers of each distribution are looked at.
func sampleSize() int64 {
	if testing.Short() {
		return 1e6
	}
	return 1e7
}

// tally counts numbers by what their cumulative function says, in equal bins.
type tally struct {
	bins       [1 << 14]int64
	sum, above float64 // of what is subtracted the mean, and of its square
	tails      [len(rare)]int64
}

// rare are the probabilities of the tails that are counted.
var rare = [...]float64{1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6}

// TestDistributions looks at 1e7 numbers of each distribution. Cumulative functions make them uniform: of 2**14 bins the largest difference of the running
// counts is Kolmogorov's and Smirnov's, at most 1.95/sqrt(n) with probability 0.999, and the sum of squares is chi-square, within 4.5 standard deviations. Means are within 5 standard
// deviations, variances within 1%. The seed is fixed, so the test does not fail by chance.
func TestDistributions(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20})
	n := sampleSize()
	for _, d := range continuous {
		t.Run(d.name, func(t *testing.T) {
			var c tally
			a := d.call(random.New(20261130), chunk.Shape{n})
			err := eng.Run(context.Background(), []ndarray.Output{{Array: a, Each: func(_ chunk.Region, part *chunk.Chunk) error {
				for _, x := range chunk.Slice[float64](part) {
					p := d.below(x)
					c.bins[min(int(p*float64(len(c.bins))), len(c.bins)-1)]++
					c.sum += x - d.mean
					c.above += (x - d.mean) * (x - d.mean)
					for k := 0; k < len(rare) && p < rare[k]; k++ {
						c.tails[k]++
					}
				}
				return nil
			}}})
			if err != nil {
				t.Fatal(err)
			}
			size, each := float64(n), float64(n)/float64(len(c.bins))
			var run, worst, square float64
			for i, k := range c.bins {
				run += float64(k)
				worst = max(worst, math.Abs(run/size-float64(i+1)/float64(len(c.bins))))
				square += (float64(k) - each) * (float64(k) - each) / each
			}
			if worst*math.Sqrt(size) > 1.95 {
				t.Errorf("Kolmogorov and Smirnov: %v/sqrt(n), want at most 1.95", worst*math.Sqrt(size))
			}
			free := float64(len(c.bins) - 1)
			if s := (square - free) / math.Sqrt(2*free); math.Abs(s) > 4.5 {
				t.Errorf("chi-square of %v: %v, %v standard deviations off", free, square, s)
			}
			if s := c.sum / size / math.Sqrt(d.variance/size); math.Abs(s) > 5 {
				t.Errorf("mean: %v standard deviations off", s)
			}
			if r := c.above / size / d.variance; math.Abs(r-1) > 0.01 {
				t.Errorf("variance: %v of what it should be", r)
			}
			for k, got := range c.tails {
				want := size * rare[k]
				if math.Abs(float64(got)-want) > 5*math.Sqrt(want)+1 {
					t.Errorf("below the quantile %v: %d of %v, want %v", rare[k], got, size, want)
				}
			}
		})
	}
}

// counts returns how often each of k values occurs in n integers from lo on.
func counts(t *testing.T, eng ndarray.Engine, a ndarray.Array, lo int64, k int) []int64 {
	t.Helper()
	out := make([]int64, k)
	err := eng.Run(context.Background(), []ndarray.Output{{Array: a.AsType(dtype.Int64), Each: func(_ chunk.Region, c *chunk.Chunk) error {
		for _, x := range chunk.Slice[int64](c) {
			out[x-lo]++ // a value outside is a panic of the test
		}
		return nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestIntegersAreEven compares how often values occur with their probabilities: chi-square, within 4.5 standard deviations.
func TestIntegersAreEven(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20})
	n := sampleSize()
	s := chunk.Shape{n}
	g := random.New(77)
	even := func(k int) []float64 {
		p := make([]float64, k)
		for i := range p {
			p[i] = 1 / float64(k)
		}
		return p
	}
	third := g.Integers(0, 3<<61, s, dtype.Int64).Mod(3) // multiplied by one word of 64 bits, a half of them would be multiples of 3
	for _, c := range []struct {
		name string
		a    ndarray.Array
		lo   int64
		p    []float64
	}{
		{"dice", g.Integers(1, 7, s, dtype.Int8), 1, even(6)},
		{"1000", g.Integers(-500, 500, s, dtype.Int64), -500, even(1000)},
		{"bytes", g.Bits(s, dtype.Uint8), 0, even(256)},
		{"halves", g.Bits(s, dtype.Uint32).Mod(97), 0, even(97)},
		{"large", third, 0, even(3)},
		{"choice", g.Choice(7, nil, s), 0, even(7)},
		{"weights", g.Choice(4, []float64{0.1, 0.2, 0.3, 0.4}, s), 0, []float64{0.1, 0.2, 0.3, 0.4}},
		{"bernoulli", g.Bernoulli(0.001, s), 0, []float64{0.999, 0.001}},
		{"binomial", g.Binomial(3, 0.25, s), 0, []float64{27. / 64, 27. / 64, 9. / 64, 1. / 64}},
		{"poisson", ndarray.Apply("minimum", g.Poisson(1, s), 3), 0, []float64{1 / math.E, 1 / math.E, 0.5 / math.E, 1 - 2.5/math.E}},
		{"geometric", ndarray.Apply("minimum", g.Geometric(0.5, s), 4), 1, []float64{0.5, 0.25, 0.125, 0.125}},
	} {
		got := counts(t, eng, c.a, c.lo, len(c.p))
		square := 0.0
		for i, k := range got {
			want := float64(n) * c.p[i]
			square += (float64(k) - want) * (float64(k) - want) / want
		}
		free := float64(len(c.p) - 1)
		if s := (square - free) / math.Sqrt(2*free); math.Abs(s) > 4.5 {
			t.Errorf("%s: chi-square of %v: %v, %v standard deviations off", c.name, free, square, s)
		}
	}
}

// TestStreamsAreIndependent wants no correlation between neighbours in a stream, between calls, seeds and generators that are spawned: each within 5 standard deviations.
func TestStreamsAreIndependent(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20})
	n := sampleSize() / 10
	s := chunk.Shape{n}
	normal := func(g *random.Generator) ndarray.Array { return g.Normal(0, 1, s, dtype.Float64) }
	g := random.New(0)
	children, err := g.Spawn(2)
	if err != nil {
		t.Fatal(err)
	}
	a := normal(g)
	rest := func(x ndarray.Array, by int64) ndarray.Array { return x.Index(ndarray.Span(by, n)) }
	first := func(x ndarray.Array, by int64) ndarray.Array { return x.Index(ndarray.Span(0, n-by)) }
	for _, c := range []struct {
		name string
		a, b ndarray.Array
	}{
		{"neighbours", first(a, 1), rest(a, 1)},
		{"blocks", first(a, 4), rest(a, 4)},
		{"calls", a, normal(g)},
		{"seeds", a, normal(random.New(1))},
		{"parent and child", a, normal(children[0])},
		{"children", normal(children[1]), normal(children[0])},
		{"squares of neighbours", first(a.Square().Sub(1), 1), rest(a.Square().Sub(1), 1)},
	} {
		r := floats(t, eng, c.a.Mul(c.b).Mean())[0] / floats(t, eng, c.a.Square().Mean())[0]
		if z := r * math.Sqrt(float64(n)); math.Abs(z) > 5 {
			t.Errorf("%s: correlation %v, %v standard deviations", c.name, r, z)
		}
	}
}

// TestNormalTails makes normal numbers of chosen words: both ends are symmetric, and what lies beyond a number has the probability of its words.
func TestNormalTails(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 16 << 20})
	var words []uint64
	for m := uint64(1); m != 0; m <<= 3 {
		words = append(words, m-1, m, m+1, m+2)
	}
	words = append(words, math.MaxUint64, math.MaxUint64-1)
	z := floats(t, eng, random.NormalOf(ndarray.FromSlice(words)))
	for i, w := range words {
		p := (float64(w>>1) + 0.5) * 0x1p-64
		if got := math.Erfc(math.Abs(z[i])/math.Sqrt2) / 2; math.Abs(got-p) > 1e-13*p {
			t.Errorf("word %#x: %v, beyond which lies %v, want %v", w, z[i], got, p)
		}
		if w&1 == 1 != (z[i] > 0) && z[i] != 0 {
			t.Errorf("word %#x: got %v, want the sign of the lowest bit", w, z[i])
		}
	}
	if z[0] > -9.15 || z[0] < -9.16 {
		t.Errorf("the least number is %v, want one between -9.16 and -9.15", z[0])
	}
}
