// SPDX-License-Identifier: BSD-3-Clause

package mem

// Space is a place bytes can be.
type Space uint8

// The spaces. Disk is spill storage; GPU0 to GPU7 are device memories.
const (
	Host Space = iota
	Pinned
	Disk
	GPU0
)

// Spaces is the number of spaces: arrays of bytes by space have this length.
const Spaces = int(GPU0) + 8

// Align is the alignment of every block and the padding behind it, in bytes:
// kernels may read, never write, up to the next multiple of Align.
const Align = 64

// Allocator hands out blocks of one space. It is safe for concurrent use.
type Allocator interface {
	// Space returns where the blocks are.
	Space() Space
	// Alloc returns a block of at least the given bytes with undefined contents
	// and one reference, which the caller owns.
	Alloc(bytes int64) (*Block, error)
}
