// SPDX-License-Identifier: BSD-3-Clause

// Package linalg solves and decomposes matrices: what numpy.linalg and the array API's extension linalg name, over the last two axes of arrays of any rank.
//
//	q, r := linalg.QR(a, linalg.Reduced)
//	x := linalg.Solve(a, b)          // one system for each matrix of the axes before the last two
//	u, s, vh := linalg.SVD(field, false) // of a (time, space) matrix: EOFs are the rows of vh
//
// A task has whole matrices, and several of them where they are small. What has several results is computed once, and each is taken from that. A matrix that has
// many more rows than columns, in several chunks of rows, is decomposed by QR of the chunks and of their triangles one below the other (TSQR, Demmel et al. 2012,
// SIAM J. Sci. Comput. 34, A206), so that QR, SVD and SVDVals of it need a chunk at a time; the chunks of its grid fix the order. Chunks
// that a core's cache does not hold are cut to equal parts first.
//
// # DTypes
//
// float32 and complex64 stay, and are computed in float64; float64 and complex128 stay, integers and bool become float64. float16 is an error, as in NumPy.
// gonum has no LAPACK of complex matrices: Eig, EigVals, EigH, SVD and LstSq of them are errors; everything else takes them. Eig and EigVals give complex numbers
// always (NumPy: where some are).
//
// # Errors
//
// Singular matrices in Inv and Solve, matrices that are not positive definite in Cholesky, and NaN or infinities in decompositions that iterate (SVD,
// EigH, Eig and what is made of them) end a run with an error that tells the position of the matrix. NaN goes through Det, SlogDet, Inv, Solve and QR. Signs of
// vectors are LAPACK's.
package linalg
