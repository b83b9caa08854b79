// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"fmt"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
)

// Join makes dst the join of dst and src, dst being the earlier in order. Both hold one
// contiguous chunk per state component, all of one shape. It may be called concurrently.
type Join func(dst, src []*chunk.Chunk) error

// Tree joins the states of a fold's blocks in the one order there is: 2k with
// 2k+1, level by level, a lone last one moving up. The states come in any order
// and from any goroutine; the result has the same bits.
//
// Joins run in the goroutine that brings the second of a pair. What waits for its
// neighbour is held: about two states a level when blocks come roughly in order.
type Tree struct {
	mu     sync.Mutex
	join   Join
	counts []int64 // nodes on each level; the last is 1
	held   map[treeNode][]*chunk.Chunk
	result []*chunk.Chunk
}

type treeNode struct {
	level int
	k     int64
}

// NewTree returns the tree of n blocks, n >= 1.
func NewTree(n int64, join Join) *Tree {
	t := &Tree{join: join, held: map[treeNode][]*chunk.Chunk{}}
	for ; n > 1; n = (n + 1) / 2 {
		t.counts = append(t.counts, n)
	}
	t.counts = append(t.counts, 1)
	return t
}

// Insert takes the states of the blocks first, first+1, ...: one contiguous chunk for each
// component, of shape [blocks, kept...]. The tree owns them from here on, also after an error.
func (t *Tree) Insert(first int64, s []*chunk.Chunk) error {
	n := s[0].Shape[0]
	if first < 0 || first+n > t.counts[0] {
		ReleaseState(s)
		return fmt.Errorf("kernels: tree: insert: got blocks %d to %d, want them within the %d of the fold", first, first+n, t.counts[0])
	}
	defer ReleaseState(s)
	a, b := headers(len(s)), headers(len(s))
	lo := int64(0) // where the run of states begins in s; it has n states from node first of the level on
	for level := 0; n > 0; level++ {
		if first%2 == 1 || n == 1 {
			if err := t.single(level, first, s, lo); err != nil {
				return err
			}
			first, lo, n = first+1, lo+1, n-1
		}
		if end := first + n; n > 0 && end%2 == 1 && end != t.counts[level] {
			if err := t.single(level, end-1, s, lo+n-1); err != nil {
				return err
			}
			n--
		}
		if err := t.pairs(a, b, s, lo, n); err != nil {
			return err
		}
		first, n = first/2, (n+1)/2
	}
	return nil
}

// pairs joins states lo and lo+1, lo+2 and lo+3, ... of s and moves the results, and a lone last
// one, together from lo on.
func (t *Tree) pairs(a, b, s []*chunk.Chunk, lo, n int64) error {
	if n < 2 {
		return nil
	}
	if small(s) {
		return t.pairsTogether(a, s, lo, n)
	}
	for i := int64(0); i < n; i += 2 {
		rows(a, s, lo+i, 1, true)
		if i+1 < n {
			rows(b, s, lo+i+1, 1, true)
			if err := t.join(a, b); err != nil {
				return err
			}
		}
		if i > 0 {
			rows(b, s, lo+i/2, 1, true)
			for c := range a {
				copy(b[c].Bytes(), a[c].Bytes())
			}
		}
	}
	return nil
}

// small reports whether one state is so short that a call for each pair would cost more than moving them.
func small(s []*chunk.Chunk) bool {
	return s[0].Shape[1:].Size() <= 64
}

// pairsTogether is pairs with one call: the odd states are set apart first.
func (t *Tree) pairsTogether(a, s []*chunk.Chunk, lo, n int64) error {
	odd := make([]*chunk.Chunk, len(s))
	half := n / 2
	for c, k := range s {
		odd[c] = heapChunk(k, half)
		item := k.Shape[1:].Size() * int64(k.ItemBytes)
		from, to := k.Bytes()[lo*item:(lo+n)*item], odd[c].Bytes()
		for i := range half {
			copy(to[i*item:(i+1)*item], from[(2*i+1)*item:])
			copy(from[i*item:(i+1)*item], from[2*i*item:])
		}
		if n%2 == 1 {
			copy(from[half*item:(half+1)*item], from[(n-1)*item:])
		}
	}
	rows(a, s, lo, half, false)
	return t.join(a, odd)
}

// single hands node k of a level, state number at of s, to its neighbour or holds it.
func (t *Tree) single(level int, k int64, s []*chunk.Chunk, at int64) error {
	v := headers(len(s))
	rows(v, s, at, 1, true)
	for _, c := range v {
		c.Retain()
	}
	for {
		t.mu.Lock()
		for level < len(t.counts)-1 && k%2 == 0 && k == t.counts[level]-1 {
			level, k = level+1, k/2
		}
		if level == len(t.counts)-1 {
			t.result = v
			t.mu.Unlock()
			return nil
		}
		other, ok := t.held[treeNode{level, k ^ 1}]
		if !ok {
			t.held[treeNode{level, k}] = v
			t.mu.Unlock()
			return nil
		}
		delete(t.held, treeNode{level, k ^ 1})
		t.mu.Unlock()
		if k%2 == 1 {
			v, other = other, v
		}
		err := t.join(v, other)
		ReleaseState(other)
		if err != nil {
			ReleaseState(v)
			return err
		}
		level, k = level+1, k/2
	}
}

// Result returns the joined state, of the kept elements' shape, once all blocks are in; the caller
// owns it then. Before, it returns nil.
func (t *Tree) Result() []*chunk.Chunk {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.result
	t.result = nil
	return r
}

// Release gives up what the tree still holds.
func (t *Tree) Release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, s := range t.held {
		ReleaseState(s)
		delete(t.held, k)
	}
	ReleaseState(t.result)
	t.result = nil
}
