// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// piece is a call, or a part of one that is cut because it does not fit the device's memory.
type piece struct {
	*kernels.Call
	parts  []taken // by the kernel's parts
	second bool    // the second sweep of folds that are split: nothing else is to be done
	lone   run     // not empty: a piece of one block, of whose operands only these numbers are wanted
}

// taken is what a piece takes of the numbers of a part's folds: those that its box holds, without what other pieces take.
type taken struct {
	run
	resumes bool // from the states in the outputs
	split   bool // all pieces are swept once for the means of variances, and once more for the squares
	other   bool // the part is another piece's
}

// does reports whether a piece is to do part i.
func (p *piece) does(i int) bool { return !p.parts[i].other && (!p.second || p.parts[i].split) }

// bytes returns the bytes of a piece's operands and results.
func (p *piece) bytes() (n int64) {
	for _, c := range slices.Concat(p.In, p.Out) {
		n += c.Shape.Size() * int64(c.ItemBytes)
	}
	return n
}

func (k *programForm) whole(c *kernels.Call) *piece {
	p := &piece{Call: c, parts: make([]taken, len(k.parts))}
	for i, q := range k.parts {
		p.parts[i] = taken{run: run{0, numbers(c.Shape, q.axes, 0)}, resumes: c.Continue && len(q.folds) > 0}
	}
	return p
}

// numbers returns how many numbers a fold has, of the axes from first on.
func numbers(shape chunk.Shape, axes kernels.AxisSet, first int) int64 {
	n := int64(1)
	for a := first; a < len(shape); a++ {
		if axes.Has(a) {
			n *= shape[a]
		}
	}
	return n
}

func (k *programForm) halves(p *piece) (parts []*piece, twice bool) {
	if p.lone != (run{}) {
		return nil, false
	}
	axis, at := k.cut(p)
	if axis < 0 {
		if parts = k.apart(p); parts == nil {
			parts = k.across(p)
		}
		return parts, false
	}
	two, twice := k.divide(p, axis, at)
	return two[:], twice
}

// apart returns the first part that a piece does and the others as two pieces: what cannot be cut for folds along different axes together can be for
// each of them. nil where there is one part.
func (k *programForm) apart(p *piece) []*piece {
	first := -1
	one, others := *p, *p
	one.parts, others.parts = slices.Clone(p.parts), slices.Clone(p.parts)
	more := false
	for i := range p.parts {
		switch {
		case !p.does(i):
		case first < 0:
			first = i
			others.parts[i].other = true
		default:
			more = true
			one.parts[i].other = true
		}
	}
	if !more {
		return nil
	}
	return []*piece{&one, &others}
}

// across cuts a piece that has one part, and keeps no axis longer than 1, in three at a position of its outermost axis: what comes before, the block that lies
// across, and the rest. nil where that does not help either.
func (k *programForm) across(p *piece) []*piece {
	i := -1
	for j := range p.parts {
		if p.does(j) {
			i = j
		}
	}
	axis := slices.IndexFunc(p.Shape, func(n int64) bool { return n > 1 })
	if i < 0 || axis < 0 || len(k.parts[i].folds) == 0 || inSequence(p, k.parts[i]) || !k.parts[i].axes.Has(axis) {
		return nil
	}
	q, t := k.parts[i], p.parts[i]
	n, b, inner := p.Shape[axis], blockOf(q), numbers(p.Shape, q.axes, axis+1)
	at := max(n/2, t.from/inner+1)
	cut := at * inner
	if at >= n || cut >= t.to {
		return nil
	}
	middle := t.from + (cut-t.from)/b*b
	behind := min(t.to, middle+b)
	var pieces []*piece
	add := func(lo, hi, from, to int64, lone run) {
		if from == to {
			return
		}
		h := &piece{parts: slices.Clone(p.parts), lone: lone}
		h.parts[i].run = run{from - lo*inner, to - lo*inner}
		h.Call = k.slice(p, axis, lo, hi, func(int) (int64, int64) { return (from - t.from) / b, (to - t.from + b - 1) / b })
		pieces = append(pieces, h)
	}
	add(0, at, t.from, middle, run{})
	add(0, n, middle, behind, run{middle, behind})
	add(at, n, behind, t.to, run{})
	return pieces
}

