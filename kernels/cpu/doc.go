// SPDX-License-Identifier: BSD-3-Clause

// Package cpu is the device that computes on the host's processors.
//
// The nouns: New (the device), Options (which executor it may use) and, in the
// folder vm, the block machine that runs a Program in portable Go: every
// instruction is one loop over a block of 1024 to 2048 elements, so that all that a
// fused expression needs between its loads and its stores stays in the L1 cache.
//
// Kernels are cached by the hash of their program's text. A kernel is safe for
// concurrent use; a call takes its memory from Call.Scratch.
//
// The folders fft and lapack are functions of whole lines and matrices of chunks. They are not Units: nodes of Go functions call them.
//
// What it must not know: graphs, files, where chunks come from. A faster
// executor goes beside vm and must give the same bits.
package cpu
