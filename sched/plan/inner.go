// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// cutting is how the loop of a body is cut while a stage runs.
type cutting struct {
	tiles, steps []chunk.Axis
	times        float64 // how often the body is computed for each of these parts
}

// cutting returns that of the stage's own body.
func (s *Stage) cutting() cutting { return cutting{s.Tiles.Axes, s.Steps, 1} }

// visitCut calls f for every leaf of a body and of the parts inside it, with how the loop around the leaf is cut.
func visitCut(b *Body, c cutting, f func(l *Leaf, b *Body, c cutting)) {
	for _, l := range b.Leaves {
		f(l, b, c)
		if l.Kind == Inner {
			for i, in := range l.Part.In {
				visitCut(in, c.inner(l, i), f)
			}
		}
	}
}

// inner returns how the loop of input k of a part is cut, which is computed for one region after another that a leaf wants.
func (c cutting) inner(l *Leaf, k int) cutting {
	out := cutting{times: c.times}
	used := make([]bool, len(c.tiles))
	tiles, steps := make(chunk.Shape, len(l.Axes)), make(chunk.Shape, len(l.Axes))
	for i, m := range l.Axes {
		n := l.Node.Shape()[i]
		tiles[i], steps[i] = n, n
		if m.Loop < 0 {
			continue
		}
		used[m.Loop] = true
		if m.IDs == nil {
			step := max(m.Step, -m.Step)
			tiles[i], steps[i] = min(c.tiles[m.Loop].Max()*step, n), min(c.steps[m.Loop].Max()*step, n)
		}
	}
	for i, t := range c.tiles {
		if !used[i] {
			out.times *= float64(max(t.Count(), c.steps[i].Count(), 1))
		}
	}
	whole := l.Part.In[k].Shape
	out.tiles, out.steps = l.Part.wants(k, tiles).cut(whole), l.Part.wants(k, steps).cut(whole)
	out.times *= l.Part.overlaps(k, steps)
	return out
}

// overlaps returns how often an element of input k is in a region that a function is computed from, on average, where its result is cut into
// such regions: more than once where a function needs more than its own.
func (p *Part) overlaps(k int, out chunk.Shape) float64 {
	if p.Opaque == nil || p.Opaque.Near > 0 || out.Size() == 0 {
		return 1
	}
	n := 1.0
	for i, all := range p.Node.Shape() {
		n *= float64(all) / float64(out[i])
	}
	for i, want := range p.wants(k, out) {
		n *= float64(min(want, p.In[k].Shape[i])) / float64(max(p.In[k].Shape[i], 1))
	}
	return max(n, 1)
}

// lengths are those of a region.
type lengths chunk.Shape

// wants returns the lengths of the region of input k that a region of the part is computed from.
func (p *Part) wants(k int, out chunk.Shape) lengths {
	if p.Opaque == nil || out.Size() == 0 {
		return lengths(out)
	}
	return lengths(p.Opaque.Need(k, chunk.Whole(out)).Shape())
}

// cut returns the axes of a loop that is as long as whole, cut into such lengths.
func (n lengths) cut(whole chunk.Shape) []chunk.Axis {
	axes := make([]chunk.Axis, len(whole))
	for i, all := range whole {
		axes[i] = chunk.Axis{Len: all, Step: max(min(n[i], all), 1)}
	}
	return axes
}

// decodesOf estimates how often each element that l wants is decoded where its loop is cut so.
func (p *Plan) decodesOf(l *Leaf, c cutting) float64 {
	src := p.Sources[l.Store].Source
	grid := src.Meta().Grid
	_, regions := src.(formats.RegionReader) // a part of a chunk takes no more than its part
	n := c.times
	used := make([]bool, len(c.tiles))
	for i, m := range l.Axes {
		if m.Loop < 0 {
			continue
		}
		used[m.Loop] = true
		a := grid.Axes[i]
		for _, t := range [2]chunk.Axis{c.tiles[m.Loop], c.steps[m.Loop]} {
			if !regions && m.IDs == nil && (m.Step == 1 || m.Step == -1) && t.Count() > 1 && a.Max() > 1 && !l.alignedAxis(i, t, a) && !m.alignedBack(t, a) {
				if a.Count() == 1 {
					n *= float64(t.Count())
				} else {
					n *= float64(t.Max()+a.Max()-1) / float64(max(t.Max(), 1))
				}
				break
			}
			if m.IDs != nil && t.Count() > 1 {
				lo, hi := m.Span(0, t.Len)
				n *= max(1, float64(t.Count())*float64(min(a.Max(), hi-lo))/float64(max(hi-lo, 1)))
				break
			}
		}
	}
	for i, t := range c.tiles {
		if !used[i] {
			n *= float64(max(t.Count(), 1))
		}
	}
	return n
}

// alignedBack reports whether an axis that is read whole and backwards is cut between chunks by every cut t of its loop.
func (m AxisMap) alignedBack(t, a chunk.Axis) bool {
	return m.Step == -1 && m.Start == a.Len-1 && t.Len == a.Len && a.Edges == nil && t.Edges == nil && a.Len%a.Step == 0 && t.Step%a.Step == 0
}
