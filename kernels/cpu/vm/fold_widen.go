// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// widener makes float32 of float16 and bfloat16.
type widener struct {
	loop Loop // machine code for groups of 32, or nil
	args loopArgs
}

func (w *widener) find(asm Assembler, d dtype.DType) {
	if narrow(d) {
		w.loop = asm.Loop("widen lanes", d)
	}
}

// widen copies n elements, stride apart, to y.
func (s *source) widen(y []float32, x unsafe.Pointer, stride int) {
	done := 0
	if w := &s.widener; w.loop != nil && stride == 1 && len(y) >= lanes {
		done = len(y) / lanes * lanes
		w.args = loopArgs{acc: unsafe.Pointer(&y[0]), x: x, width: done / lanes}
		w.loop.Run(unsafe.Pointer(&w.args))
		w.args = loopArgs{}
	}
	half := s.dt == dtype.BFloat16
	for i := done; i < len(y); i++ {
		bits := *(*uint16)(element[uint16](x, i*stride))
		if half {
			y[i] = dtype.BF16{Bits: bits}.Float32()
		} else {
			y[i] = dtype.F16{Bits: bits}.Float32()
		}
	}
}

// narrowShorts folds short runs of narrow elements that follow each other without gaps, step elements from one to the next, or reports false.
func (d *folding) narrowShorts(to, n int, off [2]int, last, along, count int) bool {
	s := &d.src[0]
	if d.nargs != 1 || !narrow(s.dt) || s.stride[last] != 1 && n > 1 || s.stride[along] != n {
		return false
	}
	most := runMax / n
	for i := 0; i < count; i += most {
		k := min(most, count-i)
		s.gather(0, off[0]+i*n, 1, k*n)
		d.place(off[1]+i*d.src[1].stride[along], last, along)
		if !d.sweep.shorts(to+i, n, args{unsafe.Pointer(unsafe.SliceData(s.scratch))}, n, k) {
			return false // the first time, or never
		}
	}
	return true
}
