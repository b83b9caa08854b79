// SPDX-License-Identifier: BSD-3-Clause

package mem

import (
	"errors"
	"fmt"
	"math/bits"
	"sync"
)

// Pool is the host allocator: mmap'd, huge-page-advised blocks kept on free
// lists by size class. It never limits what it hands out (the scheduler's
// budget does); Trim and SetLimit give idle blocks back to the system.
type Pool struct {
	mu     sync.Mutex
	free   map[int64][]*Block
	idle   int64 // bytes on free lists
	live   int64 // bytes handed out
	blocks int64 // blocks handed out
	peak   int64 // highest live+idle so far
	limit  int64 // live+idle the pool trims towards before it maps more; 0: none
	closed bool
	held   map[*Block]stack // who holds what; nil unless tracking
}

// span is a run of pages carved into small blocks of one class, so that many
// small blocks cost neither a system call nor a kernel mapping each (Linux
// allows 65530 mappings by default).
type span struct {
	data  []byte
	count int // blocks in the span
	idle  int // blocks of it on the free list
}

// Small classes are carved from spans.
const (
	smallClass = 64 << 10
	spanBytes  = 1 << 20
	// maxBytes bounds one block: beyond it rounding could overflow, and no machine maps it.
	maxBytes = 1 << 46
)

// ErrClosed is returned by Alloc of a closed pool.
var ErrClosed = errors.New("mem: pool is closed")

// NewPool returns an empty pool. Close releases what it holds.
func NewPool() *Pool {
	p := &Pool{free: map[int64][]*Block{}}
	if invariants {
		p.held = map[*Block]stack{}
	}
	return p
}

// Space returns Host.
func (p *Pool) Space() Space { return Host }

// ClassBytes returns the bytes the pool really takes for a request: Align
// padding plus rounding to an eighth of a power of two, in whole pages. It is
// what a budget should be charged for a block of n bytes.
func ClassBytes(n int64) int64 {
	n += Align
	switch {
	case n <= 4096:
		return 4096
	case n <= smallClass:
		return (n + 4095) &^ 4095
	}
	step := int64(1) << (bits.Len64(uint64(n-1)) - 4)
	step = max(step, 4096)
	return (n + step - 1) / step * step
}

// Alloc returns a block with undefined contents and one reference, which the
// caller owns. It fails for a negative or absurd length, on a closed pool
// (ErrClosed), and when the system has no memory to map.
func (p *Pool) Alloc(n int64) (*Block, error) {
	if n < 0 || n > maxBytes {
		return nil, fmt.Errorf("mem: alloc: got a length of %d bytes, want 0 to %d", n, int64(maxBytes))
	}
	c := ClassBytes(n)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fmt.Errorf("mem: alloc %d bytes: %w", n, ErrClosed)
	}
	b := p.take(c)
	if b == nil {
		var err error
		if b, err = p.grow(c); err != nil {
			return nil, fmt.Errorf("mem: alloc %d bytes: %w", c, err)
		}
	}
	fresh(b)
	p.live += c
	p.blocks++
	p.peak = max(p.peak, p.live+p.idle)
	b.n = n
	b.refs.Store(1)
	if p.held != nil {
		p.held[b] = callers()
	}
	return b, nil
}

// take pops an idle block of class c, or returns nil. The caller holds mu.
func (p *Pool) take(c int64) *Block {
	l := p.free[c]
	if len(l) == 0 {
		return nil
	}
	b := l[len(l)-1]
	l[len(l)-1] = nil
	p.free[c] = l[:len(l)-1]
	p.idle -= c
	if b.span != nil {
		b.span.idle--
	}
	return b
}

// grow maps a block of class c, or a span of them. The caller holds mu.
func (p *Pool) grow(c int64) (*Block, error) {
	want := c
	if c <= smallClass {
		want = spanBytes / c * c
	}
	if p.limit > 0 && p.live+p.idle+want > p.limit {
		p.trim(max(0, p.limit-p.live-want))
	}
	data, err := mapPages(want)
	if err != nil {
		// The system may only be short because of what we keep: give it back and try once more.
		p.trim(0)
		if data, err = mapPages(want); err != nil {
			return nil, err
		}
	}
	if want == c {
		return &Block{data: data, owner: p}, nil
	}
	s := &span{data: data, count: int(want / c)}
	s.idle = s.count - 1
	for o := c; o < want; o += c {
		b := &Block{data: data[o : o+c : o+c], owner: p, span: s}
		poison(b)
		p.free[c] = append(p.free[c], b)
	}
	p.idle += want - c
	return &Block{data: data[:c:c], owner: p, span: s}, nil
}

// recycle takes a block back when its last reference is gone.
func (p *Pool) recycle(b *Block) {
	c := int64(len(b.data))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live -= c
	p.blocks--
	delete(p.held, b)
	poison(b)
	if invariants {
		// A new Block for the same bytes: whoever still holds the old one is caught.
		b = &Block{data: b.data, owner: p, span: b.span}
	}
	p.free[c] = append(p.free[c], b)
	p.idle += c
	if b.span != nil {
		b.span.idle++
	}
	if p.closed {
		p.trim(0)
	}
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

// Peak returns the most bytes the pool has held at once, handed out and idle together.
func (p *Pool) Peak() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.peak
}

// SetLimit makes the pool give idle blocks back before it maps more, as long as
// live and idle bytes together would exceed the limit; 0 takes the limit away.
// It never refuses an allocation.
func (p *Pool) SetLimit(bytes int64) {
	p.mu.Lock()
	p.limit = bytes
	p.mu.Unlock()
}

// Trim gives idle blocks back to the system until at most keep bytes are idle.
// Small blocks go only when all of their span are idle.
func (p *Pool) Trim(keep int64) {
	p.mu.Lock()
	p.trim(keep)
	p.mu.Unlock()
}

// trim is Trim for a caller that holds mu.
func (p *Pool) trim(keep int64) {
	for c, l := range p.free {
		if p.idle <= keep {
			return
		}
		if c <= smallClass {
			p.trimSpans(c, keep)
			continue
		}
		for len(l) > 0 && p.idle > keep {
			b := l[len(l)-1]
			l[len(l)-1] = nil
			l = l[:len(l)-1]
			p.idle -= c
			unmapPages(b.data)
		}
		p.free[c] = l
	}
}

// trimSpans unmaps the wholly idle spans of a small class until at most keep bytes are idle.
func (p *Pool) trimSpans(c, keep int64) {
	var gone map[*span]bool
	for _, b := range p.free[c] {
		if b.span.idle < b.span.count || gone[b.span] || p.idle <= keep {
			continue
		}
		if gone == nil {
			gone = map[*span]bool{}
		}
		gone[b.span] = true
		p.idle -= int64(len(b.span.data))
	}
	if gone == nil {
		return
	}
	kept := p.free[c][:0]
	for _, b := range p.free[c] {
		if !gone[b.span] {
			kept = append(kept, b)
		}
	}
	clear(p.free[c][len(kept):])
	p.free[c] = kept
	for s := range gone {
		unmapPages(s.data)
	}
}

// Close gives back every idle block; blocks still held go back when released.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.trim(0)
	p.mu.Unlock()
}
