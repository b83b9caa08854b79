// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Scan is the running fold of a stage: what the body computes over a tile (its one root) is scanned along Axis, from the carry that
// the tile before has left. Tiles are numbered so that those along the axis follow each other: a task waits for at most those before it.
type Scan struct {
	Node   *graph.Node
	Op     *kernels.ScanOp
	Axis   int
	Unit   *kernels.Scan
	Kernel kernels.Kernel // of Unit
	Result int            // of Plan.Results: its memory, unless that is Direct; then the stage's Writes take tile after tile
}

// scanRoot is the root of a stage's body that its scan takes: the only one.
const scanRoot = 0

// ends reports whether n ends a stage: others need it whole.
func ends(n *graph.Node) bool { return n.Kind == graph.Reduce || n.Kind == graph.Scan }

// scan makes the item's scan that of the stage, whose body computes its operand.
func (pl *planner) scan(s *Stage, f *fuser, it *item) error {
	arg := it.node.Arg.(graph.ScanArg)
	if err := f.root(it.node.In[0]); err != nil {
		return err
	}
	for _, o := range pl.direct[it.node] {
		s.Writes = append(s.Writes, Write{Root: scanRoot, Output: o})
	}
	unit := &kernels.Scan{Op: arg.Op, DType: it.node.DType, Rank: len(it.loop.Shape()), Axis: arg.Axis}
	k, err := pl.compile(unit)
	s.Scan = &Scan{Node: it.node, Op: kernels.ScanOf(arg.Op), Axis: arg.Axis, Unit: unit, Kernel: k, Result: pl.result(it.node)}
	return err
}

// ScanPlace returns the output in whose memory the stage's scan is, -1 where there is none.
func (p *Plan) ScanPlace(s *Stage) int {
	return p.placed(s, scanRoot)
}

// scanBytes bounds what the scan of a stage needs beside its operand: in a task, and across tasks for carries.
func (pl *planner) scanBytes(s *Stage) (run, hold int64) {
	t := s.Tiles.MaxChunk()
	item := int64(s.Scan.Node.ItemBytes)
	if pl.plan.Results[s.Scan.Result].Direct && pl.plan.ScanPlace(s) < 0 {
		run = mem.ClassBytes(max(t.Size(), 1) * item)
	}
	run += mem.ClassBytes(s.Scan.Kernel.Scratch(t))
	lines, open := int64(1), int64(1)
	for i, n := range t {
		if i != s.Scan.Axis {
			lines *= max(n, 1)
			open *= max(s.Tiles.Axes[i].Count(), 1)
		}
	}
	// A line of tiles is open from its first task to its last, and so many tasks are under way.
	return run, min(open, int64(2*pl.opt.Workers)+1) * mem.ClassBytes(lines*item)
}

// Lines returns the number of the line of tiles that task t is in, and of the tile in there.
func (s *Stage) Lines(t *Task) (line, tile int64) {
	for i, k := range t.Key {
		if i != s.Scan.Axis {
			line = line*s.Tiles.Axes[i].Count() + k
		}
	}
	return line, t.Key[s.Scan.Axis]
}

// text names the scan and its axis.
func (c *Scan) text() string { return fmt.Sprintf("%s along axis %d", c.Op.Name, c.Axis) }
