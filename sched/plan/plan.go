// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// ErrBudget is wrapped when a plan cannot fit the memory budget.
var ErrBudget = errors.New("sched: memory budget")

// Output is an array to compute: into a sink, or when Sink is nil to memory or a function of the
// engine's caller.
type Output struct {
	Node   *graph.Node
	Name   string
	Sink   formats.Sink
	Placed bool          // into memory, where programs can write it in place
	With   []*graph.Node // of Node's shape: the function is given their regions beside it
}

// nodes returns all that the output is computed from.
func (o *Output) nodes() []*graph.Node { return append([]*graph.Node{o.Node}, o.With...) }

// Options says what a plan is made for.
type Options struct {
	Device  kernels.Device
	Budget  int64 // bytes of host memory
	Beside  int64 // of those, bytes that are taken while the plan runs: lists of positions
	Workers int
	NoFuse  bool // every Map is a program of its own
	Far     bool // a GPU is opened for the plan
	// TileElements bounds the elements of a tile that is larger than it has to be; 0: the default.
	TileElements int64
	Chains       Chains
	// Scratch makes storage, cut by the grid, for a result that does not fit beside the rest; nil: such plans are refused.
	Scratch func(n *graph.Node, grid chunk.Grid) Scratch
	Room    func() (int64, bool) // bytes that are free where scratch storage is, false where nobody knows; nil: enough
}

// Plan is the physical plan of some outputs. It is read only once built; its
// size is in the number of operations, never in the number of chunks.
type Plan struct {
	Outputs []Output
	Stages  []*Stage // in an order that respects dependencies
	Sources []*Source
	Results []*Result
	Chains  []*Chain
	Spills  []*Spill // results that go to scratch storage; their outputs follow those that were asked for
	Budget  int64
	Workers int
	Peak    int64         // projected bytes
	Least   int64         // bytes without which some stage cannot run, those beside it included
	Beside  int64         // bytes taken while the plan runs
	Rates   func() []Rate // what places were compared by; nil: nothing was
	opt     Options
}

// Source is a stored array that the plan reads.
type Source struct {
	Node   *graph.Node
	Source formats.Source
	Name   string
	Keep   bool   // decoded once and kept in memory from stage First to stage Last
	Why    string // why it is kept or read again
	First  int
	Last   int
	Reads  float64      // how often each element is decoded when it is not kept
	Box    chunk.Region // what is read of it
	Spill  *Spill       // nil: it was there before the run
	Chain  *Chain       // whose bands are kept, one after another; nil: the whole is
	Blocks bool         // it is kept chunk after chunk: nothing that stages ask for lies in two
	band   []int        // the axes that the chain's are
}

// Bytes returns the decoded bytes of the whole source.
func (s *Source) Bytes() int64 { return s.Node.Shape().Size() * int64(s.Node.ItemBytes) }

// boxBytes bounds what all that is read of the source takes in memory.
func (s *Source) boxBytes() int64 { return mem.ClassBytes(s.Box.Size() * int64(s.Node.ItemBytes)) }

// Result is the materialised result of a fold or a scan: made by stage Made, last read by stage Last.
type Result struct {
	Node   *graph.Node
	Made   int
	Last   int
	Direct bool // goes to outputs part by part and is never whole in memory
}

// Bytes returns the bytes of the result in memory.
func (r *Result) Bytes() int64 {
	if r.Direct {
		return 0
	}
	return r.Node.Shape().Size() * int64(r.Node.ItemBytes)
}

// Name returns what plans call the result.
func (r *Result) Name() string { return nodeName(r.Node) }

// directShare: the result of a fold stays in memory until it is written, unless it is larger than this share of the budget.
const directShare = 16

