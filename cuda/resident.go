// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
)

// ErrHost is wrapped by the error of a call whose operands are on the device and that the device cannot run: it is to
// be made again with operands in host memory.
var ErrHost = errors.New("cuda: operands are wanted in host memory")

// ErrEvicted is wrapped when an array on the device has made room for something else.
var ErrEvicted = errors.New("cuda: the array is not on the device any more")

// Resident is an array in a device's memory that calls read in place: their inputs are views of Chunk. It is only a copy.
// Where memory runs short it gives way, and who made it has the values elsewhere.
type Resident struct {
	dev   *Device
	whole *chunk.Chunk
	block deviceBlock
	// The device's mutex guards the rest.
	users int       // calls and copies that use the memory
	last  time.Time // of its use
	gone  bool
}

// NewResident reserves memory for an array. Release gives it back.
func (d *Device) NewResident(ctx context.Context, dt dtype.DType, shape chunk.Shape) (*Resident, error) {
	n := shape.Size() * int64(dt.Size())
	r := &Resident{dev: d, last: time.Now()}
	r.whole = &chunk.Chunk{DType: dt, ItemBytes: int32(dt.Size()), Shape: shape.Clone(), Strides: shape.RowMajor(), Block: mem.Wrap(nil)}
	reserve := func() error {
		return d.ctx.Do(func(s *driver.Session) error {
			var err error
			r.block, err = d.pool.alloc(s, max(n, 1))
			return err
		})
	}
	err := reserve()
	if driver.CodeOf(err) == driver.OutOfMemory && n < d.info.BudgetBytes { // calls in flight may have it
		if err = d.reap(ctx); err == nil {
			err = reserve()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cuda: keep %s%v on %s: %w", dt, shape, d.Name(), err)
	}
	d.mu.Lock()
	d.residents[r.whole.Block] = r
	d.resident += r.block.size
	d.mu.Unlock()
	return r, nil
}

// Chunk returns the array as calls take it. Its block has no bytes in host memory.
func (r *Resident) Chunk() *chunk.Chunk { return r.whole }

// Stage is the device's Stage for values of the array: see Device.Stage.
func (r *Resident) Stage(shape chunk.Shape) *chunk.Chunk {
	return r.dev.Stage(r.whole.DType, int64(r.whole.ItemBytes), shape)
}

// Release gives the memory back. Calls that read the array must have returned.
func (r *Resident) Release() {
	r.dev.mu.Lock()
	defer r.dev.mu.Unlock()
	r.drop()
	delete(r.dev.residents, r.whole.Block)
}

// drop gives up the memory, which nothing uses. The caller holds the device's mutex.
func (r *Resident) drop() {
	if !r.gone {
		r.gone = true
		r.dev.resident -= r.block.size
		r.dev.pool.release(r.block)
	}
}

// pin keeps the memory from being given away until unpin.
func (r *Resident) pin() error {
	r.dev.mu.Lock()
	defer r.dev.mu.Unlock()
	if r.gone {
		return ErrEvicted
	}
	r.users++
	r.last = time.Now()
	return nil
}

func (r *Resident) unpin() {
	r.dev.mu.Lock()
	r.users--
	r.dev.mu.Unlock()
}

// evict gives up the array that has not been used for longest; false where all are in use.
func (d *Device) evict() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	var oldest *Resident
	for _, r := range d.residents {
		if !r.gone && r.users == 0 && (oldest == nil || r.last.Before(oldest.last)) {
			oldest = r
		}
	}
	if oldest == nil {
		return false
	}
	oldest.drop()
	d.stats.evicted.Add(1)
	return true
}

// room returns the bytes of device memory that a call may take: its share of what no array keeps, a quarter, so that the calls in flight leave
// one for idle blocks of other sizes.
func (d *Device) room() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return share(d.info.BudgetBytes - d.resident)
}

// share returns what of a device's memory a call may take.
func share(memory int64) int64 { return memory / (streams + 1) }

