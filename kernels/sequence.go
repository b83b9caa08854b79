// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"context"
	"sync"
)

// Sequence puts the partial states of a grouped fold in the order of its chunks,
// whatever order they come in. Each chunk, numbered from 0, has its turn once all before it have had theirs.
//
// Whoever has a partial of chunk k either waits for the turn, adds it and ends the turn, or
// hands it in: then it is added at once when it is its turn, and held until then otherwise.
type Sequence[S any] struct {
	add  func(ctx context.Context, s S) error
	mu   sync.Mutex
	wake *sync.Cond
	next int64
	held map[int64]S
}

// NewSequence returns a sequence that hands states to add in order, one at a time. add gives up what it is handed.
func NewSequence[S any](add func(ctx context.Context, s S) error) *Sequence[S] {
	q := &Sequence[S]{add: add, held: map[int64]S{}}
	q.wake = sync.NewCond(&q.mu)
	return q
}

// Turn reports whether it is the turn of chunk k.
func (q *Sequence[S]) Turn(k int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next == k
}

// Await returns when it is the turn of chunk k, or with the error of ctx when that ends before.
func (q *Sequence[S]) Await(ctx context.Context, k int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next < k && ctx.Err() == nil {
		stop := context.AfterFunc(ctx, func() {
			q.mu.Lock()
			q.wake.Broadcast()
			q.mu.Unlock()
		})
		defer stop()
		for q.next < k && ctx.Err() == nil {
			q.wake.Wait()
		}
	}
	return ctx.Err()
}

// End ends the turn of the chunk whose turn it is and returns how many have had theirs.
func (q *Sequence[S]) End() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next++
	q.wake.Broadcast()
	return q.next
}

// Insert hands in the partial of chunk k, which the sequence owns from here on; it returns how many have been
// added. One that comes early is replaced by what keep returns, a state that lasts.
func (q *Sequence[S]) Insert(ctx context.Context, k int64, s S, keep func(S) (S, error)) (int64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if k != q.next {
		s, err := keep(s)
		if err == nil {
			q.held[k] = s
		}
		return q.next, err
	}
	for ok := true; ok; s, ok = q.take() {
		if err := q.add(ctx, s); err != nil {
			return q.next, err
		}
		q.next++
	}
	q.wake.Broadcast()
	return q.next, nil
}

// take removes the state whose turn it is from those that are held.
func (q *Sequence[S]) take() (S, bool) {
	s, ok := q.held[q.next]
	delete(q.held, q.next)
	return s, ok
}

// Drain takes out what still waits and hands it to release.
func (q *Sequence[S]) Drain(release func(S)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for k, s := range q.held {
		delete(q.held, k)
		release(s)
	}
}
