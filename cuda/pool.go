// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"math/bits"
	"sync"

	"github.com/arrayrun/arrayrun/cuda/driver"
)

// pool keeps device memory in free lists by size class: allocating may wait for the whole device, and chunk work
// asks for few sizes. A block is given back only when the stream that used it is done.
type pool struct {
	mu    sync.Mutex
	limit int64 // of live and idle bytes together
	free  map[int64][]driver.DevicePtr
	live  int64
	idle  int64
	peak  int64
	// released counts how often idle memory went back to the driver because a request did not fit.
	released int64
}

// deviceBlock is a piece of device memory.
type deviceBlock struct {
	ptr  driver.DevicePtr
	size int64
}

func newPool(limit int64) *pool {
	return &pool{limit: limit, free: map[int64][]driver.DevicePtr{}}
}

// classBytes rounds a request up to 512 bytes, above 1 MiB to an eighth of a power of two.
func classBytes(n int64) int64 {
	step := int64(512)
	if n > 1<<20 {
		step = int64(1) << (bits.Len64(uint64(n-1)) - 4)
	}
	return max(step, (n+step-1)/step*step)
}

// errDeviceMemory is wrapped when a request does not fit the device's budget.
var errDeviceMemory = fmt.Errorf("cuda: device memory: %w", driver.OutOfMemory)

// alloc returns memory, from the free lists where they have some. Before it gives up it returns all idle blocks to the driver.
func (p *pool) alloc(s *driver.Session, n int64) (deviceBlock, error) {
	size := classBytes(n)
	p.mu.Lock()
	defer p.mu.Unlock()
	if list := p.free[size]; len(list) > 0 {
		ptr := list[len(list)-1]
		p.free[size] = list[:len(list)-1]
		p.idle -= size
		p.live += size
		return deviceBlock{ptr, size}, nil
	}
	if p.live+size > p.limit {
		return deviceBlock{}, fmt.Errorf("%w: %d bytes beside %d in use, the budget is %d", errDeviceMemory, size, p.live, p.limit)
	}
	if p.live+p.idle+size > p.limit {
		p.released++
		if err := p.trim(s); err != nil {
			return deviceBlock{}, err
		}
	}
	ptr, err := s.MemAlloc(size)
	if driver.CodeOf(err) == driver.OutOfMemory && p.idle > 0 {
		p.released++
		if err := p.trim(s); err != nil {
			return deviceBlock{}, err
		}
		ptr, err = s.MemAlloc(size)
	}
	if err != nil {
		return deviceBlock{}, err
	}
	p.live += size
	p.peak = max(p.peak, p.live+p.idle)
	return deviceBlock{ptr, size}, nil
}

// release puts a block on its free list. Nothing that is queued may use it.
func (p *pool) release(b deviceBlock) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free[b.size] = append(p.free[b.size], b.ptr)
	p.live -= b.size
	p.idle += b.size
}

// trim frees what is idle; the caller holds the lock.
func (p *pool) trim(s *driver.Session) error {
	for size, list := range p.free {
		for len(list) > 0 {
			if err := s.MemFree(list[len(list)-1]); err != nil {
				return err
			}
			list = list[:len(list)-1]
			p.free[size] = list
			p.idle -= size
		}
		delete(p.free, size)
	}
	return nil
}

// close frees everything that is idle.
func (p *pool) close(s *driver.Session) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trim(s)
}
