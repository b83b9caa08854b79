// SPDX-License-Identifier: BSD-3-Clause

// Package jit turns elementwise Programs into machine code for processors with AVX2, FMA and F16C, or with AVX-512.
//
// The nouns: Compiler (keeps the code it made), Func (a program as machine code), graph (a straight line of
// vector instructions), lowerer (program to graph), emitter (graph to code), opcode (how an instruction is
// encoded).
//
// For sqrt(a*a + b) over float32 the loop is four instructions and works on eight elements a round:
//
//	vmovups ymm0, [a+i*4]
//	vmulps  ymm0, ymm0, ymm0
//	vaddps  ymm0, ymm0, [b+i*4]
//	vsqrtps ymm0, ymm0
//	vmovups [z+i*4], ymm0
//
// Every value is one vector register: as many elements as there are of the widest dtype in 32 bytes (64 with AVX-512), shorter
// ones in a part of a register. Truth values are lanes of ones and zeros, which AVX-512 keeps in its mask registers as long as
// only selections use them. Constants are operands in memory behind the code; what does
// not fit into 16 (32) registers goes to a spill area. Two vectors are worked on in step where registers allow. The elements
// behind the last whole vector are done by repeating the last vector's worth, so results may not share memory with
// inputs. A call may have several rows, whose operands step evenly. A vector with a lane that needs the slow program of
// a cold instruction makes the call return: the caller has the block computed otherwise.
//
// Folds have loops of their own (Loop), which the caller chooses; so has the turning of tiles. Sums over rows of what is computed
// take it from the registers (Columns).
//
// Results are the bits of kernels.EvalPrimitive. What has no form here (64-bit integer division, integer powers, gcd,
// positions, complex numbers) is the caller's to compute; Supports tells. A new form is a row of
// lowerings.
//
// What it must not know: chunks, strides, the order of folds. Memory is writable or executable, never both; code does not
// touch the stack; calls are bounded by Longest, as nothing can interrupt them.
package jit
