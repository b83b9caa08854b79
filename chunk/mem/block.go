// SPDX-License-Identifier: BSD-3-Clause

package mem

import "sync/atomic"

// Block is a counted run of bytes. The zero Block is not usable.
type Block struct {
	data  []byte // full capacity, Align-padded
	n     int64  // requested bytes
	refs  atomic.Int32
	owner recycler // nil for Go memory
	span  *span    // of a small pool block
}

// recycler takes back a block whose last reference is gone.
type recycler interface{ recycle(b *Block) }

// Wrap returns a block over Go memory, which the collector keeps; Release only counts.
// b must not be longer than its owner lets kernels read: pad it by Align where a kernel may over-read.
func Wrap(b []byte) *Block {
	k := &Block{data: b, n: int64(len(b))}
	k.refs.Store(1)
	return k
}

// Bytes returns the block's bytes; they are valid until the last Release.
func (b *Block) Bytes() []byte {
	if invariants && b.refs.Load() <= 0 {
		panic("mem: Bytes of a released block")
	}
	return b.data[:b.n:b.n]
}

// Len returns the requested length in bytes.
func (b *Block) Len() int64 { return b.n }

// Refs returns the number of references, for tests and invariants.
func (b *Block) Refs() int { return int(b.refs.Load()) }

// Retain adds a reference.
func (b *Block) Retain() {
	if b.refs.Add(1) <= 1 {
		panic("mem: Retain of a released block")
	}
}

// Release drops a reference; the last one gives the bytes back.
func (b *Block) Release() {
	switch n := b.refs.Add(-1); {
	case n == 0:
		if b.owner != nil {
			b.owner.recycle(b)
		}
	case n < 0:
		panic("mem: Release of a released block")
	}
}
