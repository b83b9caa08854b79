// SPDX-License-Identifier: BSD-3-Clause

package fft

import (
	"errors"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	lines "github.com/arrayrun/arrayrun/kernels/cpu/fft"
	"github.com/arrayrun/arrayrun/ndarray"
)

// Norm says which direction is scaled: by 1/n, or both by 1/sqrt(n).
type Norm uint8

// The norms.
const (
	Backward Norm = iota // the inverse by 1/n
	Ortho                // both by 1/sqrt(n)
	Forward              // the forward one by 1/n
)

// scale returns what a transform of n is multiplied by.
func (m Norm) scale(n int64, inverse bool) float64 {
	switch {
	case m == Ortho:
		return 1 / math.Sqrt(float64(n))
	case (m == Backward) == inverse:
		return 1 / float64(n)
	}
	return 1
}

// swapped is the norm that scales the other direction.
func (m Norm) swapped() Norm {
	return [...]Norm{Backward: Forward, Ortho: Ortho, Forward: Backward}[m]
}

// FFT returns the discrete Fourier transform of the lines of a along axis: sums of a[j] exp(-2 pi i j k/n). Lines are cut or lengthened by zeros
// to n elements; n = 0 takes the axis's length.
func FFT(a ndarray.Array, n int64, axis int, norm Norm) ndarray.Array {
	return FFTN(a, []int64{n}, []int{axis}, norm)
}

// IFFT returns the inverse of FFT: sums of a[k] exp(2 pi i j k/n).
func IFFT(a ndarray.Array, n int64, axis int, norm Norm) ndarray.Array {
	return IFFTN(a, []int64{n}, []int{axis}, norm)
}

// RFFT returns the first n/2+1 elements of the transform of real lines along axis; the others are their conjugates. n is that of FFT.
func RFFT(a ndarray.Array, n int64, axis int, norm Norm) ndarray.Array {
	return RFFTN(a, []int64{n}, []int{axis}, norm)
}

// IRFFT returns the n real elements whose transform begins with the lines of a along axis, n = 0: twice the axis's length less one.
func IRFFT(a ndarray.Array, n int64, axis int, norm Norm) ndarray.Array {
	return IRFFTN(a, []int64{n}, []int{axis}, norm)
}

// HFFT returns the transform, which is real, of n elements of which the lines of a along axis are the first n/2+1 and the others their conjugates.
// n is that of IRFFT.
func HFFT(a ndarray.Array, n int64, axis int, norm Norm) ndarray.Array {
	return IRFFT(conjugate(a), n, axis, norm.swapped())
}

// IHFFT returns the first n/2+1 elements of the inverse transform of real lines along axis: the inverse of HFFT. n is that of FFT.
func IHFFT(a ndarray.Array, n int64, axis int, norm Norm) ndarray.Array {
	return conjugate(RFFT(a, n, axis, norm.swapped()))
}

func conjugate(a ndarray.Array) ndarray.Array {
	if a.Err() != nil || !a.DType().IsComplex() {
		return a
	}
	return ndarray.Apply("conjugate", a)
}

// FFTN returns the transform of a along several axes, the last of them first. s has a number for each axis, that of FFT. axes of nil are all, or, where
// there is s, the last as many.
func FFTN(a ndarray.Array, s []int64, axes []int, norm Norm) ndarray.Array {
	return along("fftn", a, s, axes, norm, func(list []step) []step { return list })
}

// IFFTN returns the inverse of FFTN.
func IFFTN(a ndarray.Array, s []int64, axes []int, norm Norm) ndarray.Array {
	return along("ifftn", a, s, axes, norm, func(list []step) []step {
		for i := range list {
			list[i].inverse = true
		}
		return list
	})
}

// RFFTN returns RFFT of a along the last of the axes and FFT along the others. s and axes are those of FFTN.
func RFFTN(a ndarray.Array, s []int64, axes []int, norm Norm) ndarray.Array {
	return along("rfftn", a, s, axes, norm, func(list []step) []step {
		list[0].from, list[0].to = lines.Real, lines.Half
		return list
	})
}

// IRFFTN returns the inverse of RFFTN: IFFT along all but the last of the axes, in their order, then IRFFT along that one. s and axes are those of
// FFTN, but for the last axis, whose n is that of IRFFT.
func IRFFTN(a ndarray.Array, s []int64, axes []int, norm Norm) ndarray.Array {
	return along("irfftn", a, s, axes, norm, func(list []step) []step {
		out := make([]step, 0, len(list))
		for i := len(list) - 1; i >= 0; i-- {
			out = append(out, list[i])
			out[len(out)-1].inverse = true
		}
		out[len(out)-1].from, out[len(out)-1].to = lines.Half, lines.Real
		return out
	})
}

// step is a transform along one axis; n = 0 stands for the length that follows from the axis.
type step struct {
	axis     int
	n        int64
	from, to lines.Form
	inverse  bool
}

// along builds the steps of a transform, the last axis first, as order changes them.
func along(fn string, a ndarray.Array, s []int64, axes []int, norm Norm, order func([]step) []step) ndarray.Array {
	if a.Err() != nil {
		return a
	}
	bad := func(format string, args ...any) ndarray.Array {
		return failed(fmt.Errorf("fft: %s: "+format, append([]any{fn}, args...)...))
	}
	if !a.DType().IsNumeric() {
		return bad("operand: got %v, want numbers: %w", a.DType(), dtype.ErrPromote)
	}
	rank := a.Rank()
	if axes == nil {
		n := rank
		if s != nil {
			n = len(s)
		}
		for k := range n {
			axes = append(axes, k-n)
		}
	}
	if s == nil {
		s = make([]int64, len(axes))
	}
	if len(s) != len(axes) {
		return bad("got %d lengths for %d axes, want one for each: %w", len(s), len(axes), chunk.ErrShape)
	}
	var list []step
	for i := len(axes) - 1; i >= 0; i-- {
		k := axes[i]
		if k < 0 {
			k += rank
		}
		switch {
		case k < 0 || k >= rank:
			return bad("axis %d is outside rank %d: want %d to %d: %w", axes[i], rank, -rank, rank-1, chunk.ErrShape)
		case s[i] < 0:
			return bad("length of axis %d: got %d, want 1 or more: %w", axes[i], s[i], chunk.ErrShape)
		}
		list = append(list, step{axis: k, n: s[i]})
	}
	if len(list) == 0 {
		if fn == "rfftn" || fn == "irfftn" {
			return bad("got no axes, want one at least: %w", chunk.ErrShape)
		}
		return a
	}
	return transform(fn, a, order(list), norm)
}

// failed returns an array that carries an error.
func failed(err error) ndarray.Array { return ndarray.Failed(err, "") }

// errNone is what a transform of nothing says.
var errNone = errors.New("there is nothing to transform")
