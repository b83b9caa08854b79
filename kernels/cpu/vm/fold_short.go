// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// vectorBytes is what short runs and columns of panels come in.
const vectorBytes = 32

// shortLoops are the loops over short runs, by vectors.
var shortLoops = [...]string{1: " short1", 2: " short2", 3: " short3", 4: " short4"}

// shorts is the machine code of folds of runs of less than groupBytes.
type shorts struct {
	loops [len(shortLoops)]Loop
	size  int
	fill  uint64 // the bits of an element that changes nothing
	mask  shortMask
	args  loopArgs
}

// shortMask describes the last vector of short runs.
type shortMask struct{ keep, fill [vectorBytes]byte }

func (k *shorts) find(asm Assembler, name string, d dtype.DType, fill uint64) {
	if narrow(d) {
		d = dtype.Float32
	}
	k.size, k.fill = d.Size(), fill
	for i := range k.loops {
		if i > 0 {
			k.loops[i] = asm.Loop(name+shortLoops[i], d)
		}
	}
}

// run folds as many of count runs of n elements, stride elements apart, as are followed by enough memory to be read in whole
// vectors; it returns how many. The loop writes to acc or to numbers.
func (k *shorts) run(acc, numbers, x unsafe.Pointer, n, stride, count int) int {
	length, step := n*k.size, stride*k.size
	vectors := (length + vectorBytes - 1) / vectorBytes
	if vectors >= len(k.loops) || k.loops[vectors] == nil || count > 1 && step <= 0 {
		return 0
	}
	if beyond := vectors*vectorBytes - length; beyond > 0 {
		if step == 0 {
			return 0
		}
		count -= (beyond + step - 1) / step
	}
	if count <= 0 {
		return 0
	}
	rest := length - (vectors-1)*vectorBytes
	for i := range vectorBytes {
		k.mask.keep[i], k.mask.fill[i] = 0xFF, 0
		if i >= rest {
			k.mask.keep[i], k.mask.fill[i] = 0, byte(k.fill>>(8*(i%k.size)))
		}
	}
	k.args = loopArgs{acc: acc, count: numbers, x: x, stride: step, rows: count, mask: unsafe.Pointer(&k.mask)}
	k.loops[vectors].Run(unsafe.Pointer(&k.args))
	k.args = loopArgs{}
	return count
}

// bitsOf returns the bits of a value.
func bitsOf[T ordered](v T) uint64 {
	var b uint64
	*(*T)(unsafe.Pointer(&b)) = v
	return b
}

// lumps returns how many rows of w columns that lie without gaps make one of whole groups of columns, several of them if there are rows
// enough, or 1.
func lumps(w, group, several, count int) int {
	k := 1
	for w*k%group != 0 {
		k *= 2
	}
	for w*k < several && count/k >= 4*lumpLeast {
		k *= 2
	}
	if w*k > tileMaxShort || count/k < lumpLeast {
		return 1
	}
	return k
}

// lumpLeast is the fewest lumps worth the joining of their columns.
const lumpLeast = 4

// nativeCounts counts in short runs by machine code, into counts, and returns how many runs that were.
func nativeCounts(k *shorts, zeros bool, counts []int64, n int, x unsafe.Pointer, stride int) int {
	done := k.run(unsafe.Pointer(&counts[0]), nil, x, n, stride, len(counts))
	if zeros {
		for i := range counts[:done] {
			counts[i] = int64(n) - counts[i]
		}
	}
	return done
}

func (s *countSweep[T]) shorts(at, n int, x args, stride, count int) bool {
	if n*s.native.size >= groupBytes {
		return false
	}
	out := s.out[at : at+count]
	for i := nativeCounts(&s.short, s.zeros, out, n, x[0], stride); i < count; i++ {
		out[i] = s.countIn(values[T](element[T](x[0], i*stride), n))
	}
	return true
}

// truthRuns is how many runs are counted at a time.
const truthRuns = 256

func (s *truthSweep[T]) shorts(at, n int, x args, stride, count int) bool {
	if n*s.native.size >= groupBytes || s.short.loops[1] == nil {
		return false
	}
	s.counts = resize(s.counts, truthRuns)
	for i := 0; i < count; i += truthRuns {
		c := s.counts[:min(truthRuns, count-i)]
		from := element[T](x[0], i*stride)
		for k := nativeCounts(&s.short, s.zeros, c, n, from, stride); k < len(c); k++ {
			c[k] = nonzeros(values[T](element[T](from, k*stride), n))
		}
		out := s.out[at+i:][:len(c)]
		least := int64(1)
		if s.all {
			least = int64(n)
		}
		for k, have := range c {
			out[k] = oneIf(have >= least)
		}
	}
	return true
}

// nonzeros counts what is not 0; it has no branch on the data.
func nonzeros[T number](x []T) (n int64) {
	var zero T
	for _, v := range x {
		n += int64(oneIf(v != zero))
	}
	return n
}

// nativeRows takes whole groups of columns and returns how many columns that were.
func (s *truthSweep[T]) nativeRows(at, w int, x unsafe.Pointer, stride, count int) int {
	if s.native.rows == nil {
		return 0
	}
	k := 1
	if stride == w {
		k = lumps(w, truthGroup, 4*truthGroup, count)
	}
	if k == 1 {
		done := w - w%truthGroup
		if done > 0 {
			s.native.panel(unsafe.Pointer(&s.out[at]), x, nil, nil, done, stride, count)
		}
		return done
	}
	s.lump = resize(s.lump, w*k)
	repeat(s.lump, oneIf(s.all))
	s.native.panel(unsafe.Pointer(&s.lump[0]), x, nil, nil, w*k, w*k, count/k)
	acc := s.out[at : at+w]
	for p := range k {
		for j, v := range s.lump[p*w:][:w] {
			if s.all {
				acc[j] &= v
			} else {
				acc[j] |= v
			}
		}
	}
	if rest := count % k; rest > 0 {
		s.plainRows(acc, values[T](element[T](x, (count-rest)*w), rest*w), w, rest)
	}
	return w
}

// truthGroup is how many columns the loops take at a time.
const truthGroup = 32
