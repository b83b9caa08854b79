// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
)

// Sequence joins the partial states of a grouped fold into one total in the
// order of the chunks, whatever order they come in.
//
// A partial may hold some of the groups only. One that comes early is held until its predecessors are in.
type Sequence struct {
	mu    sync.Mutex
	join  Join
	total []*chunk.Chunk
	next  int64
	busy  bool
	held  map[int64]partial
	err   error
}

type partial struct {
	groups []int32
	state  []*chunk.Chunk
}

// NewSequence returns a sequence that joins into total, which is of shape [groups,
// kept...] and holds the identity (NewState). The sequence borrows it.
func NewSequence(total []*chunk.Chunk, join Join) *Sequence {
	return &Sequence{join: join, total: total, held: map[int64]partial{}}
}

// Insert takes the partial of chunk number seq (0, 1, ...; each once): contiguous
// chunks of shape [len(groups), kept...], where groups names the group of each
// first position, in total. Nil groups: all, in order. Nil state: nothing to add. The sequence owns
// state from here on. An error of a join is returned by the Insert that ran it and by all later ones.
func (q *Sequence) Insert(seq int64, groups []int32, state []*chunk.Chunk) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held[seq] = partial{groups, state}
	if q.busy {
		return q.err
	}
	q.busy = true
	for q.err == nil {
		p, ok := q.held[q.next]
		if !ok {
			break
		}
		delete(q.held, q.next)
		q.mu.Unlock()
		err := q.add(p)
		q.mu.Lock()
		q.next++
		if err != nil {
			q.err = err
		}
	}
	q.busy = false
	return q.err
}

// add joins a partial into the total and releases it.
func (q *Sequence) add(p partial) error {
	defer ReleaseState(p.state)
	if p.state == nil {
		return nil
	}
	if p.groups == nil {
		return q.join(q.total, p.state)
	}
	a, b := headers(len(p.state)), headers(len(p.state))
	for i, g := range p.groups {
		rows(a, q.total, int64(g), 1, true)
		rows(b, p.state, int64(i), 1, true)
		if err := q.join(a, b); err != nil {
			return err
		}
	}
	return nil
}

// Done returns how many partials have been joined.
func (q *Sequence) Done() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next
}

// Release gives up the partials that still wait.
func (q *Sequence) Release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for k, p := range q.held {
		ReleaseState(p.state)
		delete(q.held, k)
	}
}
