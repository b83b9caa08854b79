// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// args are the addresses of a fold's operands: values, and positions for indexed folds.
// Values lie without gaps along a run.
type args [2]unsafe.Pointer

// sweep is one fold of a running kernel: it takes runs of values in the order
// of section 9 of the architecture and writes the states. at counts elements of
// the outputs: block or group times the kept elements, plus the kept element. A
// slot is a run of kept elements being folded; the driver uses slot 0 alone
// unless it walks several kept runs side by side.
type sweep interface {
	// bind starts a run of the kernel with its outputs and as many slots.
	bind(out []*chunk.Chunk, slots int)
	// fill sets all outputs to the identity: the start of a grouped fold.
	fill()
	// seg takes the next n numbers of a block, the first one in a lane; stable says that x stays valid until flush.
	seg(slot, lane int, x args, n int, stable bool)
	// shorts folds count whole blocks of n numbers, stride elements apart, or reports false where it has no
	// shorter way than seg and flush.
	shorts(at, n int, x args, stride, count int) bool
	// flush ends a block of n numbers.
	flush(slot, at, n int)
	// start begins a block of w accumulators; without it, the block goes on from what the outputs hold.
	start(slot, at, w int)
	// rows takes the block's next count rows of w values, stride elements apart.
	rows(slot, at, w int, x args, stride [2]int, count int, stable bool)
	// end ends a block of n rows, or one that goes on after another n.
	end(slot, at, w, n int)
	// passes is how often a grouped fold visits its elements; between is called after the first pass.
	passes() int
	between()
	// grow takes w values of one group, scatter values with a place each (below 0: left out).
	grow(pass, at, w int, x args)
	scatter(pass int, dst []int, x args)
	// done ends the run.
	done()
}

// resumer is a sweep that must be told, after bind, that its outputs hold states to go on from.
type resumer interface{ resume() }

// shortBlock is the longest block that is folded without lanes.
const shortBlock = 8 * lanes

// narrow reports whether values of dt are widened to float32 before they are folded.
func narrow(dt dtype.DType) bool { return dt == dtype.Float16 || dt == dtype.BFloat16 }

// values returns the n values at p.
func values[T any](p unsafe.Pointer, n int) []T { return unsafe.Slice((*T)(p), n) }

// element returns the i-th T after p.
func element[T any](p unsafe.Pointer, i int) unsafe.Pointer {
	var z T
	return unsafe.Add(p, i*int(unsafe.Sizeof(z)))
}

// output returns a contiguous chunk's elements as T, which has its size.
func output[T any](c *chunk.Chunk) []T {
	n := int(c.Shape.Size())
	if n == 0 {
		return nil
	}
	return values[T](c.Base(), n)
}

// constant returns a constant as T, which has its dtype's size.
func constant[T any](c kernels.Const) T {
	var v [2]uint64 // a complex number's imaginary part is 0
	v[0] = c.Bits
	return *(*T)(unsafe.Pointer(&v))
}

// halves is the output of a float16 or bfloat16 state, kept as float32 until the run is done.
type halves struct {
	dt    dtype.DType
	wide  []float32
	store *chunk.Chunk
}

// bind returns the float32 elements that stand for c's.
func (h *halves) bind(dt dtype.DType, c *chunk.Chunk) []float32 {
	n := int(c.Shape.Size())
	if cap(h.wide) < n {
		h.wide = make([]float32, n)
	}
	h.dt, h.store, h.wide = dt, c, h.wide[:n]
	return h.wide
}

// resume reads the elements from the chunk, if it is one of halves.
func (h *halves) resume() {
	if h.store == nil {
		return
	}
	for i, x := range output[uint16](h.store) {
		if h.dt == dtype.Float16 {
			h.wide[i] = dtype.F16{Bits: x}.Float32()
		} else {
			h.wide[i] = dtype.BF16{Bits: x}.Float32()
		}
	}
}

// done rounds the elements into the chunk.
func (h *halves) done() {
	if h.store == nil {
		return
	}
	o := output[uint16](h.store)
	for i, v := range h.wide {
		if h.dt == dtype.Float16 {
			o[i] = dtype.F16Of(float64(v)).Bits
		} else {
			o[i] = dtype.BF16Of(float64(v)).Bits
		}
	}
	h.store = nil
}

// bindValue returns the output of a state component of the values' own dtype.
func bindValue[T any](h *halves, dt dtype.DType, c *chunk.Chunk) []T {
	if narrow(dt) {
		w := h.bind(dt, c)
		return values[T](unsafe.Pointer(unsafe.SliceData(w)), len(w))
	}
	return output[T](c)
}

// identityOf returns component i of the identity of reduction r as T; float16 and bfloat16 widen to float32.
func identityOf[T any](r *kernels.Reduction, in dtype.DType, i int) T {
	c := r.Identity(in)[i]
	if narrow(c.DType) {
		f := dtype.F16{Bits: uint16(c.Bits)}.Float32()
		if c.DType == dtype.BFloat16 {
			f = dtype.BF16{Bits: uint16(c.Bits)}.Float32()
		}
		return *(*T)(unsafe.Pointer(&f))
	}
	return constant[T](c)
}

// repeatMost is the longest copy that repeat makes: its source stays in the L1 cache.
const repeatMost = 1024

// repeat sets all elements of s to v, by copies of what is set already.
func repeat[T any](s []T, v T) {
	if len(s) == 0 {
		return
	}
	s[0] = v
	for n := 1; n < len(s); {
		n += copy(s[n:], s[:min(n, repeatMost)])
	}
}

// resize returns s with n elements, the old ones kept where there is room.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return append(s[:cap(s)], make([]T, n-cap(s))...)
	}
	return s[:n]
}
