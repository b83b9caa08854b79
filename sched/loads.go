// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
)

// loads says which chunks of a box of an array have been loaded somewhere: each is loaded once, by the first task that wants it.
type loads struct {
	grid chunk.Grid
	mu   sync.Mutex
	wake *sync.Cond
	done []chunkState // by chunk of the grid that touches the box, row-major
	low  chunk.Key    // first chunk along each axis
	dims chunk.Shape
}

type chunkState uint8

const (
	absent chunkState = iota
	loading
	loaded
)

func newLoads(grid chunk.Grid, box chunk.Region) *loads {
	l := &loads{grid: grid}
	l.wake = sync.NewCond(&l.mu)
	n := int64(1)
	for i, a := range grid.Axes {
		lo, hi := a.Find(box.Lo[i]), a.Find(max(box.Hi[i]-1, 0))
		l.low = append(l.low, lo)
		l.dims = append(l.dims, hi-lo+1)
		n *= hi - lo + 1
	}
	l.done = make([]chunkState, n)
	return l
}

// ensure calls load for the chunks that region touches and that are not there yet;
// chunks another task is loading are waited for.
func (l *loads) ensure(ctx context.Context, region chunk.Region, load func(chunk.Key, chunk.Region) error) error {
	if region.Empty() {
		return nil
	}
	for key := range l.grid.Covering(region) {
		i := int64(0)
		for a := range key {
			i = i*l.dims[a] + key[a] - l.low[a]
		}
		if ok, err := l.claim(ctx, i); err != nil {
			return err
		} else if !ok {
			continue
		}
		err := load(key, l.grid.Region(key))
		l.mu.Lock()
		l.done[i] = loaded
		if err != nil {
			l.done[i] = absent
		}
		l.wake.Broadcast()
		l.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// claim reports whether the caller has to load chunk i; it waits while another does.
func (l *loads) claim(ctx context.Context, i int64) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done[i] == loading {
		stop := context.AfterFunc(ctx, func() {
			l.mu.Lock()
			l.wake.Broadcast()
			l.mu.Unlock()
		})
		defer stop()
		for l.done[i] == loading && ctx.Err() == nil {
			l.wake.Wait()
		}
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if l.done[i] == loaded {
		return false, nil
	}
	l.done[i] = loading
	return true, nil
}
