// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// Options configures an Engine. The zero value takes the defaults.
type Options struct {
	Memory    int64    // host budget in bytes; 0: 60% of what the cgroup or the host has free
	Workers   int      // 0: the processors Go may use
	Device    string   // "auto": where it is faster; "cpu"; "cuda" or "cuda:N": an error where there is none
	CPU       string   // "auto", "avx512", "avx2", "generic"
	NoFuse    bool     // every operation is a program of its own
	NoRewrite bool     // the graph is planned as it was written
	TmpDir    string   // folder for intermediate results that do not fit in memory; "": os.TempDir()
	Observer  Observer // gets the events of every run; nil: nobody
	GPU       GPU      // how a GPU is used

	device       kernels.Device       // tests: instead of the CPU's
	tileElements int64                // tests: small tiles
	chains       plan.Chains          // tests: stages that take turns
	rates        func() rates         // tests: instead of measuring the processors
	room         func() (int64, bool) // tests: instead of asking the disk
}

// Engine computes arrays inside one memory budget. It is safe for concurrent
// use: runs that fit the budget together share it, others wait. The function of an output must not
// start a run of the same engine. Close it when done.
type Engine struct {
	opt    Options
	pool   *mem.Pool
	device kernels.Device // the CPU's
	gpu    *gpus          // nil: none is to be used
	gate   *gate
	runs   *gate // admits runs whose plans fit together
	cpu    slots
	host   hostRates

	mu     sync.Mutex
	stats  Stats
	closed bool
	active sync.WaitGroup
}

// ErrClosed is returned by every call on a closed engine.
var ErrClosed = errors.New("sched: engine is closed")

var _ ndarray.Engine = (*Engine)(nil)

// New returns an engine, or an error naming the option that cannot be met.
func New(opt Options) (*Engine, error) {
	if opt.Memory < 0 {
		return nil, fmt.Errorf("sched: memory: got %d bytes, want a positive number", opt.Memory)
	}
	if opt.Memory == 0 {
		opt.Memory = defaultMemory()
	}
	if opt.Workers <= 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	pool := mem.NewPool()
	dev := opt.device
	var g *gpus
	if dev == nil {
		var err error
		if dev, err = openCPU(opt, pool); err != nil {
			return nil, err
		}
		if g, err = openGPU(opt, dev); err != nil {
			return nil, errors.Join(err, dev.Close())
		}
	}
	e := &Engine{opt: opt, pool: pool, device: dev, gpu: g, gate: newGate(opt.Memory), runs: newGate(opt.Memory), cpu: newSlots(opt.Workers)}
	e.pool.SetLimit(opt.Memory)
	restrainHeap()
	return e, nil
}

// Memory returns the host budget in bytes.
func (e *Engine) Memory() int64 { return e.opt.Memory }

// Workers returns how many tasks compute at once.
func (e *Engine) Workers() int { return e.opt.Workers }

// DeviceName returns the executor in use, such as "vm-generic".
func (e *Engine) DeviceName() string { return e.device.Name() }

// Close waits for running work and gives all memory back. Blocks that a run
// left behind are a bug of the engine and an error here.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()
	e.active.Wait()
	blocks, bytes := e.pool.Live()
	err := errors.Join(e.gpu.close(), e.device.Close())
	e.pool.Close()
	if blocks != 0 {
		err = errors.Join(err, fmt.Errorf("sched: close: %d blocks of %s were not released", blocks, plan.Bytes(bytes)))
	}
	return err
}

// Stats returns the numbers of everything the engine has run.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats
	s.BudgetBytes, s.Device, s.CPU = e.opt.Memory, "cpu", e.device.Name()
	e.gpu.fill(&s)
	s.PeakRSSBytes = PeakRSS()
	s.Stages = append([]StageStats(nil), s.Stages...)
	return s
}

// begin registers a run; the engine closes only after end.
func (e *Engine) begin() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	e.active.Add(1)
	return nil
}

// Run computes all outputs in as few sweeps as possible: arrays that are read
// for several of them are read once. The first error wins and cancels the rest; so does the end of ctx,
// with its error. An array that carries an error gives that error; a plan that cannot fit
// the budget an error wrapping ErrBudget, before anything runs.
func (e *Engine) Run(ctx context.Context, outputs []ndarray.Output) error {
	p, err := e.plan(ctx, outputs, 0)
	if err != nil {
		return err
	}
	_, err = e.execute(ctx, p, outputs, nil)
	return err
}

