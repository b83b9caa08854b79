// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
)

// mostTaps is how many neighbours a program of a weighted sum reads; a longer sum is several programs.
const mostTaps = 32

// mostWeights bounds the weights of one filter.
const mostWeights = 1 << 14

// symmetry is how weights around the middle one are related; a sum of pairs is fewer operations, and SciPy's order.
type symmetry int

const (
	neither symmetry = iota
	even
	odd
)

// epsilon is C's DBL_EPSILON, below which SciPy takes weights to be 0 or equal.
const epsilon = 0x1p-52

// symmetryOf is SciPy's test.
func symmetryOf(w []float64) symmetry {
	half := len(w) / 2
	if len(w)%2 == 0 {
		return neither
	}
	isEven, isOdd := true, true
	for i := 1; i <= half; i++ {
		isEven = isEven && math.Abs(w[half+i]-w[half-i]) <= epsilon
		isOdd = isOdd && math.Abs(w[half+i]+w[half-i]) <= epsilon
	}
	switch {
	case isEven:
		return even
	case isOdd:
		return odd
	}
	return neither
}

// term is a part of a weighted sum: the weight of a neighbour, or of the sum or difference of two.
type term struct {
	weight float64
	taps   [2][]int64 // offsets; the second is that of pairs
	pair   symmetry
}

// line returns the terms of weights along an axis in SciPy's order (ni_filters.c, NI_Correlate1D).
func line(w []float64, axis, rank int, origin int64) []term {
	half := int64(len(w)) / 2
	at := func(j int64) float64 { return w[j+half] }
	tap := func(j int64) []int64 { return along(axis, rank, j-origin) }
	rest := int64(len(w)) - half - 1
	if sym := symmetryOf(w); sym != neither {
		terms := []term{{weight: at(0), taps: [2][]int64{tap(0)}}}
		for j := -half; j < 0; j++ {
			terms = append(terms, term{weight: at(j), taps: [2][]int64{tap(j), tap(-j)}, pair: sym})
		}
		return terms
	}
	terms := []term{{weight: at(rest), taps: [2][]int64{tap(rest)}}}
	for j := -half; j < rest; j++ {
		terms = append(terms, term{weight: at(j), taps: [2][]int64{tap(j)}})
	}
	return terms
}

// number returns a float64 constant.
func number(b *kernels.Builder, x float64) kernels.Reg {
	return b.Const(kernels.Const{DType: dtype.Float64, Bits: math.Float64bits(x)})
}

// addTo adds terms to sum, which is NoReg at first; in are their neighbours in order.
func addTo(b *kernels.Builder, sum kernels.Reg, terms []term, in []kernels.Reg) kernels.Reg {
	next := 0
	take := func() kernels.Reg {
		next++
		return b.Cast(in[next-1], dtype.Float64)
	}
	for _, t := range terms {
		x := take()
		switch t.pair {
		case even:
			x = b.Apply(kernels.OpAdd, x, take())
		case odd:
			x = b.Apply(kernels.OpSubtract, x, take())
		}
		if t.weight != 1 {
			x = b.Apply(kernels.OpMultiply, x, number(b, t.weight))
		}
		if sum != kernels.NoReg {
			x = b.Apply(kernels.OpAdd, sum, x)
		}
		sum = x
	}
	return sum
}

// tapsOf returns the neighbours of terms in order.
func tapsOf(terms []term) []tap {
	var list []tap
	for _, t := range terms {
		list = append(list, tap{offset: t.taps[0]})
		if t.pair != neither {
			list = append(list, tap{offset: t.taps[1]})
		}
	}
	return list
}

