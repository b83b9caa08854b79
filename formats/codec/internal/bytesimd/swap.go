// SPDX-License-Identifier: BSD-3-Clause

package bytesimd

import (
	"encoding/binary"
	"math/bits"
)

// Swap reverses the bytes of each element of size bytes:
//
//	for i := range len(src) / size { for j := range size { dst[i*size+j] = src[i*size+size-1-j] } }
//
// dst is at least as long as src and is src itself or does not overlap it. Bytes
// behind the last whole element are copied.
func Swap(dst, src []byte, size int) {
	dst = dst[:len(src)]
	i := swapSIMD(dst, src, size)
	ne := binary.NativeEndian
	switch size {
	case 0, 1:
		copy(dst, src)
		return
	case 2:
		for ; i+2 <= len(src); i += 2 {
			ne.PutUint16(dst[i:], bits.ReverseBytes16(ne.Uint16(src[i:])))
		}
	case 4:
		for ; i+4 <= len(src); i += 4 {
			ne.PutUint32(dst[i:], bits.ReverseBytes32(ne.Uint32(src[i:])))
		}
	case 8:
		for ; i+8 <= len(src); i += 8 {
			ne.PutUint64(dst[i:], bits.ReverseBytes64(ne.Uint64(src[i:])))
		}
	default:
		for ; i+size <= len(src); i += size {
			s, d := src[i:i+size], dst[i:i+size]
			for a, b := 0, size-1; a <= b; a, b = a+1, b-1 {
				d[a], d[b] = s[b], s[a]
			}
		}
	}
	copy(dst[i:], src[i:])
}
