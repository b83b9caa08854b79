// SPDX-License-Identifier: BSD-3-Clause

// Package fft computes discrete Fourier transforms of arrays larger than memory: what numpy.fft and the array API's extension fft name.
//
//	spectrum := fft.RFFT(series, 0, 0, fft.Backward) // along axis 0, as long as it is
//	power := spectrum.Abs().Square()
//
// A task transforms whole lines; the other axes are cut. Transforms along several axes are computed together where they fit in a few MiB, else one axis
// after another, from a copy that an engine keeps in memory or on disk. A line and its transform have to fit in the budget.
//
// # DTypes
//
// As NumPy 2's: float32 and complex64 (and float16) give complex64, other numbers complex128; transforms to real lines float32 and float64
// (float16 of one axis stays). Lines are computed in float64 and each transform rounds once to its result, so results of float32 are nearer to exact ones than SciPy's.
//
// Errors: no elements along an axis that is transformed, complex operands of transforms of real lines, and axes outside the rank.
package fft
