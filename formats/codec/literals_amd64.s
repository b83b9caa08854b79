// SPDX-License-Identifier: BSD-3-Clause

//go:build !noasm

#include "textflag.h"

// PAIR decodes one or two literals from the window W to TO.
#define PAIR(W, TO) \
	MOVQ    W, AX          \
	SHRQ    $53, AX        \
	MOVL    (SI)(AX*4), AX \
	SHLXQ   AX, W, W       \
	MOVBLZX AX, CX         \
	SHRL    $8, AX         \
	MOVW    AX, (TO)       \
	SHRL    $6, CX         \
	ADDQ    CX, TO

// PAIRS does so for each stream.
#define PAIRS \
	PAIR(R8, DI)  \
	PAIR(R9, BX)  \
	PAIR(R10, DX) \
	PAIR(R11, BP)

// REFILL moves the window W, which lies at P, down over the whole bytes that are taken.
#define REFILL(W, P) \
	TZCNTQ W, AX     \
	MOVQ   AX, CX    \
	SHRQ   $3, CX    \
	SUBQ   CX, P     \
	ANDL   $7, AX    \
	MOVQ   (P), W    \
	ORQ    $1, W     \
	SHLXQ  AX, W, W

// SINGLE decodes one literal from the window W to the byte TO.
#define SINGLE(W, TO) \
	MOVQ    W, AX          \
	SHRQ    $53, AX        \
	MOVWLZX (SI)(AX*2), AX \
	SHLXQ   AX, W, W       \
	MOVB    AH, TO

// SINGLES does so for each stream.
#define SINGLES(N) \
	SINGLE(R8, N(DI))  \
	SINGLE(R9, N(BX))  \
	SINGLE(R10, N(DX)) \
	SINGLE(R11, N(BP))

// START takes what h has to registers: DI, BX, DX, BP are where the next literals of the streams go, R8 to R11 their windows, R12 to R15
// where these lie.
#define START \
	MOVQ h+0(FP), SI \
	MOVQ 16(SI), AX \
	MOVQ AX, rounds-8(SP) \
	MOVQ 0(SI), AX \
	MOVQ 24(SI), DI \
	MOVQ 32(SI), BX \
	MOVQ 40(SI), DX \
	MOVQ 48(SI), BP \
	ADDQ AX, DI \
	ADDQ AX, BX \
	ADDQ AX, DX \
	ADDQ AX, BP \
	MOVQ 8(SI), AX \
	MOVQ 56(SI), R12 \
	MOVQ 64(SI), R13 \
	MOVQ 72(SI), R14 \
	MOVQ 80(SI), R15 \
	ADDQ AX, R12 \
	ADDQ AX, R13 \
	ADDQ AX, R14 \
	ADDQ AX, R15 \
	MOVQ 88(SI), R8 \
	MOVQ 96(SI), R9 \
	MOVQ 104(SI), R10 \
	MOVQ 112(SI), R11 \
	ADDQ $120, SI

// STOP gives it back.
#define STOP \
	SUBQ $120, SI \
	MOVQ 0(SI), AX \
	SUBQ AX, DI \
	SUBQ AX, BX \
	SUBQ AX, DX \
	SUBQ AX, BP \
	MOVQ DI, 24(SI) \
	MOVQ BX, 32(SI) \
	MOVQ DX, 40(SI) \
	MOVQ BP, 48(SI) \
	MOVQ 8(SI), AX \
	SUBQ AX, R12 \
	SUBQ AX, R13 \
	SUBQ AX, R14 \
	SUBQ AX, R15 \
	MOVQ R12, 56(SI) \
	MOVQ R13, 64(SI) \
	MOVQ R14, 72(SI) \
	MOVQ R15, 80(SI) \
	MOVQ R8, 88(SI) \
	MOVQ R9, 96(SI) \
	MOVQ R10, 104(SI) \
	MOVQ R11, 112(SI)

// func huffPairs(h *huffRun)
TEXT ·huffPairs(SB), NOSPLIT, $8-8
	START

round:
	PAIRS
	PAIRS
	PAIRS
	PAIRS
	PAIRS
	REFILL(R8, R12)
	REFILL(R9, R13)
	REFILL(R10, R14)
	REFILL(R11, R15)
	DECQ rounds-8(SP)
	JNZ  round

	STOP
	RET

// func huffSingles(h *huffRun)
TEXT ·huffSingles(SB), NOSPLIT, $8-8
	START
	ADDQ $8192, SI

round:
	SINGLES(0)
	SINGLES(1)
	SINGLES(2)
	SINGLES(3)
	SINGLES(4)
	ADDQ $5, DI
	ADDQ $5, BX
	ADDQ $5, DX
	ADDQ $5, BP
	REFILL(R8, R12)
	REFILL(R9, R13)
	REFILL(R10, R14)
	REFILL(R11, R15)
	DECQ rounds-8(SP)
	JNZ  round

	SUBQ $8192, SI
	STOP
	RET
