// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"log/slog"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/cuda/driver"
)

// ringBuffers is how many operands can lie in the ring at once: two for each task in flight.
const ringBuffers = 2 * streams

// MostPinned is what Options.Pinned is of use for: larger operands are rare.
const MostPinned = ringBuffers * 16 << 20

// leastBuffer is the size of a buffer below which a ring is not worth having.
const leastBuffer = 64 << 10

// ring is page-locked host memory that operands are read into: what codecs leave there is copied to the device as it lies, by
// nobody but the device.
type ring struct {
	size int64 // of a buffer; 0: there are none
	mu   sync.Mutex
	bufs []*ringBuffer // allocated when they are wanted
	off  bool          // the driver has refused one
}

// ringBuffer is a buffer and the block that was handed out over it last: it is in use until the block's last Release.
type ringBuffer struct {
	buf   *driver.HostBuffer
	block *mem.Block
}

// newRing returns a ring of so many bytes at most.
func newRing(bytes int64) ring {
	size := bytes/ringBuffers&^4095 - mem.Align
	if size < leastBuffer {
		size = 0
	}
	return ring{size: size}
}

// Stage returns a chunk in page-locked memory to read an operand into, which Run and Fill then copy from where it is. It is nil where
// the operand is too large or all buffers are in use: the operand is then read into any memory. Releasing its block gives the
// buffer back.
func (d *Device) Stage(dt dtype.DType, itemBytes int64, shape chunk.Shape) *chunk.Chunk {
	n := shape.Size() * itemBytes
	r := &d.ring
	if n <= 0 || n > r.size || d.lost.Load() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.idle(d)
	if b == nil {
		return nil
	}
	b.block = mem.Wrap(b.buf.Bytes()[: n : n+mem.Align])
	return &chunk.Chunk{DType: dt, ItemBytes: int32(itemBytes), Shape: shape.Clone(), Strides: shape.RowMajor(), Block: b.block}
}

// idle returns a buffer that nobody uses, a new one where there may be more. The caller holds the mutex.
func (r *ring) idle(d *Device) *ringBuffer {
	for _, b := range r.bufs {
		if b.block == nil || b.block.Refs() <= 0 {
			return b
		}
	}
	if len(r.bufs) == ringBuffers || r.off {
		return nil
	}
	b := &ringBuffer{}
	err := d.ctx.Do(func(s *driver.Session) (err error) {
		b.buf, err = s.HostAlloc(r.size + mem.Align)
		return err
	})
	if err != nil {
		r.off = true
		if driver.IsSticky(err) {
			d.lost.Store(true)
		}
		slog.Warn("cuda: operands are copied through the staging buffers", "device", d.Name(), "error", err)
		return nil
	}
	r.bufs = append(r.bufs, b)
	return b
}

// find returns the buffer that a chunk lies in, nil where that is other memory or the chunk is not one run of bytes.
func (r *ring) find(c *chunk.Chunk) *driver.HostBuffer {
	if r.size == 0 || !c.Contiguous() {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.bufs {
		if b.block == c.Block {
			return b.buf
		}
	}
	return nil
}

// free gives the buffers back. Their blocks must have been released.
func (r *ring) free(s *driver.Session) (errs []error) {
	for _, b := range r.bufs {
		errs = append(errs, s.HostFree(b.buf))
	}
	r.bufs = nil
	return errs
}
