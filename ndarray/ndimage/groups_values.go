// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

func (p *pixels[T]) irregular(row int) (nan, up, down bool) {
	f := p.flags[row]
	return f&isNaN != 0, f&isUp != 0, f&isDown != 0
}

func (p *pixels[T]) total(row int) float64 {
	switch f := p.flags[row]; {
	case f&isNaN != 0 || f&(isUp|isDown) == isUp|isDown:
		return math.NaN()
	case f&isUp != 0:
		return math.Inf(1)
	case f&isDown != 0:
		return math.Inf(-1)
	}
	return p.sum.total(row)
}

func (p *pixels[T]) moment(row, axis int) float64 {
	if p.flags[row] != 0 {
		return math.NaN()
	}
	return p.weighted[axis].total(row)
}

func (p *pixels[T]) variance(row int, n int64) float64 {
	if p.flags[row] != 0 || n == 0 {
		return math.NaN()
	}
	return varianceOf(&p.sum, &p.squares, row, n)
}

func (p *pixels[T]) extreme(row int, largest bool) (float64, int64) {
	if largest {
		return float64(p.hi[row]), p.hiAt[row]
	}
	return float64(p.lo[row]), p.loAt[row]
}

func (p *pixels[T]) extremes(rows []int, largest, nan bool) ndarray.Array {
	out := make([]T, len(rows))
	no := math.NaN()
	for i, row := range rows {
		switch {
		case row < 0:
		case p.nanAt[row] >= 0 && (nan || p.loAt[row] < 0):
			out[i] = T(no)
		case largest:
			out[i] = p.hi[row]
		default:
			out[i] = p.lo[row]
		}
	}
	return ndarray.FromSlice(out)
}

func (p *pixels[T]) wrapped(row int) uint64 { return p.sum.wrapped(row) }

func (p *pixels[T]) missing(row int) int64 { return p.nanAt[row] }

func (p *pixels[T]) median(row int) float64 {
	list := p.values[row]
	for _, x := range list {
		if x != x {
			return math.NaN()
		}
	}
	n := len(list)
	if n == 0 {
		return math.NaN()
	}
	slices.Sort(list)
	a, b := list[(n-1)/2], list[n/2]
	switch {
	case n%2 != 0:
		return float64(b)
	case p.dt == dtype.Float32: // halves of float32 are made of their sum in float32, as NumPy's are
		return float64(float32(a+b) / 2)
	}
	return (float64(a) + float64(b)) / 2
}

func (p *pixels[T]) histogram(row int, edges []float64, counts []int64) {
	last := len(edges) - 1
	for _, v := range p.values[row] {
		x := float64(v)
		i, found := slices.BinarySearch(edges, x)
		switch {
		case !found:
			i--
		case i == last:
			i-- // the last bin holds its right edge
		}
		if i >= 0 && i < last && x == x {
			counts[i]++
		}
	}
}
