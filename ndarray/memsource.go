// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// memSource is an array in host memory, C-ordered. It owns its bytes.
type memSource struct {
	meta formats.ArrayMeta
	data *chunk.Chunk
}

func (s *memSource) Meta() *formats.ArrayMeta { return &s.meta }
func (s *memSource) ScratchBytes() int64      { return 0 }

// Whole returns the elements, borrowed: engines read them in place.
func (s *memSource) Whole() *chunk.Chunk { return s.data }

// ReadChunk copies chunk k to dst.
func (s *memSource) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	return s.ReadRegion(ctx, s.meta.Grid.Region(k), dst)
}

// ReadRegion copies the elements in r to dst. Nothing is read from storage, so it reports 0 bytes.
func (s *memSource) ReadRegion(_ context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	if !dst.Shape.Equal(r.Shape()) {
		return 0, fmt.Errorf("ndarray: read of memory: chunk of shape %v for region %v: %w", dst.Shape, r, chunk.ErrShape)
	}
	formats.CopyElems(dst, s.data.Sub(r))
	return 0, nil
}

// newMemSource returns the source of a contiguous chunk cut by grid.
func newMemSource(c *chunk.Chunk, grid chunk.Grid) *memSource {
	return &memSource{
		meta: formats.ArrayMeta{
			Shape: c.Shape, DType: c.DType, ItemBytes: int(c.ItemBytes), Grid: grid,
			Stored: c.DType.String(), Bytes: c.Shape.Size() * int64(c.ItemBytes),
		},
		data: c,
	}
}

// FromSlice returns the array of the given shape whose elements, in C order, are
// a copy of data; without a shape it is one-dimensional. Its grid is chunk.DefaultGrid's.
// A shape of another size is an error.
func FromSlice[T dtype.Number](data []T, shape ...int64) Array {
	if len(shape) == 0 {
		shape = []int64{int64(len(data))}
	}
	return FromSliceOn(data, chunk.DefaultGrid(shape, dtype.Of[T]().Size()))
}

// FromSliceOn is FromSlice on a grid of the caller's.
func FromSliceOn[T dtype.Number](data []T, grid chunk.Grid) Array {
	for _, d := range grid.Shape {
		if d < 0 {
			return failf("ndarray: from slice: shape %v: got a length below 0: %w", grid.Shape, chunk.ErrShape)
		}
	}
	if n, ok := checkedSize(grid.Shape); !ok || n != int64(len(data)) {
		return failf("ndarray: from slice: %d elements do not fill shape %v: want %d: %w", len(data), grid.Shape, n, chunk.ErrShape)
	}
	c := hostChunk(dtype.Of[T](), 0, grid.Shape)
	copy(chunk.Elems[T](c.Block), data)
	return Array{here().Load(newMemSource(c, grid), "memory", chunk.Grid{})}
}

// Scalar returns the 0-d array of a strong value: its dtype takes part in promotion.
func Scalar[T dtype.Number](v T) Array {
	dt := dtype.Of[T]()
	if c, ok := constant(dt, v); ok {
		return Array{here().Fill(chunk.Grid{Shape: chunk.Shape{}}, c, -1)}
	}
	c := hostChunk(dt, 0, chunk.Shape{})
	copy(chunk.Elems[T](c.Block), []T{v})
	return Array{here().Load(newMemSource(c, chunk.Grid{Shape: chunk.Shape{}}), "memory", chunk.Grid{})}
}

// FromChunk returns the array of a contiguous chunk in host memory, of any
// dtype, cut by grid (nil: chunk.DefaultGrid). It keeps c, which must not change any more and must
// not be released before the last engine run that reads it.
func FromChunk(c *chunk.Chunk, grid *chunk.Grid) Array {
	if !c.Contiguous() || c.Offset != 0 {
		return failf("ndarray: from chunk: strides %v of shape %v: want a contiguous chunk; copy it first: %w", c.Strides, c.Shape, chunk.ErrShape)
	}
	g := chunk.DefaultGrid(c.Shape, int(c.ItemBytes))
	if grid != nil {
		g = *grid
	}
	return Array{here().Load(newMemSource(c, g), "memory", chunk.Grid{})}
}

// FromSource returns the array a source holds. name is what plans and errors call it.
func FromSource(src formats.Source, name string) Array {
	return Array{here().Load(src, name, chunk.Grid{})}
}

// FromSourceOn is FromSource cut by another grid. Sources that read regions are read
// on that grid at once; others are rechunked.
func FromSourceOn(src formats.Source, name string, grid chunk.Grid) Array {
	if r, ok := src.(formats.RegionReader); ok && grid.Shape.Equal(src.Meta().Shape) {
		m := *src.Meta()
		m.Grid = grid
		src = &regridded{Source: src, RegionReader: r, meta: m}
		return Array{here().Load(src, name, chunk.Grid{})}
	}
	return Array{here().Load(src, name, grid)}
}

// regridded is a source that reads regions, cut by a grid that is not its own.
type regridded struct {
	formats.Source
	formats.RegionReader
	meta formats.ArrayMeta
}

func (s *regridded) Meta() *formats.ArrayMeta { return &s.meta }

// ReadChunk reads chunk k of the new grid.
func (s *regridded) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	return s.ReadRegion(ctx, s.meta.Grid.Region(k), dst)
}

// hostMemory returns the chunk behind an Array that is host memory, if it is one.
func (a Array) hostMemory() (*chunk.Chunk, bool) {
	n := a.Node()
	if n.Kind != graph.Load || n.Err != nil {
		return nil, false
	}
	s, ok := n.Arg.(graph.LoadArg).Source.(*memSource)
	if !ok {
		return nil, false
	}
	return s.data, true
}

// hostChunk returns a C-ordered chunk of zeros in Go memory, padded for kernels that read past the end.
func hostChunk(dt dtype.DType, itemBytes int, shape chunk.Shape) *chunk.Chunk {
	if dt != dtype.Raw {
		itemBytes = dt.Size()
	}
	n := shape.Size() * int64(itemBytes)
	b := mem.Wrap(make([]byte, n+mem.Align)[:n])
	return &chunk.Chunk{DType: dt, ItemBytes: int32(itemBytes), Shape: shape.Clone(), Strides: shape.RowMajor(), Block: b}
}

// checkedSize returns the number of elements of a shape, ok false where it does not fit int64.
func checkedSize(s chunk.Shape) (n int64, ok bool) {
	n = 1
	for _, d := range s {
		if d == 0 {
			return 0, true
		}
	}
	for _, d := range s {
		if d < 0 || n > math.MaxInt64/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}
