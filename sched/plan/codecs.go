// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// codecs returns what codecs need for a task, whatever its tile.
func (pl *planner) codecs(s *Stage) int64 {
	read := int64(0)
	visit(s.Body, func(l *Leaf, _ *Body) {
		if l.Kind == Stored {
			read = max(read, pl.plan.Sources[l.Store].Source.ScratchBytes())
		}
	})
	return read + pl.plan.encodes(s)
}

// encodes returns what codecs need to write a chunk of the stage's outputs.
func (p *Plan) encodes(s *Stage) int64 {
	write := int64(0)
	for _, w := range s.Writes {
		if sink := p.Outputs[w.Output].Sink; sink != nil {
			write = max(write, sink.ScratchBytes())
		}
	}
	return write
}

// Codecs returns the part of a task's bill that codecs have for each thread: it is on the Go heap.
func (p *Plan) Codecs(s *Stage) int64 {
	read := int64(0)
	visit(s.Body, func(l *Leaf, b *Body) {
		switch {
		case l.Kind != Stored:
		case b == s.Body:
			read = max(read, l.decodes(p.Sources[l.Store], s.Tiles.Axes, s.Steps))
		default:
			read = max(read, p.Sources[l.Store].Source.ScratchBytes())
		}
	})
	return read + p.encodes(s)
}

// decodes returns what codecs need to read a chunk for the leaf.
func (l *Leaf) decodes(src *Source, tiles, steps []chunk.Axis) int64 {
	if d, ok := src.Source.(formats.DirectReader); ok && !src.Keep && l.direct(src.Source, tiles) && l.direct(src.Source, steps) {
		return d.DirectScratchBytes()
	}
	return src.Source.ScratchBytes()
}
