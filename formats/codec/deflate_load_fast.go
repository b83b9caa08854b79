// SPDX-License-Identifier: BSD-3-Clause

//go:build !noasm && (amd64 || arm64)

package codec

import "unsafe"

// load32 is
//
//	return binary.LittleEndian.Uint32(b[i:])
//
// without a check, where matches are looked for: a tenth faster. i and the three bytes behind it are in b.
func load32(b []byte, i int) uint32 {
	return *(*uint32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))
}

// load64 is load32 of eight bytes.
func load64(b []byte, i int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))
}
