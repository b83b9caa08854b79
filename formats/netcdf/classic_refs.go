// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/flat"
)

var _ formats.RefSource = (*classicSource)(nil)

// RefGrid implements formats.RefSource: records lie apart, everything else is one run.
func (s *classicSource) RefGrid() chunk.Grid {
	steps := s.meta.Shape.Clone()
	if len(steps) > 0 && s.a.Strides[0] != flat.RowMajor(s.meta.Shape, s.a.Item)[0] {
		steps[0] = 1
	}
	return chunk.Regular(s.meta.Shape, steps...)
}

// Ref implements formats.RefSource.
func (s *classicSource) Ref(_ context.Context, k chunk.Key) (formats.ChunkRef, error) {
	r := s.RefGrid().Region(k)
	ref := formats.ChunkRef{Off: s.a.Base, Len: r.Size() * int64(s.a.Item)}
	for i, lo := range r.Lo {
		ref.Off += lo * s.a.Strides[i]
	}
	return ref, nil
}
