// SPDX-License-Identifier: BSD-3-Clause

//go:build !noasm

#include "textflag.h"

// FILL makes at least 56 bits ready in R8; BX and CX are used.
#define FILL \
	MOVQ  (SI), BX     \
	SHLXQ R9, BX, BX   \
	ORQ   BX, R8       \
	MOVQ  R9, CX       \
	SHRQ  $3, CX       \
	ANDQ  $7, CX       \
	ADDQ  $7, SI       \
	SUBQ  CX, SI       \
	ORQ   $56, R9

// SYMBOL looks up the next entry of the first alphabet.
#define SYMBOL \
	MOVL R8, AX            \
	ANDL $2047, AX         \
	MOVL (R10)(AX*4), AX

// TAKE drops the bits that the low byte of E counts. Only the low six bits of R9 are kept right.
#define TAKE(E) \
	SHRXQ E, R8, R8 \
	SUBL  E, R9

// LITERAL takes the entry AX, one or two literals, and stores them; BX is used.
#define LITERAL \
	TAKE(AX)           \
	MOVL AX, BX        \
	SHRL $8, BX        \
	MOVW BX, (DI)      \
	SHRL $24, AX       \
	ANDL $3, AX        \
	ADDQ AX, DI

// func inflateFast(s *inflateRun)
//
// DI: where the next byte goes. SI: the next word of the input. R8, R9: the bits that are ready and how many. R10, R11: the tables.
// R12, R13: where a symbol may start in output and input. R14: the start of the output. R15: the end of a match.
TEXT ·inflateFast(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), AX
	MOVQ 0(AX), R14
	MOVQ R14, DI
	ADDQ 8(AX), DI
	MOVQ R14, R12
	ADDQ 16(AX), R12
	MOVQ 24(AX), SI
	MOVQ SI, R13
	ADDQ 32(AX), SI
	ADDQ 40(AX), R13
	MOVQ 48(AX), R8
	MOVQ 56(AX), R9
	MOVQ 64(AX), R10
	MOVQ 72(AX), R11

loop:
	CMPQ DI, R12
	JA   limit
	CMPQ SI, R13
	JA   limit
	FILL
	SYMBOL
	TESTL AX, AX
	JNS  other
	LITERAL
	SYMBOL
	TESTL AX, AX
	JNS  filled
	LITERAL
	SYMBOL
	TESTL AX, AX
	JNS  filled
	LITERAL
	SYMBOL
	TESTL AX, AX
	JNS  filled
	LITERAL
	JMP  loop

filled:
	FILL
other:
	BTL  $30, AX
	JCS  sub
length:
	TESTB AX, AX
	JZ    nothing
	TAKE(AX)
	BTL   $29, AX
	JCS   end
	MOVL  AX, CX
	SHRL  $8, CX
	MOVL  AX, DX
	SHRL  $16, DX
	ANDL  $0x1fff, DX
	BZHIQ CX, R8, BX
	ADDQ  BX, DX
	TAKE(CX)

	MOVBLZX R8, AX
	MOVL    (R11)(AX*4), AX
	BTL     $30, AX
	JCS     distsub
distance:
	TESTB AX, AX
	JZ    nothing
	TAKE(AX)
	MOVL  AX, CX
	SHRL  $8, CX
	ANDL  $63, CX
	SHRL  $14, AX
	BZHIQ CX, R8, BX
	ADDQ  BX, AX
	TAKE(CX)

	MOVQ DI, BX
	SUBQ R14, BX
	CMPQ AX, BX
	JA   before
	LEAQ (DI)(DX*1), R15
	MOVQ DI, BX
	SUBQ AX, BX
	CMPQ AX, $16
	JB   short

	// a match that overlaps itself doubles: reading what was just written would wait for it
double:
	LEAQ (DI)(AX*1), CX
	CMPQ CX, R15
	JAE  match
	MOVQ BX, DX
period:
	MOVOU (DX), X0
	MOVOU X0, (DI)
	ADDQ  $16, DX
	ADDQ  $16, DI
	CMPQ  DI, CX
	JB    period
	MOVQ  CX, DI
	ADDQ  AX, AX
	JMP   double
match:
	MOVOU (BX), X0
	MOVOU X0, (DI)
	ADDQ  $16, BX
	ADDQ  $16, DI
	CMPQ  DI, R15
	JB    match
	MOVQ  R15, DI
	JMP   loop

	// the match repeats fewer than 16 bytes: make 16 of them, store as many of those as are whole repetitions
short:
	MOVQ   s+0(FP), CX
	SHLQ   $5, AX
	ADDQ   88(CX), AX
	MOVOU  (BX), X0
	MOVOU  (AX), X1
	PSHUFB X1, X0
	MOVQ   16(AX), CX
repeat:
	MOVOU X0, (DI)
	ADDQ  CX, DI
	CMPQ  DI, R15
	JB    repeat
	MOVQ  R15, DI
	JMP   loop

	// codes longer than the table: AX says where theirs is, and its bits
sub:
	MOVQ  R8, BX
	SHRQ  $11, BX
	BZHIQ AX, BX, BX
	SHRL  $8, AX
	ANDL  $0x1fffff, AX
	ADDQ  BX, AX
	MOVL  (R10)(AX*4), AX
	TESTL AX, AX
	JNS   length
	LITERAL
	JMP   loop
distsub:
	MOVQ  R8, BX
	SHRQ  $8, BX
	BZHIQ AX, BX, BX
	SHRL  $8, AX
	ANDL  $0x1fffff, AX
	ADDQ  BX, AX
	MOVL  (R11)(AX*4), AX
	JMP   distance

limit:
	XORL DX, DX
	JMP  save
end:
	MOVL $1, DX
	JMP  save
nothing:
	MOVL $2, DX
	JMP  save
before:
	MOVL $3, DX
save:
	MOVQ s+0(FP), AX
	SUBQ R14, DI
	MOVQ DI, 8(AX)
	SUBQ 24(AX), SI
	MOVQ SI, 32(AX)
	ANDL $63, R9
	MOVQ R8, 48(AX)
	MOVQ R9, 56(AX)
	MOVQ DX, 80(AX)
	RET
