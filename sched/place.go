// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// worthOpening is what a stage must take on the CPU for a GPU to be looked for: starting its driver takes about as long.
const worthOpening = 300 * time.Millisecond

// work is what a stage has to do, as its plan tells.
type work struct {
	elements               float64 // of the loop
	decode                 float64 // seconds of one worker for reading, decoding and what is computed before the program: the CPU's work on every device
	up, down               float64 // bytes of operands and of results
	f32, f64               float64 // operations
	products32, products64 float64 // fused multiply-adds of products of matrices
	tasks                  float64
	reads                  []array // that may stay on a GPU
	resident               float64 // of up, bytes that an earlier stage has left on the GPUs
	decoded                float64 // of decode, seconds for those
}

// array is one that a plan reads: what is stored, or what a stage made.
type array struct {
	kind  plan.LeafKind
	store int
}

// opCost is how many additions an operation takes, where that is not one.
var opCost = map[kernels.OpID]float64{
	kernels.OpDivide: 5, kernels.OpSqrt: 6, kernels.OpFmod: 30, kernels.OpFloorDivide: 20, kernels.OpRemainder: 20,
	kernels.OpPower: 40, kernels.OpGcd: 60, kernels.OpLcm: 60, kernels.OpCold: 2,
}

// workOf returns what a stage has to do where some arrays are on the GPUs already.
func workOf(p *plan.Plan, s *plan.Stage, there map[array]bool, r rates) work {
	w := work{elements: float64(s.Body.Shape.Size()), tasks: float64(s.Len())}
	for i, l := range s.Body.Leaves {
		bytes := float64(l.Count(s.Body.Shape)) * float64(l.ItemBytes)
		w.up += bytes
		decode := decoding(p, l, bytes, r)
		w.decode += decode
		if mayStay(s, l, i) {
			a := array{l.Kind, l.Store}
			w.reads = append(w.reads, a)
			if there[a] {
				w.resident += bytes
				w.decoded += decode
			}
		}
	}
	in := insideOf(s)
	for _, b := range in.bodies {
		n := float64(b.Shape.Size())
		for _, l := range b.Leaves {
			w.decode += decoding(p, l, float64(l.Count(b.Shape))*float64(l.ItemBytes), r)
		}
		if b.Program != nil {
			f32, f64 := operations(b.Program)
			w.decode += n * (f32/r.float32 + f64/r.float64)
		}
	}
	for _, part := range in.units {
		w.add(part)
	}
	prog := s.Body.Program
	if prog == nil {
		return w
	}
	for _, r := range prog.Ret {
		w.down += w.elements * float64(prog.RegType(r).Size())
	}
	f32, f64 := operations(prog)
	w.f32 += f32 * w.elements
	w.f64 += f64 * w.elements
	return w
}

// add adds the work of a function with a unit. Its operands and its result go over the bus where a GPU runs it.
func (w *work) add(p *plan.Part) {
	n := p.Opaque.Work(p.Node.Shape())
	if p.Node.DType.Size() == 8 {
		w.products64 += n
	} else {
		w.products32 += n
	}
	for _, b := range p.In {
		w.up += float64(b.Shape.Size()) * float64(b.Roots[0].Node.ItemBytes)
	}
	w.down += float64(p.Node.Shape().Size()) * float64(p.Node.ItemBytes)
}

// productShare is the time that a fused multiply-add of a product of matrices takes on the CPU, which has its operands in registers, as a share of
// an addition in a program, measured.
const productShare = 0.25

// decoding returns the seconds of one worker for reading and decoding so many bytes of a leaf, 0 for what is not stored.
func decoding(p *plan.Plan, l *plan.Leaf, bytes float64, r rates) float64 {
	if l.Kind != plan.Stored {
		return 0
	}
	if m := p.Sources[l.Store].Source.Meta(); len(m.Codecs) > 0 {
		return bytes / r.decode(m.Codecs, l.ItemBytes)
	}
	return bytes / r.read
}

// operations returns what a program does for each element, in additions.
func operations(p *kernels.Program) (f32, f64 float64) {
	for _, in := range p.Body {
		cost := opCost[in.Op]
		if cost == 0 {
			cost = 1
		}
		if in.DType.Size() == 8 {
			f64 += cost
		} else {
			f32 += cost
		}
	}
	return f32, f64 + 2*float64(len(p.Folds))
}

// inside is what a stage computes before its program: into buffers, for regions that tasks want.
type inside struct {
	bodies []*plan.Body // of what is stacked, and of the operands of functions
	calls  []string     // functions of whole regions, such as quantiles
	units  []*plan.Part // functions that have a unit do their work: a GPU runs it too
}

