// SPDX-License-Identifier: BSD-3-Clause

package codec

import "github.com/arrayrun/arrayrun/formats/codec/internal/clib"

// Scratch holds the buffers and codec state of one worker. It is not safe for
// concurrent use. Get one with Borrow and give it back with Return.
type Scratch struct {
	// Enc is for the caller's encoded bytes, Dec for a decoded chunk: grow them with Grow.
	Enc, Dec []byte

	mid    [2][]byte // between the stages of a chain
	block  []byte    // a Blosc block before unshuffling
	rows   []byte    // a Blosc block copied together from rows
	turn   []byte    // the same between two filters of Blosc 2
	starts []byte    // where blocks start
	line   []uint32  // the samples of a run of szip
	inf    Inflater
	lz4    *lz4Packer
	unz    unzstd
	zpack  *zstdPacker
	def    *deflater

	unpack  *clib.Unpacker // of libzstd
	pack    *clib.Packer
	packKey packKey

	part []byte // of unshuffled elements
}

// Grow returns b with length n, reallocated when its capacity is too small. The
// contents are undefined. Capacities are rounded up so that a worker settles soon.
func Grow(b []byte, n int) []byte {
	if cap(b) >= n {
		return b[:n]
	}
	c := max(n, 4096)
	c = (c + c/16 + 4095) &^ 4095
	return make([]byte, n, c)
}
