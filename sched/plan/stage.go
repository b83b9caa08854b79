// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Stage is one sweep over a loop: results written, folds folded. Its tasks are
// the tiles of a grid, numbered, never listed.
type Stage struct {
	ID     int
	Level  int
	Body   *Body
	Writes []Write
	Folds  []*Fold
	Scan   *Scan // nil: none
	Tiles  chunk.Grid
	Steps  []chunk.Axis // cuts of the loop, finer than Tiles where a tile is computed piece by piece
	Order  []int        // loop axes, outermost first, in the order tiles are numbered
	Run    int64        // bytes of one task, at most
	Hold   int64        // bytes that live across tasks of this stage
	Kept   int64        // bytes of results and kept sources that live while the stage runs
	Why    string
	Place  *Placement // where it computes; nil: not decided
	Crew   int        // threads that share a task
	Within int        // axis along which steps may end inside cells, whose folds the next step goes on with; -1: none
	slabs  bool       // the natural chunks of the loop are runs of its elements
	free   []bool     // axes that no fold of the stage reduces
	items  []*item
	cut    []chunk.Axis // by loop axis: the bands of the stage's chain, the zero Axis where there are none; nil: it is in no chain
	bands  *bands
	narrow int64 // bytes of the stage without tiles widened to decode less often
}

// Placement is where a stage computes. Why says why; it may look at the machine.
type Placement struct {
	Device string
	Why    func() string
}

// Write is an elementwise result of a stage: root Root of the body goes to output Output, with the roots With beside it.
type Write struct {
	Root, Output int
	With         []int
}

// Fold is one fold of a stage: output Index of the program's folds.
type Fold struct {
	Node      *graph.Node
	Reduction *kernels.Reduction
	By        *kernels.Reduction // what is folded: Reduction, or a sum whose number of elements is known
	Cells     *Cells
	In        dtype.DType // of the folded value
	State     []kernels.StateType
	Kept      []int // loop axes that remain, in order
	Groups    int64 // 0: no groups
	GroupLeaf int   // leaf that holds the ids, -1
	Result    int   // of Plan.Results
	Direct    []int // outputs that get the result part by part, when it is never whole in memory
	Combine   kernels.Kernel
	Finish    kernels.Kernel // state components to the result
	StateItem int64          // bytes of one element's state
}

// Task is one tile of a stage.
type Task struct {
	Index  int64
	Key    chunk.Key
	Region chunk.Region
}

// Len returns the number of tasks.
func (s *Stage) Len() int64 { return s.Tiles.Len() }

// Task sets t to task i; its slices are reused when they are long enough.
func (s *Stage) Task(i int64, t *Task) {
	rank := len(s.Tiles.Axes)
	if len(t.Key) != rank {
		t.Key = make(chunk.Key, rank)
		t.Region = chunk.Region{Lo: make(chunk.Shape, rank), Hi: make(chunk.Shape, rank)}
	}
	t.Index = i
	band := 0
	if s.bands != nil {
		band, i = s.bands.find(i)
	}
	for j := rank - 1; j >= 0; j-- {
		a := s.Order[j]
		n, lo := s.Tiles.Axes[a].Count(), int64(0)
		if s.bands != nil {
			n, lo = s.bands.count[band][a], s.bands.lo[band][a]
		}
		t.Key[a] = lo + i%n
		i /= n
		t.Region.Lo[a], t.Region.Hi[a] = s.Tiles.Axes[a].Bounds(t.Key[a])
	}
}

// stage fuses items into one stage and chooses its tiles.
func (pl *planner) stage(level int, items []*item) (*Stage, error) {
	s := &Stage{Level: level, items: items, Crew: 1}
	f, err := pl.newFuser(items[0].loop.Shape())
	if err != nil {
		return nil, err
	}
	if items[0].copies {
		f.copies = items[0].node
	}
	var why []string
	for _, it := range items {
		switch {
		case it.scans():
			if err := pl.scan(s, f, it); err != nil {
				return nil, err
			}
		case it.output >= 0:
			w := Write{Root: len(f.body.Roots), Output: it.output}
			if err := f.root(it.node); err != nil {
				return nil, named(pl.plan.Outputs[it.output].Name, err)
			}
			for _, n := range pl.plan.Outputs[it.output].With {
				w.With = append(w.With, len(f.body.Roots))
				if err := f.root(n); err != nil {
					return nil, named(pl.plan.Outputs[it.output].Name, err)
				}
			}
			s.Writes = append(s.Writes, w)
		default:
			fold, err := f.fold(it)
			if err != nil {
				return nil, err
			}
			s.Folds = append(s.Folds, fold)
		}
		for _, name := range it.shares {
			if !slices.Contains(why, name) {
				why = append(why, name)
			}
		}
	}
	if s.Body, err = f.finish(); err != nil {
		return nil, err
	}
	if len(why) > 1 {
		why = slices.DeleteFunc(why, func(name string) bool { return name == "memory" })
	}
	slices.Sort(why)
	s.Why = strings.Join(why, ", ")
	s.free = make([]bool, len(s.Body.Shape))
	for i := range s.free {
		s.free[i] = true
		for _, fold := range s.Folds {
			s.free[i] = s.free[i] && !fold.Cells.Set.Has(i)
		}
	}
	s.Order = s.order()
	s.Within = s.within()
	return s, pl.tile(s, items)
}