// insideOf returns what a stage computes before its program.
func insideOf(s *plan.Stage) (in inside) {
	var walk func(b *plan.Body)
	walk = func(b *plan.Body) {
		for _, l := range b.Leaves {
			if l.Kind != plan.Inner {
				continue
			}
			if o := l.Part.Opaque; o != nil {
				if name, _, _ := strings.Cut(o.Key, " "); o.Unit == nil && name != "reshape" && !slices.Contains(in.calls, name) {
					in.calls = append(in.calls, name)
				}
				if o.Unit != nil && !slices.Contains(in.units, l.Part) {
					in.units = append(in.units, l.Part)
				}
			}
			for _, b := range l.Part.In {
				in.bodies = append(in.bodies, b)
				walk(b)
			}
		}
	}
	walk(s.Body)
	return in
}

// computes reports whether a GPU may run what is computed before the stage's own program.
func (in inside) computes() bool {
	return in.units != nil || slices.ContainsFunc(in.bodies, func(b *plan.Body) bool { return b.Program != nil })
}

// text says what of it the CPU computes; here: the programs too.
func (in inside) text(here bool) string {
	list := slices.Clone(in.calls)
	if here && in.computes() {
		list = append(list, "what is put together")
	}
	return strings.Join(list, ", ")
}

// scanCost is how many additions a step of a scan takes: each waits for the one before.
const scanCost = 4

// scanned adds the scan of a stage, whose operand and result go over the bus where a GPU scans.
func (w work) scanned(s *plan.Stage) work {
	if s.Scan != nil {
		bytes := w.elements * float64(s.Scan.Node.ItemBytes)
		w.up += bytes
		w.down += bytes
		w.f64 += scanCost * w.elements
	}
	return w
}

// onCPU estimates the stage on the CPU.
func (w work) onCPU(r rates, workers int) time.Duration {
	n := float64(workers)
	compute := ((w.f32+productShare*w.products32)/r.float32 + (w.f64+productShare*w.products64)/r.float64) / n
	return duration(w.decode/n + max(compute, (w.up+w.down)/r.memory))
}

// onGPU estimates the stage on a GPU: decoding on the CPU, both ways over the bus and computing overlap.
func (w work) onGPU(r cuda.Rates, workers int) time.Duration {
	kernel := max((w.up+w.down)/r.Memory, (w.f32+w.products32)/r.Float32+(w.f64+w.products64)/r.Float64)
	return duration(max((w.decode-w.decoded)/float64(workers), (w.up-w.resident)/r.Up, w.down/r.Down, kernel) + w.tasks*r.Launch.Seconds())
}

// duration makes seconds a Duration, at most 285 years.
func duration(seconds float64) time.Duration {
	return time.Duration(min(seconds*1e9, 9e18))
}

// round shortens a duration for people.
func round(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		d = d.Round(time.Second)
	case d >= 10*time.Millisecond:
		d = d.Round(time.Millisecond)
	default:
		d = d.Round(time.Microsecond)
	}
	return d.String()
}

// wantsGPU reports whether some stage of a plan may be better on a GPU, or was sent there.
func (e *Engine) wantsGPU(ctx context.Context, p *plan.Plan) bool {
	if e.gpu == nil {
		return false
	}
	if e.gpu.asked {
		return slices.ContainsFunc(p.Stages, func(s *plan.Stage) bool { return s.Computes() || insideOf(s).computes() })
	}
	r := e.rates(ctx)
	return slices.ContainsFunc(p.Stages, func(s *plan.Stage) bool {
		return (s.Body.Program != nil || insideOf(s).units != nil) && workOf(p, s, nil, r).onCPU(r, e.opt.Workers) >= worthOpening
	})
}

// place decides for each stage of a plan where it computes, and says why. noRoom is why no GPU may be used although there is one.
func (e *Engine) place(ctx context.Context, p *plan.Plan, noRoom error) error {
	there := map[array]bool{}
	for _, s := range p.Stages {
		stay := func(why func() string) { s.Place = &plan.Placement{Device: "cpu", Why: why} }
		in := insideOf(s)
		switch {
		case !s.Computes() && !in.computes():
			why := "nothing is computed"
			if in.calls != nil {
				why = in.text(true) + " takes whole regions, which the CPU does"
			}
			stay(func() string { return why })
		case e.gpu == nil:
			stay(func() string { return "as --device says" })
		case noRoom != nil:
			stay(func() string { return "no room for a GPU's driver in the budget: " + noRoom.Error() })
		case !s.Computes() && in.units == nil && !e.gpu.asked:
			stay(func() string { return in.text(true) + " goes through buffers, which the CPU fills" })
		case s.Body.Program == nil && in.units == nil && !e.gpu.asked:
			stay(func() string {
				return "a scan is one pass over its operand, which a GPU would have over the bus, both ways"
			})
		default:
			p.Rates = func() []plan.Rate { return e.explainRates(p) }
			if err := e.placeStage(ctx, p, s, there); err != nil {
				return err
			}
		}
	}
	return nil
}

