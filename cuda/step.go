// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
)

// step is one launch of a call: a part, the geometry of the call, and the template that suits both.
type step struct {
	part     *part  // of a program; nil: the next three say what the step is
	name     string // tells steps of one kernel apart that need different sources
	source   func() (*Source, error)
	updates  func(out int) bool // whether an output is an operand too
	geo      *geometry
	template string
	vector   int
	count    int64 // elements, rows, or cells times blocks
	width    int64 // threads for each count of the lanes template
	groups   int64
	run      run
	mode     mode
}

// run is a run of the numbers of a call's folds: all of them, or those of a piece of a call.
type run struct{ from, to int64 }

// blocks returns how many blocks the run has; the first begins where the run does.
func (r run) blocks(template string) int64 {
	n := int64(kernels.OuterBlock)
	if template == templateLanes {
		n = kernels.InnerBlock
	}
	return (max(r.to-r.from, 0) + n - 1) / n
}

// mode says how the folds of a launch begin and end: usually with no numbers, and with the states of all.
type mode struct {
	skips   bool // the run does not begin with the first number
	lone    bool // of the operands that are not gathered only the run is there, one number after the other
	resumes bool // accumulators go on from the states in the outputs
	sweep   sweep
}

// sweep is which of the two passes over the numbers that a variance needs a launch makes.
type sweep uint8

const (
	bothSweeps  sweep = iota
	sumSweep          // the counts, and the sums where the means will be
	squareSweep       // the means, at first, and the squares of what differs from them; the other folds of the part are done
)

// stepOf plans the launch of a part; in holds the inputs as they lie on the device. groups is the number of
// groups of a grouped fold. A step without work has a count of 0.
func stepOf(q *part, shape chunk.Shape, in []*chunk.Chunk, groups int64) *step {
	g := newGeometry(shape, q.axes, q.fixed, in, q.in)
	s := &step{part: q, geo: g, vector: 1, width: 1, groups: groups}
	if len(q.folds) > 0 {
		s.template = foldTemplate(q)
		s.limit(run{0, g.count}, mode{})
		return s
	}
	s.count = g.keep * g.count
	s.template, s.vector = mapTemplate(q, g)
	switch last := len(g.dim) - 1; s.template {
	case templateRows:
		s.count /= g.dim[last]
	case templateTiles:
		axis, _ := turned(q, g)
		for _, k := range []int{axis, last} {
			s.count = s.count / g.dim[k] * ((g.dim[k] + tileSide - 1) / tileSide)
		}
	}
	return s
}

// limit sets what of the numbers a step with folds takes.
func (s *step) limit(r run, m mode) {
	s.run, s.mode = r, m
	s.mode.skips = r.from != 0 || m.lone
	switch s.template {
	case templateGroups:
		s.count = s.groups * s.geo.keep
	case templateColumn:
		s.count = r.blocks(s.template) * s.geo.keep
	case templateLanes:
		s.count, s.width = r.blocks(s.template)*s.geo.keep, 1
		least := min(r.to-r.from, kernels.Lanes)
		for _, f := range s.part.folds {
			// A complex product times one is another where it has an infinity: no accumulator is left out.
			if f.r.Algebra == kernels.FoldProd && s.part.p.RegType(f.Args[0]).IsComplex() {
				least = kernels.Lanes
			}
		}
		for s.width < least {
			s.width *= 2
		}
	}
}

// key tells steps of one kernel apart that need different sources.
func (s *step) key(part int) string {
	if s.part == nil {
		return s.name
	}
	key := fmt.Sprintf("%d %d %v %s", part, s.vector, s.mode, s.geo.key(s.part.fixed, s.template))
	if s.template == templateTiles {
		key += tilesKey(s.part, s.geo)
	}
	return key
}

// render returns the step's source.
func (s *step) render() (*Source, error) {
	switch {
	case s.part == nil:
		return s.source()
	case len(s.part.folds) == 0:
		return renderMap(s.part, s.geo, s.template, s.vector)
	}
	return renderFold(s.part, s.geo, s.template, s.mode)
}

// maxGrid bounds a grid's extent: beyond it threads loop. It does not depend on the device, as nothing may.
const maxGrid = 1 << 15

// grid returns the blocks of a launch and their threads.
func (s *step) grid(shape launchShape) (grid, block driver.Dim3) {
	blocks := func(threads int64) uint32 {
		return uint32(max(1, min(maxGrid, (threads+blockThreads-1)/blockThreads)))
	}
	switch shape {
	case perRow:
		row := s.geo.dim[len(s.geo.dim)-1]
		return driver.Dim3{X: uint32(max(1, min(64, row/256))), Y: uint32(max(1, min(maxGrid, (s.count+7)/8)))}, driver.Dim3{X: 32, Y: 8}
	case perTile:
		return driver.Dim3{X: uint32(max(1, min(maxGrid, s.count)))}, driver.Dim3{X: tileSide, Y: blockThreads / tileSide}
	case perWarp:
		per := kernels.Lanes / s.width
		return driver.Dim3{X: blocks((s.count + per - 1) / per * kernels.Lanes)}, driver.Dim3{X: blockThreads}
	}
	return driver.Dim3{X: blocks((s.count + int64(s.vector) - 1) / int64(s.vector))}, driver.Dim3{X: blockThreads}
}
