// SPDX-License-Identifier: BSD-3-Clause

package codec

import "encoding/binary"

// lz4Decode decodes one LZ4 block into dst and returns the bytes written. Matches that repeat fewer than 16 bytes, which shuffled
// numbers are full of, are copied in words. Specification: lz4_Block_format.md.
func lz4Decode(dst, src []byte) (int, error) {
	n, p := 0, 0
	if len(src) == 0 {
		return 0, corrupt("lz4", "an empty block")
	}
	for {
		if haveSequences && len(dst)-n > 2*seqSlack && len(src)-p > 2*seqSlack {
			s := lz4Run{dst: &dst[0], n: n, limit: len(dst) - seqSlack, src: &src[0], p: p, end: len(src) - seqSlack, patterns: &seqPatterns[0]}
			lz4Sequences(&s)
			n, p = s.n, s.p
		}
		// one sequence with every check: near an end, of unusual length, or wrong
		if p == len(src) {
			return n, nil // blocks end with literals by the rules, but some writers leave out those of length 0
		}
		token := int(src[p])
		p++
		lit, match := token>>4, token&15
		if lit == 15 {
			more, used := lz4Length(src[p:])
			lit, p = lit+more, p+used
		}
		if lit > len(src)-p || lit > len(dst)-n {
			return n, corrupt("lz4", "%d literals at byte %d of %d, %d bytes of room", lit, p, len(src), len(dst)-n)
		}
		n += copy(dst[n:], src[p:p+lit])
		if p += lit; p == len(src) {
			return n, nil
		}
		if len(src)-p < 2 {
			return n, corrupt("lz4", "offset is cut off")
		}
		offset := int(binary.LittleEndian.Uint16(src[p:]))
		p += 2
		if match == 15 {
			more, used := lz4Length(src[p:])
			match, p = match+more, p+used
		}
		if match += 4; offset == 0 || offset > n || match > len(dst)-n {
			return n, corrupt("lz4", "match of %d bytes, %d back, at byte %d of %d", match, offset, n, len(dst))
		}
		copyMatch(dst, n, offset, match)
		n += match
	}
}

// lz4Length sums the bytes of a length up to the first that is not 255.
func lz4Length(b []byte) (n, used int) {
	for i, x := range b {
		n += int(x)
		if x != 255 {
			return n, i + 1
		}
	}
	return n, len(b)
}

// lz4Run is the state between sequences, in the order the assembly knows.
type lz4Run struct {
	dst      *byte
	n, limit int // bytes that are there; where an output may end to leave room for whole words
	src      *byte
	p, end   int // the next token; where tokens may be for the same reason
	patterns *seqPattern
}
