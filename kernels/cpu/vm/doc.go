// SPDX-License-Identifier: BSD-3-Clause

// Package vm runs Programs on the processor in portable Go, a block at a time.
//
// The nouns: code (a program compiled: loops, slots of scratch), exec (a code at
// work on a call), geometry and box (the call's loop with its axes joined where
// memory allows, and the part of it that is one block), loop (an instruction on a
// run of elements), sweep (a fold on a run of values).
//
// For sqrt(a*a + b) over float32: inputs that lie packed in memory are read in place; multiply
// writes a slot of scratch, add the same slot, sqrt the output itself. An input with other strides
// is first copied, box by box, to a slot of its own, by tiles (turner) if it lies packed along another axis. A register that has one value
// for the whole call (constants, broadcast inputs and what depends on nothing
// else) is computed once.
//
// Folds take boxes that are computed before, in the caches; sums over axes before the last take them from machine code that computes
// and adds at once (columnCode).
//
// Results are the bits of the table's definitions (kernels.EvalPrimitive). A new primitive needs a
// loop here: a row of gen_loops.go for two operands, of unaryLoops for one.
package vm