func named(name string, err error) error {
	if name == "" {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// order returns the loop axes with those kept by the first fold outside, so
// that a fold's parts are finished one after another; the axis of a scan is the innermost.
func (s *Stage) order() []int {
	order := make([]int, 0, len(s.Body.Shape))
	if len(s.Folds) > 0 {
		order = append(order, s.Folds[0].Kept...)
	}
	last := -1
	if s.Scan != nil {
		last = s.Scan.Axis
	}
	for i := range s.Body.Shape {
		if i != last && !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	if last >= 0 {
		order = append(order, last)
	}
	return order
}

// within returns the axis along which a kernel can go on with the folds of the call before: the first that all folds of
// the stage reduce, where their cells are one block each and their accumulators take the numbers in sequence.
func (s *Stage) within() int {
	axis := -1
	for _, f := range s.Folds {
		c := f.Cells
		if f.Groups > 0 || c.last || c.Set != s.Folds[0].Cells.Set || !f.By.Continues() || c.Largest() > kernels.OuterBlock {
			return -1
		}
		axis = c.first()
	}
	return axis
}

// CallAxis returns the axis along which a kernel call can be cut in parts whose outputs are contiguous if they are of one block: the
// outermost that remains in every fold. -1: there is none.
func (s *Stage) CallAxis() int {
	axis := slices.Index(s.free, true)
	for _, f := range s.Folds {
		if f.Groups > 0 || len(f.Kept) == 0 || f.Kept[0] != axis {
			return -1
		}
	}
	for _, l := range s.Body.Leaves {
		if l.Gather >= 0 {
			return -1
		}
	}
	return axis
}

// GoesOn reports whether some steps of the stage end inside a cell.
func (s *Stage) GoesOn() bool {
	return s.Within >= 0 && s.Steps[s.Within].Max() < min(s.Tiles.Axes[s.Within].Max(), s.Folds[0].Cells.Axes[s.Within].Max())
}

// fold adds a Reduce to the program.
func (f *fuser) fold(it *item) (*Fold, error) {
	n := it.node
	arg := n.Arg.(graph.ReduceArg)
	red := kernels.ReductionOf(arg.Op)
	operand := n.In[0]
	rank := len(operand.Shape())
	v, err := f.value(operand, identityMaps(rank), false)
	if err != nil {
		return nil, err
	}
	fold := &Fold{Node: n, Reduction: red, By: red, Cells: it.cells, Groups: arg.Groups, GroupLeaf: -1, Result: f.pl.result(n), Direct: f.pl.direct[n]}
	v = f.b.Cast(v, red.Input(operand.DType))
	fold.In = f.b.Type(v)
	if f.b.Err() != nil {
		return nil, f.b.Err()
	}
	fold.State = red.State(fold.In)
	if by := red.Uncounted(); by != nil && arg.Groups == 0 {
		// A count beside every sum would double the state and the work.
		fold.By = by
		if sum := fold.State[0].DType; kernels.Accumulator(fold.In) != sum {
			v = f.b.Cast(v, sum)
			fold.In = sum
		}
		fold.State = by.State(fold.In)
	}
	for _, c := range fold.State {
		fold.StateItem += int64(c.DType.Size())
	}
	for i := range rank {
		if !it.cells.Set.Has(i) {
			fold.Kept = append(fold.Kept, i)
		}
	}
	args := []kernels.Reg{v}
	if red.Indexed {
		args = append(args, f.b.Position(f.body.Shape, it.cells.Set))
	}
	pf := kernels.Fold{Op: fold.By.ID, Args: args, Axes: it.cells.Set, Group: -1}
	switch {
	case arg.Groups > 0 && arg.IDs != nil:
		f.input(&Leaf{Kind: Group, Axes: []AxisMap{follow(arg.Axes[0])}, DType: dtype.Int32, ItemBytes: 4, IDs: arg.IDs})
		fold.GroupLeaf = len(f.body.Leaves) - 1
	case arg.Groups > 0:
		ids := n.In[1]
		fold.GroupLeaf, err = f.addLeaf(f.through(ids, broadcastMaps(operand, ids, identityMaps(rank))))
		if err != nil {
			return nil, err
		}
		f.portOf(fold.GroupLeaf, false)
	}
	if fold.GroupLeaf >= 0 {
		pf.Group = int16(len(f.body.Ports) - 1)
	}
	f.b.Fold(pf)
	f.body.foldIn = append(f.body.foldIn, fold.In)
	if fold.Combine, err = f.pl.compile(kernels.CombineOf(fold.By.ID, fold.State)); err != nil {
		return nil, err
	}
	fold.Finish, err = f.pl.finish(fold)
	return fold, err
}

// finish compiles the program from a fold's state to its result.
func (pl *planner) finish(fold *Fold) (kernels.Kernel, error) {
	rank := len(fold.Kept)
	if fold.Groups > 0 {
		rank++
	}
	b := kernels.NewBuilder(rank)
	state := make([]kernels.Reg, len(fold.State))
	for i, c := range fold.State {
		p := kernels.In(c.DType)
		p.Access = kernels.Contiguous
		if rank == 0 {
			p.Access = kernels.Broadcast
		}
		state[i] = b.Input(p)
	}
	if fold.By != fold.Reduction {
		count := reduced(fold.Node.In[0].Shape(), fold)
		state = append(state, b.Const(kernels.Const{DType: dtype.Int64, Bits: uint64(count)}))
	}
	arg := fold.Node.Arg.(graph.ReduceArg)
	b.Ret(b.Cast(fold.Reduction.Aggregate(b, state, fold.In, arg.Params), fold.Node.DType))
	p, err := b.Build()
	if err != nil {
		return nil, err
	}
	return pl.compile(p)
}

// GroupND reports whether the fold's groups come from an array of ids instead of a list along one axis.
func (f *Fold) GroupND() bool { return f.Groups > 0 && f.Node.Arg.(graph.ReduceArg).IDs == nil }

// KeepDims reports whether reduced axes remain with length 1.
func (f *Fold) KeepDims() bool { return f.Node.Arg.(graph.ReduceArg).KeepDims }

// Made returns the results that the stage makes, of Plan.Results: those of its folds and of its scan.
func (s *Stage) Made() []int {
	var made []int
	for _, f := range s.Folds {
		made = append(made, f.Result)
	}
	if s.Scan != nil {
		made = append(made, s.Scan.Result)
	}
	return made
}

// Hash tells stages of other computations apart; 0: it copies.
func (s *Stage) Hash() uint64 {
	if units := s.Units(); len(units) > 0 {
		return units[0].Hash()
	}
	return 0
}

// Units returns what the stage has computed for its elements, in the order it is run; none: it copies. Joins of folds are not among them.
func (s *Stage) Units() []kernels.Unit {
	var units []kernels.Unit
	if s.Body.Program != nil {
		units = append(units, s.Body.Program)
	}
	if s.Scan != nil {
		units = append(units, s.Scan.Unit)
	}
	return units
}

// Computes reports whether the stage does more than to copy.
func (s *Stage) Computes() bool { return len(s.Units()) > 0 }

// Reads reports whether the stage reads stored arrays.
func (s *Stage) Reads() bool { return s.reads(func(l *Leaf) bool { return l.Kind == Stored }) }

// reads reports whether the stage, or a part inside it, has such a leaf.
func (s *Stage) reads(such func(*Leaf) bool) bool {
	found := false
	visit(s.Body, func(l *Leaf, _ *Body) { found = found || such(l) })
	return found
}

// Place returns the output in whose memory root i of the stage's body is computed, -1 where it needs
// blocks of its own.
func (p *Plan) Place(s *Stage, root int) int {
	if s.Scan != nil {
		return -1 // there goes what is made of it
	}
	return p.placed(s, root)
}

// placed returns the output in memory that what is made of root i goes to, -1 where there is none.
func (p *Plan) placed(s *Stage, root int) int {
	for _, w := range s.Writes {
		if w.Root == root && p.Outputs[w.Output].Placed {
			return w.Output
		}
	}
	return -1
}

// LoopBytes returns the bytes of the stage's loop, for progress: elements times the largest item that goes in or out.
func (s *Stage) LoopBytes() int64 {
	item := int64(1)
	for _, l := range s.Body.Leaves {
		item = max(item, l.ItemBytes)
	}
	for _, r := range s.Body.Roots {
		item = max(item, int64(r.Node.ItemBytes))
	}
	return s.Body.Shape.Size() * item
}

// StageName returns what a stage makes, for messages.
func (p *Plan) StageName(s *Stage) string {
	var list []string
	for _, w := range s.Writes {
		list = append(list, p.Outputs[w.Output].Name)
	}
	for _, f := range s.Folds {
		list = append(list, f.Reduction.Name)
	}
	if s.Scan != nil && len(list) == 0 {
		list = append(list, s.Scan.Op.Name)
	}
	list = slices.DeleteFunc(list, func(n string) bool { return n == "" })
	switch len(list) {
	case 0:
		return "result"
	case 1:
		return list[0]
	}
	return fmt.Sprintf("%s and %d more", list[0], len(list)-1)
}

// ResultAxis returns the axis of the fold's result that kept loop axis i becomes.
func (f *Fold) ResultAxis(i int) int {
	r := 0
	if f.GroupND() {
		r = 1
	}
	for a := range i {
		if !f.Cells.Set.Has(a) || f.KeepDims() || f.Groups > 0 && !f.GroupND() {
			r++
		}
	}
	return r
}
