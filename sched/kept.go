// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// kept is a source, or one band of it at a time, whose chunks are decoded once into one buffer and stay there.
type kept struct {
	src   *plan.Source
	box   chunk.Region // of the source, what data holds
	data  *chunk.Chunk
	loads *loads
}

func newKept(r *run, src *plan.Source) (*kept, error) {
	k := &kept{src: src}
	shape, box := src.Box.Shape(), src.Box
	if c := src.Chain; c != nil {
		shape, box = c.Largest(src), c.Box(0, src)
	}
	var err error
	if k.data, err = chunk.New(r.pool, src.Node.DType, src.Node.ItemBytes, shape); err != nil {
		return nil, err
	}
	k.move(box)
	return k, nil
}

// move forgets what was kept for a box that the buffer has room for.
func (k *kept) move(box chunk.Region) {
	k.box, k.loads = box, newLoads(k.src.Source.Meta().Grid, box)
	k.data.Shape = box.Shape()
	k.data.Strides = k.data.Shape.RowMajor()
}

// ensure loads the chunks that region touches and that are not there yet.
func (k *kept) ensure(ctx context.Context, rd *reader, region chunk.Region) error {
	return k.loads.ensure(ctx, region, func(_ chunk.Key, r chunk.Region) error {
		r = r.Intersect(k.box)
		dst, origin := k.at(r)
		return rd.readBox(ctx, k.src, r, dst.Sub(formats.Shift(r, origin)))
	})
}

// at returns what holds the region, and the place in the source of its first element.
func (k *kept) at(region chunk.Region) (*chunk.Chunk, chunk.Shape) {
	if !k.src.Blocks || region.Empty() {
		return k.data, k.box.Lo
	}
	// Blocks follow each other row-major, each as long as the chunk it holds.
	block := chunk.Region{Lo: make(chunk.Shape, len(region.Lo)), Hi: make(chunk.Shape, len(region.Lo))}
	for i, a := range k.loads.grid.Axes {
		lo, hi := a.Bounds(a.Find(region.Lo[i]))
		block.Lo[i], block.Hi[i] = max(lo, k.box.Lo[i]), min(hi, k.box.Hi[i])
	}
	c := *k.data
	c.Shape = block.Shape()
	c.Strides = c.Shape.RowMajor()
	width := int64(1) // of the block along the axes before, by the box along those behind
	for _, n := range k.data.Shape {
		width *= n
	}
	for i, n := range k.data.Shape {
		width /= n
		c.Offset += (block.Lo[i] - k.box.Lo[i]) * width
		width *= c.Shape[i]
	}
	return &c, block.Lo
}

// readBox reads a box of a source.
func (rd *reader) readBox(ctx context.Context, src *plan.Source, r chunk.Region, dst *chunk.Chunk) error {
	maps := make([]plan.AxisMap, len(r.Lo))
	for i := range maps {
		maps[i] = plan.AxisMap{Loop: i, Step: 1}
	}
	return rd.read(ctx, src, maps, r, dst)
}