// cut returns where a piece is cut in two: in the middle of its longest axis that no fold reduces; where there is none, near the middle of the
// longest that can be cut. axis is -1 where none can be cut.
func (k *programForm) cut(p *piece) (axis int, at int64) {
	axis = -1
	length, kept := int64(1), false
	for a, n := range p.Shape {
		m := n / 2
		reduced := k.reduces(p, a)
		if reduced && p.Shape.Size() > 0 {
			m = k.between(p, a)
		}
		if n < 2 || kept && reduced || n <= length && kept != reduced || reduced && !k.divides(p, a, m) {
			continue
		}
		axis, at, length, kept = a, m, n, !reduced
	}
	return axis, at
}

// reduces reports whether some fold that a piece does goes along an axis.
func (k *programForm) reduces(p *piece, axis int) bool {
	for i, q := range k.parts {
		if p.does(i) && q.axes.Has(axis) {
			return true
		}
	}
	return false
}

// between returns a position near the middle of an axis that folds reduce: between two blocks of all of them where there is one, else where
// a block of the longest, in positions, ends.
func (k *programForm) between(p *piece, axis int) int64 {
	n, unit, longest := p.Shape[axis], int64(1), int64(1)
	at := n / 2
	for i, q := range k.parts {
		if !p.does(i) || !q.axes.Has(axis) || inSequence(p, q) {
			continue
		}
		t, block, inner := p.parts[i], blockOf(q), numbers(p.Shape, q.axes, axis+1)
		if half := t.blocks(foldTemplate(q)) / 2; block/inner > longest && half > 0 {
			longest, at = block/inner, (t.from+half*block)/inner
		}
		for block > 1 && inner > 1 && inner%2 == 0 { // over their greatest common divisor, a power of 2 as blocks are
			block, inner = block/2, inner/2
		}
		if unit = max(unit, block); t.from != 0 { // powers of 2, but for n: no block ends at a multiple
			unit = n
		}
	}
	if n > unit {
		at = max(unit, n/2/unit*unit)
	}
	return min(max(at, 1), n-1)
}

// inSequence reports whether a part has one accumulator for each of its cells, which a later piece can go on with.
func inSequence(p *piece, q *part) bool { return q.group >= 0 || p.Continue }

// blockOf returns how many numbers a block of a part's folds has.
func blockOf(q *part) int64 {
	if foldTemplate(q) == templateLanes {
		return kernels.InnerBlock
	}
	return kernels.OuterBlock
}

// divides reports whether a piece can be cut along an axis that folds reduce: their numbers before the cut must be those before all others,
// both parts must be smaller than the piece, and states that go on must not do so in both.
func (k *programForm) divides(p *piece, axis int, at int64) bool {
	if p.Shape.Size() == 0 {
		return false
	}
	for i, q := range k.parts {
		if p.does(i) && q.axes.Has(axis) && numbers(p.Shape[:axis], q.axes, 0) > 1 {
			return false
		}
	}
	parts, splits := k.divide(p, axis, at)
	// What is swept twice already is not begun again in the middle of a sweep.
	again := slices.ContainsFunc(p.parts, func(t taken) bool { return t.split })
	if parts[0].Shape[axis] == p.Shape[axis] || splits && again {
		return false
	}
	if parts[0].Shape[axis] == at {
		return true
	}
	for i, q := range k.parts { // which keep the axis: some of their cells are in both parts
		if t := p.parts[i]; p.does(i) && !q.axes.Has(axis) && (t.resumes || t.split) {
			return false
		}
	}
	return true
}

