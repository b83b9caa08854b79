// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// Read returns the elements of src inside region, C-ordered in Go memory the
// caller owns. It needs no engine, reads on the calling goroutine and keeps to no budget: it is for
// coordinates and other small arrays. Chunks never written read as the fill value.
func Read(ctx context.Context, src formats.Source, region chunk.Region) (*chunk.Chunk, error) {
	m := src.Meta()
	if len(region.Lo) != len(m.Shape) || !chunk.Whole(m.Shape).Contains(region) {
		return nil, fmt.Errorf("ndarray: read: region %v is outside shape %v: %w", region, m.Shape, chunk.ErrShape)
	}
	if _, ok := checkedSize(region.Shape()); !ok {
		return nil, fmt.Errorf("ndarray: read: region %v holds too many elements: %w", region, chunk.ErrShape)
	}
	out := hostChunk(m.DType, m.ItemBytes, region.Shape())
	if _, err := formats.ReadRegion(ctx, src, region, out); err != nil {
		return nil, err
	}
	return out, nil
}

// ReadAll is Read of the whole array.
func ReadAll(ctx context.Context, src formats.Source) (*chunk.Chunk, error) {
	return Read(ctx, src, chunk.Whole(src.Meta().Shape))
}
