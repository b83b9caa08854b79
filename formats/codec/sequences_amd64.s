// SPDX-License-Identifier: BSD-3-Clause

//go:build !noasm

#include "textflag.h"

// TAKE adds the next N bits of the window R9 to V; N is changed, AX is used.
#define TAKE(N, V) \
	SHLXQ CX, R9, AX  \
	ADDQ  N, CX       \
	SHRQ  $1, AX      \
	NOTQ  N           \
	SHRXQ N, AX, AX   \
	ADDQ  AX, V

// REFILL moves the window down over the whole bytes that are taken; at the start of the stream it goes by way of SLOW.
#define REFILL(SLOW) \
	MOVQ CX, AX              \
	SHRQ $3, AX              \
	SUBQ AX, R10             \
	CMPQ R10, stream-32(SP)  \
	JB   SLOW                \
	ANDQ $7, CX              \
	MOVQ (R10), R9

// REFILLED is where SLOW goes on.
#define LASTBYTES(BACK) \
	ADDQ AX, R10            \
	MOVQ R10, AX            \
	MOVQ stream-32(SP), R10 \
	SUBQ R10, AX            \
	SHLQ $3, AX             \
	SUBQ AX, CX             \
	MOVQ (R10), R9          \
	JMP  BACK

// NEXT replaces the entry E by that of its next state in the table at T(SI); R14 is used.
#define NEXT(E, T) \
	MOVQ    E, R14        \
	SHRQ    $56, R14      \
	SHRQ    $32, E        \
	MOVWLZX E, E          \
	TAKE(R14, E)          \
	MOVQ    T(SI), AX     \
	MOVQ    (AX)(E*8), E

// func zstdSequences(s *seqRun) (given bool)
//
// DI: where the next literal goes. R8: the next literal. R9, CX: the window of bits and how many are taken. R10: where the
// window lies. R11, R12, R13: entries of literal length, offset, match length. DX, R15, BX: their values.
TEXT ·zstdSequences(SB), NOSPLIT, $32-9
	MOVQ s+0(FP), SI
	MOVQ 0(SI), AX
	MOVQ AX, DI
	ADDQ 8(SI), DI
	MOVQ 16(SI), BX
	ADDQ AX, BX
	MOVQ BX, outlimit-8(SP)
	MOVQ 24(SI), BX
	ADDQ AX, BX
	MOVQ BX, first-16(SP)
	MOVQ 32(SI), R8
	MOVQ 48(SI), BX
	ADDQ R8, BX
	MOVQ BX, litlimit-24(SP)
	ADDQ 40(SI), R8
	MOVQ 56(SI), R10
	MOVQ R10, stream-32(SP)
	ADDQ 64(SI), R10
	MOVQ 72(SI), CX
	MOVQ (R10), R9
	MOVQ 112(SI), R11
	MOVQ 120(SI), R12
	MOVQ 128(SI), R13

loop:
	REFILL(slow1)
back1:
	MOVQ    R12, DX
	SHRQ    $48, DX
	MOVBLZX DX, DX
	MOVL    R12, R15
	MOVQ    DX, BX
	TAKE(BX, R15)
	CMPQ    DX, $24 // with 16 bits for each of the others the window suffices
	JA      many
back2:
	MOVQ    R13, DX
	SHRQ    $48, DX
	MOVBLZX DX, DX
	MOVL    R13, BX
	TAKE(DX, BX)
	MOVQ    R11, R14
	SHRQ    $48, R14
	MOVBLZX R14, R14
	MOVL    R11, DX
	TAKE(R14, DX)
	DECQ    80(SI)
	JZ      execute
	CMPQ    CX, $38 // the next states take at most 26 bits: mostly the window still has them
	JBE     back3
	REFILL(slow3)
back3:
	NEXT(R11, 88)
	NEXT(R13, 104)
	NEXT(R12, 96)

execute:
	CMPQ R15, $3
	JBE  repeated
	SUBQ $3, R15
shift:
	MOVQ 144(SI), AX
	MOVQ AX, 152(SI)
	MOVQ 136(SI), AX
	MOVQ AX, 144(SI)
	MOVQ R15, 136(SI)
