// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// kept is a source whose chunks are decoded once into one buffer and stay there.
type kept struct {
	src   *plan.Source
	box   chunk.Region // of the source, what data holds
	data  *chunk.Chunk
	loads *loads
}

func newKept(r *run, src *plan.Source) (*kept, error) {
	k := &kept{src: src, box: src.Box, loads: newLoads(src.Source.Meta().Grid, src.Box)}
	var err error
	k.data, err = chunk.New(r.pool, src.Node.DType, src.Node.ItemBytes, k.box.Shape())
	return k, err
}

// ensure loads the chunks that region touches and that are not there yet.
func (k *kept) ensure(ctx context.Context, rd *reader, region chunk.Region) error {
	return k.loads.ensure(ctx, region, func(_ chunk.Key, r chunk.Region) error {
		r = r.Intersect(k.box)
		return rd.readBox(ctx, k.src, r, k.data.Sub(formats.Shift(r, k.box.Lo)))
	})
}

// readBox reads a box of a source.
func (rd *reader) readBox(ctx context.Context, src *plan.Source, r chunk.Region, dst *chunk.Chunk) error {
	maps := make([]plan.AxisMap, len(r.Lo))
	for i := range maps {
		maps[i] = plan.AxisMap{Loop: i, Step: 1}
	}
	return rd.read(ctx, src, maps, r, dst)
}
