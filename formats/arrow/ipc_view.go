// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// A view is a length of 4 bytes and either the text itself, or its first 4 bytes, the number of a buffer and a place in it.
// Specification: Arrow Columnar Format, Variable-size Binary View Layout.
const (
	viewBytes  = 16
	viewInside = 12 // bytes of the longest text that a view holds itself
)

// viewBuffers returns how many buffers the views of the column with that number among those of views lead to.
func (x *batch) viewBuffers(number int) int {
	if number >= len(x.variadic) || x.variadic[number] < 0 {
		return 0
	}
	return int(min(x.variadic[number], int64(len(x.buffers))))
}

// viewScratch bounds what reading views allocates for the n buffers from i on.
func (x *batch) viewScratch(i, n int) (bytes int64) {
	for _, b := range x.buffers[min(i, len(x.buffers)):min(i+n, len(x.buffers))] {
		if bytes += 2 * b.n; x.compressed {
			bytes += 4 * b.n // about: only the bytes say it
		}
	}
	return bytes
}

// viewed reads n texts, or bytes, from row lo on of a column of views. Null ones are empty, whatever their views say.
func (r *reader) viewed(dst *chunk.Chunk, i int, lo, n int64, nulls bool) error {
	raw, err := r.bytes(nil, i+1, lo*viewBytes, n*viewBytes)
	if err != nil {
		return err
	}
	valid, err := r.valid(i, lo, n, nulls)
	if err != nil {
		return err
	}
	if r.views > len(r.b.buffers)-i-2 {
		return corrupt("%d buffers of views, %d are there", r.views, len(r.b.buffers)-i-2)
	}
	view := func(j int64) (v []byte, size, buffer, at int64) {
		v = raw[j*viewBytes : (j+1)*viewBytes]
		return v, int64(int32(le.Uint32(v))), int64(int32(le.Uint32(v[8:]))), int64(int32(le.Uint32(v[12:])))
	}
	parts, total := make([]span, r.views), int64(0) // of each buffer, what is read
	for j := range n {
		if valid != nil && !valid(j) {
			continue
		}
		_, size, buffer, at := view(j)
		if total += max(size, 0); total > maxTexts {
			return refused("a batch with more than %d bytes of texts; write it again in smaller batches", maxTexts)
		}
		if size >= 0 && size <= viewInside {
			continue
		}
		if size < 0 || at < 0 || buffer < 0 || buffer >= int64(r.views) {
			return corrupt("text %d: %d bytes at %d of buffer %d of %d", lo+j, size, at, buffer, r.views)
		}
		if p := &parts[buffer]; p.n == 0 {
			*p = span{at, size}
		} else {
			end := max(p.off+p.n, at+size)
			p.off = min(p.off, at)
			p.n = end - p.off
		}
	}
	data := make([][]byte, r.views)
	r.apart = true
	defer func() { r.apart = false }()
	for k, p := range parts {
		if p.n > maxTexts || r.b.compressed && p.off+p.n > maxTexts {
			return refused("a batch with %d bytes of texts, want at most %d; write it again in smaller batches", p.off+p.n, maxTexts)
		}
		if data[k], err = r.bytes(nil, i+2+k, p.off, p.n); err != nil {
			return err
		}
	}
	dst.Heap = slices.Grow(dst.Heap, int(total))
	for j := range n {
		if valid != nil && !valid(j) {
			formats.SetText(dst, j, nil)
			continue
		}
		v, size, buffer, at := view(j)
		if size <= viewInside {
			formats.SetText(dst, j, v[4:4+size])
			continue
		}
		at -= parts[buffer].off
		formats.SetText(dst, j, data[buffer][at:at+size])
	}
	return nil
}
