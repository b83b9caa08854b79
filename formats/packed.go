// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"context"

	"github.com/arrayrun/arrayrun/chunk"
)

// Packing is what a source can leave to a reader that puts bytes in order itself, as a GPU does on the way.
type Packing uint8

// The packings.
const (
	Native   Packing = iota // nothing
	Swapped                 // elements are in the other byte order
	Shuffled                // all first bytes come first, then all second bytes, and so on
)

// PackedReader is implemented by sources with storage chunks whose last step of decoding can be left to the reader.
type PackedReader interface {
	// Packing says what ReadPacked leaves; Native where that is never anything.
	Packing() Packing
	// PackedShape returns the shape of chunk k as it is stored: the grid's, or longer at the array's end.
	PackedShape(k chunk.Key) chunk.Shape
	// ReadPacked is ReadChunk without the last step. dst is contiguous and of PackedShape. left is false where nothing
	// is left to do: for a chunk that was never written, or was written in another way. It is then at the start of each axis of dst.
	ReadPacked(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (left bool, read int64, err error)
}

// PackedRegionReader is a RegionReader whose byte order can be left to the reader.
type PackedRegionReader interface {
	RegionReader
	// Swapped reports whether ReadSwapped leaves anything.
	Swapped() bool
	// ReadSwapped is ReadRegion without putting bytes in order. dst is contiguous. left is false where nothing is left to do.
	ReadSwapped(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (left bool, read int64, err error)
}
