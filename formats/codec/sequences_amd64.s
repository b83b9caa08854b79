// SPDX-License-Identifier: BSD-3-Clause

//go:build !noasm

#include "textflag.h"

// The tables in seqRun, of literal length, offset and match length, and where in one of them the sums are.
#define LL   168
#define OF   4784
#define ML   9400
#define SUMS 4096

// VALUE takes the bits of the value of state E of table T from the window R9, in which P bits are left: P moves below them, V becomes the
// value.
#define VALUE(E, T, P, V) \
	MOVBLZX (T+6)(SI)(E*8), R14 \
	SUBQ    R14, P              \
	SHRXQ   P, R9, V            \
	BZHIQ   R14, V, V           \
	ADDL    T(SI)(E*8), V

// NEXT replaces state E of table T by the next, whose bits are the last above P; their number is in R14, and BP is used.
#define NEXT(E, T, P) \
	MOVBLZX (T+7)(SI)(E*8), R14 \
	SHRXQ   P, R9, BP           \
	BZHIQ   R14, BP, BP         \
	MOVWLZX (T+4)(SI)(E*8), E   \
	ADDQ    BP, E

// SKIP moves P below the bits of the next state of E.
#define SKIP(E, T, P) \
	MOVBLZX (T+7)(SI)(E*8), R14 \
	SUBQ    R14, P

// REFILL moves the window down over the whole bytes that are taken, so that 56 bits are left or more; at the start of the stream it goes by
// way of SLOW.
#define REFILL(SLOW) \
	MOVL $63, AX             \
	SUBQ CX, AX              \
	SHRQ $3, AX              \
	SUBQ AX, R10             \
	CMPQ R10, stream-32(SP)  \
	JB   SLOW                \
	LEAQ (CX)(AX*8), CX      \
	MOVQ (R10), R9

// LASTBYTES is what SLOW does before it goes on at BACK.
#define LASTBYTES(BACK) \
	ADDQ AX, R10            \
	MOVQ R10, AX            \
	MOVQ stream-32(SP), R10 \
	SUBQ R10, AX            \
	LEAQ (CX)(AX*8), CX     \
	MOVQ (R10), R9          \
	JMP  BACK

// func zstdSequences(s *seqRun)
//
// DI: where the next literal goes. R8: the next literal. R9, CX: the window of bits and how many of them are left. R10: where the
// window lies. R11, R12, R13: the states of literal length, offset, match length. DX, R15, BX: their values.
TEXT ·zstdSequences(SB), NOSPLIT, $32-8
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
	MOVQ $64, CX
	SUBQ 72(SI), CX
	MOVQ (R10), R9
	MOVQ 88(SI), R11
	MOVQ 96(SI), R12
	MOVQ 104(SI), R13
	VMOVQ 112(SI), X13
	VMOVQ 120(SI), X14
	VMOVQ 128(SI), X15

loop:
	REFILL(slow1)
back1:
	// Each sequence waits for the states of the one before. The way from them to the next ones is short: the bits of all values and next
	// states are added up in the tables, and the states' are found from the end.
	MOVBLZX (OF+SUMS)(SI)(R12*1), R14
	ADDB    (ML+SUMS)(SI)(R13*1), R14
	ADDB    (LL+SUMS)(SI)(R11*1), R14
	MOVQ    CX, AX
	SUBQ    R14, CX
	JS      many
	VALUE(R12, OF, AX, R15)
	VALUE(R13, ML, AX, BX)
	VALUE(R11, LL, AX, DX)
	DECQ    80(SI)
	JZ      last
states:
	NEXT(R12, OF, CX)
	LEAQ    (CX)(R14*1), AX
	NEXT(R13, ML, AX)
	ADDQ    R14, AX
	NEXT(R11, LL, AX)

execute:
	CMPQ R15, $3
	JBE  repeated
	SUBQ $3, R15
shift:
	VMOVDQA X14, X15
	VMOVDQA X13, X14
	VMOVQ   R15, X13
