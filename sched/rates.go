// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// rates are what the processors do in a second, for choosing where to compute: nothing depends on them but time.
type rates struct {
	float32, float64 float64 // operations of one worker while all work
	memory           float64 // bytes of operands and results of all workers together
	read             float64 // bytes that one worker reads from files in memory: what storage gives nobody knows before
	// decode returns the bytes of values that one worker decodes, by the codecs and the bytes of an item.
	decode   func(codecs []string, item int64) float64
	measured bool
}

// guessDecode is of codecs that are not measured.
const guessDecode = 1e9

// guess returns the rates of a usual machine, which count until the machine's own are measured.
func guess(workers int) rates {
	return rates{float32: 2e10, float64: 1e10, memory: 1e10 * float64(min(workers, 8)), read: 4e9,
		decode: func([]string, int64) float64 { return guessDecode }}
}

// hostRates are an engine's rates: measured once, when a GPU is there to compare with.
type hostRates struct {
	mu  sync.Mutex
	own *rates
}

// rates returns the measured rates, or the guessed ones while no GPU is open, and where the engine is busy.
func (e *Engine) rates(ctx context.Context) rates {
	g := guess(e.opt.Workers)
	if devs, _ := e.gpu.opened(); devs == nil {
		return g
	}
	h := &e.host
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.own == nil {
		own := g
		var err error
		if e.opt.rates != nil {
			own = e.opt.rates()
		} else {
			own, err = e.measure(ctx)
		}
		if err != nil { // the next plan tries again
			return g
		}
		h.own = &own
	}
	return *h.own
}

// Of the measurements: bytes that all workers together sweep, elements that stay in a core's cache, operations on each, and how often each
// is repeated, of which the best counts. Together they take some milliseconds.
const (
	sweepBytes    = 64 << 20
	cacheElements = 8 << 10
	chainOps      = 32
	repeats       = 3
)

// measure measures the workers: memory by adding arrays, arithmetic by a chain of operations on what is in cache.
func (e *Engine) measure(ctx context.Context) (rates, error) {
	n := int64(e.opt.Workers)
	sweep := min(sweepBytes, e.opt.Memory/4) / (3 * 4 * n) // two operands and a result of float32
	r := guess(e.opt.Workers)
	t, err := e.together(ctx, dtype.Float32, 1, max(sweep, 1), 1)
	if err != nil {
		return rates{}, err
	}
	r.memory = float64(3*4*max(sweep, 1)*n) / t.Seconds()
	for _, x := range []struct {
		d  dtype.DType
		to *float64
	}{{dtype.Float32, &r.float32}, {dtype.Float64, &r.float64}} {
		few := max(1, min(cacheElements, sweep))
		if t, err = e.together(ctx, x.d, chainOps, few, 16); err != nil {
			return rates{}, err
		}
		*x.to = float64(16*chainOps*few) / t.Seconds()
	}
	r.decode = decodeRates()
	r.measured = true
	return r, nil
}

// together returns the shortest time in which every worker computes a chain of so many additions and products of two operands, times over.
func (e *Engine) together(ctx context.Context, d dtype.DType, ops int, elements int64, times int) (time.Duration, error) {
	b := kernels.NewBuilder(1)
	x, y := b.Input(kernels.In(d)), b.Input(kernels.In(d))
	z := b.Apply(kernels.OpAdd, x, y)
	for i := 1; i < ops; i++ {
		z = b.Apply([]kernels.OpID{kernels.OpMultiply, kernels.OpAdd}[(i+1)%2], z, y)
	}
	b.Ret(z)
	p, err := b.Build()
	if err != nil {
		return 0, err
	}
	k, err := e.device.Compile(ctx, p)
	if err != nil {
		return 0, err
	}
	shape := chunk.Shape{elements}
	bill := int64(e.opt.Workers) * (3*mem.ClassBytes(elements*int64(d.Size())) + mem.ClassBytes(k.Scratch(shape)))
	if !e.gate.try(bill) {
		return 0, errors.New("sched: measure: tasks are running")
	}
	defer e.gate.release(bill)
	calls := make([]*kernels.Call, e.opt.Workers)
	for i := range calls {
		c := &kernels.Call{Shape: shape, Origin: chunk.Shape{0}}
		for j := range 3 {
			a, err := chunk.New(e.pool, d, d.Size(), shape)
			if err != nil {
				return 0, err
			}
			defer a.Release()
			clear(a.Bytes())
			if c.In = append(c.In, a); j == 2 {
				c.In, c.Out = c.In[:2], []*chunk.Chunk{a}
			}
		}
		if c.Scratch, err = e.pool.Alloc(k.Scratch(shape)); err != nil {
			return 0, err
		}
		defer c.Scratch.Release()
		calls[i] = c
	}
	best := time.Duration(0)
	for range repeats {
		var all sync.WaitGroup
		errs := make([]error, len(calls))
		start := time.Now()
		for i, c := range calls {
			all.Go(func() {
				for range times {
					if errs[i] == nil {
						errs[i] = k.Run(ctx, c)
					}
				}
			})
		}
		all.Wait()
		took := max(time.Since(start), time.Microsecond)
		for _, err := range errs {
			if err != nil {
				return 0, err
			}
		}
		if best == 0 || took < best {
			best = took
		}
	}
	return best, nil
}

