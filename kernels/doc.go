// SPDX-License-Identifier: BSD-3-Clause

// Package kernels says what can be computed: the tables of operations and
// reductions, the Program that fuses them, and the Device that runs it.
//
// The nouns: Op (a row of the operation table: names, dtype rule, lowering, meaning,
// tolerance, unit, doc), Reduction (a row of the other table), Program (a fused
// computation in SSA form over one loop nest: inputs, constants, instructions, results, folds),
// Builder (makes Programs), Unit (what a device compiles: a Program, a Combine or a Scan), Device, Kernel and Call.
//
// sqrt(a*a + 1) over float32 along one axis:
//
//	b := NewBuilder(1)
//	a := b.Input(In(dtype.Float32))
//	one, _ := ConstOf(dtype.Float32, 1)
//	b.Ret(b.Apply(OpSqrt, b.Apply(OpAdd, b.Apply(OpMultiply, a, a), b.Const(one))))
//	p, err := b.Build()
//
// prints as
//
//	program rank=1
//	  %0 = in float32
//	  %1 = const float32 1
//	  %2 = multiply float32 %0 %0
//	  %3 = add float32 %2 %1
//	  %4 = sqrt float32 %3
//	  ret %4
//
// Programs hold primitive instructions only: an operation that is no primitive
// for its operands' dtype is lowered while the program is built. The elementary
// functions (macros*.go) are such lowerings, written once over add, multiply, fma, shifts and
// selections in float64, so that every device gives the same bits. float16 and bfloat16 compute in float32 or
// float64 and round once. Complex numbers are taken apart at a program's inputs and put
// together at its results.
//
// The meaning of a primitive is its row's evaluator. The ref device runs nothing
// else and defines what a Program means; optest holds every other device to it.
//
// To add an operation: a constant in ops.go and a row in the ops_*.go file of
// its family; when it is a new primitive also a loop in cpu/vm. The tests walk
// the table and name what is missing. Add it to testdata/ufuncs.py when NumPy has it.
//
// A reduction is folded in three phases. Blocks of elements give states: the device does that for a
// Program's Folds, in the lane order of the architecture. States join: a Combine, along the
// tree that Tree keeps (for groups along a Sequence). Reduction.Aggregate appends to a program what makes
// the result of a state, where floats round for the only time. For mean of [1 2 NaN] the state is
// (sum NaN, count 3), for nanmean (sum 3, count 2); nanmean's aggregate is 3/2.
//
// To add a reduction: a row in reductions.go. With a new kind of state also an Algebra, its row in
// reductions_algebra.go, a definition in ref (stateOf, join) and a sweep and a join in cpu/vm.
//
// A Scan is a running fold that keeps every step (cumulative sums), in sequence along its axis: its step is a Program of two
// inputs. To add one: a row in scan.go.
//
// What it must not know: arrays, graphs, files, memory budgets.
package kernels
