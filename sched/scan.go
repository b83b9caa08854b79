// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"fmt"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// carry is how a scan goes from tile to tile along its axis: what the last tile ended with, and whose turn it is.
type carry struct {
	*kernels.Sequence[struct{}]
	chunk *chunk.Chunk
}

// scanRun is what a tasker needs to scan tiles.
type scanRun struct {
	call kernels.Call
	in   [1]*chunk.Chunk
	out  [2]*chunk.Chunk
	tile *chunk.Chunk // the result of the task
}

// carry returns the carry of a line of tiles, of the shape of a tile with length 1 along the axis.
func (sr *stageRun) carry(line int64, tile chunk.Shape) (*carry, error) {
	sr.mu.Lock()
	defer sr.mu.Unlock()
	if c := sr.carries[line]; c != nil {
		return c, nil
	}
	s := sr.s.Scan
	shape := tile.Clone()
	shape[s.Axis] = 1
	ch, err := chunk.New(sr.r.pool, s.Node.DType, s.Node.ItemBytes, shape)
	if err != nil {
		return nil, err
	}
	c := &carry{kernels.NewSequence(func(context.Context, struct{}) error { return nil }), ch}
	if sr.carries == nil {
		sr.carries = map[int64]*carry{}
	}
	sr.carries[line] = c
	return c, nil
}

// end ends the turn of a tile; behind the last of the line the carry is released.
func (sr *stageRun) end(line int64, c *carry) {
	if c.End() < sr.s.Tiles.Axes[sr.s.Scan.Axis].Count() {
		return
	}
	sr.mu.Lock()
	defer sr.mu.Unlock()
	delete(sr.carries, line)
	c.chunk.Release()
}

// dropCarries releases those of an interrupted stage.
func (sr *stageRun) dropCarries() {
	for _, c := range sr.carries {
		c.chunk.Release()
	}
	sr.carries = nil
}

// place sets where the scan of the task's tile goes: memory of the result or of an output, else a block of the task's own.
func (r *scanRun) place(t *tasker) (err error) {
	s, at := t.s.Scan, t.task.Region
	if c := t.r.results[s.Result]; c != nil {
		r.tile = c.Sub(at)
		return nil
	}
	if o := t.r.plan.ScanPlace(t.s); o >= 0 {
		r.tile = t.r.outs[o].out.Into.Sub(at)
		return nil
	}
	r.tile, err = t.alloc(s.Node.DType, int64(s.Node.ItemBytes), at.Shape())
	return err
}

// scan scans the tile, once those before it along the axis are done.
func (t *tasker) scan(ctx context.Context) error {
	r, s := &t.scanned, t.s.Scan
	if err := r.place(t); err != nil {
		return err
	}
	line, tile := t.s.Lines(&t.task)
	c, err := t.sr.carry(line, t.task.Region.Shape())
	if err != nil {
		return err
	}
	if !c.Turn(tile) {
		if err := t.pause(ctx, func() error { return c.Await(ctx, tile) }); err != nil {
			return err
		}
	}
	start := time.Now()
	x := t.whole[0]
	if x == nil {
		x = t.leafs[t.s.Body.Roots[0].Leaf]
	}
	r.in[0], r.out = x, [2]*chunk.Chunk{r.tile, c.chunk}
	r.call = kernels.Call{In: r.in[:], Out: r.out[:], Origin: t.task.Region.Lo, Shape: t.task.Region.Shape(), Continue: tile > 0}
	if r.call.Scratch, err = t.scratch(s.Kernel.Scratch(r.call.Shape)); err != nil {
		return err
	}
	if err := s.Kernel.Run(ctx, &r.call); err != nil {
		return fmt.Errorf("at %v: %w", t.task.Region, err)
	}
	t.sr.end(line, c)
	t.sr.compute.Add(int64(time.Since(start)))
	return nil
}
