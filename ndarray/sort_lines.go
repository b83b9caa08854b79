// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/order"
)

// sorter are the functions of lines for dtypes of one width; d says how its bits are numbers.
type sorter struct {
	sort      func(d dtype.DType, descending bool, axis int, out, in *chunk.Chunk)
	positions func(d dtype.DType, descending bool, axis int, out, in *chunk.Chunk)
	rank      func(d dtype.DType, pct bool, axis int, out, in *chunk.Chunk)
	// refine reorders perm, the order of a line by what counts less, by the line of c that begins at from.
	refine func(d dtype.DType, descending bool, perm []int64, c *chunk.Chunk, from, step int64, room *permRoom)
	// finder returns what stores where the n elements from from, by apart, of a chunk belong in a table of n elements that lie at at(i).
	finder    func(d dtype.DType, table *chunk.Chunk, n int64, at func(i int64) int64, right bool) func(to []int64, step int64, c *chunk.Chunk, from, by, n int64)
	monotonic func(d dtype.DType, c *chunk.Chunk) (up, down bool)
	// bins stores which bin between edges each element lies in; edges returns why some of one width are none.
	bins  func(d dtype.DType, out, in, edges *chunk.Chunk) error
	edges func(d dtype.DType, edges *chunk.Chunk) error
}

// sorters is the table of sorters by dtype. It is filled when the package starts: rows name functions that look rows up.
var sorters [dtype.Count]sorter

func init() {
	widths := map[int]sorter{1: sorterOf[uint8](), 2: sorterOf[uint16](), 4: sorterOf[uint32](), 8: sorterOf[uint64]()}
	for _, d := range dtype.Reals() {
		sorters[d] = widths[d.Size()]
	}
	sorters[dtype.Complex64] = complexSorter[complex64, uint32](dtype.Float32)
	sorters[dtype.Complex128] = complexSorter[complex128, uint64](dtype.Float64)
}

func sorterOf[K order.Key]() sorter {
	return sorter{sort: sortLines[K], positions: positionLines[K], rank: rankLines[K], refine: refineReal[K], finder: finderOf[K], monotonic: isMonotonic[K], bins: binLines[K], edges: edgesOf[K]}
}

// sortBytes bounds what sorting lines of n elements allocates.
func sortBytes(d dtype.DType, n int64) int64 {
	if d.IsComplex() {
		return argSortBytes(d, n) + 8*n
	}
	item := int64(d.Size())
	return (panelLines(n, item) + 2) * n * item
}

// argSortBytes bounds what sorting the positions of lines of n elements allocates.
func argSortBytes(d dtype.DType, n int64) int64 {
	return order.RoomBytes(n) + (panelLines(n, 8)+2)*n*8 + 3*n*int64(d.Size())
}

