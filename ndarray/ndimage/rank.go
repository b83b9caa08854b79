// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
)

// Footprint is the positions of a window: those of a box of the shape where Set is true, row-major, all of them where Set is nil.
type Footprint struct {
	Shape []int64
	Set   []bool
}

// Box returns the footprint of a whole box, with size positions along each axis of an array of the rank: one number for each axis, or one for all.
func Box(rank int, size ...int64) Footprint {
	if len(size) == 1 {
		size = slices.Repeat(size, rank)
	}
	return Footprint{Shape: size}
}

// offsets returns where the positions lie around their own.
func (p Footprint) offsets(name string, a ndarray.Array, origins []int64) ([][]int64, error) {
	set := p.Set
	if set == nil {
		n := int64(1)
		for _, d := range p.Shape {
			if n *= max(d, 0); n > mostWeights {
				return nil, fmt.Errorf("ndimage: %s: got a window of shape %v, want at most %d positions", name, p.Shape, mostWeights)
			}
		}
		set = slices.Repeat([]bool{true}, int(n))
	}
	all, err := footprint(name, a, p.Shape, len(set), origins)
	if err != nil {
		return nil, err
	}
	var list [][]int64
	for i, s := range set {
		if s {
			list = append(list, all[i])
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("ndimage: %s: footprint: got no position, want one at least", name)
	}
	return list, nil
}

// turned returns the footprint, and its origins, with its positions reversed along each axis.
func (p Footprint) turned(origins []int64) (Footprint, []int64) {
	set := slices.Clone(p.Set)
	slices.Reverse(set)
	if p.Set == nil {
		set = nil
	}
	moved := make([]int64, len(p.Shape))
	for k, n := range p.Shape {
		if k < len(origins) {
			moved[k] = origins[k]
		}
		moved[k] = turned(moved[k], n)
	}
	return Footprint{p.Shape, set}, moved
}

// whole reports whether all positions are set.
func (p Footprint) whole() bool { return !slices.Contains(p.Set, false) }

// MinimumFilter returns the smallest element of each window: scipy.ndimage.minimum_filter.
func MinimumFilter(a ndarray.Array, p Footprint, origins []int64, o Options) ndarray.Array {
	return extreme("minimum_filter", kernels.OpMinimum, a, p, origins, o)
}

// MaximumFilter returns the largest element of each window: scipy.ndimage.maximum_filter.
func MaximumFilter(a ndarray.Array, p Footprint, origins []int64, o Options) ndarray.Array {
	return extreme("maximum_filter", kernels.OpMaximum, a, p, origins, o)
}

// extreme folds windows by an operation that may take an element twice: whole boxes along one axis after another.
func extreme(name string, op kernels.OpID, a ndarray.Array, p Footprint, origins []int64, o Options) ndarray.Array {
	if p.whole() {
		if a.Err() == nil && len(p.Shape) != a.Rank() {
			return failed(fmt.Errorf("ndimage: %s: got a window of rank %d, want %d as the operand has", name, len(p.Shape), a.Rank()))
		}
		return separable(name, a, p.Shape, origins, o, func(k int, n, origin int64) pass { return extremeLine(op, a, k, n, origin) })
	}
	if err := check(name, a); err != nil {
		return failed(err)
	}
	offsets, err := p.offsets(name, a, origins)
	if err != nil {
		return failed(err)
	}
	f := filter{name: name, key: fmt.Sprint(p, origins), opt: o}
	f.passes = []pass{foldPass(op, a, offsets)}
	return f.apply(a)
}

// foldPass returns the pass that folds the elements at the offsets.
func foldPass(op kernels.OpID, a ndarray.Array, offsets [][]int64) pass {
	rank := a.Rank()
	var p pass
	for len(offsets) > 0 {
		n := min(len(offsets), mostTaps)
		s := step{before: make([]int64, rank), after: make([]int64, rank), dt: a.DType(), build: foldOf(op)}
		for _, d := range offsets[:n] {
			s.taps = append(s.taps, tap{offset: d})
		}
		if len(p.steps) > 0 {
			s.taps = append(s.taps, tap{buffer: len(p.steps), offset: make([]int64, rank)})
		}
		offsets = offsets[n:]
		p.steps = append(p.steps, s)
	}
	p.measure(rank)
	return p
}

// foldOf joins all neighbours.
func foldOf(op kernels.OpID) func(b *kernels.Builder, in []kernels.Reg) kernels.Reg {
	return func(b *kernels.Builder, in []kernels.Reg) kernels.Reg {
		out := in[0]
		for _, x := range in[1:] {
			out = b.Apply(op, out, x)
		}
		return out
	}
}

// extremeLine returns the pass of windows of n positions along an axis. Windows of 4, 16, 64 ... positions are made first, each of four of the
// ones before; the last step covers n by those.
func extremeLine(op kernels.OpID, a ndarray.Array, axis int, n, origin int64) pass {
	rank := a.Rank()
	before := n/2 + origin
	after := n - 1 - before
	p := pass{before: along(axis, rank, before), after: along(axis, rank, after)}
	have := int64(1) // positions of a window of the last buffer
	add := func(offsets []int64, grow int64) {
		s := step{before: p.before, after: along(axis, rank, grow), dt: a.DType(), build: foldOf(op)}
		for _, d := range offsets {
			s.taps = append(s.taps, tap{buffer: len(p.steps), offset: along(axis, rank, d)})
		}
		p.steps = append(p.steps, s)
	}
	for 4*have < n {
		add([]int64{0, have, 2 * have, 3 * have}, after-(4*have-1))
		have *= 4
	}
	var offsets []int64
	for d := int64(0); d < n-have; d += have {
		offsets = append(offsets, d-before)
	}
	offsets = append(offsets, n-have-before)
	s := step{before: make([]int64, rank), after: make([]int64, rank), dt: a.DType(), build: foldOf(op)}
	for _, d := range offsets {
		s.taps = append(s.taps, tap{buffer: len(p.steps), offset: along(axis, rank, d)})
	}
	p.steps = append(p.steps, s)
	return p
}

// MedianFilter returns the median of each window, the upper one of the two in the middle: scipy.ndimage.median_filter.
func MedianFilter(a ndarray.Array, p Footprint, origins []int64, o Options) ndarray.Array {
	return rankFilter("median_filter", a, p, origins, o, func(n int) int { return n / 2 })
}

// PercentileFilter returns the element below which percent (0 to 100, or -100 to 0 from the end) of each window lie:
// scipy.ndimage.percentile_filter.
func PercentileFilter(a ndarray.Array, percent float64, p Footprint, origins []int64, o Options) ndarray.Array {
	if percent < 0 {
		percent += 100
	}
	if !(percent >= 0 && percent <= 100) {
		return failed(fmt.Errorf("ndimage: percentile_filter: percentile: got %v, want -100 to 100", percent))
	}
	return rankFilter("percentile_filter", a, p, origins, o, func(n int) int { return min(n-1, int(float64(n)*percent/100)) })
}

// RankFilter returns the element of each window that has rank others below it, counted from the end where rank is below 0:
// scipy.ndimage.rank_filter.
func RankFilter(a ndarray.Array, rank int, p Footprint, origins []int64, o Options) ndarray.Array {
	return rankFilter("rank_filter", a, p, origins, o, func(n int) int {
		if rank < 0 {
			return rank + n
		}
		return rank
	})
}

// mostRanked bounds windows of ranks: their network of exchanges is a program of some hundred operations for 27 positions, 8,000 for this many.
const mostRanked = 343

func rankFilter(name string, a ndarray.Array, p Footprint, origins []int64, o Options, rank func(n int) int) ndarray.Array {
	if err := check(name, a); err != nil {
		return failed(err)
	}
	offsets, err := p.offsets(name, a, origins)
	if err != nil {
		return failed(err)
	}
	n := len(offsets)
	r := rank(n)
	switch {
	case r < 0 || r >= n:
		return failed(fmt.Errorf("ndimage: %s: rank %d lies outside a window of %d positions", name, r, n))
	case r == 0:
		return extreme(name, kernels.OpMinimum, a, p, origins, o)
	case r == n-1:
		return extreme(name, kernels.OpMaximum, a, p, origins, o)
	case n > mostRanked:
		return failed(fmt.Errorf("ndimage: %s: got a window of %d positions, want at most %d; percentiles near 0 and 100 that are minima and maxima have no limit", name, n, mostRanked))
	}
	s := step{before: make([]int64, a.Rank()), after: make([]int64, a.Rank()), dt: a.DType()}
	for _, d := range offsets {
		s.taps = append(s.taps, tap{offset: d})
	}
	s.build = func(b *kernels.Builder, in []kernels.Reg) kernels.Reg { return ranked(b, in, r) }
	q := pass{steps: []step{s}}
	q.measure(a.Rank())
	f := filter{name: name, key: fmt.Sprint(p, origins, r), passes: []pass{q}, opt: o}
	return f.apply(a)
}

// exchange puts the smaller of two values first.
type exchange struct{ lo, hi int }

// sortingNetwork returns Batcher's odd-even merge sort of n values (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M).
func sortingNetwork(n int) []exchange {
	var list []exchange
	top := 1
	for 2*top < n {
		top *= 2
	}
	for p := top; p > 0; p /= 2 {
		for q, r, d := top, 0, p; ; {
			for i := range n - d {
				if i&p == r {
					list = append(list, exchange{i, i + d})
				}
			}
			if q == p {
				break
			}
			d, q, r = q-p, q/2, p
		}
	}
	return list
}

// ranked returns the value of rank r of the registers: what of a sorting network leads to it.
func ranked(b *kernels.Builder, in []kernels.Reg, r int) kernels.Reg {
	net := sortingNetwork(len(in))
	wanted := make([][2]bool, len(net)) // the lower and the higher result of each exchange
	need := make([]bool, len(in))
	need[r] = true
	for i, e := range slices.Backward(net) {
		wanted[i] = [2]bool{need[e.lo], need[e.hi]}
		if need[e.lo] || need[e.hi] {
			need[e.lo], need[e.hi] = true, true
		}
	}
	v := slices.Clone(in)
	for i, e := range net {
		x, y := v[e.lo], v[e.hi]
		if wanted[i][0] {
			v[e.lo] = b.Apply(kernels.OpMinimum, x, y)
		}
		if wanted[i][1] {
			v[e.hi] = b.Apply(kernels.OpMaximum, x, y)
		}
	}
	return v[r]
}
