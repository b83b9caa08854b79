// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"sync"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// Sink is how a result of Columns is summed: without NaN, and with what is left counted.
type Sink struct{ Skip, Count bool }

// Columns is machine code that computes rows and adds them to accumulators of their columns, without storing them.
type Columns interface {
	// Run takes rows of n elements, a multiple of Lanes. ptrs holds the addresses of the inputs, room for one more, and for each sink those
	// of its float64 accumulators, of its int64 counts, and of 4 and of 2 bytes for each column, which are 0 before and after; rows tells
	// how the inputs' rows follow each other.
	Run(ptrs []unsafe.Pointer, n int, rows *Rows)
	Lanes() int
}

// columnTile is how many columns are folded at a time: their accumulators stay in the caches next to the processor.
const columnTile = 2048

// sinkPtrs is how many addresses a sink has.
const sinkPtrs = 4

// columnCode is the fused form of a group of sums over axes before the last, whose operands are computed.
type columnCode struct {
	asm   Assembler
	p     *kernels.Program // with the inputs that it reads, and the folds' operands as results
	in    []int            // of p's inputs, which of the part's they are
	sinks []Sink

	mu       sync.Mutex
	variants map[uint64]Columns // by which inputs have one value; nil: has none
}

// columnSum is a sweep whose accumulators are float64 and lie in its outputs.
type columnSum interface {
	column(at int) (acc, count unsafe.Pointer)
}

func (s *sumSweep[T, A]) column(at int) (acc, count unsafe.Pointer) {
	if s.skip && s.counted {
		count = unsafe.Pointer(&s.cnt[at])
	}
	return unsafe.Pointer(&s.out[at]), count
}

// newColumnCode returns the fused form of a group, or nil where there is none. part is its program.
func newColumnCode(part *kernels.Program, g *foldGroup, asm Assembler) *columnCode {
	if asm == nil || g.group >= 0 || g.twice || part.Rank == 0 || g.axes.Has(part.Rank-1) || len(part.Ret) > 0 || len(part.Slow) > 0 {
		return nil
	}
	f := &columnCode{asm: asm, variants: map[uint64]Columns{}}
	first := len(part.In) + len(part.Consts)
	used := make([]bool, len(part.In))
	read := func(r kernels.Reg) {
		if r >= 0 && int(r) < len(used) {
			used[r] = true
		}
	}
	for _, in := range part.Body {
		if !asm.Supports(part, in) {
			return nil
		}
		for _, a := range in.Args {
			read(a)
		}
	}
	for _, it := range g.items {
		r, a := kernels.ReductionOf(it.fold.Op), it.fold.Args[0]
		d := part.RegType(a)
		if r.Algebra != kernels.FoldSum && r.Algebra != kernels.FoldMean || !d.IsFloat() || narrow(d) || int(a) >= len(part.In) && int(a) < first {
			return nil
		}
		read(a)
		f.sinks = append(f.sinks, Sink{r.SkipNaN, r.SkipNaN && r.Algebra == kernels.FoldMean})
	}
	q := &kernels.Program{Consts: part.Consts}
	to := make([]kernels.Reg, len(used))
	for i, u := range used {
		if u {
			if part.In[i].Gather >= 0 {
				return nil
			}
			to[i] = kernels.Reg(len(q.In))
			q.In = append(q.In, kernels.In(part.In[i].DType))
			f.in = append(f.in, i)
		}
	}
	gone := kernels.Reg(len(used) - len(q.In))
	move := func(r kernels.Reg) kernels.Reg {
		switch {
		case r < 0:
			return r
		case int(r) < len(used):
			return to[r]
		}
		return r - gone
	}
	for _, in := range part.Body {
		for k := range in.Args {
			in.Args[k] = move(in.Args[k])
		}
		q.Body = append(q.Body, in)
	}
	for _, it := range g.items {
		q.Ret = append(q.Ret, move(it.fold.Args[0]))
	}
	f.p = q
	if len(q.In) > maxFolds || f.variant(0) == nil {
		return nil
	}
	return f
}

// variant returns the code for inputs of which those in the set have one value, or nil.
func (f *columnCode) variant(set uint64) Columns {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.variants[set]
	if !ok {
		same := make([]bool, len(f.in))
		for i := range same {
			same[i] = set>>i&1 == 1
		}
		if got, err := f.asm.AssembleColumns(f.p, same, f.sinks); err == nil { // what has no code goes the other way
			c = got
		}
		f.variants[set] = c
	}
	return c
}

// columnRun is the state of a run of columnCode.
type columnRun struct {
	set   uint64 // inputs of one value
	run   Columns
	items []folding // those of the group
	in    []folding // one for each input; the last one's sweep does the work
	ptrs  []unsafe.Pointer
	held  [][]byte // of each sink, what the code keeps of the columns between panels of rows
	by    Rows
	tail  [][]byte // columns behind the last whole lanes, copied: of each input, then of each sink's accumulators and counts
}

