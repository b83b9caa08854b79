// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/formats"
)

// Values that nobody wrote are the fill value, whatever the shape, and a shape is a few bytes of a file. A walk over all values is
// refused where they are more than unwrittenBytes and more than unwrittenRatio times what is stored (constant data compresses
// less), or where chunks are more than unwrittenChunks and more than the bytes that are stored.
const (
	unwrittenBytes  = 64 << 30
	unwrittenRatio  = 1 << 18
	unwrittenChunks = 1 << 24
)

// claimed reports an array whose shape is beyond anything that its stored bytes (negative: not known) could make.
func claimed(m *formats.ArrayMeta, stored int64) error {
	n, err := m.Shape.Bytes(int64(max(m.ItemBytes, 1)))
	if err != nil {
		n = math.MaxInt64
	}
	chunks := int64(1)
	if m.Chunked {
		chunks = m.Grid.Len()
	}
	if stored < 0 || (n <= unwrittenBytes || n/unwrittenRatio <= stored) && (chunks <= unwrittenChunks || chunks <= stored) {
		return nil
	}
	return fmt.Errorf("got shape %v of %v, %s in chunks of %v, and %s that are stored, want at most %s or %d chunks of values that nobody wrote; select a part: %w",
		m.Shape, m.DType, formatBytes(n), m.Grid.MaxChunk(), formatBytes(stored), formatBytes(unwrittenBytes), unwrittenChunks, formats.ErrFormat)
}