// plan makes the physical plan of outputs, beside whose run so many bytes of the budget are taken.
func (e *Engine) plan(ctx context.Context, outputs []ndarray.Output, beside int64) (*plan.Plan, error) {
	nodes := make([]*graph.Node, len(outputs))
	for i, o := range outputs {
		if err := o.Array.Err(); err != nil {
			return nil, err
		}
		switch c := o.Into; {
		case o.To != nil || sweeps(o):
		case c != nil && (c.DType != o.Array.DType() || !c.Shape.Equal(o.Array.Shape())):
			return nil, fmt.Errorf("sched: output %d %q: memory for %s%v: want %s: %w", i, o.Name, c.DType, c.Shape, o.Array, chunk.ErrShape)
		case c == nil && o.Each == nil:
			return nil, fmt.Errorf("sched: output %d %q: neither a sink nor memory nor a function nor a sweep takes it", i, o.Name)
		}
		nodes[i] = o.Array.Node()
	}
	for _, o := range outputs {
		for _, a := range o.With {
			if err := a.Err(); err != nil {
				return nil, err
			}
			nodes = append(nodes, a.Node())
		}
	}
	share, _ := e.forSweeps(outputs)
	nodes, err := e.resolve(ctx, nodes)
	if err != nil {
		return nil, err
	}
	if !e.opt.NoRewrite {
		nodes = graph.Rewrite(nodes, graph.RewriteOptions{})
	}
	tables := listBytes(nodes)
	if tables >= e.opt.Memory { // nothing is planned: functions may make their tables to say what they need
		return nil, fmt.Errorf("sched: lists of positions and tables of functions take %s of host memory, budget is %s; raise --memory to at least %dMiB: %w",
			plan.Bytes(tables), plan.Bytes(e.opt.Memory), tables>>20+16, ErrBudget)
	}
	outs := make([]plan.Output, len(outputs))
	with := nodes[len(outputs):]
	for i, o := range outputs {
		outs[i] = plan.Output{Node: nodes[i], Name: o.Name, Sink: o.To, Placed: o.To == nil && o.Into != nil && o.Into.DType != dtype.String, With: with[:len(o.With)]}
		with = with[len(o.With):]
	}
	return e.build(ctx, outs, plan.Options{Device: e.device, Budget: e.opt.Memory, Beside: tables + share + beside, Workers: e.opt.Workers, NoFuse: e.opt.NoFuse, TileElements: e.opt.tileElements, Chains: e.opt.chains,
		Room: e.room,
		Scratch: func(n *graph.Node, grid chunk.Grid) plan.Scratch {
			return newScratchFile(e.opt.TmpDir, e.pool, n, grid)
		}})
}

// room returns the bytes that are free where intermediate results go; none where that is memory, which nobody has given the engine.
func (e *Engine) room() (int64, bool) {
	if e.opt.room != nil {
		return e.opt.room()
	}
	dir := e.opt.TmpDir
	if dir == "" {
		dir = os.TempDir()
	}
	if inMemory(dir) {
		return 0, true
	}
	return DiskFree(dir)
}

// build makes the plan and places its stages. Where a GPU is opened for it, the host memory that its driver takes
// is the plan's too: it is made again with less.
func (e *Engine) build(ctx context.Context, outs []plan.Output, opt plan.Options) (*plan.Plan, error) {
	devs, taken := e.gpu.opened()
	opt.Beside += taken
	if devs != nil {
		opt.Far, opt.Chains = true, plan.NoChains // what stays on a device is not kept in bands
	}
	p, err := plan.Build(ctx, outs, opt)
	if err != nil {
		return nil, err
	}
	var noRoom error
	if e.wantsGPU(ctx, p) {
		if _, err := e.gpu.open(); err == nil && taken == 0 {
			_, opened := e.gpu.opened()
			opt.Beside += opened
			opt.Far, opt.Chains = true, plan.NoChains
			with, err := plan.Build(ctx, outs, opt)
			switch {
			case err == nil:
				p = with
			case e.gpu.asked || !errors.Is(err, plan.ErrBudget):
				return nil, err
			default:
				noRoom = err
			}
		}
	}
	return p, e.place(ctx, p, noRoom)
}
