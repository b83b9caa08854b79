// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// Plan is what an engine has decided to do for some outputs. Start runs it,
// once; Close gives up one that is not started.
type Plan struct {
	e       *Engine
	p       *plan.Plan
	outputs []ndarray.Output
	commit  func(context.Context) error // nil: nothing to commit
	abort   func() error
	mu      sync.Mutex
	used    bool
}

// Explain returns the plan as people read it: stages, programs, tiles, bytes read
// and written, projected peak, and why each cut was made.
func (p *Plan) Explain() string { return p.p.Explain() }

// ExplainJSON returns the plan as one JSON object.
func (p *Plan) ExplainJSON() ([]byte, error) { return p.p.ExplainJSON() }

// PeakBytes returns the projected peak, BudgetBytes what the plan was made for.
func (p *Plan) PeakBytes() int64 { return p.p.Peak }

// Close gives up a plan that was not started: outputs it had opened are removed.
func (p *Plan) Close() error {
	if !p.take() || p.abort == nil {
		return nil
	}
	return p.abort()
}

// take marks the plan as used; false when it was.
func (p *Plan) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	used := p.used
	p.used = true
	return !used
}

// PlanOutputs plans outputs the caller has made; Engine.Plan is for targets.
func (e *Engine) PlanOutputs(ctx context.Context, outputs []ndarray.Output) (*Plan, error) {
	p, err := e.plan(ctx, outputs, 0)
	if err != nil {
		return nil, err
	}
	return &Plan{e: e, p: p, outputs: outputs}, nil
}

// Physical returns the plan's stages and what they are made of. It is the plan's own: read only.
func (p *Plan) Physical() *plan.Plan { return p.p }

// run executes the plan and commits, or removes, its outputs.
func (p *Plan) run(ctx context.Context, hook func(Event)) (*Stats, error) {
	if !p.take() {
		return &Stats{}, errors.New("sched: start: the plan has been used; make another")
	}
	st, err := p.e.execute(ctx, p.p, p.outputs, hook)
	if err == nil && p.commit != nil {
		err = p.commit(ctx)
	}
	if err != nil && p.abort != nil {
		if e := p.abort(); e != nil {
			err = errors.Join(err, e)
		}
	}
	return st, err
}

// Job is a running plan.
type Job struct {
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	wake   *sync.Cond
	event  Event
	stats  Stats
	err    error
}

// Start begins to run a plan and returns at once. The job ends when it is
// done, fails, is cancelled, or ctx ends.
func (e *Engine) Start(ctx context.Context, p *Plan) *Job {
	ctx, cancel := context.WithCancel(ctx)
	j := &Job{cancel: cancel, done: make(chan struct{})}
	j.wake = sync.NewCond(&j.mu)
	go func() {
		defer cancel()
		st, err := p.run(ctx, func(ev Event) {
			j.mu.Lock()
			j.event = ev
			j.wake.Broadcast()
			j.mu.Unlock()
		})
		j.mu.Lock()
		j.err = err
		if st != nil {
			j.stats = *st
		}
		j.event.Ended = true
		close(j.done)
		j.wake.Broadcast()
		j.mu.Unlock()
	}()
	return j
}

// Wait returns when the job has ended: nil when every output is complete; after
// Cancel an error that is context.Canceled.
func (j *Job) Wait() error {
	<-j.done
	return j.err
}

// Cancel stops the job; it may be called at any time. Outputs that are not complete are removed.
func (j *Job) Cancel() { j.cancel() }

// Progress yields how far the job is, whenever that changes, and ends with the job.
func (j *Job) Progress() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		var last Event
		for {
			j.mu.Lock()
			for j.event == last && !j.ended() {
				j.wake.Wait()
			}
			ev := j.event
			ended := j.ended()
			j.mu.Unlock()
			if ev != last && !yield(ev) || ended {
				return
			}
			last = ev
		}
	}
}

// ended reports whether the job is over. The caller holds mu.
func (j *Job) ended() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// Stats returns the numbers of the job once it has ended.
func (j *Job) Stats() Stats {
	<-j.done
	return j.stats
}
