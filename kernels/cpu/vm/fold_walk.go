// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// runMax is the longest run handed to a sweep at once, in elements.
const runMax = kernels.InnerBlock

// scratchBytes is the room for widened and copied elements of a source.
const scratchBytes = 16 * runMax

// source is one operand of a fold inside a box: where its elements are.
type source struct {
	dt      dtype.DType
	size    int            // bytes of an element in memory
	base    unsafe.Pointer // the box's first element
	stride  [kernels.MaxAxes + 1]int
	stable  bool   // the memory stays as it is until the run of the kernel ends
	scratch []byte // scratchBytes, when elements must be copied

	widener
}

// plain reports whether runs along axis can be read where they are.
func (s *source) plain(axis, n int) bool { return (s.stride[axis] == 1 || n == 1) && !narrow(s.dt) }

// at returns the address of the element off elements behind the first.
func (s *source) at(off int) unsafe.Pointer { return unsafe.Add(s.base, off*s.size) }

// run returns n elements from off on along axis as one run without gaps.
func (s *source) run(off, axis, n int) unsafe.Pointer {
	if s.plain(axis, n) {
		return s.at(off)
	}
	s.gather(0, off, s.stride[axis], n)
	return unsafe.Pointer(unsafe.SliceData(s.scratch))
}

// gather copies n elements, stride apart, to place k of the scratch, widened if they are narrow.
func (s *source) gather(k, off, stride, n int) {
	if len(s.scratch) < scratchBytes {
		s.scratch = make([]byte, scratchBytes)
	}
	to := unsafe.Pointer(unsafe.SliceData(s.scratch))
	switch {
	case narrow(s.dt):
		s.widen(values[float32](to, k+n)[k:], s.at(off), stride)
	default:
		gathers[s.size](to, s.at(off), k, stride, n)
	}
}

// gathers copies by element size.
var gathers = [17]func(to, from unsafe.Pointer, k, stride, n int){
	1: gatherOf[uint8], 2: gatherOf[uint16], 4: gatherOf[uint32], 8: gatherOf[uint64], 16: gatherOf[complex128],
}

func gatherOf[T any](to, from unsafe.Pointer, k, stride, n int) {
	y := values[T](to, k+n)[k:]
	for i := range y {
		y[i] = *(*T)(element[T](from, i*stride))
	}
}

// folding is one fold of a running kernel: its sweep and where its operands are.
type folding struct {
	sweep  sweep
	nargs  int
	src    [2]source // of positions that are a line, the second one has the strides only
	spots  placed    // the sweep, if positions are a line
	origin int64     // the position of the call's first element
	here   int64     // and of the box's
}

// geometry is the loop of a call as the folds over one set of axes see it.
type geometry struct {
	n       int // axes, the last one is the run's
	dim     [kernels.MaxAxes + 1]int
	kept    [kernels.MaxAxes + 1]bool
	from    [kernels.MaxAxes + 1]int // the first axis of the call it stands for
	weight  [kernels.MaxAxes + 1]int // of an axis's position in the kept or the reduced number
	order   []int                    // the axes but the last, kept ones first
	nkept   int                      // how many of order are kept
	inner   bool                     // the last axis is reduced
	resumed bool                     // the outputs hold the states of earlier numbers; see kernels.Call.Continue
	count   int                      // reduced elements for each kept one
	keep    int                      // kept elements
	at      box                      // where boxes is; kept here so that a call allocates nothing
}

// box is a part of the loop: position and extent along each axis.
type box struct {
	lo, dim [kernels.MaxAxes + 1]int
}

// numbers returns the kept and the reduced number of the box's first element.
func (g *geometry) numbers(b *box) (kept, number int) {
	for i := range g.n {
		if g.kept[i] {
			kept += b.lo[i] * g.weight[i]
		} else {
			number += b.lo[i] * g.weight[i]
		}
	}
	return kept, number
}

// walk feeds the box to the folds in order. Boxes of one kept element must come
// with ascending numbers. slots says that a kept run's numbers are spread over several boxes.
func (g *geometry) walk(b *box, fs []folding, slots bool) {
	for i := range g.n {
		if b.dim[i] == 0 {
			return
		}
	}
	kept, number := g.numbers(b)
	if g.inner {
		g.walkInner(b, fs, kept, number, slots)
		return
	}
	g.walkOuter(b, fs, kept, number, slots)
}

// odometer steps through positions of some axes, last fastest.
type odometer struct {
	axes []int
	pos  [kernels.MaxAxes + 1]int
}

// next moves to the next position and adds the moves to the offsets; it reports false after the last one.
func (o *odometer) next(g *geometry, b *box, number *int, fs []folding, off [][2]int) bool {
	for k := len(o.axes) - 1; k >= 0; k-- {
		i := o.axes[k]
		step := 1
		if o.pos[k]++; o.pos[k] == b.dim[i] {
			o.pos[k] = 0
			step = 1 - b.dim[i]
		}
		*number += step * g.weight[i]
		for f := range fs {
			off[f][0] += step * fs[f].src[0].stride[i]
			off[f][1] += step * fs[f].src[1].stride[i]
		}
		if o.pos[k] != 0 {
			return true
		}
	}
	return false
}

