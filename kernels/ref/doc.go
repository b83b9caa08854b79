// SPDX-License-Identifier: BSD-3-Clause

// Package ref is the slow device that defines what Programs and Combines mean.
//
// It computes one element at a time: every register of a program in order, with
// the evaluators of the operation table (kernels.EvalPrimitive), then each fold
// over the elements in the order the architecture fixes, with the joins of
// kernels. There is no cleverness to get wrong: other devices are compared with it bit for
// bit, two NaNs being equal.
//
// Its results lie in Go memory. Folds of complex numbers are refused.
package ref
