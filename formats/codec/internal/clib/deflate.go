// SPDX-License-Identifier: BSD-3-Clause

package clib

import "unsafe"

// Inflater decodes deflate streams with libdeflate. It is for one goroutine at a time.
type Inflater struct {
	state
	sizes [2]uintptr // what it read and wrote
}

// NewInflater returns nil where there is no library.
func NewInflater() *Inflater {
	d := &Inflater{}
	if !d.start(LibDeflate, newInflater, freeInflater) {
		return nil
	}
	return d
}

// Inflate decodes the deflate stream at the start of src into dst and returns the length of the output and of the stream.
// ok is false where the library does not take it.
func (d *Inflater) Inflate(dst, src []byte) (n, used int, ok bool) {
	d.pins.Pin(&d.sizes)
	failed := int32(call(d.lib.fns[inflate], d.at, d.pin(src), uintptr(len(src)), d.pin(dst), uintptr(len(dst)),
		uintptr(unsafe.Pointer(&d.sizes[0])), uintptr(unsafe.Pointer(&d.sizes[1]))))
	d.unpin()
	used, n = int(d.sizes[0]), int(d.sizes[1])
	return n, used, failed == 0 && n >= 0 && n <= len(dst) && used >= 0 && used <= len(src)
}
