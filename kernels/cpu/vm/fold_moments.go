// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// momentSlot collects the numbers of one block: runs that stay valid are kept
// by address, others are copied.
type momentSlot[T ordered] struct {
	buf  []T
	rows []unsafe.Pointer
	w    int // length of the rows
	used int // of buf
}

// momentSweep folds var and std: for each block its mean, then the squared
// deviations from it in the same order. Grouped folds visit all elements twice.
type momentSweep[T ordered] struct {
	skip     bool
	cnt      []int64
	mean, m2 []float64
	slots    []momentSlot[T]
	sum, dev native
	sums     [][]float64 // outputs of sums and means of the same values
	counts   [][]int64
}

// sharer is a sweep that makes the states of other folds beside its own. share is called after bind.
type sharer interface{ share(out []*chunk.Chunk) }

func (s *momentSweep[T]) share(out []*chunk.Chunk) {
	s.sums = append(s.sums, output[float64](out[0]))
	if len(out) > 1 {
		s.counts = append(s.counts, output[int64](out[1]))
	}
}

// tellSums and tellCounts give w sums and counts to those that share them.
func (s *momentSweep[T]) tellSums(at int, sums []float64) {
	for _, o := range s.sums {
		copy(o[at:], sums)
	}
}

func (s *momentSweep[T]) tellCounts(at, w int) {
	for _, o := range s.counts {
		copy(o[at:at+w], s.cnt[at:at+w])
	}
}

func newMoments[T ordered](skip bool) sweep { return &momentSweep[T]{skip: skip} }

func (s *momentSweep[T]) bind(out []*chunk.Chunk, slots int) {
	s.cnt, s.mean, s.m2 = output[int64](out[0]), output[float64](out[1]), output[float64](out[2])
	s.slots = resize(s.slots, slots)
	for i := range s.slots {
		s.slots[i].clear()
	}
}

func (p *momentSlot[T]) clear() { p.rows, p.used = p.rows[:0], 0 }

func (s *momentSweep[T]) fill() {
	clear(s.cnt)
	clear(s.mean)
	clear(s.m2)
}

// keep copies n values at x behind the others and returns where they are. The
// buffer must not move while rows point into it: room is for all that are to come.
func (p *momentSlot[T]) keep(x unsafe.Pointer, n, room int) unsafe.Pointer {
	if p.used == 0 && cap(p.buf) < room {
		p.buf = make([]T, room)
	}
	p.buf = p.buf[:cap(p.buf)]
	copy(p.buf[p.used:], values[T](x, n))
	at := unsafe.Pointer(&p.buf[p.used])
	p.used += n
	return at
}

func (s *momentSweep[T]) seg(slot, _ int, x args, n int, stable bool) {
	p := &s.slots[slot]
	if p.used == 0 && len(p.rows) == 0 && stable {
		p.rows, p.w = append(p.rows, x[0]), n // the whole block, if nothing follows
		return
	}
	if len(p.rows) == 1 {
		first := p.rows[0]
		p.rows = p.rows[:0]
		p.keep(first, p.w, kernels.InnerBlock)
	}
	p.keep(x[0], n, kernels.InnerBlock)
}

func (s *momentSweep[T]) flush(slot, at, _ int) {
	p := &s.slots[slot]
	var x []T
	if len(p.rows) == 1 {
		x = values[T](p.rows[0], p.w)
	} else {
		x = p.buf[:p.used]
	}
	var sum [1]float64
	s.cnt[at], sum[0], s.mean[at], s.m2[at] = s.block(x)
	s.tellSums(at, sum[:])
	s.tellCounts(at, 1)
	p.clear()
}

// blockMoments returns count, sum, mean and squared deviations of a block in the lane order.
func blockMoments[T ordered](x []T, skip bool) (n int64, sum, mean, m2 float64) {
	var acc [lanes]float64
	n = int64(len(x))
	if skip {
		n -= int64(addLanesTry(&acc, 0, x))
		if n == 0 {
			return 0, 0, 0, 0
		}
	} else {
		addLanes(&acc, 0, x)
	}
	sum = joinLanes(&acc)
	mean = sum / float64(n)
	acc = [lanes]float64{}
	if skip && n < int64(len(x)) {
		for i, v := range x {
			if v == v {
				d := float64(v) - mean
				acc[i%lanes] += float64(d * d)
			}
		}
	} else {
		deviateLanes(&acc, mean, x)
	}
	return n, sum, mean, joinLanes(&acc)
}

