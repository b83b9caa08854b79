// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"sync"
	"time"

	"github.com/arrayrun/arrayrun/sched/plan"
)

// Event says how far a run is. Done and Total count bytes of the loops of all stages.
type Event struct {
	Stage  int    // running stage
	Stages int    // number of stages
	Name   string // what the stage makes
	Tasks  int64  // tasks of the stage that are done
	Of     int64  // tasks of the stage
	Done   int64
	Total  int64
	Used   int64         // bytes of the budget in use
	Since  time.Duration // since the run began
	Ended  bool          // the last event of a run
	Err    error         // why it ended, when it failed
}

// Observer gets the events of runs. Event is never called twice at once by one run and must not block.
type Observer interface {
	Event(Event)
}

// progress turns finished tasks into events, at most about 20 a second.
type progress struct {
	mu    sync.Mutex
	to    Observer
	plan  *plan.Plan
	start time.Time
	last  time.Time
	event Event
	hook  func(Event) // a job's own
}

func newProgress(to Observer, p *plan.Plan, hook func(Event)) *progress {
	b := &progress{to: to, plan: p, hook: hook, start: time.Now()}
	b.event.Stages = len(p.Stages)
	for _, s := range p.Stages {
		b.event.Total += s.LoopBytes()
	}
	return b
}

// task counts one finished task.
func (b *progress) task(sr *stageRun) {
	if b.to == nil && b.hook == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.event.Stage != sr.s.ID || b.event.Name == "" {
		b.event.Stage, b.event.Name = sr.s.ID, b.plan.StageName(sr.s)
		b.event.Of = sr.s.Len()
	}
	b.event.Tasks = sr.tasks.Load()
	done := int64(0)
	for _, s := range b.plan.Stages[:sr.s.ID] {
		done += s.LoopBytes()
	}
	b.event.Done = done + int64(float64(sr.s.LoopBytes())*float64(b.event.Tasks)/float64(max(b.event.Of, 1)))
	if now := time.Now(); now.Sub(b.last) >= 50*time.Millisecond {
		b.last = now
		b.send(sr.r)
	}
}

// send passes the event on. The caller holds mu.
func (b *progress) send(r *run) {
	b.event.Since = time.Since(b.start)
	if r != nil {
		r.gate.mu.Lock()
		b.event.Used = r.gate.used
		r.gate.mu.Unlock()
	}
	if b.to != nil {
		b.to.Event(b.event)
	}
	if b.hook != nil {
		b.hook(b.event)
	}
}

// end sends the last event.
func (b *progress) end(err error) {
	if b.to == nil && b.hook == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.event.Ended, b.event.Err = true, err
	if err == nil {
		b.event.Done = b.event.Total
	}
	b.send(nil)
}
