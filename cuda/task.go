// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"context"
	"errors"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/cuda/driver"
)

// stageBytes is the size of a staging buffer. Each slot has two: one is filled or emptied while the other is copied.
const stageBytes = 4 << 20

// slot is one task's place on a device: a stream, staging memory and what the task has allocated.
type slot struct {
	dev    *Device
	stream driver.Stream
	stage  [2]stage
	turn   int
	blocks []deviceBlock
	args   driver.Args
	timed  [2]driver.Event // before the first launch of a call and after the last
}

// stage is a page-locked buffer and the event after which it may be used again.
type stage struct {
	buf    *driver.HostBuffer
	event  driver.Event
	queued bool
}

// acquire waits for a slot.
func (d *Device) acquire(ctx context.Context) (*slot, error) {
	select {
	case sl := <-d.slots:
		return sl, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// finish drains the stream, so that nothing queued uses what is then given back, and returns the slot.
// After a sticky error the memory is gone with its context and is only forgotten.
func (sl *slot) finish(s *driver.Session, err error) error {
	if e := s.StreamSynchronize(sl.stream); e != nil {
		if !driver.IsSticky(err) { // which every later call repeats
			err = errors.Join(err, e)
		}
		if !driver.IsSticky(e) && s.StreamSynchronize(sl.stream) != nil {
			sl.blocks = sl.blocks[:0] // something queued may still use them
			return err
		}
	}
	for i := range sl.stage {
		sl.stage[i].queued = false
	}
	for _, b := range sl.blocks {
		sl.dev.pool.release(b)
	}
	sl.blocks = sl.blocks[:0]
	return err
}

// close frees what a slot holds.
func (sl *slot) close(s *driver.Session) error {
	errs := []error{s.StreamSynchronize(sl.stream)}
	for _, g := range sl.stage {
		if g.buf != nil {
			errs = append(errs, s.HostFree(g.buf))
		}
		if g.event != 0 {
			errs = append(errs, s.EventDestroy(g.event))
		}
	}
	for _, e := range sl.timed {
		if e != 0 {
			errs = append(errs, s.EventDestroy(e))
		}
	}
	return errors.Join(append(errs, s.StreamDestroy(sl.stream))...)
}

// mark records the time before (0) or after (1) the launches of a call.
func (sl *slot) mark(s *driver.Session, i int) error {
	if sl.timed[i] == 0 {
		var err error
		if sl.timed[i], err = s.EventCreate(true); err != nil {
			return err
		}
	}
	return s.EventRecord(sl.timed[i], sl.stream)
}

// count adds the time between the marks, which a call need not fail for: not every driver tells it.
func (sl *slot) count(s *driver.Session) {
	if d, err := s.Elapsed(sl.timed[0], sl.timed[1]); err == nil {
		sl.dev.stats.computed.Add(int64(d))
	}
}

// alloc returns device memory that lives until the slot is finished.
func (sl *slot) alloc(s *driver.Session, n int64) (driver.DevicePtr, error) {
	b, err := sl.dev.pool.alloc(s, n)
	if err != nil {
		return 0, err
	}
	sl.blocks = append(sl.blocks, b)
	return b.ptr, nil
}

// next returns a staging buffer that no queued copy uses any more.
func (sl *slot) next(s *driver.Session) (*stage, error) {
	g := &sl.stage[sl.turn]
	sl.turn = (sl.turn + 1) % len(sl.stage)
	var err error
	if g.buf == nil {
		if g.buf, err = s.HostAlloc(stageBytes); err != nil {
			return nil, err
		}
	}
	if g.event == 0 {
		if g.event, err = s.EventCreate(false); err != nil {
			return nil, err
		}
	}
	if g.queued {
		if err := s.EventSynchronize(g.event); err != nil {
			return nil, err
		}
		g.queued = false
	}
	return g, nil
}

// sent records that a copy from or to g is queued.
func (sl *slot) sent(s *driver.Session, g *stage) error {
	g.queued = true
	return s.EventRecord(g.event, sl.stream)
}

// upload queues the copy of a chunk's elements, in C order, to device memory.
func (sl *slot) upload(ctx context.Context, s *driver.Session, to driver.DevicePtr, c *chunk.Chunk) error {
	item := int64(c.ItemBytes)
	if buf := sl.dev.ring.find(c); buf != nil {
		n := c.Shape.Size() * item
		if err := s.CopyToDevice(to, buf, c.Offset*item, n, sl.stream); err != nil {
			return err
		}
		sl.dev.stats.uploaded.Add(n)
		sl.dev.stats.staged.Add(n)
		return nil
	}
	return slabs(c.Shape, stageBytes/item, func(r chunk.Region, first int64) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		g, err := sl.next(s)
		if err != nil {
			return err
		}
		part := c.Sub(r)
		if err := sl.dev.opt.CPU.Copy(ctx, staged(g, part), part); err != nil {
			return err
		}
		n := part.Shape.Size() * item
		if err := s.CopyToDevice(to.Add(first*item), g.buf, 0, n, sl.stream); err != nil {
			return err
		}
		sl.dev.stats.uploaded.Add(n)
		return sl.sent(s, g)
	})
}

// download copies device memory in C order to a chunk's elements; it is done when it returns. Each slab is
// emptied while the next one is copied.
func (sl *slot) download(ctx context.Context, s *driver.Session, c *chunk.Chunk, from driver.DevicePtr) error {
	item := int64(c.ItemBytes)
	var waiting *stage
	var part *chunk.Chunk
	empty := func() error {
		if waiting == nil {
			return nil
		}
		if err := s.EventSynchronize(waiting.event); err != nil {
			return err
		}
		waiting.queued = false
		return sl.dev.opt.CPU.Copy(ctx, part, staged(waiting, part))
	}
	err := slabs(c.Shape, stageBytes/item, func(r chunk.Region, first int64) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		g, err := sl.next(s)
		if err != nil {
			return err
		}
		p := c.Sub(r)
		n := p.Shape.Size() * item
		if err := s.CopyToHost(g.buf, 0, from.Add(first*item), n, sl.stream); err != nil {
			return err
		}
		sl.dev.stats.downloaded.Add(n)
		if err := sl.sent(s, g); err != nil {
			return err
		}
		if err := empty(); err != nil {
			return err
		}
		waiting, part = g, p
		return nil
	})
	if err != nil {
		return err
	}
	return empty()
}

