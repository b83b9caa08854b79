// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Scratch is storage outside memory for one intermediate result: its chunks are written, then read. Close gives it back.
type Scratch interface {
	formats.Sink
	formats.Source
	Close() error
}

// Spill is the result of a fold or a scan that does not stay in memory, or the copy of a stored array that is decoded once: it goes to
// storage part by part, as an output would, and stages that need it read it as a source.
type Spill struct {
	Node    *graph.Node
	Output  int // of Plan.Outputs
	Source  int // of Plan.Sources
	Result  int // of Plan.Results
	Scratch Scratch
}

// spillChunk bounds the bytes of a chunk of spilled data where its grid can be cut finer.
func spillChunk(budget int64) int64 { return max(1<<20, budget/256) }

// spillLeast: a result smaller than this share of the budget stays in memory.
const spillLeast = 64

// fit makes a plan. Where it does not fit the budget, results of folds go to scratch storage, the largest
// first, until it does or nothing is left to move; the error is then the one of the plan that has all in memory.
func fit(ctx context.Context, outs []Output, opt Options) (*Plan, error) {
	spill := map[*graph.Node]Scratch{}
	var first error
	for {
		p, candidate, err := build(ctx, outs, opt, spill)
		switch {
		case err == nil:
			return copies(ctx, outs, opt, spill, p)
		case !errors.Is(err, ErrBudget):
			return nil, err
		}
		if first == nil {
			first = err
		}
		if candidate == nil || opt.Scratch == nil {
			return nil, first
		}
		grid := candidate.Grid
		if candidate.Kind != graph.Load {
			grid = spillGrid(candidate, spillChunk(opt.Budget))
		}
		spill[candidate] = opt.Scratch(candidate, grid)
	}
}

// candidate returns the fold or scan whose result takes most of the memory it could leave: one
// that stays in memory for others, or one whose output has so large chunks that its states are. Where there is none it returns a stored array, so that tasks need not
// hold whole chunks of it; nil when nothing is worth it.
func (pl *planner) candidate(spill map[*graph.Node]Scratch) *graph.Node {
	var best *graph.Node
	most := pl.opt.Budget / spillLeast
	for _, r := range pl.plan.Results {
		n := r.Node
		if _, spilled := pl.sources[n]; spilled || !n.DType.IsNumeric() || pl.uses[n] == 0 && !pl.coarse(n) {
			continue
		}
		if bytes := n.Shape().Size() * int64(n.ItemBytes); bytes > most {
			best, most = n, bytes
		}
	}
	if best == nil {
		return pl.copied(spill)
	}
	return best
}

// coarse reports whether an output that gets n part by part takes it in larger parts than a spilled result has.
func (pl *planner) coarse(n *graph.Node) bool {
	g := spillGrid(n, spillChunk(pl.opt.Budget))
	return slices.ContainsFunc(pl.direct[n], func(o int) bool { return !finer(pl.plan.Outputs[o].Sink, g) })
}

// finer reports whether the chunks of sink are along no axis longer than those of g.
func finer(sink formats.Sink, g chunk.Grid) bool {
	if sink == nil {
		return true
	}
	for i, a := range sink.Grid().Axes {
		if a.Max() > g.Axes[i].Max() {
			return false
		}
	}
	return true
}

// spills makes outputs and sources of the results that are spilled.
func (pl *planner) spills(spill map[*graph.Node]Scratch) {
	for _, n := range pl.loads {
		pl.direct[n] = []int{len(pl.plan.Outputs)}
		pl.copies[n] = pl.toScratch(n, "copy of ", spill[n])
	}
	for _, n := range pl.made {
		s := spill[n]
		if s == nil {
			continue
		}
		// Outputs with larger chunks are copied from disk: tasks need not be as large.
		pl.direct[n] = nil
		for k, o := range pl.plan.Outputs {
			if o.Node == n && finer(o.Sink, s.Grid()) {
				pl.direct[n] = append(pl.direct[n], k)
			}
		}
		pl.direct[n] = append(pl.direct[n], len(pl.plan.Outputs))
		pl.sources[n] = pl.toScratch(n, "spilled ", s)
	}
}

// toScratch makes an output of n that goes to scratch storage, the next one, and a source of what is there, whose number it returns. That
// output is among those that get n directly.
func (pl *planner) toScratch(n *graph.Node, what string, s Scratch) int {
	p := pl.plan
	i := len(p.Sources)
	p.Outputs = append(slices.Clip(p.Outputs), Output{Node: n, Name: what + nodeName(n), Sink: s})
	sp := &Spill{Node: n, Output: len(p.Outputs) - 1, Source: i, Result: pl.result(n), Scratch: s}
	p.Sources = append(p.Sources, &Source{Node: n, Source: s, Name: nodeName(n), First: -1, Spill: sp})
	p.Spills = append(p.Spills, sp)
	return i
}

// spillGrid returns the chunks a spilled result is stored in: those of its own grid, cut into equal parts where they are
// larger than most bytes, so that tiles need not be larger than the fold wants them. Groups are cut last: a tile has all of them.
func spillGrid(n *graph.Node, most int64) chunk.Grid {
	g := chunk.Grid{Shape: n.Grid.Shape, Axes: slices.Clone(n.Grid.Axes)}
	groups := -1
	if arg, ok := n.Arg.(graph.ReduceArg); ok && arg.Groups > 0 {
		groups = 0
		if arg.IDs != nil {
			groups = slices.Min(arg.Axes)
		}
	}
	cut := func(i int) {
		a := &g.Axes[i]
		for g.MaxChunk().Size()*int64(n.ItemBytes) > most && a.Edges == nil && a.Max() > 1 {
			a.Step = a.Max() / leastFactor(a.Max())
		}
	}
	for i := range g.Axes {
		if i != groups {
			cut(i)
		}
	}
	if groups >= 0 {
		cut(groups)
	}
	return g
}

// leastFactor returns the smallest factor of n above 1.
func leastFactor(n int64) int64 {
	for f := int64(2); f*f <= n; f++ {
		if n%f == 0 {
			return f
		}
	}
	return n
}

// text says where a spilled result came from.
func (s *Spill) text(p *Plan) string {
	return fmt.Sprintf("%s of stage %d, from disk", nodeName(s.Node), p.Results[s.Result].Made)
}