// sumPass returns the pass that makes a weighted sum of neighbours in float64, divides it by a number and rounds it to dt.
func sumPass(terms []term, rank int, divide float64, dt dtype.DType) pass {
	var p pass
	for len(terms) > 0 {
		n := min(len(terms), mostTaps/2)
		part, first, last := terms[:n], len(p.steps) == 0, n == len(terms)
		terms = terms[n:]
		s := step{before: make([]int64, rank), after: make([]int64, rank), dt: dtype.Float64, taps: tapsOf(part)}
		if !first {
			s.taps = append(s.taps, tap{buffer: len(p.steps), offset: make([]int64, rank)})
		}
		if last {
			s.dt = dt
		}
		s.build = func(b *kernels.Builder, in []kernels.Reg) kernels.Reg {
			sum := kernels.NoReg
			if !first {
				sum = in[len(in)-1]
			}
			sum = addTo(b, sum, part, in)
			if last && divide != 1 {
				sum = b.Apply(kernels.OpDivide, sum, number(b, divide))
			}
			return sum
		}
		p.steps = append(p.steps, s)
	}
	p.measure(rank)
	return p
}

// measure sets how far the pass reaches, from its steps' neighbours.
func (p *pass) measure(rank int) {
	p.before, p.after = make([]int64, rank), make([]int64, rank)
	for _, s := range p.steps {
		for _, t := range s.taps {
			if t.buffer > 0 {
				continue
			}
			for k, d := range t.offset {
				p.before[k] = max(p.before[k], s.before[k]-d)
				p.after[k] = max(p.after[k], s.after[k]+d)
			}
		}
	}
}

// along returns n at the axis and 0 elsewhere.
func along(axis, rank int, n int64) []int64 {
	list := make([]int64, rank)
	list[axis] = n
	return list
}

// check returns what is wrong with an operand, in the name of a filter.
func check(name string, a ndarray.Array) error {
	switch dt := a.DType(); {
	case a.Err() != nil:
		return a.Err()
	case !dt.IsNumeric() || dt.IsComplex() || dt == dtype.Bool:
		return fmt.Errorf("ndimage: %s: operand: got %v, want real numbers; cast it with astype: %w", name, dt, dtype.ErrPromote)
	}
	return nil
}

// axisOf returns the axis counted from the first.
func axisOf(name string, axis int, a ndarray.Array) (int, error) {
	k := axis
	if k < 0 {
		k += a.Rank()
	}
	if k < 0 || k >= a.Rank() {
		return 0, fmt.Errorf("ndimage: %s: axis %d is outside rank %d: want %d to %d: %w", name, axis, a.Rank(), -a.Rank(), a.Rank()-1, chunk.ErrShape)
	}
	return k, nil
}

// failed returns an array with the error.
func failed(err error) ndarray.Array { return ndarray.Failed(err, "") }

// window returns what is wrong with a window of n positions and its origin along an axis.
func window(name string, n, origin int64) error {
	switch {
	case n < 1:
		return fmt.Errorf("ndimage: %s: got a window of %d positions, want 1 or more", name, n)
	case n > mostWeights:
		return fmt.Errorf("ndimage: %s: got a window of %d positions, want at most %d", name, n, mostWeights)
	case n/2+origin < 0 || n/2+origin >= n:
		return fmt.Errorf("ndimage: %s: origin %d lies outside a window of %d positions: want %d to %d", name, origin, n, -(n / 2), (n-1)/2)
	}
	return nil
}

// Correlate1D returns the correlation of a with weights along an axis: the sum of weights[j] times the element j - len(weights)/2 - origin
// away, made in float64, as a's dtype. It is scipy.ndimage.correlate1d.
func Correlate1D(a ndarray.Array, weights []float64, axis int, origin int64, o Options) ndarray.Array {
	if err := check("correlate1d", a); err != nil {
		return failed(err)
	}
	k, err := axisOf("correlate1d", axis, a)
	if err != nil {
		return failed(err)
	}
	if err := window("correlate1d", int64(len(weights)), origin); err != nil {
		return failed(err)
	}
	f := filter{name: "correlate1d", key: fmt.Sprint(weights, k, origin), opt: o}
	f.passes = []pass{sumPass(line(weights, k, a.Rank(), origin), a.Rank(), 1, a.DType())}
	return f.apply(a)
}

