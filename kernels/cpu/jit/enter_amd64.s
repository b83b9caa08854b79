// SPDX-License-Identifier: BSD-3-Clause

//go:build unix && !noasm

#include "textflag.h"

// func enter(code uintptr, args *unsafe.Pointer, n int, spill unsafe.Pointer) int
//
// The code uses no stack but the return address.
TEXT ·enter(SB), NOSPLIT, $8-40
	MOVQ code+0(FP), AX
	MOVQ args+8(FP), DI
	MOVQ n+16(FP), DX
	MOVQ spill+24(FP), SI
	CALL AX
	VZEROUPPER
	MOVQ AX, ret+32(FP)
	RET

// func features() (ecx uint32)
TEXT ·features(SB), NOSPLIT, $0-4
	MOVL $1, AX
	XORL CX, CX
	CPUID
	MOVL CX, ecx+0(FP)
	RET
