// SPDX-License-Identifier: BSD-3-Clause

package mem

import (
	"fmt"
	"math/bits"
	"sync"
)

// Pool is the host allocator: mmap'd, huge-page-advised blocks kept on free
// lists by size class. It never limits what it hands out (the scheduler's
// budget does); Trim gives idle blocks back to the system.
type Pool struct {
	mu     sync.Mutex
	free   map[int64][]*Block
	idle   int64 // bytes on free lists
	live   int64 // bytes handed out
	blocks int64 // blocks handed out
	closed bool
}

// NewPool returns an empty pool. Close releases what it holds.
func NewPool() *Pool { return &Pool{free: map[int64][]*Block{}} }

// Space returns Host.
func (p *Pool) Space() Space { return Host }

// ClassBytes returns the bytes the pool really takes for a request: Align
// padding plus rounding to an eighth of a power of two, pages and huge pages.
func ClassBytes(n int64) int64 {
	n += Align
	switch {
	case n <= 4096:
		return 4096
	case n <= 64<<10:
		return (n + 4095) &^ 4095
	}
	step := int64(1) << (bits.Len64(uint64(n-1)) - 4)
	step = max(step, 4096)
	return (n + step - 1) / step * step
}

// Alloc returns a block with undefined contents and one reference.
func (p *Pool) Alloc(n int64) (*Block, error) {
	if n < 0 {
		return nil, fmt.Errorf("mem: alloc: %d bytes: a length cannot be negative", n)
	}
	c := ClassBytes(n)
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, fmt.Errorf("mem: alloc: pool is closed")
	}
	var b *Block
	if l := p.free[c]; len(l) > 0 {
		b = l[len(l)-1]
		l[len(l)-1] = nil
		p.free[c] = l[:len(l)-1]
		p.idle -= c
	}
	p.live += c
	p.blocks++
	p.mu.Unlock()
	if b == nil {
		data, err := mapPages(c)
		if err != nil {
			p.mu.Lock()
			p.live -= c
			p.blocks--
			p.mu.Unlock()
			return nil, fmt.Errorf("mem: alloc %d bytes: %w", c, err)
		}
		b = &Block{data: data, owner: p}
	}
	b.n = n
	b.refs.Store(1)
	return b, nil
}

func (p *Pool) recycle(b *Block) {
	c := int64(len(b.data))
	p.mu.Lock()
	p.live -= c
	p.blocks--
	if p.closed {
		p.mu.Unlock()
		unmapPages(b.data)
		return
	}
	p.free[c] = append(p.free[c], b)
	p.idle += c
	p.mu.Unlock()
}

// Live returns the blocks and bytes handed out and not released.
func (p *Pool) Live() (blocks, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.blocks, p.live
}

// Idle returns the bytes kept on free lists.
func (p *Pool) Idle() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.idle
}

// Trim gives idle blocks back to the system until at most keep bytes are idle.
func (p *Pool) Trim(keep int64) {
	p.mu.Lock()
	var out []*Block
	for c, l := range p.free {
		for len(l) > 0 && p.idle > keep {
			out = append(out, l[len(l)-1])
			l[len(l)-1] = nil
			l = l[:len(l)-1]
			p.idle -= c
		}
		p.free[c] = l
	}
	p.mu.Unlock()
	for _, b := range out {
		unmapPages(b.data)
	}
}

// Close gives back every idle block; blocks still held go back when released.
func (p *Pool) Close() {
	p.Trim(0)
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
}