// planner holds what is shared while a plan is made.
type planner struct {
	ctx       context.Context
	opt       Options
	plan      *Plan
	sources   map[*graph.Node]int
	results   map[*graph.Node]int
	parts     map[*graph.Node]*Part
	levels    map[*graph.Node]int
	loads     []*graph.Node         // those that are copied to scratch storage
	copies    map[*graph.Node]int   // the sources that these copies are
	made      []*graph.Node         // every Reduce and Scan that is needed, inputs before users
	uses      map[*graph.Node]int   // how often a node is an input of another
	direct    map[*graph.Node][]int // folds and scans that go straight to outputs
	spans     map[spanKey]int64
	unchained bool // chains did not fit
}

// Build plans the outputs. Errors of nodes come back as they are; a plan that
// cannot fit gives an error wrapping ErrBudget that names stage, need, budget and what would work.
func Build(ctx context.Context, outs []Output, opt Options) (*Plan, error) {
	if opt.Workers < 1 {
		opt.Workers = 1
	}
	if opt.TileElements <= 0 {
		opt.TileElements = tileElements
	}
	p, err := fit(ctx, outs, opt)
	if err != nil {
		return nil, withWorking(ctx, err, outs, opt)
	}
	return p, nil
}

// build is Build for one budget and one choice of results to spill. Where that does not fit it also returns
// the result that is to be spilled next, nil when that is no help.
func build(ctx context.Context, outs []Output, opt Options, spill map[*graph.Node]Scratch) (p *Plan, next *graph.Node, err error) {
	whole := opt.Budget
	opt.Budget -= opt.Beside
	pl := &planner{
		ctx: ctx, opt: opt,
		plan:    &Plan{Outputs: outs, Budget: opt.Budget, Beside: opt.Beside, Workers: opt.Workers, opt: opt},
		sources: map[*graph.Node]int{}, results: map[*graph.Node]int{},
		parts: map[*graph.Node]*Part{}, levels: map[*graph.Node]int{},
		copies: map[*graph.Node]int{}, uses: map[*graph.Node]int{}, direct: map[*graph.Node][]int{}, spans: map[spanKey]int64{},
	}
	for n := range spill {
		if n.Kind == graph.Load {
			pl.loads = append(pl.loads, n)
			pl.levels[n] = 1 // others read it when it is there
		}
	}
	slices.SortFunc(pl.loads, func(a, b *graph.Node) int { return cmp.Compare(a.ID, b.ID) })
	top := 0
	for _, o := range outs {
		for _, n := range o.nodes() {
			if n.Err != nil {
				return nil, nil, n.Err
			}
			if n.Shape().Size() < 0 {
				return nil, nil, fmt.Errorf("plan: %s: shape %v has a length that is not known yet%s: %w", o.Name, n.Shape(), at(n), chunk.ErrShape)
			}
			if !n.Shape().Equal(o.Node.Shape()) {
				return nil, nil, fmt.Errorf("plan: %s: shapes %v and %v are to be looked at together%s: %w", o.Name, o.Node.Shape(), n.Shape(), at(n), chunk.ErrShape)
			}
			top = max(top, pl.level(n))
			if len(o.With) > 0 {
				pl.uses[n]++ // it is no output of its own
			}
		}
	}
	for i, o := range outs {
		// A large result that nothing else needs is written part by part; one of a scan whatever its size, as its tasks have whole tiles.
		large := o.Node.Shape().Size()*int64(o.Node.ItemBytes) > opt.Budget/directShare
		if pl.uses[o.Node] == 0 && (o.Node.Kind == graph.Scan || o.Node.Kind == graph.Reduce && large) {
			pl.direct[o.Node] = append(pl.direct[o.Node], i)
		}
	}
	pl.spills(spill)
	if err := pl.cut(top); err != nil {
		return nil, pl.candidate(spill), err
	}
	if err := pl.lifetimes(); err != nil {
		return nil, pl.candidate(spill), err
	}
	p = pl.plan
	p.Budget, p.Least, p.Peak = whole, p.Least+p.Beside, p.Peak+p.Beside
	return p, nil, nil
}

