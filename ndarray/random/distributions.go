// SPDX-License-Identifier: BSD-3-Clause

package random

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// Random returns numbers from 0 to 1, without 1, all as likely: NumPy's own bits. dtype.Invalid gives float64, multiples of 2**-53 of one word each; float32 are
// multiples of 2**-24 of half a word each. Other dtypes are errors.
func (g *Generator) Random(shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
	switch dt {
	case dtype.Invalid, dtype.Float64:
		return uniform(g.words("random", shape, opts))
	case dtype.Float32:
		halves := g.integers("random", rule{width: 32}, shape, dtype.Uint32, opts)
		return ndarray.Apply("right_shift", halves, 8).AsType(dtype.Float32).Mul(0x1p-24)
	}
	return failf("random: dtype: got %v, want float32 or float64: %w", dt, dtype.ErrPromote)
}

// parameter is a number that a distribution is given, with what it may be.
type parameter struct {
	name  string
	value float64
	least float64 // -inf where it may be anything finite
	open  bool    // least itself may not be
}

// draws returns the values of what variates makes of new words, in the dtype: computed in float64 and rounded once. Parameters out of bounds, and not finite, are errors.
func (g *Generator) draws(fn string, shape chunk.Shape, dt dtype.DType, opts []ndarray.Option, variates func(words ndarray.Array) ndarray.Array, of ...parameter) ndarray.Array {
	switch dt {
	case dtype.Invalid:
		dt = dtype.Float64
	case dtype.Float32, dtype.Float64:
	default:
		return failf("%s: dtype: got %v, want float32 or float64: %w", fn, dt, dtype.ErrPromote)
	}
	for _, p := range of {
		switch {
		case math.IsNaN(p.value) || math.IsInf(p.value, 0):
			return failf("%s: %s: got %v, want a finite number", fn, p.name, p.value)
		case p.value < p.least:
			return failf("%s: %s: got %v, want %v or more", fn, p.name, p.value, p.least)
		case p.open && p.value == p.least:
			return failf("%s: %s: got %v, want more than %v", fn, p.name, p.value, p.least)
		}
	}
	words := g.words(fn, shape, opts)
	if words.Err() != nil {
		return words
	}
	return variates(words).AsType(dt)
}

// finite and scale are the usual parameters.
func finite(name string, v float64) parameter { return parameter{name, v, math.Inf(-1), false} }
func scaled(name string, v float64) parameter { return parameter{name, v, 0, false} }
func shaped(name string, v float64) parameter { return parameter{name, v, 0, true} }

// uniform is the float64 of Random that words make.
func uniform(words ndarray.Array) ndarray.Array {
	return ndarray.Apply("right_shift", words, 11).AsType(dtype.Float64).Mul(0x1p-53)
}

// Uniform returns lo + (hi-lo)*u with u of Random's float64, one word each: NumPy's own bits in float64. Rounding may give hi.
// lo above hi, and limits whose difference is not finite, are errors.
func (g *Generator) Uniform(lo, hi float64, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
	return g.draws("uniform", shape, dt, opts, func(words ndarray.Array) ndarray.Array {
		return uniform(words).Mul(hi - lo).Add(lo)
	}, finite("lo", lo), finite("hi", hi), scaled("hi - lo", hi-lo))
}

// Normal returns numbers of the normal distribution with mean loc and standard deviation scale, one word each: one bit is the sign, and 63 make a probability
// p = (m+1/2)/2**64 of the tail whose end ndtri finds, so that tails are exact to rounding down to p = 2**-65, 9.16 standard deviations. NumPy's ziggurat takes more draws
// for some numbers than for others: its numbers are others. A scale below 0 is an error.
func (g *Generator) Normal(loc, scale float64, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
	return g.draws("normal", shape, dt, opts, func(words ndarray.Array) ndarray.Array {
		return normal(words).Mul(scale).Add(loc)
	}, finite("loc", loc), scaled("scale", scale))
}

// normal makes standard normal numbers of words.
func normal(words ndarray.Array) ndarray.Array {
	tail := ndarray.Apply("right_shift", words, 1).AsType(dtype.Float64).Add(0.5).Mul(0x1p-64)
	z := ndarray.Apply("ndtri", tail) // 0 or below
	return ndarray.Where(ndarray.Apply("bitwise_and", words, 1).Equal(0), z, z.Neg())
}

// LogNormal returns the exponentials of Normal(mean, sigma).
func (g *Generator) LogNormal(mean, sigma float64, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
	return g.draws("lognormal", shape, dt, opts, func(words ndarray.Array) ndarray.Array {
		return normal(words).Mul(sigma).Add(mean).Exp()
	}, finite("mean", mean), scaled("sigma", sigma))
}

// exponential makes standard exponential numbers of words.
func exponential(words ndarray.Array) ndarray.Array {
	return ndarray.Apply("log1p", uniform(words).Neg()).Neg()
}

