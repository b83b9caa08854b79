// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// turner copies boxes between memory that is packed along the last axis and memory that is packed along another one, or not at all.
type turner struct {
	tiles *turnLoops
	args  loopArgs
	size  int     // of the elements that row copies
	row   rowCopy // stepRow, made once
}

// turnLoops are the machine code by element size, nil where there is none: of tiles, of rows backwards and of every second element.
type turnLoops struct{ tiles, back, second [9]Loop }

func findTurns(asm Assembler) *turnLoops {
	if asm == nil {
		return &turnLoops{}
	}
	t := &turnLoops{}
	t.tiles[4], t.tiles[8] = asm.Loop("turn tiles", dtype.Float32), asm.Loop("turn tiles", dtype.Float64)
	for _, d := range []dtype.DType{dtype.Uint8, dtype.Uint16, dtype.Uint32, dtype.Uint64} {
		t.back[d.Size()], t.second[d.Size()] = asm.Loop("reverse row", d), asm.Loop("second row", d)
	}
	return t
}

// turnedAxis returns the axis of a box along which the source's elements lie side by side although they do not along
// the last one, or -1.
func (s *source) turnedAxis(g *geometry, b *box) int {
	last := g.n - 1
	if b.dim[last] < 2 || s.stride[last] == 0 || s.stride[last] == 1 {
		return -1
	}
	for k := range last {
		if s.stride[k] == 1 && b.dim[k] > 1 {
			return k
		}
	}
	return -1
}

// pack copies a box of the source to packed memory.
func (t *turner) pack(s *source, g *geometry, b *box, to unsafe.Pointer) {
	if k := s.turnedAxis(g, b); k >= 0 {
		t.box(s, g, b, k, to, false)
		return
	}
	row := copyIn[s.size]
	if step := s.stride[g.n-1]; s.size < len(t.tiles.back) && (step == -1 && t.tiles.back[s.size] != nil || step == 2 && t.tiles.second[s.size] != nil) {
		if t.size = s.size; t.row == nil {
			t.row = t.stepRow
		}
		row = t.row
	}
	s.each(g, b, to, false, row)
}

// stepRow is copyIn for strides of -1 and 2.
func (t *turner) stepRow(packed, strided unsafe.Pointer, stride, n int) {
	each := 32 / t.size
	loop, groups := t.tiles.back[t.size], n/each
	if stride == 2 { // the loop reads what lies behind each element
		loop, groups = t.tiles.second[t.size], (n-1)/each
	}
	if groups > 0 {
		t.args = loopArgs{acc: packed, x: strided, width: groups}
		loop.Run(unsafe.Pointer(&t.args))
		t.args = loopArgs{}
	}
	if done := groups * each; done < n {
		copyIn[t.size](unsafe.Add(packed, done*t.size), unsafe.Add(strided, done*stride*t.size), stride, n-done)
	}
}

// box copies a box of the source, turned along axis k, to packed memory, or from there when out is set.
func (t *turner) box(s *source, g *geometry, b *box, k int, packed unsafe.Pointer, out bool) {
	last := g.n - 1
	var step, pos [kernels.MaxAxes + 1]int // of packed memory; of the walk over the other axes
	n := 1
	for a := last; a >= 0; a-- {
		step[a] = n
		n *= b.dim[a]
	}
	at := s.first(g, b)
	off, done := 0, 0
	for {
		there, here := unsafe.Add(at, off*s.size), unsafe.Add(packed, done*s.size)
		if out {
			t.copy(there, here, s.size, b.dim[last], b.dim[k], s.stride[last], step[k])
		} else {
			t.copy(here, there, s.size, b.dim[k], b.dim[last], step[k], s.stride[last])
		}
		a := last - 1
		for ; a >= 0; a-- {
			if a == k {
				continue
			}
			off += s.stride[a]
			done += step[a]
			if pos[a]++; pos[a] < b.dim[a] {
				break
			}
			off -= pos[a] * s.stride[a]
			done -= pos[a] * step[a]
			pos[a] = 0
		}
		if a < 0 {
			return
		}
	}
}

// copy is
//
//	for i := range n { for j := range m { to[i*toStep+j] = from[j*fromStep+i] } }
func (t *turner) copy(to, from unsafe.Pointer, size, n, m, toStep, fromStep int) {
	i, j := 0, 0 // what machine code does
	if size < len(t.tiles.tiles) && t.tiles.tiles[size] != nil {
		edge := 32 / size
		if i, j = n-n%edge, m-m%edge; i > 0 && j > 0 {
			t.args = loopArgs{acc: to, x: from, width: i / edge, rows: j / edge, stride: fromStep * size, quads: toStep * size}
			t.tiles.tiles[size].Run(unsafe.Pointer(&t.args))
			t.args = loopArgs{}
		} else {
			i, j = 0, 0
		}
	}
	rest := turns[size]
	if i > 0 && j < m {
		rest(unsafe.Add(to, j*size), unsafe.Add(from, j*fromStep*size), i, m-j, toStep, fromStep)
	}
	if i < n {
		rest(unsafe.Add(to, i*toStep*size), unsafe.Add(from, i*size), n-i, m, toStep, fromStep)
	}
}

// turns are the portable copies by element size.
var turns = [17]func(to, from unsafe.Pointer, n, m, toStep, fromStep int){
	1: turnOf[uint8], 2: turnOf[uint16], 4: turnOf[uint32], 8: turnOf[uint64], 16: turnOf[complex128],
}

func turnOf[T any](to, from unsafe.Pointer, n, m, toStep, fromStep int) {
	for i := range n {
		z := values[T](element[T](to, i*toStep), m)
		p := element[T](from, i)
		for j := range z {
			z[j] = *(*T)(element[T](p, j*fromStep))
		}
	}
}