// maxFolds bounds the folds of one walk, so that their offsets live on the stack.
const maxFolds = 16

func (g *geometry) walkInner(b *box, fs []folding, kept, number int, slots bool) {
	var offs [maxFolds][2]int
	off := offs[:len(fs)]
	last := g.n - 1
	length := b.dim[last]
	outer, red := odometer{axes: g.order[:g.nkept]}, odometer{axes: g.order[g.nkept:]}
	if length == g.count && length <= kernels.InnerBlock && length > 0 {
		g.walkShort(b, fs, kept)
		return
	}
	// Runs that follow each other in number and in memory are one: what a program has computed lies like that.
	for k, inner := len(red.axes)-1, last; k >= 0 && b.dim[inner] == g.dim[inner] && joined(fs, red.axes[k], last, length); k-- {
		inner = red.axes[k]
		length *= b.dim[inner]
		red.axes = red.axes[:k]
	}
	// Short runs are copied together with those of the next reduced axis.
	rowAxis, rows := -1, 1
	if k := len(red.axes); k > 0 && length < lanes {
		rowAxis = red.axes[k-1]
		rows = b.dim[rowAxis]
		red.axes = red.axes[:k-1]
	}
	slot := 0
	for {
		for {
			n, at := number, 0
			for at < rows*length {
				in := n % kernels.InnerBlock
				if k := (length - at) / kernels.InnerBlock; in == 0 && rows == 1 && k > 0 && len(fs) == 1 && g.keep == 1 &&
					fs[0].blocks(n/kernels.InnerBlock, off[0], at, last, kernels.InnerBlock, k) {
					n += k * kernels.InnerBlock
					at += k * kernels.InnerBlock
					continue
				}
				take := min(rows*length-at, kernels.InnerBlock-in)
				n += take
				ends := n%kernels.InnerBlock == 0 || n == g.count
				blk := (n - 1) / kernels.InnerBlock
				for f := range fs {
					d := &fs[f]
					if in == 0 && ends && rows == 1 && d.blocks(blk*g.keep+kept, off[f], at, last, take, 1) {
						continue
					}
					var x args
					stable := false
					if rows > 1 {
						x = d.loadRows(off[f], at, last, rowAxis, length, take)
					} else {
						d.place(off[f][1]+at*d.src[1].stride[last], last, -1)
						x, stable = d.load(off[f], at, last, take)
					}
					d.sweep.seg(slot, in%lanes, x, take, stable)
					if ends {
						d.sweep.flush(slot, blk*g.keep+kept, n-blk*kernels.InnerBlock)
					}
				}
				at += take
			}
			if !red.next(g, b, &number, fs, off) {
				break
			}
		}
		if !outer.next(g, b, &kept, fs, off) {
			return
		}
		if slots {
			slot++
		}
	}
}

// joined reports whether each step along axis i goes length elements on along last.
func joined(fs []folding, i, last, length int) bool {
	for f := range fs {
		n := fs[f].nargs
		if fs[f].spots != nil {
			n = 2
		}
		for k := range n {
			if s := &fs[f].src[k]; s.stride[i] != s.stride[last]*length {
				return false
			}
		}
	}
	return true
}

// walkShort is walkInner where every kept element has one short run: the runs along the innermost
// kept axis go together.
func (g *geometry) walkShort(b *box, fs []folding, kept int) {
	var offs [maxFolds][2]int
	off := offs[:len(fs)]
	last := g.n - 1
	length := b.dim[last]
	outer := odometer{axes: g.order[:g.nkept]}
	along, count := last, 1
	if k := g.nkept; k > 0 {
		along = g.order[k-1]
		count = b.dim[along]
		outer.axes = outer.axes[:k-1]
	}
	for {
		for f := range fs {
			d := &fs[f]
			step := [2]int{d.src[0].stride[along], d.src[1].stride[along]}
			d.place(off[f][1], last, along)
			if s := &d.src[0]; d.nargs == 1 && s.plain(last, length) && step[0] > 0 &&
				d.sweep.shorts(kept, length, args{s.at(off[f][0])}, step[0], count) {
				continue
			}
			if d.narrowShorts(kept, length, off[f], last, along, count) {
				continue
			}
			for i := range count {
				o := [2]int{off[f][0] + i*step[0], off[f][1] + i*step[1]}
				d.place(o[1], last, -1)
				x, stable := d.load(o, 0, last, length)
				d.sweep.seg(0, 0, x, length, stable)
				d.sweep.flush(0, kept+i, length)
			}
		}
		if !outer.next(g, b, &kept, fs, off) {
			return
		}
	}
}

