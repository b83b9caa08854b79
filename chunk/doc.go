// SPDX-License-Identifier: BSD-3-Clause

// Package chunk says what a piece of an array is: pure geometry and one view
// type, no input or output.
//
// The nouns: Shape (axis lengths), Region (a half-open box), Grid (how a shape
// is cut, regular or not), Key (a chunk's place on its grid) and Chunk (a strided
// view of a memory block). A (10, 7) array cut by Regular(shape, 4, 7) has three
// chunks; the last one is (2, 7). Region and Grid coordinates count elements,
// never bytes.
//
// What it must not know: files, devices, operations. Element types are in
// dtype, bytes and their owners in mem.
package chunk
