// SPDX-License-Identifier: BSD-3-Clause

//go:build !amd64 || noasm

package bytesimd

func unshuffleSIMD(dst, src []byte, size, n int) int { return 0 }
func shuffleSIMD(dst, src []byte, size, n int) int   { return 0 }
func swapSIMD(dst, src []byte, size int) int         { return 0 }
func adlerSIMD(s1, s2 *uint32, b []byte) int         { return 0 }
