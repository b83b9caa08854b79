// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// joinedSource is the arrays of several files end to end along an axis, which are stored and cut alike: one
// Load instead of a Stack of many, so that a plan of a thousand files is as small as one of a single file.
type joinedSource struct {
	meta    formats.ArrayMeta
	axis    int
	parts   []formats.Source
	paths   []string // of the files, for messages
	chunks  []int64  // the first chunk of each part along the axis
	starts  []int64  // the first element of each part along the axis
	scratch int64
}

// joinSources returns the joined source; ok is false where the parts differ in dtype or in how they are cut.
func joinSources(axis int, parts []formats.Source, paths []string) (src formats.Source, ok bool) {
	first := parts[0].Meta()
	s := &joinedSource{axis: axis, parts: parts, paths: paths, meta: *first}
	loads := make([]*graph.Node, len(parts))
	regions := true
	n, count := int64(0), int64(0)
	for i, p := range parts {
		m := p.Meta()
		if m.DType != first.DType || m.ItemBytes != first.ItemBytes || len(m.Grid.Axes) != len(first.Grid.Axes) {
			return nil, false
		}
		for k := range m.Grid.Axes {
			if k != axis && !m.Grid.Axes[k].Equal(first.Grid.Axes[k]) {
				return nil, false
			}
		}
		s.starts, s.chunks = append(s.starts, n), append(s.chunks, count)
		n += m.Shape[axis]
		count += m.Grid.Axes[axis].Count()
		s.scratch = max(s.scratch, p.ScratchBytes())
		if i > 0 {
			s.meta.Bytes += m.Bytes
		}
		if m.Bytes < 0 || s.meta.Bytes < 0 {
			s.meta.Bytes = -1
		}
		_, reader := p.(formats.RegionReader)
		regions = regions && reader
		loads[i] = graph.NewLoad(p, "part", chunk.Grid{})
	}
	s.meta.Shape = first.Shape.Clone()
	s.meta.Shape[axis] = n
	s.meta.Shards = nil
	stacked := graph.NewStack(axis, loads...)
	if stacked.Err != nil || stacked.Grid.Axes[axis].Count() != count {
		return nil, false // too many cuts for a list of edges
	}
	s.meta.Grid = stacked.Grid
	if regions {
		return &joinedRegions{s}, true
	}
	return s, true
}

// Meta describes the joined array.
func (s *joinedSource) Meta() *formats.ArrayMeta { return &s.meta }

// ScratchBytes is the largest of the parts'.
func (s *joinedSource) ScratchBytes() int64 { return s.scratch }

// partOf returns the last part whose first number is at or before x. Parts without chunks are never meant.
func partOf(starts []int64, x int64) int {
	return sort.Search(len(starts), func(i int) bool { return starts[i] > x }) - 1
}

// ReadChunk reads the chunk from the file that holds it.
func (s *joinedSource) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	i := partOf(s.chunks, k[s.axis])
	own := slices.Clone(k)
	own[s.axis] -= s.chunks[i]
	n, err := s.parts[i].ReadChunk(ctx, own, dst)
	return n, s.located(i, err)
}

// located says in which file reading failed.
func (s *joinedSource) located(i int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", s.paths[i], err)
}

// joinedRegions is a joinedSource whose parts all read regions.
type joinedRegions struct{ *joinedSource }

// ReadRegion reads the region from the files that hold it.
func (s *joinedRegions) ReadRegion(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	total := int64(0)
	for lo := r.Lo[s.axis]; lo < r.Hi[s.axis]; {
		i := partOf(s.starts, lo)
		end := s.starts[i] + s.parts[i].Meta().Shape[s.axis]
		hi := min(end, r.Hi[s.axis])
		own := r.Clone()
		own.Lo[s.axis], own.Hi[s.axis] = lo-s.starts[i], hi-s.starts[i]
		at := chunk.Whole(dst.Shape)
		at.Lo[s.axis], at.Hi[s.axis] = lo-r.Lo[s.axis], hi-r.Lo[s.axis]
		place := dst.Sub(at)
		n, err := s.parts[i].(formats.RegionReader).ReadRegion(ctx, own, place)
		dst.Heap = place.Heap
		total += n
		if err != nil {
			return total, s.located(i, err)
		}
		lo = hi
	}
	return total, nil
}
