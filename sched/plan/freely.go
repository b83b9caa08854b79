// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// free returns the sink of what the stage writes there if it can be cut as the stage's tasks are, else nil.
func (p *Plan) free(s *Stage, w Write) formats.FreeSink {
	sink, ok := p.Outputs[w.Output].Sink.(formats.FreeSink)
	if !ok || !s.slabs {
		return nil
	}
	return sink
}

// slabs reports whether the chunks of a grid are runs of its elements.
func slabs(g chunk.Grid) bool {
	first := slices.IndexFunc(g.Axes, func(a chunk.Axis) bool { return a.Max() > 1 })
	return first < 0 || !slices.ContainsFunc(g.Axes[first+1:], func(a chunk.Axis) bool { return a.Count() > 1 })
}

// Regrid cuts sinks whose storage has no chunks as the tasks that write them are; a task that several threads share, in parts for each.
func (p *Plan) Regrid() {
	for _, s := range p.Stages {
		for _, w := range s.Writes {
			if sink := p.free(s, w); sink != nil {
				sink.Regrid(parts(s.Tiles, int64(s.Crew)))
			}
		}
	}
}

// parts cuts the chunks of a grid in n parts each, along the first axis that has as many elements.
func parts(g chunk.Grid, n int64) chunk.Grid {
	i := slices.IndexFunc(g.Axes, func(a chunk.Axis) bool { return a.Max() >= n })
	if n <= 1 || i < 0 || g.Shape.Size() == 0 {
		return g
	}
	edges := []int64{0}
	for k := range g.Axes[i].Count() {
		lo, hi := g.Axes[i].Bounds(k)
		for j := int64(1); j <= n; j++ {
			if e := lo + (hi-lo)*j/n; e > edges[len(edges)-1] {
				edges = append(edges, e)
			}
		}
	}
	g.Axes = slices.Clone(g.Axes)
	g.Axes[i] = chunk.Axis{Len: g.Shape[i], Edges: edges}
	return g
}