// blocks folds count whole blocks of n elements, which follow each other along axis from at elements behind off on, to places
// of the outputs from to on, or reports false where there is no shorter way than seg and flush.
func (d *folding) blocks(to int, off [2]int, at, axis, n, count int) bool {
	s := &d.src[0]
	if d.spots != nil {
		step := d.src[1].stride[axis]
		d.spots.place(d.here+int64(off[1]+at*step), int64(step), int64(n*step))
	}
	return d.nargs == 1 && s.plain(axis, n) && d.sweep.shorts(to, n, args{s.at(off[0] + at*s.stride[axis])}, n, count)
}

// load returns the operands' runs of n elements, at elements behind off along axis.
func (d *folding) load(off [2]int, at, axis, n int) (x args, stable bool) {
	stable = true
	for i := range d.nargs {
		s := &d.src[i]
		x[i] = s.run(off[i]+at*s.stride[axis], axis, n)
		stable = stable && s.stable && s.plain(axis, n)
	}
	return x, stable
}

// loadRows returns n elements from number at on of rows of some length along last that follow each other along rowAxis.
func (d *folding) loadRows(off [2]int, at, last, rowAxis, length, n int) (x args) {
	for i := range d.nargs {
		s := &d.src[i]
		for k := 0; k < n; {
			row, col := (at+k)/length, (at+k)%length
			m := min(length-col, n-k)
			s.gather(k, off[i]+row*s.stride[rowAxis]+col*s.stride[last], s.stride[last], m)
			k += m
		}
		x[i] = unsafe.Pointer(unsafe.SliceData(s.scratch))
	}
	if d.spots != nil {
		x[1] = unsafe.Pointer(unsafe.SliceData(d.spell(off[1], at, n, length, last, rowAxis)))
	}
	return x
}

func (g *geometry) walkOuter(b *box, fs []folding, kept, number int, slots bool) {
	var offs [maxFolds][2]int
	off := offs[:len(fs)]
	last := g.n - 1
	w := b.dim[last]
	outer, red := odometer{axes: g.order[:g.nkept]}, odometer{axes: g.order[g.nkept:]}
	rowAxis, count := -1, 1
	if k := len(red.axes); k > 0 { // rows along the innermost reduced axis come in panels
		rowAxis = red.axes[k-1]
		count = b.dim[rowAxis]
		red.axes = red.axes[:k-1]
	}
	slot := 0
	for {
		for {
			n, at := number, 0
			for at < count {
				in := n % kernels.OuterBlock
				take := min(count-at, kernels.OuterBlock-in)
				n += take
				ends := n%kernels.OuterBlock == 0 || n == g.count
				blk := (n - 1) / kernels.OuterBlock
				to := blk*g.keep + kept
				for f := range fs {
					d := &fs[f]
					if in == 0 && !g.resumed {
						d.sweep.start(slot, to, w)
					}
					d.rows(slot, to, w, off[f], at, take, rowAxis, last)
					if ends {
						d.sweep.end(slot, to, w, n-blk*kernels.OuterBlock)
					}
				}
				at += take
			}
			if !red.next(g, b, &number, fs, off) {
				break
			}
		}
		if !outer.next(g, b, &kept, fs, off) {
			return
		}
		if slots {
			slot++
		}
	}
}

// rows feeds count rows of w elements to the sweep, at rows behind off. What cannot be read in
// place is copied a few rows at a time.
func (d *folding) rows(slot, to, w int, off [2]int, at, count, rowAxis, last int) {
	var x args
	var stride, step [2]int
	plain, stable := true, true
	for i := range d.nargs {
		s := &d.src[i]
		if rowAxis >= 0 {
			step[i] = s.stride[rowAxis]
		}
		plain = plain && s.plain(last, w) && step[i] >= 0
		stable = stable && s.stable
	}
	if d.spots != nil && rowAxis >= 0 {
		step[1] = d.src[1].stride[rowAxis]
	}
	if plain {
		d.place(off[1]+at*step[1], last, rowAxis)
		for i := range d.nargs {
			x[i] = d.src[i].at(off[i] + at*step[i])
		}
		d.sweep.rows(slot, to, w, x, step, count, stable)
		return
	}
	for count > 0 {
		take := max(1, min(count, scratchBytes/(max(4, d.src[0].size, d.src[1].size)*w)))
		d.place(off[1]+at*step[1], last, rowAxis)
		if s := &d.src[0]; d.nargs == 1 && d.spots == nil && s.plain(last, w) { // the rows follow each other backwards
			x[0] = s.at(off[0] + at*step[0])
			d.sweep.rows(slot, to, w, x, stride, 1, stable)
			at++
			count--
			continue
		}
		for i := range d.nargs {
			s := &d.src[i]
			if s.stride[last] == 1 && step[i] == w {
				s.gather(0, off[i]+at*w, 1, take*w)
			} else {
				for r := range take {
					s.gather(r*w, off[i]+(at+r)*step[i], s.stride[last], w)
				}
			}
			x[i] = unsafe.Pointer(unsafe.SliceData(s.scratch))
			stride[i] = w
		}
		d.sweep.rows(slot, to, w, x, stride, take, false)
		at += take
		count -= take
	}
}
