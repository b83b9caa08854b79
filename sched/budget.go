// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"sync"

	"github.com/arrayrun/arrayrun/sched/plan"
)

// ErrBudget is wrapped by the error of a plan that cannot fit the memory
// budget. It comes before anything runs and names what would work.
var ErrBudget = plan.ErrBudget

// gate admits tasks by bytes: a task waits until its whole bill fits beside
// what runs and what is held. A task is always admitted when none runs, which the plan has
// shown to fit.
type gate struct {
	mu    sync.Mutex
	wake  *sync.Cond
	limit int64
	used  int64
	kept  int64 // not used yet, but kept for what outlives tasks
	peak  int64
	tasks int // admitted and not released
}

func newGate(limit int64) *gate {
	g := &gate{limit: limit}
	g.wake = sync.NewCond(&g.mu)
	return g
}

// acquire waits until n bytes fit, or ctx ends.
func (g *gate) acquire(ctx context.Context, n int64) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tasks > 0 && !g.fits(n) && ctx.Err() == nil {
		stop := context.AfterFunc(ctx, func() {
			g.mu.Lock()
			g.wake.Broadcast()
			g.mu.Unlock()
		})
		defer stop()
		for g.tasks > 0 && !g.fits(n) && ctx.Err() == nil {
			g.wake.Wait()
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	g.tasks++
	g.add(n)
	return nil
}

// try takes n bytes if nothing runs and they fit, and reports whether it did; release gives them back.
func (g *gate) try(n int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tasks > 0 || !g.fits(n) {
		return false
	}
	g.tasks++
	g.add(n)
	return true
}

// release gives back what acquire or try granted.
func (g *gate) release(n int64) {
	g.mu.Lock()
	g.tasks--
	g.used -= n
	g.wake.Broadcast()
	g.mu.Unlock()
}

// hold charges bytes that outlive a task, without waiting: the plan has
// reserved them. A negative n gives them back.
func (g *gate) hold(n int64) {
	g.mu.Lock()
	g.add(n)
	if n < 0 {
		g.wake.Broadcast()
	}
	g.mu.Unlock()
}

// keep keeps n bytes free of tasks until state takes them. A negative n ends that.
func (g *gate) keep(n int64) {
	g.mu.Lock()
	g.kept += n
	if n < 0 {
		g.wake.Broadcast()
	}
	g.mu.Unlock()
}

// state charges n of the bytes that keep keeps, without waiting. A negative n gives them back to be kept again, so that
// no task that waits can go on for it.
func (g *gate) state(n int64) {
	g.mu.Lock()
	g.kept -= n
	g.add(n)
	g.mu.Unlock()
}

func (g *gate) fits(n int64) bool { return g.used+max(g.kept, 0)+n <= g.limit }

func (g *gate) add(n int64) {
	g.used += n
	g.peak = max(g.peak, g.used)
}
