// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"math/bits"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// image are the measures of one image, a row for each group.
type image interface {
	addRows(n int)
	reset()
	bytes() int64
	// line measures spans of a line along the last axis, which begins at pos, the flat'th element of the array, and at from in c, elements step apart.
	line(spans []span, pos []int64, c *chunk.Chunk, from, step, flat int64)
	// addAll adds the rows of an image of the same type, row i of which is row to[i].
	addAll(o image, to []int32)
	// irregular reports whether some elements of a row are NaN, or infinite.
	irregular(row int) (nan, up, down bool)
	// total returns the sum of a row.
	total(row int) float64
	// moment returns the sum of products with the positions along an axis.
	moment(row, axis int) float64
	// variance returns the variance of a row of n elements.
	variance(row int, n int64) float64
	// extreme returns the smallest or the largest element that is a number, as a float64, and where it is first; at is -1 where there is none.
	extreme(row int, largest bool) (v float64, at int64)
	// extremes returns the smallest or the largest element of rows that is a number, 0 for row -1; nan says that one NaN makes it NaN.
	extremes(rows []int, largest, nan bool) ndarray.Array
	// wrapped returns the sum of a row of integers modulo 2^64.
	wrapped(row int) uint64
	// missing returns where the first NaN is, -1 for nowhere.
	missing(row int) int64
	// median returns the middle of the elements, the mean of the two that are nearest to it where their number is even.
	median(row int) float64
	// histogram adds to counts how many elements lie between each two edges, the last among them.
	histogram(row int, edges []float64, counts []int64)
}

// real are the types of elements that are measured.
type real interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// newImage makes the measures of an image by its dtype.
var newImage = map[dtype.DType]func(d dtype.DType, want wants, rank int) image{
	dtype.Bool: newPixels[uint8],
	dtype.Int8: newPixels[int8], dtype.Int16: newPixels[int16], dtype.Int32: newPixels[int32], dtype.Int64: newPixels[int64],
	dtype.Uint8: newPixels[uint8], dtype.Uint16: newPixels[uint16], dtype.Uint32: newPixels[uint32], dtype.Uint64: newPixels[uint64],
	dtype.Float32: newPixels[float32], dtype.Float64: newPixels[float64],
}

// Elements that are no finite numbers.
const (
	isNaN = 1 << iota
	isUp
	isDown
)

// pixels are the measures of an image whose elements are T.
type pixels[T real] struct {
	want     wants
	dt       dtype.DType
	flags    []uint8
	sum      sums
	squares  sums
	weighted []sums
	lo, hi   []T
	loAt     []int64
	hiAt     []int64
	nanAt    []int64
	values   [][]T
	held     int64 // values
}

func newPixels[T real](d dtype.DType, want wants, rank int) image {
	p := &pixels[T]{want: want, dt: d}
	if want.weighted {
		p.weighted = make([]sums, rank)
	}
	return p
}

// sums returns all that are kept.
func (p *pixels[T]) sums() []*sums {
	list := []*sums{&p.sum, &p.squares}
	for k := range p.weighted {
		list = append(list, &p.weighted[k])
	}
	return list
}

func (p *pixels[T]) addRows(n int) {
	p.flags = append(p.flags, make([]uint8, n-len(p.flags))...)
	for _, s := range p.sums() {
		s.addRows(n)
	}
	for p.want.extremes && len(p.lo) < n {
		p.lo, p.hi = append(p.lo, 0), append(p.hi, 0)
		p.loAt, p.hiAt, p.nanAt = append(p.loAt, -1), append(p.hiAt, -1), append(p.nanAt, -1)
	}
	for p.want.values && len(p.values) < n {
		p.values = append(p.values, nil)
	}
}

func (p *pixels[T]) reset() {
	clear(p.flags)
	p.flags = p.flags[:0]
	for _, s := range p.sums() {
		s.reset()
	}
	p.lo, p.hi, p.loAt, p.hiAt, p.nanAt = p.lo[:0], p.hi[:0], p.loAt[:0], p.hiAt[:0], p.nanAt[:0]
	clear(p.values)
	p.values, p.held = p.values[:0], 0
}

func (p *pixels[T]) bytes() int64 {
	n := int64(cap(p.flags))
	for _, s := range p.sums() {
		n += s.bytes()
	}
	item := int64(p.dt.Size())
	n += int64(cap(p.lo)) * (2*item + 24)
	return n + int64(cap(p.values))*24 + p.held*item*5/4 // lists grow by a quarter at a time
}