// reap waits until all calls in flight have given back their memory, and gives what is idle back to the driver.
func (d *Device) reap(ctx context.Context) error {
	d.reaping.Lock()
	defer d.reaping.Unlock()
	d.stats.reaped.Add(1)
	var all []*slot
	defer func() {
		for _, sl := range all {
			d.slots <- sl
		}
	}()
	for range streams {
		sl, err := d.acquire(ctx)
		if err != nil {
			return err
		}
		all = append(all, sl)
	}
	return d.ctx.Do(d.pool.close)
}

// residentOf returns the array that a chunk is a view of, nil where that is in host memory.
// One that has given way is found too.
func (d *Device) residentOf(c *chunk.Chunk) *Resident {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.residents[c.Block]
}

// Fill copies a chunk in host memory to a region of the array. It is done when it returns. A packed chunk is contiguous and may be larger than
// the region, whose first element it then holds at the position from; it is put in order on the device.
func (r *Resident) Fill(ctx context.Context, at chunk.Region, c *chunk.Chunk, packing Packing, from chunk.Shape) error {
	if err := r.pin(); err != nil {
		return err
	}
	defer r.unpin()
	d := r.dev
	if d.lost.Load() {
		return fmt.Errorf("%w: %s is lost", ErrEvicted, d.Name())
	}
	to := r.whole.Sub(at)
	item := int64(r.whole.ItemBytes)
	sl, err := d.acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { d.slots <- sl }()
	err = d.ctx.Do(func(s *driver.Session) error {
		return sl.finish(s, func() error {
			base := r.block.ptr
			if packing != Plain {
				return sl.move(ctx, s, base, to, c, packing, from)
			}
			if to.Contiguous() {
				return sl.upload(ctx, s, base.Add(to.Offset*item), c)
			}
			return slabs(c.Shape, max(1, moveBytes/item), func(part chunk.Region, _ int64) error {
				return sl.move(ctx, s, base, to.Sub(part), c.Sub(part), Plain, nil)
			})
		}())
	})
	if err != nil && ctx.Err() == nil && driver.CodeOf(err) != driver.OutOfMemory && !d.opt.Strict {
		d.note(err)
	}
	return err
}

// moveBytes is how much is copied at once on its way to rows that do not follow each other.
const moveBytes = 32 << 20

// move copies a chunk to the device and from there to its place: elements of an array at base.
func (sl *slot) move(ctx context.Context, s *driver.Session, base driver.DevicePtr, to, c *chunk.Chunk, packing Packing, from chunk.Shape) error {
	item := int64(c.ItemBytes)
	n := c.Shape.Size()
	ptr, err := sl.alloc(s, n*item)
	if err != nil {
		return err
	}
	if err := sl.upload(ctx, s, ptr, c); err != nil {
		return err
	}
	dense := &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: to.Shape, Strides: c.Shape.RowMajor()}
	first := int64(0)
	for i, x := range from {
		first += x * dense.Strides[i]
	}
	g := newGeometry(to.Shape, 0, 0, []*chunk.Chunk{to, dense}, []bool{true, true})
	g.wide = g.wide || n*item >= 1<<31
	fn, err := sl.dev.mover(s, g, int(item), packing)
	if err != nil {
		return err
	}
	st := &step{geo: g, vector: 1, width: n, count: to.Shape.Size()}
	step := item
	if packing == Shuffled {
		step = 1
	}
	return sl.launch(s, st, fn, &launch{call: &kernels.Call{}, in: []uint64{uint64(ptr.Add(first * step))}, out: []uint64{uint64(base.Add(to.Offset * item))}})
}

// mover returns the kernel that moves elements between the layouts of a geometry, compiled once.
func (d *Device) mover(s *driver.Session, g *geometry, item int, packing Packing) (*loaded, error) {
	key := fmt.Sprint(item, packing, g.key(0, templateMove))
	d.moving.Lock()
	defer d.moving.Unlock()
	if f := d.moves[key]; f != nil {
		return f, nil
	}
	src, err := renderMove(g, item, packing)
	if err != nil {
		return nil, err
	}
	f, err := d.comp.load(s, src)
	if err != nil {
		return nil, err
	}
	d.stats.compiled.Add(1)
	d.moves[key] = f
	return f, nil
}