// Exponential returns numbers of the exponential distribution with mean scale: -log1p(-u) of Random's float64, one word each, at most 36.8 scales. They are those of NumPy's
// standard_exponential(method='inv'), to the rounding of the logarithm. A scale below 0 is an error.
func (g *Generator) Exponential(scale float64, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
	return g.draws("exponential", shape, dt, opts, func(words ndarray.Array) ndarray.Array {
		return exponential(words).Mul(scale)
	}, scaled("scale", scale))
}

// Rayleigh returns the lengths of vectors of two normal numbers of standard deviation scale: scale*sqrt(2*e) with e of Exponential(1).
func (g *Generator) Rayleigh(scale float64, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
	return g.draws("rayleigh", shape, dt, opts, func(words ndarray.Array) ndarray.Array {
		return exponential(words).Mul(2).Sqrt().Mul(scale)
	}, scaled("scale", scale))
}

// Weibull returns numbers of the Weibull distribution of shape parameter a and scale 1: the powers 1/a of Exponential(1).
func (g *Generator) Weibull(a float64, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
	return g.draws("weibull", shape, dt, opts, func(words ndarray.Array) ndarray.Array {
		return exponential(words).Pow(1 / a)
	}, shaped("a", a))
}

// centre makes numbers of words that lie between the multiples of 2**-53 of Random, from 2**-54 to 1-2**-54: both tails are alike, and no logarithm is of 0.
func centre(words ndarray.Array) ndarray.Array {
	return ndarray.Apply("right_shift", words, 12).AsType(dtype.Float64).Add(0.5).Mul(0x1p-52)
}

// Logistic returns numbers of the logistic distribution: loc + scale*log(p/(1-p)) with p of one word.
func (g *Generator) Logistic(loc, scale float64, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
	return g.draws("logistic", shape, dt, opts, func(words ndarray.Array) ndarray.Array {
		p := centre(words)
		return p.Log().Sub(ndarray.Apply("log1p", p.Neg())).Mul(scale).Add(loc)
	}, finite("loc", loc), scaled("scale", scale))
}

// Gumbel returns numbers of the Gumbel distribution, of extreme values: loc - scale*log(-log(p)) with p of one word.
func (g *Generator) Gumbel(loc, scale float64, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
	return g.draws("gumbel", shape, dt, opts, func(words ndarray.Array) ndarray.Array {
		return centre(words).Log().Neg().Log().Mul(-scale).Add(loc)
	}, finite("loc", loc), scaled("scale", scale))
}

// Bernoulli returns bools that are true with probability p, one word each: where the word is below p * 2**64, so that small probabilities are exact to 2**-64. Outside
// 0 to 1, p is an error.
func (g *Generator) Bernoulli(p float64, shape chunk.Shape, opts ...ndarray.Option) ndarray.Array {
	if !(p >= 0 && p <= 1) {
		return failf("bernoulli: p: got %v, want a probability, 0 to 1", p)
	}
	words := g.words("bernoulli", shape, opts)
	if p == 1 {
		return words.LessEqual(uint64(math.MaxUint64))
	}
	return words.Less(uint64(math.Ceil(p * 0x1p64)))
}

// maxWeights is the largest number of weights of Choice.
const maxWeights = 1 << 24

// Choice returns positions from 0 to n, without n, drawn with replacement: int64. Without weights they are those of Integers; with n weights, which add up to 1,
// position i has probability weights[i], to 2**-53, and they are NumPy's own: where one number of Random lies in the running sums of the weights. Take elements by them.
//
// n below 1, weights below 0 or not finite, another number of them than n and a sum that is not 1 to 1.5e-8 are errors. Every task holds the weights.
func (g *Generator) Choice(n int64, weights []float64, shape chunk.Shape, opts ...ndarray.Option) ndarray.Array {
	switch {
	case n < 1:
		return failf("choice: n: got %d, want 1 or more", n)
	case weights == nil:
		return g.between("choice", 0, uint64(n), shape, dtype.Int64, opts)
	case int64(len(weights)) != n || n > maxWeights:
		return failf("choice: weights: got %d for %d positions, want one for each and at most %d", len(weights), n, maxWeights)
	}
	sums := make([]float64, n)
	sum, rest := 0.0, 0.0 // of Kahan's, as NumPy checks it
	for i, w := range weights {
		if !(w >= 0) || math.IsInf(w, 1) {
			return failf("choice: weight %d: got %v, want a probability", i, w)
		}
		sums[i] = w
		if i > 0 {
			sums[i] += sums[i-1]
		}
		y := w - rest
		t := sum + y
		rest = (t - sum) - y
		sum = t
	}
	if math.Abs(sum-1) > 0x1p-26 { // the root of float64's eps
		return failf("choice: weights: they add up to %v, want 1", sum)
	}
	for i := range sums {
		sums[i] /= sums[n-1]
	}
	u := uniform(g.words("choice", shape, opts))
	if u.Err() != nil {
		return u
	}
	return ndarray.FromSlice(sums).SearchSorted(u, ndarray.SearchOptions{Right: true})
}