check:
	LEAQ  (R8)(DX*1), AX
	CMPQ  AX, litlimit-24(SP)
	JA    give
	LEAQ  (DI)(DX*1), R14
	MOVQ  R14, AX
	SUBQ  first-16(SP), AX
	CMPQ  R15, AX
	JA    give
	TESTQ R15, R15
	JZ    give
	LEAQ  (R14)(BX*1), AX
	CMPQ  AX, outlimit-8(SP)
	JA    give

	MOVOU (R8), X0
	MOVOU 16(R8), X1
	MOVOU X0, (DI)
	MOVOU X1, 16(DI)
	CMPQ  DX, $32
	JA    literals
copied:
	ADDQ DX, R8
	MOVQ R14, AX
	SUBQ R15, AX
	LEAQ (R14)(BX*1), DI
	CMPQ R15, $16
	JB   short

	// a match that overlaps itself doubles: reading what was just written would wait for it
double:
	LEAQ (R14)(R15*1), BX
	CMPQ BX, DI
	JAE  match
	MOVQ AX, DX
period:
	MOVOU (DX), X0
	MOVOU X0, (R14)
	ADDQ  $16, DX
	ADDQ  $16, R14
	CMPQ  R14, BX
	JB    period
	MOVQ  BX, R14
	ADDQ  R15, R15
	JMP   double

match:
	MOVOU (AX), X0
	MOVOU X0, (R14)
	ADDQ  $16, AX
	ADDQ  $16, R14
	CMPQ  R14, DI
	JB    match
next:
	CMPQ 80(SI), $0
	JNE  loop
	MOVB $0, given+8(FP)

save:
	SUBQ 0(SI), DI
	MOVQ DI, 8(SI)
	SUBQ 32(SI), R8
	MOVQ R8, 40(SI)
	SUBQ 56(SI), R10
	MOVQ R10, 64(SI)
	MOVQ CX, 72(SI)
	MOVQ R11, 112(SI)
	MOVQ R12, 120(SI)
	MOVQ R13, 128(SI)
	RET

	// the match repeats fewer than 16 bytes: make 16 of them, store as many of those as are whole repetitions
short:
	MOVQ   184(SI), DX
	SHLQ   $5, R15
	ADDQ   R15, DX
	MOVOU  (AX), X0
	MOVOU  (DX), X1
	PSHUFB X1, X0
	MOVQ   16(DX), DX
repeat:
	MOVOU X0, (R14)
	ADDQ  DX, R14
	CMPQ  R14, DI
	JB    repeat
	JMP   next

literals:
	MOVQ $32, AX
more:
	MOVOU (R8)(AX*1), X0
	MOVOU X0, (DI)(AX*1)
	ADDQ  $16, AX
	CMPQ  AX, DX
	JB    more
	JMP   copied

	// values 1 to 3 are one of the last three offsets, counted from the second where there are no literals
repeated:
	TESTQ DX, DX
	JNZ   from1
	INCQ  R15
from1:
	CMPQ R15, $2
	JB   rep1
	JE   rep2
	CMPQ R15, $3
	JE   rep3
	MOVQ 136(SI), R15
	DECQ R15
	JMP  shift
rep3:
	MOVQ 152(SI), R15
	JMP  shift
rep2:
	MOVQ 144(SI), R15
	MOVQ 136(SI), AX
	MOVQ AX, 144(SI)
	MOVQ R15, 136(SI)
	JMP  check
rep1:
	MOVQ 136(SI), R15
	JMP  check

	// near an end, or wrong: the caller looks at this one
give:
	MOVQ DX, 160(SI)
	MOVQ BX, 168(SI)
	MOVQ R15, 176(SI)
	MOVB $1, given+8(FP)
	JMP  save

many:
	REFILL(slow2)
	JMP back2
slow1:
	LASTBYTES(back1)
slow2:
	LASTBYTES(back2)
slow3:
	LASTBYTES(back3)