// mostSpan cuts spans, so that sums of products of 32-bit integers with the positions in one fit 64 bits.
const mostSpan = 1 << 15

func (p *pixels[T]) line(spans []span, pos []int64, c *chunk.Chunk, from, step, flat int64) {
	src := chunk.Elems[T](c.Block)
	for _, s := range spans {
		for begin, end := s.start, s.start+s.n; begin < end; begin += mostSpan {
			n := min(end-begin, mostSpan)
			if p.want.sum {
				p.add(int(s.row), src[from+begin*step:], step, n, pos, begin)
			}
			if p.want.extremes {
				p.compare(int(s.row), src[from+begin*step:], step, n, flat+begin)
			}
			if p.want.values {
				p.keep(int(s.row), src[from+begin*step:], step, n)
			}
		}
	}
}

// add adds n elements of a line, which begin at position at along it.
func (p *pixels[T]) add(row int, src []T, step, n int64, pos []int64, at int64) {
	switch {
	case p.dt == dtype.Float32:
		p.addNarrow(row, src, step, n, pos, at)
	case p.dt.IsFloat():
		p.addFloats(row, src, step, n, pos, at)
	case p.dt.Size() == 8:
		p.addLong(row, src, step, n, pos, at)
	default:
		p.addShort(row, src, step, n, pos, at)
	}
}

// addShort is add for integers of at most 32 bits: what a span comes to fits 64 bits.
func (p *pixels[T]) addShort(row int, src []T, step, n int64, pos []int64, at int64) {
	sum, moment := int64(0), int64(0)
	switch {
	case p.want.weighted && step == 1:
		for i, x := range src[:n] {
			sum += int64(x)
			moment += int64(x) * int64(i)
		}
	case p.want.weighted:
		for i := range n {
			x := int64(src[i*step])
			sum += x
			moment += x * i
		}
	case step == 1:
		for _, x := range src[:n] {
			sum += int64(x)
		}
	default:
		for i := range n {
			sum += int64(src[i*step])
		}
	}
	p.sum.addInt(row, sum)
	if p.want.weighted {
		p.addAt(row, sum, pos, at)
		if len(p.weighted) > 0 {
			p.weighted[len(p.weighted)-1].addInt(row, moment)
		}
	}
	if p.want.squares {
		lo, hi := int64(0), int64(0)
		for i := range n {
			x := magnitude(int64(src[i*step]))
			lo += int64(x * x & digit)
			hi += int64(x * x >> 32)
		}
		p.squares.addInt(row, lo)
		p.squares.addInts(row, hi, 1<<32)
	}
}

// addAt adds an integer's products with the position at which a span begins.
func (p *pixels[T]) addAt(row int, v int64, pos []int64, at int64) {
	last := len(p.weighted) - 1
	for k := range p.weighted {
		if k == last {
			p.weighted[k].addInts(row, v, at)
		} else {
			p.weighted[k].addInts(row, v, pos[k])
		}
	}
}

// addLong is add for integers of 64 bits.
func (p *pixels[T]) addLong(row int, src []T, step, n int64, pos []int64, at int64) {
	last := len(p.weighted) - 1
	for i := range n {
		v := src[i*step]
		negative, m := v < 0, uint64(v)
		if negative {
			m = -m
		}
		p.sum.add(row, negative, m, 0)
		for k := range p.weighted {
			x := at + i
			if k != last {
				x = pos[k]
			}
			hi, lo := bits.Mul64(m, uint64(x))
			p.weighted[k].addWide(row, negative, hi, lo, 0)
		}
		if p.want.squares {
			hi, lo := bits.Mul64(m, m)
			p.squares.addWide(row, false, hi, lo, 0)
		}
	}
}

// narrowAxis is the longest axis whose positions times a float32 are exact in float64: 24 bits and 29.
const narrowAxis = 1 << 29