// decodeBytes is what a codec is measured with: a smaller chunk tells little, a larger one takes longer to encode.
const decodeBytes = 128 << 10

// decodeRates returns a function that measures each list of codecs once.
func decodeRates() func(codecs []string, item int64) float64 {
	var mu sync.Mutex
	known := map[string]float64{}
	return func(codecs []string, item int64) float64 {
		key := fmt.Sprint(item, codecs)
		mu.Lock()
		defer mu.Unlock()
		if _, ok := known[key]; !ok {
			r, err := decodeRate(codecs, item)
			if err != nil {
				r = guessDecode
			}
			known[key] = r
		}
		return known[key]
	}
}

// decodeRate measures how many bytes of values codecs with their usual settings decode in a second: numbers that change slowly, with some noise. An
// error says that one of them only reads, or is no codec of bytes.
func decodeRate(codecs []string, item int64) (float64, error) {
	var steps []codec.Step
	for _, name := range codecs {
		if e, ok := codec.ByName(name); name == "transpose" || name == "bytes" || ok && e.Array != nil {
			continue // one pass over the elements
		}
		steps = append(steps, codec.Step{Name: name})
	}
	if item < 1 || item > decodeBytes {
		return 0, fmt.Errorf("sched: measure: items of %d bytes", item)
	}
	c, err := codec.NewChain(steps, codec.Layout{ItemBytes: int(item), Rank: 1})
	if err != nil {
		return 0, err
	}
	values := make([]byte, decodeBytes/item*item)
	noise := uint32(1)
	for i := int64(0); (i+1)*item <= int64(len(values)); i++ {
		noise = noise*1664525 + 1013904223
		var v [8]byte
		binary.LittleEndian.PutUint64(v[:], uint64(i/16)+uint64(noise>>29))
		copy(values[i*item:(i+1)*item], v[:])
	}
	s := codec.Borrow()
	defer s.Return()
	stored, err := c.Encode(nil, values, s)
	if err != nil {
		return 0, err
	}
	stored, out := slices.Clone(stored), make([]byte, len(values))
	best := time.Duration(0)
	for range repeats {
		start := time.Now()
		if err := c.Decode(out, stored, s); err != nil {
			return 0, err
		}
		if took := max(time.Since(start), time.Microsecond); best == 0 || took < best {
			best = took
		}
	}
	return float64(len(values)) / best.Seconds(), nil
}

// explainRates tells people what a plan was compared by, nil where no GPU was looked at.
func (e *Engine) explainRates(p *plan.Plan) []plan.Rate {
	devs, _ := e.gpu.opened()
	if devs == nil {
		return nil
	}
	r := e.rates(context.Background())
	from := "guessed"
	if r.measured {
		from = "measured"
	}
	list := []plan.Rate{{Name: "cpu memory", PerSecond: r.memory, Unit: "bytes", From: from}, {Name: "cpu float32, a worker", PerSecond: r.float32, Unit: "operations", From: from},
		{Name: "cpu float64, a worker", PerSecond: r.float64, Unit: "operations", From: from}}
	seen := map[string]bool{}
	for _, s := range p.Sources {
		m := s.Source.Meta()
		name := "decode " + strings.Join(m.Codecs, "+") + fmt.Sprintf(" of %d bytes, a worker", m.ItemBytes)
		if len(m.Codecs) > 0 && !seen[name] {
			seen[name] = true
			list = append(list, plan.Rate{Name: name, PerSecond: r.decode(m.Codecs, int64(m.ItemBytes)), Unit: "bytes", From: from})
		}
	}
	g := ratesOf(devs)
	return append(list, plan.Rate{Name: "gpu up", PerSecond: g.Up, Unit: "bytes", From: "measured"}, plan.Rate{Name: "gpu down", PerSecond: g.Down, Unit: "bytes", From: "measured"},
		plan.Rate{Name: "gpu memory", PerSecond: g.Memory, Unit: "bytes", From: "driver"}, plan.Rate{Name: "gpu float32", PerSecond: g.Float32, Unit: "operations", From: "driver"},
		plan.Rate{Name: "gpu float64", PerSecond: g.Float64, Unit: "operations", From: "driver"})
}