// placeStage decides for a stage that computes where a GPU may be used.
func (e *Engine) placeStage(ctx context.Context, p *plan.Plan, s *plan.Stage, there map[array]bool) error {
	stay := func(why func() string) error {
		s.Place = &plan.Placement{Device: "cpu", Why: why}
		return nil
	}
	before := maps.Clone(there)
	compare := func(ctx context.Context, devs []*cuda.Device) (onCPU, onGPU time.Duration) {
		r := e.rates(ctx)
		w := workOf(p, s, before, r)
		if e.gpu.asked {
			w = w.scanned(s)
		}
		if devs != nil {
			onGPU = w.onGPU(ratesOf(devs), e.opt.Workers)
		}
		return w.onCPU(r, e.opt.Workers), onGPU
	}
	if !e.gpu.asked {
		if onCPU, _ := compare(ctx, nil); onCPU < worthOpening {
			return stay(func() string {
				devs, err := e.gpu.open()
				if err != nil {
					return whyNone(err)
				}
				onCPU, onGPU := compare(context.Background(), devs)
				return fmt.Sprintf("about %s on the CPU, %s on the GPU, which takes longer to start", round(onCPU), round(onGPU))
			})
		}
	}
	devs, err := e.gpu.open()
	if err != nil {
		return stay(func() string { return whyNone(err) })
	}
	call := callOf(s)
	if memory := leastMemory(devs); !e.opt.GPU.Strict && !call.fits(memory) {
		return stay(func() string {
			return fmt.Sprintf("the quarter of a GPU's %s that a call may take does not hold the smallest part of one that its folds allow", plan.Bytes(memory))
		})
	}
	switch {
	case e.gpu.asked:
	case s.GoesOn():
		return stay(func() string {
			return "the memory is too small for whole blocks of its folds, and their states would go over the bus"
		})
	case call.slow():
		return stay(func() string { return "so few groups keep few threads of a GPU busy" })
	}
	both := func(onCPU, onGPU time.Duration) string {
		return fmt.Sprintf("about %s on the GPU, %s on the CPU", round(onGPU), round(onCPU))
	}
	// What was sent there is not compared before it is explained: that measures.
	why := func() string { return "as --device says; " + both(compare(context.Background(), devs)) }
	if !e.gpu.asked {
		onCPU, onGPU := compare(ctx, devs)
		text := both(onCPU, onGPU)
		if why = func() string { return text }; onGPU >= onCPU {
			return stay(why)
		}
	}
	var k, scan *gpuKernel
	if s.Body.Program != nil {
		k, err = compileOn(ctx, s, devs, s.Body.Program)
	}
	if err == nil && s.Scan != nil && e.gpu.asked {
		scan, err = compileOn(ctx, s, devs, s.Scan.Unit)
	}
	in := insideOf(s)
	made := make([]*inTurn, len(in.units))
	for i, part := range in.units {
		if err == nil {
			made[i] = &inTurn{}
			made[i].gpuKernel, err = compileOn(ctx, s, devs, part.Opaque.Unit)
		}
	}
	inner := map[*plan.Body]kernels.Kernel{}
	for _, b := range in.bodies {
		if err == nil && b.Program != nil && e.gpu.asked {
			var g *gpuKernel
			g, err = compileOn(ctx, s, devs, b.Program)
			inner[b] = &inTurn{gpuKernel: g}
		}
	}
	switch {
	case errors.Is(err, kernels.ErrUnsupported) && !e.opt.GPU.Strict:
		return stay(err.Error)
	case err != nil:
		return fmt.Errorf("sched: place stage %d: %w", s.ID, err)
	}
	if k != nil {
		s.Body.Kernel = k
		for _, a := range workOf(p, s, there, guess(1)).reads {
			there[a] = true
		}
	}
	for b, g := range inner {
		b.Kernel = g
	}
	for i, part := range in.units {
		part.Kernel = made[i]
	}
	scans := ""
	if scan != nil {
		s.Scan.Kernel = scan
	} else if s.Scan != nil {
		scans = ", without the scan, which is one pass over memory"
	}
	if text := in.text(!e.gpu.asked); text != "" {
		scans += "; before it, on the CPU: " + text
	}
	s.Place = &plan.Placement{Device: namesOf(devs), Why: func() string { return why() + scans + staysText(stays(p, devs), p, s) }}
	return nil
}

