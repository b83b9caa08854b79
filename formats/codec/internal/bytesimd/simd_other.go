// SPDX-License-Identifier: BSD-3-Clause

//go:build !amd64 || noasm

package bytesimd

func unshuffleSIMD(dst, src []byte, size, n int, stream bool) int { return 0 }
func unshufflePartSIMD(dst, src []byte, size, n, plane int) int   { return 0 }
func shuffleSIMD(dst, src []byte, size, n int) int                { return 0 }
func swapSIMD(dst, src []byte, size int) int                      { return 0 }
func adlerSIMD(s1, s2 *uint32, b []byte) int                      { return 0 }
func transposeSIMD(b []byte) int                                  { return 0 }

func interleaveSIMD(dst, src []byte, n, plane int) int { return 0 }
func separateSIMD(dst, src []byte, n, plane int) int   { return 0 }

func streamSIMD(dst, src []byte, pitch, step, row, n int) bool { return false }
