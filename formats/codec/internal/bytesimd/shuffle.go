// SPDX-License-Identifier: BSD-3-Clause

package bytesimd

// Unshuffle turns size byte planes into elements of size bytes:
//
//	n := len(src) / size
//	for i := range n { for j := range size { dst[i*size+j] = src[j*n+i] } }
//
// and copies the len(src) % size bytes behind the last whole element. dst is at
// least as long as src and does not overlap it.
func Unshuffle(dst, src []byte, size int) { unshuffle(dst, src, size, false) }

// UnshuffleStream is Unshuffle whose bytes go to memory past the caches where they can: for results that are larger than those.
func UnshuffleStream(dst, src []byte, size int) { unshuffle(dst, src, size, true) }

func unshuffle(dst, src []byte, size int, stream bool) {
	dst = dst[:len(src)]
	if size <= 1 {
		copy(dst, src)
		return
	}
	n := len(src) / size
	i := unshuffleSIMD(dst, src, size, n, stream)
	unshuffleFrom(dst, src, size, n, i)
	copy(dst[n*size:], src[n*size:])
}

// Shuffle is the inverse of Unshuffle:
//
//	n := len(src) / size
//	for i := range n { for j := range size { dst[j*n+i] = src[i*size+j] } }
//
// with the same rules for dst and for the bytes behind the last whole element.
func Shuffle(dst, src []byte, size int) {
	dst = dst[:len(src)]
	if size <= 1 {
		copy(dst, src)
		return
	}
	n := len(src) / size
	i := shuffleSIMD(dst, src, size, n)
	shuffleFrom(dst, src, size, n, i)
	copy(dst[n*size:], src[n*size:])
}

// unshuffleFrom is the portable loop from element i on. Whole passes over one
// plane at a time would write dst with a stride n times; runs of 256 elements
// keep the destination in L1.
func unshuffleFrom(dst, src []byte, size, n, i int) {
	if size == 2 {
		a, b := src[:n], src[n:2*n]
		for ; i < n; i++ {
			o := dst[2*i : 2*i+2]
			o[0], o[1] = a[i], b[i]
		}
		return
	}
	if size == 4 {
		a, b, c, d := src[:n], src[n:2*n], src[2*n:3*n], src[3*n:4*n]
		for ; i < n; i++ {
			o := dst[4*i : 4*i+4]
			o[0], o[1], o[2], o[3] = a[i], b[i], c[i], d[i]
		}
		return
	}
	for ; i < n; i += 256 {
		m := min(256, n-i)
		for j := range size {
			p, q := src[j*n+i:j*n+i+m], i*size+j
			for _, x := range p {
				dst[q] = x
				q += size
			}
		}
	}
}

// shuffleFrom is the portable loop from element i on.
func shuffleFrom(dst, src []byte, size, n, i int) {
	for ; i < n; i += 256 {
		m := min(256, n-i)
		for j := range size {
			p, q := dst[j*n+i:j*n+i+m], i*size+j
			for k := range p {
				p[k] = src[q]
				q += size
			}
		}
	}
}