// Convolve1D is Correlate1D with the weights in reverse: scipy.ndimage.convolve1d.
func Convolve1D(a ndarray.Array, weights []float64, axis int, origin int64, o Options) ndarray.Array {
	back := slices.Clone(weights)
	slices.Reverse(back)
	return Correlate1D(a, back, axis, turned(origin, int64(len(weights))), o)
}

// turned returns the origin of a window whose positions are reversed.
func turned(origin, n int64) int64 {
	if n%2 == 0 {
		return -origin - 1
	}
	return -origin
}

// Weights are the weights of a window of any rank, row-major.
type Weights struct {
	Shape  []int64
	Values []float64
}

// Correlate returns the correlation of a with weights of its rank, made in float64, as a's dtype: scipy.ndimage.correlate. Origins say how
// far the window is moved along each axis: none, or one for each axis.
func Correlate(a ndarray.Array, w Weights, origins []int64, o Options) ndarray.Array {
	return correlate("correlate", a, w, origins, o)
}

// Convolve is Correlate with the weights reversed along each axis: scipy.ndimage.convolve.
func Convolve(a ndarray.Array, w Weights, origins []int64, o Options) ndarray.Array {
	back := slices.Clone(w.Values)
	slices.Reverse(back)
	moved := make([]int64, len(w.Shape))
	for k, n := range w.Shape {
		if k < len(origins) {
			moved[k] = origins[k]
		}
		moved[k] = turned(moved[k], n)
	}
	return correlate("convolve", a, Weights{w.Shape, back}, moved, o)
}

func correlate(name string, a ndarray.Array, w Weights, origins []int64, o Options) ndarray.Array {
	if err := check(name, a); err != nil {
		return failed(err)
	}
	offsets, err := footprint(name, a, w.Shape, len(w.Values), origins)
	if err != nil {
		return failed(err)
	}
	var terms []term
	for i, x := range w.Values {
		if math.Abs(x) > epsilon || x != x {
			terms = append(terms, term{weight: x, taps: [2][]int64{offsets[i]}})
		}
	}
	if len(terms) == 0 {
		terms = []term{{taps: [2][]int64{make([]int64, a.Rank())}}}
	}
	f := filter{name: name, key: fmt.Sprint(w, origins), opt: o}
	f.passes = []pass{sumPass(terms, a.Rank(), 1, a.DType())}
	return f.apply(a)
}

// footprint returns the offset of each position of a window of the shape, row-major.
func footprint(name string, a ndarray.Array, shape []int64, values int, origins []int64) ([][]int64, error) {
	rank := a.Rank()
	size, err := chunk.Shape(shape).Bytes(1)
	switch {
	case len(shape) != rank:
		return nil, fmt.Errorf("ndimage: %s: got a window of rank %d, want %d as the operand has: %w", name, len(shape), rank, chunk.ErrShape)
	case err != nil || size != int64(values):
		return nil, fmt.Errorf("ndimage: %s: got %d values for a window of shape %v: %w", name, values, shape, chunk.ErrShape)
	case len(origins) != 0 && len(origins) != rank:
		return nil, fmt.Errorf("ndimage: %s: got %d origins, want one for each of %d axes: %w", name, len(origins), rank, chunk.ErrShape)
	case size > mostWeights:
		return nil, fmt.Errorf("ndimage: %s: got a window of %d positions, want at most %d", name, size, mostWeights)
	}
	from := make([]int64, rank)
	for k, n := range shape {
		if len(origins) > 0 {
			from[k] = origins[k]
		}
		if err := window(name, n, from[k]); err != nil {
			return nil, fmt.Errorf("%w (axis %d)", err, k)
		}
		from[k] = -n/2 - from[k]
	}
	list := make([][]int64, size)
	for i := range list {
		at := slices.Clone(from)
		for k, rest := rank-1, int64(i); k >= 0; k-- {
			at[k] += rest % shape[k]
			rest /= shape[k]
		}
		list[i] = at
	}
	return list, nil
}
