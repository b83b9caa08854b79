// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"math/bits"
)

// xxh64 returns the XXH64 hash, with seed 0, of b: the checksum of Zstandard frames.
// Specification: xxhash_spec.md, version 0.1.1.
func xxh64(b []byte) uint64 {
	const (
		p1 = 0x9E3779B185EBCA87
		p2 = 0xC2B2AE3D27D4EB4F
		p3 = 0x165667B19E3779F9
		p4 = 0x85EBCA77C2B2AE63
		p5 = 0x27D4EB2F165667C5
	)
	le := binary.LittleEndian
	round := func(acc, v uint64) uint64 { return bits.RotateLeft64(acc+v*p2, 31) * p1 }
	n, h := uint64(len(b)), uint64(p5)
	if len(b) >= 32 {
		one, two := uint64(p1), uint64(p2)
		s := [4]uint64{one + two, two, 0, -one}
		s0, s1, s2, s3 := s[0], s[1], s[2], s[3]
		for ; len(b) >= 32; b = b[32:] {
			s0 = round(s0, le.Uint64(b))
			s1 = round(s1, le.Uint64(b[8:]))
			s2 = round(s2, le.Uint64(b[16:]))
			s3 = round(s3, le.Uint64(b[24:]))
		}
		h = bits.RotateLeft64(s0, 1) + bits.RotateLeft64(s1, 7) + bits.RotateLeft64(s2, 12) + bits.RotateLeft64(s3, 18)
		for _, v := range [...]uint64{s0, s1, s2, s3} {
			h = (h^round(0, v))*p1 + p4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^round(0, le.Uint64(b)), 27)*p1 + p4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(le.Uint32(b))*p1, 23)*p2 + p3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*p5, 11) * p1
	}
	h = (h ^ h>>33) * p2
	h = (h ^ h>>29) * p3
	return h ^ h>>32
}
