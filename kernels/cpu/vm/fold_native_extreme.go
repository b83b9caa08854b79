// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"math"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// groupBytes is what loops that accumulate in the elements' own dtype take at a time.
const groupBytes = 128

// wide is how many elements a vector has: the columns of rows loops that accumulate in the elements' dtype come in these.
func (n *native) wide() int { return 32 / n.size }

func (s *extremeSweep[T]) accelerate(asm Assembler, r *kernels.Reduction, in dtype.DType) {
	name := "min"
	s.seed = T(math.Inf(1)) // used for floats only
	if r.Algebra == kernels.FoldMax {
		name, s.seed = "max", T(math.Inf(-1))
	}
	if s.skip {
		name = "nan" + name
	}
	s.native.find(asm, name, in)
	fill := s.identity
	if fill != fill { // of those that leave NaN out
		fill = s.seed
	}
	s.short.find(asm, name, in, bitsOf(fill))
}

// nativeSeg takes whole groups of a run into a slot and returns how many elements that were.
func (s *extremeSweep[T]) nativeSeg(slot int, x []T) int {
	if s.native.lanes == nil || len(x)*s.native.size < 2*groupBytes {
		return 0
	}
	each := groupBytes / s.native.size
	acc := values[T](unsafe.Pointer(&s.room), each)
	a := s.slots[slot]
	nothing := s.skip && a != a
	if nothing {
		a = s.seed
	}
	for i := range acc {
		acc[i] = a
	}
	groups := len(x) / each
	if seen := s.native.run(unsafe.Pointer(&s.room), unsafe.Pointer(unsafe.SliceData(x)), groups, nil); seen > 0 || !nothing {
		s.slots[slot] = s.ops.seg(acc[0], acc)
	}
	return groups * each
}

// extremes folds count runs of n elements, of at least a group, stride elements apart, to out, or reports false where there is no machine
// code for them.
func (n *native) extremes(out, x unsafe.Pointer, length, stride, count int) bool {
	bytes := length * n.size
	if n.runs == nil || bytes < groupBytes || length > callMost {
		return false
	}
	most := max(1, callMost/length)
	for i := 0; i < count; i += most {
		n.args = loopArgs{acc: unsafe.Add(out, i*n.size), x: unsafe.Add(x, i*stride*n.size), width: bytes / groupBytes, stride: stride * n.size, rows: min(most, count-i),
			quads: bytes - groupBytes, part: min(1, bytes%groupBytes)}
		n.runs.Run(unsafe.Pointer(&n.args))
	}
	n.args = loopArgs{}
	return true
}

// nativeRows takes whole vectors of columns and returns how many columns that were.
func (s *extremeSweep[T]) nativeRows(at, w int, x unsafe.Pointer, stride, count int) int {
	if s.native.rows == nil || w < s.native.wide() {
		return 0
	}
	w -= w % s.native.wide()
	s.native.panel(unsafe.Pointer(&s.out[at]), x, nil, nil, w, stride, count)
	return w
}

func (s *countSweep[T]) accelerate(asm Assembler, _ *kernels.Reduction, in dtype.DType) {
	name := "count"
	if s.nonzero {
		name = "nonzero"
	}
	s.zeros = s.nonzero && !in.IsFloat()
	s.native.find(asm, name, in)
	s.short.find(asm, name, in, 0)
}

// nativeCount counts in whole groups of a run and returns the count and how many elements that were.
func nativeCount[T number](n *native, zeros bool, x []T) (count int64, done int) {
	if n.lanes == nil || len(x)*n.size < groupBytes || len(x) > kernels.InnerBlock {
		return 0, 0
	}
	each := groupBytes / n.size
	groups := len(x) / each
	k := n.run(nil, unsafe.Pointer(unsafe.SliceData(x)), groups, nil)
	done = groups * each
	if zeros { // the loop counts what is 0
		k = done - k
	}
	return int64(k), done
}

func (s *truthSweep[T]) accelerate(asm Assembler, _ *kernels.Reduction, in dtype.DType) {
	s.zeros = !in.IsFloat()
	s.native.find(asm, "nonzero", in)
	s.short.find(asm, "nonzero", in, 0)
	name := "any rows"
	if s.all {
		name = "all rows"
	}
	if narrow(in) {
		in = dtype.Float32
	}
	s.native.rows = asm.Loop(name, in)
}
