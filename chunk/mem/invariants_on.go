// SPDX-License-Identifier: BSD-3-Clause

//go:build invariants

package mem

import "bytes"

// invariants turns on the checks that cost time: every pool records who
// allocated what, freed bytes are poisoned and looked at again before they are
// handed out, a Block is never reused for another allocation, so that a second
// Release or a use after Release is caught for certain.
const invariants = true

// Bytes of freed and of new blocks: as floats of any width both are large
// finite numbers nobody expects, and they are not zero.
const (
	freedByte = 0xDB
	freshByte = 0xCB
)

var freedPage = bytes.Repeat([]byte{freedByte}, 4096)

// poison fills a freed block.
func poison(b *Block) { fill(b.data, freedByte) }

// fresh checks that nobody wrote to the block while it was free and makes its
// contents visibly undefined.
func fresh(b *Block) {
	for o := 0; o < len(b.data); o += len(freedPage) {
		page := b.data[o:min(o+len(freedPage), len(b.data))]
		// New pages come as zeros, recycled ones as poison; a block is wholly one of them.
		if b.data[0] == 0 {
			break
		}
		if !bytes.Equal(page, freedPage[:len(page)]) {
			panic("mem: a block was written to after its last Release")
		}
	}
	fill(b.data, freshByte)
}

func fill(p []byte, x byte) {
	if len(p) == 0 {
		return
	}
	p[0] = x
	for n := 1; n < len(p); n *= 2 {
		copy(p[n:], p[:n])
	}
}
