// SPDX-License-Identifier: BSD-3-Clause

package bytesimd

// CopyRows copies n rows of row bytes that start step bytes apart in src to places that start pitch bytes apart in dst:
//
//	for i := range n { copy(dst[i*pitch:i*pitch+row], src[i*step:]) }
//
// The two do not overlap. With stream the bytes go to memory past the caches where they can: for results that are larger than those.
func CopyRows(dst, src []byte, pitch, step, row, n int, stream bool) {
	if n <= 0 || row <= 0 {
		return
	}
	dst, src = dst[:(n-1)*pitch+row], src[:(n-1)*step+row]
	if stream && streamSIMD(dst, src, pitch, step, row, n) {
		return
	}
	for i := range n {
		copy(dst[i*pitch:i*pitch+row], src[i*step:])
	}
}

// UnshufflePart writes elements from to to of what Unshuffle makes of src, whole elements of size bytes, to dst:
//
//	for i := from; i < to; i++ { for j := range size { dst[(i-from)*size+j] = src[j*n+i] } }
func UnshufflePart(dst, src []byte, size, from, to int) {
	n := len(src) / size
	if from < 0 || to > n {
		panic("bytesimd: elements outside of the planes")
	}
	if from >= to {
		return
	}
	dst, src = dst[:(to-from)*size], src[from:]
	i := unshufflePartSIMD(dst, src, size, to-from, n)
	for ; i < to-from; i += 256 {
		m := min(256, to-from-i)
		for j := range size {
			q := i*size + j
			for _, x := range src[j*n+i : j*n+i+m] {
				dst[q] = x
				q += size
			}
		}
	}
}
