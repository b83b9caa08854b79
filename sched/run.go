// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// run is one execution of a plan.
type run struct {
	e         *Engine
	plan      *plan.Plan
	pool      *mem.Pool
	device    kernels.Device
	gate      *gate
	cpu       slots
	outs      []output
	results   []*chunk.Chunk           // by Plan.Results: while they live
	kept      []*kept                  // by Plan.Sources
	kernel    kernels.Kernel           // of the running stage
	leaves    map[*plan.Leaf]*resident // what stays on GPUs
	residents []*resident
	stats     *counters // of the running stage
	bar       *progress
}

// output is where a result goes; mu makes calls of a function one at a time.
type output struct {
	out     ndarray.Output
	mu      sync.Mutex
	sweeper graph.Sweeper // nil: it is no sweep
}

func (o *output) name() string {
	if o.out.Name == "" {
		return "result"
	}
	return o.out.Name
}

// copy puts a region of the output into its memory.
func (o *output) copy(ctx context.Context, dev kernels.Device, at chunk.Region, c *chunk.Chunk) error {
	to := o.out.Into.Sub(at)
	if c.DType != dtype.String {
		return copyChunk(ctx, dev, to, c)
	}
	// Texts are appended to one heap.
	o.mu.Lock()
	defer o.mu.Unlock()
	to.Heap = o.out.Into.Heap
	formats.CopyElems(to, c)
	o.out.Into.Heap = to.Heap
	return nil
}

// slots bounds how many tasks compute at once.
type slots chan struct{}

func newSlots(n int) slots { return make(slots, n) }

