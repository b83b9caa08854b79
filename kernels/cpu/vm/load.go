// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"math"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// packed reports whether a box's elements of the source lie packed in C order.
func (s *source) packed(g *geometry, b *box) bool {
	want := 1
	for k := g.n - 1; k >= 0; k-- {
		if b.dim[k] > 1 && s.stride[k] != want {
			return false
		}
		want *= b.dim[k]
	}
	return true
}

// first returns the address of a box's first element.
func (s *source) first(g *geometry, b *box) unsafe.Pointer {
	off := 0
	for k := range g.n {
		off += b.lo[k] * s.stride[k]
	}
	return s.at(off)
}

// load sets input i's register for a box: in place when its elements lie packed, else copied to its slot.
func (e *exec) load(i int, b *box) {
	s := &e.in[i]
	if e.code.p.In[i].Gather >= 0 {
		e.ptr[i] = e.slotPtr(e.code.slotAt[i])
		e.gather(i, b)
		return
	}
	if s.packed(e.geo, b) {
		e.ptr[i] = s.first(e.geo, b)
		return
	}
	e.ptr[i] = e.slotPtr(e.code.slotAt[i])
	e.turner.pack(s, e.geo, b, e.ptr[i])
}

// rowCopy copies a row of n elements between packed memory and elements stride apart.
type rowCopy func(packed, strided unsafe.Pointer, stride, n int)

// each calls row for every row of the box along the last axis; same says that packed is one value for all.
func (s *source) each(g *geometry, b *box, packed unsafe.Pointer, same bool, row rowCopy) {
	last := g.n - 1
	n, step := b.dim[last], s.stride[last]
	// Rows that follow each other evenly make one.
	top := last - 1
	for top >= 0 && (b.dim[top] == 1 || s.stride[top] == step*n) {
		n *= b.dim[top]
		top--
	}
	var pos [kernels.MaxAxes + 1]int
	at := s.first(g, b)
	off, done, width := 0, 0, n*s.size
	if same {
		width = 0
	}
	for {
		row(unsafe.Add(packed, done), unsafe.Add(at, off*s.size), step, n)
		done += width
		k := top
		for ; k >= 0; k-- {
			off += s.stride[k]
			if pos[k]++; pos[k] < b.dim[k] {
				break
			}
			off -= pos[k] * s.stride[k]
			pos[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// store writes a box of a result from packed memory, or from one value for all.
func (s *source) store(t *turner, g *geometry, b *box, from unsafe.Pointer, same bool) {
	if same {
		s.each(g, b, from, true, spread[s.size])
		return
	}
	if s.first(g, b) == from {
		return // computed in place
	}
	if k := s.turnedAxis(g, b); k >= 0 {
		t.box(s, g, b, k, from, true)
		return
	}
	s.each(g, b, from, false, copyOut[s.size])
}

// The row copies by element size.
var (
	copyIn  = [17]rowCopy{1: inRow[uint8], 2: inRow[uint16], 4: inRow[uint32], 8: inRow[uint64], 16: inRow[complex128]}
	copyOut = [17]rowCopy{1: outRow[uint8], 2: outRow[uint16], 4: outRow[uint32], 8: outRow[uint64], 16: outRow[complex128]}
	spread  = [17]rowCopy{1: spreadRow[uint8], 2: spreadRow[uint16], 4: spreadRow[uint32], 8: spreadRow[uint64], 16: spreadRow[complex128]}
	fill    = [17]func(d, v unsafe.Pointer, n int){1: fillRow[uint8], 2: fillRow[uint16], 4: fillRow[uint32], 8: fillRow[uint64], 16: fillRow[complex128]}
)

func fillRow[T any](d, v unsafe.Pointer, n int) {
	x := *(*T)(v)
	z := values[T](d, n)
	for i := range z {
		z[i] = x
	}
}

func inRow[T any](packed, strided unsafe.Pointer, stride, n int) {
	switch stride {
	case 0:
		fillRow[T](packed, strided, n)
	case 1:
		copy(values[T](packed, n), values[T](strided, n))
	default:
		z := values[T](packed, n)
		off := 0
		for i := range z {
			z[i] = *(*T)(element[T](strided, off))
			off += stride
		}
	}
}

func outRow[T any](packed, strided unsafe.Pointer, stride, n int) {
	if stride == 1 {
		copy(values[T](strided, n), values[T](packed, n))
		return
	}
	off := 0
	for _, x := range values[T](packed, n) {
		*(*T)(element[T](strided, off)) = x
		off += stride
	}
}

func spreadRow[T any](from, strided unsafe.Pointer, stride, n int) {
	x := *(*T)(from)
	if stride == 1 {
		fillRow[T](strided, from, n)
		return
	}
	off := 0
	for range n {
		*(*T)(element[T](strided, off)) = x
		off += stride
	}
}

// missing is what an id below 0 reads: NaN for floats, 0 for other dtypes; by element size and kind.
func missing(dt dtype.DType) [2]uint64 {
	switch dt {
	case dtype.Float16:
		return [2]uint64{0x7e00}
	case dtype.BFloat16:
		return [2]uint64{0x7fc0}
	case dtype.Float32:
		return [2]uint64{0x7fc00000}
	case dtype.Float64:
		return [2]uint64{math.Float64bits(math.NaN())}
	case dtype.Complex64:
		return [2]uint64{0x7fc00000} // no imaginary part
	case dtype.Complex128:
		return [2]uint64{math.Float64bits(math.NaN())}
	}
	return [2]uint64{}
}

// gather copies a box of a gather input to its slot.
func (e *exec) gather(i int, b *box) {
	port := e.code.p.In[i]
	s, ids := &e.in[i], &e.in[port.GatherIDs]
	g := e.geo
	k := g.axisOf(int(port.Gather))
	step := int(e.call.In[i].Strides[port.Gather])
	none := unsafe.Pointer(&e.none[i])
	last := g.n - 1
	n := b.dim[last]
	done := 0
	var pos [kernels.MaxAxes + 1]int
	for {
		to := unsafe.Add(e.ptr[i], done)
		off := 0
		for a := range g.n {
			if a != k {
				off += (b.lo[a] + pos[a]) * s.stride[a]
			}
		}
		switch {
		case k != last: // one id for the row
			id := 0
			if k >= 0 {
				id = ids.id((b.lo[k] + pos[k]) * ids.stride[k])
			} else {
				id = ids.id(0)
			}
			if id < 0 {
				fill[s.size](to, none, n)
			} else {
				copyIn[s.size](to, s.at(off+id*step), s.stride[last], n)
			}
		default:
			pick[s.size](to, s.at(off), ids.at(b.lo[k]*ids.stride[k]), ids.stride[k], step, n, none)
		}
		done += n * s.size
		a := last - 1
		for ; a >= 0; a-- {
			if pos[a]++; pos[a] < b.dim[a] {
				break
			}
			pos[a] = 0
		}
		if a < 0 {
			return
		}
	}
}

// pick copies the elements that ids name.
var pick = [17]func(to, from, ids unsafe.Pointer, idStride, stride, n int, none unsafe.Pointer){
	1: pickRow[uint8], 2: pickRow[uint16], 4: pickRow[uint32], 8: pickRow[uint64], 16: pickRow[complex128],
}

func pickRow[T any](to, from, ids unsafe.Pointer, idStride, stride, n int, none unsafe.Pointer) {
	z := values[T](to, n)
	gap := *(*T)(none)
	for i := range z {
		id := int(*(*int32)(element[int32](ids, i*idStride)))
		if id < 0 {
			z[i] = gap
		} else {
			z[i] = *(*T)(element[T](from, id*stride))
		}
	}
}