// func lz4Sequences(s *lz4Run)
//
// DI: where the next byte goes. R8: the next token. R9, R10: where both end. R11: the output's start. R12, R13: R8 and DI at the
// start of the sequence, to go back to. BX: literals. AX: match. DX: offset.
TEXT ·lz4Sequences(SB), NOSPLIT, $0-8
	MOVQ s+0(FP), SI
	MOVQ 0(SI), R11
	MOVQ R11, DI
	ADDQ 8(SI), DI
	MOVQ 16(SI), R10
	ADDQ R11, R10
	MOVQ 24(SI), R8
	MOVQ 40(SI), R9
	ADDQ R8, R9
	ADDQ 32(SI), R8
	MOVQ 48(SI), R15

lzloop:
	MOVQ    R8, R12
	MOVQ    DI, R13
	CMPQ    R8, R9
	JAE     lzout
	CMPQ    DI, R10
	JAE     lzout
	MOVBLZX (R8), AX
	INCQ    R8
	MOVQ    AX, BX
	SHRQ    $4, BX
	ANDQ    $15, AX
	CMPQ    BX, $15
	JEQ     lzlonglit
	MOVOU   (R8), X0
	MOVOU   X0, (DI)
	ADDQ    BX, R8
	ADDQ    BX, DI
lzmatch:
	MOVWLZX (R8), DX
	ADDQ    $2, R8
	CMPQ    AX, $15
	JEQ     lzlongmatch
lzlength:
	ADDQ  $4, AX
	TESTQ DX, DX
	JZ    lzundo
	MOVQ  DI, BX
	SUBQ  R11, BX
	CMPQ  DX, BX
	JA    lzundo
	LEAQ  (DI)(AX*1), CX
	CMPQ  CX, R10
	JA    lzundo
	MOVQ  DI, BX
	SUBQ  DX, BX
	CMPQ  DX, $16
	JB    lzshort
lzdouble:
	LEAQ  (DI)(DX*1), R14
	CMPQ  R14, CX
	JAE   lzcopy
	MOVQ  BX, AX
lzperiod:
	MOVOU (AX), X0
	MOVOU X0, (DI)
	ADDQ  $16, AX
	ADDQ  $16, DI
	CMPQ  DI, R14
	JB    lzperiod
	MOVQ  R14, DI
	ADDQ  DX, DX
	JMP   lzdouble
lzcopy:
	MOVOU (BX), X0
	MOVOU X0, (DI)
	ADDQ  $16, BX
	ADDQ  $16, DI
	CMPQ  DI, CX
	JB    lzcopy
	MOVQ  CX, DI
	JMP   lzloop

lzshort:
	SHLQ   $5, DX
	ADDQ   R15, DX
	MOVOU  (BX), X0
	MOVOU  (DX), X1
	PSHUFB X1, X0
	MOVQ   16(DX), DX
lzrepeat:
	MOVOU X0, (DI)
	ADDQ  DX, DI
	CMPQ  DI, CX
	JB    lzrepeat
	MOVQ  CX, DI
	JMP   lzloop

lzlonglit:
	CMPQ    R8, R9
	JAE     lzundo
	MOVBLZX (R8), CX
	INCQ    R8
	ADDQ    CX, BX
	CMPQ    CX, $255
	JEQ     lzlonglit
	LEAQ    (R8)(BX*1), CX
	CMPQ    CX, R9
	JA      lzundo
	LEAQ    (DI)(BX*1), R14
	CMPQ    R14, R10
	JA      lzundo
lzliterals:
	MOVOU (R8), X0
	MOVOU X0, (DI)
	ADDQ  $16, R8
	ADDQ  $16, DI
	CMPQ  DI, R14
	JB    lzliterals
	MOVQ  CX, R8
	MOVQ  R14, DI
	JMP   lzmatch

lzlongmatch:
	CMPQ    R8, R9
	JAE     lzundo
	MOVBLZX (R8), CX
	INCQ    R8
	ADDQ    CX, AX
	CMPQ    CX, $255
	JEQ     lzlongmatch
	JMP     lzlength

lzundo:
	MOVQ R12, R8
	MOVQ R13, DI
lzout:
	SUBQ R11, DI
	MOVQ DI, 8(SI)
	SUBQ 24(SI), R8
	MOVQ R8, 32(SI)
	RET
