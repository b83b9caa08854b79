// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"sync"

	"github.com/arrayrun/arrayrun/sched/plan"
)

// queue hands out some tasks of a stage in order. Where the stage folds, no task
// is handed out that is too far ahead of the oldest unfinished one: what waits for that
// one stays bounded.
type queue struct {
	admit  sync.Mutex // held while the next task waits to be admitted, so that order is kept
	end    int64      // behind the last task
	next   int64
	bill   int64
	ahead  int64 // 0: any
	mu     sync.Mutex
	wake   *sync.Cond
	oldest int64  // lowest unfinished task
	done   []bool // by task modulo ahead: finished, though an older one is not
	failed bool
}

func newQueue(from, to int64, s *plan.Stage, workers int) *queue {
	q := &queue{next: from, oldest: from, end: to, bill: s.Run}
	q.wake = sync.NewCond(&q.mu)
	if len(s.Folds) > 0 {
		q.ahead = plan.Window(workers)
		q.done = make([]bool, q.ahead)
	}
	return q
}

// take returns the next task once its bill is granted; ok is false when there is none.
func (q *queue) take(ctx context.Context, g *gate) (i int64, ok bool, err error) {
	q.admit.Lock()
	defer q.admit.Unlock()
	if q.next >= q.end || q.hasFailed() {
		return 0, false, nil
	}
	if err := q.near(ctx); err != nil {
		return 0, true, err
	}
	if err := g.acquire(ctx, q.bill); err != nil {
		return 0, true, err
	}
	i = q.next
	q.next++
	return i, true, nil
}

// near waits until the next task is near enough to the oldest unfinished one.
func (q *queue) near(ctx context.Context) error {
	if q.ahead == 0 {
		return ctx.Err()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next-q.oldest >= q.ahead {
		stop := context.AfterFunc(ctx, func() {
			q.mu.Lock()
			q.wake.Broadcast()
			q.mu.Unlock()
		})
		defer stop()
		for q.next-q.oldest >= q.ahead && ctx.Err() == nil {
			q.wake.Wait()
		}
	}
	return ctx.Err()
}

// finish marks a task as done.
func (q *queue) finish(i int64) {
	if q.ahead == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.done[i%q.ahead] = true
	for q.done[q.oldest%q.ahead] {
		q.done[q.oldest%q.ahead] = false
		q.oldest++
	}
	q.wake.Broadcast()
}

// fail ends the queue: no further task is handed out.
func (q *queue) fail() {
	q.mu.Lock()
	q.failed = true
	q.mu.Unlock()
}

func (q *queue) hasFailed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.failed
}