// columns runs the group by fused code, or reports false where an operand does not lie for it. The exec is bound.
func (r *foldRun) columns(g *foldGroup, c *kernels.Call, e *exec, f *columnCode) bool {
	geo, last := &r.geo, r.geo.n-1
	if geo.dim[last] < rowRun {
		return false
	}
	set := uint64(0)
	for k, i := range f.in {
		s := &e.in[i]
		switch s.stride[last] {
		case 1:
		case 0:
			set |= 1 << k
		default:
			return false
		}
		for a := range last {
			if s.stride[a] < 0 {
				return false
			}
		}
	}
	n := f.variant(set)
	if n == nil {
		return false
	}
	w := &r.column
	w.begin(r, f, n)
	w.set = set
	defer w.end()
	r.bind(g, c, 1)
	r.dim = geo.dim
	r.dim[last] = min(r.dim[last], columnTile)
	_ = geo.boxes(&r.dim, func(b *box) error { // never fails
		for k, i := range f.in {
			w.in[k].src[0].base = e.in[i].first(geo, b)
			w.in[k].src[0].stride = e.in[i].stride
			w.in[k].src[0].stride[last] = 1 // of one value too: it is read once for each row
		}
		geo.walk(b, w.in, false)
		return nil
	})
	return true
}

// sameSize are dtypes that are read as they are.
var sameSize = [9]dtype.DType{1: dtype.Uint8, 2: dtype.Uint16, 4: dtype.Uint32, 8: dtype.Uint64}

func (w *columnRun) begin(r *foldRun, f *columnCode, run Columns) {
	w.run, w.items = run, r.folds
	if w.in != nil {
		return
	}
	for k, in := range f.p.In {
		d := folding{sweep: &columnSweep{w: w, k: k, last: k == len(f.in)-1}, nargs: 1}
		d.src[0].dt, d.src[0].size = sameSize[in.DType.Size()], in.DType.Size()
		w.in = append(w.in, d)
	}
	w.ptrs = make([]unsafe.Pointer, len(f.in)+1+sinkPtrs*len(f.sinks))
	for range f.sinks {
		w.held = append(w.held, make([]byte, 6*columnTile))
	}
}

// end forgets every address.
func (w *columnRun) end() {
	clear(w.ptrs)
	for k := range w.in {
		w.in[k].src[0].base = nil
	}
}

// columnSweep stands for an input in the walk of a box: all note where their rows are, the last one starts, folds and ends for all.
type columnSweep struct {
	sweep // not asked for anything else
	w     *columnRun
	k     int
	last  bool
}

func (s *columnSweep) start(slot, at, n int) {
	for i := range s.w.items {
		if s.last {
			s.w.items[i].sweep.start(slot, at, n)
		}
	}
}

func (s *columnSweep) end(slot, at, n, rows int) {
	for i := range s.w.items {
		if s.last {
			s.w.items[i].sweep.end(slot, at, n, rows)
		}
	}
}

func (s *columnSweep) rows(_, at, n int, x args, stride [2]int, count int, _ bool) {
	w := s.w
	w.ptrs[s.k], w.by.Step[s.k] = x[0], stride[0]*w.in[s.k].src[0].size
	if s.last {
		w.fold(at, n, count)
	}
}

// fold adds count rows of n columns, whose inputs are noted, to the outputs from at on.
func (w *columnRun) fold(at, n, count int) {
	sinks := w.ptrs[len(w.in)+1:]
	for i := range w.items {
		s := sinks[sinkPtrs*i:]
		s[0], s[1] = w.items[i].sweep.(columnSum).column(at)
		s[2], s[3] = unsafe.Pointer(&w.held[i][0]), unsafe.Pointer(&w.held[i][4*columnTile])
	}
	lanes := w.run.Lanes()
	whole := n &^ (lanes - 1)
	if whole > 0 {
		w.calls(whole, count)
	}
	if n > whole {
		w.rest(whole, n-whole, count)
	}
}

// calls runs the code, a bounded number of elements at a time. Afterwards ptrs are at the first row again.
func (w *columnRun) calls(n, count int) {
	most := max(1, callMost/n)
	move := func(rows int) {
		for k := range w.in {
			w.ptrs[k] = unsafe.Add(w.ptrs[k], rows*w.by.Step[k])
		}
	}
	done := 0
	for {
		w.by.Count = min(most, count-done)
		w.run.Run(w.ptrs, n, &w.by)
		if done+most >= count {
			break
		}
		move(most)
		done += most
	}
	move(-done)
}

// rest folds n columns, fewer than the code takes, from column from on: on copies that are as wide as it wants.
func (w *columnRun) rest(from, n, count int) {
	lanes := w.run.Lanes()
	sinks := w.ptrs[len(w.in)+1:]
	if w.tail == nil {
		w.tail = make([][]byte, len(w.in)+2*len(w.items))
		for i := range w.tail {
			w.tail[i] = make([]byte, kernels.OuterBlock*8*lanes)
		}
	}
	for k := range w.in {
		if w.set>>k&1 == 0 {
			size := w.in[k].src[0].size
			for r := range count {
				x := unsafe.Add(w.ptrs[k], r*w.by.Step[k]+from*size)
				copy(w.tail[k][r*lanes*size:], unsafe.Slice((*byte)(x), n*size))
			}
			w.ptrs[k], w.by.Step[k] = unsafe.Pointer(unsafe.SliceData(w.tail[k])), lanes*size
		}
	}
	var to [2 * maxFolds][]byte
	for i := range 2 * len(w.items) {
		p := &sinks[i/2*sinkPtrs+i%2]
		if *p == nil {
			continue
		}
		to[i] = unsafe.Slice((*byte)(unsafe.Add(*p, 8*from)), 8*n)
		t := w.tail[len(w.in)+i]
		copy(t, to[i])
		*p = unsafe.Pointer(unsafe.SliceData(t))
	}
	w.calls(lanes, count)
	for i := range 2 * len(w.items) {
		copy(to[i], w.tail[len(w.in)+i])
	}
}