// divide cuts a piece at a position of an axis. Where blocks of folds go over the cut, the first part reaches as far as they do, and the second
// skips their numbers. splits reports whether the parts are to be swept twice.
func (k *programForm) divide(p *piece, axis int, at int64) (parts [2]*piece, splits bool) {
	n, end := p.Shape[axis], at
	first, second := slices.Clone(p.parts), slices.Clone(p.parts)
	blocks := make([][2]int64, len(k.parts)) // of each part of the kernel: where the first piece's end, and all
	for i, q := range k.parts {
		if !p.does(i) || !q.axes.Has(axis) {
			continue
		}
		t, inner := p.parts[i], numbers(p.Shape, q.axes, axis+1)
		cut := at * inner
		if inSequence(p, q) {
			first[i].to, second[i].to = min(t.to, cut), max(t.to-cut, 0)
			second[i].resumes = true
			if q.twice() != nil && !t.split {
				first[i].split, second[i].split, splits = true, true, true
			}
			continue
		}
		b := blockOf(q)
		all := t.blocks(foldTemplate(q))
		before := min(max(0, (cut-t.from+b-1)/b), all)
		blocks[i] = [2]int64{before, all}
		first[i].run, second[i].run = run{t.from, min(t.to, t.from+before*b)}, run{t.from + before*b - cut, t.to - cut}
		if before == 0 {
			first[i].run = run{}
		}
		if before == all {
			second[i].run = run{}
		}
		end = max(end, (first[i].to+inner-1)/inner)
	}
	end = min(end, n)
	parts[0] = &piece{Call: k.slice(p, axis, 0, end, func(i int) (int64, int64) { return 0, blocks[i][0] }), parts: first, second: p.second}
	parts[1] = &piece{Call: k.slice(p, axis, at, n, func(i int) (int64, int64) { return blocks[i][0], blocks[i][1] }), parts: second, second: p.second}
	return parts, splits
}

// slice returns the box of a piece's call from lo to hi along an axis; blocks says which blocks of the folds of a kernel's part it has, where they
// are in blocks along the axis.
func (k *programForm) slice(p *piece, axis int, lo, hi int64, blocks func(part int) (from, to int64)) *kernels.Call {
	c := p.Call
	cut := func(x *chunk.Chunk, at int, lo, hi int64) *chunk.Chunk {
		r := chunk.Region{Lo: make(chunk.Shape, len(x.Shape)), Hi: x.Shape.Clone()}
		r.Lo[at], r.Hi[at] = lo, hi
		return x.Sub(r)
	}
	h := &kernels.Call{Shape: c.Shape.Clone(), Origin: make(chunk.Shape, len(c.Shape)), Scratch: c.Scratch, Continue: c.Continue}
	copy(h.Origin, c.Origin)
	h.Shape[axis] = hi - lo
	h.Origin[axis] += lo
	for i, in := range c.In {
		if in.Strides[axis] != 0 && int(k.p.In[i].Gather) != axis {
			in = cut(in, axis, lo, hi)
		}
		h.In = append(h.In, in)
	}
	h.Out = slices.Clone(c.Out)
	for i, q := range k.parts {
		if !p.does(i) {
			continue
		}
		for j := range q.ret {
			h.Out[j] = cut(c.Out[j], axis, lo, hi)
		}
		at, from, to := 1, lo, hi // blocks or groups come first, then the kept axes
		switch {
		case !q.axes.Has(axis):
			for a := range axis {
				if !q.axes.Has(a) {
					at++
				}
			}
		case inSequence(p, q):
			continue
		default:
			at = 0
			from, to = blocks(i)
		}
		for _, f := range q.folds {
			for j := range f.r.State(q.p.RegType(f.Args[0])) {
				h.Out[f.out+j] = cut(c.Out[f.out+j], at, from, to)
			}
		}
	}
	return h
}
