// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// What a processor does in a second, for choosing where to compute: nothing depends on these numbers but time. Rates are of one
// worker: vectors of float32 in cache, decoding, reading files; and of the memory that all share.
const (
	cpuFloat32 = 2e10
	cpuDecode  = 1e9
	cpuRead    = 4e9
	cpuMemory  = 2e10
)

// worthOpening is what a stage must take on the CPU for a GPU to be looked for: starting its driver takes about as long.
const worthOpening = 300 * time.Millisecond

// work is what a stage has to do, as its plan tells.
type work struct {
	elements float64 // of the loop
	stored   float64 // bytes decoded
	coded    bool    // by codecs
	up, down float64 // bytes of operands and of results
	f32, f64 float64 // operations
	tasks    float64
	reads    []array // that may stay on a GPU
	resident float64 // of up and of stored, bytes that an earlier stage has left on the GPUs
	decoded  float64
}

// array is one that a plan reads: what is stored, or what a stage made.
type array struct {
	kind  plan.LeafKind
	store int
}

// mark adds the arrays that the stage leaves on the GPUs.
func (w *work) mark(there map[array]bool) {
	for _, a := range w.reads {
		there[a] = true
	}
}

// opCost is how many additions an operation takes, where that is not one.
var opCost = map[kernels.OpID]float64{
	kernels.OpDivide: 5, kernels.OpSqrt: 6, kernels.OpFmod: 30, kernels.OpFloorDivide: 20, kernels.OpRemainder: 20,
	kernels.OpPower: 40, kernels.OpGcd: 60, kernels.OpLcm: 60, kernels.OpCold: 2,
}

// workOf returns what a stage has to do where some arrays are on the GPUs already.
func workOf(p *plan.Plan, s *plan.Stage, there map[array]bool) work {
	w := work{elements: float64(s.Body.Shape.Size()), tasks: float64(s.Len())}
	for i, l := range s.Body.Leaves {
		bytes := float64(l.Count(s.Body.Shape)) * float64(l.ItemBytes)
		w.up += bytes
		if mayStay(s, l, i) {
			a := array{l.Kind, l.Store}
			w.reads = append(w.reads, a)
			if there[a] {
				w.resident += bytes
				if l.Kind == plan.Stored {
					w.decoded += bytes
				}
			}
		}
		if l.Kind == plan.Stored {
			w.stored += bytes
			w.coded = w.coded || len(p.Sources[l.Store].Source.Meta().Codecs) > 0
		}
	}
	prog := s.Body.Program
	for _, r := range prog.Ret {
		w.down += w.elements * float64(prog.RegType(r).Size())
	}
	for _, in := range prog.Body {
		cost := opCost[in.Op]
		if cost == 0 {
			cost = 1
		}
		if in.DType.Size() == 8 {
			w.f64 += cost * w.elements
		} else {
			w.f32 += cost * w.elements
		}
	}
	w.f64 += 2 * w.elements * float64(len(prog.Folds))
	return w
}

// decode returns the seconds that reading and decoding take: the CPU's work on every device.
func (w work) decode(workers float64) float64 {
	if w.coded {
		return w.stored / (cpuDecode * workers)
	}
	return w.stored / (cpuRead * workers)
}

// onCPU estimates the stage on the CPU.
func (w work) onCPU(workers int) time.Duration {
	n := float64(workers)
	compute := (w.f32/cpuFloat32 + w.f64/(cpuFloat32/2)) / n
	return duration(w.decode(n) + max(compute, (w.up+w.down)/(cpuMemory*min(n, 8)/2)))
}

// onGPU estimates the stage on a GPU: decoding on the CPU, both ways over the bus and computing overlap.
func (w work) onGPU(r cuda.Rates, workers int) time.Duration {
	kernel := max((w.up+w.down)/r.Memory, w.f32/r.Float32+w.f64/r.Float64)
	left := w
	left.stored -= w.decoded
	return duration(max(left.decode(float64(workers)), (w.up-w.resident)/r.Up, w.down/r.Down, kernel) + w.tasks*r.Launch.Seconds())
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
func (e *Engine) wantsGPU(p *plan.Plan) bool {
	if e.gpu == nil {
		return false
	}
	for _, s := range p.Stages {
		if s.Body.Program != nil && (e.gpu.asked || workOf(p, s, nil).onCPU(e.opt.Workers) >= worthOpening) {
			return true
		}
	}
	return false
}

// place decides for each stage of a plan where it computes, and says why. noRoom is why no GPU may be used although there is one.
func (e *Engine) place(ctx context.Context, p *plan.Plan, noRoom error) error {
	there := map[array]bool{}
	for _, s := range p.Stages {
		if s.Body.Program == nil {
			s.Place = &plan.Placement{Device: "cpu", Why: func() string { return "nothing is computed" }}
			continue
		}
		w := workOf(p, s, there)
		onCPU := w.onCPU(e.opt.Workers)
		stay := func(why func() string) { s.Place = &plan.Placement{Device: "cpu", Why: why} }
		switch {
		case e.gpu == nil:
			stay(func() string { return "as --device says" })
			continue
		case noRoom != nil:
			stay(func() string { return "no room for a GPU's driver in the budget: " + noRoom.Error() })
			continue
		case !e.gpu.asked && onCPU < worthOpening:
			stay(func() string { return e.smallWhy(w, onCPU) })
			continue
		}
		devs, err := e.gpu.open()
		if err != nil {
			stay(func() string { return whyNone(err) })
			continue
		}
		if s.GoesOn() && !e.opt.GPU.Strict {
			stay(func() string { return "the memory is too small for whole blocks of its folds" })
			continue
		}
		onGPU := w.onGPU(ratesOf(devs), e.opt.Workers)
		both := fmt.Sprintf("about %s on the GPU, %s on the CPU", round(onGPU), round(onCPU))
		if !e.gpu.asked && onGPU >= onCPU {
			stay(func() string { return both })
			continue
		}
		k := &gpuKernel{s: s, devs: devs}
		for _, dev := range devs {
			one, err := dev.Compile(ctx, s.Body.Program)
			if err != nil {
				if errors.Is(err, kernels.ErrUnsupported) && !e.opt.GPU.Strict {
					stay(func() string { return err.Error() })
					break
				}
				return fmt.Errorf("sched: place stage %d on %s: %w", s.ID, dev.Name(), err)
			}
			k.kernels = append(k.kernels, one)
		}
		if len(k.kernels) < len(devs) {
			continue
		}
		s.Body.Kernel = k
		w.mark(there)
		if e.gpu.asked {
			both = "as --device says; " + both
		}
		s.Place = &plan.Placement{Device: namesOf(devs), Why: func() string { return both + staysText(stays(p, devs), p, s) }}
	}
	return nil
}

// ratesOf returns what devices do together: tiles go to them in turn.
func ratesOf(devs []*cuda.Device) cuda.Rates {
	r := devs[0].Info().Rates
	n := float64(len(devs))
	r.Up, r.Down, r.Memory, r.Float32, r.Float64 = n*r.Up, n*r.Down, n*r.Memory, n*r.Float32, n*r.Float64
	r.Launch /= time.Duration(len(devs))
	return r
}

// smallWhy says why a stage stays on the CPU that no GPU was looked for.
func (e *Engine) smallWhy(w work, onCPU time.Duration) string {
	devs, err := e.gpu.open()
	if err != nil {
		return whyNone(err)
	}
	return fmt.Sprintf("about %s on the CPU, %s on the GPU, which takes longer to start", round(onCPU), round(w.onGPU(ratesOf(devs), e.opt.Workers)))
}
