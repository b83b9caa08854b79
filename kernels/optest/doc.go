// SPDX-License-Identifier: BSD-3-Clause

// Package optest is the conformance suite of devices: what passes Device computes
// what a Program means.
//
// The nouns: a case (a program, its operands in some layout, the expected bits) and a
// guarded block (bytes that end at an unmapped page, so that a kernel which reads or writes too far
// stops the test). Elementwise results are compared with the definition of the operations,
// one element at a time; folds with the slow oracle kernels/ref. Equal means equal bits, except that
// any two NaNs are equal.
//
//	func TestDevice(t *testing.T) { optest.Device(t, mydevice.New()) }
//
// FuzzPrograms and FuzzFolds make cases of byte strings, for Go's fuzzing.
//
// A case that the device refuses with kernels.ErrUnsupported is left out and counted; the
// count is logged. New operations and reductions are covered by being in their tables.
package optest