// level returns the first level of stages in which n's values can be computed:
// one more than the folds and scans below it need.
func (pl *planner) level(n *graph.Node) int {
	if l, ok := pl.levels[n]; ok {
		return l
	}
	l := 0
	for _, in := range n.In {
		pl.uses[in]++
		l = max(l, pl.level(in))
	}
	if ends(n) {
		l++
		pl.made = append(pl.made, n)
	}
	pl.levels[n] = l
	return l
}

func (pl *planner) source(n *graph.Node) int {
	i, ok := pl.sources[n]
	if !ok {
		arg := n.Arg.(graph.LoadArg)
		i = len(pl.plan.Sources)
		pl.plan.Sources = append(pl.plan.Sources, &Source{Node: n, Source: arg.Source, Name: arg.Name, First: -1})
		pl.sources[n] = i
	}
	return i
}

func (pl *planner) result(n *graph.Node) int {
	i, ok := pl.results[n]
	if !ok {
		i = len(pl.plan.Results)
		pl.plan.Results = append(pl.plan.Results, &Result{Node: n, Made: -1, Last: -1, Direct: pl.direct[n] != nil})
		pl.results[n] = i
	}
	return i
}

func (pl *planner) compile(p kernels.Unit) (kernels.Kernel, error) {
	k, err := pl.opt.Device.Compile(pl.ctx, p)
	if err != nil {
		return nil, fmt.Errorf("plan: compile for %s: %w", pl.opt.Device.Name(), err)
	}
	return k, nil
}

// body fuses roots over a loop into one Body.
func (pl *planner) body(loop chunk.Shape, roots ...*graph.Node) (*Body, error) {
	f, err := pl.newFuser(loop)
	if err != nil {
		return nil, err
	}
	for _, n := range roots {
		if err := f.root(n); err != nil {
			return nil, err
		}
	}
	return f.finish()
}

// part returns how n is computed over regions of its own coordinates.
func (pl *planner) part(n *graph.Node) (*Part, error) {
	if p, ok := pl.parts[n]; ok {
		return p, nil
	}
	p := &Part{Node: n}
	roots := n.In
	switch n.Kind {
	case graph.Stack:
		p.Axis = n.Arg.(graph.StackArg).Axis
		start := int64(0)
		for _, in := range n.In {
			p.Starts = append(p.Starts, start)
			start += in.Shape()[p.Axis]
		}
	case graph.Opaque:
		arg := n.Arg.(graph.OpaqueArg)
		p.Opaque = &arg
		if arg.Unit != nil {
			var err error
			if p.Kernel, err = pl.compile(arg.Unit); err != nil {
				return nil, err
			}
		}
	default:
		roots = []*graph.Node{n}
	}
	for _, in := range roots {
		b, err := pl.body(in.Shape(), in)
		if err != nil {
			return nil, err
		}
		p.In = append(p.In, b)
	}
	seen := map[string]bool{}
	for i, b := range p.In {
		if k := pl.billKey(b); !seen[k] {
			seen[k] = true
			p.Kinds = append(p.Kinds, i)
		}
	}
	pl.parts[n] = p
	return p, nil
}

// billKey is equal for bodies that need the same bytes for the same regions. Hundreds of
// joined files are usually of one kind.
func (pl *planner) billKey(b *Body) string {
	k := fmt.Sprint(b.Shape)
	if b.Program != nil {
		k += b.Program.String()
	}
	for _, l := range b.Leaves {
		k += fmt.Sprint(" ", l.Kind, l.ItemBytes, l.Axes)
		switch {
		case l.Part != nil:
			k += fmt.Sprintf(" %p", l.Part)
		case l.Kind == Stored:
			src := pl.plan.Sources[l.Store].Source
			k += fmt.Sprint(" ", src.ScratchBytes(), src.Meta().Grid)
		}
	}
	return k
}