// addNarrow is add for float32. Their products with positions, and their squares, are exact in float64, and so are sums of a few that have much the
// same magnitude: a sum is put aside only when the next addition would round.
func (p *pixels[T]) addNarrow(row int, src []T, step, n int64, pos []int64, at int64) {
	last := len(p.weighted) - 1
	if last >= 0 && at+n > narrowAxis {
		p.addFloats(row, src, step, n, pos, at)
		return
	}
	sum, moment, squares := 0.0, 0.0, 0.0
	for i := range n {
		x := float64(src[i*step])
		if x-x != 0 {
			p.flag(row, x)
			continue
		}
		t := sum + x
		if back := t - sum; t-back != sum || back != x {
			p.putSum(row, sum, pos)
			t = x
		}
		sum = t
		if last >= 0 {
			x := x * float64(at+i)
			t := moment + x
			if back := t - moment; t-back != moment || back != x {
				p.weighted[last].addFloat(row, moment)
				t = x
			}
			moment = t
		}
		if p.want.squares {
			x := x * x
			t := squares + x
			if back := t - squares; t-back != squares || back != x {
				p.squares.addFloat(row, squares)
				t = x
			}
			squares = t
		}
	}
	p.putSum(row, sum, pos)
	if last >= 0 {
		p.weighted[last].addFloat(row, moment)
	}
	if p.want.squares {
		p.squares.addFloat(row, squares)
	}
}

// putSum adds a sum, and its products with the positions along all axes but the last.
func (p *pixels[T]) putSum(row int, sum float64, pos []int64) {
	p.sum.addFloat(row, sum)
	for k := range len(p.weighted) - 1 {
		p.weighted[k].addProduct(row, sum, pos[k])
	}
}

// addFloats is add for any floats.
func (p *pixels[T]) addFloats(row int, src []T, step, n int64, pos []int64, at int64) {
	last := len(p.weighted) - 1
	for i := range n {
		x := float64(src[i*step])
		if x-x != 0 {
			p.flag(row, x)
			continue
		}
		p.putSum(row, x, pos)
		if last >= 0 {
			p.weighted[last].addProduct(row, x, at+i)
		}
		if p.want.squares {
			_, m, e := parts(x)
			hi, lo := bits.Mul64(m, m)
			if m != 0 {
				p.squares.addWide(row, false, hi, lo, 2*e)
			}
		}
	}
}

// flag notes an element that is no finite number.
func (p *pixels[T]) flag(row int, x float64) {
	switch {
	case x != x:
		p.flags[row] |= isNaN
	case x > 0:
		p.flags[row] |= isUp
	default:
		p.flags[row] |= isDown
	}
}

// compare finds the extremes of n elements, the first of which is the flat'th of the array.
func (p *pixels[T]) compare(row int, src []T, step, n, flat int64) {
	lo, hi, loAt, hiAt := p.lo[row], p.hi[row], p.loAt[row], p.hiAt[row]
	for i := range n {
		x := src[i*step]
		if x != x {
			p.flags[row] |= isNaN
			if q := &p.nanAt[row]; *q < 0 || flat+i < *q {
				*q = flat + i
			}
			continue
		}
		if x < lo || loAt < 0 || x == lo && flat+i < loAt {
			lo, loAt = x, flat+i
		}
		if x > hi || hiAt < 0 || x == hi && flat+i < hiAt {
			hi, hiAt = x, flat+i
		}
	}
	p.lo[row], p.hi[row], p.loAt[row], p.hiAt[row] = lo, hi, loAt, hiAt
}

// keep keeps n elements.
func (p *pixels[T]) keep(row int, src []T, step, n int64) {
	list := p.values[row]
	if step == 1 {
		list = append(list, src[:n]...)
	} else {
		for i := range n {
			list = append(list, src[i*step])
		}
	}
	p.values[row] = list
	p.held += n
}

func (p *pixels[T]) addAll(other image, to []int32) {
	o := other.(*pixels[T])
	for i, f := range o.flags {
		p.flags[to[i]] |= f
	}
	list, from := p.sums(), o.sums()
	for i := range list {
		list[i].addAll(from[i], to)
	}
	for i, row := range to {
		if p.want.extremes {
			if at := o.loAt[i]; at >= 0 && (p.loAt[row] < 0 || o.lo[i] < p.lo[row] || o.lo[i] == p.lo[row] && at < p.loAt[row]) {
				p.lo[row], p.loAt[row] = o.lo[i], at
			}
			if at := o.hiAt[i]; at >= 0 && (p.hiAt[row] < 0 || o.hi[i] > p.hi[row] || o.hi[i] == p.hi[row] && at < p.hiAt[row]) {
				p.hi[row], p.hiAt[row] = o.hi[i], at
			}
			if at := o.nanAt[i]; at >= 0 && (p.nanAt[row] < 0 || at < p.nanAt[row]) {
				p.nanAt[row] = at
			}
		}
		if p.want.values {
			p.values[row] = append(p.values[row], o.values[i]...)
		}
	}
	p.held += o.held
}
