// SPDX-License-Identifier: BSD-3-Clause

// Command driver is the product's side of the comparisons: the engine on arrays in memory, told what to do line by
// line, so that a script can let it and the peers take turns on the same data.
//
// The words of a line are separated by tabs. Every line is answered by one line that begins with ok or error.
//
//	load NAME PATH       reads a .npy file to memory          ok DTYPE SHAPE
//	prepare EXPR         what run computes, and memory for it  ok RESULTS
//	run                  plans and computes once               ok SECONDS PROCESSOR-SECONDS
//	save PREFIX STEP     writes every STEPth element of each result to PREFIX.0, PREFIX.1 ... as raw bytes  ok DTYPE ...
//	plan                 ok and the plan, as a JSON string
//	drop                 forgets arrays and results            ok
//	limit BYTES WORKERS  another engine                        ok
//
// Times are of planning and running; parsing the expression, at most some microseconds, is not in them. Results are
// written to memory that was there before, as the peers' are with out=.
package main
