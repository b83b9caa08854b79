// SPDX-License-Identifier: BSD-3-Clause

package codec

import "github.com/arrayrun/arrayrun/formats/codec/internal/bytesimd"

// Shuffle writes the byte planes of src's elements of size bytes to dst: first
// all first bytes, then all second bytes, and so on. Bytes behind the last whole
// element are copied. dst is at least as long as src and does not overlap it.
//
// Specification: HDF5 filter 2, Blosc's byte shuffle, numcodecs.Shuffle.
func Shuffle(dst, src []byte, size int) { bytesimd.Shuffle(dst, src, size) }

// Unshuffle is the inverse of Shuffle, with the same rules.
func Unshuffle(dst, src []byte, size int) { bytesimd.Unshuffle(dst, src, size) }

// ByteSwap reverses the bytes of each element of size bytes from src to dst,
// which is at least as long and is src itself or does not overlap it.
func ByteSwap(dst, src []byte, size int) { bytesimd.Swap(dst, src, size) }

// Adler32 returns the Adler-32 checksum of b (RFC 1950).
func Adler32(b []byte) uint32 { return bytesimd.Adler32(b) }
