// SPDX-License-Identifier: BSD-3-Clause

package fft

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// FFTFreq returns the frequencies, in cycles per unit of the spacing d, of the elements of a transform of n: 0, 1, ... and from the middle on negative ones,
// divided by n d. dtype.Invalid gives float64.
func FFTFreq(n int64, d float64, dt dtype.DType) ndarray.Array {
	return frequencies("fftfreq", n, n, d, dt)
}

// RFFTFreq returns the frequencies of the n/2+1 elements of a transform of n real ones: 0, 1, ... divided by n d. dtype.Invalid gives float64.
func RFFTFreq(n int64, d float64, dt dtype.DType) ndarray.Array {
	return frequencies("rfftfreq", n, n/2+1, d, dt)
}

// frequencies returns the first count frequencies.
func frequencies(fn string, n, count int64, d float64, dt dtype.DType) ndarray.Array {
	if dt == dtype.Invalid {
		dt = dtype.Float64
	}
	switch {
	case n < 1:
		return failed(fmt.Errorf("fft: %s: n: got %d, want 1 or more: %w", fn, n, chunk.ErrShape))
	case d == 0:
		return failed(fmt.Errorf("fft: %s: d: got 0, want a distance", fn))
	case !dt.IsFloat():
		return failed(fmt.Errorf("fft: %s: dtype: got %v, want a float: %w", fn, dt, dtype.ErrPromote))
	}
	k := ndarray.IndexOf(chunk.Shape{count}, 0)
	if count == n { // the whole circle
		k = ndarray.Where(k.Less((n+1)/2), k, k.Sub(n))
	}
	return k.Mul(1 / (float64(n) * d)).AsType(dt)
}

// Shift returns a with its lines along axes, all for nil, rotated so that frequency 0 comes to their middle.
func Shift(a ndarray.Array, axes []int) ndarray.Array { return rolled(a, axes, 0) }

// IShift undoes Shift.
func IShift(a ndarray.Array, axes []int) ndarray.Array { return rolled(a, axes, 1) }

// rolled rotates by half of each length: up and, for back, down, where odd lengths differ.
func rolled(a ndarray.Array, axes []int, back int64) ndarray.Array {
	if a.Err() != nil {
		return a
	}
	if axes == nil {
		for k := range a.Rank() {
			axes = append(axes, k)
		}
	}
	for _, k := range axes {
		if a.Err() != nil {
			return a
		}
		if k < -a.Rank() || k >= a.Rank() {
			return failed(fmt.Errorf("fft: shift: axis %d is outside rank %d: %w", k, a.Rank(), chunk.ErrShape))
		}
		n := a.Shape()[(k+a.Rank())%a.Rank()]
		a = a.Roll((n+back)/2, k)
	}
	return a
}
