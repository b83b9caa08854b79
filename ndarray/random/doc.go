// SPDX-License-Identifier: BSD-3-Clause

// Package random makes lazy arrays of random numbers: what numpy.random.Generator and dask.array.random name.
//
//	g := random.New(42)
//	noise := g.Normal(0, 1, chunk.Shape{365, 721, 1440}, dtype.Float32)
//	lots := g.Choice(4, []float64{0.1, 0.2, 0.3, 0.4}, chunk.Shape{1000})
//
// Nothing is stored: element i of an array, in C order, is a function of the seed, of what the generator had drawn before, and of i. So an array may be larger than
// memory and any part of it is made without the rest; its bits depend neither on chunks nor on tiles, workers, the budget or the device.
//
// # The stream
//
// Words of 64 bits are those of Philox4x64-10, a cipher of a counter, with the key that NumPy's SeedSequence makes of the seed: New(seed) draws what
// numpy.random.Generator(numpy.random.Philox(seed)) draws, and Spawn's generators what those of its spawn do. Each call takes the words behind those of
// the call before, an array of float32 half a word for each element as NumPy does, so calls in the same order give the same arrays. One stream has 2**64 words.
//
// # What equals NumPy
//
// Bit for bit: Random, Bits, Uniform in float64, Integers of 1, of 2, 4, 8 ... and of all values of a dtype, Choice with weights, and Choice without them of as many positions.
// To the rounding of a logarithm: Exponential with standard_exponential(method='inv').
//
// Elsewhere NumPy draws again until a number suits, so that where a number lies in the stream depends on all that come before it. Here each takes
// the same number of words: Normal, Poisson, Binomial and Geometric by the inverse of their distributions, Integers by a product. They have the same distributions, but are other numbers, and what is drawn after
// them differs from NumPy too. Permutation is a cipher of positions and no shuffle. There is no Gamma, nor what is made of it (beta, chi-square, Student's t): its inverse has no exact form of a fixed number of operations.
//
// # Errors
//
// Shapes that no array can have, dtypes a distribution does not have, parameters out of its bounds or not finite, and the end of the stream: each in the array
// (its Err), and nothing is then taken of the stream.
package random
