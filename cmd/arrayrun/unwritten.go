// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/sched/plan"
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
	return beyond(m, n, chunks, stored)
}

// beyond reports that n bytes in so many chunks of an array are more than its stored bytes could make.
func beyond(m *formats.ArrayMeta, n, chunks, stored int64) error {
	if stored < 0 || (n <= unwrittenBytes || n/unwrittenRatio <= stored) && (chunks <= unwrittenChunks || chunks <= stored) {
		return nil
	}
	return fmt.Errorf("got shape %v of %v, of which %s are read in chunks of %v, and %s that are stored, want at most %s or %d chunks of values that nobody wrote; select a part: %w",
		m.Shape, m.DType, formatBytes(n), m.Grid.MaxChunk(), formatBytes(stored), formatBytes(unwrittenBytes), unwrittenChunks, formats.ErrFormat)
}

// unwritten refuses a plan that reads more values that nobody wrote than claimed allows, before it runs. A part of such an array, and
// an array whose stored bytes are not known, are read.
func unwritten(ctx context.Context, p *plan.Plan) error {
	var decoded []int64
	for i, s := range p.Sources {
		if s.Source == nil || s.Spill != nil {
			continue
		}
		m := s.Source.Meta()
		if claimed(m, 0) == nil {
			continue // no size of what is stored would refuse it: nothing is listed
		}
		if decoded == nil {
			decoded = p.Decoded()
		}
		n, chunks := decoded[i], int64(1)
		if m.Chunked {
			one, err := m.Grid.MaxChunk().Bytes(int64(max(m.ItemBytes, 1)))
			if err != nil {
				one = math.MaxInt64
			}
			chunks = min(m.Grid.Len(), n/max(one, 1))
		}
		if whole, err := m.Shape.Bytes(int64(max(m.ItemBytes, 1))); err == nil {
			n = min(n, whole) // values that are read again were written once
		}
		if beyond(m, n, chunks, 0) == nil {
			continue
		}
		if err := beyond(m, n, chunks, storedBytes(ctx, s.Source)); err != nil {
			return fmt.Errorf("input %q: %w", s.Name, err)
		}
	}
	return nil
}