// try takes a slot if one is free.
func (s slots) try() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s slots) enter(ctx context.Context) error {
	if s.try() {
		return nil
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s slots) leave() { <-s }

// idleShare: between runs blocks stay for the next one up to this share of the budget. Outputs are finished after the run, and
// what formats take for that is beside the pool.
const idleShare = 4

// execute runs a plan of the outputs.
func (e *Engine) execute(ctx context.Context, p *plan.Plan, outputs []ndarray.Output, hook func(Event)) (*Stats, error) {
	if err := e.begin(); err != nil {
		return nil, err
	}
	defer e.active.Done()
	if err := e.runs.acquire(ctx, p.Least); err != nil {
		return &Stats{}, err
	}
	defer e.runs.release(p.Least)
	e.gate.hold(p.Beside)
	defer e.gate.hold(-p.Beside)
	restrainHeap()
	start := time.Now()
	r := &run{
		e: e, plan: p, pool: e.pool, device: e.device, gate: e.gate, cpu: e.cpu,
		outs: make([]output, len(p.Outputs)), results: make([]*chunk.Chunk, len(p.Results)), kept: make([]*kept, len(p.Sources)),
		bar: newProgress(e.opt.Observer, p, hook),
	}
	r.take(outputs)
	forSweeps, _ := e.forSweeps(outputs) // it is on the heap
	billHeap(forSweeps)
	defer billHeap(-forSweeps)
	if devs, _ := e.gpu.opened(); devs != nil {
		r.stay(devs)
	}
	for _, s := range p.Spills {
		r.outs[s.Output].out = ndarray.Output{Name: p.Outputs[s.Output].Name, To: s.Scratch}
		defer s.Scratch.Close()
	}
	p.Regrid()
	st := &Stats{BudgetBytes: e.opt.Memory, Device: "cpu", CPU: e.device.Name()}
	err := r.stages(ctx, st)
	r.forget(len(p.Stages), true)
	if err == nil {
		err = r.found(len(outputs))
	}
	if all, n := e.forSweeps(outputs); n > 0 {
		err = e.roomFor(err, all/n, n*ndarray.SweepShare)
	}
	e.pool.Trim(e.opt.Memory / idleShare)
	st.WallSeconds = time.Since(start).Seconds()
	st.PeakRSSBytes = PeakRSS()
	e.gate.mu.Lock()
	st.PeakBudgetBytes = e.gate.peak
	e.gate.mu.Unlock()
	r.bar.end(err)
	e.mu.Lock()
	e.stats.Add(st)
	e.mu.Unlock()
	return st, err
}

// take notes where results go, and begins the sweeps.
func (r *run) take(outputs []ndarray.Output) {
	all, n := r.e.forSweeps(outputs)
	for i, o := range outputs {
		r.outs[i].out = o
		if !sweeps(o) {
			continue
		}
		dts := make([]dtype.DType, 1+len(o.With))
		for k, a := range append([]ndarray.Array{o.Array}, o.With...) {
			dts[k] = a.DType()
		}
		r.outs[i].sweeper = o.Sweep.Begin(dts, r.plan.Outputs[i].Node.Shape(), all/n)
	}
}

// sweeps reports whether an output goes to a sweep.
func sweeps(o ndarray.Output) bool {
	return o.To == nil && o.Into == nil && o.Each == nil && o.Sweep != nil
}

// forSweeps returns what the sweeps of outputs may keep together, and how many there are.
func (e *Engine) forSweeps(outputs []ndarray.Output) (all, n int64) {
	for _, o := range outputs {
		if sweeps(o) {
			n++
		}
	}
	if n > 0 {
		all = e.opt.Memory / ndarray.SweepShare
	}
	return all, n
}

// found tells the first n outputs, those that were asked for, what their sweeps have found.
func (r *run) found(n int) error {
	for i := range r.outs[:n] {
		o := &r.outs[i]
		if o.sweeper == nil {
			continue
		}
		found, err := o.sweeper.Found()
		if err == nil && o.out.Done != nil {
			err = o.out.Done(found)
		}
		if err != nil {
			return fmt.Errorf("sched: %s: %w", o.name(), err)
		}
		o.sweeper = nil
	}
	return nil
}

// stages runs the stages one after another, those of a chain in turns.
func (r *run) stages(ctx context.Context, st *Stats) error {
	for i := 0; i < len(r.plan.Stages); {
		last, bands := i, int64(1)
		if c := r.plan.Chain(i); c != nil {
			last, bands = c.Last, c.Len()
		}
		if err := r.turns(ctx, st, i, last, bands); err != nil {
			return err
		}
		r.forget(last, false)
		i = last + 1
	}
	return nil
}

// turns runs the stages from first to last for one band after another.
func (r *run) turns(ctx context.Context, st *Stats, first, last int, bands int64) error {
	stages := r.plan.Stages[first : last+1]
	runs, codecs, states := make([]*stageRun, len(stages)), int64(0), int64(0)
	for k, s := range stages {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.prepare(first+k, s); err != nil {
			return err
		}
		sr := &stageRun{r: r, s: s, mergers: make([]map[int64]*merger, len(s.Folds))}
		for i := range sr.mergers {
			sr.mergers[i] = map[int64]*merger{}
		}
		runs[k] = sr
		codecs = max(codecs, sr.flight()*int64(s.Crew)*r.plan.Codecs(s))
		states += s.Hold
	}
	r.gate.keep(states)
	defer r.gate.keep(-states)
	billHeap(codecs)
	defer billHeap(-codecs)
	defer func() {
		for k, sr := range runs {
			sr.drop()
			one := sr.stage(first+k, hashText(sr.s.Hash()))
			st.Stages = append(st.Stages, one)
			st.BytesRead += one.BytesRead
			st.BytesDecoded += one.BytesDecoded
			st.BytesWritten += one.BytesWritten
			st.Tasks += one.Tasks
			st.Chunks += sr.chunks.Load()
		}
	}()
	for b := range bands {
		r.move(first, b)
		for _, sr := range runs {
			r.stats, r.kernel = &sr.counters, r.kernelOf(sr.s)
			start := time.Now()
			err := sr.run(ctx, b)
			sr.wall += time.Since(start)
			if err != nil {
				return r.located(ctx, sr.s, err)
			}
		}
	}
	return nil
}

// move has the sources of the chain that begins with stage first, if there is one, kept for band b.
func (r *run) move(first int, b int64) {
	for i, src := range r.plan.Sources {
		if c := src.Chain; c != nil && c.First == first {
			r.kept[i].move(c.Box(b, src))
		}
	}
}

// located adds the stage's outputs to an error, unless it is the caller's own end of ctx.
func (r *run) located(ctx context.Context, s *plan.Stage, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return fmt.Errorf("sched: %s: %w", r.plan.StageName(s), err)
}

// prepare makes room for what stage i makes and for the sources it is the first to keep.
func (r *run) prepare(i int, s *plan.Stage) error {
	for _, k := range s.Made() {
		res := r.plan.Results[k]
		if res.Direct {
			continue
		}
		c, err := chunk.New(r.pool, res.Node.DType, res.Node.ItemBytes, res.Node.Shape())
		if err != nil {
			return err
		}
		r.gate.hold(mem.ClassBytes(c.Block.Len()))
		r.results[k] = c
	}
	for k, src := range r.plan.Sources {
		if !src.Keep || src.First != i {
			continue
		}
		c, err := newKept(r, src)
		if err != nil {
			return err
		}
		r.gate.hold(mem.ClassBytes(c.data.Block.Len()))
		r.kept[k] = c
	}
	return nil
}

// forget releases what no stage after i needs.
func (r *run) forget(i int, all bool) {
	r.leave(i, all)
	for k, c := range r.results {
		if c != nil && (all || r.plan.Results[k].Last <= i) {
			r.gate.hold(-mem.ClassBytes(c.Block.Len()))
			c.Release()
			r.results[k] = nil
		}
	}
	for k, c := range r.kept {
		if c != nil && (all || r.plan.Sources[k].Last <= i) {
			r.gate.hold(-mem.ClassBytes(c.data.Block.Len()))
			c.data.Release()
			r.kept[k] = nil
		}
	}
}

// flight returns how many tasks are under way at once.
func (sr *stageRun) flight() int64 {
	n := int64(cap(sr.r.cpu))
	if sr.s.Reads() {
		n *= 2
	}
	return max(1, min(n, sr.r.plan.Budget/max(sr.s.Run, 1)))
}

// run does the tasks of the stage in band b: admitted in order, by bytes, twice as many
// in flight as compute, so that one can read while another computes.
func (sr *stageRun) run(ctx context.Context, b int64) error {
	from, to := sr.s.Tasks(b)
	n := to - from
	if n == 0 {
		for _, f := range sr.s.Folds {
			if err := sr.empty(ctx, f); err != nil {
				return err
			}
		}
		return nil
	}
	flight := min(sr.flight(), n)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q := newQueue(from, to, sr.s, cap(sr.r.cpu))
	worker := func() {
		t := newTasker(sr.r, sr)
		for {
			start := time.Now()
			i, ok, err := q.take(ctx, sr.r.gate)
			sr.wait.Add(int64(time.Since(start)))
			if !ok {
				return
			}
			if err == nil {
				err = t.run(ctx, i)
				sr.r.gate.release(sr.s.Run)
				q.finish(i)
				sr.r.bar.task(sr)
			}
			if err != nil {
				q.fail()
				cancel(err)
				return
			}
		}
	}
	if flight == 1 {
		worker()
	} else {
		var wg sync.WaitGroup
		for range flight {
			wg.Go(worker)
		}
		wg.Wait()
	}
	if q.failed {
		return context.Cause(ctx)
	}
	return nil
}