// staged returns a chunk like c whose elements lie in C order in a staging buffer.
func staged(g *stage, c *chunk.Chunk) *chunk.Chunk {
	return &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: mem.Wrap(g.buf.Bytes())}
}

// slabs calls do for boxes of at most limit elements that cover a shape and are each a run of it in C order; first
// is the number of the first element. limit is 1 or more.
func slabs(shape chunk.Shape, limit int64, do func(r chunk.Region, first int64) error) error {
	if shape.Size() == 0 {
		return nil
	}
	axis, inner := len(shape)-1, int64(1) // whole axes inside, one cut, single positions outside
	for axis > 0 && inner*shape[axis] <= limit {
		inner *= shape[axis]
		axis--
	}
	r := chunk.Region{Lo: make(chunk.Shape, len(shape)), Hi: shape.Clone()}
	if axis < 0 {
		return do(r, 0)
	}
	rows := max(1, limit/inner)
	for i := range axis {
		r.Hi[i] = 1
	}
	first := int64(0)
	for {
		for lo := int64(0); lo < shape[axis]; lo += rows {
			r.Lo[axis], r.Hi[axis] = lo, min(lo+rows, shape[axis])
			if err := do(r, first); err != nil {
				return err
			}
			first += (r.Hi[axis] - lo) * inner
		}
		k := axis - 1
		for ; k >= 0; k-- {
			r.Lo[k]++
			r.Hi[k]++
			if r.Hi[k] <= shape[k] {
				break
			}
			r.Lo[k], r.Hi[k] = 0, 1
		}
		if k < 0 {
			return nil
		}
	}
}