check:
	LEAQ (R8)(DX*1), AX
	CMPQ AX, litlimit-24(SP)
	JA   give
	LEAQ (DI)(DX*1), R14
	MOVQ R14, AX
	SUBQ first-16(SP), AX
	CMPQ R15, AX
	JA   give
	LEAQ (R14)(BX*1), AX
	CMPQ AX, outlimit-8(SP)
	JA   give

	VMOVDQU (R8), Y0
	VMOVDQU Y0, (DI)
	CMPQ    DX, $32
	JA      literals
copied:
	ADDQ DX, R8
	MOVQ AX, DI
	MOVQ R14, AX
	SUBQ R15, AX
	CMPQ R15, $32
	JB   near
	// most are short
	VMOVDQU (AX), X0
	VMOVDQU X0, (R14)
	CMPQ    BX, $16
	JBE     loop
match:
	VMOVDQU (AX), Y0
	VMOVDQU Y0, (R14)
	ADDQ    $32, AX
	ADDQ    $32, R14
	CMPQ    R14, DI
	JB      match
	JMP     loop

	// a match that overlaps itself doubles: reading what was just written would wait for it
near:
	CMPQ R15, $16
	JB   short
double:
	LEAQ (R14)(R15*1), BX
	CMPQ BX, DI
	JAE  match
	MOVQ AX, DX
period:
	VMOVDQU (DX), X0
	VMOVDQU X0, (R14)
	ADDQ    $16, DX
	ADDQ    $16, R14
	CMPQ    R14, BX
	JB      period
	MOVQ    BX, R14
	ADDQ    R15, R15
	JMP     double

	// the match repeats fewer than 16 bytes: make 16 of them, store as many of those as are whole repetitions
short:
	TESTQ   R15, R15
	JZ      none
	MOVQ    160(SI), DX
	SHLQ    $5, R15
	ADDQ    R15, DX
	VMOVDQU (AX), X0
	VPSHUFB (DX), X0, X0
	MOVQ    16(DX), DX
repeat:
	VMOVDQU X0, (R14)
	ADDQ    DX, R14
	CMPQ    R14, DI
	JB      repeat
	JMP     loop

literals:
	MOVQ $32, BP
more:
	VMOVDQU (R8)(BP*1), Y0
	VMOVDQU Y0, (DI)(BP*1)
	ADDQ    $32, BP
	CMPQ    BP, DX
	JB      more
	JMP     copied

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
	VMOVQ X13, R15
	DECQ  R15
	JMP   shift
rep3:
	VMOVQ X15, R15
	JMP   shift
rep2:
	VMOVQ   X14, R15
	VMOVDQA X13, X14
	VMOVQ   R15, X13
	JMP     check
rep1:
	VMOVQ X13, R15
	JMP   check

	// an offset of zero: back to before its literals
none:
	SUBQ DX, R8
	SUBQ BX, DI
	SUBQ DX, DI
	JMP  give

	// there are no next states
last:
	MOVQ AX, CX
	MOVQ $0, litlimit-24(SP)
	JMP  execute

	// more bits than the window has
many:
	MOVQ AX, CX
	VALUE(R12, OF, CX, R15)
	REFILL(slow2)
back2:
	VALUE(R13, ML, CX, BX)
	VALUE(R11, LL, CX, DX)
	MOVQ CX, AX
	DECQ 80(SI)
	JZ   last
	REFILL(slow3)
back3:
	SKIP(R11, LL, CX)
	SKIP(R13, ML, CX)
	SKIP(R12, OF, CX)
	JMP  states

	// near an end, the last or wrong: the caller looks at this one
give:
	MOVQ DX, 136(SI)
	MOVQ BX, 144(SI)
	MOVQ R15, 152(SI)
	SUBQ 0(SI), DI
	MOVQ DI, 8(SI)
	SUBQ 32(SI), R8
	MOVQ R8, 40(SI)
	SUBQ 56(SI), R10
	MOVQ R10, 64(SI)
	MOVQ $64, AX
	SUBQ CX, AX
	MOVQ AX, 72(SI)
	MOVQ R11, 88(SI)
	MOVQ R12, 96(SI)
	MOVQ R13, 104(SI)
	VMOVQ X13, 112(SI)
	VMOVQ X14, 120(SI)
	VMOVQ X15, 128(SI)
	VZEROUPPER
	RET

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
