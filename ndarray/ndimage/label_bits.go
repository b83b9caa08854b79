// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"context"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// bitArray is a bool array in memory, 64 elements of a line along the last axis to a word: a formats.Source. Labels are made from it after the pass that joins parts, so
// that what the operand is made from is not computed again.
type bitArray struct {
	meta  formats.ArrayMeta
	words []uint64
	line  int64   // words of a line
	rows  []int64 // by axis but the last, how many lines a step along it is
}

var _ formats.RegionReader = (*bitArray)(nil)
var _ graph.Holder = (*bitArray)(nil)

// bitsShare: bits are kept up to this share of what a pass may keep.
const bitsShare = 4

// newBits returns an array of the grid's shape whose elements are all false, nil where it takes more bytes than most.
func newBits(grid chunk.Grid, most int64) *bitArray {
	rank := len(grid.Shape)
	b := &bitArray{line: 1, rows: make([]int64, max(rank-1, 0))}
	lines := int64(1)
	for k := rank - 2; k >= 0; k-- {
		b.rows[k] = lines
		lines *= grid.Shape[k]
	}
	if rank > 0 {
		b.line = (grid.Shape[rank-1] + 63) / 64
	}
	if b.line > 0 && lines > most/8/b.line {
		return nil
	}
	b.words = make([]uint64, lines*b.line)
	b.meta = formats.ArrayMeta{Shape: grid.Shape, DType: dtype.Bool, ItemBytes: 1, Grid: grid, Stored: "bool", Bytes: 8 * int64(len(b.words))}
	return b
}

// at returns the words of the line that pos is in, and where pos is along it.
func (b *bitArray) at(pos []int64) (line []uint64, x int64) {
	row := int64(0)
	for k, n := range b.rows {
		row += pos[k] * n
	}
	if len(pos) > 0 {
		x = pos[len(pos)-1]
	}
	return b.words[row*b.line:][:b.line], x
}

// Holds implements graph.Holder.
func (b *bitArray) Holds() int64 { return 8 * int64(len(b.words)) }

// Meta implements formats.Source.
func (b *bitArray) Meta() *formats.ArrayMeta { return &b.meta }

// ScratchBytes implements formats.Source.
func (b *bitArray) ScratchBytes() int64 { return 0 }

// ReadChunk implements formats.Source.
func (b *bitArray) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	return b.ReadRegion(ctx, b.meta.Grid.Region(k), dst)
}

// ReadRegion implements formats.RegionReader. Nothing is read from storage.
func (b *bitArray) ReadRegion(_ context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	out := chunk.Elems[bool](dst.Block)
	eachRow(r, func(pos []int64, length int64) {
		to, step := dst.Offset, int64(1)
		for k := range pos {
			to += (pos[k] - r.Lo[k]) * dst.Strides[k]
			step = dst.Strides[k]
		}
		line, x := b.at(pos)
		for i := range length {
			out[to+i*step] = line[(x+i)>>6]>>(uint(x+i)&63)&1 != 0
		}
	})
	return 0, nil
}