// compileOn returns the kernel of a unit on devices.
func compileOn(ctx context.Context, s *plan.Stage, devs []*cuda.Device, u kernels.Unit) (*gpuKernel, error) {
	k := &gpuKernel{s: s, devs: devs}
	for _, dev := range devs {
		one, err := dev.Compile(ctx, u)
		if err != nil {
			return nil, fmt.Errorf("on %s: %w", dev.Name(), err)
		}
		k.kernels = append(k.kernels, one)
	}
	return k, nil
}

// largest is the largest call of a stage's program, as far as devices want to know it.
type largest struct {
	s      *plan.Stage
	shape  chunk.Shape
	groups int64 // of its grouped folds, the most of any
}

// callOf returns the largest call of a stage.
func callOf(s *plan.Stage) largest {
	c := largest{s: s, shape: s.Tiles.MaxChunk()}
	for a := range c.shape {
		c.shape[a] = min(c.shape[a], s.Steps[a].Max())
		for _, f := range s.Folds {
			if f.Cells.Set.Has(a) {
				c.shape[a] = min(c.shape[a], f.Cells.Axes[a].Max())
			}
		}
	}
	for _, f := range s.Folds {
		groups, numbers := f.Groups, int64(1)
		for a, n := range c.shape {
			if f.Cells.Set.Has(a) {
				numbers *= n
			}
		}
		if !f.GroupND() { // a call has those that it meets
			groups = min(groups, numbers)
		}
		c.groups = max(c.groups, groups)
	}
	return c
}

// slow reports a call with a fold in groups that devices would leave to the CPU.
func (c largest) slow() bool { return c.groups > 0 && cuda.Slow(c.s.Body.Program, c.shape, c.groups) }

// fits reports whether a device with so much memory can run the call.
func (c largest) fits(memory int64) bool {
	if c.s.Body.Program == nil {
		return true
	}
	var in []*chunk.Chunk
	for _, port := range c.s.Body.Ports {
		in = append(in, operandOf(c.s.Body.Leaves[port], c.shape))
	}
	return cuda.Fits(c.s.Body.Program, c.shape, in, c.groups, memory)
}

// operandOf returns a leaf as a call over a shape reads it, without values.
func operandOf(l *plan.Leaf, shape chunk.Shape) *chunk.Chunk {
	c := &chunk.Chunk{DType: l.DType, ItemBytes: int32(l.ItemBytes), Shape: shape.Clone(), Strides: make([]int64, len(shape))}
	n := int64(1)
	for i := len(l.Axes) - 1; i >= 0; i-- {
		m := l.Axes[i]
		if m.Loop < 0 {
			continue
		}
		switch {
		case m.Loop == l.Gather && l.Kind != plan.Inner:
			c.Shape[m.Loop] = l.Node.Shape()[i]
		case m.Loop == l.Gather: // what the positions of the region need is made
			c.Shape[m.Loop] = 1
			for lo := int64(0); lo < int64(len(m.IDs)); lo += shape[m.Loop] {
				from, to := m.Span(lo, min(lo+shape[m.Loop], int64(len(m.IDs))))
				c.Shape[m.Loop] = max(c.Shape[m.Loop], to-from)
			}
		}
		c.Strides[m.Loop] = n
		n *= c.Shape[m.Loop]
	}
	return c
}

// leastMemory returns the memory of the device that has least.
func leastMemory(devs []*cuda.Device) int64 {
	n := devs[0].Info().BudgetBytes
	for _, d := range devs[1:] {
		n = min(n, d.Info().BudgetBytes)
	}
	return n
}

// ratesOf returns what devices do together: tiles go to them in turn.
func ratesOf(devs []*cuda.Device) cuda.Rates {
	r := devs[0].Info().Rates
	n := float64(len(devs))
	r.Up, r.Down, r.Memory, r.Float32, r.Float64 = n*r.Up, n*r.Down, n*r.Memory, n*r.Float32, n*r.Float64
	r.Launch /= time.Duration(len(devs))
	return r
}
