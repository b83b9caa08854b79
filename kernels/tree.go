// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"context"
	"math/bits"
	"sync"
)

// Join makes dst the join of dst and src, dst being the earlier in order, and gives src up, also when it
// returns an error. What a state is made of is its owner's affair: joins and orders never look inside.
type Join[S any] func(ctx context.Context, dst, src S) error

// TreeNode names a node of the tree that joins a fold's blocks: it covers the blocks from
// Index<<Level up to (Index+1)<<Level, as far as there are.
type TreeNode struct {
	Level int
	Index int64
}

// width returns the nodes that a tree of so many blocks has on a level.
func width(blocks int64, level int) int64 { return (blocks + 1<<level - 1) >> level }

// Covering returns the largest node that begins with block first and covers no more than n blocks, 1 or more.
func Covering(first, n int64) TreeNode {
	level := bits.Len64(uint64(n)) - 1
	if first > 0 {
		level = min(level, bits.TrailingZeros64(uint64(first)))
	}
	return TreeNode{level, first >> level}
}

// up returns n's parent.
func (n TreeNode) up() TreeNode { return TreeNode{n.Level + 1, n.Index >> 1} }

// root reports whether n covers all blocks.
func (n TreeNode) root(blocks int64) bool { return n.Index == 0 && width(blocks, n.Level) == 1 }

// lone reports whether n is the last of its level and has nobody to join.
func (n TreeNode) lone(blocks int64) bool {
	return n.Index&1 == 0 && n.Index == width(blocks, n.Level)-1
}

// Tree joins the states of a fold's blocks in the one order there is: 2k with
// 2k+1, level by level, a lone last one moving up. States come in any order
// and from any goroutine; the result has the same bits.
//
// Joins run in the goroutine that brings the second of a pair. What waits for its
// neighbour is held: about two states a level when blocks come roughly in order.
type Tree[S any] struct {
	blocks int64
	join   Join[S]
	mu     sync.Mutex
	held   map[TreeNode]S
}

// NewTree returns the tree of so many blocks, 1 or more.
func NewTree[S any](blocks int64, join Join[S]) *Tree[S] {
	return &Tree[S]{blocks: blocks, join: join, held: map[TreeNode]S{}}
}

// Insert takes the state of node n. It returns done and the state of all blocks when that is
// complete, which belongs to the caller; with an error it returns a state that the caller gives up.
func (t *Tree[S]) Insert(ctx context.Context, n TreeNode, s S) (state S, done bool, err error) {
	var none S
	for !n.root(t.blocks) {
		if n.lone(t.blocks) {
			n = n.up()
			continue
		}
		sibling := TreeNode{n.Level, n.Index ^ 1}
		t.mu.Lock()
		other, ok := t.held[sibling]
		if !ok {
			t.held[n] = s
			t.mu.Unlock()
			return none, false, nil
		}
		delete(t.held, sibling)
		t.mu.Unlock()
		if n.Index&1 == 1 {
			s, other = other, s
		}
		if err := t.join(ctx, s, other); err != nil {
			return s, false, err
		}
		n = n.up()
	}
	return s, true, nil
}

// Root reports whether n is the whole tree: its state is the result as it is.
func (t *Tree[S]) Root(n TreeNode) bool { return n.root(t.blocks) }

// Drain takes out what still waits and hands it to release.
func (t *Tree[S]) Drain(release func(S)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for n, s := range t.held {
		delete(t.held, n)
		release(s)
	}
}

// TreeRow joins the states of ascending blocks as they come, as far as the tree of all
// blocks allows without the others. What is left in Nodes goes to the Tree. It belongs to one goroutine.
type TreeRow[S any] struct {
	Nodes  []TreeState[S]
	blocks int64
	join   Join[S]
}

// TreeState is a node and its state.
type TreeState[S any] struct {
	TreeNode
	State S
}

// Begin empties the row for a tree of so many blocks.
func (r *TreeRow[S]) Begin(blocks int64, join Join[S]) {
	r.Nodes, r.blocks, r.join = r.Nodes[:0], blocks, join
}

// Add takes the state of a node whose blocks are higher than all before.
func (r *TreeRow[S]) Add(ctx context.Context, n TreeNode, s S) error {
	for !n.root(r.blocks) {
		if n.Index&1 == 1 {
			last := len(r.Nodes) - 1
			if last < 0 || r.Nodes[last].TreeNode != (TreeNode{n.Level, n.Index - 1}) {
				break
			}
			left := r.Nodes[last].State
			r.Nodes = r.Nodes[:last]
			if err := r.join(ctx, left, s); err != nil {
				return err
			}
			s = left
		} else if !n.lone(r.blocks) {
			break
		}
		n = n.up()
	}
	r.Nodes = append(r.Nodes, TreeState[S]{n, s})
	return nil
}
