// SPDX-License-Identifier: BSD-3-Clause

//go:build !noasm

#include "textflag.h"

// HASH puts the place of the five low bytes of V into H; R13 is the factor.
#define HASH(V, H)  \
	MOVQ  V, H      \
	SHLQ  $24, H    \
	IMULQ R13, H    \
	SHRQ  $52, H

// func lz4Matches(s *lz4Packing)
//
// SI is the block, R8 the position, R9 where its literals start, R10 the last position, R11 where matches end, DI the output,
// R12 the table, BX what the next step is made of, R14 the offset, DX where the match ends.
TEXT ·lz4Matches(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), R15
	MOVQ 0(R15), DI
	ADDQ 8(R15), DI
	MOVQ 16(R15), SI
	MOVQ 24(R15), R8
	MOVQ 32(R15), R9
	MOVQ 40(R15), BX
	MOVQ 64(R15), R10
	MOVQ 72(R15), R11
	MOVQ 80(R15), R12
	MOVQ $889523592379, R13

	CMPQ 56(R15), $0
	JNE  behind

find:
	CMPQ R8, R10
	JGT  quit
	MOVQ (SI)(R8*1), AX
	HASH(AX, DX)
	MOVL (R12)(DX*4), CX
	MOVL R8, (R12)(DX*4)
	CMPL (SI)(CX*1), AX
	JEQ  near

next:
	MOVQ BX, DX
	SHRQ $6, DX
	ADDQ DX, R8
	INCQ BX
	JMP  find

near:
	MOVQ R8, R14
	SUBQ CX, R14
	CMPQ R14, $65535
	JGT  next

	// back over literals that are the same
back:
	CMPQ CX, $8
	JLT  backOne
	MOVQ R8, DX
	SUBQ R9, DX
	MOVQ -8(SI)(R8*1), AX
	XORQ -8(SI)(CX*1), AX
	JEQ  backAll
	BSRQ AX, AX
	XORQ $63, AX
	SHRQ $3, AX
	CMPQ AX, DX
	CMOVQGT DX, AX
	SUBQ AX, R8
	JMP  match

backAll:
	CMPQ DX, $8
	JGE  backEight
	MOVQ R9, R8
	JMP  match

backEight:
	SUBQ $8, R8
	SUBQ $8, CX
	JMP  back

backOne:
	CMPQ R8, R9
	JLE  match
	TESTQ CX, CX
	JEQ  match
	MOVBLZX -1(SI)(R8*1), AX
	CMPB AX, -1(SI)(CX*1)
	JNE  match
	DECQ R8
	DECQ CX
	JMP  backOne

	// how long it is
match:
	LEAQ 4(R8), DX

matchWords:
	LEAQ 16(DX), AX
	CMPQ AX, R11
	JGT  matchOne
	MOVQ DX, CX
	SUBQ R14, CX
	MOVOU (SI)(DX*1), X0
	MOVOU (SI)(CX*1), X1
	PCMPEQB X1, X0
	PMOVMSKB X0, CX
	XORL $0xffff, CX
	JNE  differ
	MOVQ AX, DX
	JMP  matchWords

differ:
	BSFL CX, CX
	ADDQ CX, DX
	JMP  emit

matchOne:
	CMPQ DX, R11
	JGE  emit
	MOVQ DX, CX
	SUBQ R14, CX
	MOVBLZX (SI)(CX*1), AX
	CMPB AX, (SI)(DX*1)
	JNE  emit
	INCQ DX
	JMP  matchOne

	// the sequence
emit:
	MOVQ R8, AX
	SUBQ R9, AX
	MOVOU (SI)(R9*1), X0
	MOVOU X0, 1(DI)
	CMPQ AX, $15
	JGE  literals
	MOVQ AX, CX
	SHLQ $4, CX
	LEAQ 1(DI)(AX*1), AX

offset:
	MOVW R14, (AX)
	ADDQ $2, AX
	MOVQ DX, R9
	SUBQ R8, DX
	MOVQ R9, R8
	SUBQ $4, DX
	CMPQ DX, $15
	JGE  long
	ORL  DX, CX
	MOVB CX, (DI)
	MOVQ AX, DI

behind:
	CMPQ R8, R10
	JGT  quitBehind
	MOVQ -2(SI)(R8*1), AX
	HASH(AX, DX)
	LEAQ -2(R8), CX
	MOVL CX, (R12)(DX*4)
	MOVQ (SI)(R8*1), AX
	HASH(AX, DX)
	MOVL (R12)(DX*4), CX
	MOVL R8, (R12)(DX*4)
	CMPL (SI)(CX*1), AX
	JNE  apart
	MOVQ R8, R14
	SUBQ CX, R14
	CMPQ R14, $65535
	JLE  match

apart:
	INCQ R8
	MOVQ 48(R15), BX
	JMP  find

literals:
	LEAQ 1(DI), CX
	SUBQ $15, AX

literalsMore:
	CMPQ AX, $255
	JLT  literalsEnd
	MOVB $255, (CX)
	INCQ CX
	SUBQ $255, AX
	JMP  literalsMore

literalsEnd:
	MOVB AX, (CX)
	INCQ CX

literalsCopy:
	MOVOU (SI)(R9*1), X0
	MOVOU X0, (CX)
	ADDQ $16, CX
	ADDQ $16, R9
	CMPQ R9, R8
	JLT  literalsCopy
	SUBQ R8, R9
	SUBQ R9, CX
	MOVQ CX, AX
	MOVL $0xf0, CX
	JMP  offset

long:
	ORL  $15, CX
	MOVB CX, (DI)
	SUBQ $15, DX

longMore:
	CMPQ DX, $255
	JLT  longEnd
	MOVB $255, (AX)
	INCQ AX
	SUBQ $255, DX
	JMP  longMore

longEnd:
	MOVB DX, (AX)
	LEAQ 1(AX), DI
	JMP  behind

quit:
	MOVQ $0, 56(R15)
	JMP  done

quitBehind:
	MOVQ $1, 56(R15)

done:
	SUBQ 0(R15), DI
	MOVQ DI, 8(R15)
	MOVQ R8, 24(R15)
	MOVQ R9, 32(R15)
	MOVQ BX, 40(R15)
	RET
