// SPDX-License-Identifier: BSD-3-Clause

//go:build !noasm

#include "textflag.h"

// The loops of unshuffle over the planes from SI on, DX bytes apart, with STORE for the stores: VMOVDQU, or VMOVNTDQ, which goes past the caches. Bytes become pairs, pairs fours, and
// fours elements, each within its 128-bit lane; the lanes are put back into element order.

#define UNSHUFFLE2(STORE) \
	ADDQ SI, DX; \
	XORQ AX, AX; \
u2loop: \
	VMOVDQU (SI)(AX*1), Y0; \
	VMOVDQU (DX)(AX*1), Y1; \
	VPUNPCKLBW Y1, Y0, Y2; \
	VPUNPCKHBW Y1, Y0, Y3; \
	VPERM2I128 $0x20, Y3, Y2, Y4; \
	VPERM2I128 $0x31, Y3, Y2, Y5; \
	STORE Y4, (DI); \
	STORE Y5, 32(DI); \
	ADDQ $64, DI; \
	ADDQ $32, AX; \
	CMPQ AX, CX; \
	JLT u2loop

#define UNSHUFFLE4(STORE) \
	LEAQ (SI)(DX*1), R8; \
	LEAQ (R8)(DX*1), R9; \
	LEAQ (R9)(DX*1), R10; \
	XORQ AX, AX; \
u4loop: \
	VMOVDQU (SI)(AX*1), Y0; \
	VMOVDQU (R8)(AX*1), Y1; \
	VMOVDQU (R9)(AX*1), Y2; \
	VMOVDQU (R10)(AX*1), Y3; \
	VPUNPCKLBW Y1, Y0, Y4; \
	VPUNPCKHBW Y1, Y0, Y5; \
	VPUNPCKLBW Y3, Y2, Y6; \
	VPUNPCKHBW Y3, Y2, Y7; \
	VPUNPCKLWD Y6, Y4, Y8; \
	VPUNPCKHWD Y6, Y4, Y9; \
	VPUNPCKLWD Y7, Y5, Y10; \
	VPUNPCKHWD Y7, Y5, Y11; \
	VPERM2I128 $0x20, Y9, Y8, Y12; \
	VPERM2I128 $0x20, Y11, Y10, Y13; \
	VPERM2I128 $0x31, Y9, Y8, Y14; \
	VPERM2I128 $0x31, Y11, Y10, Y15; \
	STORE Y12, (DI); \
	STORE Y13, 32(DI); \
	STORE Y14, 64(DI); \
	STORE Y15, 96(DI); \
	ADDQ $128, DI; \
	ADDQ $32, AX; \
	CMPQ AX, CX; \
	JLT u4loop

#define UNSHUFFLE8(STORE) \
	LEAQ (SI)(DX*4), R8; \
	LEAQ (DX)(DX*2), R9; \
u8loop: \
	VMOVDQU (SI), Y0; \
	VMOVDQU (SI)(DX*1), Y1; \
	VMOVDQU (SI)(DX*2), Y2; \
	VMOVDQU (SI)(R9*1), Y3; \
	VMOVDQU (R8), Y4; \
	VMOVDQU (R8)(DX*1), Y5; \
	VMOVDQU (R8)(DX*2), Y6; \
	VMOVDQU (R8)(R9*1), Y7; \
	VPUNPCKLBW Y1, Y0, Y8; \
	VPUNPCKHBW Y1, Y0, Y9; \
	VPUNPCKLBW Y3, Y2, Y10; \
	VPUNPCKHBW Y3, Y2, Y11; \
	VPUNPCKLBW Y5, Y4, Y12; \
	VPUNPCKHBW Y5, Y4, Y13; \
	VPUNPCKLBW Y7, Y6, Y14; \
	VPUNPCKHBW Y7, Y6, Y15; \
	VPUNPCKLWD Y10, Y8, Y0; \
	VPUNPCKHWD Y10, Y8, Y1; \
	VPUNPCKLWD Y11, Y9, Y2; \
	VPUNPCKHWD Y11, Y9, Y3; \
	VPUNPCKLWD Y14, Y12, Y4; \
	VPUNPCKHWD Y14, Y12, Y5; \
	VPUNPCKLWD Y15, Y13, Y6; \
	VPUNPCKHWD Y15, Y13, Y7; \
	VPUNPCKLDQ Y4, Y0, Y8; \
	VPUNPCKHDQ Y4, Y0, Y9; \
	VPUNPCKLDQ Y5, Y1, Y10; \
	VPUNPCKHDQ Y5, Y1, Y11; \
	VPUNPCKLDQ Y6, Y2, Y12; \
	VPUNPCKHDQ Y6, Y2, Y13; \
	VPUNPCKLDQ Y7, Y3, Y14; \
	VPUNPCKHDQ Y7, Y3, Y15; \
	VPERM2I128 $0x20, Y9, Y8, Y0; \
	VPERM2I128 $0x20, Y11, Y10, Y1; \
	VPERM2I128 $0x20, Y13, Y12, Y2; \
	VPERM2I128 $0x20, Y15, Y14, Y3; \
	VPERM2I128 $0x31, Y9, Y8, Y4; \
	VPERM2I128 $0x31, Y11, Y10, Y5; \
	VPERM2I128 $0x31, Y13, Y12, Y6; \
	VPERM2I128 $0x31, Y15, Y14, Y7; \
	STORE Y0, (DI); \
	STORE Y1, 32(DI); \
	STORE Y2, 64(DI); \
	STORE Y3, 96(DI); \
	STORE Y4, 128(DI); \
	STORE Y5, 160(DI); \
	STORE Y6, 192(DI); \
	STORE Y7, 224(DI); \
	ADDQ $256, DI; \
	ADDQ $32, SI; \
	ADDQ $32, R8; \
	SUBQ $32, CX; \
	JGT u8loop

// func unshuffle2(dst, src *byte, n, plane int)
TEXT ·unshuffle2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ plane+24(FP), DX
	UNSHUFFLE2(VMOVDQU)
	VZEROUPPER
	RET

// func unshuffleStream2(dst, src *byte, n, plane int)
TEXT ·unshuffleStream2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ plane+24(FP), DX
	UNSHUFFLE2(VMOVNTDQ)
	SFENCE
	VZEROUPPER
	RET

// func unshuffle4(dst, src *byte, n, plane int)
TEXT ·unshuffle4(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ plane+24(FP), DX
	UNSHUFFLE4(VMOVDQU)
	VZEROUPPER
	RET

// func unshuffleStream4(dst, src *byte, n, plane int)
TEXT ·unshuffleStream4(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ plane+24(FP), DX
	UNSHUFFLE4(VMOVNTDQ)
	SFENCE
	VZEROUPPER
	RET

// func unshuffle8(dst, src *byte, n, plane int)
TEXT ·unshuffle8(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ plane+24(FP), DX
	UNSHUFFLE8(VMOVDQU)
	VZEROUPPER
	RET

// func unshuffleStream8(dst, src *byte, n, plane int)
TEXT ·unshuffleStream8(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ plane+24(FP), DX
	UNSHUFFLE8(VMOVNTDQ)
	SFENCE
	VZEROUPPER
	RET
