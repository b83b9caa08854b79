// SPDX-License-Identifier: BSD-3-Clause

package codec

// LZW decodes TIFF's variant of LZW into dst and returns the bytes written, at most len(dst): codes of 9 to 12
// bits, the highest bit first and one code early to widen, or as writers before 1992 had it, the lowest bit first
// and not early. Bytes behind the last of dst are not looked at.
//
// Specification: TIFF 6.0, section 13.
func LZW(dst, src []byte) (int, error) {
	const (
		clearCode = 256
		endCode   = 257
		most      = 1 << 12
	)
	// An old stream starts with the clear code, 256 in 9 bits: a byte 0 and an odd one.
	old := len(src) > 1 && src[0] == 0 && src[1]&1 == 1
	early := 1
	if old {
		early = 0
	}
	// A string is what was written at some place of dst: the string of the code before and one byte more.
	var start, length [most]int32
	next, width, last := endCode+1, 9, -1
	var acc uint64
	bits, at, n := 0, 0, 0
	for n < len(dst) {
		for bits < width {
			if at >= len(src) {
				return n, nil // an end code is missing in some files
			}
			if old {
				acc |= uint64(src[at]) << bits
			} else {
				acc = acc<<8 | uint64(src[at])
			}
			at++
			bits += 8
		}
		var code int
		if old {
			code = int(acc & (1<<width - 1))
			acc >>= width
		} else {
			code = int(acc >> (bits - width) & (1<<width - 1))
		}
		bits -= width
		switch {
		case code == endCode:
			return n, nil
		case code == clearCode:
			next, width, last = endCode+1, 9, -1
			continue
		case code < clearCode:
			if last >= 0 && next < most {
				start[next], length[next] = int32(last), int32(n-last+1)
				next++
			}
			last = n
			dst[n] = byte(code)
			n++
		case last < 0 || code > next || code == next && next >= most:
			return n, corrupt("lzw", "code %d at byte %d of %d, %d are known", code, at, len(src), next)
		default:
			if next < most {
				start[next], length[next] = int32(last), int32(n-last+1)
				next++
			}
			s, l := int(start[code]), int(length[code])
			last = n
			if n+l > len(dst) {
				l = len(dst) - n
			}
			if s+l <= n {
				copy(dst[n:n+l], dst[s:])
			} else {
				for i := range l { // the string ends with its own first byte
					dst[n+i] = dst[s+i]
				}
			}
			n += l
		}
		if next >= 1<<width-early && width < 12 {
			width++
		}
	}
	return n, nil
}

// PackBits decodes Apple's run lengths, TIFF's compression 32773, into dst and returns the bytes written, at most len(dst).
func PackBits(dst, src []byte) (int, error) {
	n := 0
	for i := 0; i < len(src) && n < len(dst); {
		c := int(int8(src[i]))
		i++
		switch {
		case c >= 0:
			if i+c+1 > len(src) {
				return n, corrupt("packbits", "%d bytes at byte %d of %d", c+1, i, len(src))
			}
			n += copy(dst[n:], src[i:i+c+1])
			i += c + 1
		case c > -128:
			if i >= len(src) {
				return n, corrupt("packbits", "cut off at byte %d", i)
			}
			for range min(1-c, len(dst)-n) {
				dst[n] = src[i]
				n++
			}
			i++
		}
	}
	return n, nil
}

// ReverseBits turns every byte of b from its first bit lowest to its first bit highest, in place.
func ReverseBits(b []byte) {
	for i, x := range b {
		b[i] = reversedByte[x]
	}
}

var reversedByte = func() (t [256]byte) {
	for i := range t {
		for b := range 8 {
			t[i] |= byte(i) >> b & 1 << (7 - b)
		}
	}
	return t
}()
