// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// scanRun is how many neighbours beside the axis make a step of all lines at once faster than line after line.
const scanRun = 32

// scanKernel is a compiled Scan. Where elements beside the axis are neighbours, it takes one step of all lines after another, by the
// program of the step; else it walks along the lines, several in turn, as each element waits for the one before.
type scanKernel struct {
	s     *kernels.Scan
	step  kernels.Kernel
	lines func(w *scanWalk) // nil: there are no loops for the dtype
}

func compileScan(s *kernels.Scan, asm Assembler) (kernels.Kernel, error) {
	p, err := s.Step()
	if err != nil {
		return nil, fmt.Errorf("kernels/cpu: compile: %w", err)
	}
	step, err := compileProgram(p, asm)
	if err != nil {
		return nil, err
	}
	return &scanKernel{s, step, scanLoops[s.Op][s.DType]}, nil
}

// Executor is that of the step's program.
func (k *scanKernel) Executor() string { return k.step.(kernels.Explained).Executor() }

// Scratch returns the bytes of scratch of a step.
func (k *scanKernel) Scratch(shape chunk.Shape) int64 { return k.step.Scratch(shape) }

// Run computes the call and leaves the end of each line in the carry.
func (k *scanKernel) Run(ctx context.Context, c *kernels.Call) error {
	if err := k.s.Check(c); err != nil {
		return fmt.Errorf("kernels/cpu: %w", err)
	}
	if c.Shape.Size() == 0 {
		return nil
	}
	inner := chunk.Shape(c.Shape[k.s.Axis+1:]).Size()
	if k.lines != nil && inner < scanRun {
		w := newScanWalk(k.s.Axis, c)
		k.lines(&w)
		return nil
	}
	return k.steps(ctx, c)
}

// steps computes position after position along the axis.
func (k *scanKernel) steps(ctx context.Context, c *kernels.Call) error {
	axis := k.s.Axis
	before, x, to := *c.Out[1], *c.In[0], *c.Out[0]
	shape := before.Shape
	x.Shape, to.Shape = shape, shape
	call := kernels.Call{In: []*chunk.Chunk{&before, &x}, Out: []*chunk.Chunk{&to}, Origin: c.Origin, Shape: shape, Scratch: c.Scratch}
	for i := range c.Shape[axis] {
		if err := ctx.Err(); err != nil {
			return err
		}
		x.Offset = c.In[0].Offset + i*x.Strides[axis]
		to.Offset = c.Out[0].Offset + i*to.Strides[axis]
		if i == 0 && !c.Continue {
			if err := Copy(&to, &x); err != nil {
				return err
			}
		} else if err := k.step.Run(ctx, &call); err != nil {
			return err
		}
		before = to // a copy: the next step moves on from it
	}
	return Copy(c.Out[1], &before)
}

// scanWalk goes through the lines of a call, row-major.
type scanWalk struct {
	x, y, carry *chunk.Chunk
	n           int64 // elements of a line
	dx, dy      int64 // between neighbours of a line
	goes        bool  // lines go on from the carry
	shape       chunk.Shape
	strides     [3][kernels.MaxAxes]int64 // of the axes beside the line's
	at          [kernels.MaxAxes]int64
	pos         [3]int64
	left        int64 // lines
}

func newScanWalk(axis int, c *kernels.Call) scanWalk {
	w := scanWalk{x: c.In[0], y: c.Out[0], carry: c.Out[1], n: c.Shape[axis], dx: c.In[0].Strides[axis], dy: c.Out[0].Strides[axis], goes: c.Continue, left: 1}
	for i, d := range c.Shape {
		if i == axis {
			continue
		}
		for j, ch := range [3]*chunk.Chunk{w.x, w.y, w.carry} {
			w.strides[j][len(w.shape)] = ch.Strides[i]
		}
		w.shape = append(w.shape, d)
		w.left *= d
	}
	w.pos = [3]int64{w.x.Offset, w.y.Offset, w.carry.Offset}
	return w
}

// next returns where the next line begins in operand, result and carry.
func (w *scanWalk) next() [3]int64 {
	p := w.pos
	w.left--
	for i := len(w.shape) - 1; i >= 0; i-- {
		w.at[i]++
		for j := range w.pos {
			w.pos[j] += w.strides[j][i]
		}
		if w.at[i] < w.shape[i] {
			break
		}
		for j := range w.pos {
			w.pos[j] -= w.strides[j][i] * w.at[i]
		}
		w.at[i] = 0
	}
	return p
}

// scanLoops are the loops along lines, by scan and dtype.
var scanLoops = [kernels.ScanPush + 1][dtype.Count]func(w *scanWalk){
	kernels.ScanSum: {dtype.Int64: scanSums[int64], dtype.Uint64: scanSums[uint64], dtype.Float32: scanSums[float32], dtype.Float64: scanSums[float64]},
	kernels.ScanProd: {dtype.Int64: scanProds[int64], dtype.Uint64: scanProds[uint64], dtype.Float32: scanProds[float32],
		dtype.Float64: scanProds[float64]},
	kernels.ScanPush: {dtype.Float32: scanPushes[float32], dtype.Float64: scanPushes[float64]},
}

