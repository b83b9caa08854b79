// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// kept is a source whose chunks are decoded once into one buffer and stay there.
type kept struct {
	src  *plan.Source
	box  chunk.Region // of the source, what data holds
	data *chunk.Chunk
	mu   sync.Mutex
	wake *sync.Cond
	done []chunkState // by chunk of the source's grid that touches box, row-major
	low  chunk.Key    // first chunk along each axis
	dims chunk.Shape
}

type chunkState uint8

const (
	absent chunkState = iota
	loading
	loaded
)

func newKept(r *run, src *plan.Source) (*kept, error) {
	k := &kept{src: src, box: src.Box}
	k.wake = sync.NewCond(&k.mu)
	grid := src.Source.Meta().Grid
	n := int64(1)
	for i, a := range grid.Axes {
		lo, hi := a.Find(k.box.Lo[i]), a.Find(max(k.box.Hi[i]-1, 0))
		k.low = append(k.low, lo)
		k.dims = append(k.dims, hi-lo+1)
		n *= hi - lo + 1
	}
	k.done = make([]chunkState, n)
	var err error
	k.data, err = chunk.New(r.pool, src.Node.DType, src.Node.ItemBytes, k.box.Shape())
	return k, err
}

// ensure loads the chunks that region touches and that are not there yet;
// chunks another task is loading are waited for.
func (k *kept) ensure(ctx context.Context, rd *reader, region chunk.Region) error {
	if region.Empty() {
		return nil
	}
	grid := k.src.Source.Meta().Grid
	for key := range grid.Covering(region) {
		i := int64(0)
		for a := range key {
			i = i*k.dims[a] + key[a] - k.low[a]
		}
		if ok, err := k.claim(ctx, i); err != nil {
			return err
		} else if !ok {
			continue
		}
		err := k.load(ctx, rd, grid.Region(key))
		k.mu.Lock()
		k.done[i] = loaded
		if err != nil {
			k.done[i] = absent
		}
		k.wake.Broadcast()
		k.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// claim reports whether the caller has to load chunk i; it waits while another does.
func (k *kept) claim(ctx context.Context, i int64) (bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done[i] == loading {
		stop := context.AfterFunc(ctx, func() {
			k.mu.Lock()
			k.wake.Broadcast()
			k.mu.Unlock()
		})
		defer stop()
		for k.done[i] == loading && ctx.Err() == nil {
			k.wake.Wait()
		}
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if k.done[i] == loaded {
		return false, nil
	}
	k.done[i] = loading
	return true, nil
}

// load reads the part of a chunk that lies in the box to its place.
func (k *kept) load(ctx context.Context, rd *reader, r chunk.Region) error {
	r = r.Intersect(k.box)
	maps := make([]plan.AxisMap, len(r.Lo))
	place := chunk.Region{Lo: make(chunk.Shape, len(r.Lo)), Hi: make(chunk.Shape, len(r.Lo))}
	for i := range maps {
		maps[i] = plan.AxisMap{Loop: i, Step: 1}
		place.Lo[i], place.Hi[i] = r.Lo[i]-k.box.Lo[i], r.Hi[i]-k.box.Lo[i]
	}
	return rd.read(ctx, k.src, maps, r, k.data.Sub(place))
}
