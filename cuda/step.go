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
	part     *part // nil for a combine
	combine  *kernels.Combine
	geo      *geometry
	template string
	vector   int
	count    int64 // elements, rows, or cells times blocks
	width    int64 // threads for each count of the lanes template
	groups   int64
	resumes  bool // folds go on from the states in the outputs
}

// stepOf plans the launch of a part; in holds the inputs as they lie on the device. groups is the number of
// groups of a grouped fold. A step without work has a count of 0.
func stepOf(q *part, shape chunk.Shape, in []*chunk.Chunk, groups int64) *step {
	g := newGeometry(shape, q.axes, q.fixed, in, q.in)
	s := &step{part: q, geo: g, vector: 1, width: 1, groups: groups}
	if len(q.folds) == 0 {
		s.count = g.keep * g.count
		s.template, s.vector = mapTemplate(q, g)
		if s.template == templateRows {
			s.count /= g.dim[len(g.dim)-1]
		}
		return s
	}
	s.template = foldTemplate(q)
	switch s.template {
	case templateGroups:
		s.count = groups * g.keep
	case templateLanes:
		s.count = kernels.FoldBlocks(shape, q.axes) * g.keep
		least := min(g.count, kernels.Lanes)
		for _, f := range q.folds {
			// A complex product times one is another where it has an infinity: no accumulator is left out.
			if f.r.Algebra == kernels.FoldProd && q.p.RegType(f.Args[0]).IsComplex() {
				least = kernels.Lanes
			}
		}
		for s.width < least {
			s.width *= 2
		}
	case templateColumn:
		s.count = kernels.FoldBlocks(shape, q.axes) * g.keep
	}
	return s
}

// key tells steps of one kernel apart that need different sources.
func (s *step) key(part int) string {
	if s.part == nil {
		return ""
	}
	return fmt.Sprintf("%d %d %t %s", part, s.vector, s.resumes, s.geo.key(s.part.fixed, s.template))
}

// render returns the step's source.
func (s *step) render() (*Source, error) {
	switch {
	case s.part == nil:
		return renderCombine(s.combine)
	case len(s.part.folds) == 0:
		return renderMap(s.part, s.geo, s.template, s.vector)
	}
	return renderFold(s.part, s.geo, s.template, s.resumes)
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
	case perWarp:
		per := kernels.Lanes / s.width
		return driver.Dim3{X: blocks((s.count + per - 1) / per * kernels.Lanes)}, driver.Dim3{X: blockThreads}
	}
	return driver.Dim3{X: blocks((s.count + int64(s.vector) - 1) / int64(s.vector))}, driver.Dim3{X: blockThreads}
}
