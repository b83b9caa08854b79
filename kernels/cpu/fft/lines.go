// SPDX-License-Identifier: BSD-3-Clause

package fft

import (
	"fmt"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// Form is what one end of a transform holds.
type Form uint8

// The forms.
const (
	Complex Form = iota // n complex elements
	Real                // n real elements
	Half                // the first n/2+1 elements of the transform of n real ones
)

// Length returns the number of elements of a line of n in the form.
func (f Form) Length(n int64) int64 {
	if f == Half {
		return n/2 + 1
	}
	return n
}

// Transform says what becomes of the lines of a chunk along an axis: one of Complex to Complex, Real to Complex, Real to Half and Half to Real. A
// Transform is used by several goroutines at once and must not be copied once it has run.
type Transform struct {
	Axis     int
	N        int64 // elements of a line; shorter ones are lengthened by zeros, longer ones cut
	From, To Form
	Inverse  bool    // exponents are positive; always so for Half to Real, never for Real to Half
	Scale    float64 // by which results are multiplied
	tables   sync.Once
	plan     *plan
	turn     []complex128 // exp(-2 pi i k/N) up to a half: what joins the two halves of real lines of even length
	workers  sync.Pool
}

// panelBytes bounds the two buffers of several lines: more than a cache holds, since lines across memory are read 64 bytes at a time.
const panelBytes = 4 << 20

// lines returns how many lines a panel has.
func (t *Transform) lines() int64 { return min(16, max(1, panelBytes/(32*t.N))) }

// few bounds the elements of lines in memory that are transformed together.
const few = 1 << 10

// halved reports whether lines are transformed as complex ones of half the length.
func (t *Transform) halved() bool { return t.From != Complex && t.N%2 == 0 }

// length returns the length of the complex transform that is made.
func (t *Transform) length() int64 {
	if t.halved() {
		return t.N / 2
	}
	return t.N
}

// Bytes bounds what calls of Run allocate: the tables, and for each of them at a time a panel.
func (t *Transform) Bytes() int64 {
	n := t.length()
	tables := planBytes(int(n)) + 8*t.N + 16
	return tables + 32*t.lines()*max(t.N, int64(convolved(int(n)))+1)
}

// worker is what one call needs at a time: two buffers that lines go back and forth between.
type worker struct {
	a, b  []complex128
	panel panel
}

// worker returns one that is idle, or a new one.
func (t *Transform) worker() *worker {
	t.tables.Do(func() {
		t.plan = newPlan(int(t.length()))
		if t.halved() {
			t.turn = rootsOf(int(t.N), int(t.N/2)+1)
		}
	})
	if w, ok := t.workers.Get().(*worker); ok {
		return w
	}
	n := max(t.N, int64(t.plan.room())) * t.lines()
	return &worker{a: make([]complex128, n), b: make([]complex128, n)}
}

// Run transforms the lines of in, of dtype float32, float64, complex64 or complex128 as the form says, to out's. Shapes are equal along all other axes.
// out may be in where shape and dtype stay.
func (t *Transform) Run(out, in *chunk.Chunk) error {
	if t.N < 1 {
		return fmt.Errorf("kernels/cpu/fft: length: got %d, want 1 or more: %w", t.N, chunk.ErrShape)
	}
	if out.Shape[t.Axis] != t.To.Length(t.N) {
		return fmt.Errorf("kernels/cpu/fft: result: got %d elements along axis %d, want %d: %w", out.Shape[t.Axis], t.Axis, t.To.Length(t.N), chunk.ErrShape)
	}
	from, to := readers[in.DType], writers[out.DType]
	if from == nil || to == nil || in.DType.IsComplex() == (t.From == Real) || out.DType.IsComplex() == (t.To == Real) {
		return fmt.Errorf("kernels/cpu/fft: %v to %v: %w", in.DType, out.DType, dtype.ErrPromote)
	}
	if out.Shape.Size() == 0 {
		return nil
	}
	w := t.worker()
	defer t.workers.Put(w)
	width := t.lines()
	if in.Strides[t.Axis] == 1 && out.Strides[t.Axis] == 1 {
		width = min(width, max(1, few/t.N))
	}
	eachPanel(t.Axis, out, in, width, func(lines, atOut, nextOut, atIn, nextIn int64) {
		p := &w.panel
		*p = panel{lines: lines, step: in.Strides[t.Axis], at: atIn, next: nextIn, data: w.a}
		p.have = min(in.Shape[t.Axis], t.From.Length(t.N))
		p.length, p.pairs, p.conj = t.From.Length(t.N), t.halved(), t.From != Real && t.Inverse
		from(p, in)
		*p = panel{lines: lines, step: out.Strides[t.Axis], at: atOut, next: nextOut, scale: t.Scale}
		p.data = t.transform(w, int(lines))
		p.have, p.pairs, p.conj = t.To.Length(t.N), t.halved(), t.To == Complex && t.Inverse
		to(p, out)
	})
	return nil
}

// transform transforms the lines in the first buffer and returns the one that holds the results.
func (t *Transform) transform(w *worker, lines int) []complex128 {
	n := int(t.N)
	switch {
	case t.From == Half && t.halved():
		t.split(w.b, w.a, lines)
		return t.plan.run(w.b, w.a, lines)
	case t.From == Half:
		whole(w.a, n, lines)
	}
	z := t.plan.run(w.a, w.b, lines)
	if t.From != Real {
		return z
	}
	if t.halved() {
		to := w.b
		if &z[0] == &w.b[0] {
			to = w.a
		}
		t.join(to, z, lines)
		z = to
	}
	for l := range lines { // what is 0 exactly
		z[l] = complex(real(z[l]), 0)
		if n%2 == 0 {
			at := n/2*lines + l
			z[at] = complex(real(z[at]), 0)
		}
	}
	if t.To == Complex {
		mirror(z, n, lines)
	}
	return z
}

// join makes the first half of the transform of real lines of the transform z of complex ones, which are their elements in pairs.
func (t *Transform) join(to, z []complex128, lines int) {
	h := int(t.N / 2)
	for k := range h + 1 {
		a, b := z[k%h*lines:], z[(h-k)%h*lines:]
		for l := range lines {
			u, v := a[l], complex(real(b[l]), -imag(b[l]))
			even, d := u+v, u-v
			odd := complex(imag(d), -real(d)) * t.turn[k] // -i d
			to[k*lines+l] = complex(0.5*(real(even)+real(odd)), 0.5*(imag(even)+imag(odd)))
		}
	}
}

// split is the inverse of join, but for a scale: lines of the first half of a transform become complex ones whose transforms are real lines in pairs.
func (t *Transform) split(to, z []complex128, lines int) {
	h := int(t.N / 2)
	for l := range lines {
		z[l] = complex(real(z[l]), 0)
		z[h*lines+l] = complex(real(z[h*lines+l]), 0)
	}
	for k := range h {
		a, b := z[k*lines:], z[(h-k)*lines:]
		for l := range lines {
			u, v := a[l], complex(real(b[l]), -imag(b[l]))
			even, odd := u+v, (u-v)*t.turn[k]
			to[k*lines+l] = complex(real(even)-imag(odd), imag(even)+real(odd))
		}
	}
}

// whole makes whole transforms of real lines, of odd length, of their first halves.
func whole(z []complex128, n, lines int) {
	for l := range lines {
		z[l] = complex(real(z[l]), 0)
	}
	mirror(z, n, lines)
}

// mirror fills the second half of transforms of real lines.
func mirror(z []complex128, n, lines int) {
	for k := 1; k < (n+1)/2; k++ {
		for l := range lines {
			v := z[k*lines+l]
			z[(n-k)*lines+l] = complex(real(v), -imag(v))
		}
	}
}

// panel is lines of a chunk side by side: element i of line l is data[i*lines+l].
type panel struct {
	data           []complex128
	lines          int64
	at, next, step int64 // in the chunk: the first line, from line to line, from element to element
	have, length   int64 // elements of a line that the chunk holds; those of the panel: the rest are zeros
	pairs          bool  // real elements are the parts of complex ones, two of each
	conj           bool  // complex elements are conjugated
	scale          float64
}

// readers gather lines of a chunk, writers spread and scale them.
var (
	readers = [dtype.Count]func(p *panel, c *chunk.Chunk){
		dtype.Float32: readReal[float32], dtype.Float64: readReal[float64], dtype.Complex64: readComplex[complex64], dtype.Complex128: readComplex[complex128],
	}
	writers = [dtype.Count]func(p *panel, c *chunk.Chunk){
		dtype.Float32: writeReal[float32], dtype.Float64: writeReal[float64], dtype.Complex64: writeComplex[complex64], dtype.Complex128: writeComplex[complex128],
	}
)

func readReal[T float32 | float64](p *panel, c *chunk.Chunk) {
	src := chunk.Elems[T](c.Block)
	if !p.pairs {
		for i := range p.have {
			to := p.data[i*p.lines:][:p.lines]
			for l := range to {
				to[l] = complex(float64(src[p.at+i*p.step+int64(l)*p.next]), 0)
			}
		}
		clear(p.data[p.have*p.lines : p.length*p.lines])
		return
	}
	for i := range p.length / 2 {
		to := p.data[i*p.lines:][:p.lines]
		switch x := p.at + 2*i*p.step; {
		case 2*i+1 < p.have:
			for l := range to {
				to[l] = complex(float64(src[x+int64(l)*p.next]), float64(src[x+p.step+int64(l)*p.next]))
			}
		case 2*i < p.have:
			for l := range to {
				to[l] = complex(float64(src[x+int64(l)*p.next]), 0)
			}
		default:
			clear(to)
		}
	}
}

func readComplex[T complex64 | complex128](p *panel, c *chunk.Chunk) {
	src := chunk.Elems[T](c.Block)
	sign := 1.0
	if p.conj {
		sign = -1
	}
	for i := range p.have {
		to := p.data[i*p.lines:][:p.lines]
		for l := range to {
			v := complex128(src[p.at+i*p.step+int64(l)*p.next])
			to[l] = complex(real(v), sign*imag(v))
		}
	}
	clear(p.data[p.have*p.lines : p.length*p.lines])
}

func writeReal[T float32 | float64](p *panel, c *chunk.Chunk) {
	dst := chunk.Elems[T](c.Block)
	for i := range p.have {
		at := i
		if p.pairs {
			at = i / 2
		}
		for l, v := range p.data[at*p.lines:][:p.lines] {
			x := real(v)
			if p.pairs && i%2 == 1 {
				x = imag(v)
			}
			dst[p.at+i*p.step+int64(l)*p.next] = T(x * p.scale)
		}
	}
}

func writeComplex[T complex64 | complex128](p *panel, c *chunk.Chunk) {
	dst := chunk.Elems[T](c.Block)
	sign := p.scale
	if p.conj {
		sign = -sign
	}
	for i := range p.have {
		for l, v := range p.data[i*p.lines:][:p.lines] {
			dst[p.at+i*p.step+int64(l)*p.next] = T(complex(real(v)*p.scale, imag(v)*sign))
		}
	}
}

// eachPanel calls f for the lines along axis of two chunks of one shape but along axis, width neighbours at a time: with their number and, for each
// chunk, the offset of the first line and the step to the next.
func eachPanel(axis int, a, b *chunk.Chunk, width int64, f func(lines, atA, nextA, atB, nextB int64)) {
	inner := len(a.Shape) - 1
	if inner == axis {
		inner--
	}
	n, nextA, nextB := int64(1), int64(0), int64(0)
	if inner >= 0 {
		n, nextA, nextB = a.Shape[inner], a.Strides[inner], b.Strides[inner]
	}
	var room [kernels.MaxAxes]int64
	index := room[:len(a.Shape)]
	for {
		atA, atB := a.Offset, b.Offset
		for k, p := range index {
			atA += p * a.Strides[k]
			atB += p * b.Strides[k]
		}
		for first := int64(0); first < n; first += width {
			f(min(width, n-first), atA+first*nextA, nextA, atB+first*nextB, nextB)
		}
		k := len(index) - 1
		for ; k >= 0; k-- {
			if k == axis || k == inner {
				continue
			}
			if index[k]++; index[k] < a.Shape[k] {
				break
			}
			index[k] = 0
		}
		if k < 0 {
			return
		}
	}
}
