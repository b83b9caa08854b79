// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"context"
	"math"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// decodedBy returns how many bytes of its source a leaf of the stage's own body has decoded when the stage is done: the
// chunks that each step of each tile touches, or the regions themselves where storage is contiguous. Axes are counted one by
// one and multiplied; that is exact unless two axes of the source follow one axis of the loop.
func (p *Plan) decodedBy(s *Stage, l *Leaf) int64 {
	src := p.Sources[l.Store].Source
	grid := src.Meta().Grid
	_, regions := src.(formats.RegionReader)
	box := regions && !l.gathers() && !l.skips()
	n := float64(l.ItemBytes)
	used := make([]bool, len(s.Tiles.Axes))
	for i, m := range l.Axes {
		a := grid.Axes[i]
		if m.Loop < 0 {
			if m.Start < 0 {
				return 0
			}
			if lo, hi := a.Bounds(a.Find(m.Start)); !regions {
				n *= float64(hi - lo)
			}
			continue
		}
		used[m.Loop] = true
		sum := int64(0)
		pieces(s.Tiles.Axes[m.Loop], s.Steps[m.Loop], func(lo, hi int64) {
			switch {
			case box:
				from, to := m.Span(lo, hi)
				sum += to - from
			default:
				sum += m.touched(a, lo, hi, regions)
			}
		})
		n *= float64(sum)
	}
	for i, t := range s.Tiles.Axes {
		if !used[i] {
			k := int64(0)
			pieces(t, s.Steps[i], func(int64, int64) { k++ })
			n *= float64(k)
		}
	}
	return int64(min(n, math.MaxInt64/4))
}

// keptBytes returns what is decoded of a source that is kept: the chunks of its box, once each.
func keptBytes(src *Source) int64 {
	m := src.Source.Meta()
	if _, ok := src.Source.(formats.RegionReader); ok {
		return src.Box.Size() * int64(m.ItemBytes)
	}
	n := int64(m.ItemBytes)
	for i, a := range m.Grid.Axes {
		lo, hi := src.Box.Lo[i], src.Box.Hi[i]
		if hi <= lo {
			return 0
		}
		from, _ := a.Bounds(a.Find(lo))
		_, to := a.Bounds(a.Find(hi - 1))
		n *= to - from
	}
	return n
}

// pieces calls f for each part of an axis that lies in one tile and one step.
func pieces(tiles, steps chunk.Axis, f func(lo, hi int64)) {
	for at := int64(0); at < tiles.Len; {
		_, hi := tiles.Bounds(tiles.Find(at))
		_, end := steps.Bounds(steps.Find(at))
		hi = min(hi, end)
		f(at, hi)
		at = hi
	}
}

// touched returns the positions that are read for loop indices lo to hi: whole chunks of a, or of each chunk the range that is wanted.
func (m AxisMap) touched(a chunk.Axis, lo, hi int64, ranges bool) int64 {
	type span struct{ from, to int64 }
	seen := map[int64]span{}
	for x := lo; x < hi; x++ {
		p := m.at(x)
		if p < 0 {
			continue
		}
		k := a.Find(p)
		from, to := a.Bounds(k)
		if ranges {
			from, to = p, p+1
			if s, ok := seen[k]; ok {
				from, to = min(from, s.from), max(to, s.to)
			}
		} else if m.IDs == nil && m.Step > 0 { // on to the next chunk
			x += (to - 1 - p) / m.Step
		}
		seen[k] = span{from, to}
	}
	n := int64(0)
	for _, s := range seen {
		n += s.to - s.from
	}
	return n
}

// sizing bounds how long storage is asked for its size: over networks that may be a long list.
const sizing = 2 * time.Second

// stored returns how many stored bytes are read for so many decoded ones, by the size of the whole array in storage; the
// decoded bytes where nobody knows that.
func stored(src formats.Source, decoded int64) int64 {
	m := src.Meta()
	whole, err := m.Shape.Bytes(int64(max(m.ItemBytes, 1)))
	if err != nil || whole == 0 || len(m.Codecs) == 0 {
		return decoded
	}
	n := m.Bytes
	if s, ok := src.(formats.Sizer); ok && n < 0 {
		ctx, cancel := context.WithTimeout(context.Background(), sizing)
		defer cancel()
		if n, err = s.StoredBytes(ctx); err != nil {
			n = -1
		}
	}
	if n < 0 {
		return decoded
	}
	return int64(float64(decoded) * float64(n) / float64(whole))
}

// decodes calls each with the bytes that a stage decodes of a source, once for every leaf that reads it.
func (p *Plan) decodes(s *Stage, each func(store int, n int64)) {
	kept := map[int]bool{}
	visitCut(s.Body, s.cutting(), func(l *Leaf, b *Body, c cutting) {
		if l.Kind != Stored {
			return
		}
		src := p.Sources[l.Store]
		var n int64
		_, memory := src.Source.(Memory)
		switch {
		case memory:
			return // nothing is read
		case src.Keep && (src.First != s.ID || kept[l.Store]):
			return
		case src.Keep:
			kept[l.Store] = true
			n = keptBytes(src)
		case b == s.Body:
			n = p.decodedBy(s, l)
		default:
			n = int64(p.decodesOf(l, c) * float64(min(l.Count(b.Shape), src.Node.Shape().Size())*l.ItemBytes))
		}
		each(l.Store, n)
	})
}

// Decoded returns the bytes that the plan decodes of each source, as often as it does.
func (p *Plan) Decoded() []int64 {
	list := make([]int64, len(p.Sources))
	for _, s := range p.Stages {
		p.decodes(s, func(store int, n int64) {
			if list[store] += n; list[store] < 0 {
				list[store] = math.MaxInt64
			}
		})
	}
	return list
}