// scanned is what lines are scanned in.
type scanned interface {
	int64 | uint64 | float32 | float64
}

// scanLine is what is left of a line: where its next element is and goes, and what comes before it.
type scanLine[T scanned] struct {
	x, y   []T
	px, py int64
	before T
	carry  *T
}

// nextLine sets up the next line, whose first element is done where nothing comes before it.
func nextLine[T scanned](w *scanWalk, x, y, carry []T) scanLine[T] {
	p := w.next()
	l := scanLine[T]{x, y, p[0], p[1], carry[p[2]], &carry[p[2]]}
	if !w.goes {
		l.before = x[l.px]
		y[l.py] = l.before
		l.px, l.py = l.px+w.dx, l.py+w.dy
	}
	return l
}

// scanLines scans the lines of a walk: by four where elements are neighbours, as each waits for the one before.
func scanLines[T scanned](w *scanWalk, four func(l *[4]scanLine[T], n int64), one func(a *scanLine[T], n, dx, dy int64)) {
	x, y, carry := chunk.Elems[T](w.x.Block), chunk.Elems[T](w.y.Block), chunk.Elems[T](w.carry.Block)
	n := w.n
	if !w.goes {
		n--
	}
	l := new([4]scanLine[T])
	for w.left > 0 {
		some := l[:1]
		if w.dx == 1 && w.dy == 1 && w.left >= 4 && four != nil {
			some = l[:]
		}
		for i := range some {
			some[i] = nextLine(w, x, y, carry)
		}
		if len(some) == 4 {
			four(l, n)
		} else {
			one(&l[0], n, w.dx, w.dy)
		}
		for i := range some {
			*some[i].carry = some[i].before
		}
	}
}

// of returns the next n elements of a line and where their results go, where they are neighbours.
func (l *scanLine[T]) of(n int64) (x, y []T) { return l.x[l.px:][:n], l.y[l.py:][:n] }

func scanSums[T scanned](w *scanWalk) {
	scanLines(w, func(l *[4]scanLine[T], n int64) {
		xa, ya := l[0].of(n)
		xb, yb := l[1].of(n)
		xc, yc := l[2].of(n)
		xd, yd := l[3].of(n)
		xb, xc, xd = xb[:len(xa)], xc[:len(xa)], xd[:len(xa)] // no checks in the loop
		ya, yb, yc, yd = ya[:len(xa)], yb[:len(xa)], yc[:len(xa)], yd[:len(xa)]
		va, vb, vc, vd := l[0].before, l[1].before, l[2].before, l[3].before
		for i, v := range xa {
			va += v
			vb += xb[i]
			vc += xc[i]
			vd += xd[i]
			ya[i], yb[i], yc[i], yd[i] = va, vb, vc, vd
		}
		l[0].before, l[1].before, l[2].before, l[3].before = va, vb, vc, vd
	}, func(a *scanLine[T], n, dx, dy int64) {
		v := a.before
		for i := range n {
			v += a.x[a.px+i*dx]
			a.y[a.py+i*dy] = v
		}
		a.before = v
	})
}

func scanProds[T scanned](w *scanWalk) {
	scanLines(w, func(l *[4]scanLine[T], n int64) {
		xa, ya := l[0].of(n)
		xb, yb := l[1].of(n)
		xc, yc := l[2].of(n)
		xd, yd := l[3].of(n)
		xb, xc, xd = xb[:len(xa)], xc[:len(xa)], xd[:len(xa)] // no checks in the loop
		ya, yb, yc, yd = ya[:len(xa)], yb[:len(xa)], yc[:len(xa)], yd[:len(xa)]
		va, vb, vc, vd := l[0].before, l[1].before, l[2].before, l[3].before
		for i, v := range xa {
			va *= v
			vb *= xb[i]
			vc *= xc[i]
			vd *= xd[i]
			ya[i], yb[i], yc[i], yd[i] = va, vb, vc, vd
		}
		l[0].before, l[1].before, l[2].before, l[3].before = va, vb, vc, vd
	}, func(a *scanLine[T], n, dx, dy int64) {
		v := a.before
		for i := range n {
			v *= a.x[a.px+i*dx]
			a.y[a.py+i*dy] = v
		}
		a.before = v
	})
}

// scanPushes repeats the last element that is not NaN.
func scanPushes[T float32 | float64](w *scanWalk) {
	scanLines(w, nil, func(a *scanLine[T], n, dx, dy int64) {
		v := a.before
		for i := range n {
			if x := a.x[a.px+i*dx]; x == x {
				v = x
			}
			a.y[a.py+i*dy] = v
		}
		a.before = v
	})
}
