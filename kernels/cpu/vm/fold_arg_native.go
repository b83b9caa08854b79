// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"math"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// argNative is the machine code of argmin and argmax.
type argNative[T ordered] struct {
	runs   Loop
	panel  native // has rows only, as has
	read   native // the loop that reads positions
	short  shorts
	size   int
	args   loopArgs
	best   []T    // of a panel's columns
	place  []byte // the numbers of their rows
	isBool bool

	several int // columns of a panel that keep the processor busy
}

func (s *argSweep[T]) accelerate(asm Assembler, _ *kernels.Reduction, in dtype.DType) {
	if !s.least && !s.most {
		return
	}
	name := "argmax"
	if s.least {
		name = "argmin"
	}
	if s.skip {
		name = "nan" + name
	}
	if narrow(in) {
		in = dtype.Float32
	}
	n := &s.native
	n.size, n.isBool = in.Size(), in == dtype.Bool
	n.several = vectorBytes / n.size
	if in.IsFloat() || n.size == 8 { // steps that wait longer for each other
		n.several *= 4
	}
	n.runs, n.panel = asm.Loop(name+" runs", in), native{rows: asm.Loop(name+" panel", in), size: n.size}
	n.read = native{rows: asm.Loop(name+" rows", in), size: n.size}
	fill := s.seed
	if fill != fill { // of those that leave NaN out
		fill = T(math.Inf(1))
		if s.most {
			fill = -fill
		}
	}
	n.short.find(asm, name, in, bitsOf(fill))
}

// nativeRows folds whole groups of 8 columns whose positions are read and returns how many columns that were. Steps are in elements.
func (s *argSweep[T]) nativeRows(val []T, pos []int64, x args, step [2]int, count int) int {
	n := &s.native.read
	w := len(val) &^ 7
	if n.rows == nil || w == 0 {
		return 0
	}
	most := max(1, callMost/w)
	for r := 0; r < count; r += most {
		n.args = loopArgs{acc: unsafe.Pointer(&val[0]), count: unsafe.Pointer(&pos[0]), x: element[T](x[0], r*step[0]), mean: element[int64](x[1], r*step[1]),
			width: w, stride: step[0] * n.size, quads: step[1] * 8, rows: min(most, count-r)}
		n.rows.Run(unsafe.Pointer(&n.args))
	}
	n.args = loopArgs{}
	return w
}

// nativeWinners puts the numbers of the winners of runs into k, -1 for none, or reports false where there is no machine code.
func (s *argSweep[T]) nativeWinners(k []int64, x unsafe.Pointer, n, stride int) bool {
	m := &s.native
	length := n * m.size
	if m.runs == nil || n > kernels.InnerBlock {
		return false
	}
	a := &m.args
	defer func() { *a = loopArgs{} }()
	if length < groupBytes {
		done := m.short.run(nil, unsafe.Pointer(&k[0]), x, n, stride, len(k))
		for i, w := range k[:done] {
			if w >= int64(n) {
				k[i] = -1
			}
		}
		for i := done; i < len(k); i++ {
			k[i] = int64(s.pick(values[T](element[T](x, i*stride), n), s.skip))
		}
		return true
	}
	most := max(1, callMost/n)
	for i := 0; i < len(k); i += most {
		*a = loopArgs{x: element[T](x, i*stride), count: unsafe.Pointer(&k[i]), width: length / groupBytes, stride: stride * m.size, rows: min(most, len(k)-i),
			quads: length - groupBytes, part: min(1, length%groupBytes)}
		m.runs.Run(unsafe.Pointer(a))
	}
	if m.isBool { // none is true, or false, so the first is
		for i := range k {
			k[i] = max(k[i], 0)
		}
	}
	return true
}

// nativePanel takes columns of rows by machine code, the winner of each into the spot it belongs to, and returns how many columns.
func (s *argSweep[T]) nativePanel(at, w int, x unsafe.Pointer, stride, count int) int {
	m := &s.native
	if m.panel.rows == nil || count < lumpLeast || count > kernels.OuterBlock {
		return 0
	}
	k := 1
	if stride == w {
		k = lumps(w, vectorBytes/m.size, m.several, count)
	}
	vector := vectorBytes / m.size
	width, rows := w*k, count/k
	if width -= width % vector; width == 0 {
		return 0
	}
	if len(m.best) < width {
		m.best, m.place = make([]T, width), make([]byte, width*m.size)
	}
	best, place := m.best[:width], m.place[:width*m.size]
	repeat(best, s.seed)
	clear(place)
	m.panel.panel(unsafe.Pointer(&best[0]), x, unsafe.Pointer(&place[0]), nil, width, stride*k, rows)
	done := min(w, width)
	for p := range k {
		s.takePanel(at, best[p*done:][:done], place[p*done*m.size:], p, k)
	}
	if rest := count - rows*k; rest > 0 {
		s.placedRows(at, 0, done, values[T](element[T](x, rows*k*stride), (rest-1)*stride+w), stride, rows*k, rest)
	}
	return done
}

// takePanel takes the winners of columns of every k-th row from number first on.
func (s *argSweep[T]) takePanel(at int, best []T, place []byte, first, k int) {
	switch p := unsafe.Pointer(unsafe.SliceData(place)); s.native.size {
	case 1:
		takeWinners[T, uint8](s, at, best, p, first, k)
	case 2:
		takeWinners[T, uint16](s, at, best, p, first, k)
	case 4:
		takeWinners[T, uint32](s, at, best, p, first, k)
	default:
		takeWinners[T, uint64](s, at, best, p, first, k)
	}
}

func takeWinners[T ordered, P uint8 | uint16 | uint32 | uint64](s *argSweep[T], at int, best []T, place unsafe.Pointer, first, k int) {
	rows := values[P](place, len(best))
	val, pos := s.val[at:][:len(best)], s.pos[at:][:len(best)]
	for j, b := range best {
		q := s.spotted.at(first+int(rows[j])*k, j)
		switch {
		case s.skip && b != b:
		case pos[j] < 0:
			val[j], pos[j] = b, q
		default:
			s.take(at+j, best[j:j+1], q)
		}
	}
}
