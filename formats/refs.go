// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"context"

	"github.com/arrayrun/arrayrun/chunk"
)

// ChunkRef says where the stored bytes of a chunk are.
type ChunkRef struct {
	Key      string // in the store of a hierarchy; "": the file itself has them
	Off, Len int64  // Len -1: everything from Off on
	Inline   []byte // the bytes themselves, where they lie among metadata
	Mask     uint32 // HDF5: bit i is set where filter i was left out for this chunk
	Missing  bool   // the chunk was never written
	Short    bool   // fewer elements are stored than a whole chunk has
}

// RefSource is implemented by sources that can say where their chunks lie, for tables of references and for
// messages about damage.
type RefSource interface {
	// RefGrid returns the chunks that Ref places: those of Meta, or for contiguous storage the pieces that are one run of bytes.
	RefGrid() chunk.Grid
	// Ref returns the place of the chunk at k of RefGrid. Nothing is decoded but indexes. An error wraps
	// ErrFormat where the bytes are not a chunk as other readers know it, ErrCorrupt where an index is damaged.
	Ref(ctx context.Context, k chunk.Key) (ChunkRef, error)
}
