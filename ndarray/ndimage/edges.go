// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"fmt"

	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
)

// Sobel returns the derivative of a along an axis by Sobel's weights, smoothed along the others: scipy.ndimage.sobel.
func Sobel(a ndarray.Array, axis int, o Options) ndarray.Array {
	return gradient("sobel", a, axis, []float64{1, 2, 1}, o)
}

// Prewitt returns the derivative of a along an axis by Prewitt's weights: scipy.ndimage.prewitt.
func Prewitt(a ndarray.Array, axis int, o Options) ndarray.Array {
	return gradient("prewitt", a, axis, []float64{1, 1, 1}, o)
}

// gradient is the difference of the neighbours along an axis, and a weighted sum along each other one.
func gradient(name string, a ndarray.Array, axis int, across []float64, o Options) ndarray.Array {
	if err := check(name, a); err != nil {
		return failed(err)
	}
	k, err := axisOf(name, axis, a)
	if err != nil {
		return failed(err)
	}
	f := filter{name: name, key: fmt.Sprint(k), opt: o}
	add := func(w []float64, axis int) {
		f.passes = append(f.passes, sumPass(line(w, axis, a.Rank(), 0), a.Rank(), 1, a.DType()))
	}
	add([]float64{-1, 0, 1}, k)
	for i := range a.Rank() {
		if i != k {
			add(across, i)
		}
	}
	return f.apply(a)
}

// Laplace returns the sum of the second differences of a along all axes: scipy.ndimage.laplace. Each is rounded to a's dtype.
func Laplace(a ndarray.Array, o Options) ndarray.Array {
	if err := check("laplace", a); err != nil {
		return failed(err)
	}
	rank := a.Rank()
	if rank == 0 {
		return a
	}
	s := step{before: make([]int64, rank), after: make([]int64, rank), dt: a.DType()}
	lines := make([][]term, rank)
	for k := range lines {
		lines[k] = line([]float64{1, -2, 1}, k, rank, 0)
		s.taps = append(s.taps, tapsOf(lines[k])...)
	}
	s.build = func(b *kernels.Builder, in []kernels.Reg) kernels.Reg {
		sum := kernels.NoReg
		for _, terms := range lines {
			n := len(tapsOf(terms))
			x := b.Cast(addTo(b, kernels.NoReg, terms, in[:n]), s.dt)
			if sum != kernels.NoReg {
				x = b.Apply(kernels.OpAdd, sum, x)
			}
			sum, in = x, in[n:]
		}
		return sum
	}
	p := pass{steps: []step{s}}
	p.measure(rank)
	f := filter{name: "laplace", passes: []pass{p}, opt: o}
	return f.apply(a)
}

// UniformFilter returns the mean of windows of size positions, one number for each axis or one for all, moved by origins:
// scipy.ndimage.uniform_filter. The mean is made along one axis after another, each rounded to a's dtype.
func UniformFilter(a ndarray.Array, size, origins []int64, o Options) ndarray.Array {
	return separable("uniform_filter", a, size, origins, o, func(k int, n, origin int64) pass {
		var terms []term
		for j := range n {
			terms = append(terms, term{weight: 1, taps: [2][]int64{along(k, a.Rank(), j-n/2-origin)}})
		}
		return sumPass(terms, a.Rank(), float64(n), a.DType())
	})
}

// separable returns a filter of one pass along each axis where the window has more than one position.
func separable(name string, a ndarray.Array, size, origins []int64, o Options, passOf func(k int, n, origin int64) pass) ndarray.Array {
	if err := check(name, a); err != nil {
		return failed(err)
	}
	sizes, err := each(name, "size", size, a.Rank(), 3)
	if err != nil {
		return failed(err)
	}
	if len(origins) > 1 && len(origins) != a.Rank() {
		return failed(fmt.Errorf("ndimage: %s: got %d origins, want one, or one for each of %d axes", name, len(origins), a.Rank()))
	}
	f := filter{name: name, key: fmt.Sprint(sizes, origins), opt: o}
	for k, n := range sizes {
		origin := int64(0)
		if len(origins) > 0 {
			origin = origins[min(k, len(origins)-1)]
		}
		if err := window(name, n, origin); err != nil {
			return failed(err)
		}
		if n > 1 {
			f.passes = append(f.passes, passOf(k, n, origin))
		}
	}
	return f.apply(a)
}