// deviateLanes is
//
//	for i := range x { d := float64(x[i]) - mean; acc[i%32] += d * d }
func deviateLanes[T ordered](acc *[lanes]float64, mean float64, x []T) {
	full := len(x) / lanes * lanes
	for p := 0; p < lanes; p += 4 {
		s := acc[p : p+4 : p+4]
		a0, a1, a2, a3 := s[0], s[1], s[2], s[3]
		for y := x[:full]; len(y) >= lanes; y = y[lanes:] {
			z := y[p : p+4 : p+4]
			d0, d1, d2, d3 := float64(z[0])-mean, float64(z[1])-mean, float64(z[2])-mean, float64(z[3])-mean
			a0 += float64(d0 * d0)
			a1 += float64(d1 * d1)
			a2 += float64(d2 * d2)
			a3 += float64(d3 * d3)
		}
		s[0], s[1], s[2], s[3] = a0, a1, a2, a3
	}
	for i, v := range x[full:] {
		d := float64(v) - mean
		acc[i] += float64(d * d)
	}
}

func (s *momentSweep[T]) start(slot, at, w int) {
	s.slots[slot].clear()
	clear(s.cnt[at : at+w])
	clear(s.mean[at : at+w])
	clear(s.m2[at : at+w])
}

func (s *momentSweep[T]) rows(slot, _, w int, x args, stride [2]int, count int, stable bool) {
	p := &s.slots[slot]
	p.w = w
	for r := range count {
		row := element[T](x[0], r*stride[0])
		if !stable {
			row = p.keep(row, w, kernels.OuterBlock*w)
		}
		p.rows = append(p.rows, row)
	}
}

func (s *momentSweep[T]) end(slot, at, w, _ int) {
	p := &s.slots[slot]
	done := s.nativeEnd(p, at, w)
	defer s.tellCounts(at, w)
	at, w = at+done, w-done
	if w > 0 {
		for _, r := range p.rows {
			s.grow(0, at, w, args{element[T](r, done)})
		}
		s.tellSums(at, s.mean[at:at+w])
		s.meansOf(at, w)
		for _, r := range p.rows {
			s.grow(1, at, w, args{element[T](r, done)})
		}
	}
	p.clear()
}

// meansOf turns sums into means.
func (s *momentSweep[T]) meansOf(at, w int) {
	for i := at; i < at+w; i++ {
		if s.cnt[i] > 0 {
			s.mean[i] /= float64(s.cnt[i])
		}
	}
}

func (s *momentSweep[T]) passes() int { return 2 }
func (s *momentSweep[T]) between()    { s.meansOf(0, len(s.cnt)) }

func (s *momentSweep[T]) grow(pass, at, w int, x args) {
	v := values[T](x[0], w)
	mean := s.mean[at : at+w]
	switch {
	case pass == 0 && s.skip:
		addRowSkip(mean, s.cnt[at:at+w], v)
	case pass == 0:
		addRows(mean, v, 0, 1)
		c := s.cnt[at : at+w]
		for i := range c {
			c[i]++
		}
	default:
		m2 := s.m2[at : at+w]
		for j, y := range v {
			if s.skip && y != y {
				continue
			}
			d := float64(y) - mean[j]
			m2[j] += float64(d * d)
		}
	}
}

func (s *momentSweep[T]) scatter(pass int, dst []int, x args) {
	v := values[T](x[0], len(dst))
	for i, d := range dst {
		switch {
		case d < 0 || s.skip && v[i] != v[i]:
		case pass == 0:
			s.mean[d] += float64(v[i])
			s.cnt[d]++
		default:
			e := float64(v[i]) - s.mean[d]
			s.m2[d] += float64(e * e)
		}
	}
}

// done forgets every address: the memory may be unmapped before the next run.
func (s *momentSweep[T]) done() {
	s.cnt, s.mean, s.m2 = nil, nil, nil
	clear(s.sums)
	clear(s.counts)
	s.sums, s.counts = s.sums[:0], s.counts[:0]
	for i := range s.slots {
		p := &s.slots[i]
		clear(p.rows[:cap(p.rows)])
		p.clear()
	}
}