// eachPanel calls f for the lines along axis of regions of one shape (but along axis), group lines that are neighbours at a time, row-major: with the
// number of lines, and for each chunk the offset of the first line's first element and the step to the next line.
func eachPanel(axis int, shape chunk.Shape, chunks []*chunk.Chunk, group int64, f func(lines int, at, next []int64)) {
	inner := len(shape) - 1
	if inner == axis {
		inner--
	}
	width := int64(1)
	next := make([]int64, len(chunks))
	if inner >= 0 {
		width = shape[inner]
		for i, c := range chunks {
			next[i] = c.Strides[inner]
		}
	}
	if width == 0 {
		return
	}
	at, index := make([]int64, len(chunks)), make([]int64, len(shape))
	for {
		for first := int64(0); first < width; first += group {
			for i, c := range chunks {
				at[i] = c.Offset + first*next[i]
				for k, p := range index {
					at[i] += p * c.Strides[k]
				}
			}
			f(int(min(group, width-first)), at, next)
		}
		k := len(shape) - 1
		for ; k >= 0; k-- {
			if k == axis || k == inner {
				continue
			}
			if index[k]++; index[k] < shape[k] {
				break
			}
			index[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// eachLine is eachPanel for single lines.
func eachLine(axis int, shape chunk.Shape, chunks []*chunk.Chunk, f func(at []int64)) {
	eachPanel(axis, shape, chunks, 1, func(_ int, at, _ []int64) { f(at) })
}

// element is what a line can hold.
type element interface {
	uint8 | uint16 | uint32 | uint64 | int64 | float64 | complex64 | complex128
}

// panel gathers lines, one after the other, so that lines across rows are read and written by rows.
type panel[T element] struct {
	n    int // elements of a line
	step int64
	data []T // nil where lines are contiguous: they are used where they lie
}

// newPanel returns a panel of the lines of c along axis, and how many lines it takes.
func newPanel[T element](c *chunk.Chunk, axis int) (panel[T], int64) {
	n, step := c.Shape[axis], c.Strides[axis]
	if step == 1 || n <= 1 {
		return panel[T]{n: int(n), step: step}, math.MaxInt64
	}
	group := panelLines(n, int64(c.ItemBytes))
	return panel[T]{n: int(n), step: step, data: make([]T, group*n)}, group
}

// gather reads lines that begin at from, next apart.
func (p *panel[T]) gather(src []T, lines int, from, next int64) {
	for i := range p.n {
		x := src[from+int64(i)*p.step:]
		for l := range lines {
			p.data[l*p.n+i] = x[int64(l)*next]
		}
	}
}

// line returns line l of a panel of src.
func (p *panel[T]) line(src []T, l int, from, next int64) []T {
	if p.data != nil {
		return p.data[l*p.n : (l+1)*p.n]
	}
	from += int64(l) * next
	return src[from : from+int64(p.n)]
}

// spread writes lines that begin at from, next apart.
func (p *panel[T]) spread(dst []T, lines int, from, next int64) {
	for i := range p.n {
		x := dst[from+int64(i)*p.step:]
		for l := range lines {
			x[int64(l)*next] = p.data[l*p.n+i]
		}
	}
}

// spreadLine writes one line.
func spreadLine[T element](dst, line []T, from, step int64) {
	for i, x := range line {
		dst[from+int64(i)*step] = x
	}
}

// overLines calls f with each line of in, gathered, and the line of out to be filled.
func overLines[T, U element](axis int, out, in *chunk.Chunk, f func(to []U, line []T)) {
	src, dst := chunk.Elems[T](in.Block), chunk.Elems[U](out.Block)
	from, a := newPanel[T](in, axis)
	to, b := newPanel[U](out, axis)
	eachPanel(axis, out.Shape, []*chunk.Chunk{in, out}, min(a, b), func(lines int, at, next []int64) {
		if from.data != nil {
			from.gather(src, lines, at[0], next[0])
		}
		for l := range lines {
			f(to.line(dst, l, at[1], next[1]), from.line(src, l, at[0], next[0]))
		}
		if to.data != nil {
			to.spread(dst, lines, at[1], next[1])
		}
	})
}

// sortLines sorts lines of real numbers.
func sortLines[K order.Key](d dtype.DType, descending bool, axis int, out, in *chunk.Chunk) {
	e := order.EncoderOf[K](d, descending)
	n := out.Shape[axis]
	keys, room := make([]K, n), make([]K, n)
	overLines(axis, out, in, func(to, line []K) {
		signed := e.Encode(keys, line, 1)
		order.Sort(keys, room)
		e.Decode(to, keys, 1)
		if signed { // the zeros in the order in which they came
			zero := order.Search(keys, e.Zero(), false)
			for _, b := range line {
				if b<<1 == 0 {
					to[zero] = b
					zero++
				}
			}
		}
	})
}

// positionLines sorts the positions of lines of real numbers.
func positionLines[K order.Key](d dtype.DType, descending bool, axis int, out, in *chunk.Chunk) {
	e := order.EncoderOf[K](d, descending)
	n := out.Shape[axis]
	keys, room := make([]K, n), order.NewRoom(int(n))
	overLines(axis, out, in, func(to []int64, line []K) {
		e.Encode(keys, line, 1)
		order.Positions(to, keys, room)
	})
}

// rankLines ranks lines of real numbers.
func rankLines[K order.Key](d dtype.DType, pct bool, axis int, out, in *chunk.Chunk) {
	e := order.EncoderOf[K](d, false)
	n := out.Shape[axis]
	keys, room, perm := make([]K, n), order.NewRoom(int(n)), make([]int64, n)
	overLines(axis, out, in, func(to []float64, line []K) {
		e.Encode(keys, line, 1)
		order.Positions(perm, keys, room)
		count := len(perm)
		for d.IsFloat() && count > 0 && keys[perm[count-1]] == e.Missing() {
			count--
			to[perm[count]] = math.NaN()
		}
		for i := 0; i < count; {
			j := i + 1
			for j < count && keys[perm[j]] == keys[perm[i]] {
				j++
			}
			r := float64(i+1+j) / 2
			if pct {
				r /= float64(count)
			}
			for _, p := range perm[i:j] {
				to[p] = r
			}
			i = j
		}
	})
}

// permRoom is the memory of refinements.
type permRoom struct {
	order *order.Room
	next  []int64
}

func newPermRoom(n int) *permRoom { return &permRoom{order.NewRoom(n), make([]int64, n)} }

// refineReal reorders perm by a line of real numbers.
func refineReal[K order.Key](d dtype.DType, descending bool, perm []int64, c *chunk.Chunk, from, step int64, room *permRoom) {
	refineBy(order.EncoderOf[K](d, descending), perm, chunk.Elems[K](c.Block)[from:], step, room)
}

// refineBy reorders perm by the keys of elements that lie step apart.
func refineBy[K order.Key](e order.Encoder[K], perm []int64, src []K, step int64, room *permRoom) {
	keys, gathered := make([]K, len(perm)), make([]K, len(perm))
	e.Encode(keys, src, int(step))
	order.Compose(perm, keys, gathered, room.next, room.order)
}

// complexSorter are the functions for complex numbers of two floats of dtype part.
func complexSorter[C complex64 | complex128, K order.Key](part dtype.DType) sorter {
	refine := func(_ dtype.DType, descending bool, perm []int64, c *chunk.Chunk, from, step int64, room *permRoom) {
		refineComplex(order.EncoderOf[K](part, descending), perm, chunk.Elems[K](c.Block)[2*from:], step, room)
	}
	// line calls f with the order of each line along axis, and where that and the line of out begin.
	line := func(d dtype.DType, descending bool, axis int, out, in *chunk.Chunk, f func(perm []int64, to, from int64)) {
		n := int(out.Shape[axis])
		perm, room := make([]int64, n), newPermRoom(n)
		eachLine(axis, out.Shape, []*chunk.Chunk{out, in}, func(at []int64) {
			for i := range perm {
				perm[i] = int64(i)
			}
			refine(d, descending, perm, in, at[1], in.Strides[axis], room)
			f(perm, at[0], at[1])
		})
	}
	return sorter{
		refine: refine,
		finder: complexFinder[K](part),
		sort: func(d dtype.DType, descending bool, axis int, out, in *chunk.Chunk) {
			dst, src := chunk.Elems[C](out.Block), chunk.Elems[C](in.Block)
			line(d, descending, axis, out, in, func(perm []int64, to, from int64) {
				for i, p := range perm {
					dst[to+int64(i)*out.Strides[axis]] = src[from+p*in.Strides[axis]]
				}
			})
		},
		positions: func(d dtype.DType, descending bool, axis int, out, in *chunk.Chunk) {
			line(d, descending, axis, out, in, func(perm []int64, to, _ int64) {
				spreadLine(chunk.Elems[int64](out.Block), perm, to, out.Strides[axis])
			})
		},
	}
}

// refineComplex reorders perm by a line of complex numbers, given as their parts: by the imaginary parts, then the real ones, then by which of
// them are NaN: numbers without come first, then those with an imaginary, a real and two of them.
func refineComplex[K order.Key](e order.Encoder[K], perm []int64, parts []K, step int64, room *permRoom) {
	n := len(perm)
	re, im, gathered := make([]K, n), make([]K, n), make([]K, n)
	e.Encode(re, parts, 2*int(step))
	e.Encode(im, parts[1:], 2*int(step))
	class, some := make([]uint8, n), false
	turn := uint8(0)
	if e.Descending {
		turn = 3
	}
	for i := range class {
		if re[i] == e.Missing() {
			class[i] |= 2
		}
		if im[i] == e.Missing() {
			class[i] |= 1
		}
		some = some || class[i] != 0
		class[i] ^= turn
	}
	order.Compose(perm, im, gathered, room.next, room.order)
	order.Compose(perm, re, gathered, room.next, room.order)
	if some {
		order.Compose(perm, class, make([]uint8, n), room.next, room.order)
	}
}
