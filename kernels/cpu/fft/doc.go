// SPDX-License-Identifier: BSD-3-Clause

// Package fft computes discrete Fourier transforms of the lines of chunks.
//
// The nouns: a Transform says what becomes of a line (its length, direction, scale, and which end is real); a plan holds the tables of a length, which
// all calls share; a worker, made by the first call that needs one and used again, has room for a panel: a few lines side by side.
//
//	t := fft.Transform{Axis: 1, N: 365, From: fft.Real, To: fft.Half, Scale: 1}
//	err := t.Run(out, in)
//
// A transform is Stockham's: a pass for each factor of the length (4, 2, 3, 5 and odd primes), from one buffer to another, in order. Passes go
// through all lines of a panel at once. Lines are computed in float64 whatever their dtype, so that float32 results are rounded once; roots of unity are
// right to the last bit or two. Lengths with a large prime factor are convolutions of a length without one (Bluestein 1970, IEEE Trans. Audio
// Electroacoust. 18, 451), so that any length takes n log n operations. Real lines of even length are complex ones of half of it.
//
// The bits of a line depend on nothing but its elements and the Transform. RATIONALE.md says why this is not gonum's.
package fft
