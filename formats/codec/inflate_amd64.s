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

// EXTRA gets into V the bits behind the code of entry E out of those from the code on, in V; CX is used.
#define EXTRA(E, V) \
	BZHIQ E, V, V  \
	MOVL  E, CX    \
	SHRL  $8, CX   \
	SHRXQ CX, V, V

// LITERAL takes the entry AX, one or two literals, looks up the next and stores them; BX and CX are used.
#define LITERAL \
	MOVL AX, BX        \
	TAKE(AX)           \
	SYMBOL             \
	MOVL BX, CX        \
	SHRL $8, BX        \
	MOVW BX, (DI)      \
	SHRL $24, CX       \
	ANDL $3, CX        \
	ADDQ CX, DI

// func inflateFast(s *inflateRun)
//
// DI: where the next byte goes. SI: the next word of the input. R8, R9: the bits that are ready and how many. FILL makes all 64 of R8 right and
// counts 56 or more: those may be taken, all may be looked at. AX: the next entry, looked up before anything waits. R10, R11: the tables. R12, R13:
// where a symbol may start in output and input. R14: the start of the output. R15: the entry of a distance, then that. DX: the length of a match,
// then its end.
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

	FILL
	SYMBOL
loop:
	CMPQ DI, R12
	JA   limit
	CMPQ SI, R13
	JA   limit
	TESTL AX, AX
	JNS  other
	LITERAL
	TESTL AX, AX
	JNS  other
	LITERAL
	TESTL AX, AX
	JNS  other
	LITERAL
	TESTL AX, AX
	JNS  other
	LITERAL
	FILL
	JMP  loop

	// up to 33 bits are taken: those of a length are there
other:
	BTL  $30, AX
	JCS  sub
length:
	TESTB AX, AX
	JZ    nothing
	MOVQ  R8, DX
	TAKE(AX)
	BTL   $29, AX
	JCS   end
	MOVBLZX R8, R15
	MOVL  (R11)(R15*4), R15
	EXTRA(AX, DX)
	SHRL  $16, AX
	ANDL  $0x1fff, AX
	ADDQ  AX, DX
	FILL
	BTL   $30, R15
	JCS   distsub
distance:
	TESTB R15, R15
	JZ    nothing
	MOVQ  R8, BX
	TAKE(R15)
	SYMBOL
	EXTRA(R15, BX)
	SHRL  $14, R15
	ADDQ  BX, R15
	FILL

	MOVQ DI, BX
	SUBQ R14, BX
	CMPQ R15, BX
	JA   before
	ADDQ DI, DX
	MOVQ DI, BX
	SUBQ R15, BX
	CMPQ R15, $16
	JB   short

	// a match that overlaps itself doubles: reading what was just written would wait for it
double:
	LEAQ (DI)(R15*1), CX
	CMPQ CX, DX
	JAE  match
period:
	MOVOU (BX), X0
	MOVOU X0, (DI)
	ADDQ  $16, BX
	ADDQ  $16, DI
	CMPQ  DI, CX
	JB    period
	MOVQ  CX, DI
	ADDQ  R15, R15
	MOVQ  DI, BX
	SUBQ  R15, BX
	JMP   double
match:
	MOVOU (BX), X0
	MOVOU X0, (DI)
	ADDQ  $16, BX
	ADDQ  $16, DI
	CMPQ  DI, DX
	JB    match
	MOVQ  DX, DI
	JMP   loop

	// the match repeats fewer than 16 bytes: make 16 of them, store as many of those as are whole repetitions
short:
	MOVQ   s+0(FP), CX
	SHLQ   $5, R15
	ADDQ   88(CX), R15
	MOVOU  (BX), X0
	MOVOU  (R15), X1
	PSHUFB X1, X0
	MOVQ   16(R15), CX
repeat:
	MOVOU X0, (DI)
	ADDQ  CX, DI
	CMPQ  DI, DX
	JB    repeat
	MOVQ  DX, DI
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
	FILL
	JMP  loop
distsub:
	MOVQ  R8, BX
	SHRQ  $8, BX
	BZHIQ R15, BX, BX
	SHRL  $8, R15
	ANDL  $0x1fffff, R15
	ADDQ  BX, R15
	MOVL  (R11)(R15*4), R15
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
