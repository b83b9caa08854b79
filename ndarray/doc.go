// SPDX-License-Identifier: BSD-3-Clause

// Package ndarray is what the user says: arrays, variables with named
// dimensions and data sets, none of which computes anything.
//
// The nouns: an Array is an immutable value that stands for an operation on whole
// arrays; an Index says which part of one is meant; a Variable is an Array with dimension names,
// coordinates and attributes; GroupBy, Rolling and Coarsen say what of one is reduced together; a Dataset is variables that share dimensions; an Engine
// (package sched has one) computes what is asked for.
// Open reads a data set from a file, or from many that join along one dimension.
//
//	a := ndarray.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
//	b := a.Mul(2).Sub(a.Mean(0)).Index(ndarray.All(), ndarray.Span(0, 2))
//	v, err := ndarray.Values[float32](ctx, eng, b)
//
// # Rules that hold everywhere
//
// Calls on Arrays neither block nor fail. A wrong argument makes an Array that
// carries the error, with the caller's file and line; so does everything made from it. Err returns it,
// and so does the first call of an engine.
//
// dtypes are NumPy 2's. Go numbers beside Arrays are weak, as Python's are (NEP 50): int, int64, uint64,
// float64 and bool take the dtype of the Array they meet. Other Go numbers
// (float32, int8 ...) are strong.
//
// The chunk grid of an Array follows from its operands; it fixes the order, and so the last
// bits, of float reductions. Rechunk sets another.
//
// The package does not know files' formats beyond package formats, nor tasks, threads or budgets.
package ndarray
