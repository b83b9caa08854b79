// SPDX-License-Identifier: BSD-3-Clause

// Package lapack decomposes the matrices of chunks: gonum's LAPACK behind one door.
//
// The nouns: a Routine makes one packed result of the matrices of its operands; Each runs it for every matrix of a region; a Work is the room that
// one call of Each has, used again for each matrix.
//
//	r := lapack.Inverse(3)
//	err := lapack.Each(ctx, r, at, out, in, pool) // 3 by 3 matrices along the last two axes
//
// Matrices are row-major. Real ones are computed in float64 whatever their dtype, complex ones in complex128. LAPACK's complex routines are not in gonum:
// triangular factors of complex matrices are made here (complex.go), singular values and the eigenvalues of Hermitian matrices by those of the
// real matrix [[re, -im], [im, re]], which has each of them twice.
package lapack
