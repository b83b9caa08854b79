// SPDX-License-Identifier: BSD-3-Clause

package random

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// maxVariance bounds the tables of counts: 190,000 of them lie within 9.4 standard deviations.
const maxVariance = 1e8

// table holds the running probabilities of the counts first, first+1 ...; the last is 1.
type table struct {
	first int64
	sums  []float64
}

// tableOf makes the table of a distribution with one mode: up is the probability of k+1 by that of k. Counts whose probability is below 2**-64 of the mode's are left out.
// No product is added to anything, so that every processor makes the same bits.
func tableOf(mode, last int64, up func(k int64) float64) table {
	const least = 0x1p-64
	var below []float64
	w := 1.0
	for k := mode; k > 0; k-- {
		if w /= up(k - 1); w < least {
			break
		}
		below = append(below, w)
	}
	t := table{first: mode - int64(len(below))}
	for i := len(below) - 1; i >= 0; i-- {
		t.sums = append(t.sums, below[i])
	}
	t.sums = append(t.sums, 1)
	w = 1
	for k := mode; k < last; k++ {
		if w *= up(k); w < least {
			break
		}
		t.sums = append(t.sums, w)
	}
	sum, rest := 0.0, 0.0 // what rounding has lost is kept apart, as Neumaier does
	for i, w := range t.sums {
		s := sum + w
		if sum >= w {
			rest += (sum - s) + w
		} else {
			rest += (w - s) + sum
		}
		sum = s
		t.sums[i] = sum + rest
	}
	total := t.sums[len(t.sums)-1]
	for i := range t.sums {
		t.sums[i] /= total
	}
	return t
}

// counted returns counts by a table: int64, one word each.
func (g *Generator) counted(fn string, t table, shape chunk.Shape, opts []ndarray.Option) ndarray.Array {
	u := uniform(g.words(fn, shape, opts))
	if u.Err() != nil {
		return u
	}
	return ndarray.FromSlice(t.sums).SearchSorted(u, ndarray.SearchOptions{Right: true}).Add(t.first)
}

// Poisson returns int64 of the Poisson distribution with mean lam, 0 to 1e8, by the inverse of its distribution: where one number of Random lies in the running
// probabilities, which every task holds, exact to about 1e-13. They are not NumPy's numbers.
func (g *Generator) Poisson(lam float64, shape chunk.Shape, opts ...ndarray.Option) ndarray.Array {
	if !(lam >= 0 && lam <= maxVariance) {
		return failf("poisson: lam: got %v, want 0 to %v", lam, maxVariance)
	}
	return g.counted("poisson", poisson(lam), shape, opts)
}

func poisson(lam float64) table {
	return tableOf(int64(lam), math.MaxInt64, func(k int64) float64 { return lam / float64(k+1) })
}

// Binomial returns int64: how many of n trials, each with probability p, succeed, by the inverse of the distribution as Poisson's.
// n below 0, p outside 0 to 1 and a variance n*p*(1-p) above 1e8 are errors.
func (g *Generator) Binomial(n int64, p float64, shape chunk.Shape, opts ...ndarray.Option) ndarray.Array {
	switch {
	case n < 0 || n > 1<<53:
		return failf("binomial: n: got %d, want 0 to 2**53", n)
	case !(p >= 0 && p <= 1):
		return failf("binomial: p: got %v, want a probability, 0 to 1", p)
	case float64(n)*p*(1-p) > maxVariance:
		return failf("binomial: n, p: the variance n*p*(1-p) is %v, want at most %v", float64(n)*p*(1-p), maxVariance)
	}
	return g.counted("binomial", binomial(n, p), shape, opts)
}

func binomial(n int64, p float64) table {
	return tableOf(min(int64(float64(n+1)*p), n), n, func(k int64) float64 { return float64(n-k) / float64(k+1) * (p / (1 - p)) })
}

// Geometric returns int64 of 1 and more: the number of trials, each with probability p, to the first success. One number of Exponential(1), at most 36.8, is divided by
// -log(1-p) and rounded up. p outside 0 to 1, and 0, are errors.
func (g *Generator) Geometric(p float64, shape chunk.Shape, opts ...ndarray.Option) ndarray.Array {
	if !(p > 0 && p <= 1) {
		return failf("geometric: p: got %v, want a probability above 0, up to 1", p)
	}
	words := g.words("geometric", shape, opts)
	if words.Err() != nil {
		return words
	}
	rate := ndarray.Apply("log1p", ndarray.Full(chunk.Shape{}, -p, dtype.Float64)).Neg() // the engine's own, the same on every processor
	return ndarray.Apply("maximum", ndarray.Apply("ceil", exponential(words).Div(rate)), 1).AsType(dtype.Int64)
}
