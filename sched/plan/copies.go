// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"context"
	"errors"
	"maps"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// A stored array whose chunks cannot be read in parts, and of which every task wants a part of many, is decoded again and again where it does not
// fit in memory. From worthCopying times on it is decoded once, written to scratch storage as it is, and read there in parts.
const worthCopying = 8

// mostCopied: of more arrays than so many none is copied for want of another plan; each is one more plan to try.
const mostCopied = 4

// roomShare: copies and spilled results take at most this share of the free disk.
const roomShare = 2

// copies makes a plan with copies on disk of the sources that p decodes many times, where there is room; p itself where there are none, or where that does not fit.
func copies(ctx context.Context, outs []Output, opt Options, spill map[*graph.Node]Scratch, p *Plan) (*Plan, error) {
	for {
		n := p.often()
		if n == nil || opt.Scratch == nil || !room(opt, spill, n) {
			return p, nil
		}
		more := maps.Clone(spill)
		more[n] = opt.Scratch(n, n.Grid)
		q, _, err := build(ctx, outs, opt, more)
		switch {
		case errors.Is(err, ErrBudget):
			return p, nil
		case err != nil:
			return nil, err
		}
		p, spill = q, more
	}
}

// room reports whether the disk holds another result or copy beside those that are there.
func room(opt Options, spill map[*graph.Node]Scratch, n *graph.Node) bool {
	if opt.Room == nil {
		return true
	}
	need := n.Shape().Size() * int64(n.ItemBytes)
	for other := range spill {
		need += other.Shape().Size() * int64(other.ItemBytes)
	}
	free, ok := opt.Room()
	return !ok || need <= free/roomShare
}

// often returns the stored array that the plan decodes most often beyond once, nil where none is worth a copy.
func (p *Plan) often() *graph.Node {
	var best *graph.Node
	most := 0.0
	for _, src := range p.Sources {
		whole := float64(src.Bytes())
		decoded := src.Reads * float64(src.Box.Size()*int64(src.Node.ItemBytes))
		if !src.Keep && copyable(src) && decoded >= worthCopying*whole && decoded-whole > most {
			best, most = src.Node, decoded-whole
		}
	}
	return best
}

// copyable reports whether a source can only be read in whole chunks of numbers, from storage.
func copyable(src *Source) bool {
	_, memory := src.Source.(Memory)
	_, regions := src.Source.(formats.RegionReader)
	return !memory && !regions && src.Spill == nil && src.Node.DType.IsNumeric() && src.Node.Grid.Len() > 1
}

// readsCopies reports whether the stage, or a part inside it, reads a copy on disk.
func (pl *planner) readsCopies(s *Stage) bool {
	return len(pl.copies) > 0 && s.reads(func(l *Leaf) bool {
		return l.Kind == Stored && pl.plan.Sources[l.Store].Spill != nil && pl.plan.Sources[l.Store].Node.Kind == graph.Load
	})
}

// copied returns the stored array that the planner has not copied yet and that is the largest, for plans that are refused: nil where there are none, or many.
func (pl *planner) copied(spill map[*graph.Node]Scratch) *graph.Node {
	var best *Source
	n := 0
	for _, src := range pl.plan.Sources {
		if !copyable(src) || spill[src.Node] != nil {
			continue
		}
		if n++; best == nil || src.Bytes() > best.Bytes() {
			best = src
		}
	}
	if best == nil || n+len(spill) > mostCopied || !room(pl.opt, spill, best.Node) {
		return nil
	}
	return best.Node
}
